"""t_client.py HOLDFAST ROOT: TAP. The client of clusters, through kube_client_dump and the kube commands, beside a real API server. HF_TEST_PODS: how
many pods are listed and watched (2,000; by hand 10,000)."""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import server
from server import wait_until

server.skip_unless()

HOLDFAST = os.path.abspath(sys.argv[1])
DUMP = os.path.join(os.path.dirname(HOLDFAST), "tests", "kube_client_dump")
PODS = int(os.environ.get("HF_TEST_PODS", "2000"))
WEB = "/api/v1/namespaces/web"
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("KUBE")}


def dump(s, *args, user="admin", code=0, input=""):
    done = subprocess.run([DUMP, "--kubeconfig", s.kubeconfig(user), *map(str, args)], input=input, capture_output=True, text=True,
                          env=ENVIRONMENT, timeout=300)
    assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


class Watch:
    """A running watch of the pods in web; .objects are those that it believes to be there."""

    def __init__(self, s, *args, user="admin"):
        self.child = subprocess.Popen([DUMP, "--kubeconfig", s.kubeconfig(user), "--namespace", "web", *args, "watch", "-", "v1", "pods"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.error = None
        self.objects, self.resets, self.synced, self.bookmarks, self.last, self.before = {}, 0, 0, 0, "", {}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            self.last = line.rstrip("\n")
            word, *rest = self.last.split(" ")
            if word == "error":
                self.error = self.last
            elif word == "reset":
                self.resets += 1
                self.objects = {}
            elif word == "synced":
                self.synced += 1
            elif word == "BOOKMARK":
                self.bookmarks += 1
            elif word == "DELETED":
                self.objects.pop(rest[0], None)
            elif word in ("ADDED", "MODIFIED"):
                self.objects[rest[0]] = rest[1]

    def agrees(self, s):
        """Until it has what the server has, version by version."""
        there = {f"web/{p['metadata']['name']}": p["metadata"]["resourceVersion"] for p in s.get(WEB + "/pods")["items"]}
        wait_until(lambda: self.objects == there or self.child.poll() is not None, what=f"{len(there)} pods, now {len(self.objects)}")
        assert self.objects == there, self.error or self.last

    def end(self):
        self.child.stdin.close()
        self.child.wait(120)
        self.reader.join()
        assert self.child.returncode == 0 and self.last.startswith("counts "), self.last
        return {k: int(v) for k, v in (pair.split("=") for pair in self.last.split()[1:])}


def many(s):
    """All pods, by pages and by watch, and each change of them"""
    begun = time.monotonic()
    s.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}})
    s.post_all(WEB + "/pods", (server.pod(f"p-{i:05}", {"app": f"a{i % 7}"}) for i in range(PODS)), threads=8)
    made = time.monotonic()
    lines = dump(s, "--namespace", "web", "list", "-", "v1", "pods").splitlines()
    listed = time.monotonic()
    pages = [line.split() for line in lines if line.startswith("page ")]
    assert sum(int(p[2]) for p in pages) == PODS and len(pages) == -(-PODS // 500), lines
    w = Watch(s)
    w.agrees(s)
    watched = time.monotonic()
    s.patch(WEB + "/pods/p-00001", {"metadata": {"labels": {"new": "1"}}})
    s.delete(WEB + "/pods/p-00002?gracePeriodSeconds=0")
    s.post(WEB + "/pods", server.pod("late"))
    w.agrees(s)
    counts = w.end()
    assert counts["watch_list"] == 1 and counts["connections"] == 1 and w.resets == w.synced == 1, counts
    size = sum(int(p[1]) for p in pages)
    print(f"# {PODS} pods, {size >> 10} KiB: made in {made - begun:.1f} s, listed in {listed - made:.2f} s, watched in {watched - listed:.2f} s")
    w = Watch(s, "--watch-list", "0", "--label", "app in (a1, a2),app")
    wait_until(lambda: w.synced, what="synced")
    assert len(w.objects) == sum(1 for i in range(PODS) if i % 7 in (1, 2) and i != 2), len(w.objects)
    w.end()


def discovery(s):
    """What the server serves, as kubectl has it, by aggregated discovery"""
    got = {tuple(line.split()[i] for i in (0, 2)): line.split() for line in dump(s, "discover").splitlines() if "/" not in line.split()[2]}
    there = set()
    for line in s.kubectl("api-resources", "--no-headers", "-o", "name").out.split():
        name, _, group = line.partition(".")
        there.add((group or "-", name))
    preferred = {key for key, fields in got.items()}
    assert preferred == there, preferred ^ there
    assert got[("-", "pods")][3:5] == ["Pod", "namespaced"] and got[("apps", "deployments")][1] == "v1"


def who(s):
    """Each way to show who one is: certificate, token, token file, exec plugin; nobody is told so"""
    review = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    for user in server.USERS:
        answer = json.loads(dump(s, "create", "authentication.k8s.io", "v1", "selfsubjectreviews", user=user, input=review))
        assert answer["status"]["userInfo"]["username"] == user, answer
    before = s.plugin_runs()
    assert dump(s, "--repeat", 5, "get", "/version", user="robot", input="\n" * 4).count('"v1.34.1"') == 5
    assert s.plugin_runs() == before + 1
    config = s.kubeconfig("alice").read_text().replace("current-context", "x")
    (s.folder / "anonymous.kubeconfig").write_text("users: []\ncontexts: [{name: test, context: {cluster: test}}]\ncurrent-context: test\n" +
                                                   config[config.index("clusters:"):config.index("users:")])
    out = dump(s, "list", "-", "v1", "pods", user="anonymous", code=2)
    assert "forbidden: system:anonymous cannot list pods" in out, out


def forbidden(s):
    """Who may not list is named; a command goes on with the rest"""
    out = dump(s, "list", "-", "v1", "secrets", user="viewer", code=2)
    assert out.strip().endswith("forbidden: viewer cannot list secrets"), out
    s.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "pods"},
             "rules": [{"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "pods"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "pods"},
             "subjects": [{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]})
    wait_until(lambda: s.may("viewer", "list", "pods"), what="the role")
    done = subprocess.run([HOLDFAST, "kube", "pss", "privileged", "cluster:", "--kubeconfig", s.kubeconfig("viewer"), "--format", "json"],
                          capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert done.returncode == 0, (done.returncode, done.stderr[-1000:])
    assert "test: services: forbidden: viewer cannot list services" in done.stderr and "test: pods:" not in done.stderr, done.stderr
    assert done.stdout.count('"p-0') == PODS - 1, done.stdout[:500]


def changes(s):
    """Create, apply, merge, delete; what the server says against a document"""
    pod = json.dumps(server.pod("made"))
    assert json.loads(dump(s, "--namespace", "web", "create", "-", "v1", "pods", input=pod))["metadata"]["uid"]
    out = dump(s, "--namespace", "web", "create", "-", "v1", "pods", input=pod, code=2)
    assert 'refused 409 AlreadyExists\n' in out and 'pods "made" already exists' in out, out
    dump(s, "--namespace", "web", "merge", "-", "v1", "pods", "made", input='{"metadata":{"labels":{"a":"b"}}}')
    applied = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "web"}, "data": {"x": "1"}})
    got = json.loads(dump(s, "--namespace", "web", "apply", "-", "v1", "configmaps", "c", input=applied))
    assert got["metadata"]["managedFields"][0]["manager"] == "holdfast", got
    dump(s, "--namespace", "web", "delete", "-", "v1", "pods", "made")
    dump(s, "--namespace", "web", "delete", "-", "v1", "configmaps", "c")
    assert "refused 404" in dump(s, "--namespace", "web", "delete", "-", "v1", "configmaps", "c", code=2)
    assert "refused 422 Invalid" in dump(s, "--namespace", "web", "create", "-", "v1", "pods", code=2,
                                         input=json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}))


def bookmarks(s):
    """Watches that the server ends go on from the last bookmark, without a list"""
    w = Watch(s, "--server-s", "4")
    w.agrees(s)
    # Changes elsewhere raise the version of all pods, which a bookmark tells those who see none of them.
    for i in range(20):
        s.post("/api/v1/namespaces/default/pods", server.pod(f"other-{i}"))
        time.sleep(0.4)
    wait_until(lambda: w.bookmarks >= 2, what="two bookmarks")
    s.post(WEB + "/pods", server.pod("after-bookmarks"))
    w.agrees(s)
    counts = w.end()
    assert counts["connections"] >= 2 and counts["lists"] == 1 and counts["gone"] == 0, counts


def expired_tokens(s):
    """Tokens that are replaced, over a restart: those of a file and of a plugin are asked for again in mid-watch; one of the kubeconfig is refused"""
    for user in ("reader", "robot"):
        s.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": f"pods-{user}"},
                 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "pods"},
                 "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]})
        wait_until(lambda: s.may(user, "list", "pods"), what="the role")
    watches = [Watch(s, user="reader"), Watch(s, user="robot"), Watch(s)]
    for w in watches:
        w.agrees(s)
    s.stop_api()
    for user in ("reader", "robot", "viewer"):
        s.renew_token(user)
    s.start_api()
    s.post(WEB + "/pods", server.pod("after-tokens"))
    for w in watches:
        w.agrees(s)
        counts = w.end()
        assert counts["connections"] >= 2, counts
    out = dump(s, "list", "-", "v1", "pods", user="viewer", code=2)
    assert "unauthorized" in out, out


def crash(s):
    """A server that is killed in mid-watch: the watch goes on when it is back"""
    w = Watch(s)
    w.agrees(s)
    s.stop_api(crash=True)
    s.start_api()
    s.post(WEB + "/pods", server.pod("after-crash"))
    w.agrees(s)
    w.end()


def compact(s):
    """etcd forgets all versions but the last"""
    def ask(path, body):
        with urllib.request.urlopen(s.etcd_url + path, json.dumps(body).encode(), timeout=60) as answer:
            return json.load(answer)

    revision = ask("/v3/kv/range", {"key": "AA=="})["header"]["revision"]
    ask("/v3/kv/compaction", {"revision": revision, "physical": True})


def compacted(s):
    """410 Gone: the version to go on from was compacted away while the server was down: a new list, and nothing is missed"""
    w = Watch(s, "--watch-list", "0")
    w.agrees(s)
    before = w.resets
    # Until the client's last version is older than all that the server keeps.
    w.child.send_signal(signal.SIGSTOP)
    s.stop_api(crash=True)
    s.start_api()
    for i in range(20):
        s.post(WEB + "/pods", server.pod(f"gone-{i}"))
    s.delete(WEB + "/pods/p-00005?gracePeriodSeconds=0")
    compact(s)
    s.stop_api(crash=True)
    s.start_api()
    w.child.send_signal(signal.SIGCONT)
    w.agrees(s)
    counts = w.end()
    assert counts["gone"] >= 1 and counts["lists"] >= 2 and w.resets > before, counts


if __name__ == "__main__":
    with server.Server() as running:
        status = server.main([many, discovery, who, forbidden, changes, bookmarks, crash, compacted, expired_tokens], running)
    sys.exit(status)
