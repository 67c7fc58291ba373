/* hf_in: a stream of bytes that is read by looking at it: the reader asks for n bytes side by side and gets a view of
 * wherever they lie (a mapped file, a decoder's own buffer). Filters stack: a decoder reads another hf_in.
 *
 * A failure is sticky: what was read before it can still be taken, then hf_in_need gives fewer bytes than asked for and
 * hf_in_failed says why. One stream belongs to one thread. */
#pragma once
#include "base/error.h"

struct hf_in;

struct hf_in_ops {
	/* Makes in->len >= n, less only at the end or after hf_in_fail. Views given before become invalid. */
	void (*fill)(struct hf_in *in, size_t n);
	/* Passes over @n bytes, where in->len is less; false where there are fewer. NULL: by fill. */
	bool (*skip)(struct hf_in *in, uint64_t n);
	/* True where bytes that were given turned out not to be there; NULL: never. */
	bool (*torn)(const struct hf_in *in);
	void (*close)(struct hf_in *in);
};

struct hf_in {
	const struct hf_in_ops *ops;
	const char *ptr; /* the next byte */
	size_t len;      /* bytes readable at ptr */
	uint64_t at;     /* offset of ptr in the stream */
	bool end;        /* nothing follows behind ptr + len */
	bool whole;      /* fill costs no memory for any n: mapped or in memory */
	struct hf_err why;
};

/* At least @n bytes at in->ptr, fewer only at the end or after a failure; returns in->len. */
static inline size_t hf_in_need(struct hf_in *in, size_t n)
{
	if (in->len < n && !in->end && !in->why.code)
		in->ops->fill(in, n);
	return in->len;
}
/* Moves over @n bytes that hf_in_need gave. */
static inline void hf_in_take(struct hf_in *in, size_t n)
{
	in->ptr += n;
	in->len -= n;
	in->at += n;
}
/* Moves over @n bytes; false where there were fewer. */
bool hf_in_skip(struct hf_in *in, uint64_t n);
/* The code of the failure, 0 where there was none. A file that shrank counts as HF_E_TRUNCATED. */
int hf_in_failed(struct hf_in *in);
/* Sets the failure (the first one stays). For implementations. */
void hf_in_fail(struct hf_in *in, int code, const char *fmt, ...) hf_printf(3, 4);
/* Frees the stream, not those below it. NULL is fine. */
void hf_in_close(struct hf_in *in);
void hf_in_closep(struct hf_in **in); /* for hf_cleanup */

/* Bytes in memory, borrowed. */
struct hf_in *hf_in_of_bytes(hf_sv bytes);
/* [offset, offset + size) of a file, mapped @window bytes at a time (more where more is asked for side by side) and
 * unmapped behind the reader, since touched pages count as memory of this process. @fd is borrowed. */
struct hf_in *hf_in_of_file(int fd, uint64_t offset, uint64_t size, size_t window);
/* The next @size bytes of @inner, which must not be used meanwhile; afterwards it stands wherever this one was left. */
struct hf_in *hf_in_part(struct hf_in *inner, uint64_t size);
/* Hands @inner on, which must not be used meanwhile, and adds what is taken or passed over to @digest. All of it is in
 * the digest once the stream stands at its end and is closed. Both are borrowed. */
struct hf_digest;
struct hf_in *hf_in_hashed(struct hf_in *inner, struct hf_digest *digest);
/* Takes all that is left. */
void hf_in_drain(struct hf_in *in);
