#include "advisory/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "format/zip.h"

enum { DEPTH_MAX = 16 };

struct load {
	struct hf_database_builder *builder;
	hf_database_progress *progress;
	void *ctx;
	struct hf_database_loaded *done;
	struct hf_buf plain; /* what was inflated last */
	const char *root;
};

static int hand_over(struct load *l, hf_sv path, hf_sv bytes, struct hf_err *err)
{
	int r = hf_database_builder_file(l->builder, path, bytes, err);

	l->done->files++;
	l->done->bytes += bytes.len;
	if (l->progress)
		l->progress(l->ctx, path, l->done->files, l->done->bytes);
	return r < 0 ? r : HF_OK;
}

static int read_zip(struct load *l, hf_sv path, hf_sv bytes, struct hf_err *err)
{
	struct hf_zip z;
	struct hf_zip_member m;
	struct hf_err why = { 0 };
	char name[HF_PATH_MAX];

	if (hf_zip_open(&z, bytes, &why) < 0) {
		hf_database_builder_unreadable(l->builder, path, hf_sv_of(why.msg));
		return HF_OK;
	}
	while (hf_zip_next(&z, &m)) {
		hf_sv text;
		int n = snprintf(name, sizeof name, "%.*s!/%.*s", HF_SV_FMT(path), HF_SV_FMT(m.name));
		hf_sv member = { name, n > 0 && n < (int)sizeof name ? (size_t)n : 0 };
		if (hf_sv_ends(m.name, HF_SV("/")))
			continue;
		if (!hf_database_builder_wants(l->builder, member)) {
			l->done->passed_over++;
			continue;
		}
		if (hf_zip_read(&z, &m, HF_FEED_FILE_MAX, &l->plain, &text, &why) < 0) {
			hf_database_builder_unreadable(l->builder, member, hf_sv_of(why.msg));
			continue;
		}
		int r = hand_over(l, member, text, err);
		if (r)
			return r;
	}
	if (z.why)
		hf_database_builder_unreadable(l->builder, path, hf_sv_of(z.why));
	return HF_OK;
}

/* RFC 1952, several members one behind the other. */
static bool gunzip(hf_sv in, struct hf_buf *out)
{
	z_stream z = { .next_in = (Bytef *)in.ptr, .avail_in = (uInt)in.len };
	int r = Z_OK;

	out->len = 0;
	out->max = HF_FEED_FILE_MAX;
	if (in.len > UINT32_MAX || inflateInit2(&z, 31) != Z_OK)
		return false;
	while (true) {
		size_t room = 1 << 20;
		char *to = hf_buf_room(out, room);
		if (!to)
			break;
		z.next_out = (Bytef *)to;
		z.avail_out = (uInt)room;
		r = inflate(&z, Z_NO_FLUSH);
		out->len += room - z.avail_out;
		if (r == Z_STREAM_END && z.avail_in)
			r = inflateReset(&z);
		if (r != Z_OK)
			break;
	}
	inflateEnd(&z);
	return r == Z_STREAM_END && !out->over;
}

static int read_bytes(struct load *l, hf_sv path, hf_sv bytes, struct hf_err *err)
{
	if (hf_sv_ends(path, HF_SV(".zip")))
		return read_zip(l, path, bytes, err);
	if (!hf_sv_ends(path, HF_SV(".gz")))
		return hand_over(l, path, bytes, err);
	path.len -= 3;
	if (gunzip(bytes, &l->plain))
		return hand_over(l, path, hf_buf_view(&l->plain), err);
	hf_database_builder_unreadable(l->builder, path, HF_SV("its gzip stream is broken or over the limit"));
	return HF_OK;
}

static bool wanted(const struct load *l, hf_sv path)
{
	if (hf_sv_ends(path, HF_SV(".zip")))
		return true;
	if (hf_sv_ends(path, HF_SV(".gz")))
		path.len -= 3;
	return hf_database_builder_wants(l->builder, path);
}

static int read_file(struct load *l, int dir, const char *name, hf_sv path, struct hf_err *err)
{
	struct stat st;
	void *at = NULL;
	int fd;

	if (!wanted(l, path)) {
		l->done->passed_over++;
		return HF_OK;
	}
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) ||
	    (st.st_size && (at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)) {
		hf_database_builder_unreadable(l->builder, path, hf_sv_of(strerror(errno)));
		if (fd >= 0)
			close(fd);
		return HF_OK;
	}
	close(fd);
	int r = read_bytes(l, path, (hf_sv){ at ? at : "", (size_t)st.st_size }, err);
	if (at)
		munmap(at, (size_t)st.st_size);
	return r;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

/* @path is relative to the root, "" for itself; depth is bounded, so is the recursion. */
static int walk(struct load *l, int parent, const char *name, hf_sv path, unsigned depth, struct hf_err *err)
{
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (path.len ? O_NOFOLLOW : 0));
	struct dirent **list = NULL;
	int n = dir < 0 ? -1 : scandirat(dir, ".", &list, not_dots, by_name), r = HF_OK;

	if (n < 0 && !path.len)
		r = hf_fail_errno(err, "%s", l->root);
	else if (n < 0)
		hf_database_builder_unreadable(l->builder, path, hf_sv_of(strerror(errno)));
	for (int i = 0; i < n; i++) {
		char below[HF_PATH_MAX];
		struct stat st;
		int len = snprintf(below, sizeof below, "%.*s%s%s", HF_SV_FMT(path), path.len ? "/" : "",
				   list[i]->d_name);
		hf_sv sub = { below, (size_t)len };
		if (!r && len < (int)sizeof below && !fstatat(dir, list[i]->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
			if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
				r = walk(l, dir, list[i]->d_name, sub, depth + 1, err);
			else if (S_ISREG(st.st_mode))
				r = read_file(l, dir, list[i]->d_name, sub, err);
			else
				l->done->passed_over++;
		}
		free(list[i]);
	}
	free(list);
	if (dir >= 0)
		close(dir);
	return r;
}

int hf_database_load(struct hf_database_builder *b, const char *dir, hf_database_progress *progress, void *ctx,
		     struct hf_database_loaded *ret, struct hf_err *err)
{
	struct load l = { b, progress, ctx, ret, HF_BUF(HF_FEED_FILE_MAX), dir };

	*ret = (struct hf_database_loaded){ 0 };
	int r = walk(&l, AT_FDCWD, dir, HF_SV(""), 0, err);
	hf_buf_done(&l.plain);
	return r;
}
