"""t_reach.py HOLDFAST ROOT: TAP. kube reach and kube netpol beside a real API server: what the server takes is understood without a
loss, what it refuses is told; proposals are taken as they are; a live cluster is as its manifests."""
import json
import random
import subprocess
import sys

import server

server.skip_unless()
HOLDFAST = sys.argv[1]
SEED, POLICIES = 20261122, 250
NAMES = ["web", "api", "db", "cache"]


def holdfast(*args, objects=None, status=0):
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}) if objects is not None else None
    done = subprocess.run([HOLDFAST, "kube", *map(str, args)], input=text, capture_output=True, text=True)
    assert status is None or done.returncode == status, f"{args}: {done.returncode}\n{done.stderr}"
    return done


class Maker:
    """Policies, some of which no server takes."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def selector(self):
        r = self.r
        kind = r.randrange(8)
        if kind < 2:
            return {}
        if kind < 5:
            return {"matchLabels": {"app": r.choice(NAMES)}}
        operator = r.choice(["In", "In", "NotIn", "Exists", "DoesNotExist", "Like"] if kind == 7 else ["In", "NotIn", "Exists", "DoesNotExist"])
        values = [r.choice(NAMES) for _ in range(r.randrange(1, 3))] if operator in ("In", "NotIn", "Like") else []
        if r.randrange(12) == 0:
            values = [] if values else ["a"]
        return {"matchExpressions": [{"key": "app", "operator": operator, **({"values": values} if values else {})}]}

    def peer(self):
        r, kind = self.r, self.r.randrange(20)
        if kind < 8:
            return {"podSelector": self.selector()}
        if kind < 11:
            return {"namespaceSelector": self.selector()}
        if kind < 14:
            return {"namespaceSelector": self.selector(), "podSelector": self.selector()}
        if kind < 18:
            block = {"cidr": r.choice(["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.0.2.0/24"])}
            if r.randrange(2):
                block["except"] = [r.choice(["10.1.2.0/24", "10.1.3.7/32", "192.0.2.0/25"])]
            return {"ipBlock": block}
        return r.choice([{}, {"ipBlock": {"cidr": "10.0.0.0/33"}}, {"ipBlock": {"cidr": "10.0.0.1"}},
                         {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["x"]}}])

    def port(self):
        r, kind = self.r, self.r.randrange(16)
        p = {"protocol": r.choice(["TCP", "UDP", "SCTP"])} if r.randrange(3) else {}
        if kind < 6:
            p["port"] = r.choice([1, 80, 65535])
        elif kind < 9:
            p["port"] = r.choice(["http", "dns-tcp", "p1"])
        elif kind < 11:
            p.update(port=80, endPort=r.choice([80, 90]))
        elif kind == 15:
            p = r.choice([{"port": 0}, {"port": 65536}, {"port": -1}, {"port": 90, "endPort": 80}, {"endPort": 80}, {"port": "http", "endPort": 80},
                          {"port": 80, "protocol": "ICMP"}, {"port": "80"}, {"port": "Web"}, {"port": "a" * 16}, {"port": "a--b"}])
        return p

    def policy(self, name):
        r = self.r
        spec = {"podSelector": self.selector()}
        for side, peers in (("ingress", "from"), ("egress", "to")):
            if r.randrange(3):
                spec[side] = [{**({peers: [self.peer() for _ in range(r.randrange(3))]} if r.randrange(4) else {}),
                               **({"ports": [self.port() for _ in range(r.randrange(3))]} if r.randrange(2) else {})} for _ in range(r.randrange(3))]
        if r.randrange(2):
            spec["policyTypes"] = r.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Inward"] if r.randrange(4) == 0 else ["Ingress"]])
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def refusals(s):
    """What the server refuses makes --strict exit with 3, what it takes does not"""
    make, counts, wrong = Maker(SEED), {201: 0, 422: 0}, []
    s.post("/api/v1/namespaces", {"metadata": {"name": "shop"}})
    connection, headers = s.connect()
    for i in range(POLICIES):
        o = make.policy(f"p{i}")
        connection.request("POST", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies?dryRun=All", json.dumps(o),
                           {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        counts[answer.status] = counts.get(answer.status, 0) + 1
        got = holdfast("reach", "--strict", "-", objects=[o], status=None).returncode
        if got != (0 if answer.status == 201 else 3):
            wrong.append(f"{answer.status} {got} {json.dumps(o['spec'])}\n    {body[:300]}")
    connection.close()
    assert not wrong, f"{len(wrong)} of {POLICIES} differ:\n" + "\n".join(wrong[:6])
    assert counts[201] > 50 and counts[422] > 20, counts


def workload(name, namespace, port, peer):
    labels = {"app": name}
    container = {"name": "main", "image": f"registry.test/{name}:1", "ports": [{"name": "main", "containerPort": port}], "env": [{"name": "PEER", "value": peer}]}
    return [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
             "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
             "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "main"}]}}]


def proposals(s):
    """kubectl takes what kube netpol proposes, and the live cluster is then as its manifests say"""
    for n in ("front", "data"):
        s.post("/api/v1/namespaces", {"metadata": {"name": n}})
    objects = workload("web", "front", 8080, "http://api") + workload("api", "front", 9000, "db.data:80 https://pay.example.com/") + \
        workload("db", "data", 5432, "")
    objects.append({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "front"},
                    "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}})
    s.apply(*objects)
    policies = holdfast("netpol", "-", objects=objects).stdout
    s.kubectl("apply", "-f", "-", input=policies)
    assert len(s.get("/apis/networking.k8s.io/v1/networkpolicies")["items"]) == 3
    live = json.loads(holdfast("reach", "--format", "json", "--kubeconfig", s.kubeconfig(), "cluster:").stdout)
    made = s.folder / "manifests.json"
    made.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    proposed = s.folder / "policies.yaml"
    proposed.write_text(policies)
    files = json.loads(holdfast("reach", "--format", "json", made, proposed).stdout)
    saved = json.loads(subprocess.run([HOLDFAST, "kube", "reach", "--format", "json", "-"], capture_output=True, text=True, check=True, input=s.kubectl(
        "get", "deployments,services,ingresses,networkpolicies,namespaces", "-A", "-o", "yaml")).stdout)
    assert live == files == saved, f"{live}\n{files}\n{saved}"
    assert {"src": "{ingress-controller}", "dst": "front/web[Deployment]", "protocol": "TCP", "ports": [[8080, 8080]]} in files["connections"]
    assert sum(c["dst"].startswith("data/") for c in files["connections"]) == 1


if __name__ == "__main__":
    with server.Server() as running:
        failed = server.main([refusals, proposals], running)
    raise SystemExit(failed)
