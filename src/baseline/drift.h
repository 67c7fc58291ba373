/* Drift by digest: is a program, library or script that a container runs one that its image holds? Judged by bytes, not by the
 * layer in which they lie, since chmod, chown, a new hard link or a rename copy a file of the image into the writable layer too.
 *
 *     image            nothing was written: the file is a lower layer's
 *     metadata_only    it lies in the writable layer with the very bytes of the image's file: the one at the same path, or the
 *                      one that the kernel's mark says it was copied from (rename, link). No alert.
 *     modified         the image has a file at that path, or it was copied from one, and the bytes differ
 *     new              the image holds no file there: dropped, made, downloaded; in memory alone; on a tmpfs.
 *                      A copy of an image's file (cp) is new as well: its path is nowhere in the image. So is one whose path
 *                      names the image's file only in a root of its process's own (chroot)
 *     package_manager  new or modified, and an ancestor of the process is a package manager whose own program, and script where
 *                      an interpreter runs it, is the image's unchanged. That a file merely stands in a package database says
 *                      nothing: whoever may write programs may write that too. It says who did it, not that it is fine.
 *     unknown          with the reason: no overlay, the process is gone, on a volume, on a file system that a
 *                  process serves (FUSE: not opened, it need not answer), over 100 MB, changed while it was read
 *
 * Limits: a file that is written through a shared mapping after it was judged may keep its times, and its cached digest. */
#pragma once
#include "baseline/live_root.h"
#include "base/digest.h"
#include "model/event.h"

enum hf_drift_state {
	HF_DRIFT_UNKNOWN = 0,
	HF_DRIFT_NEW,
	HF_DRIFT_MODIFIED,
	HF_DRIFT_METADATA_ONLY,
	HF_DRIFT_PACKAGE_MANAGER,
	HF_DRIFT_IMAGE,
};

/* As in the event's field: "new", "modified" … */
const char *hf_drift_name(enum hf_drift_state state);

/* What is asked. Zero and empty: not known. Borrowed for the call. */
struct hf_drift_question {
	uint64_t id;        /* the asker's, comes back with the answer */
	uint64_t container; /* the cgroup's number: its mount table is kept for when its processes are gone */
	uint64_t pid;       /* of the process; else of any in the container */
	uint64_t start_ns;  /* of that process since boot: another process with its number is not taken for it */
	hf_sv path;         /* in the container's root */
	bool is_map;        /* a mapped file or a script; else the program of @pid */
	bool deleted, memory;
	bool upper; /* the kernel saw it in the writable layer: it is not the image's, whatever lies at @path */
	uint64_t inode, size;
	uint64_t
		device; /* of its file system, major << 20 | minor: one that is not the root's has nothing of the image */
	int64_t modified_ns;
	const struct hf_ancestor *ancestors; /* nearest first */
	size_t ancestors_n;
};

struct hf_drift_answer {
	uint64_t id;
	enum hf_drift_state state;
	char digest[HF_DIGEST_TEXT_MAX];       /* of the file that ran; "" where it was not read */
	char image_digest[HF_DIGEST_TEXT_MAX]; /* of the image's file that it was held against; likewise */
	char reason[256];                      /* a sentence for a person */
};

struct hf_drift_options {
	uint64_t bytes_per_second; /* read for digests; 0: 64 MiB */
	uint64_t file_max;         /* larger files are not read; 0: 100 MB */
	size_t queue_max;          /* questions waiting; 0: 1024 */
};

struct hf_drift_count {
	uint64_t asked, refused, answered; /* asked = answered + waiting; refused: the queue was full */
	uint64_t by_state[HF_DRIFT_IMAGE + 1];
	uint64_t bytes, cached; /* read; digests that needed no reading */
};

/* A judge with a thread and a queue of its own. Each function may be called by any thread and none of them waits for files. */
struct hf_drift;
hf_nodiscard int hf_drift_open(const struct hf_drift_options *options, struct hf_drift **ret, struct hf_err *err);
/* Drops what waits. */
void hf_drift_close(struct hf_drift *d);
/* Takes the container's mount table at the next opportunity; to be called when it starts and whenever one of its programs does, so that
 * short-lived ones can be judged after their end. One that was taken within the last second stays. False: the queue is full. */
bool hf_drift_container(struct hf_drift *d, uint64_t container, uint64_t pid);
/* The device (major << 20 | minor) of the container's root as first seen; 0: not known yet, or no overlay. */
uint64_t hf_drift_root(struct hf_drift *d, uint64_t container);
/* False: the queue is full, it is counted as refused, the state stays unknown. */
bool hf_drift_ask(struct hf_drift *d, const struct hf_drift_question *q);
/* The next answer, in the order of the questions; false where there is none yet. */
bool hf_drift_poll(struct hf_drift *d, struct hf_drift_answer *ret);
/* An eventfd, readable while answers wait. */
int hf_drift_fd(const struct hf_drift *d);
struct hf_drift_count hf_drift_count(struct hf_drift *d);

/* The same at once, on the caller's thread. */
struct hf_drift_judge;
struct hf_drift_judge *hf_drift_judge_new(const struct hf_drift_options *options);
void hf_drift_judge_free(struct hf_drift_judge *j);
/* Keeps the mount table of @pid's namespace for @container. */
void hf_drift_judge_learn(struct hf_drift_judge *j, uint64_t container, uint64_t pid);
void hf_drift_judge_ask(struct hf_drift_judge *j, const struct hf_drift_question *q, struct hf_drift_answer *ret);
uint64_t hf_drift_judge_root(struct hf_drift_judge *j, uint64_t container);
/* Adds what the judge has read to @count. */
void hf_drift_judge_count(const struct hf_drift_judge *j, struct hf_drift_count *count);
/* Ends pauses for the budget, from another thread, for good. */
void hf_drift_judge_stop(struct hf_drift_judge *j);
