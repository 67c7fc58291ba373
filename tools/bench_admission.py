"""The admission part of `bench kube`: the webhook under a fixed rate of reviews, with 1,000 policies in jq and Pod Security.

  mixed    700 policies ask about other kinds or namespaces, 300 about each pod (100 of them about each container)
  worst    all 1,000 ask about each pod
  replicas as mixed, but 9 of 10 reviews are of a pod that was judged before: what a cluster mostly asks"""
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import time

PROGRAMS = [  # questions as people ask them; {n} makes each another program
    ("pod", 'select(.metadata.labels["team-{n}"] == "forbidden") | "team {n} is gone"'),
    ("pod", 'select(.spec.priorityClassName == "class-{n}") | "priority class {n} is reserved"'),
    ("object", 'select(.metadata.annotations["note-{n}"] // "" | test("secret")) | "annotation {n} has a secret"'),
    ("pod", '.spec.containers[] | select(.image | startswith("blocked-{n}.test/")) | "\\(.name) runs \\(.image)"'),
    ("pod", 'select([.spec.containers[].resources.limits.memory // "0" | select(. == "{n}Ei")] | length > 0) | "too much memory"'),
    ("container", 'select(.env // [] | any(.name == "PASSWORD_{n}")) | "\\(.name) has a password in its environment"'),
    ("object", 'select((.metadata.name | length) > 250 + {n}) | "the name is too long"'),
    ("pod", '.spec.tolerations // [] | .[] | select(.key == "taint-{n}") | "tolerates taint {n}"'),
    ("container", 'select(.securityContext.runAsUser == 100000 + {n}) | "\\(.name) runs as user \\($container.securityContext.runAsUser)"'),
]


def policies(applying):
    """1,000 policies of which so many apply to pods in namespace web"""
    out = []
    for n in range(1000):
        subject, program = PROGRAMS[n % len(PROGRAMS)]
        match = {"kinds": ["Pod"]}
        if n >= applying:
            match = [{"kinds": ["ConfigMap"]}, {"kinds": ["Pod"], "namespaces": [f"team-{n}-*"]}, {"kinds": ["Ingress", "Service"]},
                     {"kinds": ["Pod"], "labels": {"matchLabels": {"tier": f"t{n}"}}}][n % 4]
            subject = "object" if "Pod" not in match["kinds"] else subject
        out.append({"id": f"P-{n}", "title": f"policy {n}", "subject": subject, "match": match, "deny": program.replace("{n}", str(n))})
    return {"policies": out}


def review(r, n):
    containers = [{
        "name": f"c{i}", "image": f"registry.test/team/app{r.randrange(50)}:{n}", "ports": [{"containerPort": 8080}],
        "env": [{"name": f"V{k}", "value": f"value-{r.randrange(1000)}"} for k in range(8)],
        "resources": {"limits": {"memory": "256Mi", "cpu": "1"}, "requests": {"memory": "64Mi"}},
        "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}],
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                            "seccompProfile": {"type": "RuntimeDefault"}}} for i in range(2)]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": f"pod-{n}", "namespace": "web", "labels": {"app": f"a{n % 20}", "team": "web"}, "annotations": {"note": f"n{n}"},
        "managedFields": [{"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                           "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {"f:containers": {}}}}]},
        "spec": {"containers": containers, "serviceAccountName": "default", "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}],
                 "volumes": [{"name": "token", "projected": {"sources": []}}]}}
    if r.random() < 0.1:
        containers[0]["image"] = f"other.test/x:{n}"
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": f"uid-{n}", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE", "namespace": "web", "name": pod["metadata"]["name"], "userInfo": {"username": "ada", "groups": ["system:authenticated"]},
        "object": pod, "oldObject": None, "dryRun": False, "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}}}


def processes(pid):
    """The process and all below it"""
    found, children = [pid], {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        children.setdefault(parent, []).append(int(entry.parent.name))
    for one in found:
        found += children.get(one, [])
    return found


def used(pid):
    """seconds of processor, and bytes in memory that nobody shares with them"""
    seconds = size = 0
    for one in processes(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            size += int(line.split()[1]) * 1024 if line.startswith("Pss:") else 0
    return seconds, size


def serve(holdfast, folder, name, applying):
    (folder / f"{name}.yaml").write_text(json.dumps(policies(applying)))
    (folder / "settings.yaml").write_text("pod_security: {enforce: baseline, warn: restricted}\nimages: {registries: [registry.test]}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    child = subprocess.Popen([holdfast, "kube", "admission", "serve", "--config", folder / "settings.yaml", "-p", folder / f"{name}.yaml",
                              "--listen", f"127.0.0.1:{port}", "--certificates", folder / "pki", "--name", "127.0.0.1",
                              "--decisions", folder / "decisions"], stderr=subprocess.DEVNULL)
    while True:
        try:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=ssl._create_unverified_context())
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return child, port
        except OSError:
            assert child.poll() is None
            time.sleep(0.1)


def measure(holdfast, generator, report, rate=500, seconds=30, connections=32):
    for name, applying, fresh in (("mixed", 300, 1.0), ("worst", 1000, 1.0), ("replicas", 300, 0.1)):
        with tempfile.TemporaryDirectory() as scratch:
            folder, r = pathlib.Path(scratch), random.Random(5)
            total = int(rate * seconds * fresh) or 1
            with open(folder / "reviews", "w") as out:
                for n in range(total):
                    out.write(json.dumps(review(r, n), separators=(",", ":")) + "\n")
            child, port = serve(holdfast, folder, name, applying)
            try:
                before, _ = used(child.pid)
                done = json.loads(subprocess.run([generator, str(port), folder / "reviews", str(rate), str(seconds), str(connections)],
                                                 check=True, capture_output=True, text=True).stdout)
                after, size = used(child.pid)
            finally:
                child.send_signal(signal.SIGTERM)
                child.wait(30)
            bench = f"kube admission {name}"
            report(bench, "reviews per second", done["per_second"], "1/s")
            report(bench, "errors", done["errors"], "reviews", 0)
            report(bench, "denied", done["denied"], "reviews")
            report(bench, "p50", done["p50_ms"], "ms")
            report(bench, "p99", done["p99_ms"], "ms", 5)
            report(bench, "p99.9", done["p999_ms"], "ms")
            report(bench, "processor", 1000 * (after - before) / done["requests"], "ms a review")
            report(bench, "memory", size / 2**20, "MiB")
