/* The file of rules. Inner part of policy. Format: docs/formats/enforce-rules.md. */
#pragma once
#include "enforce/policy.h"

/* Fills in the rules that the file names. */
int policy_read(hf_sv text, struct hf_arena *a, struct hf_enforce_policy *ret, struct hf_err *err);
/* @port "tcp/443", "udp/53", empty: any. @address with or without "/BITS"; "::/0" is every address of both families. */
bool policy_peer_parse(hf_sv port, hf_sv address, struct hf_enforce_policy_peer *ret);
