/* An answer of a name server: what was asked, how it was answered, and which addresses stand in it. Pure.
 *
 * Source: RFC 1035 section 4 (messages, compression), RFC 3596 (AAAA), RFC 6895 (types, response codes). Not read: DNSSEC, other
 * records than A and AAAA, more than the first question. */
#pragma once
#include "base/arena.h"

enum { HF_DNS_NAME_MAX = 255, HF_DNS_ADDRESSES_MAX = 64 };

struct hf_dns {
	bool response; /* else a question */
	hf_sv name; /* asked for: lower case, without the last dot, bytes that are no letters of names as \DDD; "." is the root */
	hf_sv type; /* "A", "TYPE65400" */
	hf_sv code; /* "NXDOMAIN", "RCODE24" */
	hf_sv addresses[HF_DNS_ADDRESSES_MAX];
	size_t addresses_n;
};

/* Views live in @a. @return 0; HF_PARTIAL: it was cut, by the server or on the way, and addresses may be missing; HF_E_FORMAT;
 * HF_E_LIMIT @a is full. */
int hf_dns_parse(hf_sv message, struct hf_arena *a, struct hf_dns *ret, struct hf_err *err);
