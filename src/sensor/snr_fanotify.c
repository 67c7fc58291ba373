#include "sensor/snr_fanotify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "sensor/fanotify_record.h"
#include "sensor/known.h"
#include "sensor/snr_perf.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* Linux 6.5: a handle that need not be opened, which overlay gives too */
#endif

enum {
	CONTAINERS_MAX = 4096,
	FOLDERS_MAX = 65536, /* of all containers */
	BUCKETS = 4096,
	KNOWN_DEFAULT = 32768,
	HANDLE_MAX = 128,
	DESCRIPTORS_AT_ONCE = 128, /* a read opens one for each event */
	READS_MAX = 512,           /* of one drain, so that a storm of files does not hold up the rest */
	NAMES_BUFFER = 16384,
};

static const uint64_t folder_mask = FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ATTRIB | FAN_ONDIR | FAN_EVENT_ON_CHILD;

struct container {
	uint64_t cgroup_id, device;
	uint32_t pid;
	hf_sv host_root; /* where the machine has its root mounted; empty: nowhere. On the heap */
};

/* A folder with a mark: by its handle an event's name is put together to a path. */
struct folder {
	struct folder *next; /* in the bucket */
	struct container *container;
	hf_sv handle, path; /* behind this struct */
	char bytes[];
};

struct watch {
	hf_sv path; /* without "/" at its end */
	bool folder, opens, builtin;
};

struct hf_files {
	const struct hf_feed *feed;
	struct hf_perf *perf;
	struct hf_arena arena; /* of the watches */
	HF_VEC(struct watch) watches;
	int contents, names, epoll; /* the two groups */
	uint32_t own_pid;
	struct container *containers[CONTAINERS_MAX];
	size_t containers_n, folders_n;
	struct folder *buckets[BUCKETS];
	struct hf_known known;
};

static const char *const builtin_folders[] = {
	"/bin/", "/sbin/",    "/usr/bin/",       "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/",
	"/lib/", "/usr/lib/", "/usr/local/lib/",
};

static void add_watch(struct hf_files *f, hf_sv path, bool opens, bool builtin)
{
	bool folder = hf_sv_ends(path, HF_SV("/"));
	hf_sv bare = folder ? hf_sv_first(path, path.len - 1) : path;

	for (size_t i = 0; i < f->watches.n; i++) {
		struct watch *w = &f->watches.at[i];
		if (w->folder != folder || !hf_sv_eq(w->path, bare))
			continue;
		w->opens |= opens;
		return;
	}
	struct watch *w = hf_vec_push(&f->arena, &f->watches);
	if (w)
		*w = (struct watch){ hf_arena_dup(&f->arena, bare), folder, opens, builtin };
}

/* The folder above each file, since there it is made, replaced and removed. */
static int add_watches(struct hf_files *f, const struct hf_files_options *options, struct hf_err *err)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(builtin_folders); i++)
		add_watch(f, hf_sv_of(builtin_folders[i]), false, true);
	for (size_t i = 0; i < options->watches_n; i++) {
		const struct hf_file_watch *w = &options->watches[i];
		if (w->path.len < 2 || w->path.len >= HF_PATH_MAX || w->path.ptr[0] != '/')
			continue;
		hf_sv bare = hf_sv_ends(w->path, HF_SV("/")) ? hf_sv_first(w->path, w->path.len - 1) : w->path;
		hf_sv above = hf_sv_first(bare, hf_sv_last_index(bare, '/') + 1);
		add_watch(f, w->path, w->opens, false);
		if (above.len > 1)
			add_watch(f, above, false, true);
	}
	return f->arena.over ? hf_fail(err, HF_E_LIMIT, "too many files to be watched") : 0;
}

static int open_group(unsigned flags, unsigned event_flags, const char *what, struct hf_err *err)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS | flags, event_flags);

	return fd < 0 ? hf_fail_errno(err, "fanotify for %s", what) : fd;
}

static int open_groups(struct hf_files *f, struct hf_err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	/* O_NONBLOCK: the kernel opens the file for us, which may be a fifo without a writer. */
	f->contents = open_group(0, O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK, "contents", err);
	if (f->contents < 0)
		return f->contents;
	f->names = open_group(FAN_REPORT_FID | FAN_REPORT_DFID_NAME, O_RDONLY, "names", err);
	if (f->names < 0)
		return f->names;
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (f->epoll < 0 || epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->contents, &event) < 0 ||
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->names, &event) < 0)
		return hf_fail_errno(err, "epoll");
	return 0;
}

int hf_files_open(const struct hf_files_options *options, const struct hf_feed *feed, struct hf_files **ret,
		  struct hf_err *err)
{
	struct hf_files *f = hf_calloc(1, sizeof *f);

	f->feed = feed;
	f->perf = options->perf;
	f->own_pid = (uint32_t)getpid();
	f->arena = HF_ARENA(HF_MIB(1));
	f->contents = f->names = f->epoll = -1;
	hf_known_init(&f->known, options->known_max ? options->known_max : KNOWN_DEFAULT);
	int code = add_watches(f, options, err);
	if (code >= 0)
		code = open_groups(f, err);
	if (code < 0) {
		hf_files_close(f);
		return code;
	}
	*ret = f;
	return 0;
}

static void container_free(struct container *c)
{
	free((char *)c->host_root.ptr);
	free(c);
}

void hf_files_close(struct hf_files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct folder *p = f->buckets[i], *next; p; p = next) {
			next = p->next;
			free(p);
		}
	}
	for (size_t i = 0; i < f->containers_n; i++)
		container_free(f->containers[i]);
	hf_fd_close(&f->contents);
	hf_fd_close(&f->names);
	hf_fd_close(&f->epoll);
	hf_known_done(&f->known);
	hf_arena_done(&f->arena);
	free(f);
}

int hf_files_fd(const struct hf_files *f)
{
	return f->epoll;
}

static struct folder **bucket_of(struct hf_files *f, hf_sv handle)
{
	return &f->buckets[hf_hash(handle) % BUCKETS];
}

static void folder_add(struct hf_files *f, struct container *c, hf_sv handle, hf_sv path)
{
	struct folder **bucket = bucket_of(f, handle);

	for (struct folder *p = *bucket; p; p = p->next)
		if (p->container == c && hf_sv_eq(p->handle, handle))
			return;
	if (f->folders_n >= FOLDERS_MAX)
		return;
	struct folder *p = hf_malloc(sizeof *p + handle.len + path.len);
	memcpy(p->bytes, handle.ptr, handle.len);
	memcpy(p->bytes + handle.len, path.ptr, path.len);
	p->container = c;
	p->handle = (hf_sv){ p->bytes, handle.len };
	p->path = (hf_sv){ p->bytes + handle.len, path.len };
	p->next = *bucket;
	*bucket = p;
	f->folders_n++;
}

/* Layers that two containers share give one handle for the folder in both: then it is the one that the process is in. */
static const struct folder *folder_find(struct hf_files *f, hf_sv handle, uint64_t cgroup_id)
{
	const struct folder *any = NULL;

	for (const struct folder *p = *bucket_of(f, handle); p; p = p->next) {
		if (!hf_sv_eq(p->handle, handle))
			continue;
		if (p->container->cgroup_id == cgroup_id)
			return p;
		any = p;
	}
	return any;
}

static int open_in_root(int root, hf_sv path, int flags)
{
	char text[HF_PATH_MAX + 1];
	struct open_how how = {
		.flags = (uint64_t)(flags | O_PATH | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	snprintf(text, sizeof text, "%.*s", HF_SV_FMT(path));
	return (int)syscall(SYS_openat2, root, text, &how, sizeof how);
}

/* The handle as events have it: file system, length, type, bytes. Empty where there is none. */
static hf_sv handle_of(int fd, char out[16 + HANDLE_MAX])
{
	struct {
		struct file_handle front;
		char bytes[HANDLE_MAX];
	} h = { .front.handle_bytes = HANDLE_MAX };
	struct statfs fs;
	int mount;

	if (fstatfs(fd, &fs) < 0)
		return (hf_sv){ 0 };
	if (name_to_handle_at(fd, "", &h.front, &mount, AT_EMPTY_PATH | AT_HANDLE_FID) < 0 &&
	    name_to_handle_at(fd, "", &h.front, &mount, AT_EMPTY_PATH) < 0)
		return (hf_sv){ 0 };
	memcpy(out, &fs.f_fsid, 8);
	memcpy(out + 8, &h.front, 8 + h.front.handle_bytes);
	return (hf_sv){ out, 16 + h.front.handle_bytes };
}

static int mark_folder(struct hf_files *f, struct container *c, int fd, const char *link, const struct watch *w)
{
	char handle[16 + HANDLE_MAX], path[HF_PATH_MAX];
	ssize_t n = readlink(link, path, sizeof path);
	hf_sv bytes = handle_of(fd, handle);

	if (n <= 0 || !bytes.len)
		return -1;
	if (fanotify_mark(f->names, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
			  folder_mask | (w->opens ? FAN_OPEN | FAN_MODIFY : 0), AT_FDCWD, link) < 0)
		return -1;
	folder_add(f, c, bytes, (hf_sv){ path, (size_t)n });
	return 0;
}

static int mark(struct hf_files *f, struct container *c, int root, const struct watch *w)
{
	char link[64];
	int fd = open_in_root(root, w->path, w->folder ? O_DIRECTORY : 0);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int code = w->folder ? mark_folder(f, c, fd, link, w)
			     : fanotify_mark(f->contents, FAN_MARK_ADD,
					     FAN_MODIFY | FAN_CLOSE_WRITE | (w->opens ? FAN_OPEN : 0), AT_FDCWD, link);
	hf_fd_close(&fd);
	return code;
}

static struct container *container_find(const struct hf_files *f, uint64_t cgroup_id)
{
	for (size_t i = 0; i < f->containers_n; i++)
		if (f->containers[i]->cgroup_id == cgroup_id)
			return f->containers[i];
	return NULL;
}

static struct container *container_of_device(const struct hf_files *f, uint64_t device)
{
	for (size_t i = 0; i < f->containers_n; i++)
		if (f->containers[i]->device == device)
			return f->containers[i];
	return NULL;
}

/* Where this machine's own mount table has the file system: a process of the machine that goes in that way has a longer path. */
static hf_sv host_root_of(uint64_t device)
{
	char line[HF_PATH_MAX + 512], point[HF_PATH_MAX];
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	unsigned major, minor;
	hf_sv found = { 0 };

	while (mounts && !found.len && fgets(line, sizeof line, mounts))
		if (sscanf(line, "%*u %*u %u:%u / %4095s", &major, &minor, point) == 3 &&
		    makedev(major, minor) == device && strcmp(point, "/") != 0)
			found = hf_sv_of(strdup(point));
	if (mounts)
		fclose(mounts);
	return found;
}

/* The root of a container's process; -1 where it is another one's by now (@device, 0: not known yet). */
static int open_root(uint32_t pid, uint64_t *device)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%u/root", pid);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || (*device && st.st_dev != *device)))
		hf_fd_close(&fd);
	if (fd >= 0)
		*device = st.st_dev;
	return fd;
}

int hf_files_container(struct hf_files *f, uint64_t cgroup_id, uint32_t pid, struct hf_err *err)
{
	uint64_t device = 0;
	struct stat host;
	int code = 0;

	if (container_find(f, cgroup_id))
		return 0;
	if (f->containers_n == CONTAINERS_MAX)
		return hf_fail(err, HF_E_LIMIT, "files of more than %d containers", CONTAINERS_MAX);
	int root = open_root(pid, &device);
	if (root < 0)
		return hf_fail(err, HF_E_MISSING, "the root of process %u", pid);
	if (stat("/", &host) == 0 && host.st_dev == device) {
		hf_fd_close(&root); /* the machine's own file system: a mark on it would cost every container */
		return hf_fail(err, HF_E_UNSUPPORTED, "process %u has the machine's root", pid);
	}
	struct container *c = hf_calloc(1, sizeof *c);
	*c = (struct container){ cgroup_id, device, pid, host_root_of(device) };
	f->containers[f->containers_n++] = c;
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", root);
	if (fanotify_mark(f->contents, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE, AT_FDCWD, link) < 0) {
		hf_fail_errno(err, "watching what is written in the root of process %u", pid);
		code = HF_PARTIAL;
	}
	for (size_t i = 0; i < f->watches.n; i++) {
		if (mark(f, c, root, &f->watches.at[i]) == 0)
			continue;
		if (!code)
			hf_fail_errno(err, "watching %.*s", HF_SV_FMT(f->watches.at[i].path));
		code = HF_PARTIAL;
	}
	hf_fd_close(&root);
	return code;
}

void hf_files_gone(struct hf_files *f, uint64_t cgroup_id)
{
	struct container *c = container_find(f, cgroup_id);

	if (!c)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct folder **at = &f->buckets[i]; *at;) {
			struct folder *p = *at;
			if (p->container != c) {
				at = &p->next;
				continue;
			}
			*at = p->next;
			free(p);
			f->folders_n--;
		}
	}
	for (size_t i = 0; i < f->containers_n; i++)
		if (f->containers[i] == c)
			f->containers[i] = f->containers[--f->containers_n];
	container_free(c);
}

/* What one event says, before it becomes an event of ours. */
struct seen {
	const struct container *container; /* NULL: a file on another file system */
	const char *operation;
	hf_sv path, old_path;
	const struct stat *st; /* NULL: not known */
	bool truncated;
	uint32_t pid;
};

static bool is_program(const struct seen *s)
{
	return (s->st && s->st->st_mode & 0111) || hf_sv_find(hf_sv_basename(s->path), HF_SV(".so")) != SIZE_MAX;
}

/* A chosen file, or one of a chosen folder: each execution that touches it is told of. */
static const struct watch *watch_of(const struct hf_files *f, hf_sv path)
{
	for (size_t i = 0; i < f->watches.n; i++) {
		const struct watch *w = &f->watches.at[i];
		if (!w->builtin && hf_sv_eq(w->path, w->folder ? hf_sv_dirname(path) : path))
			return w;
	}
	return NULL;
}

static bool is_known(struct hf_files *f, const struct seen *s, const struct hf_feed_process *process,
		     uint64_t cgroup_id)
{
	char object[2 * HF_PATH_MAX + 128];
	bool chosen = watch_of(f, s->path), program = is_program(s);
	/* A program that is written again is another program. */
	int n = snprintf(object, sizeof object, "%s:%lx:%x:%lx:%lx:%.*s:%.*s", s->operation,
			 chosen ? (unsigned long)process->execution : 0, chosen ? s->pid : 0,
			 program && s->st ? (unsigned long)s->st->st_mtim.tv_sec : 0,
			 program && s->st ? (unsigned long)s->st->st_mtim.tv_nsec : 0, HF_SV_FMT(s->path),
			 HF_SV_FMT(s->old_path));

	return hf_known_seen(&f->known, cgroup_id, hf_sv_first(hf_sv_of(object), (size_t)n));
}

static int take(struct hf_files *f, const struct seen *s, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_FILE };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	struct hf_feed_process process = f->feed->process(f->feed->ctx, s->pid, now_ns);
	uint64_t cgroup_id = s->container ? s->container->cgroup_id : process.cgroup_id;
	if (!s->container && process.unwanted)
		return 0;
	if (f->perf && strcmp(s->operation, "open") != 0 && is_program(s))
		hf_perf_forget(f->perf, cgroup_id);
	if (is_known(f, s, &process, cgroup_id)) {
		f->feed->count(f->feed->ctx, HF_EVENT_FILE, cgroup_id, HF_FATE_KNOWN, 1);
		return 0;
	}
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, now_ns);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, s->pid);
	if (cgroup_id)
		hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, cgroup_id);
	hf_event_set_string(&e, HF_FIELD_FILE_OPERATION, hf_sv_of(s->operation));
	if (s->path.len)
		hf_event_set_string(&e, HF_FIELD_FILE_PATH, s->path);
	if (s->old_path.len)
		hf_event_set_string(&e, HF_FIELD_FILE_PATH_OLD, s->old_path);
	hf_event_set_bool(&e, HF_FIELD_FILE_TRUNCATED, s->truncated);
	if (s->st) {
		hf_event_set_uint(&e, HF_FIELD_FILE_INODE, s->st->st_ino);
		hf_event_set_uint(&e, HF_FIELD_FILE_DEVICE,
				  (uint64_t)major(s->st->st_dev) << 20 | minor(s->st->st_dev));
		hf_event_set_bool(&e, HF_FIELD_FILE_EXECUTABLE, s->st->st_mode & 0111);
	}
	if (s->container && strcmp(s->operation, "open") != 0)
		hf_event_set_bool(&e, HF_FIELD_FILE_UPPER, true);
	return f->feed->take(f->feed->ctx, &e, err);
}

/* A chosen file or folder that has come (again) has an inode without a mark. */
static void mark_again(struct hf_files *f, const struct folder *folder, hf_sv path)
{
	struct container *c = folder->container;
	int root = -1;

	for (size_t i = 0; i < f->watches.n; i++) {
		if (!hf_sv_eq(f->watches.at[i].path, path))
			continue;
		if (root < 0)
			root = open_root(c->pid, &c->device);
		if (root >= 0)
			mark(f, c, root, &f->watches.at[i]);
	}
	hf_fd_close(&root);
}

/* The path of a name in a folder that has a mark; false where that is not known any more. */
static bool join(struct hf_files *f, const struct hf_fanotify_object *o, uint64_t cgroup_id, char out[2 * HF_PATH_MAX],
		 hf_sv *ret_path, const struct folder **ret_folder)
{
	const struct folder *folder = o->handle.len ? folder_find(f, o->handle, cgroup_id) : NULL;

	if (!folder)
		return false;
	hf_sv name = hf_sv_eq(o->name, HF_SV(".")) ? (hf_sv){ 0 } : o->name;
	int n = snprintf(out, 2 * HF_PATH_MAX, "%.*s%s%.*s", HF_SV_FMT(folder->path),
			 name.len && folder->path.len > 1 ? "/" : "", HF_SV_FMT(name));
	*ret_path = (hf_sv){ out, (size_t)n < 2 * HF_PATH_MAX ? (size_t)n : 2 * HF_PATH_MAX - 1 };
	*ret_folder = folder;
	return true;
}

static int take_name(struct hf_files *f, const struct hf_fanotify_event *e, struct hf_err *err)
{
	static const struct {
		uint64_t bits;
		const char *operation;
	} operations[] = {
		{ FAN_CREATE, "create" },     { FAN_DELETE, "delete" }, { FAN_RENAME, "rename" },
		{ FAN_ATTRIB, "attributes" }, { FAN_OPEN, "open" },     { FAN_MODIFY, "write" },
	};
	char path[2 * HF_PATH_MAX], old_path[2 * HF_PATH_MAX];
	struct seen s = { .pid = (uint32_t)e->pid };
	uint64_t cgroup_id = f->feed->process(f->feed->ctx, s.pid, 0).cgroup_id;
	const struct hf_fanotify_object *object = e->mask & FAN_RENAME ? &e->new_entry : &e->entry;
	const struct folder *folder = NULL, *old_folder = NULL;
	bool is_there = join(f, object, cgroup_id, path, &s.path, &folder);

	if (join(f, &e->old_entry, cgroup_id, old_path, &s.old_path, &old_folder) && !folder)
		folder = old_folder; /* moved to where nobody looks: gone */
	if (!folder) {
		f->feed->count(f->feed->ctx, HF_EVENT_FILE, cgroup_id, HF_FATE_DROPPED_UNREADABLE, 1);
		return 0;
	}
	s.container = folder->container;
	if (is_there && e->mask & (FAN_CREATE | FAN_RENAME))
		mark_again(f, folder, s.path);
	if (e->mask & FAN_ONDIR && e->mask & (FAN_OPEN | FAN_MODIFY))
		return 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++) {
		if (!(e->mask & operations[i].bits))
			continue;
		s.operation = operations[i].operation;
		int code = take(f, &s, err);
		if (code < 0)
			return code;
	}
	return 0;
}

static int take_content(struct hf_files *f, const struct hf_fanotify_event *e, struct hf_err *err)
{
	static const hf_sv deleted = HF_SV_INIT(" (deleted)");
	char link[64], path[HF_PATH_MAX];
	struct stat st;

	snprintf(link, sizeof link, "/proc/self/fd/%d", e->fd);
	ssize_t n = readlink(link, path, sizeof path);
	if (fstat(e->fd, &st) < 0) {
		f->feed->count(f->feed->ctx, HF_EVENT_FILE, 0, HF_FATE_DROPPED_UNREADABLE, 1);
		return 0;
	}
	struct seen s = {
		.container = container_of_device(f, st.st_dev),
		.path = { path, n > 0 ? (size_t)n : 0 },
		.st = &st,
		.truncated = n <= 0 || n == sizeof path,
		.pid = (uint32_t)e->pid,
	};
	if (st.st_nlink == 0 && hf_sv_ends(s.path, deleted))
		s.path = hf_sv_first(s.path, s.path.len - deleted.len);
	hf_sv root = s.container ? s.container->host_root : (hf_sv){ 0 };
	if (root.len && hf_sv_starts(s.path, root) && s.path.len > root.len && s.path.ptr[root.len] == '/')
		s.path = hf_sv_skip(s.path, root.len);
	int code = 0;
	if (e->mask & FAN_OPEN) {
		s.operation = "open";
		code = take(f, &s, err);
	}
	if (code >= 0 && e->mask & (FAN_MODIFY | FAN_CLOSE_WRITE)) {
		s.operation = "write";
		code = take(f, &s, err);
	}
	return code;
}

static int take_one(struct hf_files *f, const struct hf_fanotify_event *e, struct hf_err *err)
{
	if (e->mask & FAN_Q_OVERFLOW) { /* how many is not told: at least one */
		f->feed->count(f->feed->ctx, HF_EVENT_FILE, 0, HF_FATE_DROPPED_QUEUE, 1);
		return 0;
	}
	if ((uint32_t)e->pid == f->own_pid)
		return 0;
	return e->fd >= 0 ? take_content(f, e, err) : take_name(f, e, err);
}

/* Every descriptor of the buffer is closed, whatever becomes of the events. */
static int take_all(struct hf_files *f, hf_sv bytes, struct hf_err *err)
{
	struct hf_fanotify_event e;
	int code = 0, got;

	while ((got = hf_fanotify_next(&bytes, &e, NULL)) > 0) {
		if (code >= 0)
			code = take_one(f, &e, err);
		hf_fd_close(&e.fd);
	}
	if (got < 0)
		f->feed->count(f->feed->ctx, HF_EVENT_FILE, 0, HF_FATE_DROPPED_UNREADABLE, 1);
	return code;
}

static int drain_group(struct hf_files *f, int group, size_t room, struct hf_err *err)
{
	char bytes[NAMES_BUFFER] __attribute__((aligned(8)));
	int code = 0;

	for (size_t reads = 0; code >= 0 && reads < READS_MAX; reads++) {
		ssize_t n = read(group, bytes, room);
		if (n == 0 || (n < 0 && errno == EAGAIN))
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* the file could not be opened: that event is gone, the next one may do */
			f->feed->count(f->feed->ctx, HF_EVENT_FILE, 0, HF_FATE_DROPPED_UNREADABLE, 1);
		else
			code = take_all(f, (hf_sv){ bytes, (size_t)n }, err);
	}
	return code < 0 ? code : 0;
}

int hf_files_drain(struct hf_files *f, struct hf_err *err)
{
	int code = drain_group(f, f->contents, DESCRIPTORS_AT_ONCE * sizeof(struct fanotify_event_metadata), err);

	return code < 0 ? code : drain_group(f, f->names, NAMES_BUFFER, err);
}
