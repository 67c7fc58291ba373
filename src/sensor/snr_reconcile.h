/* What is there, read from /proc and the cgroup folders: at the start, for what began before the sensor did, and from time to time, to
 * heal whatever was lost. Reads only; no process of a container is stopped or waited for.
 *
 * A pid that is another process by the next read is noticed by its start time and left out. */
#pragma once
#include "sensor/feed.h"
#include "sensor/hierarchy.h"
#include "sensor/process_read.h"

struct hf_reconcile;
struct hf_perf;

struct hf_reconcile_options {
	const struct hf_hierarchy *hierarchy; /* copied; NULL: found */
	struct hf_perf *perf;                 /* takes the mappings; may be NULL */
};

/* What is found, parents before their children. */
struct hf_reconcile_sink {
	void *ctx;
	/* A cgroup with processes whose path is a container's, or lies below one. Called before its processes. @pid: its oldest. */
	void (*container)(void *ctx, uint64_t cgroup_id, hf_sv path, uint32_t pid, uint64_t start_ns);
	void (*process)(void *ctx, uint64_t cgroup_id, const struct hf_proc_process *p);
};

/* As hf_hierarchy_open. */
int hf_reconcile_open(const struct hf_reconcile_options *, const struct hf_feed *feed, struct hf_reconcile **ret,
		      struct hf_err *err);
void hf_reconcile_close(struct hf_reconcile *);
/* One walk. With @objects the sockets that listen and the files that are mapped are handed out too, as events LISTEN and MAP:
 * each once in the life of @r. These are not counted: nobody saw them happen. 0, or what feed->take returned. */
int hf_reconcile_walk(struct hf_reconcile *, bool objects, const struct hf_reconcile_sink *, struct hf_err *err);
/* Where the hierarchy is mounted, for those who need a cgroup's number: the inode of its folder. 0 where it is not there. */
uint64_t hf_reconcile_cgroup_id(const struct hf_reconcile *, hf_sv path);
/* How much of the last walk could not be read: processes that went away, lines that are not understood, texts too long. */
struct hf_reconcile_missed {
	size_t gone, unparsed, cut, stuck; /* stuck: did not let themselves be read in time */
};
struct hf_reconcile_missed hf_reconcile_missed(const struct hf_reconcile *);
