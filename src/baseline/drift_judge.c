/* How one question of drift is answered. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/file.h"
#include "baseline/drift.h"
#include "baseline/file_digest.h"
#include "baseline/package_managers.h"
#include "baseline/process_files.h"

enum { CONTAINERS = 1024, MOUNTS_MAX = 256 << 10, MOUNTS_TOTAL_MAX = 4 << 20 };
/* What one container may have read for digests, so that it does not keep the others waiting; for evidence alone only small files. */
#define SHARE_BYTES      ((int64_t)HF_MIB(48))
#define SHARE_PER_SECOND ((int64_t)HF_MIB(8))
#define EVIDENCE_BYTES   ((int64_t)HF_MIB(16))

struct saved {
	uint64_t container, used, device; /* of the root's overlay; 0: it has none */
	char *mounts;                     /* mountinfo, malloc */
	size_t len;
	int64_t share, share_ns; /* bytes that may be read for it, as of when */
};

struct hf_drift_judge {
	struct file_digests *digests;
	uint64_t file_max, clock;
	struct saved saved[CONTAINERS], others; /* others: whose container is not known share one */
	size_t saved_n, saved_bytes;
};

const char *hf_drift_name(enum hf_drift_state state)
{
	switch (state) {
	case HF_DRIFT_NEW:
		return "new";
	case HF_DRIFT_MODIFIED:
		return "modified";
	case HF_DRIFT_METADATA_ONLY:
		return "metadata_only";
	case HF_DRIFT_PACKAGE_MANAGER:
		return "package_manager";
	case HF_DRIFT_IMAGE:
		return "image";
	case HF_DRIFT_UNKNOWN:
		break;
	}
	return "unknown";
}

struct hf_drift_judge *hf_drift_judge_new(const struct hf_drift_options *o)
{
	struct hf_drift_judge *j = hf_calloc(1, sizeof *j);

	j->file_max = o && o->file_max ? o->file_max : 100000000;
	j->digests = file_digests_new(o && o->bytes_per_second ? o->bytes_per_second : HF_MIB(64), j->file_max);
	return j;
}

void hf_drift_judge_free(struct hf_drift_judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->saved_n; i++)
		free(j->saved[i].mounts);
	file_digests_free(j->digests);
	free(j);
}

void hf_drift_judge_stop(struct hf_drift_judge *j)
{
	file_digests_stop(j->digests);
}

void hf_drift_judge_count(const struct hf_drift_judge *j, struct hf_drift_count *count)
{
	file_digests_count(j->digests, &count->bytes, &count->cached);
}

static struct saved *saved_of(struct hf_drift_judge *j, uint64_t container)
{
	for (size_t i = 0; container && i < j->saved_n; i++)
		if (j->saved[i].container == container)
			return &j->saved[i];
	return NULL;
}

static struct saved *oldest(struct hf_drift_judge *j, const struct saved *but)
{
	struct saved *found = NULL;

	for (size_t i = 0; i < j->saved_n; i++)
		if (&j->saved[i] != but && j->saved[i].len && (!found || j->saved[i].used < found->used))
			found = &j->saved[i];
	return found;
}

static void forget(struct hf_drift_judge *j, struct saved *s)
{
	free(s->mounts);
	j->saved_bytes -= s->len;
	*s = (struct saved){ 0 };
}

/* A place for one more: new, left, or that of the one that was not asked for the longest. */
static struct saved *place(struct hf_drift_judge *j)
{
	if (j->saved_n < CONTAINERS)
		return &j->saved[j->saved_n++];
	for (size_t i = 0; i < j->saved_n; i++)
		if (!j->saved[i].len)
			return &j->saved[i];
	struct saved *s = oldest(j, NULL);
	forget(j, s);
	return s;
}

static uint64_t device_of(const struct hf_mount *m)
{
	return (uint64_t)m->major << 20 | m->minor;
}

/* Of the overlay that is the root; 0: none. */
static uint64_t root_device(hf_sv mounts)
{
	struct hf_arena hf_cleanup(hf_arena_done) a = HF_ARENA(HF_MIB(4));
	struct hf_mount m;

	return hf_mount_of_path(mounts, HF_SV("/"), &a, &m) && hf_sv_eq(m.type, HF_SV("overlay")) ? device_of(&m) : 0;
}

/* The first root that was seen is the container's: a process that made itself another one later does not change what the image is. */
static void keep(struct hf_drift_judge *j, uint64_t container, hf_sv mounts)
{
	if (!container || !mounts.len || mounts.len > MOUNTS_MAX)
		return;
	struct saved *s = saved_of(j, container);
	uint64_t device = root_device(mounts);
	if (s && s->device && s->device != device)
		return;
	if (!s)
		s = place(j);
	s->device = device;
	j->saved_bytes += mounts.len - s->len;
	s->container = container;
	s->used = ++j->clock;
	s->mounts = hf_realloc(s->mounts, mounts.len);
	memcpy(s->mounts, mounts.ptr, mounts.len);
	s->len = mounts.len;
	for (struct saved *o; j->saved_bytes > MOUNTS_TOTAL_MAX && (o = oldest(j, s));)
		forget(j, o);
}

void hf_drift_judge_learn(struct hf_drift_judge *j, uint64_t container, uint64_t pid)
{
	struct hf_buf hf_cleanup(hf_buf_done) mounts = HF_BUF(0);

	if (hf_live_mountinfo(pid, &mounts, NULL) == HF_OK)
		keep(j, container, hf_buf_view(&mounts));
}

uint64_t hf_drift_judge_root(struct hf_drift_judge *j, uint64_t container)
{
	const struct saved *s = saved_of(j, container);

	return s ? s->device : 0;
}

/* One question at work. */
struct task {
	struct hf_drift_judge *j;
	const struct hf_drift_question *q;
	struct hf_drift_answer *out;
	struct hf_live_root *root;
	hf_sv mounts, own;    /* the container's, and its process's: empty where it is gone */
	uint64_t root_device; /* 0: not known */
	bool alive;           /* q->pid is the process that is meant */
	bool real_name;       /* q->path is not what was asked for but what the process's link says */
	char path[HF_PATH_MAX];
	hf_sv real; /* the path with links followed, relative */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Whether the bytes of @fd may be read for this container now. Who read nothing for a while may read one file of any size, on credit. */
static bool may_read(struct task *t, int fd, bool evidence)
{
	struct saved *own = saved_of(t->j, t->q->container), *s = own ? own : &t->j->others;
	int64_t now = now_ns(), since = now - s->share_ns, full = SHARE_BYTES;
	struct stat st;

	if (fstat(fd, &st) || file_digests_known(t->j->digests, fd))
		return true;
	if (!s->share_ns || since > 3600 * INT64_C(1000000000))
		s->share = full;
	else
		s->share += (int64_t)((double)since * (double)SHARE_PER_SECOND / 1e9);
	s->share = s->share > full ? full : s->share;
	s->share_ns = now;
	if (st.st_size > s->share && (evidence || s->share < full / 2))
		return false;
	if (evidence && st.st_size > EVIDENCE_BYTES)
		return false;
	s->share -= st.st_size;
	return true;
}

/* For evidence alone: the answer stands without it. */
static void note_digest(struct task *t, int fd, char out[HF_DIGEST_TEXT_MAX])
{
	struct hf_err err = { 0 };

	if (!may_read(t, fd, true) || file_digests_get(t->j->digests, fd, out, &err) < 0)
		out[0] = 0;
}

static void hf_printf(3, 4) say(struct task *t, enum hf_drift_state state, const char *fmt, ...)
{
	va_list args;
	char text[1024];

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	hf_escape_controls(t->out->reason, sizeof t->out->reason, hf_sv_of(text));
	t->out->state = state;
}

/* False where it cannot be told; the reason is said. @out may be NULL: the answer has no room for it. */
static bool digest_of(struct task *t, int fd, const char *whose, char out[HF_DIGEST_TEXT_MAX])
{
	struct hf_err err = { 0 };

	if (file_digests_get(t->j->digests, fd, out, &err) == HF_OK)
		return true;
	say(t, HF_DRIFT_UNKNOWN, "%s: %s", whose, err.msg);
	return false;
}

/* The file that ran against one of the image's. */
static void compare(struct task *t, int fd, int image, bool elsewhere)
{
	struct stat here, there;

	if (fstat(fd, &here) || fstat(image, &there)) {
		say(t, HF_DRIFT_UNKNOWN, "cannot be looked at");
		return;
	}
	const char *what = elsewhere ? "a file of the image under another name" : "the image's file";
	if (here.st_size != there.st_size) {
		say(t, HF_DRIFT_MODIFIED, "was %s and has another size", what);
		note_digest(t, fd, t->out->digest);
		note_digest(t, image, t->out->image_digest);
		return;
	}
	if ((uint64_t)here.st_size <= t->j->file_max && !may_read(t, fd, false)) {
		say(t, HF_DRIFT_UNKNOWN, "so much was read for its container that others come first");
		return;
	}
	if (!digest_of(t, fd, "the file", t->out->digest) ||
	    !digest_of(t, image, "the image's file", t->out->image_digest))
		return;
	if (!strcmp(t->out->digest, t->out->image_digest))
		say(t, HF_DRIFT_METADATA_ONLY, "has the bytes of %s", what);
	else
		say(t, HF_DRIFT_MODIFIED, "was %s and has other bytes", what);
}

static void call_new(struct task *t, int fd, const char *why)
{
	say(t, HF_DRIFT_NEW, "%s", why);
	if (fd >= 0)
		note_digest(t, fd, t->out->digest);
}

/* @fd: the file that ran, which is not a lower layer's at that path. @upper: it was opened in the writable layer. */
static void judge_written(struct task *t, int fd, bool upper)
{
	struct hf_err err = { 0 };
	int hf_cleanup(hf_fd_close) image = hf_live_root_open_image(t->root, t->real, &err);

	if (upper && hf_live_root_is_metacopy(t->root, fd)) {
		say(t, HF_DRIFT_METADATA_ONLY, "its bytes are still the image's");
		return;
	}
	if (image >= 0) {
		compare(t, fd, image, false);
		return;
	}
	bool replaced = image == HF_E_UNSUPPORTED;
	int hf_cleanup(hf_fd_close) origin = upper ? hf_live_root_open_origin(t->root, fd, &err) : -1;
	if (origin >= 0)
		compare(t, fd, origin, true);
	else if (image != HF_E_MISSING && !replaced)
		say(t, HF_DRIFT_UNKNOWN, "%s", err.msg);
	else
		call_new(t, fd, replaced ? "the image has no regular file there" : "the image has no such file");
}

static bool is_meant(const struct hf_drift_question *q, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	if (!q->inode || q->inode == st.st_ino)
		return true;
	return q->size == (uint64_t)st.st_size && q->modified_ns &&
	       q->modified_ns == (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* A file that was copied up keeps, through the overlay, the inode number of what it was copied from. */
static bool is_meant_upper(struct task *t, int fd)
{
	struct hf_err err = { 0 };
	struct stat st;

	if (is_meant(t->q, fd))
		return true;
	int hf_cleanup(hf_fd_close) origin = hf_live_root_open_origin(t->root, fd, &err);
	return origin >= 0 && !fstat(origin, &st) && st.st_ino == t->q->inode;
}

/* Of the image's mounts and those in memory alone: any other file system may be served by one who never answers. */
static bool may_open(struct task *t, int fd)
{
	struct hf_mount m;
	uint64_t device, mount = process_file_mount(fd, &device);

	if (mount && (hf_mount_of_id(t->own, mount, &m) || hf_mount_of_id(t->mounts, mount, &m)))
		return (hf_sv_eq(m.type, HF_SV("overlay")) && device_of(&m) == t->root_device) ||
		       hf_sv_eq(m.type, HF_SV("tmpfs")) || hf_sv_eq(m.type, HF_SV("ramfs"));
	uint64_t kernels = (uint64_t)major(device) << 20 | minor(device);
	return t->q->memory ? !t->q->device || kernels == t->q->device : kernels && kernels == t->root_device;
}

/* The file as the process has it, which also works when its name is gone. */
static int open_of_process(struct task *t, struct hf_err *err)
{
	const struct hf_drift_question *q = t->q;

	if (!t->alive)
		return hf_fail(err, HF_E_MISSING, "its process is gone");
	int hf_cleanup(hf_fd_close) fd =
		q->is_map ? process_find_map(q->pid, q->path, err) : process_find_program(q->pid, err);
	if (fd < 0)
		return fd;
	if (!may_open(t, fd))
		return hf_fail(err, HF_E_UNSUPPORTED, "lies on a file system that is not opened");
	return process_file_reopen(fd, err);
}

/* Nobody has the file any more that was in the writable layer. What the image has at its path tells most of it. */
static void judge_lost(struct task *t, const char *why)
{
	struct hf_root image = hf_live_root_view(t->root, HF_LIVE_IMAGE);
	struct hf_root_entry e;
	struct hf_err err = { 0 };
	hf_sv real;

	int r = hf_root_resolve(&image, t->q->path, t->path, &real, &e, &err);
	if (r == HF_E_MISSING)
		say(t, HF_DRIFT_NEW, "the image has no such file; %s", why);
	else if (r == HF_OK && (e.type != HF_ROOT_FILE || (t->q->size && t->q->size != e.size)))
		say(t, HF_DRIFT_MODIFIED, "is not the image's file, which has another size; %s", why);
	else
		say(t, HF_DRIFT_UNKNOWN, "was written by the container, and %s", why);
}

static void judge_held(struct task *t)
{
	struct hf_err err = { 0 };
	int hf_cleanup(hf_fd_close) fd = open_of_process(t, &err);

	if (t->q->memory)
		call_new(t, fd, "lies in memory alone");
	else if (fd >= 0 && is_meant(t->q, fd))
		judge_written(t, fd, false);
	else if (t->q->upper)
		judge_lost(t, fd < 0 ? err.msg : "its process now runs another file");
	else if (fd < 0)
		say(t, HF_DRIFT_UNKNOWN, "was deleted, and %s", err.msg);
	else
		say(t, HF_DRIFT_UNKNOWN, "was deleted, and its process now runs another file");
}

static bool judge_mount(struct task *t);
static void judge_path(struct task *t);

/* The path that is known names the image's file in the container's root, and that is not the one that ran: its process had a root
 * of its own. Its link tells the path from the top of the namespace. */
static void judge_elsewhere(struct task *t)
{
	struct hf_err err = { 0 };
	char name[HF_PATH_MAX];
	hf_sv real = t->alive && !t->q->is_map && !t->real_name ? process_program_path(t->q->pid, name) : (hf_sv){ 0 };
	int hf_cleanup(hf_fd_close) fd = open_of_process(t, &err);

	if (fd >= 0 && !is_meant(t->q, fd))
		hf_fd_close(&fd);
	if (fd >= 0 && real.len && !hf_sv_eq(real, t->q->path)) {
		struct hf_drift_question q = *t->q;
		struct task again = *t;
		q.path = real;
		again.q = &q;
		again.real_name = true;
		if (!judge_mount(&again))
			judge_path(&again);
	} else if (t->q->upper || fd >= 0) {
		call_new(t, fd, "the image's file of that path is another");
	} else {
		say(t, HF_DRIFT_UNKNOWN, "the image's file of that path is another, and %s", err.msg);
	}
}

/* Of the image itself: there is no file of the writable layer at @real. */
static void judge_lower(struct task *t)
{
	struct hf_err err = { 0 };
	int hf_cleanup(hf_fd_close) image = hf_live_root_open_image(t->root, t->real, &err);

	if (image < 0) {
		say(t, HF_DRIFT_UNKNOWN, "%s", err.msg);
		return;
	}
	if (t->q->upper || !is_meant(t->q, image)) {
		judge_elsewhere(t);
		return;
	}
	say(t, HF_DRIFT_IMAGE, "is the image's file");
	note_digest(t, image, t->out->digest);
	memcpy(t->out->image_digest, t->out->digest, sizeof t->out->digest);
}

static void judge_path(struct task *t)
{
	struct hf_root merged = hf_live_root_view(t->root, HF_LIVE_MERGED);
	struct hf_root_entry e;
	struct hf_err err = { 0 };

	int r = hf_root_resolve(&merged, t->q->path, t->path, &t->real, &e, &err);
	if (r == HF_E_MISSING) {
		judge_held(t);
		return;
	}
	if (r < 0 || e.type != HF_ROOT_FILE) {
		say(t, HF_DRIFT_UNKNOWN, "%s", r < 0 ? err.msg : "is not a regular file");
		return;
	}
	int hf_cleanup(hf_fd_close) fd = hf_live_root_open_upper(t->root, t->real, &err);
	if (fd == HF_E_MISSING)
		judge_lower(t);
	else if (fd < 0)
		say(t, HF_DRIFT_UNKNOWN, "%s", err.msg);
	else if (is_meant_upper(t, fd))
		judge_written(t, fd, true);
	else
		judge_held(t);
}

/* A file on another mount is not the image's. */
static bool judge_mount(struct task *t)
{
	struct hf_arena hf_cleanup(hf_arena_done) a = HF_ARENA(HF_MIB(4));
	hf_sv mounts = t->real_name ? t->own : t->mounts;
	bool foreign = t->q->device && t->root_device && t->q->device != t->root_device;
	struct hf_err err = { 0 };
	struct hf_mount m;

	if (!hf_mount_of_path(mounts, t->q->path, &a, &m) || hf_sv_eq(m.point, HF_SV("/"))) {
		if (foreign && !t->q->deleted)
			call_new(t, -1, "lies on a file system that is not the container's");
		return foreign && !t->q->deleted;
	}
	bool in_memory = hf_sv_eq(m.type, HF_SV("tmpfs")) || hf_sv_eq(m.type, HF_SV("ramfs"));
	if (!in_memory && !hf_sv_eq(m.type, HF_SV("overlay"))) {
		say(t, HF_DRIFT_UNKNOWN, "lies on the mount %.*s (%.*s), which is not the image's", HF_SV_FMT(m.point),
		    HF_SV_FMT(m.type));
		return true;
	}
	int hf_cleanup(hf_fd_close) fd = open_of_process(t, &err);
	call_new(t, fd, in_memory ? "lies on a file system in memory" : "lies on an overlay that is not the image's");
	return true;
}

/* The program of a package manager counts where the image has it, unchanged. */
static bool is_image_file(void *ctx, hf_sv path)
{
	struct task *outer = ctx;
	struct hf_drift_question q = { .path = path, .is_map = true };
	struct hf_drift_answer answer = { 0 };
	struct task t = { .j = outer->j, .q = &q, .out = &answer, .root = outer->root, .mounts = outer->mounts };

	judge_path(&t);
	return answer.state == HF_DRIFT_IMAGE || answer.state == HF_DRIFT_METADATA_ONLY;
}

static void look_for_package_manager(struct task *t)
{
	hf_sv who;

	if ((t->out->state == HF_DRIFT_NEW || t->out->state == HF_DRIFT_MODIFIED) &&
	    package_manager_among(t->q->ancestors, t->q->ancestors_n, is_image_file, t, &who))
		say(t, HF_DRIFT_PACKAGE_MANAGER, "%s, and runs below %.*s", hf_drift_name(t->out->state),
		    HF_SV_FMT(who));
}

void hf_drift_judge_ask(struct hf_drift_judge *j, const struct hf_drift_question *q, struct hf_drift_answer *ret)
{
	struct hf_buf hf_cleanup(hf_buf_done) own = HF_BUF(0);
	struct task t = { .j = j, .q = q, .out = ret };
	struct hf_err err = { 0 };

	*ret = (struct hf_drift_answer){ .id = q->id };
	t.alive = q->pid && process_is(q->pid, q->start_ns);
	if (t.alive && hf_live_mountinfo(q->pid, &own, &err) == HF_OK && own.len)
		keep(j, q->container, hf_buf_view(&own));
	struct saved *s = saved_of(j, q->container);
	t.own = hf_buf_view(&own);
	t.mounts = s && s->len ? (hf_sv){ s->mounts, s->len } : t.own;
	if (!t.mounts.len) {
		say(&t, HF_DRIFT_UNKNOWN, "nothing is known of its container's mounts%s",
		    t.alive ? "" : ", and its process is gone");
		return;
	}
	if (s)
		s->used = ++j->clock;
	t.root_device = root_device(t.mounts);
	if (q->memory) {
		judge_held(&t);
		return;
	}
	if (!q->path.len || q->path.ptr[0] != '/') {
		say(&t, HF_DRIFT_UNKNOWN, "its path is not known");
		return;
	}
	if (hf_live_root_open(t.mounts, &t.root, &err) < 0) {
		say(&t, HF_DRIFT_UNKNOWN, "%s", err.msg);
		return;
	}
	t.real = hf_sv_skip(q->path, 1);
	if (!judge_mount(&t))
		(q->deleted ? judge_held : judge_path)(&t);
	look_for_package_manager(&t);
	hf_live_root_close(t.root);
}
