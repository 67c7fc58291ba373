/* What lies between the sensor and its sources beside BPF (perf sideband, fanotify, proc connector, reconcile).
 *
 * A source hands out each event with its kind, its time, the process ids and the fields of its kind; the sensor adds process tree
 * and container. The account stays whole by one rule: whatever a source saw goes to `take` or to `count`, exactly once. What
 * was taken the taker counts as seen and then as delivered or dropped; what was counted is seen and known, or seen and dropped.
 * One thread; a source with a reader of its own says so. */
#pragma once
#include "model/event.h"

enum hf_fate {
	HF_FATE_KNOWN,
	HF_FATE_DROPPED_RING,       /* lost by the kernel's ring or socket */
	HF_FATE_DROPPED_RATE,       /* over the rate that a container may have */
	HF_FATE_DROPPED_MAP,        /* a table was full */
	HF_FATE_DROPPED_UNREADABLE, /* a record that could not be understood */
	HF_FATE_DROPPED_QUEUE,      /* lost by a queue in front of the source */
};

/* Who a process is, as far as the sensor knows. */
struct hf_feed_process {
	uint64_t cgroup_id; /* 0: not known */
	uint64_t execution; /* 0: not known */
	bool unwanted;      /* outside of what is watched: neither taken nor counted */
};

struct hf_feed {
	void *ctx;
	/* The process with this pid (as the host counts) at this time, CLOCK_MONOTONIC. */
	struct hf_feed_process (*process)(void *ctx, uint32_t pid, uint64_t time_ns);
	/* The event is borrowed for the call. 0 goes on; a negative code with *err set ends the drain. */
	int (*take)(void *ctx, const struct hf_event *e, struct hf_err *err);
	void (*count)(void *ctx, enum hf_event_kind kind, uint64_t cgroup_id, enum hf_fate fate, uint64_t n);
	/* May be NULL: a cgroup was born (perf's record of it; the BPF programs may have told so before). */
	void (*cgroup)(void *ctx, uint64_t cgroup_id, hf_sv path, uint64_t time_ns);
};
