/* Runs the cases of a table whose rows read files: tests/cases/<table>/<row>/<case>/{root/,expect.jsonl}. Each file below root/ that the row wants
 * is given to it, in the order of paths, and what it hands out is compared with expect.jsonl. Then the same files again with memory caps from 0
 * upwards (each failure must be the limit), cut at each length up to 4 KiB, and with one byte in a hundred changed, for the sanitizers to watch. */
#pragma once
#include "base/buffer.h"
#include "format/json_writer.h"

struct test_case_row {
	void *ctx;
	size_t cap; /* of memory, as the row gets it outside of tests */
	bool (*wants)(void *ctx, hf_sv path, hf_sv bytes);
	/* Reads one file in so much memory. Lines of JSON are added to @text, unless that is NULL. */
	int (*read)(void *ctx, hf_sv path, hf_sv bytes, size_t cap, struct hf_buf *text, struct hf_err *err);
	size_t few_cuts_above; /* longer files are cut at one length in 64; 0: at each */
	bool partial_may_grow; /* with little memory the result is HF_PARTIAL too: more is tried */
};

/* TAP of all cases in @dir; with @update expect.jsonl is written. @again: the command that runs them, for a message. The exit status. */
int test_case_run(const struct test_case_row *, const char *dir, bool update, const char *again);

/* One line, { @kind: { … } }: begun, filled by the caller, ended. */
struct hf_json_writer test_line_begin(struct hf_buf *text, const char *kind);
int test_line_end(struct hf_json_writer *w, struct hf_err *err);
