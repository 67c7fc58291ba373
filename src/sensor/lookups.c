#include "sensor/lookups.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"

enum { WAYS = 4 };

struct hf_lookup {
	uint64_t key, asked; /* key 0: free */
	uint32_t length;
	char name[HF_LOOKUP_NAME_MAX];
};

void hf_lookups_init(struct hf_lookups *l)
{
	*l = (struct hf_lookups){ .slots = hf_calloc(HF_LOOKUPS_SLOTS, sizeof *l->slots) };
}

void hf_lookups_done(struct hf_lookups *l)
{
	free(l->slots);
	*l = (struct hf_lookups){ 0 };
}

static uint64_t key_of(uint64_t cgroup_id, hf_sv address)
{
	char text[sizeof cgroup_id + 64];
	size_t n = address.len < 64 ? address.len : 64;

	memcpy(text, &cgroup_id, sizeof cgroup_id);
	if (n)
		memcpy(text + sizeof cgroup_id, address.ptr, n);
	return hf_hash((hf_sv){ text, sizeof cgroup_id + n }) | 1;
}

static struct hf_lookup *bucket(struct hf_lookups *l, uint64_t key)
{
	return &l->slots[(key >> 20) % (HF_LOOKUPS_SLOTS / WAYS) * WAYS];
}

void hf_lookups_put(struct hf_lookups *l, uint64_t cgroup_id, hf_sv address, hf_sv name)
{
	uint64_t key = key_of(cgroup_id, address);
	struct hf_lookup *b = bucket(l, key), *to = b;

	for (int i = 0; i < WAYS; i++) {
		if (b[i].key == key) {
			to = &b[i];
			break;
		}
		if (b[i].asked < to->asked)
			to = &b[i];
	}
	name = hf_sv_first(name, HF_LOOKUP_NAME_MAX);
	*to = (struct hf_lookup){ .key = key, .asked = ++l->clock, .length = (uint32_t)name.len };
	if (name.len)
		memcpy(to->name, name.ptr, name.len);
}

hf_sv hf_lookups_name(struct hf_lookups *l, uint64_t cgroup_id, hf_sv address)
{
	uint64_t key = key_of(cgroup_id, address);
	struct hf_lookup *b = bucket(l, key);

	for (int i = 0; i < WAYS; i++)
		if (b[i].key == key) {
			b[i].asked = ++l->clock;
			return (hf_sv){ b[i].name, b[i].length };
		}
	return (hf_sv){ 0 };
}
