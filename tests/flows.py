#!/usr/bin/env python3
"""flows.py HOLDFAST ROOT: traces to flows, findings and policies. TAP.

A case is tests/cases/flows/<case>/: trace.jsonl is what a sensor saw, expect.json says by hand what follows. The NetworkPolicies
are read back as YAML and judged by the evaluator below, written from Kubernetes' documents and sharing nothing with the program;
the rules of nftables are read by nft itself where it is installed (what they do to packets: tests/root/t_flows_nft.py)."""
import ipaddress
import itertools
import json
import pathlib
import shutil
import subprocess
import sys

try:
    import yaml
except ImportError:
    yaml = None

HOLDFAST, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
points = 0
failed = 0


def point(title, faults=(), skip=None):
    global points, failed
    points += 1
    failed += bool(faults)
    print(f"{'not ok' if faults else 'ok'} {points} - {title}{' # SKIP ' + skip if skip else ''}")
    for fault in faults:
        print(f"# {fault}")


def flows(*arguments, status=0):
    ran = subprocess.run([HOLDFAST, "runtime", "flows", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if ran.returncode != status:
        raise AssertionError(f"{arguments} gave {ran.returncode} instead of {status}: {ran.stderr}")
    return ran


def peer(p):
    if "workload" in p:
        return p["workload"]
    addresses = ", ".join(sorted(a["address"] for a in p["addresses"]))
    return f"{p['name']} ({addresses})" if "name" in p else addresses


def flow_text(f):
    return f"{peer(f['client'])} -> {peer(f['server'])} {f['protocol']}/{f['port']}"


# --- An evaluator of NetworkPolicies -------------------------------------------------------------------------------------------

def selects(selector, labels):
    return all(labels.get(k) == v for k, v in (selector.get("matchLabels") or {}).items()) and not selector.get("matchExpressions")


def peer_fits(policy, p, end):
    if "ipBlock" in p:
        if end["pod"]:
            return False
        address = ipaddress.ip_address(end["address"])
        return address in ipaddress.ip_network(p["ipBlock"]["cidr"]) and not any(
            address in ipaddress.ip_network(e) for e in p["ipBlock"].get("except", []))
    if not end["pod"]:
        return False
    if "namespaceSelector" in p:
        if not selects(p["namespaceSelector"], {"kubernetes.io/metadata.name": end["namespace"]}):
            return False
    elif policy["metadata"]["namespace"] != end["namespace"]:
        return False
    return "podSelector" not in p or selects(p["podSelector"], end["labels"])


def port_fits(p, protocol, port):
    return p.get("protocol", "TCP") == protocol.upper() and ("port" not in p or p["port"] <= port <= p.get("endPort", p["port"]))


def side_open(policies, side, key, me, other, protocol, port):
    mine = [p for p in policies if side in p["spec"]["policyTypes"] and me["pod"]
            and p["metadata"]["namespace"] == me["namespace"] and selects(p["spec"]["podSelector"], me["labels"])]
    rules = [(p, r) for p in mine for r in p["spec"].get(side.lower()) or []]
    return not mine or any(
        (not r.get(key) or any(peer_fits(p, x, other) for x in r[key]))
        and (not r.get("ports") or any(port_fits(x, protocol, port) for x in r["ports"])) for p, r in rules)


def allowed(policies, client, server, protocol, port):
    return side_open(policies, "Egress", "to", client, server, protocol, port) and \
        side_open(policies, "Ingress", "from", server, client, protocol, port)


# --- What the flows of the JSON report demand ------------------------------------------------------------------------------------

def ends_of(report, events):
    """pods with labels of their own, by name, and addresses outside"""
    labels = {e["container"]["pod"]["name"]: (e["container"]["pod"]["namespace"], e["container"]["labels"],
                                              "network" in e["container"].get("host_namespaces", []))
              for e in events if e["kind"] == "container_start"}
    for workload in report["workloads"]:
        for c in workload["containers"]:
            namespace, its, host = labels[c["name"]]
            if not host:
                yield {"pod": True, "name": c["name"], "workload": workload["id"], "namespace": namespace, "labels": its}
    seen = {a["address"] for f in report["flows"] for p in (f["client"], f["server"]) for a in p.get("addresses", [])}
    for address in sorted(seen | {"192.0.2.55", "10.222.0.5", "2001:db8:5::5"}):
        yield {"pod": False, "address": address}


def is_end(p, end, as_client):
    if end["pod"] or "workload" in p:
        return end["pod"] and p.get("workload") == end["workload"]
    mine = {a["address"] for a in p["addresses"]}
    public = as_client and any(not is_private(a) for a in mine)
    return end["address"] in mine or public


def is_private(address):
    blocks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"]
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(b) for b in blocks)


def demanded(report, client, server, protocol, port):
    return any(f["protocol"] == protocol and f["port"] == port and is_end(f["client"], client, True) and
               is_end(f["server"], server, False) for f in report["flows"])


def judge(policies, report, events):
    ends = list(ends_of(report, events))
    dns = {w["id"] for w in report["workloads"] if w["dns"]}
    used = {(f["protocol"], f["port"]) for f in report["flows"]}
    listening = {(p["protocol"], p["port"]) for w in report["workloads"] for p in w["listening"]}
    ports = used | listening | {("tcp", 53), ("tcp", 22), ("udp", 9), ("udp", 8080)}
    open_ones = closed = 0
    for client, server in itertools.permutations(ends, 2):
        if not client["pod"] and not server["pod"]:
            continue
        for protocol, port in sorted(ports):
            want = demanded(report, client, server, protocol, port)
            got = allowed(policies, client, server, protocol, port)
            if not want and port == 53 and client.get("workload") in dns and server.get("labels", {}).get("k8s-app") == "kube-dns":
                continue
            open_ones += got
            closed += not got
            if want != got:
                yield f"{client} -> {server} {protocol}/{port}: {'allowed' if got else 'denied'}"
    if not open_ones or not closed:
        yield f"{open_ones} open and {closed} closed: nothing was tried"


def netpol(case, trace, expect, report, events):
    if expect != "proved":
        ran = flows("--replay", trace, "--netpol", status=2)
        point(f"{case}: NetworkPolicies are refused with the reason", [] if expect in ran.stderr and not ran.stdout else [ran.stderr])
        return
    ran = flows("--replay", trace, "--netpol")
    if not yaml:
        point(f"{case}: NetworkPolicies", skip="no python3-yaml")
        return
    policies = list(yaml.safe_load_all(ran.stdout))
    point(f"{case}: NetworkPolicies keep what was used and close the rest", list(judge(policies, report, events)))
    pods = [e for e in ends_of(report, events) if e["pod"]]
    bare = [p for p in pods if not any(selects(x["spec"]["podSelector"], p["labels"]) and
                                       x["metadata"]["namespace"] == p["namespace"] for x in policies)]
    point(f"{case}: each pod is selected", bare)
    names = [(p["metadata"]["namespace"], p["metadata"]["name"]) for p in policies]
    point(f"{case}: no policy replaces another", [n for n in names if names.count(n) > 1])
    text = [k for p in policies for k in p["spec"]["podSelector"]["matchLabels"] if "hash" in k or "pod-name" in k]
    point(f"{case}: no selector that the next rollout breaks", text)


def nftables(case, trace, expect):
    if expect != "proved":
        ran = flows("--replay", trace, "--nftables", status=2)
        point(f"{case}: rules of nftables are refused with the reason", [] if expect in ran.stderr and not ran.stdout else [ran.stderr])
        return
    ran = flows("--replay", trace, "--nftables")
    nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not nft:
        point(f"{case}: nft takes the rules", skip="no nft")
        return
    for title, script in (("the rules", ran.stdout), ("the undo", flows("--nftables-undo").stdout)):
        checked = subprocess.run(["unshare", "-rn", nft, "-c", "-f", "-"], input=script, capture_output=True, text=True, timeout=300)
        refused = "unshare" in checked.stderr or "Operation not permitted" in checked.stderr
        point(f"{case}: nft takes {title}", [] if refused or not checked.returncode else [checked.stderr],
              skip="no network namespace may be made here" if refused else None)


def run_case(folder):
    case, trace = folder.name, folder / "trace.jsonl"
    expect = json.loads((folder / "expect.json").read_text())
    report = json.loads(flows("--replay", trace, "--format", "json").stdout)
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    got = sorted(map(flow_text, report["flows"]))
    point(f"{case}: flows", [f"{a} != {b}" for a, b in itertools.zip_longest(got, sorted(expect["flows"])) if a != b])
    got = sorted(f"{f['id']} {f['workload']} {f['port']}" for f in report["findings"])
    point(f"{case}: findings", [f"{a} != {b}" for a, b in itertools.zip_longest(got, sorted(expect["findings"])) if a != b])
    netpol(case, trace, expect["netpol"], report, events)
    nftables(case, trace, expect["nftables"])


def whole_program():
    trace = ROOT / "tests/cases/flows/three_tiers/trace.jsonl"
    flows("--replay", trace, "--fail-on", "front_end_reaches_database", status=1)
    flows("--replay", trace, "--fail-on", "high", status=1)
    flows("--replay", trace, "--fail-on", "critical", status=0)
    flows("--replay", trace, "--fail-on", "database_open_to_outside", status=0)
    flows("--replay", trace, "--fail-on", "hihg", status=2)
    flows("--replay", ROOT / "no such trace", status=2)
    flows("--for", "no time", status=2)
    point("gates and bad usage have their exit status")
    ran = subprocess.run([HOLDFAST, "runtime", "flows", "--replay", "-", "--format", "json"], capture_output=True, text=True,
                         input="not an event\n" + trace.read_text() + "{\"kind\":7}\n" + "x" * 5000000 + "\n", timeout=300)
    same = ran.stdout == flows("--replay", trace, "--format", "json").stdout
    point("lines that are no events are counted and passed over", [] if same and "3 lines" in ran.stderr else [ran.stderr[:500]])
    dot = flows("--replay", trace, "--format", "dot").stdout
    point("dot", [] if dot.startswith("digraph") and dot.count("->") == 6 else [dot])


for folder in sorted((ROOT / "tests/cases/flows").iterdir()):
    run_case(folder)
whole_program()
print(f"1..{points}")
sys.exit(failed > 0)
