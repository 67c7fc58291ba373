"""For the tests of enforcement: a program for containers that tries things, and `holdfast runtime enforce` beside a test."""
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import docker

PROGRAM = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int memory(void)
{
	struct stat st;
	int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("", MFD_CLOEXEC);
	fstat(from, &st);
	sendfile(to, from, 0, st.st_size);
	char *const argv[] = { "try", "say", NULL }, *const env[] = { NULL };
	fexecve(to, argv, env);
	perror("fexecve");
	return 1;
}

static int peer(const char *how, const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int is6 = strchr(address, ':') != 0, datagram = strcmp(how, "connect") != 0;
	int s = socket(is6 ? AF_INET6 : AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
	inet_pton(AF_INET, address, &to.sin_addr);
	inet_pton(AF_INET6, address, &to6.sin6_addr);
	void *a = is6 ? (void *)&to6 : (void *)&to;
	int n = is6 ? sizeof to6 : sizeof to;
	int r = strcmp(how, "sendto") == 0 ? sendto(s, "x", 1, 0, a, n) : connect(s, a, n);
	printf("%s\n", r < 0 ? strerrorname_np(errno) : "done");
	return 0;
}

/* Waits for a byte or the end of the input. Runs argv[0] n times; how many did not end with status 0, and the longest time of one in microseconds. */
static int many(int n, char **argv)
{
	long worst = 0;
	int failed = 0;
	puts("ready");
	getchar();
	for (int i = 0; i < n; i++) {
		struct timespec a, b;
		int status;
		clock_gettime(CLOCK_MONOTONIC, &a);
		pid_t pid = vfork();
		if (!pid) {
			execv(argv[0], argv);
			_exit(100);
		}
		waitpid(pid, &status, 0);
		clock_gettime(CLOCK_MONOTONIC, &b);
		long us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
		worst = us > worst ? us : worst;
		failed += status != 0;
	}
	fprintf(stderr, "%d failed, longest %ld us\n", failed, worst);
	return 0;
}

/* Runs a copy of itself whose path is longer than any path that can be named. */
static int deep(void)
{
	char name[201] = { 0 };
	memset(name, 'd', 200);
	int from = open("/proc/self/exe", O_RDONLY), to;
	struct stat st;
	fstat(from, &st);
	chdir("/tmp");
	for (int i = 0; i < 25; i++)
		if ((mkdir(name, 0755) < 0 && errno != EEXIST) || chdir(name) < 0)
			return perror(name), 1;
	to = open("copy", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	sendfile(to, from, 0, st.st_size);
	close(to);
	execl("copy", "copy", NULL);
	return perror("copy"), 1;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc > 1 && !strcmp(argv[1], "deep"))
		return deep();
	if (argc > 1 && !strcmp(argv[1], "memory"))
		return memory();
	if (argc > 3 && !strcmp(argv[1], "many"))
		return many(atoi(argv[2]), argv + 3);
	if (argc > 3)
		return peer(argv[1], argv[2], atoi(argv[3]));
	if (argc > 2 && !strcmp(argv[1], "open")) {
		int fd = open(argv[2], O_RDONLY);
		return printf("%s\n", fd < 0 ? strerrorname_np(errno) : "done"), 0;
	}
	if (argc > 3 || (argc > 1 && !strcmp(argv[1], "block")))
		return printf("%s\n", mknod("/tmp/block", S_IFBLK | 0600, makedev(7, 77)) < 0 ? strerrorname_np(errno) : "done"), 0;
	puts("ran");
	return 0;
}
"""


def program():
    """The bytes of PROGRAM as a static executable; None where it cannot be compiled."""
    with tempfile.TemporaryDirectory() as folder:
        source, binary = os.path.join(folder, "try.c"), os.path.join(folder, "try")
        pathlib.Path(source).write_text(PROGRAM)
        if not shutil.which("cc") or subprocess.run(["cc", "-O1", "-static", "-w", "-o", binary, source], capture_output=True).returncode:
            return None
        return pathlib.Path(binary).read_bytes()


class Enforce:
    """`runtime enforce` on the engine @d, ended at the end of a with statement. Events are kept in .events."""

    def __init__(self, d, rules, *options, profile=None):
        self.d, self.rules, self.options, self.profile = d, rules, options, profile
        self.events = []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hfenf-"))
        command = [sys.argv[1], "runtime", "enforce", "--docker-socket", self.d.socket, "--format", "json", "--state", str(self.folder)]
        if self.rules is not None:
            (self.folder / "rules.yaml").write_text("schema: holdfast/enforce/1\ndeny:\n" + self.rules)
            command += ["--rules", str(self.folder / "rules.yaml")]
        if self.profile is not None:
            (self.folder / "profile.yaml").write_text(self.profile)
            command += ["--profile", str(self.folder / "profile.yaml")]
        self.log = open(self.folder / "err", "w+")
        self.child = subprocess.Popen([*command, *self.options], stdout=subprocess.PIPE, stderr=self.log,
                                      preexec_fn=docker.die_with_parent)
        self.rest = b""
        return self

    def read(self):
        while select.select([self.child.stdout], [], [], 0)[0]:
            piece = os.read(self.child.stdout.fileno(), 65536)
            if not piece:
                break
            *lines, self.rest = (self.rest + piece).split(b"\n")
            self.events += [json.loads(line) for line in lines]
        return self.events

    def stderr(self):
        return (self.folder / "err").read_text()

    def of(self, kind):
        return [e for e in self.read() if e["kind"] == kind]

    def wait(self, condition, what="an event"):
        def ask():
            assert self.child.poll() is None, f"it ended: {self.stderr()}"
            return [e for e in self.read() if condition(e)]
        return docker.wait_until(ask, what=what)

    def wait_guarded(self, n=1):
        """Until n containers are guarded."""
        docker.wait_until(lambda: self.child.poll() is not None or
                          len([e for e in self.of("health") if "is guarded" in e["health"]["message"]]) >= n, what="the guard")
        assert self.child.poll() is None, self.stderr()
        return self

    def denials(self):
        return self.of("denial")

    def __exit__(self, *_):
        if self.child.poll() is None:
            os.kill(self.child.pid, signal.SIGCONT)
            self.child.terminate()
            try:
                self.child.wait(docker.PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
