/* IP addresses and blocks of them, as flows and policies compare them. Text as RFC 4291 and RFC 5952 write it, blocks as RFC 4632. */
#pragma once
#include "base/view.h"

struct hf_address {
	uint8_t family; /* 4 or 6; 0: none */
	uint8_t bytes[16];
};

struct hf_cidr {
	struct hf_address address; /* bits behind the prefix are zero */
	uint8_t bits;
};

enum hf_address_scope {
	HF_ADDRESS_UNSPECIFIED, /* 0.0.0.0, :: */
	HF_ADDRESS_LOOPBACK,
	HF_ADDRESS_LINK_LOCAL,
	HF_ADDRESS_MULTICAST, /* and the broadcast address */
	HF_ADDRESS_PRIVATE,   /* RFC 1918, RFC 6598, RFC 4193 */
	HF_ADDRESS_PUBLIC,
};

enum { HF_ADDRESS_TEXT_MAX = 46, HF_CIDR_TEXT_MAX = 50 };

/* False where @text is no address. A zone ("%eth0") is passed over; an IPv4 address in IPv6 (::ffff:10.0.0.1) is the IPv4 one. */
bool hf_address_of(hf_sv text, struct hf_address *ret);
hf_sv hf_address_text(const struct hf_address *, char out[HF_ADDRESS_TEXT_MAX]);
/* By family, then bytes: <0, 0, >0. */
int hf_address_cmp(const struct hf_address *a, const struct hf_address *b);
enum hf_address_scope hf_address_scope(const struct hf_address *);
/* False where @text is no "ADDRESS/BITS". Bits behind the prefix are cleared. */
bool hf_cidr_of(hf_sv text, struct hf_cidr *ret);
/* The block of that many bits which holds the address. */
struct hf_cidr hf_cidr_around(const struct hf_address *, unsigned bits);
bool hf_cidr_holds(const struct hf_cidr *, const struct hf_address *);
hf_sv hf_cidr_text(const struct hf_cidr *, char out[HF_CIDR_TEXT_MAX]);
