/* The kernel's events, with the process tree and the container of each, to a sink.
 *
 * One thread. hf_sensor_run reads the rings, completes each record into a struct hf_event, holds it until its container has a
 * name (at most two seconds), and hands it out; the records of a ring stay in their order, the sources are read in turn. What was seen, known, delivered and dropped is
 * counted by kind and container: hf_sensor_account. */
#pragma once
#include "engine/container.h"
#include "model/event.h"
#include "sensor/snr_fanotify.h"

struct hf_sensor;

struct hf_sensor_options {
	struct hf_containers *containers; /* borrowed */
	bool host;                        /* hand out what happens outside of containers too */
	bool deep;                        /* system call bitmaps: taxes every system call, see docs/decisions */
	uint32_t ring_control_bytes, ring_bulk_bytes; /* powers of two; 0: 4 MiB each */
	uint32_t cgroups_max;                         /* cgroups that are told apart at once; 0: 8192 */
	const struct hf_file_watch *watches;          /* files to be told of, in each container */
	size_t watches_n;
	uint32_t reconcile_seconds; /* 0: 60 */
	/* NULL, or called as soon as a container's own program is seen to run, while its event may have to wait for the container's
	 * name: to look into its root before it is gone. */
	void (*runs)(void *ctx, uint64_t cgroup_id, uint32_t pid);
	void *runs_ctx;
};

/* What this node can see: a row for each hook that was tried. */
struct hf_sensor_rung {
	char sees[48]; /* "executions" */
	char by[48];   /* "tp_btf/sched_process_exec" */
	bool works;
	char why[160]; /* where it does not: the kernel's answer; else what it leaves open, or empty */
};
/* Opens and closes each; needs the rights that hf_sensor_open needs, without them nothing works and says so. */
size_t hf_sensor_probe(struct hf_sensor_rung *rungs, size_t max);

/* Hands out first, as events HEALTH, what this kernel refuses. HF_E_DENIED without the rights, HF_E_UNSUPPORTED where the kernel
 * has not what is needed (BTF, ring buffers), with what to do. */
int hf_sensor_open(const struct hf_sensor_options *, struct hf_sensor **ret, struct hf_err *err);
void hf_sensor_close(struct hf_sensor *);
/* Handles what is there and waits at most @timeout_ms for more; 0, or what the sink returned. */
int hf_sensor_run(struct hf_sensor *, int timeout_ms, const struct hf_event_sink *, struct hf_err *err);
/* The end: nothing new is seen from here on, what is there is handled, and all that is held is handed out, named or not. */
int hf_sensor_flush(struct hf_sensor *, const struct hf_event_sink *, struct hf_err *err);
/* Events of kind LOSS: for each kind and container that lost something since the last report; with @all for each that was seen, after
 * those of containers that are gone were put together. */
int hf_sensor_report(struct hf_sensor *, bool all, const struct hf_event_sink *, struct hf_err *err);
/* An event of the agent itself, of kind HEALTH, through the same numbering and clock. */
int hf_sensor_health(struct hf_sensor *, const char *part, const char *state, const char *message,
		     const struct hf_event_sink *, struct hf_err *err);
/* Gives an event that was made of another one (an alert) its id and time. */
void hf_sensor_stamp(struct hf_sensor *, struct hf_event *e);
/* As hf_kernel_learned: what a profile knows of this container is counted in the kernel and no longer handed out. */
int hf_sensor_learned(struct hf_sensor *, uint64_t cgroup_id, uint32_t profile, const uint64_t *keys, size_t n,
		      struct hf_err *err);
/* The key of this start for the hashes of what is known. */
uint64_t hf_sensor_hash_key(const struct hf_sensor *);

struct hf_sensor_counts {
	uint64_t seen, known, delivered, dropped_ring, dropped_rate, dropped_map, dropped_unreadable, dropped_queue;
};
/* By kind and cgroup; cgroup 0 holds what could not be told apart, and containers that are gone for a while. Calls back for each
 * pair that was ever seen. */
typedef void hf_sensor_account_fn(void *ctx, enum hf_event_kind kind, const struct hf_container *container,
				  uint64_t cgroup_id, const struct hf_sensor_counts *counts);
void hf_sensor_account(struct hf_sensor *, hf_sensor_account_fn *, void *ctx);
