/* The programs in the kernel: loaded one by one as far as this kernel takes them, their rings and counters.
 *
 * Records are those of bpf/event.h and bpf/object.h, handed out as bytes: control first (executions, ends, cgroups, signals), then what
 * comes in bulk. Within a ring they are in the order in which they were written. */
#pragma once
#include "base/error.h"
#include "bpf/event.h"
#include "sensor/hierarchy.h"

struct hf_kernel;

struct hf_kernel_options {
	bool host;                                    /* what happens outside of containers too */
	bool deep;                                    /* system call bitmaps: taxes every system call of the machine */
	uint32_t ring_control_bytes, ring_bulk_bytes; /* powers of two; 0: 4 MiB each */
	uint32_t cgroups_max;                         /* that are told apart at once; 0: 8192 */
	const struct hf_hierarchy *hierarchy;         /* by which containers are told apart, copied; NULL: found */
};

/* One program: what it sees, and whether it works here. */
struct hf_kernel_program {
	const char *name, *section, *sees;
	bool works;
	char why[160]; /* where not: the kernel's answer; else what it does not see here, or empty */
};

/* HF_E_DENIED without CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; HF_E_UNSUPPORTED where executions or cgroups cannot be seen. */
int hf_kernel_open(const struct hf_kernel_options *, struct hf_kernel **ret, struct hf_err *err);
/* No more records and counts from here on; what is in the rings stays to be drained, and the account is whole after that. */
void hf_kernel_detach(struct hf_kernel *);
void hf_kernel_close(struct hf_kernel *);
const struct hf_hierarchy *hf_kernel_hierarchy(const struct hf_kernel *);
/* All programs, those of --deep too; live as long as @k. */
const struct hf_kernel_program *hf_kernel_programs(const struct hf_kernel *k, size_t *ret_n);
/* Readable when a ring has much, or something that cannot wait; what else there is comes with the next drain: each 100 ms. */
int hf_kernel_fd(const struct hf_kernel *);
/* The record is borrowed for the call. 0; 1: there may be more, for one call takes a bounded number; or the first negative answer of
 * @take. */
typedef int hf_kernel_take_fn(void *ctx, hf_sv record, struct hf_err *err);
int hf_kernel_drain(struct hf_kernel *, hf_kernel_take_fn *take, void *ctx, struct hf_err *err);

/* A cgroup that was there before the programs were: watched from now on. Its first own program has run. HF_E_LIMIT: the map is full. */
int hf_kernel_watch(struct hf_kernel *, uint64_t cgroup_id, struct hf_err *err);
/* True once a cgroup was born that had no room: from then on what is in no known cgroup is handed out too. Clearing it is for who has
 * looked for what is there by hf_kernel_watch. */
bool hf_kernel_is_full(const struct hf_kernel *);
void hf_kernel_set_full(struct hf_kernel *, bool full);
/* No container's: neither handed out nor counted any more, unless the host is watched. */
void hf_kernel_ignore(struct hf_kernel *, uint64_t cgroup_id);
/* Takes a cgroup that is gone out of the map, after its last counts were read. */
void hf_kernel_forget(struct hf_kernel *, uint64_t cgroup_id);
/* Looks at the answers of name servers that come to this cgroup (path in the hierarchy); to be called once it has turned to
 * one. Idempotent; nothing where containers are told apart by cgroup v1. */
int hf_kernel_watch_names(struct hf_kernel *, uint64_t cgroup_id, hf_sv path, struct hf_err *err);

/* What a profile knows is counted from now on in this cgroup and not handed out: @keys (baseline/known_set.h, made with hf_kernel_hash_key
 * and @profile, not 0) go into the map that all cgroups of that number share; what was handed out of it before comes once more.
 * HF_E_UNSUPPORTED, HF_E_MISSING: the cgroup is gone. */
int hf_kernel_learned(struct hf_kernel *, uint64_t cgroup_id, uint32_t profile, const uint64_t *keys, size_t n,
		      struct hf_err *err);
uint64_t hf_kernel_hash_key(const struct hf_kernel *);

/* What the programs remember of a process that lives: 0 and false where that is nothing (not a watched container's, or from before
 * the programs). */
bool hf_kernel_process(struct hf_kernel *, uint32_t pid, uint64_t *ret_execution, uint64_t *ret_cgroup_id);
/* A process from before the programs is a container's: where it moves to below that is no runtime's set-up. */
void hf_kernel_found(struct hf_kernel *, uint32_t pid, uint64_t cgroup_id);

/* The counters of each cgroup that is known, kinds that were seen alone; cgroup 0: what could not be told apart, or the host. */
typedef void hf_kernel_counts_fn(void *ctx, uint32_t kind, uint64_t cgroup_id, const struct hf_kernel_counts *counts);
void hf_kernel_account(struct hf_kernel *, hf_kernel_counts_fn *, void *ctx);
