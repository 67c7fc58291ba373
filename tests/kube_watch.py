"""kube_watch.py HOLDFAST: TAP. kube … --watch beside a cluster that misbehaves, or that never is at rest, on loopback."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / "kube"), str(pathlib.Path(__file__).resolve().parent / "lib")]
from fake_api import status  # noqa: E402
from fake_cluster import Cluster  # noqa: E402
from harness import PATIENCE_S, main, wait_until  # noqa: E402
from watching import ENVIRONMENT, HOLDFAST, Watch  # noqa: E402

PSS = ("pss", "baseline")
if not shutil.which("openssl"):
    print("1..0 # SKIP no openssl")
    sys.exit(0)


def pod(name, bad=False, **more):
    return {"metadata": {"name": name, "namespace": "shop"}, **more, "spec": {
        **({"hostNetwork": True} if bad else {}), "containers": [{"name": "c", "image": "registry.test/a:1"}]}}


def gone_in_mid_watch():
    """410 as an event and as an answer: the objects are listed anew, what went meanwhile is told, what stayed is not"""
    gone = {"type": "ERROR", "object": status(410, "Expired", "too old")[1]}
    with Cluster("pods") as c:
        for name in ("stays", "goes"):
            c.put("pods", pod(name, bad=True))

        def first(r):
            r.stream(c.line("ADDED", pod("stays", bad=True), "pods"), c.line("ADDED", pod("goes", bad=True), "pods"),
                     c.bookmark("pods", c.version, end=True), end=False)
            dropped.wait(PATIENCE_S)
            r.chunk(gone)
            r.socket.sendall(b"0\r\n\r\n")

        dropped = threading.Event()
        c.faults["pods"] = [first, lambda r: status(410, "Expired")]
        w = Watch(c.kubeconfig(), *PSS)
        w.until("fail shop/Pod/goes")
        at = len(w.lines)
        c.drop("pods", pod("goes"))
        dropped.set()
        w.until("- fail shop/Pod/goes")
        c.put("pods", pod("new", bad=True))
        w.until("+ fail shop/Pod/new")
        assert not any("stays" in line for line in w.lines[at:]), w.lines[at:]
        assert w.end() == 1


def broken_streams():
    """A watch that is cut in mid-line, one that is no JSON, one that ends without a word, one that says nothing at all: it is said, and taken up again"""
    def cut(r):
        r.stream(c.line("ADDED", pod("half", bad=True), "pods")[:-40], end=False)
        r.cut()

    def hang(r):
        hung.wait(PATIENCE_S)
        r.cut()

    hung = threading.Event()
    with Cluster("pods", "namespaces") as c:
        c.put("pods", pod("a"))
        c.faults["pods"] = [cut, lambda r: r.stream(b"{no json\n"), lambda r: r.stream(), hang]
        c.faults["namespaces"] = [cut]
        w = Watch(c.kubeconfig(), *PSS)
        # The other kind and the report do not wait for the one that hangs: it has failed three times.
        w.until("the connection is lost, and tried again", w.errors)
        wait_until(lambda: c.faults["pods"] == [], PATIENCE_S, "all faults")
        hung.set()
        w.until("pass shop/Pod/a")
        w.until("connected again", w.errors)
        c.put("pods", pod("b", bad=True))
        w.until("+ fail shop/Pod/b")
        assert not any("half" in line for line in w.lines), w.lines
        assert w.end() == 1


def huge_object():
    """An object of 50 MB, from the first or later on, is not taken: it is said of its kind, the other kinds go on"""
    huge = {**pod("huge", bad=True), "x": "y" * (50 << 20)}
    line = Cluster.line("ADDED", huge, "pods")
    with Cluster("pods", "namespaces") as c:
        c.put("pods", pod("a"))
        c.faults["pods"] = [lambda r: r.stream(line)] * 50
        w = Watch(c.kubeconfig(), *PSS, "--strict")
        w.until("the connection is lost, and tried again", w.errors)
        w.until(": pods: ", w.errors)
        with c.lock:
            c.faults["pods"] = []
        w.until("pass shop/Pod/a")
        assert not any("shop/Pod/huge" in x for x in w.lines)
        assert peak_mib(w.child.pid) < 512, peak_mib(w.child.pid)
        c.put("namespaces", {"metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}})
        w.end()


def processes(pid):
    """The process and its children."""
    found = [pid]
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(folder.name))
        except (OSError, ValueError):
            pass
    return found


def peak_mib(pid):
    peaks = [int(line.split()[1]) for one in processes(pid) for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines()
             if line.startswith("VmHWM")]
    return max(peaks) >> 10


def waited_cpu(pid):
    """CPU seconds of children that the process waited for: the evaluations."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def evaluations(w):
    return sum("evaluation " in line for line in w.errors)


def endless_changes():
    """An object that changes without end is evaluated each five seconds, no more, and the last of it is told"""
    with Cluster("pods") as c:
        for i in range(200):
            c.put("pods", pod(f"p{i}"))
        w = Watch(c.kubeconfig(), *PSS, "--verbose")
        w.until("pass shop/Pod/p0")
        began, before, n = time.monotonic(), evaluations(w), 0
        while evaluations(w) < before + 2:
            assert time.monotonic() - began < PATIENCE_S
            n += 1
            c.put("pods", pod("p0", bad=n % 2 == 0))
            time.sleep(0.01)
        passed = time.monotonic() - began
        assert evaluations(w) - before <= passed / 5 + 2, (evaluations(w), passed)
        c.put("pods", pod("last", bad=True))
        w.until("+ fail shop/Pod/last")
        assert n > 20 and w.end() == 1


def rest():
    """Heartbeats, statuses, endpoints and leaders change without end: nothing is evaluated anew, but a pod that has ended is"""
    def beat(n):
        c.put("nodes", {"metadata": {"name": "n1", "managedFields": [{"n": n}]}, "spec": {}, "status": {"conditions": [
            {"type": "Ready", "lastHeartbeatTime": f"2026-01-01T00:00:{n:02}Z"}]}})
        c.put("pods", {**pod("a"), "status": {"podIP": f"10.0.0.{n}", "phase": "Running", "conditions": [{"n": n}]}})
        c.put("endpoints", {"metadata": {"name": "leader", "namespace": "shop", "annotations": {
            "control-plane.alpha.kubernetes.io/leader": f"renewed {n}", "endpoints.kubernetes.io/last-change-trigger-time": str(n)}},
                            "subsets": [{"addresses": [{"ip": f"10.0.0.{n}"}]}]})
        c.put("endpointslices", {"metadata": {"name": "s", "namespace": "shop"}, "addressType": "IPv4", "endpoints": [{"addresses": [f"10.0.0.{n}"]}]})

    with Cluster("pods", "nodes", "endpoints", "endpointslices") as c:
        policy = pathlib.Path(c.fake.folder) / "policy.yaml"
        policy.write_text("policies:\n- {id: any, title: t, match: {kinds: [Pod]}, action: warn, deny: '.metadata.name'}\n")
        reader = pathlib.Path(c.fake.folder) / "reader.yaml"
        reader.write_text("policies:\n- {id: ip, title: t, match: {kinds: [Pod]}, action: warn, deny: '.status.podIP'}\n")
        beat(0)
        kubeconfig = c.kubeconfig()
        watches = {name: Watch(kubeconfig, *args, "--verbose") for name, args in {
            "pss": PSS, "check": ("check",), "policy": ("policy", "--policy", str(policy)), "reader": ("policy", "--policy", str(reader))}.items()}
        for w in watches.values():
            wait_until(lambda: evaluations(w) > 0 and w.lines or w.child.poll() is not None, PATIENCE_S, "the first report")
            assert w.lines, w.errors
        time.sleep(7)  # what comes of the beginning
        before = {name: evaluations(w) for name, w in watches.items()}
        for n in range(1, 30):
            beat(n)
            time.sleep(0.3)
        watches["reader"].until("+ ")
        watches["reader"].until("10.0.0.29")
        assert evaluations(watches.pop("reader")) > before["reader"]
        for name, w in watches.items():
            assert evaluations(w) == before[name], (name, w.errors)
        # The rest of the status was kept, though nobody asked about it.
        c.put("pods", {**pod("a"), "status": {"phase": "Succeeded"}})
        for name, w in watches.items():
            wait_until(lambda: evaluations(w) > before[name], PATIENCE_S, f"{name}: the pod that ended")
            w.end()


def tokens():
    """A token that is no longer good is read again from its file; while it is not, that is said, and nothing is forgotten"""
    with Cluster("pods") as c:
        c.put("pods", pod("a", bad=True))
        file = pathlib.Path(c.fake.folder) / "token"
        file.write_text("one")
        c.token = "one"
        w = Watch(c.kubeconfig(tokenFile=str(file)), *PSS)
        w.until("fail shop/Pod/a")
        at = len(w.lines)
        c.token = "two"
        c.cut()
        w.until("the connection is lost, and tried again", w.errors)
        file.write_text("two")
        c.put("pods", pod("b", bad=True))
        w.until("+ fail shop/Pod/b")
        assert not any("Pod/a" in x for x in w.lines[at:]), w.lines[at:]
        assert w.end() == 1


def kinds_that_come_and_go():
    """A kind whose definition comes while it is watched is followed soon; what it had is gone when the kind is"""
    definition = {"metadata": {"name": "rollouts.argoproj.io"}, "spec": {"group": "argoproj.io", "names": {"plural": "rollouts", "kind": "Rollout"}}}
    rollout = {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"template": {"spec": pod("x", bad=True)["spec"]}}}
    with Cluster("pods", "customresourcedefinitions") as c:
        c.put("pods", pod("a"))
        w = Watch(c.kubeconfig(), *PSS)
        w.until("pass shop/Pod/a")
        for _ in range(2):
            at = len(w.lines)
            c.serve("rollouts")
            c.put("rollouts", rollout)
            c.put("customresourcedefinitions", definition)
            wait_until(lambda: any("+ fail shop/Rollout/r" in x for x in w.lines[at:]), PATIENCE_S, "the kind")
            c.drop("customresourcedefinitions", definition)
            c.withdraw("rollouts")
            wait_until(lambda: any("- fail shop/Rollout/r" in x for x in w.lines[at:]), PATIENCE_S, "its end")
        assert w.end() == 0


def clusters():
    """Two clusters in one watch: what changes is told of the right one, and one that is down does not stop the other"""
    with Cluster("pods") as one, Cluster("pods") as two:
        config = json.loads(one.kubeconfig().read_text())
        other = json.loads(two.kubeconfig().read_text())
        config["clusters"].append({**other["clusters"][0], "name": "d"})
        config["contexts"].append({"name": "other", "context": {"cluster": "d", "user": "u"}})
        path = pathlib.Path(one.fake.folder) / "both"
        path.write_text(json.dumps(config))
        one.put("pods", pod("a", bad=True))
        two.put("pods", pod("a"))
        w = Watch(path, "check", "--format", "json", targets=("cluster:fake", "cluster:other"))
        w.until('"schema"')
        two.put("pods", pod("a", bad=True))
        w.until('"added"')
        wait_until(lambda: any('"added"' in x and '"hostNetwork' in x or "host" in x and '"added"' in x for x in w.lines), PATIENCE_S, "the change")
        changes = [json.loads(x) for x in w.lines if '"change"' in x]
        assert changes and all(x.get("cluster", "other") == "other" for x in changes), changes
        at = len(w.lines)
        two.down()
        w.until("the connection is lost", w.errors)
        one.put("pods", pod("b", bad=True))
        wait_until(lambda: any('"name":"b"' in x for x in w.lines[at:]), PATIENCE_S, "the other cluster's")
        assert not any('"removed"' in x for x in w.lines[at:]), w.lines[at:]
        assert w.end() in (0, 1)


def connections():
    """reach: connections come and go as lines, and as lines of JSON; a long name moves no other line; netpol cannot be followed"""
    deny = {"metadata": {"name": "deny", "namespace": "shop"}, "spec": {"podSelector": {"matchLabels": {"app": "b"}}, "policyTypes": ["Ingress"]}}

    def labelled(name):
        return pod(name) | {"metadata": {"name": name, "namespace": "shop", "labels": {"app": name}}}

    with Cluster("pods", "networkpolicies") as c:
        for name in ("a", "b"):
            c.put("pods", labelled(name))
        kubeconfig = c.kubeconfig()
        table, lines = Watch(kubeconfig, "reach"), Watch(kubeconfig, "reach", "--format", "json")
        table.until("shop/a[Pod]")
        lines.until("holdfast/reach/1")
        pairs = {(x["src"], x["dst"]) for x in json.loads(lines.lines[0])["connections"]}
        assert ("shop/a[Pod]", "shop/b[Pod]") in pairs and len(lines.lines) == 1
        first = len(table.lines)
        c.put("networkpolicies", deny)
        wait_until(lambda: sum(x.startswith("- ") for x in table.lines) == 2, PATIENCE_S, "connections that are closed")
        wait_until(lambda: len(lines.lines) == 3, PATIENCE_S, "the same as JSON")
        gone = [json.loads(x) for x in lines.lines[1:]]
        assert {x["src"] for x in gone} == {"shop/a[Pod]", "0.0.0.0-255.255.255.255"} and {x["dst"] for x in gone} == {"shop/b[Pod]"}, gone
        assert all((x["schema"], x["change"], x["protocol"]) == ("holdfast/reach-change/1", "removed", "ALL") for x in gone), gone
        c.drop("networkpolicies", deny)
        wait_until(lambda: sum(x.startswith("+ ") for x in table.lines) == 2, PATIENCE_S, "connections that are open again")
        c.put("pods", labelled("l" * 60))
        table.until("+ shop/" + "l" * 60)
        changes = table.lines[first:]
        assert not any("l" * 60 not in x for x in changes[4:]), changes
        assert table.end() == 0 and lines.end() == 0
    for question in (["reach", "--exposure"], ["reach", "--diff", "cluster:"], ["netpol"]):
        done = subprocess.run([HOLDFAST, "kube", *question, "--watch", "cluster:"], capture_output=True, text=True, env=ENVIRONMENT)
        assert done.returncode == 2 and "--watch does not go with this question" in done.stderr, done


if __name__ == "__main__":
    main([gone_in_mid_watch, broken_streams, huge_object, endless_changes, rest, tokens, kinds_that_come_and_go, clusters, connections])
