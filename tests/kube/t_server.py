"""t_server.py HOLDFAST ROOT: TAP. What tests/kube/server.py promises, so that later tests rest on it."""
import os
import pathlib
import stat
import subprocess
import sys
import threading

import server
from server import wait_until

server.skip_unless()

WEB = "/api/v1/namespaces/web"


def version(s):
    """The server that the modules name, on loopback alone"""
    assert s.version == "v1.34.1", s.version
    assert s.get("/readyz") == "ok"
    for name in ("default", "kube-system"):
        wait_until(lambda: f"namespace/{name}" in s.kubectl("get", "namespaces", "-o", "name").out.split(), what=name)
    assert s.get("/version", user=None)["minor"] == "34"


def objects(s):
    """Objects by kubectl and by HTTPS: Namespace, Deployment, Pod, NetworkPolicy, Role, RoleBinding"""
    s.kubectl("create", "namespace", "web")
    template = {"metadata": {"labels": {"app": "front"}}, "spec": {"containers": [{"name": "c", "image": "registry.test/front:1"}]}}
    web = {"namespace": "web"}
    s.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "front", **web},
         "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "front"}}, "template": template}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny-all", **web},
         "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "pod-reader", **web},
         "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "readers", **web},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pod-reader"},
         "subjects": [{"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"},
                      {"kind": "Group", "name": "robots", "apiGroup": "rbac.authorization.k8s.io"}]})
    s.post("/api/v1/nodes", server.node())
    s.post(WEB + "/pods", server.pod("solo", {"app": "solo"}))
    deployment = s.get("/apis/apps/v1/namespaces/web/deployments/front")
    assert deployment["spec"]["strategy"]["type"] == "RollingUpdate", "the server fills in defaults"
    policies = s.get("/apis/networking.k8s.io/v1/namespaces/web/networkpolicies")["items"]
    assert [p["metadata"]["name"] for p in policies] == ["deny-all"]
    s.patch(WEB + "/pods/solo/status", {"status": {"phase": "Running", "podIP": "10.0.0.7"}})
    assert s.kubectl("-n", "web", "get", "pod", "solo", "-o", "jsonpath={.status.phase}") == "Running"
    s.post(WEB + "/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "no-containers"}, "spec": {}}, status=422)


def users(s):
    """Each user is who it says, by HTTPS and by its kubeconfig, and may do what its bindings say"""
    for name, (_, groups) in server.USERS.items():
        review = s.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}, user=name)
        assert review["status"]["userInfo"]["username"] == name, review
        assert set(groups) < set(review["status"]["userInfo"]["groups"]), review
        assert s.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", user=name) == name
    for name in ("alice", "robot"):
        assert [p["metadata"]["name"] for p in s.get(WEB + "/pods", user=name)["items"]] == ["solo"]
        assert s.get(WEB + "/secrets", user=name, status=403)["reason"] == "Forbidden"
        assert "pod/solo" in s.kubectl("-n", "web", "get", "pods", "-o", "name", user=name)
        assert "Forbidden" in s.kubectl("-n", "web", "get", "secrets", user=name, status=1).err
    for name in ("viewer", "reader"):
        s.get(WEB + "/pods", user=name, status=403)
    for name in ("admin", "root-by-token"):
        s.get("/api/v1/secrets", user=name)
    assert s.plugin_runs() == 3, s.plugin_runs()


def anonymous(s):
    """Who shows nothing is system:anonymous and forbidden; an unknown token is not let in"""
    assert 'User "system:anonymous"' in s.get("/api/v1/pods", user=None, status=403)["message"]
    connection, headers = s.connect(None)
    connection.request("GET", "/api/v1/pods", headers={**headers, "Authorization": "Bearer nobodys"})
    assert connection.getresponse().status == 401
    connection.close()


def access_reviews(s):
    """SubjectAccessReview answers for any subject"""
    assert s.may("alice", "list", "pods", "web")
    assert not s.may("alice", "list", "pods", "default")
    assert not s.may("alice", "list", "secrets", "web")
    assert not s.may("nobody", "list", "pods", "web")
    assert s.may("nobody", "list", "pods", "web", groups=["robots"])
    assert s.may("root", "delete", "nodes", groups=["system:masters"])


def watch_list(s):
    """A watch begins with what there is, marks its end, and goes on with what happens"""
    query = "?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    seen = []
    for event in s.watch(WEB + "/pods" + query, user="alice"):
        metadata = event["object"]["metadata"]
        if metadata.get("annotations", {}).get("k8s.io/initial-events-end") == "true":
            assert [(t, n) for t, n, _ in seen] == [("ADDED", "solo")], seen
            assert event["type"] == "BOOKMARK" and metadata["resourceVersion"]
            s.kubectl("-n", "web", "label", "pod", "solo", "seen=yes")
        seen.append((event["type"], metadata.get("name"), metadata.get("labels", {}).get("seen")))
        if event["type"] == "MODIFIED":
            break
    assert seen[-1] == ("MODIFIED", "solo", "yes"), seen


def pages(s):
    """Lists are paged; many are posted"""
    s.kubectl("create", "namespace", "many")
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{i}"}} for i in range(25)]
    s.post_all("/api/v1/namespaces/many/configmaps", maps)
    first = s.get("/api/v1/namespaces/many/configmaps?limit=10")
    assert len(first["items"]) == 10 and first["metadata"]["remainingItemCount"] == 15, first["metadata"]
    second = s.get(f"/api/v1/namespaces/many/configmaps?limit=100&continue={first['metadata']['continue']}")
    assert len({m["metadata"]["name"] for m in first["items"] + second["items"]}) == 25


def audit_log(s):
    """The audit log tells who asked for what and what the answer was"""
    def event(user, verb, resource, code):
        return any(e["user"].get("username") == user and e["verb"] == verb and e.get("objectRef", {}).get("resource") == resource
                   and e.get("responseStatus", {}).get("code") == code for e in s.audit())
    for wanted in (("alice", "list", "pods", 200), ("alice", "list", "secrets", 403), ("admin", "create", "deployments", 201),
                   ("system:anonymous", "list", "pods", 403), ("alice", "watch", "pods", 200)):
        wait_until(lambda: event(*wanted), what=str(wanted))
    assert {e["apiVersion"] for e in s.audit()} == {"audit.k8s.io/v1"}


def restart(s):
    """Stopped and started in place: watches end, objects stay; killed too; flags are replaced"""
    ended = threading.Event()

    def watch():
        for _ in s.watch(WEB + "/pods"):
            begun.set()
        ended.set()
    begun = threading.Event()
    threading.Thread(target=watch, daemon=True).start()
    assert begun.wait(120)
    url, pid = s.url, s.api.pid
    s.stop_api()
    assert ended.wait(120), "the watch goes on without a server"
    try:
        s.get("/readyz")
        raise AssertionError("it answers after stop_api")
    except OSError:
        pass
    s.start_api("--anonymous-auth=true", "--v=1")
    assert s.url == url and s.api.pid != pid
    assert s.get(WEB + "/pods/solo", user="alice")["metadata"]["labels"]["seen"] == "yes"
    s.stop_api(crash=True)
    s.start_api()
    assert "pod/solo" in s.kubectl("-n", "web", "get", "pods", "-o", "name", user="robot")


def tokens(s):
    """A renewed token is known to the restarted server, and the old one is not"""
    old = s.tokens["reader"]
    s.renew_token("reader")
    s.renew_token("viewer")
    s.stop_api(crash=True)
    s.start_api()
    assert s.tokens["reader"] != old
    assert s.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", user="reader") == "reader"
    assert "logged in" in s.kubectl("auth", "whoami", user="viewer", status=1).err
    connection, headers = s.connect(None)
    connection.request("GET", "/api/v1/pods", headers={**headers, "Authorization": "Bearer " + old})
    assert connection.getresponse().status == 401
    connection.close()


def private(s):
    """The folder is the user's alone; the program's memory is told"""
    assert stat.S_IMODE(os.stat(s.folder).st_mode) == 0o700
    assert set(s.rss()) == {"etcd", "kube-apiserver"}


def gone(s):
    """At the end nothing is left: no process, no folder; not even of a test that was killed"""
    code = "import os, server, time; s = server.Server().__enter__(); print(s.folder, s.etcd.pid, s.api.pid, flush=True); time.sleep(600)"
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=server.HERE, stdout=subprocess.PIPE, text=True)
    left, *orphans = killed.stdout.readline().split()
    killed.kill()
    killed.wait()
    wait_until(lambda: not any(pathlib.Path("/proc", pid).exists() for pid in orphans), what="the end of what the killed test started")
    assert pathlib.Path(left).exists()
    with server.Server() as other:
        assert not pathlib.Path(left).exists(), "the next test removes it"
        assert other.port != s.port and other.etcd_url != s.etcd_url
        other.get("/api/v1/namespaces/web", status=404)
        folder, pids = other.folder, [other.etcd.pid, other.api.pid]
    assert not folder.exists()
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)
    assert s.get("/readyz") == "ok"


def controllers(s):
    """With the controller manager a Deployment becomes pods, and they have service accounts"""
    if not s.programs["kube-controller-manager"].exists():
        return "no kube-controller-manager: tests/kube/build kube-controller-manager makes it"
    with server.Server(controller_manager=True) as managed:
        managed.kubectl("create", "deployment", "front", "--image=registry.test/front:1", "--replicas=2")

        def pods():
            return managed.get("/api/v1/namespaces/default/pods?labelSelector=app%3Dfront")["items"]
        wait_until(lambda: len(pods()) == 2, what="the pods of a Deployment")
        assert {p["spec"]["serviceAccountName"] for p in pods()} == {"default"}
        assert len(managed.kubectl("create", "token", "default").out.split(".")) == 3


if __name__ == "__main__":
    with server.Server() as running:
        failed = server.main([version, objects, users, anonymous, access_reviews, watch_list, pages, audit_log, restart, tokens, private, gone, controllers], running)
    raise SystemExit(failed)
