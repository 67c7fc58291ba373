"""t_rbac.py HOLDFAST ROOT: TAP. `kube rbac can` beside SubjectAccessReview: random roles, bindings and requests, the seed is printed.
The same roles are read as the manifests that were applied (aggregation is ours then) and as the server hands them out."""
import json
import os
import random
import subprocess
import sys

import server
from server import wait_until

REQUESTS = 1000
server.skip_unless()
CONTROLLERS = server.missing("kube-controller-manager") is None
SEED = int(os.environ.get("HOLDFAST_TEST_SEED", "20261122"))
GROUP = "rbac.authorization.k8s.io"
NAMESPACES = ["web", "data", "ops"]
USERS = ["alice", "bob", "carol", "oidc:dave", "system:serviceaccount:web:app", "system:serviceaccount:data:app", "system:serviceaccount:ops:robot"]
# No accounts, though they begin like some, and who nobody knows: users like others.
ODD_USERS = ["system:serviceaccount:web:a:b", "system:serviceaccount:web:", "system:serviceaccount::app", "system:serviceaccount:web", "system:anonymous", "*", "Alice"]
GROUPS = ["devs", "auditors", "system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:serviceaccounts:web", "system:serviceaccounts:data"]
ODD_GROUPS = ["system:serviceaccounts:", "system:serviceaccounts:ops", "*", "alice"]
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "use"]
ODD_VERBS = ["*", "", "Get", "escalate", "bind"]
RESOURCES = {"": ["pods", "pods/log", "pods/exec", "pods/status", "secrets", "configmaps", "services/proxy", "nodes", "users", "replicationcontrollers/scale"],
             "apps": ["deployments", "deployments/scale", "deployments/status", "statefulsets", "statefulsets/scale"],
             "batch": ["jobs", "jobs/status"], "example.com": ["widgets", "widgets/status"]}
NAMES = ["a", "b", "c"]
URLS = ["/healthz", "/healthz/ping", "/metrics", "/logs/a", "/logs/a/b", "/api", "/version"]
ODD_URLS = ["/healthz/", "/logs", "/apis", "/", "/healthz*", "/healthz/*", "/metrics/", "//", "/Healthz"]
WIDE = {"web", "ops"}  # namespaces whose roles use wildcards more


def some(r, pool, most):
    return r.sample(pool, r.randint(1, min(most, len(pool))))


def rule(r, cluster):
    if cluster and r.random() < 0.25:
        urls = [u if r.random() < 0.5 else r.choice([u + "*", u + "/*", "/*", "*"]) for u in some(r, URLS, 2)]
        return {"verbs": ["*"] if r.random() < 0.2 else some(r, ["get", "head", "post"], 2), "nonResourceURLs": urls}
    groups = some(r, list(RESOURCES), 2)
    resources = some(r, [x for g in groups for x in RESOURCES[g]], 3)
    resources = [x if r.random() < 0.8 else r.choice(["*", "*/scale", "*/status", "*/log", "pods/*", "*/*", x + "/scale"]) for x in resources]
    out = {"verbs": ["*"] if r.random() < 0.15 else some(r, VERBS, 3), "apiGroups": ["*"] if r.random() < 0.15 else groups,
           "resources": resources}
    if r.random() < 0.05:
        out["apiGroups"] = ["", "*"]
    if r.random() < 0.35:
        out["resourceNames"] = some(r, NAMES, 2)
    return out


def role(r, kind, name, namespace=None, **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("meta", {})}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta,
            "rules": [rule(r, kind == "ClusterRole") for _ in range(r.randint(1, 3))], **more}


def subject(r, namespace):
    which = r.random()
    if which < 0.4:
        return {"kind": "User", "name": r.choice(USERS if r.random() < 0.8 else ODD_USERS), "apiGroup": GROUP}
    if which < 0.65:
        return {"kind": "Group", "name": r.choice(GROUPS if r.random() < 0.85 else ODD_GROUPS), "apiGroup": GROUP}
    return {"kind": "ServiceAccount", "name": r.choice(["app", "robot"]), "namespace": r.choice(NAMESPACES)}


def binding(r, name, role_kind, role_name, namespace=None):
    return {"apiVersion": f"{GROUP}/v1", "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role_name},
            "subjects": [subject(r, namespace) for _ in range(r.randint(1, 2))]}


def made(r):
    labels = [{"team": "x"}, {"team": "y"}, {"team": "x", "level": "low"}]
    out = [role(r, "ClusterRole", f"c{i}", meta={"labels": r.choice(labels)} if r.random() < 0.4 else {}) for i in range(14)]
    if CONTROLLERS:
        out += [{**role(r, "ClusterRole", "gathered-x", meta={"labels": {"team": "y"}}),
                 "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"team": "x"}}]}},
                {**role(r, "ClusterRole", "gathered-y"),
                 "aggregationRule": {"clusterRoleSelectors": [{"matchExpressions": [{"key": "level", "operator": "Exists"}]},
                                                              {"matchLabels": {"team": "y"}}]}}]
    clusters = [o["metadata"]["name"] for o in out]
    for n in NAMESPACES:
        out += [role(r, "Role", f"r{i}", n) for i in range(5)]
    out += [binding(r, f"cb{i}", "ClusterRole", r.choice(clusters + ["view", "no-such"])) for i in range(12)]
    if CONTROLLERS:
        out += [binding(r, f"cg{i}", "ClusterRole", name) for i, name in enumerate(["gathered-x", "gathered-y"])]
    for n in NAMESPACES:
        for i in range(6):
            kind = r.choice(["Role", "ClusterRole"])
            names = clusters + ["edit", "admin", "view"] if kind == "ClusterRole" else [f"r{x}" for x in range(6)]
            out.append(binding(r, f"b{i}", kind, r.choice(names), n))
    # The last of each kind: who sees what they give, sees all.
    marks = {"verbs": ["mark"], "apiGroups": ["example.com"], "resources": ["marks"]}
    out.append({**role(r, "ClusterRole", "mark", meta={"labels": {"team": "x"}}), "rules": [marks]})
    out.append({**role(r, "Role", "mark", "ops"), "rules": [marks]})
    user = {"kind": "User", "name": "mark", "apiGroup": GROUP}
    out.append({**binding(r, "mark", "ClusterRole", "mark"), "subjects": [{**user, "name": "mark-all"}]})
    out.append({**binding(r, "mark", "Role", "mark", "ops"), "subjects": [{**user, "name": "mark-ops"}]})
    return out


def request(r):
    user, groups = r.choice(USERS + ["nobody"] if r.random() < 0.8 else ODD_USERS), []
    if r.random() < 0.5 or user == "nobody":
        groups = some(r, GROUPS if r.random() < 0.85 else GROUPS + ODD_GROUPS, 3)
    if r.random() < 0.02:
        groups.append("system:masters")
    if r.random() < 0.15:
        return {"user": user, "groups": groups, "path": r.choice(URLS + ODD_URLS), "verb": r.choice(["get", "head", "post", "*", "Get"])}
    group = r.choice(list(RESOURCES))
    resource, _, sub = r.choice(RESOURCES[group]).partition("/")
    if r.random() < 0.08:
        resource, group = "*", r.choice(["*", "", group])
    return {"user": user, "groups": groups, "verb": r.choice(VERBS if r.random() < 0.9 else ODD_VERBS), "group": group, "resource": resource,
            "subresource": r.choice(["", sub, sub, "scale", "*"] if r.random() < 0.3 else ["", sub]), "name": r.choice(["", "", *NAMES, "d"]),
            "namespace": r.choice(["", *NAMESPACES, *NAMESPACES, "empty"])}


def review(s, q):
    if "path" in q:
        what = {"nonResourceAttributes": {"path": q["path"], "verb": q["verb"]}}
    else:
        keys = ("verb", "group", "resource", "subresource", "name", "namespace")
        what = {"resourceAttributes": {k: q[k] for k in keys if q[k]}}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": q["user"], "groups": q["groups"], **what}}
    return s.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"]


def can(q, *targets):
    args = [f"--as={q['user']}", "--exact-groups", *[f"--as-group={g}" for g in q["groups"]]]
    if "path" in q:
        words = [q["verb"], q["path"]]
    else:
        words = [q["verb"], q["resource"] + (f".{q['group']}" if q["group"] else "")]
        args += [f"--namespace={q['namespace']}"] if q["namespace"] else ["--all-namespaces"]
        args += [f"--{k}={q[k]}" for k in ("subresource", "name") if q[k]]
    done = subprocess.run([sys.argv[1], "kube", "rbac", "can", *words, *args, *targets], capture_output=True, text=True)
    assert done.returncode in (0, 1), f"{q}: {done.returncode}\n{done.stderr}"
    assert done.stdout.split("\n")[0] == ("no" if done.returncode else "yes"), done.stdout
    return done.returncode == 0, done.stderr


def settled(s):
    """Until the server's authorizer knows all, and the controller has gathered all."""
    wait_until(lambda: s.may("mark-all", "mark", "marks", group="example.com"), what="the cluster's bindings")
    wait_until(lambda: s.may("mark-ops", "mark", "marks", "ops", "example.com"), what="the namespaces' bindings")
    if not CONTROLLERS:
        return
    roles = f"/apis/{GROUP}/v1/clusterroles/"

    def gathered():
        x, y = (s.get(roles + name)["rules"] for name in ("gathered-x", "gathered-y"))
        has = [any(rule["verbs"] == ["mark"] for rule in (rules or [])) for rules in (x, y)]
        inside = all(rule in y for rule in x or [])
        admin = s.get(roles + "admin")["rules"]
        return all(has) and inside and admin and any("secrets" in rule.get("resources", []) for rule in admin)

    wait_until(gathered, what="aggregation")


def agrees(s):
    """1,000 random requests: the manifests and the server's own objects give what SubjectAccessReview says"""
    r = random.Random(SEED)
    print(f"# seed {SEED}, {'with' if CONTROLLERS else 'without'} the controller that aggregates")
    objects = made(r)
    for n in NAMESPACES:
        s.kubectl("create", "namespace", n)
    s.apply(*objects)
    settled(s)
    manifests, dump = s.folder / "manifests.json", s.folder / "dump.json"
    manifests.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    dump.write_text(s.kubectl("get", "clusterroles,clusterrolebindings,roles,rolebindings", "-A", "-o", "json"))
    allowed, wrong = 0, []
    for i in range(REQUESTS):
        q = request(r)
        truth = review(s, q)
        allowed += truth
        for target in (manifests, dump) if CONTROLLERS else (dump,):
            ours, said = can(q, target)
            if ours != truth:
                wrong.append((target.name, q, truth, said))
    print(f"# {allowed} of {REQUESTS} allowed")
    assert not wrong, f"{len(wrong)} answers differ:\n" + "\n".join(map(str, wrong[:5]))
    assert REQUESTS // 20 < allowed < REQUESTS - REQUESTS // 20, "the requests are of one kind"


def implicit_groups(s):
    """Groups that come with an account: as who impersonates has them"""
    manifests = s.folder / "manifests.json"
    for user in ("alice", "system:serviceaccount:web:app", "system:serviceaccount:data:app"):
        for namespace in NAMESPACES:
            for resource in ("secrets", "configmaps", "deployments.apps"):
                for verb in ("get", "list", "create"):
                    done = s.kubectl("auth", "can-i", verb, resource, "-n", namespace, "--as", user, status=None)
                    target = manifests if CONTROLLERS else s.folder / "dump.json"
                    ours = subprocess.run([sys.argv[1], "kube", "rbac", "can", verb, resource, "-n", namespace, "--as", user, target],
                                          capture_output=True, text=True)
                    assert ours.returncode == done.status, f"{user} {verb} {resource} {namespace}: {ours.stdout} {done} {ours.stderr}"


def live(s):
    """The cluster itself as the target, and several questions about it"""
    r = random.Random(SEED + 1)
    for _ in range(25):
        q = request(r)
        ours, said = can(q, "--kubeconfig", s.kubeconfig(), "cluster:")
        assert ours == review(s, q), f"{q}: {said}"
    for task in ("check", "list", "unused", "who-can get secrets"):
        done = subprocess.run([sys.argv[1], "kube", "rbac", *task.split(), "-f", "json", "--kubeconfig", s.kubeconfig()], capture_output=True, text=True)
        assert done.returncode == 0 and json.loads(done.stdout)["schema"] == "holdfast/rbac/1", f"{task}: {done.stderr}"
        assert task != "check" or json.loads(done.stdout)["defaults_added"] is False


def audited(s):
    """Roles made of the server's own audit log allow what was done, and no more: by the server itself"""
    role = {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": {"name": "worker", "namespace": "data"}, "rules": [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list", "create", "delete"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}]}
    user = {"kind": "User", "name": "worker", "apiGroup": GROUP}
    bound = {"apiVersion": f"{GROUP}/v1", "kind": "RoleBinding", "metadata": {"name": "worker", "namespace": "data"},
             "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "worker"}, "subjects": [user]}
    s.apply(role, bound)
    wait_until(lambda: s.may("worker", "get", "secrets", "data"))
    s.kubectl("create", "configmap", "made", "-n", "data", "--as", "worker")
    s.kubectl("get", "configmaps", "-n", "data", "--as", "worker")
    s.kubectl("get", "deployments", "-n", "data", "--as", "worker")
    s.kubectl("get", "pods", "-n", "data", "--as", "worker", status=1)
    manifests = s.folder / "worker.json"
    manifests.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [role, bound]}))
    done = subprocess.run([sys.argv[1], "kube", "rbac", "audit", "--audit-log", s.folder / "audit.log", "-f", "yaml", manifests], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    s.kubectl("delete", "-n", "data", "rolebinding/worker", "role/worker")
    s.kubectl("apply", "-f", "-", input=done.stdout)
    wait_until(lambda: s.may("worker", "create", "configmaps", "data"))
    for verb, resource, group, allowed in (("create", "configmaps", "", True), ("list", "configmaps", "", True), ("list", "deployments", "apps", True),
                                           ("get", "secrets", "", False), ("delete", "configmaps", "", False), ("delete", "deployments", "apps", False),
                                           ("list", "pods", "", False)):
        assert s.may("worker", verb, resource, "data", group) == allowed, f"{verb} {resource}\n{done.stdout}"


def uses(log):
    """What the log says was allowed to users that are none of the system's, each once, as requests"""
    seen = {}
    for line in log.read_text().splitlines():
        e = json.loads(line)
        user, ref = e.get("impersonatedUser", e["user"]), e.get("objectRef")
        if e["annotations"].get("authorization.k8s.io/decision") != "allow" or user["username"].startswith("system:") or "system:masters" in user["groups"]:
            continue
        q = {"user": user["username"], "groups": user["groups"], "verb": e["verb"]}
        if ref is None:
            q["path"] = e["requestURI"].split("?")[0]
        else:
            q.update(group=ref.get("apiGroup", ""), resource=ref["resource"], subresource=ref.get("subresource", ""), namespace=ref.get("namespace", ""),
                     name="" if e["verb"] == "create" else ref.get("name", ""))
        seen[json.dumps(q)] = q
    return list(seen.values())


def patched(s):
    """The stream that the audit of this cluster gives is taken by kubectl apply; what was done is still allowed by the server, the rest is not"""
    role = {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": {"name": "wide"}, "rules": [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["*"]}]}
    user = {"kind": "User", "apiGroup": GROUP}
    for name, to in (("patchy", "wide"), ("editor", "edit"), ("idler", "wide")):
        s.apply(role, {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
                       "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": to}, "subjects": [{**user, "name": name}]})
    wait_until(lambda: all(s.may(u, "list", "secrets", "ops") for u in ("patchy", "editor", "idler")), what="the bindings")
    s.kubectl("create", "configmap", "kept", "-n", "data", "--as", "patchy")
    s.kubectl("get", "configmaps", "kept", "-n", "data", "--as", "patchy")
    s.kubectl("get", "configmaps", "-n", "web", "--as", "patchy")
    s.kubectl("create", "serviceaccount", "made", "-n", "ops", "--as", "editor")
    done = subprocess.run([sys.argv[1], "kube", "rbac", "audit", "--audit-log", s.folder / "audit.log", "-f", "apply", "--kubeconfig", s.kubeconfig()],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    was = uses(s.folder / "audit.log")
    still = [q for q in was if review(s, q)]
    s.kubectl("apply", "-f", "-", input=done.stdout)
    wait_until(lambda: not s.may("idler", "list", "secrets", "ops"), what="the applied patch")
    lost = [q for q in still if not review(s, q)]
    print(f"# {len(was)} kinds of requests, {len(lost)} lost")
    assert len(still) > 4 and not lost, f"{lost[:3]}\n{done.stdout}"
    for who, verb, resource, namespace in (("patchy", "delete", "configmaps", "data"), ("patchy", "list", "secrets", "data"), ("patchy", "list", "configmaps", "ops"),
                                           ("editor", "create", "pods", "ops"), ("editor", "create", "serviceaccounts", "web")):
        assert not s.may(who, verb, resource, namespace), f"{who} {verb} {resource}\n{done.stdout}"


def defaults(s):
    """data/kube/default-roles.json is what this server makes by itself"""
    root = sys.argv[2]
    listed = s.kubectl("get", "clusterroles,clusterrolebindings,roles,rolebindings", "-A", "-l", "kubernetes.io/bootstrapping=rbac-defaults", "-o", "json")
    made = subprocess.run([sys.executable, f"{root}/tools/make_default_roles.py"], input=listed, capture_output=True, text=True, check=True).stdout
    ours = open(f"{root}/data/kube/default-roles.json").read()
    assert made == ours, "run tools/make_default_roles.py"


if __name__ == "__main__":
    with server.Server(controller_manager=CONTROLLERS) as running:
        failed = server.main([agrees, implicit_groups, live, audited, patched, defaults], running)
    raise SystemExit(failed)
