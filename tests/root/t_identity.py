"""Containers have their names, image and labels, however short they live, and however busy the machine is."""
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import threading

import docker

RUNS = int(os.environ.get("HOLDFAST_IDENTITY_RUNS", "60"))
HOGS = 4
DUMP = pathlib.Path(sys.argv[1]).resolve().parent / "tests/engine_dump"
docker.skip_unless(network=False)
if not DUMP.exists():
    print("1..0 # SKIP engine_dump is not built")
    sys.exit(0)


def cgroup_folder(d):
    """Where the kernel's v2 hierarchy is mounted, and where in it this engine's containers are."""
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    roots = [fields[1] for fields in mounts if fields[2] == "cgroup2"]
    d("run", "-d", "--name", "first", "box", "sleep", "1000")
    lines = pathlib.Path(f"/proc/{d.pid('first')}/cgroup").read_text().splitlines()
    below = next(line[3:] for line in lines if line.startswith("0::"))
    return (roots[0], str(pathlib.Path(below).parent)) if roots else None


class Dump:
    """engine_dump at work over @folder, which is (root, below); .rows are its lines so far."""

    def __init__(self, d, folder, bundles=""):
        self.child = subprocess.Popen([DUMP, *folder, d.socket, bundles], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.rows = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            self.rows.append(json.loads(line))

    def of(self, id, state="bound"):
        return next((r for r in list(self.rows) if r.get("id") == id and r.get("state") == state), None)

    def end(self):
        self.child.stdin.close()
        self.child.wait(docker.PATIENCE_S)
        self.reader.join()
        return self.rows[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.end()


def all_facts(d, folder):
    """privileges, mounts, namespaces, ports, user, address, and a container from before"""
    with Dump(d, folder) as dump:
        first = docker.wait_until(lambda: dump.of(d.container_id("first")), what="the one from before")
        assert first["started_before"] and first["name"] == "first" and first["image"] == "box", first
        d("run", "-d", "--name", "facts", "--privileged", "--pid=host", "--cap-add", "NET_ADMIN", "-v", "/etc:/machine:ro", "--user", "5:6",
          "--expose", "81/udp", "-l", "b=2", "-l", "a=1", "box", "sleep", "1000")
        facts = docker.wait_until(lambda: dump.of(d.container_id("facts")))
        wanted = {"name": "facts", "image": "box", "engine": "docker", "user": "5:6", "privileged": True, "started_before": False,
                  "labels": ["a", "1", "b", "2", "of", "image"], "mounts": ["/etc:/machine:ro"], "host_namespaces": ["pid"],
                  "capabilities_added": ["CAP_NET_ADMIN"], "entrypoint": ["sleep", "1000"], "exposed_ports": ["81/udp"],
                  "digest": str(d("image", "inspect", "-f", "{{.Id}}", "box"))}
        assert {k: facts[k] for k in wanted} == wanted, facts


def malicious_labels(d, folder):
    """thousands of labels, a huge one and control bytes leave the names readable"""
    labels = [f"k{i:04}=v" for i in range(3000)] + ["a=\x1b[31m", "b=" + "x" * 60_000]
    with Dump(d, folder) as dump:
        file = d.folder / "labels"
        file.write_text("\n".join(labels) + "\n")
        d("run", "-d", "--name", "loud", "--label-file", file, "box", "sleep", "1000")
        row = docker.wait_until(lambda: dump.of(d.container_id("loud")))
    assert row["name"] == "loud" and row["image"] == "box", row
    assert len(row["labels"]) == 2 * 65 and len(row["labels"][3]) == 1025, (len(row["labels"]), len(row["labels"][3]))
    assert row["labels"][4:6] == ["holdfast.left_out", "2939 labels"], row["labels"][:8]


def containerd_without_docker(d, folder):
    """a container of containerd alone is told by its bundle"""
    if not shutil.which("ctr"):
        return "no ctr"
    root = d.folder / "rootfs"
    root.mkdir()
    tarfile.open(fileobj=io.BytesIO(docker.image_tar({}, (), True))).extractall(root)
    ctr = ["ctr", "-a", d.exec_root / "containerd/containerd.sock", "-n", "default"]
    bundles = d.exec_root / "containerd/daemon/io.containerd.runtime.v2.task/default"
    os.makedirs(folder[0] + "/default", exist_ok=True)
    pod = {"container-name": "web", "container-type": "container", "image-name": "example.org/web:1", "sandbox-name": "web-0",
           "sandbox-namespace": "shop"}
    made = subprocess.run([*ctr, "run", "-d", "--rootfs", "--privileged", "--mount",
                           "type=bind,src=/etc,dst=/machine,options=rbind:ro",
                           *(word for k, v in pod.items() for word in ("--annotation", f"io.kubernetes.cri.{k}={v}")),
                           root, "plain", "/bin/busybox", "sleep", "1000"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    try:
        with Dump(d, (folder[0], "/default"), bundles) as dump:
            row = docker.wait_until(lambda: dump.of("plain"), what="the container of containerd")
        wanted = {"engine": "containerd", "name": "web", "image": "example.org/web:1", "pod": "web-0", "user": "0:0", "entrypoint": ["/bin/busybox", "sleep", "1000"], "mounts": ["/etc:/machine:ro"],
                  "host_namespaces": [], "privileged": True}
        assert {k: row[k] for k in wanted} == wanted, row
    finally:
        subprocess.run([*ctr, "task", "rm", "-f", "plain"], capture_output=True)
        subprocess.run([*ctr, "container", "rm", "plain"], capture_output=True)
        subprocess.run(["rmdir", folder[0] + "/default"], capture_output=True)


def engine_comes_late(d, folder):
    """an engine that is down is said; when it is back, its containers are bound"""
    d.stop()
    with Dump(d, folder) as dump:
        ghost = "f" * 64
        path = f"{folder[0]}{folder[1]}/{'docker-' + ghost + '.scope' if folder[1].endswith('.slice') else ghost}"
        os.makedirs(path)
        try:
            row = docker.wait_until(lambda: dump.of(ghost, "unresolved"), what="a container without an engine")
            assert "No such file" in row["unresolved"] and row["id"] == ghost, row
        finally:
            os.rmdir(path)
        d.start()
        d("run", "-d", "--name", "late", "box", "sleep", "1000")
        docker.wait_until(lambda: dump.of(d.container_id("late")))
        docker.wait_until(lambda: any(r.get("engine_ok") for r in list(dump.rows)), what="the stream of events")


def short_ones_under_stress(d, folder):
    """every one of many `docker run --rm true` in a row has its name and image, with all processors busy"""
    hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=docker.die_with_parent) for _ in range(HOGS)]
    try:
        with Dump(d, folder) as dump:
            docker.wait_until(lambda: dump.of(d.container_id("late")))
            for i in range(RUNS):
                d("run", "--rm", "--name", f"short-{i}", "box", "true")

            def missing():
                had = {r.get("name") for r in list(dump.rows) if r.get("state") == "bound" and r["image"] == "box" and r["digest"]}
                return {f"short-{i}" for i in range(RUNS)} - had
            try:
                docker.wait_until(lambda: not missing())
            except AssertionError:
                pass
            last = dump.end()
            print(f"# {RUNS - len(missing())} of {RUNS} attributed; {last}")
            assert not missing() and not last["forgotten"], sorted(missing())[:5]
    finally:
        for hog in hogs:
            os.kill(hog.pid, signal.SIGKILL)
            hog.wait()


with docker.Docker(network=False) as engine:
    engine.import_image("box", changes=["LABEL of=image"])
    cgroups = cgroup_folder(engine)
    if not cgroups or not os.path.isdir(cgroups[0] + cgroups[1]):
        print("1..0 # SKIP no cgroup2 hierarchy is mounted")
        sys.exit(0)
    failed = docker.main([all_facts, malicious_labels, containerd_without_docker, engine_comes_late, short_ones_under_stress], engine, cgroups)
sys.exit(failed)
