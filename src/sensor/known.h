/* A bounded set of what was handed out before, by container. Of each 8 entries that share a bucket the one that was not asked for
 * the longest makes room, so a set that is too small says something twice and never hides anything. */
#pragma once
#include "base/error.h"

struct hf_known_entry {
	uint64_t hash;  /* 0: free */
	uint64_t asked; /* running number of the last question */
};

enum { HF_KNOWN_WAYS = 8, HF_KNOWN_EPOCHS = 4096 };

struct hf_known {
	struct hf_known_entry *entries; /* buckets * HF_KNOWN_WAYS */
	size_t buckets;                 /* a power of two */
	uint64_t asked, evicted;
	uint32_t *epochs; /* HF_KNOWN_EPOCHS; by a hash of the cgroup */
};

/* @entries is rounded up to a power of two, at least 64. */
void hf_known_init(struct hf_known *k, size_t entries);
void hf_known_done(struct hf_known *k);
/* True where the same @object of the cgroup was asked for before; else it is put in. */
bool hf_known_seen(struct hf_known *k, uint64_t cgroup_id, hf_sv object);
/* Forgets what is known of a cgroup. */
void hf_known_forget(struct hf_known *k, uint64_t cgroup_id);
