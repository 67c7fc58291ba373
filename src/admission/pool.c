#include "admission/pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/jail.h"
#include "base/limits.h"
#include "base/threads.h"

enum {
	WORKERS_MAX = 64,
	LEFT_OUT_MAX = 3, /* policies that are stopped for one review */
	POLICY_MS = 500,  /* of a processor, for one policy … */
	POLICY_SHARE = 8, /* … and no more of the review's time than one part of so many */
	LOOKS = 4,        /* in that time, whether it is still the same one */
};

struct worker {
	int fd, pidfd; /* -1: it could not be started */
	pid_t pid;
	bool busy;
	struct hf_policy_board *board; /* it writes there, too */
	uint64_t namespaces;           /* which of them it was told of last; 0: none */
};

/* Shared by those that tell workers of it. */
struct namespaces {
	unsigned users;
	uint64_t generation;
	struct hf_buf text;
};

struct hf_admission_pool {
	int nursery; /* the process that starts workers: it has no threads, so it may fork at any time */
	pid_t nursery_pid;
	struct worker workers[WORKERS_MAX];
	struct hf_policy_board *boards; /* one for each of them, shared with the processes */
	unsigned n;
	uint64_t replaced;
	struct namespaces *namespaces; /* NULL: nobody tells of them */
	void (*find_namespace)(void *ctx, hf_sv name);
	void *find_ctx;
	pthread_mutex_t lock; /* over the workers' busy, the nursery and the namespaces */
	pthread_cond_t freed;
};

enum { NO_NAMESPACES = 1, LAST_TRY = 2 };

/* Behind it come namespaces, unless there is nothing new, and the review. */
struct question {
	uint32_t flags, namespaces_bytes;
	uint32_t bytes; /* of the review */
	uint32_t left_out_n, left_out[LEFT_OUT_MAX];
};

struct head {
	int32_t code;
	uint32_t answer_bytes, record_bytes;
};

static bool read_all(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, (char *)to + at, n - at);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		at += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static bool take_namespaces(struct hf_admission *admission, int fd, const struct question *q)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_ADMISSION_NAMESPACES_MAX + 1);
	char *room = q->flags & NO_NAMESPACES ? NULL : hf_buf_room(&text, (size_t)q->namespaces_bytes + 1);

	if (q->flags & NO_NAMESPACES)
		return true;
	if (!room || !read_all(fd, room, q->namespaces_bytes))
		return false;
	text.len = q->namespaces_bytes;
	/* What cannot be read leaves them unknown: rules that want one give no verdict. */
	(void)!hf_admission_set_namespaces(admission, hf_buf_view(&text), NULL);
	return true;
}

/* One review in, one answer out, until the other end is closed. */
static void work(struct hf_admission *admission, int fd)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_ADMISSION_ARENA_MAX);
	struct hf_buf text = HF_BUF(HF_ADMISSION_REVIEW_MAX + 1), answer = HF_BUF(HF_ADMISSION_ANSWER_MAX),
		      record = HF_BUF(HF_ADMISSION_ANSWER_MAX);
	struct question q;

	while (read_all(fd, &q, sizeof q) && q.left_out_n <= LEFT_OUT_MAX && take_namespaces(admission, fd, &q)) {
		uint32_t n = q.bytes;
		struct hf_admission_decision d;
		struct hf_err err = { 0 };
		text.len = answer.len = record.len = 0;
		char *room = hf_buf_room(&text, (size_t)n + 1); /* room for nothing is no pointer */
		if (!room || !read_all(fd, room, n))
			break;
		text.len = n;
		hf_admission_leave_out(admission, q.left_out, q.left_out_n);
		int r = hf_admission_review(admission, hf_buf_view(&text), &a, &d, &err);
		if (r >= 0 && d.namespace_unknown && !(q.flags & LAST_TRY)) {
			r = HF_E_MISSING;
			hf_buf_add(&answer, d.namespace);
		} else if (r >= 0) {
			hf_admission_answer(&d, &answer);
			hf_admission_record(&d, &record);
		} else {
			hf_buf_add(&answer, hf_sv_of(err.msg));
		}
		if (answer.over || record.over) /* as said by the limits: nobody else may decide what is cut off */
			r = HF_E_LIMIT;
		const struct head head = { r, (uint32_t)answer.len, (uint32_t)record.len };
		if (!hf_fd_write_all(fd, (hf_sv){ (const char *)&head, sizeof head }) ||
		    !hf_fd_write_all(fd, hf_buf_view(&answer)) || !hf_fd_write_all(fd, hf_buf_view(&record)))
			break;
		hf_arena_reset(&a);
	}
	hf_buf_done(&text);
	hf_buf_done(&answer);
	hf_buf_done(&record);
}

static void send_worker(int to, int fd, int pidfd, pid_t pid)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec one = { &pid, sizeof pid };
	struct msghdr m = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), (int[]){ fd, pidfd }, 2 * sizeof(int));
	(void)!sendmsg(to, &m, MSG_NOSIGNAL);
}

/* Starts a worker whenever it is asked to. */
static void run_nursery(struct hf_admission *admission, struct hf_policy_board *boards, int control, bool require_jail)
{
	unsigned char number; /* of the worker */

	signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	while (read_all(control, &number, 1)) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			break;
		pid_t pid = fork();
		if (!pid) {
			struct hf_jail_options jail = { .data_max = HF_ADMISSION_WORKER_MAX, .require = require_jail };
#if defined(__SANITIZE_ADDRESS__) || defined(HF_SANITIZED)
			jail.data_max = 0; /* its shadow memory is larger than any limit */
#endif
			struct hf_err err = { 0 };
			close(control);
			close(pair[0]);
			signal(SIGCHLD, SIG_DFL);
			hf_admission_watch(admission, &boards[number % WORKERS_MAX]);
			if (hf_jail_enter(&jail, &err) >= 0)
				work(admission, pair[1]);
			_exit(0);
		}
		int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
		close(pair[1]);
		if (pidfd < 0)
			(void)!write(control, "-", 1);
		else
			send_worker(control, pair[0], pidfd, pid);
		hf_fd_close(&pidfd);
		close(pair[0]);
	}
}

/* With the lock held. */
static bool start_worker(struct hf_admission_pool *p, struct worker *w)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	unsigned char number = (unsigned char)(w - p->workers);
	struct iovec one = { &w->pid, sizeof w->pid };
	struct msghdr m = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control
	};
	int fds[2];

	w->fd = w->pidfd = -1;
	w->namespaces = 0;
	w->board = &p->boards[number];
	*w->board = (struct hf_policy_board){ 0 };
	if (send(p->nursery, &number, 1, MSG_NOSIGNAL) != 1 ||
	    recvmsg(p->nursery, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof w->pid)
		return false;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fds))
		return false;
	memcpy(fds, CMSG_DATA(c), sizeof fds);
	w->fd = fds[0];
	w->pidfd = fds[1];
	return true;
}

static void end_worker(struct worker *w)
{
	if (w->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
	hf_fd_close(&w->fd);
	hf_fd_close(&w->pidfd);
}

int hf_admission_pool_start(const struct hf_admission_settings *s, const struct hf_policies *policies,
			    const struct hf_admission_pool_options *o, struct hf_admission_pool **ret,
			    struct hf_err *err)
{
	struct hf_admission_pool *p = hf_calloc(1, sizeof *p);
	struct hf_admission *admission;
	pthread_condattr_t monotonic;
	int pair[2];
	int r = hf_admission_new(s, policies, (struct hf_admission_images){ 0 }, &admission, err);

	*ret = NULL;
	if (r >= 0) {
		void *boards = mmap(NULL, WORKERS_MAX * sizeof *p->boards, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		p->boards = boards == MAP_FAILED ? NULL : boards;
		r = p->boards ? r : hf_fail_errno(err, "workers");
	}
	if (r >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		r = hf_fail_errno(err, "workers");
	if (r < 0) {
		if (p->boards)
			munmap(p->boards, WORKERS_MAX * sizeof *p->boards);
		hf_admission_free(admission);
		free(p);
		return r;
	}
	p->nursery_pid = fork();
	if (!p->nursery_pid) {
		close(pair[0]);
		run_nursery(admission, p->boards, pair[1], o->require_jail);
		_exit(0);
	}
	hf_admission_free(admission);
	close(pair[1]);
	p->nursery = pair[0];
	p->find_namespace = o->find_namespace;
	p->find_ctx = o->find_ctx;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->freed, &monotonic);
	unsigned n = o->workers ? o->workers : hf_threads_default();
	p->n = n < WORKERS_MAX ? n : WORKERS_MAX;
	if (o->find_namespace)
		hf_admission_pool_namespaces(p, (hf_sv){ 0 });
	for (unsigned i = 0; i < p->n; i++)
		if (!start_worker(p, &p->workers[i]))
			r = hf_fail(err, HF_E_SYSTEM, "workers could not be started");
	if (r < 0) {
		hf_admission_pool_stop(p);
		return r;
	}
	*ret = p;
	return HF_OK;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool has_ended(const struct worker *w)
{
	struct pollfd p = { .fd = w->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static struct worker *take(struct hf_admission_pool *p, int64_t until)
{
	const struct timespec t = { until / 1000, until % 1000 * 1000000 };
	struct worker *w = NULL;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		for (unsigned i = 0; i < p->n && !w; i++)
			if (!p->workers[i].busy)
				w = &p->workers[i];
		if (w || pthread_cond_timedwait(&p->freed, &p->lock, &t) == ETIMEDOUT)
			break;
	}
	if (w) {
		w->busy = true;
		/* Killed while nobody asked it anything: that costs no review. */
		if (w->fd >= 0 && has_ended(w)) {
			end_worker(w);
			p->replaced++;
		}
		if (w->fd < 0)
			start_worker(p, w);
	}
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void give_back(struct hf_admission_pool *p, struct worker *w, bool replace)
{
	pthread_mutex_lock(&p->lock);
	if (replace) {
		end_worker(w);
		start_worker(p, w);
		p->replaced++;
	}
	w->busy = false;
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

/* HF_OK, HF_E_TIMEOUT, or HF_E_SYSTEM where the other end is gone. */
static int transfer(int fd, bool in, void *bytes, size_t n, int64_t until)
{
	for (size_t at = 0; at < n;) {
		struct pollfd p = { .fd = fd, .events = in ? POLLIN : POLLOUT };
		int64_t left = until - now_ms();
		if (left <= 0)
			return HF_E_TIMEOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ssize_t done = in ? recv(fd, (char *)bytes + at, n - at, MSG_DONTWAIT)
				  : send(fd, (char *)bytes + at, n - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (done <= 0)
			return HF_E_SYSTEM;
		at += (size_t)done;
	}
	return HF_OK;
}

/* Of a processor, that the process had; where nobody knows, none. */
static int64_t used_ms(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the answer begins; HF_E_LIMIT where one policy takes more than its time, by the processor's clock: a machine that others keep
 * busy blames nobody. */
static int wait_for_answer(const struct worker *w, int64_t policy_ms, int64_t until)
{
	int64_t since = used_ms(w->pid), left;
	uint32_t turn = __atomic_load_n(&w->board->turn, __ATOMIC_ACQUIRE);

	while ((left = until - now_ms()) > 0) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		int64_t look = policy_ms / LOOKS + 1;
		if (poll(&p, 1, (int)(left < look ? left : look)) > 0)
			return HF_OK;
		uint32_t now = __atomic_load_n(&w->board->turn, __ATOMIC_ACQUIRE);
		int64_t used = used_ms(w->pid);
		if (now != turn || !__atomic_load_n(&w->board->running, __ATOMIC_RELAXED)) {
			turn = now;
			since = used;
		} else if (used - since > policy_ms) {
			return HF_E_LIMIT;
		}
	}
	return HF_E_TIMEOUT;
}

/* With the lock held. */
static void let_go(struct namespaces *n)
{
	if (!n || --n->users)
		return;
	hf_buf_done(&n->text);
	free(n);
}

void hf_admission_pool_namespaces(struct hf_admission_pool *p, hf_sv objects)
{
	struct namespaces *n = hf_calloc(1, sizeof *n);

	*n = (struct namespaces){ .users = 1, .text = HF_BUF(HF_ADMISSION_NAMESPACES_MAX) };
	hf_buf_add(&n->text, objects);
	pthread_mutex_lock(&p->lock);
	n->generation = p->namespaces ? p->namespaces->generation + 1 : 1;
	let_go(p->namespaces);
	p->namespaces = n;
	pthread_mutex_unlock(&p->lock);
}

/* What the worker does not know yet; NULL: nothing. To be let go. */
static struct namespaces *news_for(struct hf_admission_pool *p, struct worker *w)
{
	struct namespaces *n;

	pthread_mutex_lock(&p->lock);
	n = p->namespaces && p->namespaces->generation != w->namespaces ? p->namespaces : NULL;
	if (n) {
		n->users++;
		w->namespaces = n->generation;
	}
	pthread_mutex_unlock(&p->lock);
	return n;
}

static int put_question(struct hf_admission_pool *p, struct worker *w, const struct question *of, hf_sv review,
			int64_t until)
{
	struct namespaces *n = news_for(p, w);
	struct question q = *of;

	q.flags |= n ? 0 : NO_NAMESPACES;
	q.namespaces_bytes = n ? (uint32_t)n->text.len : 0;
	int r = w->fd < 0 ? HF_E_SYSTEM : transfer(w->fd, false, &q, sizeof q, until);
	if (!r && n)
		r = transfer(w->fd, false, n->text.ptr, n->text.len, until);
	if (!r)
		r = transfer(w->fd, false, (void *)review.ptr, review.len, until);
	pthread_mutex_lock(&p->lock);
	let_go(n);
	pthread_mutex_unlock(&p->lock);
	return r;
}

static int ask(struct hf_admission_pool *p, struct worker *w, const struct question *q, hf_sv review, int64_t policy_ms,
	       int64_t until, struct hf_buf *answer, struct hf_buf *record, int *ret_code)
{
	struct head head;
	int r = put_question(p, w, q, review, until);

	if (!r)
		r = wait_for_answer(w, policy_ms, until);
	if (!r)
		r = transfer(w->fd, true, &head, sizeof head, until);
	if (r)
		return r;
	/* One byte more: room for nothing is no pointer. */
	char *answer_room = hf_buf_room(answer, (size_t)head.answer_bytes + 1),
	     *record_room = hf_buf_room(record, (size_t)head.record_bytes + 1);
	if (!answer_room || !record_room)
		return HF_E_SYSTEM; /* it says what no worker says */
	r = transfer(w->fd, true, answer_room, head.answer_bytes, until);
	if (!r)
		r = transfer(w->fd, true, record_room, head.record_bytes, until);
	if (r)
		return r;
	answer->len += head.answer_bytes;
	record->len += head.record_bytes;
	*ret_code = head.code;
	return HF_OK;
}

/* True where it was a policy's fault that there is no answer; it is left out from now on. */
static bool leave_out(struct question *q, uint32_t running)
{
	if (!running || q->left_out_n == LEFT_OUT_MAX)
		return false;
	q->left_out[q->left_out_n++] = running - 1;
	return true;
}

int hf_admission_pool_judge(struct hf_admission_pool *p, hf_sv review, unsigned deadline_ms, struct hf_buf *answer,
			    struct hf_buf *record, struct hf_err *err)
{
	struct question q = { .flags = p->find_namespace ? 0 : LAST_TRY, .bytes = (uint32_t)review.len };
	int64_t until = now_ms() + deadline_ms;
	unsigned policy_ms = deadline_ms / POLICY_SHARE < POLICY_MS ? deadline_ms / POLICY_SHARE : POLICY_MS;
	int code = HF_OK, r;
	bool again;

	if (review.len > HF_ADMISSION_REVIEW_MAX)
		return hf_fail(err, HF_E_LIMIT, "a review of more than %llu bytes",
			       (unsigned long long)HF_ADMISSION_REVIEW_MAX);
	do {
		struct worker *w = take(p, until);
		if (!w)
			return hf_fail(err, HF_E_TIMEOUT, "no worker was free in time");
		answer->len = record->len = 0;
		r = ask(p, w, &q, review, policy_ms, until, answer, record, &code);
		/* A worker that is gone, or is killed now, says on its board what it was at. */
		again = (r == HF_E_LIMIT || r == HF_E_SYSTEM) &&
			leave_out(&q, __atomic_load_n(&w->board->running, __ATOMIC_RELAXED));
		give_back(p, w, r < 0);
		if (!r && code == HF_E_MISSING && !(q.flags & LAST_TRY)) {
			p->find_namespace(p->find_ctx, hf_buf_view(answer));
			q.flags |= LAST_TRY;
			again = true;
		}
	} while (again);
	if (r == HF_E_TIMEOUT || r == HF_E_LIMIT)
		return hf_fail(err, HF_E_TIMEOUT, "the review was not judged in time");
	if (r < 0)
		return hf_fail(err, r, "the worker that judged it died");
	return code < 0 ? hf_fail(err, code, "%.*s", HF_SV_FMT(hf_buf_view(answer))) : HF_OK;
}

uint64_t hf_admission_pool_replaced(struct hf_admission_pool *p)
{
	pthread_mutex_lock(&p->lock);
	uint64_t n = p->replaced;
	pthread_mutex_unlock(&p->lock);
	return n;
}

bool hf_admission_pool_alive(struct hf_admission_pool *p)
{
	siginfo_t ended = { 0 };

	return !waitid(P_PID, (id_t)p->nursery_pid, &ended, WEXITED | WNOHANG | WNOWAIT) && !ended.si_pid;
}

void hf_admission_pool_stop(struct hf_admission_pool *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n; i++)
		end_worker(&p->workers[i]);
	let_go(p->namespaces);
	hf_fd_close(&p->nursery);
	waitpid(p->nursery_pid, NULL, 0);
	munmap(p->boards, WORKERS_MAX * sizeof *p->boards);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->freed);
	free(p);
}
