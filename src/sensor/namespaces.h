/* Which namespaces each task had last, so that a record of those it has now tells what changed. Bounded: of each 4 tasks that share
 * a bucket the one that was used the longest ago makes room; what is missing is read from /proc by the caller. */
#pragma once
#include "base/error.h"
#include "sensor/perf_record.h"

struct hf_namespace_set {
	uint32_t inode[HF_NAMESPACES]; /* 0: not known */
};

struct hf_namespace_task {
	uint32_t tid; /* 0: free */
	uint32_t used;
	struct hf_namespace_set set;
};

struct hf_namespace_table {
	struct hf_namespace_task *tasks;
	size_t buckets; /* of 4; a power of two */
	uint32_t used;
};

void hf_namespace_table_init(struct hf_namespace_table *t, size_t tasks);
void hf_namespace_table_done(struct hf_namespace_table *t);
void hf_namespace_table_clear(struct hf_namespace_table *t);
/* NULL where it is not known; lives until the next put. */
const struct hf_namespace_set *hf_namespace_table_find(struct hf_namespace_table *t, uint32_t tid);
void hf_namespace_table_put(struct hf_namespace_table *t, uint32_t tid, const struct hf_namespace_set *set);

/* Bits 1 << enum hf_namespace: known on both sides, and other. */
uint32_t hf_namespaces_changed(const struct hf_namespace_set *was, const struct hf_namespace_set *is);
/* Bits: known on both sides, and the same. */
uint32_t hf_namespaces_same(const struct hf_namespace_set *a, const struct hf_namespace_set *b);
/* The names of the bits, as event_fields.def has them, in the order of mount pid network ipc uts user cgroup. Returns how many. */
size_t hf_namespace_names(uint32_t bits, hf_sv names[HF_NAMESPACES]);
/* Of a task, from /proc; @proc is a descriptor of it. False where nothing could be read (the task is gone). */
bool hf_namespaces_read(int proc, uint32_t tid, struct hf_namespace_set *ret);
