"""kube_watch_idle.py HOLDFAST [SECONDS] [QUESTION...]: what `kube QUESTION --watch` costs beside a cluster at rest, whose 500 nodes tell every ten seconds that
they are alive: processor time and memory (PSS) of its processes, and of the evaluations. The cluster is tests/kube/fake_cluster.py: 10,000 pods."""
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "kube"), str(HERE / "lib")]
import kube_watch  # noqa: E402
from fake_cluster import Cluster  # noqa: E402
from harness import wait_until  # noqa: E402

PODS, NODES, BEAT_S, SETTLE_S = 10000, 500, 10, 12
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 60
QUESTION = sys.argv[3:] or ["pss", "baseline"]


def node(i, beat):
    return {"metadata": {"name": f"n{i}"}, "spec": {}, "status": {
        "conditions": [{"type": t, "status": "False", "lastHeartbeatTime": str(beat)} for t in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")],
        "images": [{"names": [f"registry.test/app{j}@sha256:{j:064}"], "sizeBytes": 12345678} for j in range(50)]}}


def pod(i):
    return {**kube_watch.pod(f"p{i}"), "status": {
        "phase": "Running", "podIP": "192.0.2.1",
        "conditions": [{"type": t, "status": "True"} for t in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
        "containerStatuses": [{"name": "c", "ready": True, "imageID": "sha256:" + "0" * 64, "containerID": "containerd://" + "1" * 64}]}}


def beat(cluster, number):
    began = time.monotonic()
    for i in range(NODES):
        cluster.put("nodes", node(i, number))
        if i % 25 == 24:
            time.sleep(BEAT_S * 0.6 * 25 / NODES)
    cluster.trim()
    time.sleep(max(0, BEAT_S - (time.monotonic() - began)))


def cpu(pid):
    """Its own seconds, and those of the processes that it waited for."""
    fields = [int(x) for x in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]]
    return [sum(pair) / os.sysconf("SC_CLK_TCK") for pair in (fields[:2], fields[2:])]


def pss_mib(pid):
    return next(int(line.split()[1]) / 1024 for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))


with Cluster("pods", "nodes") as cluster:
    for i in range(PODS):
        cluster.put("pods", pod(i))
    for i in range(NODES):
        cluster.put("nodes", node(i, 0))
    cluster.trim()
    w = kube_watch.Watch(cluster.kubeconfig(), *QUESTION, "--verbose")
    wait_until(lambda: kube_watch.evaluations(w) or w.child.poll() is not None, what="the first report")
    time.sleep(SETTLE_S)
    pids = kube_watch.processes(w.child.pid)[:2]  # and the one that follows, which was there first
    evaluations, before, beats, began = kube_watch.evaluations(w), [cpu(p) for p in pids], 0, time.monotonic()
    while time.monotonic() - began < SECONDS:
        beats += 1
        beat(cluster, beats)
    own, waited = ([after[i] - b[i] for after, b in zip([cpu(p) for p in pids], before)] for i in (0, 1))
    print(f"{' '.join(QUESTION)}: {time.monotonic() - began:.0f} s, {beats * NODES} heartbeats, {kube_watch.evaluations(w) - evaluations} evaluations; "
          f"processor: {sum(own):.2f} s, evaluations {sum(waited):.2f} s; memory {sum(map(pss_mib, pids)):.1f} MiB")
    w.end()
