#include "enforce/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "enforce/permission_shared.h"

enum { STUCK_NS = 28 * 1000000, LOOK_US = 4000, RESTARTS_MAX = 5, MARK_WAIT_MS = 1000 };

struct hf_permission {
	struct permission_shared *shared;
	int told, commands;
	pid_t watchdog;
};

/* ---- the watchdog ---- */

static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

/* Returns when the server has to be replaced: it ended, or does not get on. */
static void watch_server(const struct permission_setup *s, int group, pid_t server)
{
	struct pollfd p = { .fd = group, .events = POLLIN };
	unsigned long long answered = 0;
	uint64_t since = 0;
	int queued = 0;

	for (;;) {
		if (!since)
			poll(&p, 1, 1000);
		usleep(LOOK_US);
		if (waitpid(server, NULL, WNOHANG) == server)
			return;
		ioctl(group, FIONREAD, &queued);
		bool busy = queued > 0 || atomic_load(&s->shared->reading) || atomic_load(&s->shared->waiting);
		unsigned long long now_answered = atomic_load(&s->shared->answered);
		if (!busy) {
			since = 0;
		} else if (!since || now_answered != answered) {
			since = permission_now_ns();
			answered = now_answered;
		} else if (permission_now_ns() - since > STUCK_NS) {
			uint64_t held = permission_now_ns() - since;
			kill(server, SIGKILL);
			if (held > atomic_load(&s->shared->held_ns))
				atomic_store(&s->shared->held_ns, held);
			return;
		}
	}
}

static _Noreturn void watchdog(const struct permission_setup *s, int ready)
{
	static struct hf_permission_told told;
	uint64_t starts[RESTARTS_MAX] = { 0 };
	pid_t self = getpid();

	for (size_t i = 0;; i++) {
		int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE |
						  FAN_UNLIMITED_MARKS,
					  O_RDONLY | O_LARGEFILE | O_CLOEXEC);
		pid_t server = group < 0 ? -1 : fork();
		if (server == 0) {
			die_with(self);
			setsid();
			permission_serve(s, group);
		}
		atomic_store(&s->shared->server, server > 0 ? (unsigned)server : 0);
		int code = server < 0 ? errno : 0;
		if (ready >= 0 && write(ready, &code, sizeof code) < 0)
			_exit(1);
		hf_fd_close(&ready);
		if (server < 0)
			_exit(1);
		starts[i % RESTARTS_MAX] = permission_now_ns();
		watch_server(s, group, server);
		close(group); /* with the server dead this is the last one: the kernel lets through all that waits */
		waitpid(server, NULL, 0);
		atomic_store(&s->shared->reading, 0);
		atomic_store(&s->shared->waiting, 0);
		uint64_t oldest = starts[(i + 1) % RESTARTS_MAX];
		told.kind = oldest && permission_now_ns() - oldest < UINT64_C(60000000000) ? HF_PERMISSION_GAVE_UP
											   : HF_PERMISSION_RESTARTED;
		permission_tell(s, &told);
		if (told.kind == HF_PERMISSION_GAVE_UP)
			_exit(0);
	}
}

/* ---- the agent's side ---- */

static _Noreturn void be_watchdog(struct permission_setup *s, int ready, pid_t agent)
{
	die_with(agent);
	setsid(); /* what is typed at the agent's terminal stops the agent alone */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	permission_hurry();
	/* The kernel's programs must not outlive the agent by our descriptors. */
	for (int fd = 3; fd < 1024; fd++)
		if (fd != ready && fd != s->told && fd != s->commands)
			close(fd);
	atomic_store(&s->shared->watchdog, (unsigned)getpid());
	watchdog(s, ready);
}

static int start(struct hf_permission *p, struct permission_setup *s, struct hf_err *err)
{
	int told[2] = { -1, -1 }, ready[2] = { -1, -1 }, commands[2] = { -1, -1 }, code = EIO;

	if (pipe2(told, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(ready, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, commands) < 0)
		return hf_fail_errno(err, "pipes of the permission server");
	(void)fcntl(told[1], F_SETPIPE_SZ, 1 << 20);
	s->told = told[1];
	s->commands = commands[1];
	s->agent = (uint32_t)getpid();
	p->watchdog = fork();
	if (p->watchdog == 0)
		be_watchdog(s, ready[1], (pid_t)s->agent);
	close(told[1]);
	close(commands[1]);
	close(ready[1]);
	p->told = told[0];
	p->commands = commands[0];
	if (p->watchdog < 0)
		code = errno;
	else if (read(ready[0], &code, sizeof code) != sizeof code)
		code = EIO;
	close(ready[0]);
	errno = code;
	return code ? hf_fail_errno(err, "permission events of fanotify") : 0;
}

int hf_permission_open(const struct hf_enforce_policy *policy, bool deny, uint64_t until_ns, struct hf_permission **ret,
		       struct hf_err *err)
{
	struct hf_permission *p = hf_calloc(1, sizeof *p);
	struct permission_setup setup = { .policy = policy, .deny = deny, .until_ns = until_ns };

	p->told = p->commands = -1;
	p->shared = mmap(NULL, sizeof *p->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED) {
		free(p);
		return hf_fail_errno(err, "shared memory");
	}
	setup.shared = p->shared;
	int code = start(p, &setup, err);
	if (code < 0)
		hf_permission_close(p);
	else
		*ret = p;
	return code;
}

void hf_permission_close(struct hf_permission *p)
{
	if (!p)
		return;
	if (p->watchdog > 0) {
		kill(p->watchdog, SIGKILL);
		waitpid(p->watchdog, NULL, 0);
	}
	hf_fd_close(&p->told);
	hf_fd_close(&p->commands);
	munmap(p->shared, sizeof *p->shared);
	free(p);
}

static int send_root(struct hf_permission *p, int root)
{
	char byte = 'm';
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct pollfd wait = { .fd = p->commands, .events = POLLIN };
	int code = ETIMEDOUT;

	while (recv(p->commands, &code, sizeof code, MSG_DONTWAIT) > 0) /* answers that came too late */
		;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof root);
	memcpy(CMSG_DATA(c), &root, sizeof root);
	code = ETIMEDOUT;
	if (sendmsg(p->commands, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno;
	if (poll(&wait, 1, MARK_WAIT_MS) == 1 && recv(p->commands, &code, sizeof code, MSG_DONTWAIT) != sizeof code)
		code = EIO;
	return code;
}

int hf_permission_mark(struct hf_permission *p, uint32_t pid, int pidfd, struct hf_err *err)
{
	char path[64];
	struct statfs fs;
	struct stat here, own;

	snprintf(path, sizeof path, "/proc/%u/root", pid);
	hf_cleanup(hf_fd_close) int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(root, &here) < 0 || stat("/", &own) < 0 || fstatfs(root, &fs) < 0)
		return hf_fail_errno(err, "%s", path);
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
		return hf_fail(err, HF_E_MISSING, "process %u has ended", pid);
	if (here.st_dev == own.st_dev)
		return hf_fail(err, HF_E_MISSING, "process %u is in the machine's own root", pid);
	if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return hf_fail(err, HF_E_UNSUPPORTED,
			       "the root of process %u is no overlay of its own: a mark would hold up others", pid);
	int code = send_root(p, root);
	errno = code;
	return code ? hf_fail_errno(err, "mark on the root of process %u", pid) : 0;
}

void hf_permission_switch(struct hf_permission *p, bool on)
{
	atomic_store(&p->shared->off, !on);
}

bool hf_permission_take(struct hf_permission *p, struct hf_permission_told *ret)
{
	return read(p->told, ret, sizeof *ret) == (ssize_t)sizeof *ret && ret->path_length <= sizeof ret->path;
}

struct hf_permission_numbers hf_permission_numbers(const struct hf_permission *p)
{
	const struct permission_shared *s = p->shared;

	return (struct hf_permission_numbers){
		.answered = atomic_load(&s->answered),
		.denied = atomic_load(&s->denied),
		.late = atomic_load(&s->late),
		.untold = atomic_load(&s->untold),
		.worst_ns = atomic_load(&s->worst_ns),
		.held_ns = atomic_load(&s->held_ns),
		.server = atomic_load(&s->server),
		.watchdog = atomic_load(&s->watchdog),
	};
}
