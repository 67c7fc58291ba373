/* Where a result goes: hf_out, bytes to a descriptor or into memory; and hf_output, a file that is whole or not there.
 *
 * The two are apart because the process that renders may only write to what was opened before: the one that opens and
 * renames is another. A writer is handed an hf_out and never sees a path. */
#pragma once
#include <sys/types.h>

#include "base/buffer.h"

struct hf_out {
	int fd;            /* -1: all stays in `buf` */
	struct hf_buf buf; /* what was not written yet */
	uint64_t written;  /* bytes that reached the descriptor */
	int sys_errno;     /* of the first write that failed, sticky; 0: none */
};

/* Bytes for @fd, which stays the caller's; handed over 64 KiB at a time. */
struct hf_out hf_out_fd(int fd);
/* Bytes that stay in out.buf, at most @max of them. */
struct hf_out hf_out_memory(size_t max);
void hf_out_add(struct hf_out *out, hf_sv s);
void hf_out_addf(struct hf_out *out, const char *fmt, ...) hf_printf(2, 3);
/* Hands over what is held back (nothing for memory). HF_E_IO where any write failed, HF_E_LIMIT where memory's maximum
 * was passed: so a writer checks once, at its end. */
hf_nodiscard int hf_out_flush(struct hf_out *out, struct hf_err *err);
/* For hf_json_writer: .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out. */
int (*hf_out_sink(struct hf_out *out))(void *out, hf_sv bytes);
/* Frees the buffer; writes nothing. Fit for hf_cleanup. */
void hf_out_done(struct hf_out *out);

/* A file in the making. */
struct hf_output {
	int fd;      /* to write to */
	char *path;  /* what the temporary file will be called; NULL: fd is written straight */
	char *temp;  /* the temporary file beside it */
	mode_t mode; /* that the file will have */
};

/* Opens a temporary file beside @path, or @path itself where it is no regular file (a pipe, /dev/null). NULL or "-" is
 * standard output. A symbolic link is followed: what it points to is replaced, not the link.
 * On failure *@ret holds nothing to undo. */
hf_nodiscard int hf_output_open(struct hf_output *ret, const char *path, struct hf_err *err);
/* The bytes reach the disk and the temporary file its name: after HF_OK the file is there, whole. On failure it is as
 * it was before, and the temporary file is gone. Ends @o. */
hf_nodiscard int hf_output_commit(struct hf_output *o, struct hf_err *err);
/* Removes the temporary file of an output that was not committed. Ends @o; does nothing to an ended one. Fit for
 * hf_cleanup. */
void hf_output_abort(struct hf_output *o);
