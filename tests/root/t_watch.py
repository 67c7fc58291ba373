"""The whole path on a real Docker: what runs in containers, as JSON lines with container, image and process tree, and the account."""
import subprocess
import sys

import docker
import watch
from watch import get

PYTHON = ("python3-minimal", "python3.11-minimal", "libpython3.11-minimal")
docker.skip_unless(network=False, image_of=PYTHON)
watch.skip_unless()

MEMORY = r"""
import os
fd = os.memfd_create("hidden", 0)
with open("/bin/busybox", "rb") as f:
    os.write(fd, f.read())
os.execve(fd, ["true", "from memory"], {})
"""
DELETED = r"""
import os
with open("/bin/busybox", "rb") as source, open("/tmp/true", "wb") as target:
    target.write(source.read())
os.chmod("/tmp/true", 0o755)
fd = os.open("/tmp/true", os.O_RDONLY)
os.unlink("/tmp/true")
os.execv("/proc/self/fd/%d" % fd, ["true", "deleted"])
"""
LONG = r"""
import os
os.chdir("/tmp")
for i in range(19):
    os.mkdir("d%03d" % i + "x" * 200)
    os.chdir("d%03d" % i + "x" * 200)
with open("/bin/busybox", "rb") as source, open("true", "wb") as target:
    target.write(source.read())
os.chmod("true", 0o755)
if os.fork() == 0:
    os.execv("true", ["true", "long"])
os.wait()
"""


def execs(w, **fields):
    return [r for r in w.all("exec", **fields) if not get(r, "process.runtime_setup")]


def run_of(w, name, first_argument):
    """The execution in container @name whose arguments begin with the words."""
    words = [first_argument] if isinstance(first_argument, str) else first_argument
    return docker.wait_until(lambda: [r for r in execs(w, container__name=name) if (get(r, "process.arguments") or [])[:len(words)] == words],
                             what=f"{words} in {name}")[0]


def end_of(w, row):
    return w.one("exit", process__execution=get(row, "process.execution"))


def identity(d, w):
    """an execution has its container, image, digest, tree, folder, descriptors and end"""
    d("run", "--name", "simple", "-w", "/var/tmp", "-l", "team=a", "box", "sh", "-c", "/bin/busybox cat /etc/passwd >/dev/null; exit 3", status=3)
    id, digest = d.container_id("simple"), str(d("image", "inspect", "-f", "{{.Id}}", "box"))
    shell, cat = run_of(w, "simple", "sh"), run_of(w, "simple", "/bin/busybox")
    for row in shell, cat:
        container = row["container"]
        assert (container["id"], container["engine"], container["identity"]) == (id, "docker", "bound"), container
        assert container["image"] == {"name": "box", "digest": digest} and container["labels"] == {"team": "a"}, container
        assert not container["started_before_sensor"] and not get(row, "process.entered"), row
        assert get(row, "process.working_directory") == "/var/tmp" and get(row, "process.executable.path") == "/bin/busybox", row
        assert get(row, "process.user.id") == 0 and get(row, "process.executable.upper") is False, row
    assert get(shell, "process.pid_in_container") == 1 and get(shell, "process.stdin") == "null" and not get(shell, "process.terminal"), shell
    assert get(cat, "process.arguments") == ["/bin/busybox", "cat", "/etc/passwd"] and get(cat, "process.stdout") == "null", cat
    above = get(cat, "process.ancestors")
    assert above[0]["execution"] == get(shell, "process.execution") and above[0]["arguments"] == get(shell, "process.arguments"), above
    assert get(cat, "process.parent.path") == "/bin/busybox" and get(cat, "process.parent.pid") == get(shell, "process.pid"), cat
    assert end_of(w, cat)["exit"]["code"] == 0 and "signal" not in end_of(w, cat)["exit"]
    assert end_of(w, shell)["exit"]["code"] == 3
    times = [get(r, "monotonic_ns") for r in execs(w, container__id=id)]
    assert times == sorted(times) and w.one("container_stop", container__id=id)


def setup(d, w):
    """what the runtime does before the first program is marked"""
    rows = [r for r in w.all(container__name="simple") if get(r, "process.runtime_setup") and get(r, "process.name")]
    assert rows and all("runc" in get(r, "process.name") or "exe" in get(r, "process.name") or "docker" in get(r, "process.name") for r in rows), rows
    own = [r for r in w.all(container__name="simple") if get(r, "process.pid") and not get(r, "process.runtime_setup") and r["kind"] != "namespace"]
    assert own and not [r for r in own if "runc" in (get(r, "process.name") or "")], own


def before(d, w):
    """a container that ran before the sensor is known with its tree"""
    start = w.one("container_start", container__name="early")
    assert start["container"]["started_before_sensor"] is True and start["container"]["image"]["name"] == "box"
    row = run_of(w, "early", ["sleep", "0.3"])
    assert row["container"]["id"] == d.container_id("early") and get(row, "process.name") == "sleep", row
    assert get(row, "process.ancestors")[0]["arguments"][:2] == ["sh", "-c"], row


def entered(d, w):
    """docker exec is marked as entered; a signal is told"""
    d("exec", "stays", "sh", "-c", "/bin/busybox true; kill -9 $$", status=None)
    row = run_of(w, "stays", "sh")
    assert get(row, "process.entered") is True and get(row, "process.runtime_setup") is False, row
    assert get(run_of(w, "stays", "/bin/busybox"), "process.entered") is True
    assert end_of(w, row)["exit"] == {"signal": 9, "duration_ns": get(end_of(w, row), "exit.duration_ns")}
    terminal = d.popen("exec", "-t", "stays", "sh", "-c", "echo at a terminal", stdout=subprocess.DEVNULL)
    assert terminal.wait(docker.PATIENCE_S) == 0
    row = run_of(w, "stays", ["sh", "-c", "echo at a terminal"])
    assert get(row, "process.terminal") is True and get(row, "process.stdout") == "terminal", row


def scripts(d, w):
    """a script is named beside its interpreter"""
    d("exec", "stays", "/opt/job", "a", "b")
    row = docker.wait_until(lambda: [r for r in execs(w, container__name="stays") if get(r, "process.script") == "/opt/job"], what="the script")[0]
    assert get(row, "process.executable.path") == "/bin/busybox" and get(row, "process.arguments")[1:] == ["/opt/job", "a", "b"], row


def files(d, w):
    """programs that are new, deleted or in memory alone are told apart"""
    d("exec", "stays", "sh", "-c", "cp /bin/busybox /tmp/true; /tmp/true new")
    row = run_of(w, "stays", ["/tmp/true", "new"])
    assert get(row, "process.executable.upper") is True and get(row, "process.executable.drift") == "new", row
    d("run", "--name", "deleted", "python", "python3.11", "-S", "-c", DELETED)
    row = docker.wait_until(lambda: [r for r in execs(w, container__name="deleted") if get(r, "process.executable.deleted")], what="the deleted one")[0]
    assert get(row, "process.executable.upper") is True and not get(row, "process.executable.memory"), row
    d("run", "--name", "memory", "python", "python3.11", "-S", "-c", MEMORY)
    row = docker.wait_until(lambda: [r for r in execs(w, container__name="memory") if get(r, "process.executable.memory")], what="the memfd")[0]
    assert get(row, "process.arguments") == ["true", "from memory"], row


def long_path(d, w):
    """a path of 4,000 bytes is whole"""
    d("run", "--name", "long", "python", "python3.11", "-S", "-c", LONG)
    row = run_of(w, "long", ["true", "long"])
    path = get(row, "process.executable.path")
    assert len(path) > 3800 and path.startswith("/tmp/d000x") and path.endswith("/true"), (len(path), path[:40], path[-20:])
    assert get(row, "process.executable.truncated") is False


def bytes_of_any_kind(d, w):
    """arguments that are no UTF-8, and control bytes, make valid JSON"""
    d("exec", "stays", "sh", "-c", "/bin/busybox echo \"$(printf 'a\\377\\376b\\033[31m')\" c >/dev/null")
    row = run_of(w, "stays", ["/bin/busybox", "echo"])
    arguments = get(row, "process.arguments")
    assert len(arguments) == 4 and arguments[3] == "c" and arguments[2].startswith("a") and "b" in arguments[2], arguments
    assert not w.broken, w.broken[:3]


def many(d, w):
    """a thousand short programs are all there"""
    d("exec", "stays", "sh", "-c", "i=0; while [ $i -lt 1000 ]; do /bin/busybox true storm $i; i=$((i+1)); done")
    wanted = {str(i) for i in range(1000)}

    def missing():
        return wanted - {get(r, "process.arguments")[3] for r in execs(w, container__name="stays") if (get(r, "process.arguments") or [])[1:3] == ["true", "storm"]}
    docker.wait_until(lambda: not missing(), what="all of the storm")


def account(d, w):
    """seen = known + delivered + dropped, for each kind and container; what was delivered was printed"""
    d("stop", "-t", "0", "early")
    w.one("container_stop", container__name="early")
    rows = w.end()
    losses = [r for r in rows if r["kind"] == "loss"]
    last = {(get(r, "container.cgroup_id"), r["loss"]["kind"]): r["loss"] for r in losses}
    assert last, "no account"
    for at, loss in last.items():
        assert loss["seen"] == loss["known"] + loss["delivered"] + loss["dropped"], (at, loss)
        # What the whole machine maps shares its rings: what is lost of it while others work is nobody's.
        assert loss["dropped"] == 0 or at == (None, "map"), (at, loss)
    for kind in "exec", "exit", "container_start", "container_stop":
        delivered = sum(loss["delivered"] for (_, k), loss in last.items() if k == kind)
        printed = len([r for r in rows if r["kind"] == kind])
        assert delivered == printed, (kind, delivered, printed)
    stays = d.container_id("stays")
    delivered = sum(r["loss"]["delivered"] for r in losses if get(r, "container.id") == stays and r["loss"]["kind"] == "exec")
    assert delivered == len([r for r in rows if r["kind"] == "exec" and get(r, "container.id") == stays])
    assert w.child.returncode == 0, (w.child.returncode, w.errors)


with docker.Docker(network=False) as engine:
    engine.import_image("box", {"opt/job": "#!/bin/sh\ntrue\n"})
    engine.import_image("python", packages=PYTHON)
    engine("run", "-d", "--name", "early", "box", "sh", "-c", "while :; do sleep 0.3; done")
    with watch.Watch(engine, before=["early"]) as watching:
        engine("run", "-d", "--name", "stays", "box", "sleep", "1000")
        failed = docker.main([identity, setup, before, entered, scripts, files, long_path, bytes_of_any_kind, many, account], engine, watching)
sys.exit(failed)
