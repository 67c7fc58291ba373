/* A stand-in for a parser that was taken over by its input, for the tests of the jail: it does what the name of the file says,
 * and where that succeeds it emits a package "got-<what>", so that a hole shows in the report. Only in holdfast_hostile. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "catalog/cataloger.h"

static bool try_open(void)
{
	return open("/etc/shadow", O_RDONLY) >= 0 || open("/etc/passwd", O_RDONLY) >= 0 ||
	       open("/proc/self/environ", O_RDONLY) >= 0;
}

static bool try_write(void)
{
	return open("/tmp/holdfast-hostile", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool try_exec(void)
{
	char *const argv[] = { "touch", "/tmp/holdfast-hostile", NULL }, *const env[] = { NULL };

	execve("/usr/bin/touch", argv, env);
	return false;
}

static bool try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool try_kill(void)
{
	return kill(getppid(), SIGTERM) == 0;
}

static bool try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool try_crash(void)
{
	int *volatile nowhere = (int *)8;

	*nowhere = 1;
	return true;
}

static bool try_abort(void)
{
	abort();
}

static bool try_memory(void)
{
	char *p = NULL;

	for (size_t n = 0; n < (size_t)1 << 20; n++)
		memset(p = hf_malloc(64 << 20), 1, 64 << 20);
	return p != NULL;
}

static int descend(int depth)
{
	volatile char frame[1 << 16];

	frame[0] = (char)depth;
	return depth < 1 << 30 ? descend(depth + 1) + frame[0] : 0;
}

static bool try_stack(void)
{
	return descend(0) != 0;
}

/* Memory that is written to through a descriptor is a way to code of one's own. */
static bool try_openat2(void)
{
	struct open_how how = { .flags = O_RDWR };

	return syscall(SYS_openat2, AT_FDCWD, "/proc/self/mem", &how, sizeof how) >= 0 ||
	       syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof how) >= 0;
}

/* With F_SETSIG and O_ASYNC the kernel would send any signal to it. */
static bool try_owner(void)
{
	return fcntl(STDERR_FILENO, F_SETOWN, getppid()) == 0;
}

/* The file in the making and what the shell left open are there for writing alone; what a worker needs is not. */
static bool try_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY && fcntl(fd, F_GETFD) >= 0)
			return true;
	return false;
}

static bool try_shout(void)
{
	static const char text[] = "\033]0;title\007shouted\n";

	return write(STDOUT_FILENO, text, sizeof text - 1) < 0 || write(STDERR_FILENO, text, sizeof text - 1) < 0;
}

/* Fills the machine's memory through the report. */
static bool try_fill(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && pwrite(fd, "x", 1, (off_t)1 << 31) == 1)
			return true;
	return false;
}

static bool try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static const struct {
	const char *name;
	bool (*attempt)(void);
} attempts[] = {
	{ "open", try_open },         { "write", try_write },
	{ "connect", try_connect },   { "exec", try_exec },
	{ "fork", try_fork },         { "kill", try_kill },
	{ "ptrace", try_ptrace },     { "code", try_code },
	{ "crash", try_crash },       { "abort", try_abort },
	{ "memory", try_memory },     { "stack", try_stack },
	{ "dumpable", try_dumpable }, { "openat2", try_openat2 },
	{ "owner", try_owner },       { "descriptors", try_descriptors },
	{ "shout", try_shout },       { "fill", try_fill },
};

static int hostile_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	hf_sv what = hf_sv_basename(file->path);

	for (size_t i = 0; i < HF_ARRAY_SIZE(attempts); i++) {
		if (!hf_sv_eq(what, hf_sv_of(attempts[i].name)) || !attempts[i].attempt())
			continue;
		struct hf_package p = { .type = HF_PKG_PYPI,
					.name = hf_arena_concat(a, HF_SV("got-"), what),
					.version = HF_SV("1"),
					.path = file->path };
		return out->package(out, &p, err);
	}
	if (hf_sv_eq(what, HF_SV("sleep"))) {
		for (int i = 0; i < 20; i++)
			usleep(5000);
		struct hf_package p = { .type = HF_PKG_PYPI,
					.name = hf_sv_basename(hf_sv_dirname(file->path)),
					.version = HF_SV("1"),
					.path = file->path };
		return out->package(out, &p, err);
	}
	return HF_OK;
}

extern const struct hf_cataloger hf_cataloger_hostile;
const struct hf_cataloger hf_cataloger_hostile = {
	.name = "hostile",
	.summary = "plays an exploit, for tests",
	.version = 1,
	.wants = (const char *const[]){ "**/hostile/*", "**/slow/*/sleep", NULL },
	.parse = hostile_parse,
};
