#include "enforce/canary.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum { WAIT_MS = 2000, STATUS_DENIED = 0, STATUS_ALLOWED = 1, STATUS_BROKEN = 2 };

struct canary {
	struct hf_programs *programs;
	char name[64];
	uint64_t cgroup_id, next_ns;
	uint32_t interval_ms;
	int own, procs; /* our own program; cgroup.procs of the canary's cgroup */
	enum hf_deny_by exec_by, peer_by;
};

/* TEST-NET-1 of RFC 5737: nobody has it, and a datagram socket's connect sends nothing. */
static const char *const forbidden = "192.0.2.1";

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What a killed agent has left. */
static void sweep(int hierarchy)
{
	int fd = openat(hierarchy, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		hf_sv name = hf_sv_of(entry->d_name), prefix = HF_SV("holdfast-canary-");
		uint64_t pid;
		if (hf_sv_starts(name, prefix) && hf_sv_to_u64(hf_sv_skip(name, prefix.len), &pid) &&
		    pid <= INT32_MAX && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			(void)unlinkat(hierarchy, entry->d_name, AT_REMOVEDIR);
	}
	if (folder)
		closedir(folder);
}

static enum hf_deny_by first_by(const struct hf_guard *guard, uint32_t rules)
{
	for (uint32_t rule = 0; rule < HF_DENIES; rule++)
		if (guard->rules & rules & 1u << rule && guard->by[rule] != HF_BY_FANOTIFY &&
		    guard->by[rule] != HF_BY_RESPONSE)
			return guard->by[rule];
	return HF_BY_NOTHING;
}

static int forbid(struct canary *c, struct hf_err *err)
{
	char path[HF_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path);
	struct hf_enforce_policy_path program = { .path = { path, n > 0 ? (size_t)n : 0 } };
	struct hf_enforce_policy_peer peer = { .bits = 128 };
	struct hf_enforce_policy policy = { 0 };

	if (hf_sv_ends(program.path, HF_SV(" (deleted)")))
		program.path.len -= strlen(" (deleted)");
	peer.address[10] = peer.address[11] = 0xff;
	inet_pton(AF_INET, forbidden, peer.address + 12);
	policy.rules[HF_DENY_EXECUTABLES] =
		(struct hf_enforce_policy_rule){ .on = true, .paths = &program, .paths_n = 1 };
	policy.rules[HF_DENY_PEERS] = (struct hf_enforce_policy_rule){ .on = true, .peers = &peer, .peers_n = 1 };
	return hf_programs_policy(c->programs, CANARY_POLICY, &policy, err);
}

static int make_cgroup(struct canary *c, struct hf_err *err)
{
	int hierarchy = hf_programs_hierarchy(c->programs)->fd;
	struct hf_guard guard = { .policy = CANARY_POLICY, .flags = HF_GUARD_CANARY };
	char procs[128];

	for (uint32_t rule = 0; rule < HF_DENIES; rule++)
		guard.until_ns[rule] = UINT64_MAX;
	if (c->exec_by)
		guard.rules |= 1u << HF_DENY_EXECUTABLES;
	if (c->peer_by)
		guard.rules |= 1u << HF_DENY_PEERS;
	guard.by[HF_DENY_EXECUTABLES] = (uint8_t)c->exec_by;
	guard.by[HF_DENY_PEERS] = (uint8_t)c->peer_by;
	sweep(hierarchy);
	snprintf(c->name, sizeof c->name, "holdfast-canary-%d", (int)getpid());
	if (mkdirat(hierarchy, c->name, 0755) < 0 && errno != EEXIST)
		return hf_fail_errno(err, "cgroup %s of the canary", c->name);
	snprintf(procs, sizeof procs, "%s/cgroup.procs", c->name);
	c->procs = openat(hierarchy, procs, O_WRONLY | O_CLOEXEC);
	c->own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (c->procs < 0 || c->own < 0)
		return hf_fail_errno(err, "the canary's %s", c->procs < 0 ? procs : "program");
	return hf_programs_guard(c->programs, c->name, &guard, &c->cgroup_id, err);
}

int canary_open(struct hf_programs *p, const struct hf_guard *guard, uint32_t interval_ms, struct canary **ret,
		struct hf_err *err)
{
	struct canary *c = hf_calloc(1, sizeof *c);

	c->programs = p;
	c->interval_ms = interval_ms;
	c->own = c->procs = -1;
	c->exec_by = first_by(guard, 1u << HF_DENY_FILELESS | 1u << HF_DENY_DRIFT | 1u << HF_DENY_EXECUTABLES);
	c->peer_by = first_by(guard, 1u << HF_DENY_IMDS | 1u << HF_DENY_PEERS);
	int code = forbid(c, err);
	if (!code)
		code = make_cgroup(c, err);
	if (code < 0)
		canary_close(c);
	else
		*ret = c;
	return code;
}

void canary_close(struct canary *c)
{
	if (!c)
		return;
	if (c->cgroup_id)
		hf_programs_unguard(c->programs, c->cgroup_id);
	hf_fd_close(&c->procs);
	hf_fd_close(&c->own);
	if (c->name[0])
		(void)unlinkat(hf_programs_hierarchy(c->programs)->fd, c->name, AT_REMOVEDIR);
	free(c);
}

/* In the child of a process with threads: system calls alone. A mount namespace of its own, since what runs in the machine's is not
 * judged. */
static void enter(const struct canary *c)
{
	if (write(c->procs, "0", 1) != 1 || unshare(CLONE_NEWNS) < 0)
		_exit(STATUS_BROKEN);
}

static void try_exec(const struct canary *c)
{
	static char name[] = "holdfast-canary", option[] = "--version";
	char *const arguments[] = { name, option, NULL }, *const environment[] = { NULL };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(STATUS_BROKEN);
	syscall(SYS_execveat, c->own, "", arguments, environment, AT_EMPTY_PATH);
	_exit(errno == EPERM ? STATUS_DENIED : STATUS_BROKEN);
}

static void try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, forbidden, &to.sin_addr);
	if (fd < 0)
		_exit(STATUS_BROKEN);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		_exit(STATUS_ALLOWED);
	_exit(errno == EPERM ? STATUS_DENIED : STATUS_ALLOWED); /* no route, for one: it was let through */
}

static int wait_for(pid_t pid)
{
	int status = 0;

	for (int ms = 0; ms < WAIT_MS; ms++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return STATUS_BROKEN << 8;
}

static const char *attempt(const struct canary *c, bool exec)
{
	pid_t pid = fork();

	if (pid == 0) {
		enter(c);
		if (exec)
			try_exec(c);
		try_connect();
	}
	if (pid < 0)
		return "could not be tried";
	int status = wait_for(pid);
	if (exec && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return NULL;
	if (exec && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return c->exec_by == HF_BY_LSM ? NULL : "was let through";
	if (!WIFEXITED(status) || WEXITSTATUS(status) == STATUS_BROKEN)
		return "could not be tried";
	return WEXITSTATUS(status) == STATUS_DENIED ? NULL : "was let through";
}

static void add_failure(struct hf_buf *out, const char *what, const char *why)
{
	if (why)
		hf_buf_addf(out, "%s a forbidden %s %s", out->len ? ";" : "", what, why);
}

/* What is to be told of a try; empty where nothing went wrong. */
static void add_failures(struct hf_buf *out, const char *exec, const char *peer, size_t detached)
{
	add_failure(out, "program", exec);
	add_failure(out, "connection", peer);
	if (detached)
		hf_buf_addf(out, "%s %zu of the kernel's links %s taken away", out->len ? ";" : "", detached,
			    detached == 1 ? "was" : "were");
}

bool canary_run(struct canary *c, bool *ret_ok, char *text, size_t size)
{
	hf_cleanup(hf_buf_done) struct hf_buf failures = HF_BUF(512);
	uint64_t now = now_ns();

	if (now < c->next_ns)
		return false;
	c->next_ns = now + c->interval_ms * UINT64_C(1000000);
	const char *exec = c->exec_by ? attempt(c, true) : NULL, *peer = c->peer_by ? attempt(c, false) : NULL;
	const struct hf_rung *exec_rung = hf_rung_by(c->exec_by), *peer_rung = hf_rung_by(c->peer_by);
	add_failures(&failures, exec, peer, hf_programs_detached(c->programs));
	*ret_ok = !failures.len;
	if (*ret_ok)
		snprintf(text, size, "denied as it should be:%s%s%s%s", exec_rung ? " a program by " : "",
			 exec_rung ? exec_rung->name : "",
			 peer_rung ? (exec_rung ? ", a connection by " : " a connection by ") : "",
			 peer_rung ? peer_rung->name : "");
	else
		snprintf(text, size, "ENFORCEMENT DOES NOT HOLD:%.*s", (int)failures.len, failures.ptr);
	return true;
}
