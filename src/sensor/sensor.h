/* The kernel's events, with the process tree and the container of each, to a sink.
 *
 * One thread. hf_sensor_run reads the rings, completes each record into a struct hf_event, holds it until its container has a
 * name (at most two seconds), and hands it out in the order of time per container. What was seen, known, delivered and dropped is
 * counted by kind and container: hf_sensor_account. */
#pragma once
#include "engine/container.h"
#include "model/event.h"

struct hf_sensor;

struct hf_sensor_options {
	struct hf_containers *containers; /* borrowed */
	bool host;                        /* hand out what happens outside of containers too */
	bool deep;      /* system call bitmaps and forks: taxes every system call, see docs/decisions */
	uint64_t kinds; /* bits 1 << enum hf_event_kind; 0: all */
	uint32_t ring_control_bytes, ring_bulk_bytes; /* powers of two; 0: 1 MiB and 4 MiB */
	bool files_only_known;                        /* tests: nothing but what the probe found is attached */
};

/* What this node can see: a row for each hook that was tried. */
struct hf_sensor_rung {
	const char *sees; /* "executions" */
	const char *by;   /* "tp_btf/sched_process_exec" */
	bool works;
	char why[160]; /* where it does not: the kernel's answer; else what it leaves open */
};
size_t hf_sensor_probe(struct hf_sensor_rung *rungs, size_t max);

/* HF_E_DENIED without the rights, HF_E_UNSUPPORTED where the kernel has not what is needed (BTF, ring buffers), with what to do. */
int hf_sensor_open(const struct hf_sensor_options *, struct hf_sensor **ret, struct hf_err *err);
void hf_sensor_close(struct hf_sensor *);
/* Handles what is there and waits at most @timeout_ms for more; 0, or what the sink returned. */
int hf_sensor_run(struct hf_sensor *, int timeout_ms, const struct hf_event_sink *, struct hf_err *err);
/* Hands out all that is held, named or not. */
int hf_sensor_flush(struct hf_sensor *, const struct hf_event_sink *, struct hf_err *err);

struct hf_sensor_counts {
	uint64_t seen, known, delivered, dropped_ring, dropped_rate, dropped_map, dropped_unreadable, dropped_queue;
};
/* By kind and cgroup; cgroup 0 holds what could not be told apart. Calls back for each pair that was ever seen. */
typedef void hf_sensor_account_fn(void *ctx, enum hf_event_kind kind, const struct hf_container *container,
				  uint64_t cgroup_id, const struct hf_sensor_counts *counts);
void hf_sensor_account(struct hf_sensor *, hf_sensor_account_fn *, void *ctx);
