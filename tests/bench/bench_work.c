/* Workloads for `./dev bench runtime`, static so that they run in a container without anything else.
 *
 *   bench_work serve                  reads lines, each one of the commands below, and forks for each
 *   bench_work getppid N              N system calls
 *   bench_work openclose N FOLDER     N times open and close, 100 files that it makes first
 *   bench_work fork N                 N processes that end at once
 *   bench_work exec N                 N programs that end at once
 *   bench_work rate WORKERS RATE N PROGRAM
 *                                     N times PROGRAM, RATE a second (0: as fast as it goes), with the number as argument
 *   bench_work cgroups N RATE FOLDER  N cgroups FOLDER/<64 hex digits>, a process in each that runs a program, and their ends
 *   bench_work hog SECONDS            a busy loop
 * Each prints: wall nanoseconds, processor nanoseconds of itself and its children, what it made. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 100, WORKERS_MAX = 8, WORDS_MAX = 8 };
#define SECOND_NS UINT64_C(1000000000)

extern char **environ;
static const char *self = "/proc/self/exe";

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t used_ns(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SECOND_NS +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (status)
		exit(1);
}

static void run_program(const char *program, uint64_t number)
{
	char text[32];
	char *arguments[] = { "bench_work", "true", text, NULL };
	pid_t pid;

	snprintf(text, sizeof text, "tag-%" PRIu64, number);
	errno = posix_spawn(&pid, program, NULL, NULL, arguments, environ);
	if (errno)
		die("posix_spawn");
	reap(pid);
}

static uint64_t do_getppid(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_getppid);
	return n;
}

static uint64_t do_openclose(uint64_t n, const char *folder)
{
	char path[FILES][256];

	for (int i = 0; i < FILES; i++) {
		snprintf(path[i], sizeof path[i], "%s/file-%d", folder, i);
		int fd = open(path[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			die(path[i]);
		close(fd);
	}
	uint64_t begin = now_ns();
	for (uint64_t i = 0; i < n; i++) {
		int fd = open(path[i % FILES], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die(path[i % FILES]);
		close(fd);
	}
	return now_ns() - begin;
}

static uint64_t do_fork(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			_exit(0);
		reap(pid);
	}
	return n;
}

static uint64_t do_exec(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		run_program(self, i);
	return n;
}

static uint64_t do_rate(const char *program, uint64_t workers, uint64_t rate, uint64_t n)
{
	uint64_t begin = now_ns();
	pid_t pids[WORKERS_MAX];

	for (uint64_t w = 0; w < workers && w < WORKERS_MAX; w++) {
		pids[w] = fork();
		if (pids[w] < 0)
			die("fork");
		if (pids[w] > 0)
			continue;
		for (uint64_t i = w; i < n; i += workers) {
			if (rate)
				sleep_until(begin + i * SECOND_NS / rate);
			run_program(program, i);
		}
		_exit(0);
	}
	for (uint64_t w = 0; w < workers && w < WORKERS_MAX; w++)
		reap(pids[w]);
	return n;
}

static void live_in(const char *folder, uint64_t number)
{
	char path[320], tag[32];
	int fd;

	snprintf(path, sizeof path, "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(1);
	close(fd);
	snprintf(tag, sizeof tag, "tag-%" PRIu64, number);
	execl(self, "bench_work", "true", tag, (char *)NULL);
	_exit(1);
}

static uint64_t do_cgroups(uint64_t n, uint64_t rate, const char *folder)
{
	uint64_t begin = now_ns();
	char path[300];

	for (uint64_t i = 0; i < n; i++) {
		if (rate)
			sleep_until(begin + i * SECOND_NS / rate);
		snprintf(path, sizeof path, "%s/%016" PRIx64 "%016" PRIx64 "%032" PRIx64, folder, begin, i, begin ^ i);
		if (mkdir(path, 0755) < 0)
			die(path);
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			live_in(path, i);
		reap(pid);
		while (rmdir(path) < 0)
			if (errno != EBUSY)
				die(path);
	}
	return n;
}

static uint64_t do_hog(uint64_t seconds)
{
	uint64_t end = now_ns() + seconds * SECOND_NS, n = 0;

	prctl(PR_SET_PDEATHSIG, 9);
	while (now_ns() < end)
		n++;
	return n;
}

static uint64_t number(int n, char **words, int i)
{
	return i < n ? strtoull(words[i], NULL, 10) : 0;
}

static int command(int n, char **words)
{
	const char *name = n ? words[0] : "";
	uint64_t made = 0, begin, before, wall = 0;

	begin = now_ns();
	before = used_ns(RUSAGE_SELF) + used_ns(RUSAGE_CHILDREN);
	if (!strcmp(name, "true"))
		return 0;
	if (!strcmp(name, "getppid"))
		made = do_getppid(number(n, words, 1));
	else if (!strcmp(name, "openclose"))
		made = wall = do_openclose(number(n, words, 1), n > 2 ? words[2] : "/tmp");
	else if (!strcmp(name, "fork"))
		made = do_fork(number(n, words, 1));
	else if (!strcmp(name, "exec"))
		made = do_exec(number(n, words, 1));
	else if (!strcmp(name, "rate") && n > 4)
		made = do_rate(words[4], number(n, words, 1), number(n, words, 2), number(n, words, 3));
	else if (!strcmp(name, "cgroups") && n > 3)
		made = do_cgroups(number(n, words, 1), number(n, words, 2), words[3]);
	else if (!strcmp(name, "hog"))
		made = do_hog(number(n, words, 1));
	else
		return 2;
	if (!wall)
		wall = now_ns() - begin;
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", wall, used_ns(RUSAGE_SELF) + used_ns(RUSAGE_CHILDREN) - before,
	       made);
	return fflush(stdout) ? 1 : 0;
}

static int serve(void)
{
	char line[512], *words[WORDS_MAX];

	while (fgets(line, sizeof line, stdin)) {
		int n = 0, status;
		for (char *w = strtok(line, " \n"); w && n < WORDS_MAX; w = strtok(NULL, " \n"))
			words[n++] = w;
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			_exit(command(n, words));
		waitpid(pid, &status, 0);
		if (status) {
			puts("failed");
			fflush(stdout);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	return command(argc - 1, argv + 1);
}
