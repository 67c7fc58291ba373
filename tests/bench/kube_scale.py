#!/usr/bin/env python3
"""How the time of kube commands grows with one thing that there is much of: at N and at ten times as much.

    kube_scale.py HOLDFAST [--only NAME,…] [--seconds N]

Each row is processor time of the command and its workers, reading included. A factor of 10 is linear; what has a row of output for every pair
of something grows with its output, which stands beside it."""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile


def obj(api, kind, name, namespace=None, labels=None, **rest):
    meta = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if labels:
        meta["labels"] = labels
    return {"apiVersion": api, "kind": kind, "metadata": meta, **rest}


def container(**more):
    return {"name": "c", "image": "registry.example/app:1.0", "ports": [{"containerPort": 8080, "name": "http"}], **more}


def pod(name, labels=None, namespace="default", **spec):
    return obj("v1", "Pod", name, namespace, labels, spec={"containers": [container()], **spec})


def deployment(name):
    return obj("apps/v1", "Deployment", name, "default", spec={"selector": {"matchLabels": {"app": name}}, "template": {
        "metadata": {"labels": {"app": name}}, "spec": {"containers": [container()]}}})


def netpol(name, selector, ingress, namespace="default"):
    return obj("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec={"podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress})


def role(name, namespace, rules, **more):
    return obj("rbac.authorization.k8s.io/v1", "Role" if namespace else "ClusterRole", name, namespace, rules=rules, **more)


def binding(name, namespace, to, subjects):
    kind = "Role" if namespace else "ClusterRole"
    return obj("rbac.authorization.k8s.io/v1", kind + "Binding", name, namespace, subjects=subjects,
               roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": to})


def account(i, namespace="default"):
    return {"kind": "ServiceAccount", "name": f"sa-{i}", "namespace": namespace}


READ = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]


def groups(n):
    """pods that policies tell apart, each"""
    yield netpol("p", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, [{"from": [{"podSelector": {"matchLabels": {"app": "a-1"}}}]}])
    for i in range(n):
        yield pod(f"p-{i}", {"app": f"a-{i}"})


def groups_own_policy(n):
    """each has a policy of its own"""
    for i in range(n):
        yield pod(f"p-{i}", {"app": f"a-{i}"})
        yield netpol(f"n-{i}", {"matchLabels": {"app": f"a-{i}"}}, [{"from": [{"podSelector": {"matchLabels": {"app": f"a-{i // 2}"}}}]}])


def services(n):
    for i in range(n):
        name = f"s-{i}"
        yield deployment(name)
        yield obj("v1", "Service", name, "default", spec={"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]})
        yield obj("networking.k8s.io/v1", "Ingress", name, "default", spec={"rules": [{"host": f"{name}.example", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}}]}}]})
    yield netpol("closed", {}, [])


def volumes(n):
    yield obj("v1", "Pod", "p", "default", spec={
        "containers": [container(volumeMounts=[{"name": f"v-{i}", "mountPath": f"/m/{i}"} for i in range(n)])],
        "volumes": [{"name": f"v-{i}", "hostPath": {"path": f"/data/{i}"}} for i in range(n)]})


def secrets_mounted(n):
    for i in range(n):
        yield obj("v1", "Secret", f"s-{i}", "default", data={})
    yield obj("v1", "Pod", "p", "default", spec={
        "containers": [container(env=[{"name": f"E{i}", "valueFrom": {"secretKeyRef": {"name": f"s-{i}", "key": "k"}}} for i in range(n)])],
        "volumes": [{"name": f"v-{i}", "secret": {"secretName": f"s-{i}"}} for i in range(n)]})


def containers(n):
    yield obj("v1", "Pod", "p", "default", spec={"containers": [container() | {"name": f"c-{i}"} for i in range(n)]})


def deployments(n):
    for i in range(n):
        yield deployment(f"d-{i}")


def labels(n):
    many = {f"l-{i}": "x" for i in range(n)}
    yield pod("p", many)
    yield netpol("n", {"matchLabels": many}, [{"from": [{"podSelector": {"matchLabels": many}}]}])
    yield obj("v1", "Service", "s", "default", spec={"selector": many, "ports": [{"port": 80}]})


def bindings(n):
    yield role("r", "default", READ)
    for i in range(n):
        yield binding(f"b-{i}", "default", "r", [account(i)])


def subjects(n):
    yield role("r", None, READ)
    yield binding("b", None, "r", [account(i) for i in range(n)])


def roles(n):
    """and one account that has them all"""
    for i in range(n):
        yield role(f"r-{i}", "default", [{"apiGroups": [""], "resources": [f"things{i}"], "verbs": ["get"]}])
        yield binding(f"b-{i}", "default", f"r-{i}", [account(0)])


def rules(n):
    yield role("r", None, [{"apiGroups": [f"g{i}"], "resources": ["things"], "verbs": ["get"]} for i in range(n)])
    yield binding("b", None, "r", [account(0)])


def names(n):
    yield role("r", None, [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": [f"s-{i}" for i in range(n)]}])
    yield binding("b", None, "r", [account(0)])


def namespaces(n):
    for i in range(n):
        yield obj("v1", "Namespace", f"ns-{i}")
        yield pod("p", {"app": "a"}, f"ns-{i}", serviceAccountName="sa-0")
        yield obj("v1", "ServiceAccount", "sa-0", f"ns-{i}")
        yield role("r", f"ns-{i}", READ)
        yield binding("b", f"ns-{i}", "r", [account(0, f"ns-{i}")])
        yield netpol("n", {}, [{"from": [{"podSelector": {}}]}], f"ns-{i}")


def policy_rules(n):
    """of ten policies"""
    for k in range(10):
        yield netpol(f"n-{k}", {}, [{"ports": [{"port": 1 + i % 60000}], "from": [{"podSelector": {"matchLabels": {"app": f"a-{i}"}}}]} for i in range(n)])
    for i in range(10):
        yield pod(f"p-{i}", {"app": f"a-{i}"})


def blocks(n):
    yield netpol("n", {}, [{"from": [{"ipBlock": {"cidr": f"10.{i >> 14}.{i >> 6 & 255}.{(i & 63) * 4}/31"}} for i in range(n)]}])
    yield pod("p")


def excepts(n):
    yield netpol("n", {}, [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": [f"10.{i >> 14}.{i >> 6 & 255}.{(i & 63) * 4}/31" for i in range(n)]}}]}])
    yield pod("p")


def aggregated(n):
    """each takes in the one before"""
    for i in range(n):
        more = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"level": f"l-{i - 1}"}}]}} if i else {}
        yield obj("rbac.authorization.k8s.io/v1", "ClusterRole", f"r-{i}", None, {"level": f"l-{i}"}, rules=[] if i else READ, **more)
    yield binding("b", None, f"r-{n - 1}", [account(0)])


def aggregated_wide(n):
    yield obj("rbac.authorization.k8s.io/v1", "ClusterRole", "all", rules=[], aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"part": f"p-{i}"}} for i in range(n)]})
    for i in range(n):
        yield obj("rbac.authorization.k8s.io/v1", "ClusterRole", f"r-{i}", None, {"part": f"p-{i}"}, rules=[{"apiGroups": [""], "resources": [f"t{i}"], "verbs": ["get"]}])


def admin_policies(n):
    for i in range(n):
        yield obj("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", f"a-{i}", spec={
            "priority": i % 1000, "subject": {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": f"ns-{i % 50}"}}},
            "ingress": [{"action": "Deny", "from": [{"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": f"ns-{(i + 1) % 50}"}}}]}]})
    for i in range(50):
        yield obj("v1", "Namespace", f"ns-{i}")
        yield pod("p", {"app": "a"}, f"ns-{i}")


# what, the lesser N, commands
CASES = {
    "groups": (groups, 500, ["reach"]),
    "groups-own-policy": (groups_own_policy, 500, ["reach"]),
    "services": (services, 1000, ["reach", "check"]),
    "volumes": (volumes, 10000, ["check", "pss"]),
    "secrets-mounted": (secrets_mounted, 3000, ["check"]),
    "containers": (containers, 1000, ["check", "pss", "reach"]),
    "deployments": (deployments, 3000, ["check"]),
    "labels": (labels, 5000, ["reach", "check"]),
    "bindings": (bindings, 10000, ["rbac", "check"]),
    "subjects": (subjects, 10000, ["rbac", "check"]),
    "roles": (roles, 1000, ["rbac", "check"]),
    "rules": (rules, 5000, ["rbac", "check"]),
    "names": (names, 10000, ["rbac", "check"]),
    "namespaces": (namespaces, 1000, ["reach", "rbac", "check"]),
    "policy-rules": (policy_rules, 100, ["reach", "check"]),
    "blocks": (blocks, 10000, ["reach", "check"]),
    "excepts": (excepts, 10000, ["reach", "check"]),
    "aggregated": (aggregated, 100, ["rbac", "check"]),
    "aggregated-wide": (aggregated_wide, 1000, ["rbac", "check"]),
    "admin-policies": (admin_policies, 1000, ["reach"]),
}
COMMANDS = {"reach": ["reach", "--format", "json"], "check": ["check", "--format", "json"], "pss": ["pss", "restricted"],
            "rbac": ["rbac", "check", "--format", "json"]}


def run(holdfast, command, path, seconds):
    """processor seconds, MiB, MB of output; or what went wrong"""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([holdfast, "kube", *command, "--quiet", path], stdout=out, stderr=errors,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)))
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if child.returncode not in (0, 1):
            return f"exit {child.returncode}: {errors.read(160).decode(errors='replace').strip()}"
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.fstat(out.fileno()).st_size / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("holdfast")
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    print("| much of | command | N | time | at 10 N | factor | peak RSS | output |\n|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "in.json"
        for name in args.only.split(","):
            make, n, commands = CASES[name]
            results = {}
            for times in (1, 10):
                with open(path, "w") as f:
                    for o in make(n * times):
                        json.dump(o, f)
                        f.write("\n")
                for c in commands:
                    results[c, times] = run(args.holdfast, COMMANDS[c], str(path), args.seconds)
            for c in commands:
                a, b = results[c, 1], results[c, 10]
                if isinstance(a, str) or isinstance(b, str):
                    print(f"| {name} | {c} | {n:,} | {a if isinstance(a, str) else f'{a[0]:.2f} s'} | {b if isinstance(b, str) else f'{b[0]:.2f} s'} | | | |", flush=True)
                else:
                    print(f"| {name} | {c} | {n:,} | {a[0]:.2f} s | {b[0]:.2f} s | {b[0] / max(a[0], 0.01):.0f} | {b[1]:.0f} MiB | {a[2]:.1f}, {b[2]:.1f} MB |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
