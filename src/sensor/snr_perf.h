/* The sideband of perf: what is mapped executable, which namespaces tasks enter, which cgroups are born and BPF programs loaded.
 * No probe and no system call is taxed: the kernel writes these records for profilers, a dummy software event on each CPU asks for
 * them. Two rings a CPU, so that a storm of mappings costs no other record, and a loss is of a known kind.
 *
 * Left out: anonymous executable memory and the vdso (no file), the time namespace (perf does not tell of it). */
#pragma once
#include "sensor/feed.h"

struct hf_perf;

struct hf_perf_options {
	uint32_t ring_bytes; /* of one ring, a power of two; 0: 4 MiB over all CPUs, 64 to 512 KiB each */
	bool namespaces; /* changes of namespaces too, where the kernel's programs cannot tell: costs each fork ten microseconds */
	size_t known_max; /* mapped files that are remembered; 0: 32768 */
};

/* @feed is borrowed until the close. HF_E_DENIED without CAP_PERFMON, HF_E_UNSUPPORTED where the kernel has no such records. */
int hf_perf_open(const struct hf_perf_options *, const struct hf_feed *feed, struct hf_perf **ret, struct hf_err *err);
void hf_perf_close(struct hf_perf *);
/* Readable when a ring is a quarter full; what came since is only there for hf_perf_drain, so call that each 100 ms too. */
int hf_perf_fd(const struct hf_perf *);
/* Hands out what is there, in the order of time over all CPUs. Let the records of fork and exec go first: they tell who is who. */
int hf_perf_drain(struct hf_perf *, struct hf_err *err);
/* Brings the count of what the rings lost up to date; before the account is read. */
void hf_perf_settle(struct hf_perf *);
/* A mapping that was found otherwise (reconcile): handed out unless it is known, and known from then on. Not counted. */
struct hf_perf_mapping {
	uint64_t cgroup_id, time_ns, begin, end, inode;
	uint32_t pid, major, minor;
	hf_sv path;
};
int hf_perf_offer(struct hf_perf *, const struct hf_perf_mapping *, struct hf_err *err);
/* Files of this cgroup are handed out once more when they are mapped: an executable or library in it was written. */
void hf_perf_forget(struct hf_perf *, uint64_t cgroup_id);
