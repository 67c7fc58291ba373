"""The programs in the kernel on real containers: executions, sockets, names, capabilities, io_uring, signals to the agent, system calls,
and for each container an account that adds up."""
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import time

import docker

docker.skip_unless(image_of=("bash", "coreutils", "util-linux"), network=True)
DUMP = pathlib.Path(sys.argv[1]).parent / "tests" / "sense_dump"
SERVER = r"""
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 53))
print("ready", flush=True)
while True:
    q, peer = s.recvfrom(4096)
    end = q.index(b"\0", 12) + 5
    nope, kind = b"nope" in q, struct.unpack(">H", q[end - 4:end - 2])[0]
    answer = b"" if nope or kind != 1 else b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3"
    s.sendto(q[:2] + struct.pack(">HHHHH", 0x8183 if nope else 0x8180, 1, 1 if answer else 0, 0, 0) + q[12:end] + answer, peer)
"""
URING = r"""
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
	struct io_uring_params p;
	memset(&p, 0, sizeof p);
	int fd = syscall(SYS_io_uring_setup, 4, &p);
	if (fd < 0)
		return 1;
	char *sq = mmap(0, p.sq_off.array + 4 * p.sq_entries, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	struct io_uring_sqe *e = mmap(0, p.sq_entries * sizeof *e, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	memset(e, 0, sizeof *e);
	e->opcode = IORING_OP_OPENAT;
	e->fd = -100;
	e->addr = (unsigned long)"/etc/passwd";
	*(unsigned *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) == 1 ? 0 : 2;
}
"""


# Into a cgroup of its own making, below its own: by clone3, and by a move (a port each).
OWN_CGROUP = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static int work(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001) };
	connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof a);
	sethostname("x", 1);
	int code; /* swapoff(2) in the 32-bit table, getgroups(2) in the other */
	__asm__ volatile("int $0x80" : "=a"(code) : "0"(115), "b"(0) : "memory");
	return 0;
}
int main(void)
{
	char line[4096], path[5000] = "", file[5100];
	FILE *f = fopen("/proc/self/cgroup", "r");
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "0::", 3)) {
			line[strcspn(line, "\n")] = 0;
			snprintf(path, sizeof path, "/groups%s/own", line + 3);
		}
	if (mkdir(path, 0755))
		return perror(path), 1;
	struct clone_args a = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = open(path, O_RDONLY | O_DIRECTORY) };
	int pid = syscall(SYS_clone3, &a, sizeof a);
	if (pid < 0)
		return perror("clone3"), 1;
	if (!pid)
		_exit(work(7001));
	waitpid(pid, NULL, 0);
	snprintf(file, sizeof file, "%s/cgroup.procs", path);
	int fd = open(file, O_WRONLY);
	if (!(pid = fork()))
		_exit(write(fd, "0", 1) != 1 || work(7002));
	waitpid(pid, NULL, 0);
	puts("done");
	fflush(stdout);
	pause();
}
"""


class Watch:
    """sense_dump for as long as a block takes"""

    def __init__(self, source="kernel"):
        self.source = source

    def __enter__(self):
        self.child = subprocess.Popen([DUMP, self.source, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.programs = {}
        while (line := self.child.stdout.readline()) not in ("ready\n", ""):
            word, section, state, *why = line.split()
            self.programs[section] = state
        assert line, "it does not open"
        return self

    def __exit__(self, *_):
        time.sleep(0.2)
        out, _ = self.child.communicate("", timeout=docker.PATIENCE_S)
        self.events, self.counts = [], []
        for line in out.splitlines():
            kind, *words = line.split(" ")
            fields = dict(w.split("=", 1) for w in words if "=" in w)
            if kind == "counts":
                self.counts.append((words[0], words[1], {k: int(v) for k, v in fields.items()}))
            elif kind != "account":
                self.events.append((kind, fields))

    def of(self, kind, cgroup=None, **fields):
        fields = {k.replace("__", "."): v for k, v in fields.items()}
        return [e for k, e in self.events if k == kind and all(e.get(f) == v for f, v in fields.items())
                and cgroup in (None, e["container.cgroup_id"])]

    def adds_up(self):
        for cgroup, kind, n in self.counts:
            assert n["seen"] == n["known"] + n["delivered"] + n["dropped"], (cgroup, kind, n)
            if not n["dropped"]:
                assert n["delivered"] == len(self.of(kind, cgroup)), (cgroup, kind, n)
        assert self.counts


def cgroup_of(pid):
    path = next(line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))
    root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    return str(os.stat(root + path).st_ino)


def one_life(d):
    """a container's executions, sockets, names and capabilities are told of once each, and everything that was seen is accounted for"""
    with Watch() as w:
        d("run", "-d", "--name", "server", "deb", "bash", "-c", "httpd -f -p 8080 -h /tmp & sleep 1000; true")
        address = d("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server")
        names = subprocess.Popen(["nsenter", "-t", str(d.pid("server")), "-n", sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
        names.stdout.readline()
        d("run", "-d", "--name", "client", "deb", "sleep", "1000")
        docker.wait_until(lambda: d("exec", "client", "wget", "-qO-", f"http://{address}:8080/word", status=None) == "hello")
        d("exec", "client", "bash", "-c", f"for i in 1 2 3; do wget -qO- http://{address}:8080/word; done")
        for name in ("web.example", "nope.example", "nope.example"):
            d("exec", "client", "nslookup", name, address, status=None)
        d("exec", "client", "bash", "-c", f"chroot / true; chroot / true; mount -t tmpfs x /mnt; echo >/dev/udp/{address}/9", status=None)
        server, client = cgroup_of(d.pid("server")), cgroup_of(d.pid("client"))
        names.kill()
        names.wait()
    assert w.of("exec", server, process__executable__path="/usr/bin/bash", **{"process.runtime_setup": "false"})
    assert len(w.of("exec", client, process__executable__path="/usr/bin/sleep")) == 1
    chroots = w.of("exec", client, process__executable__path="/usr/sbin/chroot")
    assert len(chroots) == 2 and all(e["process.entered"] == "true" and e["process.parent.execution"] != "0" for e in chroots), chroots
    listen, = w.of("listen", server, network__protocol="tcp")
    assert listen["network.local.port"] == "8080"
    connect, = w.of("connect", client, network__protocol="tcp")
    assert (connect["network.remote.address"], connect["network.remote.port"]) == (address, "8080")
    accept, = w.of("accept", server)
    assert accept["network.local.port"] == "8080"
    assert len(w.of("connect", client, network__protocol="udp", network__remote__port="9")) == 1
    assert len(w.of("connect", client, network__protocol="udp", network__remote__port="53")) == 1
    assert w.of("dns", client, dns__name="nope.example", dns__response="NXDOMAIN")
    chroot, = w.of("capability", client, capability__name="CAP_SYS_CHROOT", process__runtime_setup="false")
    assert chroot["capability.allowed"] == "true" and chroot["capability.syscall"] == "chroot"
    mount = w.of("capability", client, capability__name="CAP_SYS_ADMIN", process__runtime_setup="false")
    assert {e["capability.allowed"] for e in mount} <= {"false"}, mount
    w.adds_up()
    known = {kind: n["known"] for cgroup, kind, n in w.counts if cgroup == client}
    assert known["connect"] >= 3 and known["capability"] >= 1


def names_after_the_first(d):
    """once a container has turned to a name server, addresses of names are told of"""
    address = d("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server")
    names = subprocess.Popen(["nsenter", "-t", str(d.pid("server")), "-n", sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    names.stdout.readline()
    try:
        with Watch() as w:
            d("run", "--rm", "deb", "bash", "-c", f"nslookup first.example {address}; sleep 0.5; nslookup web.example {address}")
    finally:
        names.kill()
        names.wait()
    web, = w.of("dns", dns__name="web.example", dns__type="A")
    assert web["dns.addresses"] == "10.1.2.3" and web["network.remote.address"] == address, web
    w.adds_up()


def namespaces(d):
    """what a container makes and enters: by unshare, by nsenter, and by a process that runs nothing afterwards"""
    options = ("--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--security-opt", "seccomp=unconfined")
    with Watch() as w:
        d("run", "-d", *options, "--pid=host", "--name", "spaces", "deb", "sleep", "1000")
        cgroup = cgroup_of(d.pid("spaces"))
        d("exec", "spaces", "unshare", "-m", "-n", "true")
        d("exec", "spaces", "unshare", "--fork", "--pid", "true")
        d("exec", "spaces", "nsenter", "-t", str(os.getpid()), "-n", "-i", "true")
        root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
        folder = root + next(line[3:] for line in pathlib.Path(f"/proc/{d.pid('spaces')}/cgroup").read_text().splitlines() if line.startswith("0::"))
        code = "import ctypes; assert ctypes.CDLL(None).unshare(0x04000000) == 0"  # CLONE_NEWUTS
        subprocess.run(["sh", "-c", f"echo $$ >{folder}/cgroup.procs && exec {sys.executable} -c '{code}'"], check=True)
    own = [(e["namespace.types"], e["namespace.host"]) for e in w.of("namespace", cgroup, process__runtime_setup="false")]
    assert {("mount,network", ""), ("pid", ""), ("network,ipc", "network,ipc")} <= set(own), own
    assert any(e["namespace.types"] == "uts" for e in w.of("namespace", cgroup)), w.of("namespace", cgroup)
    w.adds_up()


def own_cgroup(d):
    """who makes a cgroup below its own and goes there is no runtime that sets up a container"""
    root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    with Watch() as w:
        d("run", "-d", "--name", "owner", "--cap-add=SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt",
          "apparmor=unconfined", "--cgroupns=host", "-v", f"{root}:/groups", "deb", "/owncgroup")
        said = docker.wait_until(lambda: d("logs", "owner"), what="what it says")
        below = str(os.stat(root + next(line[3:] for line in pathlib.Path(f"/proc/{d.pid('owner')}/cgroup").read_text().splitlines()
                                        if line.startswith("0::")) + "/own").st_ino) if "done" in str(said) else None
    assert below, said
    for port in ("7001", "7002"):
        event, = w.of("connect", below, network__remote__port=port)
        assert event["process.runtime_setup"] == "false", event
    admin = w.of("capability", below, capability__name="CAP_SYS_ADMIN", capability__syscall="sethostname")
    assert admin and {e["process.runtime_setup"] for e in admin} == {"false"}, admin
    if platform.machine() == "x86_64":
        assert w.of("capability", below, capability__syscall="swapoff") and not w.of("capability", below, capability__syscall="getgroups")
    w.adds_up()
    d("rm", "-f", "owner")


def io_uring(d):
    """setting up io_uring, and an operation that no system call shows"""
    with Watch() as w:
        got = d("run", "--rm", "--security-opt", "seccomp=unconfined", "deb", "/uring", status=None)
    if got.status == 1:
        return "no io_uring here"
    assert w.of("io_uring", io_uring__operation="setup") and w.of("io_uring", io_uring__operation="openat")
    w.adds_up()


def signals_to_the_agent(_):
    """a signal to the agent is told of with its sender, wherever it runs"""
    with Watch() as w:
        os.kill(w.child.pid, signal.SIGCONT)
    event, = w.of("signal", process__pid=str(os.getpid()))
    assert event["signal.number"] == str(int(signal.SIGCONT)) and event["target.pid"] == str(w.child.pid)


def system_calls(d):
    """with --deep each system call of a container is told of once"""
    with Watch("deep") as w:
        d("run", "--rm", "deb", "bash", "-c", "sync; sync; mknod /tmp/x p")
    for name in ("sync", "execve"):
        assert len({e["container.cgroup_id"] for e in w.of("syscalls", syscalls__names=name)}) == len(w.of("syscalls", syscalls__names=name)) >= 1, name
    w.adds_up()


def storm(d):
    """under a storm of executions nothing is lost, and every one is accounted for"""
    with Watch() as w:
        d("run", "--rm", "deb", "bash", "-c", "for i in $(seq 3000); do /bin/true; done")
    runs = [n for _, kind, n in w.counts if kind == "exec"]
    assert len(w.of("exec", process__executable__path="/usr/bin/true")) == 3000 and sum(n["dropped"] for n in runs) == 0, runs
    w.adds_up()


def storm_and_neighbour(d):
    """who fills the ring while nobody reads it loses its own executions, not its neighbour's"""
    with Watch() as w:
        d("run", "-d", "--name", "storming", "deb", "sleep", "1000")
        d("run", "-d", "--name", "beside", "deb", "sleep", "1000")
        os.kill(w.child.pid, signal.SIGSTOP)
        d("exec", "storming", "bash", "-c", "a=$(printf %3800s x); for i in $(seq 1500); do /bin/true \"$a\"; done")
        d("exec", "beside", "/bin/echo", "still seen")
        os.kill(w.child.pid, signal.SIGCONT)
        storming, beside = cgroup_of(d.pid("storming")), cgroup_of(d.pid("beside"))
    assert w.of("exec", beside, process__executable__path="/usr/bin/echo")
    storm, = [n for cgroup, kind, n in w.counts if cgroup == storming and kind == "exec"]
    assert storm["dropped"] > 0 and storm["seen"] == storm["delivered"] + storm["dropped"], storm


with tempfile.TemporaryDirectory() as folder, docker.Docker() as docker_:
    source, program = pathlib.Path(folder, "uring.c"), pathlib.Path(folder, "uring")
    source.write_text(URING)
    built = subprocess.run(["cc", "-static", "-o", program, source], capture_output=True)
    pathlib.Path(folder, "own.c").write_text(OWN_CGROUP)
    subprocess.run(["cc", "-static", "-o", pathlib.Path(folder, "own"), pathlib.Path(folder, "own.c")], check=True)
    files = {"owncgroup": (pathlib.Path(folder, "own").read_bytes(), 0o755), "tmp/word": (b"hello", 0o644), "uring": (program.read_bytes() if built.returncode == 0 else b"#!/bin/sh\nexit 1\n", 0o755)}
    docker_.import_image("deb", files, packages=("bash", "coreutils", "util-linux"))
    sys.exit(docker.main([one_life, names_after_the_first, namespaces, own_cgroup, io_uring, signals_to_the_agent, system_calls, storm, storm_and_neighbour], docker_))
