/* Which objects a part may hold: what is learned and what is read are held against the same. */
#include <arpa/inet.h>

#include "baseline/profile.h"
#include "baseline/shape.h"

static bool is_port(hf_sv s)
{
	hf_sv protocol, port;
	uint64_t number;

	if (!hf_sv_cut(s, '/', &protocol, &port) || !protocol.len)
		return false;
	for (size_t i = 0; i < protocol.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-", protocol.ptr[i], 37))
			return false;
	return hf_sv_eq(port, HF_SV("ephemeral")) || (hf_sv_to_u64(port, &number) && number <= 65535);
}

static bool is_address(hf_sv s)
{
	char host[INET6_ADDRSTRLEN] = { 0 };
	unsigned char bytes[16];
	hf_sv address = s, prefix;
	uint64_t bits = 0;

	bool has_prefix = hf_sv_cut(s, '/', &address, &prefix);
	if (address.len >= sizeof host || (has_prefix && !hf_sv_to_u64(prefix, &bits)))
		return false;
	if (address.len)
		memcpy(host, address.ptr, address.len);
	if (inet_pton(AF_INET, host, bytes) == 1)
		return bits <= 32;
	return inet_pton(AF_INET6, host, bytes) == 1 && bits <= 128;
}

static bool is_peer(hf_sv s)
{
	hf_sv port, whom, kind, value;

	if (!hf_sv_cut(s, ' ', &port, &whom) || !is_port(port) || !hf_sv_cut(whom, ':', &kind, &value) || !value.len)
		return false;
	return hf_sv_eq(kind, HF_SV("name")) || hf_sv_eq(kind, HF_SV("container")) ||
	       (hf_sv_eq(kind, HF_SV("address")) && is_address(value));
}

const char *hf_profile_object_wrong(enum hf_profile_part part, hf_sv s)
{
	uint64_t id;

	switch (part) {
	case HF_PROFILE_EXECUTABLES:
	case HF_PROFILE_SCRIPTS:
	case HF_PROFILE_LIBRARIES:
	case HF_PROFILE_FILES:
		return hf_shape_valid(s) ? NULL : "no pattern: { } and \\ are written \\{ \\} \\\\";
	case HF_PROFILE_LISTEN:
		return is_port(s) ? NULL : "a port as tcp/80 or udp/ephemeral is wanted here";
	case HF_PROFILE_PEERS:
		return is_peer(s) ? NULL : "a peer as 'tcp/443 name:example.com' is wanted here";
	case HF_PROFILE_CAPABILITIES:
		return hf_sv_starts(s, HF_SV("CAP_")) ? NULL : "a capability as CAP_CHOWN is wanted here";
	case HF_PROFILE_USERS:
		return hf_sv_to_u64(s, &id) ? NULL : "the number of a user is wanted here";
	case HF_PROFILE_DNS:
	case HF_PROFILE_SYSTEM_CALLS:
	case HF_PROFILE_NAMESPACES:
	case HF_PROFILE_IO_URING:
	case HF_PROFILE_PARTS:
		return NULL;
	}
	return NULL;
}
