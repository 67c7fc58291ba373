/* In the worker: one source to a finished report. */
#pragma once
#include "cmd/target.h"
#include "base/worker.h"

struct hf_source;

struct target_scan {
	const struct target_options *options;
	struct hf_source *source; /* opened, not read */
	const char *database;     /* file, NULL: the built-in landmarks */
	int out_fd;               /* the report goes there */
	bool colour;
	uint32_t width;
	int64_t now, source_date_epoch; /* seconds; the latter negative where it is not set */
};

enum { TARGET_GRANTS_MAX = 8 };                      /* descriptors that a source gives into the jail */
enum { TARGET_PARTIAL = 1, TARGET_GATE_FAILED = 2 }; /* bits of what target_scan_run returns */

/* Body of hf_worker_run, with a struct target_scan as context: enters the jail, reads, matches, renders.
 * @return bits of TARGET_*, or a negative code with *err set. */
int target_scan_run(void *ctx, const struct hf_worker *worker, struct hf_err *err);
