"""The sources beside BPF on real containers: mappings, namespaces and files, each with the cgroup of its container, and an
account that adds up."""
import ctypes
import os
import pathlib
import re
import subprocess
import sys

import docker

docker.skip_unless(image_of=("bash", "coreutils", "util-linux"))
DUMP = pathlib.Path(sys.argv[1]).parent / "tests" / "sense_dump"


def cgroup_of(pid):
    """what the kernel calls the container's cgroup: the inode of its folder in the unified hierarchy"""
    path = next(line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))
    root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    return str(os.stat(root + path).st_ino)


class Watch:
    """sense_dump for as long as a block takes"""

    def __init__(self, source, *pids):
        self.command = [DUMP, source, "0", *map(str, pids)]

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.before = []
        while (line := self.child.stdout.readline()) not in ("ready\n", ""):
            self.before.append(line)
        assert line, "it does not open"
        return self

    def __exit__(self, *_):
        out, _ = self.child.communicate("", timeout=docker.PATIENCE_S)
        self.events, self.account = [], {}
        for line in out.splitlines():
            kind, *words = line.split(" ")
            fields = dict(w.split("=", 1) for w in words if "=" in w)
            if kind == "account":
                self.account[words[0]] = {k: int(v) for k, v in fields.items()}
            elif kind != "cgroup":
                self.events.append((kind, fields))

    def of(self, kind, **fields):
        fields = {k.replace("__", "."): v for k, v in fields.items()}
        return [e for k, e in self.events if k == kind and all(e.get(f) == v for f, v in fields.items())]

    def adds_up(self):
        for kind, n in self.account.items():
            assert n["seen"] == n["known"] + n["delivered"] + n["dropped"], (kind, n)
            assert n["delivered"] == len(self.of(kind)), (kind, n)
        assert self.account


def libraries(d):
    """a library that was dropped and preloaded is told of, with its container; what is mapped again is known"""
    with Watch("perf") as w:
        d("exec", "one", "bash", "-c", "cp /lib/x86_64-linux-gnu/libc.so.6 /tmp/dropped.so && LD_PRELOAD=/tmp/dropped.so sleep 0.3")
        d("exec", "one", "bash", "-c", "for i in 1 2 3; do sleep 0.2; done")
    for path in ("/tmp/dropped.so", "/usr/bin/bash", "/usr/bin/sleep"):
        mine = w.of("map", map__path=path, container__cgroup_id=cgroup_of(d.pid("one")))
        assert len(mine) == 1, (path, mine)
        assert mine[0]["map.inode"] and mine[0]["map.deleted"] == "false"
    dropped, = w.of("map", map__path="/tmp/dropped.so")
    notes = subprocess.run(["readelf", "-n", "/lib/x86_64-linux-gnu/libc.so.6"], capture_output=True, text=True).stdout
    assert dropped["map.build_id"] in notes.split()
    assert w.account["map"]["known"] >= 6
    w.adds_up()


def losses(d):
    """what the rings had no room for is counted, each record of it"""
    with Watch("lossy") as w:
        d("exec", "one", "bash", "-c", "for i in $(seq 300); do /bin/true; done")
    assert w.account["map"]["dropped"] > 500 and w.account["map"]["seen"] >= 900, w.account
    w.adds_up()


def memory(d):
    """a program that lies in memory alone"""
    code = "import os; f = os.memfd_create('payload', 0); os.write(f, open('/bin/sleep', 'rb').read()); os.execv(f'/proc/self/fd/{f}', ['x', '0.3'])"
    pid, cgroup = d.pid("one"), cgroup_of(d.pid("one"))
    root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    folder = root + next(line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))
    with Watch("perf") as w:  # python is the machine's, in the container's cgroup
        subprocess.run(["sh", "-c", f"echo $$ >{folder}/cgroup.procs && exec {sys.executable} -c \"$0\"", code], check=True)
    mine = w.of("map", map__path="/memfd:payload", container__cgroup_id=cgroup)
    assert len(mine) == 1 and mine[0]["map.memory"] == "true" and mine[0]["map.deleted"] == "true", mine


def namespaces(d):
    """unshare and nsenter are told of, with what changed and what is the host's"""
    cgroup = cgroup_of(d.pid("one"))
    with Watch("spaces") as w:
        d("exec", "one", "unshare", "-m", "-n", "sleep", "0.2")
        d("exec", "one", "nsenter", "-t", "1", "-u", "sleep", "0.2")
    made = w.of("namespace", namespace__types="mount,network", container__cgroup_id=cgroup)
    assert any(e["namespace.host"] == "" for e in made), w.of("namespace")
    w.adds_up()
    with Watch("spaces") as w:
        d("exec", "host", "nsenter", "-t", str(os.getpid()), "-n", "-i", "sleep", "0.2")
    entered = w.of("namespace", container__cgroup_id=cgroup_of(d.pid("host")))
    assert {"network", "ipc"} == {e["namespace.types"] for e in entered if e["namespace.host"] == e["namespace.types"]}, entered


def files(d):
    """chosen files that are opened, written and replaced; programs that come and go; each in its container"""
    one, two = d.pid("one"), d.pid("host")
    with Watch("files", one, two) as w:
        d("exec", "one", "bash", "-c", "echo x >>/etc/passwd")
        d("exec", "host", "bash", "-c", "cat /etc/shadow /etc/shadow")
        d("exec", "one", "bash", "-c", "cp /bin/ls /tmp/tool; ln /bin/ls /usr/bin/tool; mv /usr/bin/tool /usr/bin/tool2; rm /usr/bin/tool2; chmod u+s /bin/ls")
        d("exec", "one", "bash", "-c", "mkdir /root/.ssh; sleep 0.5; echo key >/root/.ssh/authorized_keys")
        d("exec", "one", "bash", "-c", "cp /etc/passwd /etc/new; mv /etc/new /etc/passwd; sleep 0.5; echo y >>/etc/passwd")
        merged = d("inspect", "-f", "{{.GraphDriver.Data.MergedDir}}", "one").out
        with open(merged + "/etc/passwd", "a") as f:
            f.write("from outside\n")
    in_one, in_two = cgroup_of(one), cgroup_of(two)

    def told(cgroup, operation, path, n=1, **more):
        got = w.of("file", file__operation=operation, file__path=path, container__cgroup_id=cgroup, **more)
        assert len(got) == n, (operation, path, got, w.of("file"))
        return got

    told(in_two, "open", "/etc/shadow")
    assert not w.of("file", file__path="/etc/shadow", container__cgroup_id=in_one)
    written = w.of("file", file__operation="write", file__path="/etc/passwd", container__cgroup_id=in_one)
    written = w.of("file", file__operation="write", file__path="/etc/passwd", container__cgroup_id=in_one)
    copied = [e for e in written[1:-2] if e["file.inode"] == written[-1]["file.inode"]]
    # A file is called what it is called when its event is looked at: the copy, written before the last two, may have got its new name by then.
    assert len(written) - len(copied) == 3 and len(copied) < 2 and str(os.getpid()) in {e["process.pid"] for e in written}, written
    told(in_one, "rename", "/etc/passwd", file__path_old="/etc/new")
    told(in_one, "write", "/tmp/tool", file__executable="true")
    told(in_one, "create", "/usr/bin/tool")
    told(in_one, "rename", "/usr/bin/tool2", file__path_old="/usr/bin/tool")
    told(in_one, "delete", "/usr/bin/tool2")
    told(in_one, "attributes", "/usr/bin/ls")
    told(in_one, "create", "/root/.ssh")
    told(in_one, "create", "/root/.ssh/authorized_keys")
    told(in_one, "write", "/root/.ssh/authorized_keys", n=len(w.of("file", file__operation="write", file__path="/root/.ssh/authorized_keys")))
    w.adds_up()


def nothing_is_held(d):
    """a fifo hangs nobody, and a watched container is removed at once"""
    d("run", "-d", "--name", "short", "deb", "sleep", "1000")
    with Watch("files", d.pid("short")) as w:
        d("exec", "short", "bash", "-c", "mkfifo /tmp/f; (cat /tmp/f >/dev/null) & echo 1 >/tmp/f; wait; for i in 1 2 3; do echo >/tmp/same; done")
        d("rm", "-f", "short")
        assert not [line for line in open("/proc/self/mountinfo") if str(d.data_root) in line and "short" in line]
    w.adds_up()


def tracing(d):
    """a process that attaches to another one is told of, with the container of the one that is traced"""
    libc = ctypes.CDLL(None, use_errno=True)
    with Watch("ptrace") as w:
        assert libc.ptrace(16, d.pid("one"), 0, 0) == 0, os.strerror(ctypes.get_errno())  # PTRACE_ATTACH
        os.waitpid(d.pid("one"), 0x40000000)  # __WALL
        assert libc.ptrace(17, d.pid("one"), 0, 0) == 0  # PTRACE_DETACH
    event, = w.of("ptrace", process__pid=str(os.getpid()))
    assert event["target.pid"] == str(d.pid("one")) and event["target.path"] == "/usr/bin/sleep", event
    assert event["container.cgroup_id"] == cgroup_of(d.pid("one"))
    w.adds_up()


def executions_without_bpf(d):
    """the process connector stands in for executions and ends"""
    with Watch("exec") as w:
        d("exec", "one", "bash", "-c", "sleep 0.3; exit 3", status=3)
    run, = w.of("exec", process__name="sleep", container__cgroup_id=cgroup_of(d.pid("one")))
    assert run["process.executable.path"] == "/usr/bin/sleep" and run["process.arguments"] == "sleep,0.3", run
    assert w.of("exit", process__pid=run["process.parent.pid"], exit__code="3")


def what_was_there(d):
    """containers, processes, sockets and mappings from before the sensor are found, once"""
    d("run", "-d", "--name", "server", "deb", "bash", "-c", "httpd -f -p 8080 -h /tmp & sleep 1000; true")
    docker.wait_until(lambda: "httpd" in d("exec", "server", "ps"))
    found = subprocess.run([DUMP, "walk", "0"], capture_output=True, text=True, check=True).stdout
    first, second, end = found.split("walked missed ")
    cgroup, pid = cgroup_of(d.pid("server")), d.pid("server")
    assert f"container {cgroup} /docker/{d.container_id('server')} {pid}\n" in first
    assert f"process {cgroup} {pid} parent " in first and first.count(f"process {cgroup} ") == second.count(f"process {cgroup} ") == 3
    sockets = [line for line in first.splitlines() if line.startswith("listen ") and f"container.cgroup_id={cgroup} " in line]
    assert len(sockets) == 1 and "network.protocol=tcp" in sockets[0] and "network.local.port=8080" in sockets[0], first
    assert f"container.cgroup_id={cgroup} process.pid={pid} process.tid={pid} map.path=/usr/bin/bash" in first
    again = [line for line in second.splitlines() if line.startswith(("map ", "listen ")) and f"container.cgroup_id={cgroup} " in line]
    assert not again, again


def many_descriptors(d):
    """a process with more descriptors than one walk looks at is cut, and told so; the next one's socket is found"""
    d("run", "-d", "--name", "hoard", "deb", "bash", "-c",
      "httpd -p 8090 -h /tmp; for ((i = 0; i < 80; i++)); do sleep 1000 & done; for ((i = 0; i < 1000; i++)); do exec {f}</dev/null; done; echo done; wait")
    docker.wait_until(lambda: "done" in str(d("logs", "hoard")), what="the last descriptor")
    d("run", "-d", "--name", "after", "deb", "bash", "-c", "httpd -f -p 8091 -h /tmp & sleep 1000; true")
    docker.wait_until(lambda: "httpd" in d("exec", "after", "ps"))
    first, second, end = subprocess.run([DUMP, "walk", "0"], capture_output=True, text=True, check=True).stdout.split("walked missed ")
    after = [line for line in first.splitlines() if line.startswith("listen ") and f"container.cgroup_id={cgroup_of(d.pid('after'))} " in line]
    assert len(after) == 1 and "network.local.port=8091" in after[0], after
    assert int(re.match(r"\d+ \d+ (\d+)", second)[1]) > 0, second[:40]


with docker.Docker(network=False) as docker_:
    docker_.import_image("deb", {"etc/shadow": (b"root:*:1::::::\n", 0o640), "etc/cron.d/x": (b"", 0o644)}, packages=("bash", "coreutils", "util-linux"))
    docker_("run", "-d", "--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--security-opt", "seccomp=unconfined", "--name", "one", "deb", "sleep", "1000")
    docker_("run", "-d", "--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--security-opt", "seccomp=unconfined", "--pid=host", "--name", "host", "deb", "sleep", "1000")
    sys.exit(docker.main([libraries, losses, memory, namespaces, files, nothing_is_held, tracing, executions_without_bpf, what_was_there, many_descriptors], docker_))
