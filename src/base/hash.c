#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
		abort();
}

static inline uint64_t rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t hf_hash(hf_sv s)
{
	pthread_once(&key_once, make_key);
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
			  key[1] ^ 0x7465646279746573u };
	uint64_t word, tail = (uint64_t)s.len << 56;
	size_t whole = s.len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&word, s.ptr + i, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = whole; i < s.len; i++)
		tail |= (uint64_t)(unsigned char)s.ptr[i] << (8 * (i - whole));
	v[3] ^= tail;
	sip_round(v);
	v[0] ^= tail;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hf_hash_path(hf_sv path)
{
	static const hf_sv merged[] = { HF_SV_INIT("bin"),   HF_SV_INIT("sbin"),  HF_SV_INIT("lib"),
					HF_SV_INIT("lib32"), HF_SV_INIT("lib64"), HF_SV_INIT("libx32") };
	hf_sv rest = hf_sv_starts(path, HF_SV("usr/")) ? hf_sv_skip(path, 4) : path;

	if (rest.len == path.len)
		return hf_hash(path);
	for (size_t i = 0; i < HF_ARRAY_SIZE(merged); i++)
		if (hf_sv_starts(rest, merged[i]) && (rest.len == merged[i].len || rest.ptr[merged[i].len] == '/'))
			return hf_hash(rest);
	return hf_hash(path);
}
