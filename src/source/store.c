/* Named files in an archive (plain or wrapped) or in an OCI layout's folder. An archive's names are read in one pass;
 * its files are then read where they lie. Of a wrapped one the first pass keeps the documents and other small files; a
 * second one gives the layers, where these are asked for in the order in which they lie. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "format/tar.h"
#include "source/kind.h"

enum { MEMBERS_MAX = 1 << 16, SMALL_MAX = 64 << 10, KEPT_TOTAL_MAX = 12 << 20 };

static bool is_folder(const struct hf_source *s)
{
	return S_ISDIR(s->st.st_mode);
}

/* A name without "./", "//", "..": "a/../b" is "b". Lives in the arena; empty where it leaves the root or is too long.
 */
static hf_sv clean_name(struct hf_source *s, hf_sv base, hf_sv name)
{
	hf_sv whole = base.len ? hf_arena_fmt(&s->arena, "%.*s/%.*s", HF_SV_FMT(base), HF_SV_FMT(name))
			       : hf_arena_dup(&s->arena, name);
	char *out = (char *)(uintptr_t)whole.ptr; /* the arena's copy is ours to write */
	size_t n = 0;
	hf_sv rest = whole, part;

	while (whole.len && hf_sv_next(&rest, '/', &part)) {
		if (!part.len || hf_sv_eq(part, HF_SV(".")))
			continue;
		if (hf_sv_eq(part, HF_SV(".."))) {
			if (!n)
				return (hf_sv){ 0 };
			n = hf_sv_dirname((hf_sv){ out, n }).len;
			continue;
		}
		if (n)
			out[n++] = '/';
		memmove(out + n, part.ptr, part.len);
		n += part.len;
	}
	return (hf_sv){ out, n };
}

/* The archive's bytes from its start. */
static void open_archive(const struct hf_source *s, struct hf_blob *b)
{
	size_t size = (size_t)s->st.st_size;

	*b = (struct hf_blob){ .fd = -1 };
	b->in = hf_in_of_file(s->fd, 0, size, hf_source_window(s));
	if (s->wrap) {
		b->below[0] = b->in;
		b->in = s->wrap->open(b->below[0], s->windows[0]);
	}
}

/* Documents are JSON; among other small files are the empty layers that an image names again and again. */
static bool is_kept(const struct hf_source *s, const struct hf_tar_member *m, size_t kept)
{
	bool document = hf_sv_starts(m->head, HF_SV("{")) || hf_sv_starts(m->head, HF_SV("["));

	return s->wrap && m->type == '0' && !m->sparse && m->size <= (document ? HF_MANIFEST_SIZE_MAX : SMALL_MAX) &&
	       m->size <= KEPT_TOTAL_MAX - kept;
}

/* A file that ends too early is told by hf_tar_next. */
static void keep_member(struct hf_source *s, struct hf_tar *t, const struct hf_tar_member *m, size_t *kept)
{
	struct hf_map_entry *e = hf_map_find(&s->members, clean_name(s, (hf_sv){ 0 }, m->name));
	struct hf_store_member *member = e ? e->value : NULL;
	struct hf_err why = { 0 };
	hf_sv bytes;

	if (!member || hf_tar_content(t, &bytes, &why))
		return;
	member->bytes = hf_arena_dup(&s->arena, bytes);
	*kept += bytes.len;
}

static int add_member(struct hf_source *s, const struct hf_tar_member *m, struct hf_err *err)
{
	bool link = m->type == '1' || m->type == '2';

	if ((m->type != '0' && !link) || m->name.len > HF_PATH_MAX || m->link.len > HF_PATH_MAX)
		return HF_OK;
	if (s->members.n == MEMBERS_MAX)
		return hf_fail(err, HF_E_LIMIT, "an archive of more than %d files", MEMBERS_MAX);
	hf_sv name = clean_name(s, (hf_sv){ 0 }, m->name);
	struct hf_map_entry *e = name.len ? hf_map_put(&s->members, name) : NULL;
	struct hf_store_member *member = e ? hf_arena_new(&s->arena, struct hf_store_member) : NULL;
	if (!member)
		return HF_OK; /* the arena's cap is looked at by the caller */
	*member = (struct hf_store_member){ .offset = m->offset, .size = m->size };
	if (link)
		member->link = clean_name(s, m->type == '2' ? hf_sv_dirname(name) : (hf_sv){ 0 }, m->link);
	if (link && !member->link.ptr)
		member->link = HF_SV(""); /* leads out: a name that no member has */
	e->value = member;
	return HF_OK;
}

int hf_store_read_names(struct hf_source *s, struct hf_err *err)
{
	hf_cleanup(hf_blob_close) struct hf_blob b = { .fd = -1 };
	struct hf_tar_member m;
	int r;

	hf_cleanup(hf_in_closep) struct hf_in *start = hf_in_of_file(s->fd, 0, (uint64_t)s->st.st_size, 4096);
	size_t n = hf_in_need(start, 16);
	s->wrap = hf_codec_of((hf_sv){ start->ptr, n < 16 ? n : 16 });
	open_archive(s, &b);
	struct hf_tar *t = hf_tar_new(b.in);
	struct hf_err why = { 0 };
	size_t kept = 0;
	while ((r = hf_tar_next(t, &m, &why)) == HF_OK && m.type) {
		bool keep = is_kept(s, &m, kept);
		if ((r = add_member(s, &m, &why)))
			break;
		if (keep)
			keep_member(s, t, &m, &kept);
	}
	hf_tar_free(t);
	if (r == HF_OK && s->members.n)
		return HF_OK;
	if (r == HF_OK)
		return hf_fail(err, HF_E_FORMAT, "an archive without a file in it");
	if (!s->members.n) {
		*err = why;
		return hf_wrap(err, "not an image archive");
	}
	hf_source_note(s, "The archive could not be read to its end: %s", why.msg);
	return HF_OK;
}

static const struct hf_store_member *member_named(const struct hf_source *s, hf_sv name)
{
	for (int i = 0; i < HF_SYMLINKS_MAX; i++) {
		const struct hf_map_entry *e = hf_map_find(&s->members, name);
		const struct hf_store_member *m = e ? e->value : NULL;
		if (!m || !m->link.ptr)
			return m;
		name = m->link;
	}
	return NULL;
}

static int open_below(const struct hf_source *s, hf_sv name, struct stat *st)
{
	char path[HF_PATH_MAX];

	if (!name.len || name.len >= sizeof path || memchr(name.ptr, 0, name.len)) {
		errno = ENOENT;
		return -1;
	}
	memcpy(path, name.ptr, name.len);
	path[name.len] = 0;
	int fd = hf_open_beneath(s->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, true);
	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode))) {
		hf_fd_close(&fd);
		errno = EINVAL;
	}
	return fd;
}

bool hf_store_size(const struct hf_source *s, hf_sv name, uint64_t *ret)
{
	struct stat st;

	if (is_folder(s)) {
		hf_cleanup(hf_fd_close) int fd = open_below(s, name, &st);
		*ret = fd < 0 ? 0 : (uint64_t)st.st_size;
		return fd >= 0;
	}
	const struct hf_store_member *m = member_named(s, name);
	*ret = m ? m->size : 0;
	return m != NULL;
}

bool hf_store_has(const struct hf_source *s, hf_sv name)
{
	uint64_t size;

	return hf_store_size(s, name, &size);
}

uint64_t hf_store_offset(const struct hf_source *s, hf_sv name)
{
	const struct hf_store_member *m = member_named(s, name);

	return m ? m->offset : 0;
}

static void drop_stream(struct hf_source *s)
{
	hf_in_closep(&s->stream[1]);
	hf_in_closep(&s->stream[0]);
}

void hf_store_keep_stream(struct hf_source *s, bool keep)
{
	s->keeps_stream = keep && s->wrap;
	drop_stream(s);
}

/* The archive as a stream that stands at or in front of @offset. */
static void open_archive_before(struct hf_source *s, uint64_t offset, struct hf_blob *b)
{
	if (s->stream[1] && s->stream[1]->at <= offset) {
		*b = (struct hf_blob){ .in = s->stream[1], .below = { s->stream[0] }, .fd = -1 };
		s->stream[0] = s->stream[1] = NULL;
	} else {
		drop_stream(s); /* it may hold what the new one needs */
		open_archive(s, b);
	}
	if (s->keeps_stream)
		b->source = s;
}

static int open_member(struct hf_source *s, hf_sv name, struct hf_blob *ret, struct hf_err *err)
{
	const struct hf_store_member *m = member_named(s, name);

	if (!m)
		return hf_fail(err, HF_E_MISSING, "%.*s: not in the archive", HF_SV_FMT(name));
	if (m->bytes.ptr) {
		ret->in = hf_in_of_bytes(m->bytes);
		return HF_OK;
	}
	if (!s->wrap) {
		uint64_t there = (uint64_t)s->st.st_size > m->offset ? (uint64_t)s->st.st_size - m->offset : 0;
		if (m->size <= there) {
			ret->in = hf_in_of_file(s->fd, m->offset, m->size, hf_source_window(s));
			return HF_OK;
		}
	}
	open_archive_before(s, m->offset, ret);
	ret->below[1] = ret->in;
	if (!hf_in_skip(ret->in, m->offset - ret->in->at) && hf_in_failed(ret->in)) {
		*err = ret->in->why;
		hf_blob_close(ret);
		return hf_wrap(err, "%.*s", HF_SV_FMT(name));
	}
	ret->in = hf_in_part(ret->below[1], m->size);
	return HF_OK;
}

int hf_blob_open(struct hf_source *s, hf_sv name, struct hf_blob *ret, struct hf_err *err)
{
	struct stat st;

	*ret = (struct hf_blob){ .fd = -1 };
	if (!is_folder(s))
		return open_member(s, name, ret, err);
	ret->fd = open_below(s, name, &st);
	if (ret->fd < 0)
		return hf_fail_errno(err, "%.*s", HF_SV_FMT(name));
	ret->in = hf_in_of_file(ret->fd, 0, (uint64_t)st.st_size, hf_source_window(s));
	return HF_OK;
}

void hf_blob_close(struct hf_blob *b)
{
	hf_in_close(b->in);
	if (b->source && b->below[1] && b->below[1] != b->in && !hf_in_failed(b->below[1])) {
		b->source->stream[0] = b->below[0];
		b->source->stream[1] = b->below[1];
	} else {
		if (b->below[1] != b->in)
			hf_in_close(b->below[1]);
		hf_in_close(b->below[0]);
	}
	hf_fd_close(&b->fd);
	*b = (struct hf_blob){ .fd = -1 };
}

int hf_store_read(struct hf_source *s, hf_sv name, hf_sv *ret, struct hf_err *err)
{
	hf_cleanup(hf_blob_close) struct hf_blob b = { .fd = -1 };
	uint64_t size;

	if (!hf_store_size(s, name, &size))
		return hf_fail(err, HF_E_MISSING, "%.*s: not there", HF_SV_FMT(name));
	if (size > HF_MANIFEST_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "%.*s: more than %llu MiB", HF_SV_FMT(name),
			       (unsigned long long)(HF_MANIFEST_SIZE_MAX >> 20));
	const struct hf_store_member *kept = is_folder(s) ? NULL : member_named(s, name);
	if (kept && kept->bytes.ptr) {
		*ret = kept->bytes;
		return HF_OK;
	}
	int r = hf_blob_open(s, name, &b, err);
	if (r)
		return r;
	if (hf_in_need(b.in, (size_t)size) < size || hf_in_failed(b.in))
		return hf_fail(err, HF_E_TRUNCATED, "%.*s: %s", HF_SV_FMT(name),
			       b.in->why.code ? b.in->why.msg : "ends too early");
	*ret = hf_arena_dup(&s->arena, (hf_sv){ b.in->ptr, (size_t)size });
	if (hf_in_failed(b.in))
		return hf_fail(err, HF_E_TRUNCATED, "%.*s: %s", HF_SV_FMT(name), b.in->why.msg);
	return HF_OK;
}
