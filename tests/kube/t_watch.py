"""t_watch.py HOLDFAST ROOT: TAP. kube … --watch beside a real API server: the first report, what comes and goes, restarts of the server, who may
not watch, how it ends."""
import json
import signal
import subprocess

import server
from harness import PATIENCE_S, wait_until
from watching import ENVIRONMENT, HOLDFAST, Watch

server.skip_unless()
PRIVILEGED = {"containers": [{"name": "c", "image": "registry.test/app:1", "securityContext": {"privileged": True}}]}
PSS = ("pss", "baseline")


def once(s, *args, user="admin", status=(0, 1)):
    done = subprocess.run([HOLDFAST, "kube", *args, "cluster:", "--kubeconfig", s.kubeconfig(user)], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode in status, done.stderr
    return done.stdout


def namespace(s, name):
    s.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return f"/api/v1/namespaces/{name}/pods"


def pss(s):
    """The first report is that of one question; then pods that come, change and go, and nothing else"""
    pods = namespace(s, "pss")
    s.post(pods, server.pod("first"))
    first = once(s, *PSS)
    w = Watch(s.kubeconfig(), *PSS)
    w.until("pass pss/Pod/first")
    wait_until(lambda: len(w.lines) == len(first.splitlines()), PATIENCE_S, "the whole report")
    assert "\n".join(w.lines) + "\n" == first, w.lines
    at = len(w.lines)
    s.post(pods, server.pod("bad", **PRIVILEGED))
    w.until("+ fail pss/Pod/bad privileged")
    s.patch(pods + "/first", {"metadata": {"labels": {"nothing": "new"}}})
    s.delete(pods + "/bad?gracePeriodSeconds=0")
    w.until("- fail pss/Pod/bad privileged")
    assert w.lines[at:] == ["+ fail pss/Pod/bad privileged", "- fail pss/Pod/bad privileged"], w.lines[at:]
    s.post(pods, server.pod("worse", **PRIVILEGED))
    w.until("+ fail pss/Pod/worse privileged")
    assert w.end(signal.SIGINT) == 1 and not w.errors, w.errors  # as the last state was
    s.delete(pods + "/worse?gracePeriodSeconds=0")


def check(s):
    """Findings as blocks of lines, and as lines of JSON; secrets without what is in them"""
    pods = namespace(s, "check")
    table, lines = Watch(s.kubeconfig(), "check"), Watch(s.kubeconfig(), "check", "--format", "json")
    table.until(" objects, ")
    lines.until('"schema"')
    first = json.loads(lines.lines[0])
    assert first["schema"] == "holdfast/kube-check/1" and len(lines.lines) == 1
    s.post(pods, server.pod("bad", **PRIVILEGED))
    table.until("          test/check/Pod/bad, container c: ")
    lines.until('"name":"bad"')
    s.post("/api/v1/namespaces/check/secrets", {"metadata": {"name": "hidden"}, "type": "Opaque", "stringData": {"k": "not-to-be-seen"}})
    s.delete(pods + "/bad?gracePeriodSeconds=0")
    s.delete("/api/v1/namespaces/check/secrets/hidden")
    wait_until(lambda: sum('"change":"removed"' in x for x in lines.lines) == sum('"change":"added"' in x for x in lines.lines), PATIENCE_S, "all gone")
    added = [json.loads(x) for x in lines.lines[1:] if '"added"' in x]
    removed = [json.loads(x) for x in lines.lines[1:] if '"removed"' in x]
    assert all(x["schema"] == "holdfast/kube-check-change/1" for x in added + removed)
    assert sorted(x["id"] for x in added) == sorted(x["id"] for x in removed), (added, removed)
    mine = [x for x in added if x["name"] == "bad"]
    assert {x["kind"] for x in mine} == {"Pod"} and len(mine) > 3, added
    failed = sum(x["status"] == "fail" for x in added)
    wait_until(lambda: sum(x.startswith("- ") for x in table.lines) == failed, PATIENCE_S, "all gone from the table")
    assert sum(x.startswith("+ ") for x in table.lines) == failed
    assert table.end() == 0 and lines.end() == 0
    assert not any("not-to-be-seen" in x for x in table.lines + lines.lines)


def policies_and_rights(s):
    """policy and rbac check: findings that come and go; a Secret's type is known, what is in it is not"""
    namespace(s, "rights")
    file = s.folder / "policy.yaml"
    file.write_text("policies:\n- {id: typed, title: t, match: {kinds: [Secret], namespaces: [rights]}, deny: '\"a \" + .type + \" \" + (.data | tostring)'}\n")
    policy, rbac = Watch(s.kubeconfig(), "policy", "--policy", str(file)), Watch(s.kubeconfig(), "rbac", "check", "--format", "json")
    policy.until(" polic")
    rbac.until('"schema"')
    s.post("/api/v1/namespaces/rights/secrets", {"metadata": {"name": "one"}, "type": "kubernetes.io/basic-auth", "stringData": {
        "username": "not-to-be-seen", "password": "not-to-be-seen"}})
    s.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {"metadata": {"name": "too-much"}, "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [
            {"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}]})
    policy.until("a kubernetes.io/basic-auth")
    rbac.until("mallory")
    s.delete("/api/v1/namespaces/rights/secrets/one")
    s.delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/too-much")
    wait_until(lambda: any(x.startswith("- deny") for x in policy.lines), PATIENCE_S, "the secret's end")
    wait_until(lambda: any('"removed"' in x and "mallory" in x for x in rbac.lines), PATIENCE_S, "the binding's end")
    assert json.loads(next(x for x in rbac.lines if "mallory" in x))["schema"] == "holdfast/kube-rbac-change/1"
    assert policy.end() == 0 and rbac.end() == 0
    assert not any("not-to-be-seen" in x for x in policy.lines + rbac.lines)


def restarts(s):
    """The server goes and comes back: it is said, nothing is lost, and what happened meanwhile is told"""
    pods = namespace(s, "restarts")
    s.post(pods, server.pod("stays"))
    w = Watch(s.kubeconfig(), *PSS)
    w.until("pass restarts/Pod/stays")
    at = len(w.lines)
    s.stop_api(crash=True)
    w.until("the connection is lost, and tried again", w.errors)
    s.start_api()
    s.post(pods, server.pod("new", **PRIVILEGED))
    w.until("+ fail restarts/Pod/new privileged")
    w.until("connected again", w.errors)
    assert w.lines[at:] == ["+ fail restarts/Pod/new privileged"], w.lines[at:]
    assert sum("the connection is lost" in x for x in w.errors) == 1, w.errors
    s.delete(pods + "/new?gracePeriodSeconds=0")
    w.until("- fail restarts/Pod/new privileged")
    assert w.end() == 0


def forbidden(s):
    """Who may not watch a kind is told so, once; with --strict it ends with 3; what is allowed later is followed then"""
    s.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "watch-pods"},
             "rules": [{"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]},
                       {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "watch-pods"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "watch-pods"},
             "subjects": [{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]})
    wait_until(lambda: s.may("viewer", "watch", "pods"), PATIENCE_S, "the role")
    pods = namespace(s, "forbidden")
    s.post(pods, server.pod("seen"))
    w = Watch(s.kubeconfig("viewer"), *PSS, "--strict")
    w.until("pass forbidden/Pod/seen")
    for kind in ("deployments.apps", "secrets", "services"):
        told = [x for x in w.errors if f": {kind}: " in x]
        assert len(told) == 1 and "forbidden: viewer cannot" in told[0], (kind, w.errors)
    s.post(pods, server.pod("next"))
    w.until("+ pass forbidden/Pod/next")
    assert sum(": secrets: " in x for x in w.errors) == 1
    s.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "watch-more"},
             "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "watch"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "watch-more"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "watch-more"},
             "subjects": [{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]})
    s.post("/apis/apps/v1/namespaces/forbidden/deployments", {"metadata": {"name": "late"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": PRIVILEGED}}})
    w.until("+ fail forbidden/Deployment/late privileged")
    s.delete("/apis/apps/v1/namespaces/forbidden/deployments/late")
    w.until("- fail forbidden/Deployment/late privileged")
    assert w.end() == 3


def ends(s):
    """A reader that goes away ends it; a server that is not there is an error"""
    child = subprocess.Popen([HOLDFAST, "kube", *PSS, "--watch", "cluster:", "--kubeconfig", s.kubeconfig()], stdout=subprocess.PIPE, env=ENVIRONMENT)
    assert child.stdout.readline()
    child.stdout.close()
    assert child.wait(PATIENCE_S) in (0, 1)
    config = s.kubeconfig().read_text().replace(s.url, "https://127.0.0.1:9")
    (s.folder / "nobody.kubeconfig").write_text(config)
    w = Watch(s.kubeconfig("nobody"), *PSS)
    assert w.child.wait(PATIENCE_S) == 2
    w.until("context test: ", w.errors)
    assert not w.lines


with server.Server() as the_server:
    server.main([pss, check, policies_and_rights, restarts, forbidden, ends], the_server)
