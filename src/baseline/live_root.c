#include "baseline/live_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"

enum { MOUNTINFO_MAX = 4 << 20, FILE_MAX = 256 << 20, HANDLE_MAX = 128, MARK_MAX = 512, PLACES_MAX = 16 };

struct hf_live_root {
	int upper;                 /* -1: none */
	int layers[HF_LAYERS_MAX]; /* top first */
	size_t layers_n;
	bool is_overlay, userxattr;
	struct view {
		struct hf_live_root *root;
		bool with_upper;
	} views[2];
	char link[HF_PATH_MAX];
};

int hf_live_mountinfo(uint64_t pid, struct hf_buf *out, struct hf_err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%llu/mountinfo", (unsigned long long)pid);
	int hf_cleanup(hf_fd_close) fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, "%s", path);
	if (!out->max)
		out->max = MOUNTINFO_MAX;
	for (;;) {
		char *room = hf_buf_room(out, 32768);
		if (!room)
			return hf_fail(err, HF_E_LIMIT, "%s: over %zu bytes", path, out->max);
		ssize_t n = read(fd, room, 32768);
		if (n < 0)
			return hf_fail_errno(err, "%s", path);
		if (!n)
			return HF_OK;
		out->len += (size_t)n;
	}
}

/* NULL where the path cannot be given to the system. */
static const char *name_of(hf_sv path, char out[HF_PATH_MAX])
{
	if (path.len >= HF_PATH_MAX || (path.len && memchr(path.ptr, 0, path.len)))
		return NULL;
	if (!path.len)
		return ".";
	memcpy(out, path.ptr, path.len);
	out[path.len] = 0;
	return out;
}

/* Below @dir, with no link on the way; a link at the end is opened itself. -1 with errno. */
static int open_in(int dir, hf_sv path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	char buffer[HF_PATH_MAX];
	const char *name = name_of(path, buffer);

	if (!name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd;
	do
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN);
	return fd;
}

/* The overlay's mark @name of an object; the length, or -1. */
static ssize_t mark_of(const struct hf_live_root *r, int fd, const char *name, char *out, size_t size)
{
	char full[64], link[64];

	snprintf(full, sizeof full, "%s.overlay.%s", r->userxattr ? "user" : "trusted", name);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return getxattr(link, full, out, size);
}

static bool has_mark(const struct hf_live_root *r, int fd, const char *name)
{
	return mark_of(r, fd, name, NULL, 0) >= 0;
}

static bool is_whiteout(const struct hf_live_root *r, int fd, const struct stat *st)
{
	if (!r->is_overlay)
		return false;
	if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0))
		return true;
	return S_ISREG(st->st_mode) && !st->st_size && has_mark(r, fd, "whiteout");
}

enum verdict { GO_ON, HIDDEN, UNCLEAR, FAILED };

/* Whether a layer without @path hides what lower layers have there: one of its folders is a whiteout, opaque, or no folder. */
static enum verdict hides_below(const struct hf_live_root *r, int layer, hf_sv path)
{
	char mark[MARK_MAX];

	for (size_t n = 0; n <= path.len; n++) {
		if (n < path.len && path.ptr[n] != '/')
			continue;
		int hf_cleanup(hf_fd_close) fd = open_in(layer, hf_sv_first(path, n), O_PATH);
		struct stat st;
		if (fd < 0)
			return errno == ENOENT ? GO_ON : errno == ENOTDIR || errno == ELOOP ? HIDDEN : FAILED;
		if (fstat(fd, &st))
			return FAILED;
		if (is_whiteout(r, fd, &st) || !S_ISDIR(st.st_mode))
			return HIDDEN;
		if (!r->is_overlay)
			continue;
		if (has_mark(r, fd, "redirect"))
			return UNCLEAR;
		ssize_t got = mark_of(r, fd, "opaque", mark, sizeof mark);
		if (got > 0 && mark[0] == 'y')
			return HIDDEN;
	}
	return GO_ON;
}

/* The object (O_PATH) that the layers from @from on show at @path. Layer 0 is the upper one where there is one. */
static int find(struct hf_live_root *r, bool with_upper, hf_sv path, bool content, struct stat *st, struct hf_err *err)
{
	for (size_t i = with_upper && r->upper >= 0 ? 0 : 1; i <= r->layers_n; i++) {
		int layer = i ? r->layers[i - 1] : r->upper;
		int fd = open_in(layer, path, O_PATH);
		if (fd >= 0) {
			if (fstat(fd, st)) {
				hf_fd_close(&fd);
				return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
			}
			if (is_whiteout(r, fd, st)) {
				hf_fd_close(&fd);
				break;
			}
			if (!content || !r->is_overlay || !has_mark(r, fd, "metacopy"))
				return fd;
			bool elsewhere = has_mark(r, fd, "redirect");
			hf_fd_close(&fd);
			if (elsewhere)
				return hf_fail(err, HF_E_UNSUPPORTED, "%.*s: its bytes lie under another name",
					       HF_SV_FMT(path));
			continue;
		}
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
		switch (hides_below(r, layer, path)) {
		case GO_ON:
			continue;
		case UNCLEAR:
			return hf_fail(err, HF_E_UNSUPPORTED, "%.*s: below a renamed folder", HF_SV_FMT(path));
		case FAILED:
			return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
		case HIDDEN:
			break;
		}
		break;
	}
	return hf_fail(err, HF_E_MISSING, "%.*s: not there", HF_SV_FMT(path));
}

static int look(void *ctx, hf_sv path, struct hf_root_entry *ret, struct hf_err *err)
{
	struct view *v = ctx;
	struct stat st;
	int hf_cleanup(hf_fd_close) fd = find(v->root, v->with_upper, path, false, &st, err);

	if (fd < 0)
		return fd;
	*ret = (struct hf_root_entry){ .type = HF_ROOT_OTHER,
				       .mode = st.st_mode & 07777,
				       .size = (uint64_t)st.st_size };
	if (S_ISREG(st.st_mode))
		ret->type = HF_ROOT_FILE;
	else if (S_ISDIR(st.st_mode))
		ret->type = HF_ROOT_DIR;
	if (!S_ISLNK(st.st_mode))
		return HF_OK;
	ssize_t n = readlinkat(fd, "", v->root->link, sizeof v->root->link);
	if (n < 0)
		return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
	ret->type = HF_ROOT_SYMLINK;
	ret->link = (hf_sv){ v->root->link, (size_t)n };
	return HF_OK;
}

/* From O_PATH to O_RDONLY. The link of /proc names the object itself, whatever lies at the path by now. */
static int reopen(int fd, const struct stat *st, hf_sv path, struct hf_err *err)
{
	char link[64];

	if (!S_ISREG(st->st_mode))
		return hf_fail(err, HF_E_UNSUPPORTED, "%.*s: not a regular file", HF_SV_FMT(path));
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int readable = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return readable < 0 ? hf_fail_errno(err, "%.*s", HF_SV_FMT(path)) : readable;
}

static int open_view(struct hf_live_root *r, bool with_upper, hf_sv path, struct hf_err *err)
{
	struct stat st;
	int hf_cleanup(hf_fd_close) fd = find(r, with_upper, path, true, &st, err);

	return fd < 0 ? fd : reopen(fd, &st, path, err);
}

static int open_file(void *ctx, hf_sv path, struct hf_root_file *ret, struct hf_err *err)
{
	struct view *v = ctx;
	struct stat st;
	int hf_cleanup(hf_fd_close) fd = open_view(v->root, v->with_upper, path, err);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
	if (st.st_size < 0 || st.st_size > FILE_MAX)
		return hf_fail(err, HF_E_LIMIT, "%.*s: over %d bytes", HF_SV_FMT(path), FILE_MAX);
	struct hf_mapping *m = hf_calloc(1, sizeof *m);
	int r = hf_mapping_open(m, fd, 0, (size_t)st.st_size, err);
	if (r < 0) {
		free(m);
		return r;
	}
	*ret = (struct hf_root_file){ .bytes = { m->ptr, m->len }, .handle = m };
	return HF_OK;
}

static void close_file(void *ctx, struct hf_root_file *file)
{
	(void)ctx;
	if (file->handle)
		hf_mapping_close(file->handle);
	free(file->handle);
	*file = (struct hf_root_file){ 0 };
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* One layer's names; what an upper layer hides is sorted out by looking each name up. */
static int list_layer(struct view *v, int layer, hf_sv path, int (*name)(void *arg, hf_sv name), void *arg,
		      struct hf_err *err)
{
	int fd = open_in(layer, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char full[HF_PATH_MAX];
	struct dirent *e;
	int r = HF_OK;

	if (!dir) {
		hf_fd_close(&fd);
		return HF_OK; /* this layer has no such folder */
	}
	while (!r && (e = readdir(dir))) {
		struct stat st;
		int n = snprintf(full, sizeof full, "%.*s%s%s", HF_SV_FMT(path), path.len ? "/" : "", e->d_name);
		if (is_dots(e->d_name) || n < 0 || (size_t)n >= sizeof full)
			continue;
		int shown = find(v->root, v->with_upper, (hf_sv){ full, (size_t)n }, false, &st, err);
		if (shown < 0)
			continue;
		hf_fd_close(&shown);
		r = name(arg, hf_sv_of(e->d_name));
	}
	closedir(dir);
	return r;
}

/* A name that several layers have comes several times. */
static int list(void *ctx, hf_sv path, int (*name)(void *arg, hf_sv name), void *arg, struct hf_err *err)
{
	struct view *v = ctx;
	int r = HF_OK;

	for (size_t i = v->with_upper && v->root->upper >= 0 ? 0 : 1; !r && i <= v->root->layers_n; i++) {
		int layer = i ? v->root->layers[i - 1] : v->root->upper;
		r = list_layer(v, layer, path, name, arg, err);
		if (!r && hides_below(v->root, layer, path) != GO_ON)
			break;
	}
	return r;
}

struct hf_root hf_live_root_view(struct hf_live_root *root, enum hf_live_view view)
{
	struct view *v = &root->views[view];

	*v = (struct view){ .root = root, .with_upper = view == HF_LIVE_MERGED };
	return (struct hf_root){ .look = look, .open = open_file, .close = close_file, .list = list, .ctx = v };
}

int hf_live_root_open_image(struct hf_live_root *root, hf_sv path, struct hf_err *err)
{
	return open_view(root, false, path, err);
}

int hf_live_root_open_upper(struct hf_live_root *root, hf_sv path, struct hf_err *err)
{
	struct stat st;
	int hf_cleanup(hf_fd_close) fd = root->upper < 0 ? -1 : open_in(root->upper, path, O_PATH);

	if (root->upper < 0 || (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)))
		return hf_fail(err, HF_E_MISSING, "%.*s: not in the writable layer", HF_SV_FMT(path));
	if (fd < 0 || fstat(fd, &st))
		return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
	if (is_whiteout(root, fd, &st))
		return hf_fail(err, HF_E_MISSING, "%.*s: was removed", HF_SV_FMT(path));
	return reopen(fd, &st, path, err);
}

int hf_live_root_open_origin(struct hf_live_root *root, int upper_file, struct hf_err *err)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + HANDLE_MAX];
	} h;
	struct hf_overlay_origin origin;
	char mark[MARK_MAX];
	ssize_t n = mark_of(root, upper_file, "origin", mark, sizeof mark);

	if (n < 0 || !hf_overlay_origin((hf_sv){ mark, (size_t)n }, &origin) || origin.handle.len > HANDLE_MAX)
		return hf_fail(err, HF_E_MISSING, "it was not copied from the image");
	h.head.handle_bytes = (unsigned)origin.handle.len;
	h.head.handle_type = origin.type;
	memcpy(h.head.f_handle, origin.handle.ptr, origin.handle.len);
	for (size_t i = 0; i < root->layers_n; i++) {
		struct stat st;
		int fd = open_by_handle_at(root->layers[i], &h.head, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			continue;
		if (!fstat(fd, &st) && S_ISREG(st.st_mode))
			return fd;
		hf_fd_close(&fd);
	}
	return hf_fail(err, HF_E_MISSING, "what it was copied from is gone");
}

bool hf_live_root_is_metacopy(const struct hf_live_root *root, int upper_file)
{
	return root->is_overlay && has_mark(root, upper_file, "metacopy");
}

void hf_live_root_close(struct hf_live_root *root)
{
	if (!root)
		return;
	hf_fd_close(&root->upper);
	for (size_t i = 0; i < root->layers_n; i++)
		hf_fd_close(&root->layers[i]);
	free(root);
}

static struct hf_live_root *make_root(void)
{
	struct hf_live_root *r = hf_calloc(1, sizeof *r);

	r->upper = -1;
	return r;
}

int hf_live_root_open_folder(const char *path, struct hf_live_root **ret, struct hf_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return hf_fail_errno(err, "%s", path);
	*ret = make_root();
	(*ret)->layers[(*ret)->layers_n++] = fd;
	return HF_OK;
}

static int open_folder(int base, hf_sv path)
{
	char buffer[HF_PATH_MAX];
	const char *name = name_of(path, buffer);

	if (!name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_relative(hf_sv path)
{
	return path.len && path.ptr[0] != '/';
}

static int try_base(hf_sv folder, const struct hf_overlay *o)
{
	int base = open_folder(AT_FDCWD, folder.len ? folder : HF_SV("/"));

	for (size_t i = 0; base >= 0 && i < o->lowers_n; i++) {
		int hf_cleanup(hf_fd_close) fd = is_relative(o->lowers[i]) ? open_folder(base, o->lowers[i]) : -1;
		if (fd < 0 && is_relative(o->lowers[i]))
			hf_fd_close(&base);
	}
	return base;
}

/* Engines with many layers go to a folder of theirs and name the layers from there, since the options must fit one page: Docker
 * to the folder that also holds ID/merged, containerd to one above the upper folder. It is the one that holds all of them. */
static int base_of(const struct hf_overlay *o, struct hf_arena *a)
{
	struct hf_buf hf_cleanup(hf_buf_done) own = HF_BUF(MOUNTINFO_MAX);
	hf_sv places[PLACES_MAX + 2];
	size_t n = 0;
	int base = -1;

	places[n++] = o->upper;
	places[n++] = o->work;
	if (hf_live_mountinfo((uint64_t)getpid(), &own, NULL) == HF_OK)
		n += hf_mounts_of_device(hf_buf_view(&own), o->major, o->minor, a, places + n, PLACES_MAX);
	for (size_t i = 0; base < 0 && i < n; i++) {
		if (is_relative(places[i]))
			continue;
		for (hf_sv folder = hf_sv_dirname(places[i]); base < 0 && folder.len; folder = hf_sv_dirname(folder))
			base = try_base(folder, o);
	}
	return base;
}

static int open_layers(struct hf_live_root *r, const struct hf_overlay *o, struct hf_arena *a, struct hf_err *err)
{
	bool relative = is_relative(o->upper);

	for (size_t i = 0; i < o->lowers_n; i++)
		relative |= is_relative(o->lowers[i]);
	int hf_cleanup(hf_fd_close) base = relative ? base_of(o, a) : open("/", O_PATH | O_CLOEXEC);
	if (base < 0)
		return hf_fail(err, HF_E_UNSUPPORTED, "its layers are named from a folder that cannot be told");
	for (size_t i = 0; i < o->lowers_n; i++) {
		int fd = open_folder(base, o->lowers[i]);
		if (fd < 0)
			return hf_fail_errno(err, "layer %.*s", HF_SV_FMT(o->lowers[i]));
		r->layers[r->layers_n++] = fd;
	}
	if (!o->upper.len)
		return HF_OK;
	r->upper = open_folder(base, o->upper);
	return r->upper < 0 ? hf_fail_errno(err, "writable layer %.*s", HF_SV_FMT(o->upper)) : HF_OK;
}

int hf_live_root_open(hf_sv mountinfo, struct hf_live_root **ret, struct hf_err *err)
{
	struct hf_arena hf_cleanup(hf_arena_done) a = HF_ARENA(HF_MIB(8));
	struct hf_overlay o;
	int r = hf_overlay_of_mountinfo(mountinfo, &a, &o, err);

	if (r < 0)
		return r;
	if (o.data_n)
		return hf_fail(err, HF_E_UNSUPPORTED, "its overlay has folders of data alone");
	struct hf_live_root *root = make_root();
	root->is_overlay = true;
	root->userxattr = o.userxattr;
	r = open_layers(root, &o, &a, err);
	if (r < 0) {
		hf_live_root_close(root);
		return r;
	}
	*ret = root;
	return HF_OK;
}
