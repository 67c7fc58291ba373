#include "cluster/exec_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cluster/exec_credential.h"

enum {
	INTERACTIVE_MS = 10 * 60 * 1000,
	AFTER_EXIT_MS =
		200, /* for what it left in the pipe; a child that it leaves behind may hold the pipe open for ever */
	WATCH_MS = 50,
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char *text_of(struct hf_arena *a, hf_sv s)
{
	return (char *)(uintptr_t)hf_arena_dup(a, s).ptr;
}

/* The caller's environment, in which what the plugin is given takes the place of what has its name. */
static char **environment_of(const struct hf_kubeconfig_exec *exec, hf_sv info, struct hf_arena *a)
{
	size_t n = 0, have = 0;

	while (environ[have])
		have++;
	char **all = hf_arena_array(a, char *, have + exec->environment_n + 2);
	for (size_t i = 0; all && i < have; i++) {
		hf_sv name, value;
		bool ours = !hf_sv_cut(hf_sv_of(environ[i]), '=', &name, &value) ||
			    hf_sv_eq(name, HF_SV("KUBERNETES_EXEC_INFO"));
		for (size_t k = 0; k < exec->environment_n && !ours; k++)
			ours = hf_sv_eq(name, exec->environment[k].name);
		if (!ours)
			all[n++] = environ[i];
	}
	for (size_t i = 0; all && i < exec->environment_n; i++)
		all[n++] = text_of(a, hf_arena_fmt(a, "%.*s=%.*s", HF_SV_FMT(exec->environment[i].name),
						   HF_SV_FMT(exec->environment[i].value)));
	if (all)
		all[n++] = text_of(a, hf_arena_fmt(a, "KUBERNETES_EXEC_INFO=%.*s", HF_SV_FMT(info)));
	return a->over ? NULL : all;
}

static char **arguments_of(const struct hf_kubeconfig_exec *exec, struct hf_arena *a)
{
	char **all = hf_arena_array(a, char *, exec->arguments_n + 2);

	if (!all)
		return NULL;
	all[0] = text_of(a, exec->command);
	for (size_t i = 0; i < exec->arguments_n; i++)
		all[i + 1] = text_of(a, exec->arguments[i].len ? exec->arguments[i] : HF_SV(""));
	return a->over ? NULL : all;
}

/* In a process group of its own, so that all of it can be ended; but on the terminal only its foreground group may read. */
static int spawn(char **arguments, char **environment, bool interactive, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attributes))
		abort();
	if (!interactive) {
		flags |= POSIX_SPAWN_SETPGROUP;
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	}
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, flags);
	int failed = posix_spawnp(ret_pid, arguments[0], &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

/* Takes what is in the pipe. False at its end. */
static bool take(int fd, struct hf_buf *out)
{
	char bytes[4096];

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		hf_buf_add(out, (hf_sv){ bytes, (size_t)n });
		if (out->over)
			return false;
	}
}

/* Until the program ended, or has to be. *@ret_status is its wait status where 0 is returned. */
static int wait_for(pid_t pid, int fd, int64_t end, struct hf_buf *out, int *ret_status, struct hf_err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool open = true, ended = false;

	while (open || !ended) {
		if (now_ms() >= end && !ended)
			return hf_fail(err, HF_E_LIMIT, "it took too long");
		if (now_ms() >= end)
			return HF_OK;
		poll(&p, open ? 1 : 0, WATCH_MS);
		if (open)
			open = take(fd, out);
		if (out->over)
			return hf_fail(err, HF_E_LIMIT, "it wrote more than %zu bytes", out->max);
		if (!ended && waitpid(pid, ret_status, WNOHANG) == pid) {
			ended = true;
			if (end > now_ms() + AFTER_EXIT_MS)
				end = now_ms() + AFTER_EXIT_MS;
		}
	}
	return HF_OK;
}

static int run(const struct hf_kubeconfig_exec *exec, char **arguments, char **environment, bool interactive,
	       uint32_t deadline_ms, struct hf_buf *out, struct hf_err *err)
{
	int fds[2], status = -1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return hf_fail_errno(err, "pipe");
	fcntl(fds[1], F_SETFL, 0); /* the plugin's end waits */
	int failed = spawn(arguments, environment, interactive, fds[1], &pid);
	close(fds[1]);
	if (failed) {
		close(fds[0]);
		errno = failed;
		hf_fail_errno(err, "cannot be run");
		if (err && failed == ENOENT && exec->install_hint.len)
			err->code = hf_fail(err, HF_E_MISSING, "is not installed: %.*s",
					    HF_SV_FMT(hf_sv_first(exec->install_hint, 200)));
		return err ? err->code : HF_E_IO;
	}
	int code = wait_for(pid, fds[0], now_ms() + (interactive ? INTERACTIVE_MS : deadline_ms), out, &status, err);
	close(fds[0]);
	if (code < 0) {
		kill(interactive ? pid : -pid, SIGKILL);
		if (status == -1)
			waitpid(pid, &status, 0);
		return code;
	}
	if (WIFSIGNALED(status))
		return hf_fail(err, HF_E_SYSTEM, "it was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return hf_fail(err, HF_E_SYSTEM, "it failed with exit status %d", WEXITSTATUS(status));
	return HF_OK;
}

int hf_exec_plugin_run(const struct hf_kubeconfig_exec *exec, const struct hf_kubeconfig_cluster *cluster, hf_sv ca,
		       uint32_t deadline_ms, struct hf_buf *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_KUBECONFIG_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf info = HF_BUF(4 * HF_CLUSTER_CREDENTIAL_MAX);
	bool terminal = isatty(STDIN_FILENO),
	     interactive = terminal && !hf_sv_eq(exec->interactive_mode, HF_SV("Never"));
	hf_sv name = hf_sv_first(hf_sv_basename(exec->command), 100);

	if (!terminal && hf_sv_eq(exec->interactive_mode, HF_SV("Always")))
		return hf_fail(err, HF_E_SYSTEM, "exec plugin %.*s: it wants a terminal, and standard input is none",
			       HF_SV_FMT(name));
	hf_exec_info_write(exec, cluster, ca, interactive, &info);
	char **arguments = arguments_of(exec, &a), **environment = environment_of(exec, hf_buf_view(&info), &a);
	if (!arguments || !environment || info.over)
		return hf_fail(err, HF_E_LIMIT, "exec plugin %.*s: too many arguments or variables", HF_SV_FMT(name));
	int code = run(exec, arguments, environment, interactive, deadline_ms, out, err);
	return code < 0 ? hf_wrap(err, "exec plugin %.*s", HF_SV_FMT(name)) : HF_OK;
}
