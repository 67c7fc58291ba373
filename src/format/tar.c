#include "format/tar.h"

#include <stdlib.h>

#include "base/limits.h"
#include "format/tar_internal.h"

/* Offsets in a header block: POSIX.1-1988 ustar; GNU's and star's where they differ. */
enum {
	BLOCK = 512,
	NAME = 0,
	NAME_LEN = 100,
	MODE = 100,
	SIZE = 124,
	MTIME = 136,
	CHECKSUM = 148,
	TYPE = 156,
	LINK = 157,
	LINK_LEN = 100,
	MAGIC = 257,
	PREFIX = 345,
	PREFIX_LEN = 155,
	STAR_PREFIX_LEN = 131,
	STAR_TRAILER = 508,
	GNU_SPARSE = 386,
	GNU_SPARSE_N = 4,
	GNU_IS_EXTENDED = 482,
	GNU_REAL_SIZE = 483,
	EXTENDED_N = 21,
	EXTENDED_IS_EXTENDED = 504,
};

struct hf_tar *hf_tar_new(struct hf_in *in)
{
	struct hf_tar *t = hf_calloc(1, sizeof *t);

	t->in = in;
	t->ext.name = HF_BUF(HF_TAR_EXTENSION_MAX);
	t->ext.link = HF_BUF(HF_TAR_EXTENSION_MAX);
	t->ext.sparse_name = HF_BUF(HF_TAR_EXTENSION_MAX);
	return t;
}

void hf_tar_free(struct hf_tar *t)
{
	if (!t)
		return;
	hf_buf_done(&t->ext.name);
	hf_buf_done(&t->ext.link);
	hf_buf_done(&t->ext.sparse_name);
	free(t->pieces);
	free(t->spool);
	free(t);
}

static hf_sv cut_at_nul(const char *p, size_t max)
{
	return (hf_sv){ p, strnlen(p, max) };
}

/* A number in a field of @n bytes, at most 12: octal digits with blanks or NUL around them, or base-256 where the first bit
 * is set (GNU, star). */
static bool number(const char *p, size_t n, int64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((unsigned char)p[0] & 0x80) {
		bool negative = (unsigned char)p[0] & 0x40;
		v = negative ? (UINT64_MAX << 6) | ((unsigned char)p[0] & 0x3f) : (unsigned char)p[0] & 0x3f;
		for (i = 1; i < n; i++) {
			int64_t top = (int64_t)v >> 55;
			if (top != 0 && top != -1)
				return false;
			v = v << 8 | (unsigned char)p[i];
		}
		*ret = (int64_t)v;
		return true;
	}
	while (i < n && (p[i] == ' ' || p[i] == 0))
		i++;
	for (; i < n && (unsigned char)(p[i] - '0') < 8; i++) /* at most 12 digits: 36 bits */
		v = v << 3 | (uint64_t)(p[i] - '0');
	for (; i < n; i++)
		if (p[i] != ' ' && p[i] != 0)
			return false;
	*ret = (int64_t)v;
	return true;
}

static bool unsigned_number(const char *p, size_t n, uint64_t *ret)
{
	int64_t v;

	if (!number(p, n, &v) || v < 0)
		return false;
	*ret = (uint64_t)v;
	return true;
}

/* The sum of a block's bytes, eight at a time in lanes of 16 bits: a lane grows by at most 510 in each of 64 steps. */
static uint32_t sum_of_bytes(const char *h)
{
	const uint64_t low = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t lanes = 0;

	for (size_t i = 0; i < BLOCK; i += 8) {
		uint64_t w;
		memcpy(&w, h + i, sizeof w);
		lanes += (w & low) + (w >> 8 & low);
	}
	return (uint32_t)(lanes & 0xffff) + (uint32_t)(lanes >> 16 & 0xffff) + (uint32_t)(lanes >> 32 & 0xffff) +
	       (uint32_t)(lanes >> 48);
}

static bool checksum_holds(const char *h)
{
	int64_t want;
	uint32_t sum = sum_of_bytes(h) + 8 * ' ';

	if (!number(h + CHECKSUM, 8, &want))
		return false;
	for (size_t i = CHECKSUM; i < CHECKSUM + 8; i++)
		sum -= (unsigned char)h[i];
	if (sum == want)
		return true;
	int32_t signed_sum = 8 * ' '; /* as old tars on machines with signed char wrote it */
	for (size_t i = 0; i < BLOCK; i++)
		signed_sum += i >= CHECKSUM && i < CHECKSUM + 8 ? 0 : (signed char)h[i];
	return signed_sum == want;
}

static bool is_zero_block(const char *h)
{
	return h[0] == 0 && memcmp(h, h + 1, BLOCK - 1) == 0;
}

static int fail_at(struct hf_tar *t, uint64_t at, int code, const char *why, struct hf_err *err)
{
	if (hf_in_failed(t->in)) {
		*err = t->in->why;
		return hf_wrap(err, "tar header at %llu", (unsigned long long)at);
	}
	return hf_fail(err, code, "tar header at %llu: %s", (unsigned long long)at, why);
}

static void forget(struct hf_tar *t)
{
	struct tar_ext *e = &t->ext;

	e->name.len = e->link.len = e->sparse_name.len = 0;
	e->has_name = e->has_link = e->has_size = e->has_mtime = false;
	e->is_sparse = e->has_real_size = e->pieces_due = false;
	e->sparse_major = 0;
	t->pieces_n = 0;
}

/* The payload of an extension header, whole, then passed over. */
static int read_extension(struct hf_tar *t, uint64_t at, uint64_t size, hf_sv *ret, struct hf_err *err)
{
	if (size > HF_TAR_EXTENSION_MAX)
		return fail_at(t, at, HF_E_LIMIT, "an extension of more than 1 MiB", err);
	if (hf_in_need(t->in, (size_t)size) < size)
		return fail_at(t, at, HF_E_TRUNCATED, "ends within an extension", err);
	*ret = (hf_sv){ t->in->ptr, (size_t)size };
	t->left = (size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
	return HF_OK;
}

static int read_gnu_name(struct hf_buf *out, bool *has, hf_sv payload)
{
	out->len = 0;
	hf_buf_add(out, cut_at_nul(payload.ptr, payload.len));
	*has = true;
	return HF_OK;
}

/* GNU's 'S': four pieces in the header, more in blocks of 21 behind it. */
static int read_gnu_sparse(struct hf_tar *t, const char *h, uint64_t at, uint64_t *ret_real, struct hf_err *err)
{
	const char *p = h + GNU_SPARSE;
	bool more = h[GNU_IS_EXTENDED];

	if (!unsigned_number(h + GNU_REAL_SIZE, 12, ret_real))
		return fail_at(t, at, HF_E_FORMAT, "a number that is none", err);
	t->pieces_n = 0;
	for (size_t n = GNU_SPARSE_N;; n = EXTENDED_N) {
		for (size_t i = 0; i < n && p[24 * i]; i++) {
			uint64_t from, len;
			if (!unsigned_number(p + 24 * i, 12, &from) || !unsigned_number(p + 24 * i + 12, 12, &len))
				return fail_at(t, at, HF_E_FORMAT, "a sparse map that is none", err);
			int r = tar_add_piece(t, from, len, err);
			if (r)
				return r;
		}
		if (!more)
			return HF_OK;
		if (hf_in_need(t->in, BLOCK) < BLOCK)
			return fail_at(t, at, HF_E_TRUNCATED, "ends within a sparse map", err);
		p = t->in->ptr;
		more = p[EXTENDED_IS_EXTENDED];
		hf_in_take(t->in, BLOCK);
	}
}

static void read_names(struct hf_tar *t, const char *h)
{
	static const char ustar[6] = "ustar", star[4] = "tar";
	struct hf_tar_member *m = &t->now;
	hf_sv name = cut_at_nul(h + NAME, NAME_LEN), link = cut_at_nul(h + LINK, LINK_LEN), prefix = { 0 };
	char *out = t->fields;

	if (memcmp(h + MAGIC, ustar, sizeof ustar) == 0)
		prefix = cut_at_nul(h + PREFIX,
				    memcmp(h + STAR_TRAILER, star, sizeof star) == 0 ? STAR_PREFIX_LEN : PREFIX_LEN);
	if (prefix.len) {
		memcpy(out, prefix.ptr, prefix.len);
		out[prefix.len] = '/';
		out += prefix.len + 1;
	}
	memcpy(out, name.ptr, name.len);
	m->name = (hf_sv){ t->fields, (size_t)(out - t->fields) + name.len };
	memcpy(t->fields + 256, link.ptr, link.len);
	m->link = (hf_sv){ t->fields + 256, link.len };
	if (t->ext.has_name)
		m->name = hf_buf_view(&t->ext.name);
	if (t->ext.has_link)
		m->link = hf_buf_view(&t->ext.link);
	if (t->ext.sparse_name.len)
		m->name = hf_buf_view(&t->ext.sparse_name);
}

/* Like Go's archive/tar, by which containers are made: links, devices and folders have no data whatever their size
 * says, and a v7 file whose name ends in '/' is a folder. */
static bool settle_type(struct hf_tar_member *m, char type)
{
	bool header_only = type >= '1' && type <= '6';

	m->type = type;
	if (type == 0)
		m->type = hf_sv_ends(m->name, HF_SV("/")) ? '5' : '0';
	else if (type == '7' || type == 'S')
		m->type = '0';
	return header_only || m->type == '5';
}

static void show_head(struct hf_tar *t)
{
	struct hf_tar_member *m = &t->now;

	if (m->type != '0' || !m->size)
		return;
	size_t n = m->sparse ? BLOCK : sizeof t->head;
	if (n > m->stored)
		n = (size_t)m->stored;
	hf_sv stored = { t->in->ptr, hf_in_need(t->in, n) };
	stored.ptr = t->in->ptr;
	stored.len = stored.len < m->stored ? stored.len : (size_t)m->stored;
	if (!m->sparse) {
		m->head = hf_sv_first(stored, BLOCK);
		return;
	}
	memset(t->head, 0, sizeof t->head);
	size_t head_n = m->size < sizeof t->head ? (size_t)m->size : sizeof t->head;
	tar_place_pieces(t, stored.ptr, stored.len, t->head, head_n);
	m->head = (hf_sv){ t->head, head_n };
}

/* Sizes and the sparse map of a member whose names and type are known. */
static int settle_content(struct hf_tar *t, const char *h, uint64_t at, uint64_t size, bool gnu_sparse,
			  struct hf_err *err)
{
	struct hf_tar_member *m = &t->now;
	uint64_t real = size, pad;
	int r = HF_OK;

	m->stored = m->size = size;
	if (__builtin_add_overflow(size, BLOCK - 1, &pad))
		return fail_at(t, at, HF_E_FORMAT, "a size out of range", err);
	t->left = pad & ~(uint64_t)(BLOCK - 1);
	if (gnu_sparse) {
		m->sparse = true;
		r = read_gnu_sparse(t, h, at, &real, err);
	} else if (t->ext.is_sparse && m->type == '0') {
		m->sparse = true;
		real = t->ext.has_real_size ? t->ext.real_size : size;
		if (t->ext.sparse_major == 1)
			r = tar_read_sparse_1_0(t, err);
	}
	if (m->sparse) {
		m->size = real;
		if (!r)
			r = tar_check_pieces(t, err);
		if (r)
			return hf_wrap(err, "tar header at %llu", (unsigned long long)at), r;
	}
	m->offset = t->in->at;
	show_head(t);
	return HF_OK;
}

/* The way from header to header is a chain of cache misses: the next one is fetched while this one is dealt with. */
static void fetch_ahead(const struct hf_tar *t)
{
	if (t->in->len < BLOCK || t->left > t->in->len - BLOCK)
		return;
	for (size_t i = 0; i < BLOCK; i += 64)
		__builtin_prefetch(t->in->ptr + t->left + i);
}

static int read_member(struct hf_tar *t, const char *h, uint64_t at, uint64_t size, struct hf_err *err)
{
	struct hf_tar_member *m = &t->now;
	char copy[BLOCK]; /* the stream's own bytes move when more are asked for */
	char type = h[TYPE];
	uint64_t mode;

	read_names(t, h);
	if (!unsigned_number(h + MODE, 8, &mode))
		return fail_at(t, at, HF_E_FORMAT, "a mode that is no number", err);
	m->mode = (uint32_t)mode & 07777;
	if (!number(h + MTIME, 12, &m->mtime))
		m->mtime = 0;
	if (t->ext.has_mtime)
		m->mtime = t->ext.mtime;
	if (t->ext.has_size)
		size = t->ext.size;
	if (settle_type(m, type))
		size = 0;
	if (type == 'S') {
		memcpy(copy, h, BLOCK);
		h = copy;
	}
	hf_in_take(t->in, BLOCK);
	int r = settle_content(t, h, at, size, type == 'S', err);
	fetch_ahead(t);
	return r;
}

static int read_end(struct hf_tar *t, uint64_t at, struct hf_err *err)
{
	size_t n = hf_in_need(t->in, (size_t)2 * BLOCK);

	if (hf_in_failed(t->in))
		return fail_at(t, at, HF_E_TRUNCATED, "", err);
	if (n >= 2 * BLOCK && !is_zero_block(t->in->ptr + BLOCK))
		return fail_at(t, at, HF_E_FORMAT, "a lone block of zeros", err);
	t->now.type = 0;
	return HF_OK;
}

/* One header block: *@ret_more where it was an extension of the member to come. */
static int read_block(struct hf_tar *t, bool *ret_more, struct hf_err *err)
{
	uint64_t at, size;
	hf_sv payload;

	if (t->left && !hf_in_skip(t->in, t->left))
		return fail_at(t, t->in->at, HF_E_TRUNCATED, "the archive ends within a member", err);
	t->left = 0;
	at = t->in->at;
	size_t n = hf_in_need(t->in, BLOCK);
	if (n < BLOCK) {
		if (n || t->in->why.code || hf_in_failed(t->in) || t->ext.has_name || t->ext.has_link)
			return fail_at(t, at, HF_E_TRUNCATED, "the archive ends within a header", err);
		return HF_OK; /* no end blocks: as good as two */
	}
	const char *h = t->in->ptr;
	if (is_zero_block(h))
		return read_end(t, at, err);
	if (!checksum_holds(h))
		return fail_at(t, at, HF_E_FORMAT, "wrong checksum", err);
	if (!unsigned_number(h + SIZE, 12, &size))
		return fail_at(t, at, HF_E_FORMAT, "a size out of range", err);
	char type = h[TYPE];
	*ret_more = type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K';
	if (!*ret_more)
		return read_member(t, h, at, size, err);
	hf_in_take(t->in, BLOCK);
	int r = read_extension(t, at, size, &payload, err);
	if (r || type == 'g')
		return r;
	if (type == 'L')
		return read_gnu_name(&t->ext.name, &t->ext.has_name, payload);
	if (type == 'K')
		return read_gnu_name(&t->ext.link, &t->ext.has_link, payload);
	r = tar_read_pax(t, payload, err);
	return r ? hf_wrap(err, "tar header at %llu", (unsigned long long)at) : HF_OK;
}

int hf_tar_next(struct hf_tar *t, struct hf_tar_member *ret, struct hf_err *err)
{
	bool more;
	int r;

	if (t->spool) {
		free(t->spool);
		t->spool = NULL;
	}
	if (t->ext.has_name || t->ext.has_link || t->ext.has_size || t->ext.has_mtime || t->ext.is_sparse ||
	    t->pieces_n)
		forget(t);
	t->now = (struct hf_tar_member){ 0 };
	do {
		more = false;
		r = read_block(t, &more, err);
	} while (!r && more);
	*ret = t->now;
	return r;
}

int hf_tar_content(struct hf_tar *t, hf_sv *ret, struct hf_err *err)
{
	struct hf_tar_member *m = &t->now;
	size_t n = (size_t)m->stored;

	if (n != m->stored || hf_in_need(t->in, n) < n || hf_in_failed(t->in))
		return fail_at(t, m->offset, HF_E_TRUNCATED, "the archive ends within this member", err);
	*ret = (hf_sv){ t->in->ptr, n };
	if (!m->sparse)
		return HF_OK;
	t->spool = hf_calloc(1, m->size ? (size_t)m->size : 1);
	tar_place_pieces(t, t->in->ptr, n, t->spool, (size_t)m->size);
	*ret = (hf_sv){ t->spool, (size_t)m->size };
	return HF_OK;
}

int hf_tar_content_piece(struct hf_tar *t, hf_sv *ret, struct hf_err *err)
{
	const struct hf_tar_member *m = &t->now;
	uint64_t left = m->offset + m->stored - t->in->at;

	*ret = (hf_sv){ 0 };
	if (!left)
		return HF_OK;
	size_t n = hf_in_need(t->in, 1);
	if (!n || hf_in_failed(t->in))
		return fail_at(t, m->offset, HF_E_TRUNCATED, "the archive ends within this member", err);
	*ret = (hf_sv){ t->in->ptr, n < left ? n : (size_t)left };
	hf_in_take(t->in, ret->len);
	t->left -= ret->len;
	return HF_OK;
}
