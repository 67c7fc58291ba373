#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/hash.h"
#include "base/limits.h"
#include "enforce/permission_shared.h"

enum {
	SLOTS = 64,
	CACHE = 4096, /* a power of two */
	ANSWER_NS = 20 * 1000000,
	EVENTS_BUFFER = 8192,
	PIECE = 1 << 16,
};
#define FILE_MAX (UINT64_C(256) << 20)

/* What tells a state of a file at a place. */
struct identity {
	uint64_t device, inode, size, path;
	int64_t modified_ns, changed_ns;
};

enum slot_state { SLOT_FREE, SLOT_ASKED, SLOT_KNOWN };

/* A file whose digest is asked for. Who waits for it: @waits; it may be let through long before the digest is there. */
struct slot {
	atomic_int state;
	int fd;
	bool waits, denied;
	uint64_t read_ns;
	struct identity id;
	struct hf_permission_told told;
};

struct server {
	const struct permission_setup *setup;
	int group, asked, known; /* eventfds: to the digests' thread and back */
	struct slot slots[SLOTS];
	struct {
		struct identity id;
		bool set, denied;
		char digest[80];
	} cache[CACHE];
	char events[EVENTS_BUFFER] __attribute__((aligned(8)));
};

uint64_t permission_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void permission_hurry(void)
{
	struct sched_param priority = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority) < 0)
		(void)setpriority(PRIO_PROCESS, 0, -10);
}

void permission_tell(const struct permission_setup *s, const struct hf_permission_told *told)
{
	if (write(s->told, told, sizeof *told) != (ssize_t)sizeof *told)
		atomic_fetch_add(&s->shared->untold, 1);
}

/* ---- the thread of digests ---- */

static bool read_digest(int fd, char out[HF_DIGEST_TEXT_MAX])
{
	static char piece[PIECE];
	static const hf_sv algorithm =
		HF_SV_INIT("sha256:0000000000000000000000000000000000000000000000000000000000000000");
	struct hf_digest *d = hf_digest_new(algorithm);
	uint64_t at = 0;
	ssize_t n;

	while (at < FILE_MAX && (n = pread(fd, piece, sizeof piece, (off_t)at)) > 0) {
		hf_digest_add(d, (hf_sv){ piece, (size_t)n });
		at += (uint64_t)n;
	}
	hf_digest_text(d, out);
	hf_digest_free(d);
	return at < FILE_MAX && n == 0;
}

static void judge(struct server *s, struct slot *slot)
{
	char digest[HF_DIGEST_TEXT_MAX];

	slot->denied = read_digest(slot->fd, digest) &&
		       hf_enforce_policy_denies_digest(
			       s->setup->policy, (hf_sv){ slot->told.path, slot->told.path_length }, hf_sv_of(digest));
	snprintf(slot->told.digest, sizeof slot->told.digest, "%.79s", digest);
}

static void take_command(struct server *s)
{
	char byte;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	int root = -1, code = 0;

	if (recvmsg(s->setup->commands, &m, MSG_CMSG_CLOEXEC) <= 0)
		_exit(0); /* the agent has closed it */
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof root))
		memcpy(&root, CMSG_DATA(c), sizeof root);
	if (fanotify_mark(s->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM, root, ".") < 0)
		code = errno;
	if (root >= 0)
		close(root);
	(void)send(s->setup->commands, &code, sizeof code, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void *digests(void *ctx)
{
	struct server *s = ctx;
	struct pollfd p[] = { { .fd = s->asked, .events = POLLIN }, { .fd = s->setup->commands, .events = POLLIN } };
	uint64_t n;

	for (;;) {
		poll(p, 2, -1);
		if (p[1].revents)
			take_command(s);
		if (!(p[0].revents & POLLIN) || read(s->asked, &n, sizeof n) < 0)
			continue;
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *slot = &s->slots[i];
			if (atomic_load(&slot->state) != SLOT_ASKED)
				continue;
			judge(s, slot);
			atomic_store(&slot->state, SLOT_KNOWN);
			n = 1;
			if (write(s->known, &n, sizeof n) < 0)
				_exit(1);
		}
	}
	return NULL;
}

/* ---- the thread that answers ---- */

static bool is_on(const struct permission_setup *s)
{
	return !atomic_load(&s->shared->off) && permission_now_ns() < s->until_ns;
}

static void answer(struct server *s, int fd, bool deny, uint64_t read_ns)
{
	struct permission_shared *shared = s->setup->shared;
	struct fanotify_response r = { .fd = fd, .response = deny ? FAN_DENY : FAN_ALLOW };

	if (write(s->group, &r, sizeof r) < 0 && errno != ENOENT)
		_exit(1); /* the group is closed by that, and all is let through */
	uint64_t took = permission_now_ns() - read_ns;
	atomic_fetch_add(&shared->answered, 1);
	if (deny)
		atomic_fetch_add(&shared->denied, 1);
	if (took > atomic_load(&shared->worst_ns))
		atomic_store(&shared->worst_ns, took);
}

/* A denied file is told with what is known of it. */
static void decide(struct server *s, int fd, bool denied, uint64_t read_ns, struct hf_permission_told *told)
{
	bool deny = denied && s->setup->deny && is_on(s->setup);

	answer(s, fd, deny, read_ns);
	if (!denied)
		return;
	told->kind = HF_PERMISSION_DENIED;
	told->dry = !deny;
	permission_tell(s->setup, told);
}

static bool identify(int fd, struct identity *id, struct hf_permission_told *told)
{
	static char link[32];
	struct stat st;
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, told->path, sizeof told->path);
	if (n <= 0 || fstat(fd, &st) < 0)
		return false;
	told->path_length = (uint32_t)n;
	told->device = st.st_dev;
	*id = (struct identity){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.path = hf_hash((hf_sv){ told->path, (size_t)n }),
		.modified_ns = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.changed_ns = st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
	};
	return S_ISREG(st.st_mode) && n < (ssize_t)sizeof told->path;
}

static size_t place_of(const struct identity *id)
{
	return (id->path ^ id->inode * UINT64_C(0x9e3779b97f4a7c15)) & (CACHE - 1);
}

static struct slot *free_slot(struct server *s)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (atomic_load(&s->slots[i].state) == SLOT_FREE)
			return &s->slots[i];
	return NULL;
}

static void let_through_late(struct server *s, int fd, uint64_t read_ns, struct hf_permission_told *told)
{
	answer(s, fd, false, read_ns);
	atomic_fetch_add(&s->setup->shared->late, 1);
	told->kind = HF_PERMISSION_LATE;
	permission_tell(s->setup, told);
}

static void take_event(struct server *s, const struct fanotify_event_metadata *e, uint64_t read_ns)
{
	static struct hf_permission_told told;
	struct identity id;
	uint64_t one = 1;

	told.pid = (uint32_t)e->pid;
	told.digest[0] = 0;
	if (told.pid == (uint32_t)getpid() || told.pid == s->setup->agent || !(e->mask & FAN_OPEN_EXEC_PERM) ||
	    !identify(e->fd, &id, &told)) {
		answer(s, e->fd, false, read_ns);
		close(e->fd);
		return;
	}
	size_t at = place_of(&id);
	if (s->cache[at].set && !memcmp(&s->cache[at].id, &id, sizeof id)) {
		memcpy(told.digest, s->cache[at].digest, sizeof told.digest);
		decide(s, e->fd, s->cache[at].denied, read_ns, &told);
		close(e->fd);
		return;
	}
	struct slot *slot = free_slot(s);
	if (!slot) {
		let_through_late(s, e->fd, read_ns, &told);
		close(e->fd);
		return;
	}
	slot->fd = e->fd;
	slot->waits = true;
	slot->read_ns = read_ns;
	slot->id = id;
	memcpy(&slot->told, &told, sizeof told);
	atomic_fetch_add(&s->setup->shared->waiting, 1);
	atomic_store(&slot->state, SLOT_ASKED);
	if (write(s->asked, &one, sizeof one) < 0)
		_exit(1);
}

static void read_events(struct server *s)
{
	struct permission_shared *shared = s->setup->shared;

	atomic_store(&shared->reading, 1);
	ssize_t n = read(s->group, s->events, sizeof s->events);
	uint64_t now = permission_now_ns();
	const struct fanotify_event_metadata *e = (const void *)s->events;
	for (; n > 0 && FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n))
		if (e->fd >= 0)
			take_event(s, e, now);
	atomic_store(&shared->reading, 0);
}

/* Answers what is known by now and what has waited long enough. How long nothing more needs doing; -1: nothing waits. */
static int look_at_slots(struct server *s)
{
	uint64_t now = permission_now_ns();
	int pause = -1;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &s->slots[i];
		int state = atomic_load(&slot->state);
		if (state == SLOT_FREE)
			continue;
		if (state == SLOT_ASKED && slot->waits && now - slot->read_ns < ANSWER_NS) {
			int left = (int)((ANSWER_NS - (now - slot->read_ns)) / 1000000) + 1;
			pause = pause < 0 || left < pause ? left : pause;
			continue;
		}
		if (state == SLOT_KNOWN) {
			size_t at = place_of(&slot->id);
			s->cache[at].id = slot->id;
			s->cache[at].set = true;
			s->cache[at].denied = slot->denied;
			memcpy(s->cache[at].digest, slot->told.digest, sizeof s->cache[at].digest);
			if (slot->waits)
				decide(s, slot->fd, slot->denied, slot->read_ns, &slot->told);
		} else if (slot->waits) {
			static struct hf_permission_told told; /* the slot is the other thread's now */
			told.pid = slot->told.pid;
			told.path_length = slot->told.path_length;
			memcpy(told.path, slot->told.path, sizeof told.path);
			let_through_late(s, slot->fd, slot->read_ns, &told);
		}
		if (slot->waits)
			atomic_fetch_sub(&s->setup->shared->waiting, 1);
		slot->waits = false;
		if (state == SLOT_KNOWN) {
			close(slot->fd);
			atomic_store(&slot->state, SLOT_FREE);
		}
	}
	return pause;
}

_Noreturn void permission_serve(const struct permission_setup *setup, int group)
{
	static struct server server;
	struct server *s = &server;
	pthread_t thread;
	uint64_t n;

	s->setup = setup;
	s->group = group;
	s->asked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->known = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)hf_hash(HF_SV("")); /* draws its key */
	if (s->asked < 0 || s->known < 0 || pthread_create(&thread, NULL, digests, s) != 0)
		_exit(1);
	permission_hurry();
	struct pollfd p[] = { { .fd = group, .events = POLLIN }, { .fd = s->known, .events = POLLIN } };
	for (;;) {
		poll(p, 2, look_at_slots(s));
		if (p[1].revents & POLLIN && read(s->known, &n, sizeof n) < 0 && errno != EAGAIN)
			_exit(1);
		if (p[0].revents & POLLIN)
			read_events(s);
	}
}
