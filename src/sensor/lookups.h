/* The names that containers looked up: address -> name, by container. Bounded; what is asked for the longest time ago makes room. */
#pragma once
#include "base/view.h"

enum { HF_LOOKUPS_SLOTS = 4096, HF_LOOKUP_NAME_MAX = 255 };

struct hf_lookups {
	struct hf_lookup *slots; /* HF_LOOKUPS_SLOTS in buckets of 4 */
	uint64_t clock;
};

void hf_lookups_init(struct hf_lookups *l);
void hf_lookups_done(struct hf_lookups *l);
void hf_lookups_put(struct hf_lookups *l, uint64_t cgroup_id, hf_sv address, hf_sv name);
/* Empty where it is not known; lives until the next put. */
hf_sv hf_lookups_name(struct hf_lookups *l, uint64_t cgroup_id, hf_sv address);
