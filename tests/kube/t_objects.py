"""t_objects.py HOLDFAST: objects of live clusters by their names, beside a real kube-apiserver. TAP."""
import json
import subprocess
import sys

import server
import yaml

HOLDFAST = sys.argv[1]
SPACE = "/api/v1/namespaces/shop"


def holdfast(*args, status=0):
    done = subprocess.run([HOLDFAST, "kube", *map(str, args)], capture_output=True, text=True, timeout=600)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    return done


def two_contexts(s):
    """The server under two names."""
    config = yaml.safe_load(s.kubeconfig().read_text())
    context = config["contexts"][0]["context"]
    config["contexts"] = [{"name": name, "context": context} for name in ("east", "west")]
    path = s.folder / "two.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def names(s):
    """No line of a text that nobody has; the cluster's name where there are several"""
    s.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {
        "pod-security.kubernetes.io/enforce": "privileged"}}})
    pod = server.pod("front", {"app": "front"})
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    s.post(SPACE + "/pods", pod)
    s.post(SPACE + "/pods", server.pod("back", {"app": "back"}))
    s.post("/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "tight"},
        "spec": {"podSelector": {"matchLabels": {"app": "back"}}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "front"}}}]}]}})
    s.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "wide"},
             "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "wide"},
             "roleRef": {"kind": "ClusterRole", "name": "wide", "apiGroup": "rbac.authorization.k8s.io"},
             "subjects": [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}]})
    config = two_contexts(s)
    one = ("--kubeconfig", config, "cluster:east")
    wide = holdfast("pss", "baseline", "--explain", *one, status=1).stdout
    assert "fail shop/Pod/front privileged\n" in wide and ":1" not in wide, wide
    found = json.loads(holdfast("pss", "baseline", "--format", "json", *one, status=1).stdout)
    assert all("line" not in d["object"] and '"line"' not in json.dumps(d["controls"]) for d in found["documents"])
    both = holdfast("pss", "baseline", *one, "cluster:west", status=1).stdout.splitlines()
    assert "fail east/shop/Pod/front privileged" in both and "fail west/shop/Pod/front privileged" in both, both
    reach = holdfast("reach", "--explain", "shop/front", "shop/back", *one).stdout
    assert "cluster:east shop/NetworkPolicy/tight" in reach and ":1" not in reach, reach
    who = holdfast("rbac", "who-can", "delete", "pods", *one).stdout
    assert "cluster:east ClusterRoleBinding/wide" in who and ":1" not in who, who


def absent(s):
    """What a pod names is not there, or cannot be known by who may not list it"""
    pod = server.pod("needy", {"app": "needy"})
    pod["spec"]["volumes"] = [{"name": "v", "secret": {"secretName": "key"}}]
    s.post(SPACE + "/pods", pod)
    s.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "pods"},
             "rules": [{"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "pods"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "pods"},
             "subjects": [{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]})
    server.wait_until(lambda: s.may("viewer", "list", "pods"), what="the role")

    def answer(user):
        found = json.loads(holdfast("check", "--format", "json", "--checks", "absent-secret", "--kubeconfig", s.kubeconfig(user), "cluster:").stdout)
        return [r["status"] for r in found["results"] if r["name"] == "needy"]

    assert answer("admin") == ["fail"] and answer("viewer") == ["not_assessable"], (answer("admin"), answer("viewer"))
    s.post(SPACE + "/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}})
    assert answer("admin") == [], answer("admin")


if __name__ == "__main__":
    server.skip_unless()
    with server.Server() as running:
        failed = server.main([names, absent], running)
    raise SystemExit(failed)
