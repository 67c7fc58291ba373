/* A folder as a layer: each folder's names in the order of bytes, so that the result does not depend on the file
 * system. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "layers/walk.h"

enum { SMALL = 64 << 10, HEAD = 64 };

struct folder {
	DIR *dir;
	char **names;
	size_t n, at;
	size_t path_len; /* of the path up to and with this folder */
	dev_t dev;
};

struct tree {
	struct walk *w;
	struct folder stack[HF_PATH_DEPTH_MAX];
	size_t depth;
	char path[HF_PATH_MAX];
	char link[HF_PATH_MAX];
	char small[SMALL];
};

static hf_sv path_of(const struct tree *t, size_t len)
{
	return (hf_sv){ t->path, len };
}

static int complain(struct tree *t, size_t len, struct hf_err *err)
{
	char why[128];

	return walk_unparsed(t->w, path_of(t, len), strerror_r(errno, why, sizeof why), err);
}

/* File systems that hold no files but the kernel's answers. */
static bool is_pseudo(int fd)
{
	static const unsigned magics[] = { PROC_SUPER_MAGIC,
					   SYSFS_MAGIC,
					   CGROUP_SUPER_MAGIC,
					   CGROUP2_SUPER_MAGIC,
					   DEBUGFS_MAGIC,
					   TRACEFS_MAGIC,
					   SECURITYFS_MAGIC,
					   BPF_FS_MAGIC,
					   PSTOREFS_MAGIC,
					   EFIVARFS_MAGIC,
					   DEVPTS_SUPER_MAGIC,
					   BINFMTFS_MAGIC,
					   SELINUX_MAGIC,
					   NSFS_MAGIC,
					   AUTOFS_SUPER_MAGIC,
					   HUGETLBFS_MAGIC,
					   0x62656570 /* configfs */,
					   0x65735543 /* fusectl */,
					   0x19800202 /* mqueue */,
					   0x67596969 /* rpc_pipefs */ };
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	for (size_t i = 0; i < HF_ARRAY_SIZE(magics); i++)
		if ((unsigned)fs.f_type == magics[i])
			return true;
	return false;
}

/* On the machine itself these are the kernel's and of this boot, whatever is mounted there. */
static bool is_passed_over(const struct tree *t, size_t len)
{
	static const hf_sv names[] = { HF_SV_INIT("proc"), HF_SV_INIT("sys"), HF_SV_INIT("dev"), HF_SV_INIT("run") };

	for (size_t i = 0; t->w->source->kind->skips_pseudo && i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_eq(path_of(t, len), names[i]))
			return true;
	return false;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_names(struct folder *f)
{
	size_t slots = 0;

	for (const struct dirent *d; (d = readdir(f->dir));) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (f->n == slots) {
			slots = slots ? 2 * slots : 32;
			f->names = hf_realloc(f->names, slots * sizeof *f->names);
		}
		size_t len = strlen(d->d_name) + 1;
		f->names[f->n] = memcpy(hf_malloc(len), d->d_name, len);
		f->n++;
	}
	if (f->n)
		qsort(f->names, f->n, sizeof *f->names, by_bytes);
}

static void leave(struct tree *t)
{
	struct folder *f = &t->stack[--t->depth];

	while (f->at < f->n)
		free(f->names[f->at++]);
	free(f->names);
	closedir(f->dir);
}

/* Takes the folder open at @fd (-1: errno says why not) onto the stack. */
static int enter(struct tree *t, int fd, size_t len, struct hf_err *err)
{
	struct stat st;

	if (fd < 0)
		return complain(t, len, err);
	if (t->depth == HF_PATH_DEPTH_MAX) {
		close(fd);
		return walk_unparsed(t->w, path_of(t, len), hf_path_complaint(HF_PATH_TOO_DEEP), err);
	}
	if (fstat(fd, &st) || (t->depth && st.st_dev != t->stack[t->depth - 1].dev && is_pseudo(fd))) {
		close(fd);
		return HF_OK;
	}
	struct folder f = { .dir = fdopendir(fd), .path_len = len, .dev = st.st_dev };
	if (!f.dir) {
		int r = complain(t, len, err);
		close(fd);
		return r;
	}
	errno = 0;
	read_names(&f);
	t->stack[t->depth++] = f;
	return errno ? complain(t, len, err) : HF_OK;
}

static int deliver_content(struct tree *t, const struct hf_entry *e, int fd, struct hf_err *err)
{
	struct hf_layer_visitor *v = t->w->v;
	struct hf_mapping m;
	struct hf_err why = { 0 };

	if (e->size <= SMALL) {
		ssize_t n = pread(fd, t->small, SMALL, 0);
		return n < 0 ? complain(t, e->path.len, err) : v->content(v, e, (hf_sv){ t->small, (size_t)n }, err);
	}
	if (hf_mapping_open(&m, fd, 0, (size_t)e->size, &why))
		return walk_unparsed(t->w, e->path, why.msg, err);
	int r = v->content(v, e, (hf_sv){ m.ptr, m.len }, err);
	bool torn = hf_mapping_torn(&m);
	hf_mapping_close(&m);
	return !r && torn ? walk_unparsed(t->w, e->path, "the file shrank while it was read", err) : r;
}

/* Opens a file that the folder showed as a regular one; -1 with errno. Never waits on a FIFO that took its place. */
static int open_file(int dir, const char *name, struct hf_entry *e)
{
	hf_cleanup(hf_fd_close) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = ESTALE;
		return -1;
	}
	e->size = (uint64_t)st.st_size;
	int opened = fd;
	fd = -1;
	return opened;
}

/* Opening costs more than all else here, so it is done for executables, whose head says what they are, and on demand.
 */
static int deliver_file(struct tree *t, int dir, const char *name, struct hf_entry *e, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = -1;
	char head[HEAD];
	bool wants = false, executable = e->mode & 0111;
	int failed = 0;

	if (executable) {
		fd = open_file(dir, name, e);
		ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
		failed = n < 0 ? errno : 0;
		e->head = (hf_sv){ head, n < 0 ? 0 : (size_t)n };
	}
	int r = t->w->v->entry(t->w->v, e, &wants, err);
	if (r)
		return r;
	if (wants && !executable && (fd = open_file(dir, name, e)) < 0)
		failed = errno;
	if (failed) {
		errno = failed;
		return complain(t, e->path.len, err);
	}
	return wants ? deliver_content(t, e, fd, err) : HF_OK;
}

/* One name of the folder @dir; *@ret_is_dir tells the caller to go into it. */
static int deliver(struct tree *t, int dir, const char *name, size_t len, bool *ret_is_dir, struct hf_err *err)
{
	struct hf_entry e = { .path = path_of(t, len) };
	struct stat st;
	bool wants = false;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? HF_OK : complain(t, len, err);
	e.mode = st.st_mode & 07777;
	e.mtime = st.st_mtime;
	int r = walk_count(t->w, err);
	if (r)
		return r;
	if (S_ISREG(st.st_mode)) {
		e.size = (uint64_t)st.st_size;
		return deliver_file(t, dir, name, &e, err);
	}
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(dir, name, t->link, sizeof t->link);
		if (n < 0)
			return complain(t, len, err);
		e.type = HF_ENTRY_SYMLINK;
		e.link = (hf_sv){ t->link, (size_t)n };
	} else {
		*ret_is_dir = S_ISDIR(st.st_mode);
		e.type = *ret_is_dir ? HF_ENTRY_DIR : HF_ENTRY_DEVICE;
	}
	return t->w->v->entry(t->w->v, &e, &wants, err);
}

static int step(struct tree *t, struct hf_err *err)
{
	struct folder *f = &t->stack[t->depth - 1];

	if (f->at == f->n) {
		leave(t);
		return HF_OK;
	}
	char *name = f->names[f->at++];
	size_t name_len = strlen(name), len = f->path_len;
	bool is_dir = false;
	int r;
	if (len + name_len + 2 > sizeof t->path) {
		free(name);
		return walk_unparsed(t->w, path_of(t, len), "names in it are longer than 4096 bytes", err);
	}
	if (len)
		t->path[len++] = '/';
	memcpy(t->path + len, name, name_len + 1);
	len += name_len;
	r = deliver(t, dirfd(f->dir), name, len, &is_dir, err);
	if (!r && is_dir && !is_passed_over(t, len))
		r = enter(t, openat(dirfd(f->dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
			  len, err);
	free(name);
	return r;
}

int walk_tree(struct walk *w, struct hf_err *err)
{
	struct tree *t = hf_calloc(1, sizeof *t);

	t->w = w;
	int r = enter(t, openat(w->source->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, err);
	while (!r && t->depth)
		r = step(t, err);
	while (t->depth)
		leave(t);
	free(t);
	return r;
}

int walk_tree_paths(struct walk *w, const hf_sv *paths, size_t n, struct hf_err *err)
{
	struct tree *t = hf_calloc(1, sizeof *t);
	int r = HF_OK;

	t->w = w;
	for (size_t i = 0; !r && i < n; i++) {
		hf_sv dir = hf_sv_dirname(paths[i]);
		bool is_dir = false;
		if (!paths[i].len || paths[i].len >= sizeof t->path || memchr(paths[i].ptr, 0, paths[i].len))
			continue;
		/* The parent first, in the same buffer: then the whole path, of which the last component is looked at.
		 */
		memcpy(t->path, dir.len ? dir.ptr : ".", dir.len ? dir.len : 1);
		t->path[dir.len ? dir.len : 1] = 0;
		hf_cleanup(hf_fd_close) int fd = hf_open_beneath(w->source->fd, t->path, O_PATH | O_DIRECTORY, false);
		memcpy(t->path, paths[i].ptr, paths[i].len);
		t->path[paths[i].len] = 0;
		if (fd >= 0)
			r = deliver(t, fd, t->path + (dir.len ? dir.len + 1 : 0), paths[i].len, &is_dir, err);
		else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			r = complain(t, paths[i].len, err);
	}
	free(t);
	return r;
}
