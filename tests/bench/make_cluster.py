#!/usr/bin/env python3
"""A large cluster as `kubectl get -A -o yaml|json` prints it: the same options give the same bytes.

    make_cluster.py [--pods N] [--policies N] [--roles N] [--namespaces N] [--format yaml|json] [-o FILE]

Pods belong to ReplicaSets of Deployments, StatefulSets, DaemonSets and Jobs (ten pods a workload or so, about 2.5 KB each); every
workload has a Service and a service account, some an Ingress. Roles are bound to service accounts, a few of them cluster-wide.
"""
import argparse
import hashlib
import json
import random
import sys

TEAMS = ["payments", "search", "catalog", "identity", "reports", "billing", "media", "ledger"]
TIERS = ["frontend", "backend", "cache", "db", "worker", "api", "batch", "proxy"]
IMAGES = {"frontend": "nginx:1.27.2", "backend": "registry.example/app:4.12.0", "cache": "redis:7.4", "db": "postgres:16.4",
          "worker": "registry.example/worker:4.12.0", "api": "registry.example/api:4.12.0", "batch": "python:3.12-slim",
          "proxy": "envoyproxy/envoy:v1.31.0"}
PORTS = {"frontend": [("http", 8080), ("metrics", 9113)], "backend": [("http", 8000), ("metrics", 9090)], "cache": [("redis", 6379)],
         "db": [("postgres", 5432), ("metrics", 9187)], "worker": [("metrics", 9090)], "api": [("https", 8443), ("metrics", 9090)],
         "batch": [], "proxy": [("http", 10000), ("admin", 9901)]}
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete"]
RESOURCES = [("", "pods"), ("", "services"), ("", "configmaps"), ("", "secrets"), ("apps", "deployments"), ("batch", "jobs"),
             ("networking.k8s.io", "ingresses"), ("", "pods/log"), ("", "pods/exec"), ("", "events")]
KINDS = ["Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet", "Job"]


def digest(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def uid(*parts):
    d = digest("uid", *parts)
    return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-8{d[17:20]}-{d[20:32]}"


def meta(name, namespace=None, labels=None, owner=None):
    m = {"creationTimestamp": "2026-01-10T08:00:00Z", "name": name, "resourceVersion": str(int(digest(name, namespace)[:7], 16)),
         "uid": uid(namespace, name)}
    if namespace:
        m["namespace"] = namespace
    if labels:
        m["labels"] = labels
    if owner:
        m["ownerReferences"] = [{"apiVersion": owner[0], "blockOwnerDeletion": True, "controller": True, "kind": owner[1],
                                 "name": owner[2], "uid": uid(namespace, owner[2])}]
    return m


class Workload:
    def __init__(self, rng, number, namespaces):
        self.kind = KINDS[rng.randrange(len(KINDS))]
        self.tier = TIERS[rng.randrange(len(TIERS))]
        self.team = TEAMS[rng.randrange(len(TEAMS))]
        self.namespace = namespaces[number % len(namespaces)]
        self.name = f"{self.team}-{self.tier}-{number}"
        self.labels = {"app.kubernetes.io/name": self.name, "tier": self.tier, "team": self.team, "track": rng.choice(["stable", "canary"])}
        self.hash = digest("template", self.name)[:10]

    def api(self):
        return "batch/v1" if self.kind == "Job" else "apps/v1"

    def template(self):
        ports = [{"containerPort": port, "name": name, "protocol": "TCP"} for name, port in PORTS[self.tier]]
        container = {
            "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "UPSTREAM", "value": f"http://{self.team}-backend.{self.namespace}.svc:8000"},
                    {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
            "image": IMAGES[self.tier], "imagePullPolicy": "IfNotPresent", "name": "app",
            "readinessProbe": {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1,
                               "tcpSocket": {"port": ports[0]["containerPort"] if ports else 8080}},
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{"mountPath": "/var/cache/app", "name": "cache"},
                             {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access", "readOnly": True}],
        }
        if ports:
            container["ports"] = ports
        return {
            "containers": [container], "dnsPolicy": "ClusterFirst", "enableServiceLinks": True,
            "restartPolicy": "Never" if self.kind == "Job" else "Always", "schedulerName": "default-scheduler",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "serviceAccount": self.name, "serviceAccountName": self.name, "terminationGracePeriodSeconds": 30,
            "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}],
            "volumes": [{"emptyDir": {}, "name": "cache"},
                        {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
                            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}}]}}],
        }

    def owner(self):
        return ("apps/v1", "ReplicaSet", f"{self.name}-{self.hash}") if self.kind == "Deployment" else (self.api(), self.kind, self.name)

    def objects(self, replicas):
        spec = {"template": {"metadata": {"labels": dict(self.labels)}, "spec": self.template()}}
        if self.kind != "Job":
            spec["selector"] = {"matchLabels": {"app.kubernetes.io/name": self.name}}
        if self.kind in ("Deployment", "StatefulSet"):
            spec["replicas"] = replicas
        yield {"apiVersion": self.api(), "kind": self.kind, "metadata": meta(self.name, self.namespace, dict(self.labels)), "spec": spec}
        if self.kind == "Deployment":
            labels = dict(self.labels, **{"pod-template-hash": self.hash})
            yield {"apiVersion": "apps/v1", "kind": "ReplicaSet",
                   "metadata": meta(f"{self.name}-{self.hash}", self.namespace, labels, ("apps/v1", "Deployment", self.name)),
                   "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                            "template": {"metadata": {"labels": labels}, "spec": self.template()}}}
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(self.name, self.namespace)}
        if PORTS[self.tier]:
            yield {"apiVersion": "v1", "kind": "Service", "metadata": meta(self.name, self.namespace),
                   "spec": {"ports": [{"name": n, "port": p, "protocol": "TCP", "targetPort": n} for n, p in PORTS[self.tier]],
                            "selector": {"app.kubernetes.io/name": self.name}, "type": "ClusterIP"}}
        if self.tier == "frontend":
            yield {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta(self.name, self.namespace),
                   "spec": {"ingressClassName": "nginx", "rules": [{"host": f"{self.name}.example.com", "http": {"paths": [
                       {"backend": {"service": {"name": self.name, "port": {"name": "http"}}}, "path": "/", "pathType": "Prefix"}]}}]}}

    def pod(self, i):
        labels = dict(self.labels)
        if self.kind == "Deployment":
            labels["pod-template-hash"] = self.hash
        elif self.kind == "StatefulSet":
            labels["statefulset.kubernetes.io/pod-name"] = f"{self.name}-{i}"
        name = f"{self.owner()[2]}-{digest(self.name, i)[:5]}" if self.kind != "StatefulSet" else f"{self.name}-{i}"
        n = int(digest("ip", self.name, i)[:6], 16)
        ip = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        node = f"node-{n % 200}"
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta(name, self.namespace, labels, self.owner()),
                "spec": dict(self.template(), nodeName=node, preemptionPolicy="PreemptLowerPriority", priority=0),
                "status": {"conditions": [{"lastProbeTime": None, "lastTransitionTime": "2026-01-10T08:00:05Z", "status": "True", "type": t}
                                          for t in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
                           "containerStatuses": [{"containerID": "containerd://" + digest("c", name), "image": IMAGES[self.tier],
                                                  "imageID": "sha256:" + digest("i", self.tier), "name": "app", "ready": True,
                                                  "restartCount": 0, "started": True,
                                                  "state": {"running": {"startedAt": "2026-01-10T08:00:04Z"}}}],
                           "hostIP": f"192.168.0.{n % 200}", "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
                           "qosClass": "Burstable", "startTime": "2026-01-10T08:00:00Z"}}


def policy(rng, number, namespace, workloads):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    style = number % 5
    if style and workloads:
        w = workloads[rng.randrange(len(workloads))]
        spec["podSelector"] = {"matchLabels": {"app.kubernetes.io/name": w.name} if style < 3 else {"tier": w.tier}}
        port = PORTS[w.tier][0] if PORTS[w.tier] else ("http", 8080)
        peer = {1: [{"podSelector": {"matchLabels": {"tier": rng.choice(TIERS)}}}],
                2: [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}, "podSelector": {}},
                    {"namespaceSelector": {"matchLabels": {"team": rng.choice(TEAMS)}},
                     "podSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": [rng.choice(TIERS), "proxy"]}]}}],
                3: [{"ipBlock": {"cidr": f"172.{16 + number % 16}.0.0/16", "except": [f"172.{16 + number % 16}.{number % 256}.0/24"]}}],
                4: [{"namespaceSelector": {"matchLabels": {"team": rng.choice(TEAMS)}}}]}[style]
        spec["ingress"] = [{"from": peer, "ports": [{"port": port[0] if number % 2 else port[1], "protocol": "TCP"}]}]
        if style == 4:
            spec["policyTypes"].append("Egress")
            spec["egress"] = [{"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
                              {"to": [{"podSelector": {"matchLabels": {"tier": rng.choice(TIERS)}}}]}]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta(f"policy-{number}", namespace), "spec": spec}


def role(rng, number, namespaces, workloads):
    wide = number % 25 == 0
    namespace = None if wide else namespaces[number % len(namespaces)]
    rules = []
    for _ in range(1 + rng.randrange(3)):
        group, resource = RESOURCES[rng.randrange(len(RESOURCES))]
        rules.append({"apiGroups": [group], "resources": [resource], "verbs": sorted(rng.sample(VERBS, 1 + rng.randrange(4)))})
    name = f"role-{number}"
    yield {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole" if wide else "Role", "metadata": meta(name, namespace), "rules": rules}
    w = workloads[rng.randrange(len(workloads))]
    yield {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding" if wide else "RoleBinding", "metadata": meta(name, namespace),
           "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole" if wide else "Role", "name": name},
           "subjects": [{"kind": "ServiceAccount", "name": w.name, "namespace": w.namespace}]}


def cluster(options):
    rng = random.Random(f"{options.pods}/{options.policies}/{options.roles}/{options.namespaces}")
    namespaces = [f"team-{i}" for i in range(options.namespaces)]
    for n in namespaces:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(n, labels={"kubernetes.io/metadata.name": n, "team": TEAMS[rng.randrange(len(TEAMS))]}),
               "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    workloads = [Workload(rng, i, namespaces) for i in range(max(1, options.pods // 10))]
    by_namespace = {}
    for w in workloads:
        by_namespace.setdefault(w.namespace, []).append(w)
        yield from w.objects(10)
    for i in range(options.pods):
        yield workloads[i % len(workloads)].pod(i // len(workloads))
    for i in range(options.policies):
        n = namespaces[i % len(namespaces)]
        yield policy(rng, i, n, by_namespace.get(n, []))
    for i in range(options.roles):
        yield from role(rng, i, namespaces, workloads)


def scalar(v):
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    plain = v and v[0].isalpha() and v.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n") and \
        all(c.isalnum() or c in "-./_" for c in v)
    return v if plain else json.dumps(v)


def write_yaml(out, v, indent, inline):
    pad = " " * indent
    if isinstance(v, dict) and v:
        for i, (k, e) in enumerate(v.items()):
            out.append(("" if inline and not i else pad) + scalar(k) + ":")
            write_member(out, e, indent)
    elif isinstance(v, list) and v:
        for e in v:
            if isinstance(e, (dict, list)) and e:
                out.append(pad + "- ")
                write_yaml(out, e, indent + 2, True)
            else:
                out.append(pad + "- " + ("{}" if e == {} else "[]" if e == [] else scalar(e)) + "\n")


def write_member(out, e, indent):
    if isinstance(e, dict) and e:
        out.append("\n")
        write_yaml(out, e, indent + 2, False)
    elif isinstance(e, list) and e:
        out.append("\n")
        write_yaml(out, e, indent, False)
    else:
        out.append(" " + ("{}" if e == {} else "[]" if e == [] else scalar(e)) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pods", 10000), ("policies", 2000), ("roles", 5000), ("namespaces", 100)):
        p.add_argument("--" + name, type=int, default=default)
    p.add_argument("--format", choices=["yaml", "json"], default="yaml")
    p.add_argument("-o", "--output")
    options = p.parse_args()
    out = open(options.output, "w") if options.output else sys.stdout
    first = True
    out.write('{\n"apiVersion": "v1",\n"items": [\n' if options.format == "json" else "apiVersion: v1\nitems:\n")
    for o in cluster(options):
        if options.format == "json":
            out.write(("" if first else ",\n") + json.dumps(o, indent=4))
        else:
            lines = ["- "]
            write_yaml(lines, o, 2, True)
            out.write("".join(lines))
        first = False
    out.write('\n],\n"kind": "List"\n}\n' if options.format == "json" else ("kind: List\n" if not first else "[]\nkind: List\n"))


if __name__ == "__main__":
    main()
