#include "cmd/runtime/harden_check.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

/* Only where the distribution puts programs: the caller is root, and its PATH is not to decide what runs. */
static bool find_tool(const char *tool, char *path, size_t size)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(folders); i++) {
		snprintf(path, size, "%s/%s", folders[i], tool);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void run(char *const argv[], struct harden_check *c)
{
	static char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	char text[1024];
	size_t n = 0;
	int pipes[2], status = -1;
	pid_t pid;
	posix_spawn_file_actions_t actions;

	c->state = HARDEN_CHECK_NO_TOOL;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
	int failed = posix_spawn(&pid, argv[0], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	for (ssize_t got; !failed && (got = read(pipes[0], text + n, sizeof text - n)) > 0;)
		n = n + (size_t)got < sizeof text ? n + (size_t)got : sizeof text / 2;
	close(pipes[0]);
	if (failed)
		return;
	while (waitpid(pid, &status, 0) < 0 && status == -1)
		;
	c->state = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HARDEN_CHECK_TOOK_IT : HARDEN_CHECK_REFUSED_IT;
	hf_escape_controls(c->message, sizeof c->message, hf_sv_trim((hf_sv){ text, n }));
}

static bool copy_file(const char *from, const char *to)
{
	hf_cleanup(hf_fd_close) int in = open(from, O_RDONLY | O_CLOEXEC);
	hf_cleanup(hf_fd_close) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char bytes[4096];
	ssize_t n = in < 0 || out < 0 ? -1 : 0;

	while (n >= 0 && (n = read(in, bytes, sizeof bytes)) > 0)
		if (write(out, bytes, (size_t)n) != n)
			n = -1;
	return n == 0;
}

/* A drop-in is nothing alone: verify wants a unit, and looks for drop-ins beside it. */
static void check_drop_in(const char *tool, const char *path, struct harden_check *c)
{
	char folder[] = "/tmp/holdfast-check-XXXXXX", unit[64], drop_ins[64], drop_in[96];

	if (!mkdtemp(folder))
		return;
	snprintf(unit, sizeof unit, "%s/checked.service", folder);
	snprintf(drop_ins, sizeof drop_ins, "%s/checked.service.d", folder);
	snprintf(drop_in, sizeof drop_in, "%s/holdfast.conf", drop_ins);
	hf_cleanup(hf_fd_close) int fd = open(unit, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	static const char service[] = "[Service]\nExecStart=/bin/true\n";
	if (fd >= 0 && write(fd, service, sizeof service - 1) == sizeof service - 1 && mkdir(drop_ins, 0700) == 0 &&
	    copy_file(path, drop_in)) {
		char *const argv[] = { (char *)tool, "verify", "--man=no", unit, NULL };
		run(argv, c);
		/* It warns of lines that it passes over, and calls the unit good. */
		if (c->state == HARDEN_CHECK_TOOK_IT && strstr(c->message, "holdfast.conf:"))
			c->state = HARDEN_CHECK_REFUSED_IT;
	}
	unlink(drop_in);
	rmdir(drop_ins);
	unlink(unit);
	rmdir(folder);
}

struct harden_check harden_check(const char *tool, const char *path)
{
	struct harden_check c = { .state = HARDEN_CHECK_NO_TOOL };
	char program[256];

	if (!find_tool(tool, program, sizeof program))
		return c;
	if (strcmp(tool, "systemd-analyze") == 0) {
		check_drop_in(program, path, &c);
	} else {
		char *const argv[] = { program, "--skip-kernel-load", "--skip-cache", (char *)path, NULL };
		run(argv, &c);
	}
	return c;
}
