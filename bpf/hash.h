/* The keyed hash of objects (paths, addresses, numbers) under which the kernel's known-set holds what a profile knows. Compiled for
 * BPF and for the host: both must get the same number. The key is drawn anew at each start of the agent and never leaves it: whoever
 * names files cannot make two names collide. 64 bits; nothing that is stored or printed.
 *
 * Bytes go in as words of 8, little endian, the last one padded with zeros, then their length: so "a" then "bc" is not "ab" then "c".
 * A path is hashed by its components from the last to the first, as a walk from the dentry to the root meets them. */
#pragma once
#ifndef __bpf__
#include <linux/types.h>
#endif

#define HF_KEYED_INLINE static inline __attribute__((always_inline, unused))

enum { HF_KEYED_NAME_MAX = 255 }; /* bytes of one component, as the kernel's NAME_MAX */

HF_KEYED_INLINE __u64 hf_keyed_word(__u64 h, __u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 29);
}

/* The last word of a run of @length bytes, of which only length % 8 count; @word as it was loaded. */
HF_KEYED_INLINE __u64 hf_keyed_tail(__u64 word, __u32 length)
{
	return word & ((1ull << (8 * (length & 7))) - 1);
}

HF_KEYED_INLINE __u64 hf_keyed_length(__u64 h, __u64 length)
{
	return hf_keyed_word(h, length | 0x2f00000000000000ull);
}

/* Takes in one component of at most HF_KEYED_NAME_MAX bytes. @bytes must be readable up to the next multiple of 8 behind @length;
 * what stands there does not count. */
HF_KEYED_INLINE __u64 hf_keyed_component(__u64 h, const void *bytes, __u32 length)
{
	__u64 word;
	__u32 i;

	for (i = 0; i < (HF_KEYED_NAME_MAX + 1) / 8; i++) {
		if (8 * i >= length)
			break;
		__builtin_memcpy(&word, (const char *)bytes + 8 * i, 8);
		if (length - 8 * i < 8)
			word = hf_keyed_tail(word, length);
		h = hf_keyed_word(h, word);
	}
	return hf_keyed_length(h, length);
}

/* The state to begin with, for an object of a kind: kinds never collide with each other by their content. */
HF_KEYED_INLINE __u64 hf_keyed_begin(__u64 key, __u32 kind)
{
	return hf_keyed_word(key, 0x6b00000000000000ull | kind);
}

/* The number itself, from the state and the key again; never 0, which means "none". */
HF_KEYED_INLINE __u64 hf_keyed_end(__u64 h, __u64 key)
{
	h ^= (key << 32) | (key >> 32);
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdull;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ull;
	h ^= h >> 33;
	return h ? h : 1;
}

/* The states of the known map's objects, as object.bpf.h and its users make them: begun with the kind and the holder (the number that a
 * profile's replicas share, or 1 << 63 | cgroup id), gone on with the object, ended by hf_keyed_end. */
HF_KEYED_INLINE __u64 hf_keyed_object(__u64 key, __u32 kind, __u64 holder)
{
	return hf_keyed_word(hf_keyed_begin(key, kind), holder);
}

/* Stands in front of the object for whatever a process does, namespaces too: the executable's inode and its file system's magic number,
 * which replicas of an image share and a file elsewhere does not have. */
HF_KEYED_INLINE __u64 hf_keyed_executable(__u64 h, __u64 inode, __u64 magic)
{
	return hf_keyed_word(hf_keyed_word(h, inode), magic);
}

/* A peer, or the address that is listened on: 16 bytes as bpf/object.h has them, IPv4 in the first four. */
HF_KEYED_INLINE __u64 hf_keyed_address(__u64 h, const void *address, __u32 port, __u32 protocol)
{
	__u64 words[2];

	__builtin_memcpy(words, address, sizeof words);
	return hf_keyed_word(hf_keyed_word(hf_keyed_word(h, words[0]), words[1]), (__u64)protocol << 32 | port);
}

HF_KEYED_INLINE __u64 hf_keyed_capability(__u64 h, _Bool setup, __u32 capability, _Bool allowed, __u32 system_call)
{
	return hf_keyed_word(h, (__u64)setup << 63 | (__u64)capability << 32 | (__u64)allowed << 31 |
					(system_call & 0xffff));
}
