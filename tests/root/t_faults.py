"""Faults: what is killed, down, full, hostile or missing gives an event stream that says what is missing, and never a hang."""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import docker
import watch
from watch import HOLDFAST, get

docker.skip_unless(network=False, image_of=("bash", "coreutils"))
watch.skip_unless()
NESTED = r"""
import os
os.chdir("/tmp")
for i in range(%d):
    os.mkdir("d" + "x" * 200)
    os.chdir("d" + "x" * 200)
"""


def health(w, part, state=None):
    return [r for r in w.all("health") if get(r, "health.part") == part and state in (None, get(r, "health.state"))]


def lost(w, kind):
    """Of the last account of each container: (seen, delivered, dropped)."""
    last = {}
    for row in w.all("loss", loss__kind=kind):
        last[get(row, "container.cgroup_id")] = row
    return [sum(get(r, "loss." + f) or 0 for r in last.values()) for f in ("seen", "delivered", "dropped")]


def killed(d):
    """killed and started again, it sees what goes on: containers as started before it, their processes as ancestors; nothing of theirs ends"""
    d("run", "-d", "--name", "stays", "deb", "bash", "-c", "while :; do /bin/sleep 0.3; done")
    pid = d.pid("stays")
    with watch.Watch(d) as first:
        first.one("exec", container__name="stays")
        first.child.kill()
        first.child.wait()
    os.kill(pid, 0)
    with watch.Watch(d, before=["stays"]) as w:
        row = w.one("exec", container__name="stays", process__executable__path="/usr/bin/sleep")
        start = w.one("container_start", container__name="stays")
    assert get(start, "container.started_before_sensor") is True, start
    assert get(row, "process.parent.path") == "/usr/bin/bash", row
    assert get(row, "process.ancestors")[0]["pid"] == pid, row
    os.kill(pid, 0)


def two(d):
    """two agents at once both see it, and neither the other's end"""
    with watch.Watch(d) as a:
        with watch.Watch(d) as b:
            d("run", "--rm", "--name", "both", "deb", "true")
            for w in (a, b):
                w.one("exec", container__name="both", process__executable__path="/usr/bin/true")
        d("run", "--rm", "--name", "after", "deb", "true")
        a.one("exec", container__name="after", process__executable__path="/usr/bin/true")


def engine_down(d):
    """an engine that is down at the start, comes and goes: events go on without names, each change is told"""
    d("run", "-d", "--name", "orphan", "deb", "bash", "-c", "while :; do /bin/sleep 0.3; done")
    socket = pathlib.Path(d.socket)
    hidden = socket.with_name("hidden")
    socket.rename(hidden)
    try:
        with watch.Watch(d) as w:
            row = w.one("exec", process__executable__path="/usr/bin/sleep")
            assert get(row, "container.identity") == "unresolved" and get(row, "container.id") and get(row, "container.unresolved_reason") != "", row
            docker.wait_until(lambda: health(w, "engine", "degraded"), what="the engine's absence")
            hidden.rename(socket)
            w.one("exec", container__name="orphan")
            docker.wait_until(lambda: health(w, "engine", "ok"), what="the engine's return")
            socket.rename(hidden)
    finally:
        if hidden.exists():
            hidden.rename(socket)
    d("rm", "-f", "orphan")


def ring_full(d):
    """with a ring that is too small each execution is a line or counted as lost, exactly"""
    with watch.Watch(d, "--ring-bytes", "4096", "--no-rules") as w:
        d("run", "-d", "--name", "storm", "deb", "sleep", "1000")
        w.one("exec", container__name="storm")
        w.child.send_signal(signal.SIGSTOP)
        d("exec", "storm", "bash", "-c", "for i in $(seq 600); do /bin/true; done")
        w.child.send_signal(signal.SIGCONT)
        d("exec", "storm", "/bin/echo", "goes on")
        w.one("exec", process__arguments=["/bin/echo", "goes on"])
        w.end()
    lines = len(w.all("exec"))
    seen, delivered, dropped = lost(w, "exec")
    assert seen >= 601 and dropped > 0 and seen == delivered + dropped, (lines, seen, delivered, dropped)
    assert lines == delivered, (lines, seen, delivered, dropped)
    assert any("ring_full" in reason for r in w.all("loss") for reason in get(r, "loss.reasons") or []), w.all("loss")


def cgroups_full(d):
    """when no cgroup more fits, containers are still seen by name, and it is told"""
    with watch.Watch(d, "--cgroups", "1") as w:
        for name in ("room", "over"):
            d("run", "-d", "--name", name, "deb", "bash", "-c", "/bin/true; sleep 100")
        w.one("exec", container__name="over", process__executable__path="/usr/bin/true")
        docker.wait_until(lambda: health(w, "cgroups", "degraded"), what="the word of it")
        subprocess.run(["sh", "-c", "true; /bin/echo not of a container"], check=True, stdout=subprocess.DEVNULL)
        d("rm", "-f", "room", "over")
        w.end()
    assert not [r for r in w.all("exec") if "not of a container" in (get(r, "process.arguments") or [])], "the host's"


def paths(d):
    """a path of 4,000 bytes is whole; a longer one is flagged, however it is reached"""
    with watch.Watch(d) as w:
        for name, depth in (("whole", 19), ("longer", 30)):
            run = NESTED % depth + "import shutil; shutil.copy('/bin/busybox', 'true'); os.execv('true', ['true', 'x' * 5000])"
            subprocess.run(["nsenter", "-t", str(d.pid("deep")), "-m", "true"], check=True)
            d("exec", "-i", "deep", "python3", "-c", run.replace("/tmp", "/tmp/" + name).replace("import os", f"import os; os.mkdir('/tmp/{name}')", 1))
        rows = docker.wait_until(lambda: len(r := [x for x in w.all("exec") if (get(x, "process.arguments") or [""])[0] == "true"]) == 2 and r)
    whole, longer = rows
    assert get(whole, "process.executable.path").startswith("/tmp/whole/") and not get(whole, "process.executable.truncated"), whole
    assert get(longer, "process.executable.truncated") is True and get(longer, "process.arguments_truncated") is True, longer


def hostile_texts(d):
    """bytes that are no text, and controls, in names, arguments and labels: JSON gives them back, a table shows no control"""
    label = "\x1b[2J\x07 a\nb"
    table = subprocess.Popen([HOLDFAST, "runtime", "watch", "--docker-socket", d.socket], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    docker.wait_until(lambda: b"watching" in table.stderr.readline())
    with watch.Watch(d) as w:
        d("run", "--rm", "--name", "texts", "--label", f"evil={label}", "deb", "bash", "-c",
          "cp /bin/busybox $'/tmp/true\\xff\\n\\e[2J'; exec -a $'na\\xfe\\e]0;x\\a' $'/tmp/true\\xff\\n\\e[2J' true $'\\xc3\\x28' || true", status=None)
        row = docker.wait_until(lambda: [r for r in w.all("exec", container__name="texts") if get(r, "process.executable.path_base64")])[0]
        w.end()
    table.send_signal(signal.SIGTERM)
    shown = table.communicate(timeout=docker.PATIENCE_S)[0]
    assert base64.b64decode(get(row, "process.executable.path_base64")) == b"/tmp/true\xff\n\x1b[2J", row
    assert not w.broken, w.broken
    assert b"texts" in shown and not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", shown), shown[:300]


def many_labels(d):
    """a thousand labels and one of 64 KB: bounded, cut visibly, and the stream goes on"""
    labels = [w for i in range(1000) for w in ("--label", f"l{i}=v")] + ["--label", "long=" + "x" * 65536]
    with watch.Watch(d) as w:
        d("run", "--rm", "--name", "labels", *labels, "deb", "true")
        row = w.one("exec", container__name="labels", process__executable__path="/usr/bin/true")
        w.end()
    assert len(json.dumps(row)) < 128 << 10 and "holdfast.left_out" in json.dumps(row), len(json.dumps(row))


def refused(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=docker.PATIENCE_S, **more)
    assert done.returncode == 2, (done.returncode, done.stderr)
    return done.stderr


def no_rights(_):
    """without root, without capabilities, without BTF: exit 2 and a sentence that says what to do"""
    with tempfile.TemporaryDirectory() as state:
        os.chmod(state, 0o777)
        sentences([HOLDFAST, "runtime", "watch", "--for", "1", "--state", state])


def sentences(run):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(HOLDFAST, folder)
        nobody = refused("setpriv", "--reuid=65534", "--clear-groups", program, *run[1:])
        assert "CAP_BPF" in nobody or "root" in nobody, nobody
    bounded = refused("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", *run)
    assert "CAP_BPF" in bounded, bounded
    blind = refused("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh", *run)
    assert "BTF" in blind, blind


def ends(d):
    """standard output that is gone, a time that is over, and SIGTERM end it; SIGTERM also where nobody reads"""
    run = [HOLDFAST, "runtime", "watch", "--format", "json", "--docker-socket", d.socket]
    gone = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    gone.stdout.readline()
    gone.stdout.close()
    d("run", "--rm", "deb", "bash", "-c", "/bin/true; /bin/true")
    assert gone.wait(docker.PATIENCE_S) >= 0, gone.returncode
    timed = subprocess.run([*run, "--for", "1"], capture_output=True, timeout=docker.PATIENCE_S)
    assert timed.returncode == 0 and timed.stdout, timed
    with watch.Watch(d) as w:
        d("run", "--rm", "deb", "true")
        w.end()
    assert w.child.returncode == 0 and w.all("loss", loss__kind="exec"), w.errors
    read, write = os.pipe()
    stuck = subprocess.Popen(run, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    docker.wait_until(lambda: b"watching" in stuck.stderr.readline())
    d("run", "--rm", "deb", "bash", "-c", "for i in $(seq 300); do /bin/true; done")
    stuck.send_signal(signal.SIGTERM)
    try:
        stuck.wait(docker.PATIENCE_S)
    finally:
        stuck.kill()
        stuck.wait()
        os.close(read)


def places(d):
    """a state folder that cannot be written and a file system that is full: a sentence, and what else there is goes on"""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder], check=True)
        try:
            with watch.Watch(d, "--record", f"{folder}/events") as w:
                d("run", "--rm", "--name", "full", "deb", "bash", "-c", "for i in $(seq 50); do /bin/true; done")
                docker.wait_until(lambda: len(w.all("exec", container__name="full")) > 50)
                w.end()
            assert any("space" in e for e in w.errors) or any("space" in json.dumps(r) for r in w.all("health")), w.errors
        finally:
            subprocess.run(["umount", folder])
    done = subprocess.run([HOLDFAST, "runtime", "watch", "--for", "1", "--state", "/proc/nowhere"], capture_output=True, text=True, timeout=docker.PATIENCE_S)
    assert done.returncode in (0, 2) and "/proc/nowhere" in done.stderr, done


def reuse(d):
    """a pid that is another process's soon after: each execution and end has its own number"""
    code = r"""
import os
for i in range(60):
    open('/mnt/sys/kernel/ns_last_pid', 'w').write('500')
    if os.fork() == 0:
        os.execv('/usr/bin/true', ['true', str(i)])
    os.wait()
"""
    with watch.Watch(d) as w:
        d("run", "--rm", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined", "--name", "again", "deb", "bash", "-c", "busybox mkdir -p /mnt && busybox mount -t proc p /mnt && exec python3 -c \"$0\"", code)
        rows = docker.wait_until(lambda: len(r := w.all("exec", container__name="again", process__executable__path="/usr/bin/true")) == 60 and r)
        docker.wait_until(lambda: len(w.all("exit", container__name="again", process__executable__path="/usr/bin/true")) == 60)
        w.end()
    ended = {get(e, "process.execution"): e for e in w.all("exit")}
    assert len({get(r, "process.execution") for r in rows}) == 60
    inside = [get(r, "process.pid_in_container") for r in rows]
    if len(set(inside)) > 5:
        return f"ns_last_pid is not kept here: {sorted(set(inside))[:5]}"
    for r in rows:
        end = ended[get(r, "process.execution")]
        assert get(end, "process.start_ns") == get(r, "process.start_ns") and get(end, "process.arguments") == get(r, "process.arguments"), (r, end)


def hostile_files(d):
    """profiles, rules and exceptions that are no such thing: a sentence with the file, never a crash"""
    bad = {"empty": b"", "nul": b"\0" * 100, "deep": b"[" * 100000, "bomb": b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(20)),
           "binary": bytes(range(256)) * 50, "wrong": b"version: 99\nkind: [\n"}
    for name, data in bad.items():
        for option in ("--rules", "--profiles", "--exceptions"):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "x.yaml")
                path.write_bytes(data)
                done = subprocess.run([HOLDFAST, "runtime", "watch", "--for", "1", "--docker-socket", d.socket, option, path if option == "--exceptions" else folder],
                                      capture_output=True, timeout=docker.PATIENCE_S)
            assert done.returncode in (0, 1, 2), (name, option, done.returncode, done.stderr[-300:])
            assert done.returncode == 0 and name == "empty" or b"x.yaml" in done.stderr or b"holdfast:" in done.stderr, (name, option, done)


PYTHON = ("python3-minimal", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")
tests = [killed, two, engine_down, ring_full, cgroups_full, paths, hostile_texts, many_labels, no_rights, ends, places, reuse, hostile_files]
if len(sys.argv) > 3:
    tests = [t for t in tests if t.__name__ in sys.argv[3:]]
with docker.Docker(network=False) as docker_:
    docker_.import_image("deb", packages=("bash", "coreutils", *(p for p in PYTHON if docker.package_files(p))))
    if "paths" in [t.__name__ for t in tests]:
        docker_("run", "-d", "--name", "deep", "deb", "sleep", "1000")
    sys.exit(docker.main(tests, docker_))
