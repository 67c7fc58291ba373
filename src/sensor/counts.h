/* Counts by kind and cgroup in a table of fixed size: what is full is refused, what is folded leaves no trace in it. One thread. */
#pragma once
#include "sensor/sensor.h"

enum { HF_COUNTS_SLOTS = 16384 };

struct hf_pair_counts {
	uint64_t cgroup_id;
	uint32_t kind; /* + 1; 0: free */
	uint64_t reported_dropped;
	struct hf_sensor_counts counts;
};

struct hf_counts {
	struct hf_pair_counts *slots; /* HF_COUNTS_SLOTS */
	size_t n;
	uint64_t refused;
};

void hf_counts_init(struct hf_counts *t);
void hf_counts_done(struct hf_counts *t);
/* The pair's, made where it is new. NULL where there is no room. Lives until the next call that makes or folds. */
struct hf_pair_counts *hf_counts_at(struct hf_counts *t, uint64_t cgroup_id, uint32_t kind);
/* Takes out all pairs of the cgroups that @is_over says, and adds their counts to @into[kind]; @into may be NULL. */
typedef bool hf_counts_over_fn(const void *ctx, uint64_t cgroup_id);
void hf_counts_fold(struct hf_counts *t, hf_counts_over_fn *is_over, const void *ctx, struct hf_sensor_counts *into);
void hf_sensor_counts_add(struct hf_sensor_counts *to, const struct hf_sensor_counts *c);
