/* What the kernel may count without handing it out, since a profile knows it: hashes of bpf/hash.h for the known-set map.
 *
 * Only what cannot turn out otherwise on a second look is in it: literal paths whose arguments and digests do not decide, so the
 * kernel must ask for them only where the file lies in a lower layer of the container's overlay; capabilities by system call; ports; peers by address.
 * A profile that learns, and what is rare in it, gives nothing: everything is handed out then. */
#pragma once
#include "baseline/profile.h"

struct hf_known_object {
	enum hf_event_kind kind;
	uint64_t hash;
};

/* Numbers of the kernel; negative: there is none of that name, and the entry is left out. */
struct hf_known_names {
	int (*capability)(hf_sv name);
	int (*system_call)(hf_sv name);
};

/* In @a, *ret_n of them. @names may be NULL: no capabilities then. */
const struct hf_known_object *hf_known_set(const struct hf_profile *p, uint64_t key, const struct hf_known_names *names,
					   struct hf_arena *a, size_t *ret_n);
/* The hash of one path: components from the last to the first. Longer components than the kernel's NAME_MAX give 0. */
uint64_t hf_known_path(uint64_t key, enum hf_event_kind kind, hf_sv path);
