#include "base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum { ALT_STACK_SIZE = 32 << 10, POLL_MS = 100, WHAT_MAX = 64, MESSAGES_MAX = 8 << 20 };

/* One thread's place on the board. `busy` is set last and cleared first. */
struct slot {
	_Atomic uint32_t busy;
	int32_t layer;
	uint32_t path_len;
	_Atomic int64_t since_ns;
	char path[HF_PATH_MAX];
};

struct hf_board {
	_Atomic uint32_t slots_n;
	_Atomic int32_t culprit;        /* slot of the thread that took the deadly signal, -1: none did */
	_Atomic int32_t forbidden_call; /* number of the system call that raised SIGSYS, -1: none */
	_Atomic uint32_t finished;
	int result;
	struct hf_err err;
	_Atomic uint64_t done, total;
	_Atomic char what[WHAT_MAX];
	struct slot slots[HF_THREADS_MAX + 1];
};

static struct hf_board *the_board; /* of this worker, for its signal handler */
static _Thread_local int my_slot = -1;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void on_deadly_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (the_board) {
		atomic_store(&the_board->culprit, my_slot);
		if (number == SIGSYS)
			atomic_store(&the_board->forbidden_call, info->si_syscall);
	}
	signal(number, SIG_DFL);
	syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), number);
}

static void install_handlers(void)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS };
	struct sigaction act = { .sa_sigaction = on_deadly_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	for (size_t i = 0; i < HF_ARRAY_SIZE(deadly); i++)
		sigaction(deadly[i], &act, NULL);
}

/* A stack that overflowed cannot run a handler: each thread gets a small second one. */
static void use_alternate_stack(void)
{
	static _Thread_local char *memory;
	stack_t stack = { .ss_size = ALT_STACK_SIZE };

	if (memory)
		return;
	memory = mmap(NULL, ALT_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack.ss_sp = memory;
	if (memory != MAP_FAILED)
		sigaltstack(&stack, NULL);
}

void hf_board_begin(struct hf_board *board, int32_t layer, hf_sv path)
{
	if (!board)
		return;
	if (my_slot < 0) {
		uint32_t n = atomic_fetch_add(&board->slots_n, 1);
		my_slot = n < HF_THREADS_MAX ? (int)n : HF_THREADS_MAX;
		use_alternate_stack();
	}
	struct slot *s = &board->slots[my_slot];
	s->layer = layer;
	s->path_len = (uint32_t)(path.len < sizeof s->path ? path.len : sizeof s->path);
	if (s->path_len)
		memcpy(s->path, path.ptr, s->path_len);
	atomic_store(&s->since_ns, now_ns());
	atomic_store(&s->busy, 1);
}

void hf_board_end(struct hf_board *board)
{
	if (board && my_slot >= 0)
		atomic_store(&board->slots[my_slot].busy, 0);
}

void hf_board_progress(struct hf_board *board, uint64_t done, uint64_t total, const char *what)
{
	if (!board)
		return;
	/* by bytes: several threads may write, the parent may read meanwhile */
	for (size_t i = 0; i < WHAT_MAX - 1; i++) {
		atomic_store_explicit(&board->what[i], what[i], memory_order_relaxed);
		if (!what[i])
			break;
	}
	atomic_store(&board->total, total);
	atomic_store(&board->done, done);
}

bool hf_worker_excludes(const struct hf_worker *w, int32_t layer, hf_sv path, hf_sv *ret_reason)
{
	for (size_t i = 0; i < w->culprits_n; i++) {
		if (w->culprits[i].layer != layer || !hf_sv_eq(w->culprits[i].path, path))
			continue;
		*ret_reason = w->culprits[i].reason;
		return true;
	}
	return false;
}

struct run {
	const struct hf_worker_options *options;
	struct hf_board *board;
	struct hf_worker worker;
	struct hf_culprit culprits[HF_WORKER_RESTARTS_MAX];
	struct hf_arena *arena;
	int messages; /* memory that is the worker's standard error; -1: none */
};

static uint32_t slots_in_use(struct hf_board *b)
{
	uint32_t n = atomic_load(&b->slots_n);

	return n < HF_THREADS_MAX ? n : HF_THREADS_MAX;
}

static void show_progress(const struct run *r)
{
	const struct hf_worker_options *o = r->options;
	char what[WHAT_MAX], clean[4 * WHAT_MAX];

	if (!o->progress)
		return;
	/* The worker may be writing, and may write anything: a copy, cut and escaped. */
	for (size_t i = 0; i < sizeof what; i++)
		what[i] = atomic_load_explicit(&r->board->what[i], memory_order_relaxed);
	hf_escape_controls(clean, sizeof clean, (hf_sv){ what, strnlen(what, sizeof what) });
	o->progress(o->progress_ctx, atomic_load(&r->board->done), atomic_load(&r->board->total), clean);
}

/* True where the worker began with this file more than the given time ago, by a clock that it cannot set back. */
static bool is_slow(struct slot *s, unsigned seconds_max)
{
	int64_t age;

	if (!seconds_max || !atomic_load(&s->busy) || __builtin_sub_overflow(now_ns(), atomic_load(&s->since_ns), &age))
		return false;
	return age > (int64_t)seconds_max * 1000000000;
}

/* Waits for the child; kills it when a file takes too long. Returns the slot of that file, -1 where there was none. */
static int wait_for(struct run *r, pid_t pid, int *ret_status)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), slow = -1;

	for (;;) {
		struct pollfd p = { .fd = pidfd, .events = POLLIN };
		if (poll(&p, pidfd >= 0, POLL_MS) != 0 || pidfd < 0) {
			pid_t got = waitpid(pid, ret_status, pidfd < 0 ? WNOHANG : 0);
			if (got == pid || (got < 0 && errno != EINTR))
				break;
		}
		show_progress(r);
		for (int i = 0; slow < 0 && i < (int)slots_in_use(r->board); i++) {
			if (!is_slow(&r->board->slots[i], r->options->file_seconds_max))
				continue;
			slow = i;
			kill(pid, SIGKILL);
		}
	}
	if (pidfd >= 0)
		close(pidfd);
	return slow;
}

/* The slot to blame for a death, -1 where it is not clear or no file was being read. */
static int blamed(struct run *r, int slow, bool *ret_unclear)
{
	struct hf_board *b = r->board;
	int culprit = atomic_load(&b->culprit), busy = -1, busy_n = 0;

	*ret_unclear = false;
	if (slow >= 0)
		return slow;
	if (culprit >= 0 && culprit < HF_THREADS_MAX)
		return atomic_load(&b->slots[culprit].busy) ? culprit : -1;
	for (int i = 0; i < (int)slots_in_use(b); i++)
		if (atomic_load(&b->slots[i].busy)) {
			busy = i;
			busy_n++;
		}
	*ret_unclear = busy_n > 1;
	return busy_n == 1 ? busy : -1;
}

static hf_sv death_reason(struct run *r, int slow, int status)
{
	int call = atomic_load(&r->board->forbidden_call);

	if (slow >= 0)
		return hf_arena_fmt(r->arena, "reading it took longer than %u seconds", r->options->file_seconds_max);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && call >= 0)
		return hf_arena_fmt(r->arena, "reading it tried a forbidden system call (number %d)", call);
	if (WIFSIGNALED(status))
		return hf_arena_fmt(r->arena, "reading it killed the worker (%s)", strsignal(WTERMSIG(status)));
	return hf_arena_fmt(r->arena, "reading it ended the worker (status %d)",
			    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static bool is_kept(const struct run *r, int fd)
{
	for (size_t i = 0; i < r->options->keep_fds_n; i++)
		if (r->options->keep_fds[i] == fd)
			return true;
	return false;
}

/* A captured worker could write to whatever is open: the terminal, the file in the making, what the caller's shell left. */
static void drop_descriptors(const struct run *r)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), most = STDERR_FILENO;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    (r->messages >= 0 && dup2(r->messages, STDERR_FILENO) < 0))
		_exit(1);
	for (size_t i = 0; i < r->options->keep_fds_n; i++)
		most = r->options->keep_fds[i] > most ? r->options->keep_fds[i] : most;
	for (int fd = STDERR_FILENO + 1; fd <= most; fd++)
		if (!is_kept(r, fd))
			close(fd);
	if (syscall(SYS_close_range, (unsigned)most + 1, ~0u, 0))
		for (int fd = most + 1; fd < sysconf(_SC_OPEN_MAX); fd++)
			close(fd);
}

static void child(struct run *r, pid_t parent, int (*body)(void *, const struct hf_worker *, struct hf_err *),
		  void *ctx)
{
	struct hf_board *b = r->board;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	drop_descriptors(r);
	the_board = b;
	use_alternate_stack();
	install_handlers();
	b->result = body(ctx, &r->worker, &b->err);
	atomic_store(&b->finished, 1);
	_exit(0);
}

static void hand_over_messages(const struct run *r)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(MESSAGES_MAX);

	if (r->messages < 0)
		return;
	(void)!hf_fd_read_all(r->messages, 0, &text, NULL); /* what is more than the maximum is left out */
	if (text.len)
		r->options->messages(r->options->messages_ctx, hf_buf_view(&text));
	(void)!ftruncate(r->messages, 0);
	lseek(r->messages, 0, SEEK_SET);
}

static void clear_board(struct hf_board *b)
{
	uint32_t used = atomic_load(&b->slots_n);

	for (uint32_t i = 0; i < used && i <= HF_THREADS_MAX; i++)
		atomic_store(&b->slots[i].busy, 0);
	atomic_store(&b->slots_n, 0);
	atomic_store(&b->culprit, -1);
	atomic_store(&b->forbidden_call, -1);
	atomic_store(&b->done, 0);
	b->err = (struct hf_err){ 0 };
}

/* One worker's life. True where it came to its end; else the culprit, if there is one, was added. */
static bool one_worker(struct run *r, int (*body)(void *, const struct hf_worker *, struct hf_err *), void *ctx,
		       struct hf_err *err, int *ret_result)
{
	int status = 0;
	bool unclear;

	clear_board(r->board);
	fflush(NULL);
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		*ret_result = hf_fail_errno(err, "starting a worker");
		return true;
	}
	if (!pid)
		child(r, parent, body, ctx);
	int slow = wait_for(r, pid, &status);
	hand_over_messages(r);
	if (atomic_load(&r->board->finished) && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		*ret_result = r->board->result;
		/* The board may hold anything that a captured worker wrote: the message is cut and escaped again. */
		if (r->board->result < 0)
			*ret_result =
				hf_fail(err, r->board->result, "%.*s",
					(int)strnlen(r->board->err.msg, sizeof r->board->err.msg), r->board->err.msg);
		return true;
	}
	int slot = blamed(r, slow, &unclear);
	if (unclear)
		r->worker.one_thread = true;
	*ret_result = hf_fail(err, HF_E_SYSTEM, "the worker died (%s)",
			      WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it exited");
	if (slot >= 0 && r->worker.culprits_n < HF_ARRAY_SIZE(r->culprits)) {
		struct slot *s = &r->board->slots[slot];
		size_t len = s->path_len < sizeof s->path ? s->path_len : sizeof s->path;
		r->culprits[r->worker.culprits_n++] = (struct hf_culprit){
			.layer = s->layer,
			.path = hf_arena_dup(r->arena, (hf_sv){ s->path, len }),
			.reason = death_reason(r, slow, status),
		};
	}
	return false;
}

int hf_worker_run(const struct hf_worker_options *options,
		  int (*body)(void *ctx, const struct hf_worker *, struct hf_err *), void (*reset)(void *ctx),
		  void *ctx, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena arena = HF_ARENA(1 << 20);
	struct run r = { .options = options, .arena = &arena, .messages = -1 };
	int result = HF_E_SYSTEM;

	if (options->no_fork) {
		if (reset)
			reset(ctx);
		return body(ctx, &r.worker, err);
	}
	r.board = mmap(NULL, sizeof *r.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r.board == MAP_FAILED)
		return hf_fail_errno(err, "memory for a worker's board");
	r.messages = options->messages ? memfd_create("messages", MFD_CLOEXEC) : -1;
	/* A caller that ignores SIGCHLD would take the worker's status away. */
	void (*of_children)(int) = signal(SIGCHLD, SIG_DFL);
	r.worker.board = r.board;
	r.worker.culprits = r.culprits;
	bool ended = false;
	for (int i = 0; i <= HF_WORKER_RESTARTS_MAX && !ended; i++) {
		if (reset)
			reset(ctx);
		ended = one_worker(&r, body, ctx, err, &result);
	}
	if (!ended)
		hf_wrap(err, "gave up after %d restarts", HF_WORKER_RESTARTS_MAX);
	if (of_children != SIG_ERR)
		signal(SIGCHLD, of_children);
	hf_fd_close(&r.messages);
	munmap(r.board, sizeof *r.board);
	return result;
}
