#include "base/input.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"

void hf_in_fail(struct hf_in *in, int code, const char *fmt, ...)
{
	char text[sizeof in->why.msg];
	va_list ap;

	if (in->why.code)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)hf_fail(&in->why, code, "%s", text);
}

int hf_in_failed(struct hf_in *in)
{
	if (!in->why.code && in->ops->torn && in->ops->torn(in))
		hf_in_fail(in, HF_E_TRUNCATED, "the file shrank while it was read");
	return in->why.code;
}

bool hf_in_skip(struct hf_in *in, uint64_t n)
{
	if (n > in->len && in->ops->skip && !in->end && !in->why.code)
		return in->ops->skip(in, n);
	while (n > in->len) {
		n -= in->len;
		hf_in_take(in, in->len);
		if (!hf_in_need(in, 1))
			return false;
	}
	hf_in_take(in, (size_t)n);
	return true;
}

void hf_in_close(struct hf_in *in)
{
	if (in)
		in->ops->close(in);
}

void hf_in_closep(struct hf_in **in)
{
	hf_in_close(*in);
	*in = NULL;
}

static void bytes_fill(struct hf_in *in, size_t n)
{
	(void)n;
	in->end = true;
}

static void bytes_close(struct hf_in *in)
{
	free(in);
}

static const struct hf_in_ops bytes_ops = { .fill = bytes_fill, .close = bytes_close };

struct hf_in *hf_in_of_bytes(hf_sv bytes)
{
	struct hf_in *in = hf_calloc(1, sizeof *in);

	*in = (struct hf_in){ .ops = &bytes_ops, .ptr = bytes.ptr, .len = bytes.len, .end = true, .whole = true };
	return in;
}

struct file_in {
	struct hf_in in;
	struct hf_mapping map;
	int fd;
	uint64_t start, size;
	size_t window;
};

static bool file_torn(const struct hf_in *in)
{
	return hf_mapping_torn(&((const struct file_in *)in)->map);
}

static void file_fill(struct hf_in *in, size_t n)
{
	struct file_in *f = (struct file_in *)in;
	uint64_t left = f->size - in->at;
	size_t want = n > f->window ? n : f->window;

	if (hf_in_failed(in)) { /* a new window must not hide that the old one was torn */
		in->len = 0;
		return;
	}
	if (want > left)
		want = (size_t)left;
	hf_mapping_close(&f->map);
	struct hf_err err = { 0 };
	if (hf_mapping_open(&f->map, f->fd, f->start + in->at, want, &err))
		in->why = err;
	in->ptr = f->map.ptr;
	in->len = f->map.len;
	in->end = !in->why.code && want == left;
}

static bool file_skip(struct hf_in *in, uint64_t n)
{
	struct file_in *f = (struct file_in *)in;
	uint64_t left = f->size - in->at;
	bool enough = n <= left;

	(void)hf_in_failed(in);
	in->at += enough ? n : left;
	in->len = 0;
	in->end = in->at == f->size;
	return enough;
}

static void file_close(struct hf_in *in)
{
	hf_mapping_close(&((struct file_in *)in)->map);
	free(in);
}

static const struct hf_in_ops file_ops = { file_fill, file_skip, file_torn, file_close };

struct hf_in *hf_in_of_file(int fd, uint64_t offset, uint64_t size, size_t window)
{
	struct file_in *f = hf_calloc(1, sizeof *f);

	*f = (struct file_in){ .in = { .ops = &file_ops, .whole = true },
			       .map = { .slot = -1 },
			       .fd = fd,
			       .start = offset,
			       .size = size,
			       .window = window };
	return &f->in;
}

/* Hands the inner stream's bytes on. The inner stream is brought up to date before each look at it. */
struct part_in {
	struct hf_in in;
	struct hf_in *inner;
	uint64_t size;
	uint64_t inner_start;
};

static void part_sync(struct part_in *p)
{
	uint64_t taken = p->in.at - (p->inner->at - p->inner_start);

	hf_in_take(p->inner, (size_t)taken);
}

static void part_show(struct part_in *p)
{
	uint64_t left = p->size - p->in.at;

	p->in.ptr = p->inner->ptr;
	p->in.len = p->inner->len < left ? p->inner->len : (size_t)left;
	p->in.end = p->in.len == left;
	if (!p->in.end && p->inner->why.code)
		p->in.why = p->inner->why;
	else if (!p->in.end && p->inner->end)
		hf_in_fail(&p->in, HF_E_TRUNCATED, "ends %llu bytes too early", (unsigned long long)(left - p->in.len));
}

static void part_fill(struct hf_in *in, size_t n)
{
	struct part_in *p = (struct part_in *)in;
	uint64_t left = p->size - in->at;

	part_sync(p);
	hf_in_need(p->inner, n < left ? n : (size_t)left);
	part_show(p);
}

static bool part_skip(struct hf_in *in, uint64_t n)
{
	struct part_in *p = (struct part_in *)in;
	uint64_t left = p->size - in->at;
	bool enough = n <= left;

	part_sync(p);
	if (!hf_in_skip(p->inner, enough ? n : left))
		enough = false;
	in->at = p->inner->at - p->inner_start;
	in->len = 0;
	in->end = in->at == p->size;
	if (!in->end && hf_in_failed(p->inner))
		in->why = p->inner->why;
	return enough;
}

static bool part_torn(const struct hf_in *in)
{
	return hf_in_failed(((const struct part_in *)in)->inner) == HF_E_TRUNCATED;
}

static void part_close(struct hf_in *in)
{
	part_sync((struct part_in *)in);
	free(in);
}

static const struct hf_in_ops part_ops = { part_fill, part_skip, part_torn, part_close };

struct hf_in *hf_in_part(struct hf_in *inner, uint64_t size)
{
	struct part_in *p = hf_calloc(1, sizeof *p);

	*p = (struct part_in){ .in = { .ops = &part_ops, .whole = inner->whole },
			       .inner = inner,
			       .size = size,
			       .inner_start = inner->at };
	part_show(p);
	if (!p->in.len)
		p->in.end = size == 0;
	return &p->in;
}

/* What is taken stays where it is until the inner stream is asked for more, so it is hashed just before. */
struct hashed_in {
	struct hf_in in;
	struct hf_in *inner;
	struct hf_digest *digest;
	uint64_t inner_start;
};

static void hashed_sync(struct hashed_in *h)
{
	size_t taken = (size_t)(h->in.at - (h->inner->at - h->inner_start));

	hf_digest_add(h->digest, (hf_sv){ h->inner->ptr, taken });
	hf_in_take(h->inner, taken);
}

static void hashed_fill(struct hf_in *in, size_t n)
{
	struct hashed_in *h = (struct hashed_in *)in;

	hashed_sync(h);
	in->len = hf_in_need(h->inner, n);
	in->ptr = h->inner->ptr;
	in->end = h->inner->end;
	if (in->len < n && h->inner->why.code)
		in->why = h->inner->why;
}

static bool hashed_torn(const struct hf_in *in)
{
	return hf_in_failed(((const struct hashed_in *)in)->inner) == HF_E_TRUNCATED;
}

static void hashed_close(struct hf_in *in)
{
	hashed_sync((struct hashed_in *)in);
	free(in);
}

static const struct hf_in_ops hashed_ops = { .fill = hashed_fill, .torn = hashed_torn, .close = hashed_close };

struct hf_in *hf_in_hashed(struct hf_in *inner, struct hf_digest *digest)
{
	struct hashed_in *h = hf_calloc(1, sizeof *h);

	*h = (struct hashed_in){ .in = { .ops = &hashed_ops, .ptr = inner->ptr, .whole = inner->whole },
				 .inner = inner,
				 .digest = digest,
				 .inner_start = inner->at };
	return &h->in;
}

void hf_in_drain(struct hf_in *in)
{
	while (hf_in_need(in, 1))
		hf_in_take(in, in->len);
}
