/* Which name a container last looked up for an address: a cache of fixed size, the oldest of a set makes room. */
#pragma once
#include "flow/address.h"

struct hf_flow_names;

struct hf_flow_names *hf_flow_names_new(void);
void hf_flow_names_free(struct hf_flow_names *);
/* @who names the container. Names over 253 bytes are no DNS names and passed over. */
void hf_flow_names_put(struct hf_flow_names *, const void *who, const struct hf_address *, hf_sv name);
/* Empty where none is known; lives until the next put. */
hf_sv hf_flow_names_find(struct hf_flow_names *, const void *who, const struct hf_address *);
