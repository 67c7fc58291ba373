#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/terminal.h"
#include "base/worker.h"

/* ---- a kernel without Landlock ---- */

static bool forbid(int call)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = filter && !seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) && !seccomp_load(filter);

	seccomp_release(filter);
	return ok;
}

/* Runs @body in a child; its exit status, or 128 + the signal. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int jailed_without_landlock(void)
{
	struct hf_jail_options o = { 0 };
	int below = open("/usr", O_PATH | O_DIRECTORY);

	if (!forbid(SCMP_SYS(landlock_create_ruleset)) || hf_jail_enter(&o, NULL) != HF_PARTIAL)
		return 1;
	/* Its flags lie in memory, where the filter cannot see whether they are for writing. */
	struct {
		uint64_t flags, mode, resolve;
	} how = { O_RDWR, 0, 0 };
	if (syscall(SYS_openat2, AT_FDCWD, "/proc/self/mem", &how, sizeof how) >= 0 || errno != ENOSYS)
		return 2;
	return hf_open_beneath(below, "bin/env", O_RDONLY, true) < 0 ? 3 : 0;
}

static int refused_without_landlock(void)
{
	struct hf_jail_options o = { .require = true };

	return forbid(SCMP_SYS(landlock_create_ruleset)) && hf_jail_enter(&o, NULL) == HF_E_UNSUPPORTED ? 0 : 1;
}

HF_TEST(without_landlock_nothing_can_be_opened_for_writing)
{
	assert_int_equal(in_child(jailed_without_landlock), 0);
	assert_int_equal(in_child(refused_without_landlock), 0);
}

static int jailed_and_another_abi(void)
{
	struct hf_jail_options o = { 0 };

	if (hf_jail_enter(&o, NULL) < 0)
		return 1;
	return syscall(0x40000000 + SYS_socket, 2, 1, 0) < 0 ? 2 : 3; /* x32's numbering */
}

HF_TEST(calls_in_another_numbering_end_the_process)
{
	assert_int_equal(in_child(jailed_and_another_abi), 128 + SIGSYS);
}

/* ---- opening beneath a folder ---- */

static bool openat2_is_missing;

static int open_things(void)
{
	char dir[] = "/tmp/hf-jail-XXXXXX", path[64];

	if (!mkdtemp(dir) || (openat2_is_missing && !forbid(SCMP_SYS(openat2))))
		return 1;
	int at = open(dir, O_PATH | O_DIRECTORY), failed = 0;
	snprintf(path, sizeof path, "%s/sub", dir);
	mkdir(path, 0700);
	close(openat(at, "sub/file", O_CREAT | O_WRONLY, 0600));
	failed |= symlinkat("/etc", at, "away") || symlinkat("..", at, "sub/up");
	static const struct {
		const char *path;
		bool opens;
	} cases[] = {
		{ "sub/file", true },
		{ "sub//file", true },
		{ "./sub/file", true },
		{ "sub/none", false },
		{ "away/passwd", false },
		{ "../etc/passwd", false },
		{ "sub/up/../../etc/passwd", false },
		{ "/etc/passwd", false },
		{ "sub/file/x", false },
		{ "", false },
	};
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		for (int follow = 0; follow < 2; follow++) {
			int fd = hf_open_beneath(at, cases[i].path, O_RDONLY, follow);
			failed |= (fd >= 0) != cases[i].opens ? 2 << i : 0;
			hf_fd_close(&fd);
		}
	unlinkat(at, "sub/file", 0);
	unlinkat(at, "sub/up", 0);
	unlinkat(at, "away", 0);
	unlinkat(at, "sub", AT_REMOVEDIR);
	rmdir(dir);
	return failed ? 2 : 0;
}

HF_TEST(nothing_above_a_folder_is_opened)
{
	for (int missing = 0; missing < 2; missing++) {
		openat2_is_missing = missing;
		assert_int_equal(in_child(open_things), 0);
	}
}

/* ---- workers ---- */

struct run {
	int *lives; /* shared with the workers */
	int resets;
	char said[4096];
	size_t said_n;
};

static struct run new_run(void)
{
	struct run r = { .lives = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) };

	assert_ptr_not_equal(r.lives, MAP_FAILED);
	return r;
}

static void count_reset(void *ctx)
{
	((struct run *)ctx)->resets++;
}

static void keep_said(void *ctx, hf_sv text)
{
	struct run *r = ctx;

	for (size_t i = 0; i < text.len && r->said_n < sizeof r->said; i++)
		r->said[r->said_n++] = text.ptr[i];
}

/* Dies of each of the files a, b and c, as long as they are not left out. */
static int dies_of_three(void *ctx, const struct hf_worker *w, struct hf_err *err)
{
	struct run *r = ctx;
	hf_sv reason;
	int left_out = 0;

	(void)err;
	++*r->lives;
	fprintf(stderr, "life %d\n", *r->lives);
	for (const char *name = "abc"; *name; name++) {
		if (hf_worker_excludes(w, 3, (hf_sv){ name, 1 }, &reason)) {
			left_out += hf_sv_find(reason, HF_SV("Killed")) != SIZE_MAX;
			continue;
		}
		hf_board_begin(w->board, 3, (hf_sv){ name, 1 });
		kill(getpid(), SIGKILL);
	}
	return left_out;
}

HF_TEST(each_killer_costs_one_file)
{
	struct run r = new_run();
	struct hf_worker_options o = { .messages = keep_said, .messages_ctx = &r };
	struct hf_err err = { 0 };

	assert_int_equal(hf_worker_run(&o, dies_of_three, count_reset, &r, &err), 3);
	assert_int_equal(*r.lives, 4);
	assert_int_equal(r.resets, 4);
	assert_true(hf_sv_eq((hf_sv){ r.said, r.said_n }, HF_SV("life 1\nlife 2\nlife 3\nlife 4\n")));
}

static int always_dies(void *ctx, const struct hf_worker *w, struct hf_err *err)
{
	(void)w;
	(void)err;
	++*((struct run *)ctx)->lives;
	_exit(7);
}

HF_TEST(a_worker_that_always_dies_is_given_up)
{
	struct run r = new_run();
	struct hf_worker_options o = { 0 };
	struct hf_err err = { 0 };

	assert_int_equal(hf_worker_run(&o, always_dies, NULL, &r, &err), HF_E_SYSTEM);
	assert_int_equal(*r.lives, HF_WORKER_RESTARTS_MAX + 1);
	assert_non_null(strstr(err.msg, "gave up"));
}

static int too_slow(void *ctx, const struct hf_worker *w, struct hf_err *err)
{
	hf_sv reason;

	(void)ctx;
	(void)err;
	if (hf_worker_excludes(w, 0, HF_SV("slow"), &reason))
		return hf_sv_find(reason, HF_SV("longer than 1 seconds")) == SIZE_MAX;
	hf_board_begin(w->board, 0, HF_SV("slow"));
	for (;;)
		pause();
}

HF_TEST(a_file_that_takes_too_long_is_left_out)
{
	struct hf_worker_options o = { .file_seconds_max = 1 };

	assert_int_equal(hf_worker_run(&o, too_slow, NULL, NULL, NULL), HF_OK);
}

static int fails_rudely(void *ctx, const struct hf_worker *w, struct hf_err *err)
{
	(void)ctx;
	(void)w;
	err->code = -9999;
	memset(err->msg, 033, sizeof err->msg);
	return -9999;
}

HF_TEST(a_workers_message_is_bounded_and_escaped)
{
	struct hf_worker_options o = { 0 };
	struct hf_err err = { 0 };

	signal(SIGCHLD, SIG_IGN); /* as some callers leave it */
	assert_int_equal(hf_worker_run(&o, fails_rudely, NULL, NULL, &err), -9999);
	assert_ptr_equal(signal(SIGCHLD, SIG_DFL), SIG_IGN);
	assert_true(strlen(err.msg) < sizeof err.msg);
	assert_null(strchr(err.msg, 033));
	assert_int_equal(hf_code_exit_status(-9999), 2);
}

static int looks_around(void *ctx, const struct hf_worker *w, struct hf_err *err)
{
	const int *fds = ctx;

	(void)w;
	(void)err;
	if (fcntl(fds[0], F_GETFD) < 0 || fcntl(fds[1], F_GETFD) >= 0)
		return 1;
	char c;
	return read(STDIN_FILENO, &c, 1) == 0 ? HF_OK : 2;
}

HF_TEST(a_worker_holds_what_it_needs_alone)
{
	int fds[2] = { open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY) };
	struct hf_worker_options o = { .keep_fds = fds, .keep_fds_n = 1 };

	assert_int_equal(hf_worker_run(&o, looks_around, NULL, fds, NULL), HF_OK);
	close(fds[0]);
	close(fds[1]);
}

/* ---- what goes to a terminal ---- */

static void assert_shown(hf_sv text, bool colour, hf_sv expected)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_memory(1 << 20);

	hf_terminal_add(&out, text, colour);
	assert_true(hf_sv_eq(hf_buf_view(&out.buf), expected));
}

HF_TEST(a_terminal_sees_text_and_colours_alone)
{
	assert_shown(HF_SV("a\tb\n\xc3\xa4"), false, HF_SV("a\tb\n\xc3\xa4"));
	assert_shown(HF_SV("\033[1;31mred\033[0m"), true, HF_SV("\033[1;31mred\033[0m"));
	assert_shown(HF_SV("\033[1;31mred"), false, HF_SV("\\x1b[1;31mred"));
	assert_shown(HF_SV("\033]0;x\007\r\033[2J\xc2\x9bm\xff"), true,
		     HF_SV("\\x1b]0;x\\x07\\x0d\\x1b[2J\\xc2\\x9bm\\xff"));
	assert_shown(HF_SV("\033[1"), true, HF_SV("\\x1b[1"));
	assert_shown(HF_SV(""), true, HF_SV(""));
	char text[5001];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i ? "\xe2\x82\xac"[(i - 1) % 3] : 'x';
	assert_shown((hf_sv){ text, 4999 }, false, (hf_sv){ text, 4999 });
}

HF_TEST_MAIN(cmocka_unit_test(without_landlock_nothing_can_be_opened_for_writing),
	     cmocka_unit_test(calls_in_another_numbering_end_the_process),
	     cmocka_unit_test(nothing_above_a_folder_is_opened), cmocka_unit_test(each_killer_costs_one_file),
	     cmocka_unit_test(a_worker_that_always_dies_is_given_up),
	     cmocka_unit_test(a_file_that_takes_too_long_is_left_out),
	     cmocka_unit_test(a_workers_message_is_bounded_and_escaped),
	     cmocka_unit_test(a_worker_holds_what_it_needs_alone),
	     cmocka_unit_test(a_terminal_sees_text_and_colours_alone))
