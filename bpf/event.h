/* What passes between the kernel's side and user space: records of the rings, and values of the maps. Compiled by both compilers.
 * Records are append-only: numbers are never reused and fields never move; a new one goes behind the last. All integers in the
 * byte order of the machine; times are CLOCK_MONOTONIC in nanoseconds; record kinds are enum hf_event_kind's numbers. */
#pragma once
#include <linux/types.h>

enum {
	HF_RECORD_PATH_MAX = 4096, /* bytes of one path; the rest is flagged as truncated */
	HF_RECORD_ARGUMENTS_MAX = 3900, /* with three paths and the front less than HF_RECORD_MAX */
	HF_RECORD_KINDS = 32, /* slots for counters: room for kinds to come */
	HF_RECORD_MAX = 16384,
};

enum hf_drop {
	HF_DROP_RING,       /* the ring was full */
	HF_DROP_RATE,       /* more new events than a container may have in a second */
	HF_DROP_MAP,        /* a map was full */
	HF_DROP_UNREADABLE, /* the kernel's object could not be read */
	HF_DROPS
};

/* One container's numbers for one kind: seen = known + delivered + the sum of dropped, whenever nothing is under way. */
struct hf_kernel_counts {
	__u64 seen, known, delivered, dropped[HF_DROPS];
};

enum {
	HF_CGROUP_IGNORED = 1u << 0, /* no container's, says user space */
	HF_CGROUP_STARTED = 1u << 1, /* its first own program runs */
};

struct hf_kernel_cgroup {
	__u32 flags;
	__u32 profile; /* number of the known-set that it shares with its replicas; 0: none */
	__u64 tokens, refilled_ns; /* of the token bucket for new events of the bulk ring */
	__u64 control_bytes, control_mark; /* what it wrote into the control ring since the reader passed that place */
	struct hf_kernel_counts counts[HF_RECORD_KINDS];
};

/* Which execution a process is, inherited over fork. Of the task storage `processes`, kept with a process's first thread. */
struct hf_process {
	__u64 execution, parent_execution;
	__u64 cgroup_id; /* where it was seen last; 0: nowhere yet */
	__u32 flags, reserved; /* HF_PROCESS_… */
};

enum { HF_RECORD_COMPAT = 1u << 0 /* system calls are numbered as the machine's 32-bit table has them */ };

/* At the front of every record. */
struct hf_record {
	__u32 size; /* of the whole record */
	__u16 kind;
	__u16 flags; /* HF_RECORD_… */
	__u64 ns, cgroup_id;
	__u64 start_ns;  /* of the process */
	__u64 execution, parent_execution; /* 0: from before the sensor */
	__u32 pid, tid, parent_pid, pid_in_container;
	__u32 uid, gid;
	__u32 mount_namespace, process_flags; /* HF_PROCESS_… */
	__u64 capabilities;
	char name[16];
	char parent_name[16];
};

enum {
	HF_PROCESS_SETUP = 1u << 0,   /* the runtime's, before the container's first own program */
	HF_PROCESS_ENTERED = 1u << 1, /* came in from outside when the container ran already */
	HF_PROCESS_EXECED = 1u << 2,
};

enum {
	HF_EXEC_UPPER = 1u << 0,
	HF_EXEC_DELETED = 1u << 1,
	HF_EXEC_MEMORY = 1u << 2,
	HF_EXEC_SETUID = 1u << 3,
	HF_EXEC_PATH_TRUNCATED = 1u << 4,
	HF_EXEC_ARGUMENTS_TRUNCATED = 1u << 5,
	HF_EXEC_CWD_TRUNCATED = 1u << 6,
	HF_EXEC_TERMINAL = 1u << 7,
	HF_EXEC_OVERLAY = 1u << 8,
	HF_EXEC_ARGUMENTS_UNREADABLE = 1u << 9,
};

enum hf_descriptor { HF_DESCRIPTOR_CLOSED, HF_DESCRIPTOR_TERMINAL, HF_DESCRIPTOR_SOCKET, HF_DESCRIPTOR_PIPE, HF_DESCRIPTOR_FILE, HF_DESCRIPTOR_NULL, HF_DESCRIPTOR_OTHER };

/* Behind it: path, script (as it was asked for; empty where it is the path's own), working directory, arguments (NUL between). */
struct hf_record_exec {
	struct hf_record head;
	__u64 inode, size_bytes, reserved, old_execution;
	__s64 modified_ns;
	__u32 device, flags; /* HF_EXEC_… */
	__u32 stdin_is, stdout_is;
	__u16 path_length, script_length, cwd_length, arguments_length;
};

struct hf_record_exit {
	struct hf_record head;
	__u32 status; /* as wait(2) gives it */
	__u32 reserved;
};

/* CONTAINER_START and CONTAINER_STOP: head.cgroup_id is the cgroup that is born or gone; the path stands behind. */
struct hf_record_cgroup {
	struct hf_record head;
	__u32 path_length, reserved;
};

/* What the program hf_on_learned is run with: from now on the cgroup shares the known-set of that number. */
struct hf_learned {
	__u64 cgroup_id;
	__u32 profile, reserved;
};

/* What user space sets before the programs are loaded (.rodata). */
struct hf_kernel_config {
	__u32 agent_pid;
	__u32 host_mount_namespace;
	__u32 watch_host;     /* 1: what happens outside of containers too */
	__s32 v1_subsystem;   /* -1: the unified hierarchy; else the index of the controller whose cgroups are containers */
	__u32 v1_hierarchy;   /* its hierarchy id */
	__u32 ring_wake_bytes;
	__u32 storage_in_sockets; /* 1: programs of cgroups may ask for what is kept with a process; Linux 6.1 has no such helper for them */
	__u64 hash_key;
};

_Static_assert(sizeof(struct hf_record) == 120, "records are read by offset");
_Static_assert(sizeof(struct hf_record_exec) == 184, "records are read by offset");
_Static_assert(sizeof(struct hf_record_exit) == 128, "records are read by offset");
_Static_assert(sizeof(struct hf_record_cgroup) == 128, "records are read by offset");
_Static_assert(sizeof(struct hf_kernel_counts) == 56, "maps are read by offset");
