/* What the kernel may count without handing it out, since a profile knows it: keys for its known map, made as bpf/object.bpf.h makes
 * them, for all containers that share the profile's number.
 *
 * What one program does is not known of another: an object's key holds the executable that does it, and a profile's objects are known of
 * the profile's executables alone.
 *
 * Only what cannot turn out otherwise on a second look is in it: capabilities by system call; ports that are listened on for all
 * addresses; peers by address, but not name servers, whose answers are looked at once the question is seen; io_uring's
 * operations. Executions and mappings are always handed out: their arguments and digests decide. A profile that learns, and what is
 * rare in one, gives nothing. */
#pragma once
#include "baseline/profile.h"

struct hf_known_object {
	enum hf_event_kind kind;
	uint64_t key; /* of the map; never 0 */
};

/* Numbers of the kernel; negative: there is none of that name, and the entry is left out. */
struct hf_known_names {
	int (*capability)(hf_sv name);
	int (*system_call)(hf_sv name);
	int (*io_uring)(hf_sv operation);
};

/* An executable of the profile as it lies in its containers: stat's inode and statfs' type. */
struct hf_known_executable {
	uint64_t inode, magic;
};

/* In @a, *ret_n of them: each object for each of @executables. @hash_key is the agent's of this start, @number the profile's, not 0. */
const struct hf_known_object *hf_known_set(const struct hf_profile *p, uint64_t hash_key, uint32_t number,
					   const struct hf_known_executable *executables, size_t executables_n,
					   const struct hf_known_names *names, struct hf_arena *a, size_t *ret_n);
/* The hash of one path by itself: components from the last to the first. 0: a component is longer than the kernel's NAME_MAX. */
uint64_t hf_known_path(uint64_t hash_key, enum hf_event_kind kind, hf_sv path);
