#include "sensor/known.h"

#include <stdlib.h>

#include "base/hash.h"

void hf_known_init(struct hf_known *k, size_t entries)
{
	size_t buckets = 64 / HF_KNOWN_WAYS;

	while (buckets * HF_KNOWN_WAYS < entries)
		buckets *= 2;
	*k = (struct hf_known){
		.entries = hf_calloc(buckets * HF_KNOWN_WAYS, sizeof(struct hf_known_entry)),
		.epochs = hf_calloc(HF_KNOWN_EPOCHS, sizeof(uint32_t)),
		.buckets = buckets,
	};
}

void hf_known_done(struct hf_known *k)
{
	free(k->entries);
	free(k->epochs);
	*k = (struct hf_known){ 0 };
}

/* Cgroups that share a slot share forgetting: that costs repeats, nothing else. */
static uint32_t *epoch_of(const struct hf_known *k, uint64_t cgroup_id)
{
	return &k->epochs[(cgroup_id * 0x9e3779b97f4a7c15u) >> 52];
}

bool hf_known_seen(struct hf_known *k, uint64_t cgroup_id, hf_sv object)
{
	uint64_t whole[3] = { cgroup_id, *epoch_of(k, cgroup_id), hf_hash(object) };
	uint64_t hash = hf_hash((hf_sv){ (const char *)whole, sizeof whole }) | 1;
	struct hf_known_entry *bucket = &k->entries[((hash >> 1) & (k->buckets - 1)) * HF_KNOWN_WAYS];
	struct hf_known_entry *oldest = bucket;

	k->asked++;
	for (size_t i = 0; i < HF_KNOWN_WAYS; i++) {
		if (bucket[i].hash == hash) {
			bucket[i].asked = k->asked;
			return true;
		}
		if (bucket[i].asked < oldest->asked)
			oldest = &bucket[i];
	}
	k->evicted += oldest->hash != 0;
	*oldest = (struct hf_known_entry){ .hash = hash, .asked = k->asked };
	return false;
}

void hf_known_forget(struct hf_known *k, uint64_t cgroup_id)
{
	++*epoch_of(k, cgroup_id);
}
