"""Cgroup v1 alone: engine, containers and agent in a mount namespace where the unified hierarchy is not mounted, so that no runtime puts a
container there and nothing can be asked of it."""
import os
import pathlib
import subprocess
import sys

MOUNTS = [line.split() for line in open("/proc/self/mountinfo")]
UNIFIED = [m[4] for m in MOUNTS if m[m.index("-") + 1] == "cgroup2"]
V1 = [m for m in MOUNTS if m[m.index("-") + 1] == "cgroup" and "pids" in m[-1].split(",")]
if not V1:
    print("1..0 # SKIP no hierarchy of cgroup v1 is mounted")
    sys.exit(0)
if UNIFIED:
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        print("1..0 # SKIP no mount namespace can be made")
        sys.exit(0)
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c", 'n=$1; shift; while [ $n -gt 0 ]; do umount -l "$1" || exit 1; '
                          'shift; n=$((n-1)); done; exec "$@"', "sh", str(len(UNIFIED)), *UNIFIED, sys.executable, *sys.argv])

import docker  # noqa: E402
import watch  # noqa: E402
from enforcing import Enforce, program  # noqa: E402
from watch import get  # noqa: E402

docker.skip_unless(network=False)
watch.skip_unless()
TRY = program()


def execs(w, name, *arguments):
    return [r for r in w.all("exec", container__name=name) if (get(r, "process.arguments") or [])[:len(arguments)] == list(arguments)]


def probed(d, w):
    """probe says by what containers are told apart, and what cgroup v1 cannot do"""
    rows = subprocess.run([watch.HOLDFAST, "runtime", "probe"], capture_output=True, text=True, check=True).stdout.splitlines()
    row = lambda text: next(r for r in rows if text in r)
    assert row("which container it is").startswith("yes") and "cgroup v1, pids" in row("which container it is"), row("which container")
    assert row("tp_btf/sched_process_exec").startswith("yes") and row("answers of name servers ").startswith("no")
    for name in "cgroup ", "cgroup-device ":
        denies = next(r for r in rows[rows.index("DENIES, the best first"):] if r[5:].startswith(name))
        assert denies.startswith("no") and "cgroup v1" in denies, denies
    told = [get(r, "health.message") for r in w.all("health")]
    assert [t for t in told if "accepted" in t] and [t for t in told if "name servers" in t], told


def no_unified(d, w):
    """the containers of this test are in v1's cgroups alone"""
    text = pathlib.Path(f"/proc/{d.pid('stays')}/cgroup").read_text()
    assert f":pids:/docker/{d.container_id('stays')}" in text and "0::/docker" not in text, text


def identity(d, w):
    """executions have their container and tree, and their ends"""
    id = d("run", "-d", "--name", "one", "box", "sh", "-c", "cat /etc/passwd >/dev/null; exit 3")
    start = w.one("container_start", container__id=id)
    assert get(start, "container.cgroup") == f"/docker/{id}" and get(start, "container.started_before_sensor") is False, start
    docker.wait_until(lambda: execs(w, "one", "cat", "/etc/passwd"), what="cat")
    shell, cat = execs(w, "one", "sh", "-c")[0], execs(w, "one", "cat", "/etc/passwd")[0]
    for row in shell, cat:
        assert get(row, "container.id") == id and get(row, "container.image.name") == "box" and not get(row, "process.runtime_setup"), row
    assert get(cat, "process.ancestors")[0]["execution"] == get(shell, "process.execution"), cat
    w.one("exit", process__execution=get(cat, "process.execution"))
    assert get(w.one("exit", process__execution=get(shell, "process.execution")), "exit.code") == 3
    w.one("container_stop", container__id=id)
    setup = [r for r in w.all(container__id=id) if get(r, "process.runtime_setup")]
    assert setup and all(get(r, "process.executable.path") != "/bin/busybox" for r in setup), setup


def before(d, w):
    """a container that ran before is known, and a process that comes in is told"""
    start = w.one("container_start", container__name="early")
    assert get(start, "container.started_before_sensor") is True and get(start, "container.cgroup").startswith("/docker/"), start
    d("exec", "early", "/bin/busybox", "true", "came in")
    row = docker.wait_until(lambda: execs(w, "early", "/bin/busybox", "true", "came in"), what="the execution")[0]
    assert get(row, "process.entered") is True and get(row, "container.id") == d.container_id("early"), row


def sockets(d, w):
    """servers and peers of TCP and UDP have their container"""
    d("exec", "stays", "sh", "-c", "nc -l -p 7001 </dev/null & for n in $(seq 100); do sleep 0.1; nc 127.0.0.1 7001 </dev/null && break; done; timeout 30 nslookup x.example 127.0.0.1", status=None)
    w.one("listen", container__name="stays", network__local__port=7001)
    w.one("connect", container__name="stays", network__remote__port=7001, network__protocol="tcp")
    docker.wait_until(lambda: [r for r in w.all(container__name="stays", network__remote__port=53) if get(r, "network.protocol") == "udp"], what="UDP")


def enforced(d, w):
    """a program is denied by its v1 cgroup; a connection cannot be, and that is refused"""
    if not TRY:
        return "no static C compiler"
    for name in "stays", "early":
        d("exec", name, "cp", "/bin/try", "/tmp/evil")
    with Enforce(d, "  - what: imds\n", "--container", "stays", "--deny", "--rung", "cgroup") as e:
        assert e.child.wait(docker.PATIENCE_S) == 2 and "cgroup v1" in e.stderr(), e.stderr()
    with Enforce(d, "  - what: drift\n", "--container", "stays", "--deny", "--rung", "exec-kill", "--canary-seconds", "1") as e:
        e.wait_guarded()
        assert str(d("exec", "stays", "/tmp/evil", status=None)) == "" and str(d("exec", "stays", "/bin/try")) == "ran"
        assert str(d("exec", "early", "/tmp/evil")) == "ran"
        denial = e.wait(lambda v: v["kind"] == "denial", "the denial")[0]
        assert denial["container"]["name"] == "stays" and denial["denial"]["rung"] == "exec-kill", denial
        e.wait(lambda v: v["kind"] == "health" and "denied as it should be" in v["health"]["message"], "the canary")


def account(d, w):
    """seen = known + delivered + dropped, for each kind and container; what was delivered was printed"""
    d("stop", "-t", "0", "early")
    w.one("container_stop", container__name="early")
    rows = w.end()
    losses = {(get(r, "container.cgroup_id"), r["loss"]["kind"]): r["loss"] for r in rows if r["kind"] == "loss"}
    assert losses, "no account"
    for at, loss in losses.items():
        assert loss["seen"] == loss["known"] + loss["delivered"] + loss["dropped"] and (not loss["dropped"] or at == (None, "map")), (at, loss)
    for kind in "exec", "exit", "container_start", "container_stop":
        delivered = sum(loss["delivered"] for (_, k), loss in losses.items() if k == kind)
        assert delivered == len([r for r in rows if r["kind"] == kind]) > 0, (kind, delivered)
    assert w.child.returncode == 0, (w.child.returncode, w.errors)


with docker.Docker(network=False) as engine:
    engine.import_image("box", {"bin/try": (TRY or b"", 0o755)})
    engine("run", "-d", "--name", "early", "box", "sleep", "1000")
    with watch.Watch(engine) as watching:
        engine("run", "-d", "--name", "stays", "box", "sleep", "1000")
        failed = docker.main([probed, no_unified, identity, before, sockets, enforced, account], engine, watching)
sys.exit(failed)
