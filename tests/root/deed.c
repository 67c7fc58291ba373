/* What an attack does that no tool of a small image does: one system call or two, by the name of the deed. It says nothing and its
 * status is of no interest; the sensor's view of it is. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t sleeper(unsigned user)
{
	pid_t child = fork();

	if (!child) {
		(void)!setuid(user);
		sleep(5);
		_exit(0);
	}
	usleep(100000);
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void trace(void)
{
	pid_t child = sleeper(0);

	ptrace(PTRACE_ATTACH, child, NULL, NULL);
	waitpid(child, NULL, 0);
	end(child);
}

static void read_memory(void)
{
	pid_t child = sleeper(1);
	char bytes[8];
	struct iovec here = { bytes, sizeof bytes }, there = { bytes, sizeof bytes };

	(void)!process_vm_readv(child, &here, 1, &there, 1, 0);
	end(child);
}

static void load_bpf(void)
{
	struct bpf_insn program[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (unsigned long)program;
	attr.insn_cnt = 2;
	attr.license = (unsigned long)"GPL";
	memcpy(attr.prog_name, "deed", 5);
	syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
	sleep(1);
}

static void run_from_memory(char **argv)
{
	int from = open("/bin/busybox", O_RDONLY), fd = memfd_create("x", 0);
	char bytes[65536];

	for (ssize_t n; (n = read(from, bytes, sizeof bytes)) > 0;)
		(void)!write(fd, bytes, (size_t)n);
	fexecve(fd, argv, environ);
}

static void run_deleted(char **argv)
{
	int fd = open(argv[0], O_RDONLY);

	unlink(argv[0]);
	argv[0] = (char *)"true";
	fexecve(fd, argv, environ);
}

static void spawn(char **argv)
{
	if (!fork()) {
		execvp(argv[0], argv);
		_exit(127);
	}
	wait(NULL);
}

static void write_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	(void)!write(fd, "x\n", 2);
	close(fd);
}

static void shell_on_socket(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	(void)!write(ends[1], "exit\n", 5);
	for (int fd = 0; fd < 3; fd++)
		dup2(ends[0], fd);
	execl("/bin/bash", "bash", "-i", (char *)NULL);
}

static void tick_of_no_clock(void)
{
	struct timex t = { .modes = ADJ_TICK, .tick = 1 };

	clock_adjtime(CLOCK_REALTIME, &t);
}

static void open_handle(void)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + 8];
	} h = { .handle = { .handle_bytes = 8, .handle_type = 1 } };
	int at = open("/", O_RDONLY | O_DIRECTORY);

	open_by_handle_at(at, &h.handle, O_RDONLY);
}

static void map_code(const char *path)
{
	int fd = open(path, O_RDONLY);

	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	sleep(1);
}

int main(int argc, char **argv)
{
	struct io_uring_params ring = { 0 };
	const char *deed = argc > 1 ? argv[1] : "";
	const char *what = argc > 2 ? argv[2] : "/";

	if (!strcmp(deed, "trace"))
		trace();
	else if (!strcmp(deed, "read-memory"))
		read_memory();
	else if (!strcmp(deed, "bpf"))
		load_bpf();
	else if (!strcmp(deed, "io-uring"))
		syscall(SYS_io_uring_setup, 4, &ring);
	else if (!strcmp(deed, "from-memory"))
		run_from_memory(argv + 2);
	else if (!strcmp(deed, "deleted"))
		run_deleted(argv + 2);
	else if (!strcmp(deed, "spawn"))
		spawn(argv + 2);
	else if (!strcmp(deed, "as-user") && setgid(1000) == 0 && setuid(1000) == 0)
		execvp(argv[2], argv + 2);
	else if (!strcmp(deed, "write"))
		write_to(what);
	else if (!strcmp(deed, "open"))
		close(open(what, O_RDONLY));
	else if (!strcmp(deed, "shell-on-socket"))
		shell_on_socket();
	else if (!strcmp(deed, "packet-socket"))
		socket(AF_PACKET, SOCK_RAW, 0);
	else if (!strcmp(deed, "userfaultfd"))
		syscall(SYS_userfaultfd, O_NONBLOCK);
	else if (!strcmp(deed, "reboot")) /* by a number that the kernel refuses */
		syscall(SYS_reboot, 1, 2, 3, NULL);
	else if (!strcmp(deed, "tick"))
		tick_of_no_clock();
	else if (!strcmp(deed, "handle"))
		open_handle();
	else if (!strcmp(deed, "map"))
		map_code(what);
	return 0;
}
