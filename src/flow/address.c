#include "flow/address.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool hf_address_of(hf_sv text, struct hf_address *ret)
{
	char copy[HF_ADDRESS_TEXT_MAX];
	struct hf_address a = { 0 };
	hf_sv zone;

	hf_sv_cut(text, '%', &text, &zone);
	if (!text.len || text.len >= sizeof copy || memchr(text.ptr, 0, text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	if (inet_pton(AF_INET, copy, a.bytes) == 1) {
		a.family = 4;
	} else if (inet_pton(AF_INET6, copy, a.bytes) == 1) {
		a.family = 6;
		if (!memcmp(a.bytes, mapped, sizeof mapped)) {
			a.family = 4;
			memmove(a.bytes, a.bytes + 12, 4);
			memset(a.bytes + 4, 0, 12);
		}
	} else {
		return false;
	}
	*ret = a;
	return true;
}

hf_sv hf_address_text(const struct hf_address *a, char out[HF_ADDRESS_TEXT_MAX])
{
	if (!a->family || !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, out, HF_ADDRESS_TEXT_MAX))
		out[0] = 0;
	return hf_sv_of(out);
}

int hf_address_cmp(const struct hf_address *a, const struct hf_address *b)
{
	return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static bool in(const struct hf_address *a, const char *block)
{
	struct hf_cidr c;

	return hf_cidr_of(hf_sv_of(block), &c) && hf_cidr_holds(&c, a);
}

enum hf_address_scope hf_address_scope(const struct hf_address *a)
{
	static const struct {
		const char *block;
		enum hf_address_scope scope;
	} blocks[] = {
		{ "0.0.0.0/8", HF_ADDRESS_UNSPECIFIED },     { "::/128", HF_ADDRESS_UNSPECIFIED },
		{ "127.0.0.0/8", HF_ADDRESS_LOOPBACK },      { "::1/128", HF_ADDRESS_LOOPBACK },
		{ "169.254.0.0/16", HF_ADDRESS_LINK_LOCAL }, { "fe80::/10", HF_ADDRESS_LINK_LOCAL },
		{ "224.0.0.0/4", HF_ADDRESS_MULTICAST },     { "255.255.255.255/32", HF_ADDRESS_MULTICAST },
		{ "ff00::/8", HF_ADDRESS_MULTICAST },        { "10.0.0.0/8", HF_ADDRESS_PRIVATE },
		{ "172.16.0.0/12", HF_ADDRESS_PRIVATE },     { "192.168.0.0/16", HF_ADDRESS_PRIVATE },
		{ "100.64.0.0/10", HF_ADDRESS_PRIVATE },     { "fc00::/7", HF_ADDRESS_PRIVATE },
	};

	if (!a->family)
		return HF_ADDRESS_UNSPECIFIED;
	for (size_t i = 0; i < HF_ARRAY_SIZE(blocks); i++)
		if (in(a, blocks[i].block))
			return blocks[i].scope;
	return HF_ADDRESS_PUBLIC;
}

struct hf_cidr hf_cidr_around(const struct hf_address *a, unsigned bits)
{
	struct hf_cidr c = { .address = *a };
	unsigned most = a->family == 4 ? 32 : 128;

	c.bits = (uint8_t)(bits < most ? bits : most);
	for (unsigned i = 0; i < most / 8; i++) {
		unsigned kept = i * 8 >= c.bits ? 0 : c.bits - i * 8;

		if (kept < 8)
			c.address.bytes[i] &= (uint8_t)(0xff00u >> kept);
	}
	return c;
}

bool hf_cidr_of(hf_sv text, struct hf_cidr *ret)
{
	struct hf_address a;
	hf_sv address, digits;
	uint64_t bits;

	if (!hf_sv_cut(text, '/', &address, &digits) || !hf_address_of(address, &a) || !hf_sv_to_u64(digits, &bits) ||
	    bits > (a.family == 4 ? 32 : 128))
		return false;
	*ret = hf_cidr_around(&a, (unsigned)bits);
	return true;
}

bool hf_cidr_holds(const struct hf_cidr *c, const struct hf_address *a)
{
	if (!a->family || a->family != c->address.family)
		return false;
	struct hf_cidr around = hf_cidr_around(a, c->bits);

	return hf_address_cmp(&around.address, &c->address) == 0;
}

hf_sv hf_cidr_text(const struct hf_cidr *c, char out[HF_CIDR_TEXT_MAX])
{
	char address[HF_ADDRESS_TEXT_MAX];

	hf_address_text(&c->address, address);
	snprintf(out, HF_CIDR_TEXT_MAX, "%s/%u", address, c->bits);
	return hf_sv_of(out);
}
