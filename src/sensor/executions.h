/* Which programs run and ran: the process tree by executions. An execution is what a process became by exec; children of a process
 * that only forked belong to its execution. Bounded in number and bytes: what has ended and has no children makes room, oldest
 * first; where all that is left lives, new ones are refused and counted, and events lack their ancestors. One thread. */
#pragma once
#include "model/event.h"

struct hf_execution {
	uint64_t id, parent;             /* parent 0: not known */
	uint64_t cgroup_id, start_ns;    /* of the process */
	uint64_t since_ns, ended_ns;     /* of the execution; ended_ns 0: it runs */
	uint32_t pid, parent_pid, flags; /* HF_PROCESS_… of bpf/event.h */
	uint32_t children;
	hf_sv path;
	const hf_sv *arguments; /* the first ones, as far as HF_EXECUTION_TEXT_MAX goes */
	size_t arguments_n;
	uint32_t uid, gid, pid_in_container; /* as it was run; pid_in_container 0: these are not known */
	char name[16];                       /* the kernel's short one; empty: not known */
	bool exe_known, upper, deleted,
		memory; /* of its file: exe_known says whether the rest of this line and the next is */
	uint64_t inode, size_bytes;
	int64_t modified_ns;
	/* The table's own. */
	struct hf_execution *next_of_id, *next_of_pid, *older, *newer;
	size_t bytes;
	bool counted; /* among the children of its parent */
};

enum {
	HF_EXECUTION_TEXT_MAX = 1024, /* bytes of path and arguments that are kept */
	HF_EXECUTION_ARGUMENTS_MAX = 16,
	HF_ANCESTORS_MAX = 16,
	HF_EXECUTIONS_ENDED_MAX = 4096, /* that are kept for what is told of them late */
};

struct hf_executions {
	struct hf_execution **by_id, **by_pid; /* HF_EXECUTIONS_BUCKETS each */
	struct hf_execution *oldest, *newest;  /* of those that have ended and have no children */
	size_t n, n_max, bytes, bytes_max;
	size_t ended; /* in that list */
	uint64_t refused, made_room;
};

/* 0: 16384 and 8 MiB. */
void hf_executions_init(struct hf_executions *t, size_t n_max, size_t bytes_max);
void hf_executions_done(struct hf_executions *t);
/* Adds one (texts are copied), or gives the one that has this id. NULL where there is no room. Only the upper half of the fields of
 * @what is read. */
struct hf_execution *hf_executions_add(struct hf_executions *t, const struct hf_execution *what);
void hf_executions_end(struct hf_executions *t, struct hf_execution *e, uint64_t now_ns);
/* NULL where it is not known. */
struct hf_execution *hf_executions_find(const struct hf_executions *t, uint64_t id);
/* What the process with this pid ran at @time_ns; 0: what it runs. */
struct hf_execution *hf_executions_of_pid(const struct hf_executions *t, uint32_t pid, uint64_t time_ns);
/* Calls back for each that runs; the callback may end it. */
void hf_executions_each(struct hf_executions *t, void (*visit)(void *ctx, struct hf_execution *e), void *ctx);
/* Sets process.execution, process.parent.* and process.ancestors, and, where absent, what is known of the executable, arguments, name and,
 * of the process that ran it itself, ids. @a owns lists. */
void hf_execution_describe(const struct hf_executions *t, const struct hf_execution *x, struct hf_arena *a,
			   struct hf_event *e);
