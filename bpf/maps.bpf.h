/* The maps. One set for all programs, whatever the number of policies; sizes are set by user space before loading where they say so. */
#pragma once
#include "event.h"
#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile struct hf_kernel_config config = { .v1_subsystem = -1 };

/* exec, exit, cgroup birth and death: never shared with anything that comes in bulk. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} bulk SEC(".maps");

/* cgroup id -> its flags and counters. Born by the cgroup_mkdir program, so it is there before the first instruction. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct hf_kernel_cgroup);
} cgroups SEC(".maps");

/* Entry 0 counts what has no entry above: the host (--host), or what came when that map was full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_kernel_cgroup);
} elsewhere SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hf_process);
} processes SEC(".maps");

/* What a profile knows, or was handed out already: hash of (profile or cgroup, kind, object) -> how often it was met. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} known SEC(".maps");

/* Where a record is put together: its bytes, and room so that a bounded piece behind a bounded offset always fits. */
struct hf_scratch {
	char record[HF_RECORD_MAX + HF_RECORD_PATH_MAX];
	char path[HF_RECORD_PATH_MAX + 256]; /* a path is written from its end to its begin */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_scratch);
} scratch SEC(".maps");

__u64 executions = 0;    /* the last number given */
/* In a section of its own, so that user space finds it. */
__u32 cgroups_full SEC(".bss.full") = 0; /* an entry could not be made: unknown cgroups are handed out too from then on */
