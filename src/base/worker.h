/* A worker: a jailed child process that does the parsing, and the parent that waits for it.
 *
 * The worker says on a board (shared memory) which file each of its threads is reading. If it dies, or a file takes too
 * long, the parent starts another worker that leaves out the file to blame, HF_WORKER_RESTARTS_MAX times at most. Where
 * it is not clear which of several files it was, the next worker runs with one thread. */
#pragma once
#include "base/arena.h"
#include "base/jail.h"

struct hf_board;

/* A file that killed a worker. */
struct hf_culprit {
	int32_t layer;
	hf_sv path;
	hf_sv reason; /* a sentence: what happened, with the signal's name */
};

struct hf_worker {
	struct hf_board *board;
	const struct hf_culprit *culprits; /* to be left out, and reported as unparsed */
	size_t culprits_n;
	bool one_thread; /* an earlier worker died and it is not clear of what */
};

struct hf_worker_options {
	unsigned file_seconds_max; /* a file that takes longer counts as a killer; 0: no limit */
	bool no_fork;              /* run the body in this process, for debuggers and profilers; nothing is survived */
	/* Called in the parent about ten times a second with what the worker last said by hf_board_progress; NULL: never. */
	void (*progress)(void *ctx, uint64_t done, uint64_t total, const char *what);
	void *progress_ctx;
	/* Descriptors that the body uses. In the worker all others are closed, but standard input and output, which lead to
	 * /dev/null, and standard error. */
	const int *keep_fds;
	size_t keep_fds_n;
	/* Called in the parent after each worker with what it wrote to standard error (8 MiB at most, any bytes:
	 * a worker that was taken over wrote them); NULL: the worker writes to the parent's own. */
	void (*messages)(void *ctx, hf_sv text);
	void *messages_ctx;
};

/* Runs @body in a child, again after each death. @body enters the jail itself once it has opened what it needs.
 * @reset is called in the parent before each worker (to empty the output); NULL: nothing to do.
 * @return what @body returned, with *err as @body set it; HF_E_SYSTEM where no worker came to an end. */
int hf_worker_run(const struct hf_worker_options *options,
		  int (*body)(void *ctx, const struct hf_worker *, struct hf_err *), void (*reset)(void *ctx),
		  void *ctx, struct hf_err *err);

/* In the worker, on any thread: this thread begins (ends) to read a file. Cheap: a copy of the path. Not nested. */
void hf_board_begin(struct hf_board *board, int32_t layer, hf_sv path);
void hf_board_end(struct hf_board *board);
void hf_board_progress(struct hf_board *board, uint64_t done, uint64_t total, const char *what);
/* True where the file is among the culprits. */
bool hf_worker_excludes(const struct hf_worker *worker, int32_t layer, hf_sv path, hf_sv *ret_reason);
