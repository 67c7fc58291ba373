#!/usr/bin/env python3
"""t_flows_nft.py HOLDFAST ROOT: the rules that `runtime flows --nftables` writes are loaded into a network of the test's own, and packets
are sent: used flows pass, others do not. TAP.

A network namespace is the router: a bridge with three hosts on it (front, app, db) and a fourth host behind another interface
(outside). Tried with br_netfilter on (both tables see what is bridged) and off (the bridge's table alone). What passes is waited for;
what does not pass is tried with three packets, and everything passes before the rules are there and after they are gone."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

PORTS = [("tcp", 80), ("tcp", 8080), ("tcp", 5432), ("tcp", 22), ("udp", 5353), ("udp", 9)]
HOSTS = {  # name: addresses
    "front": ("172.30.0.2", "fd00:30::2"), "app": ("172.30.0.3", "fd00:30::3"), "db": ("172.30.0.4", "fd00:30::4"),
    "outside": ("10.99.0.2", "fd00:99::2"),
}
SERVERS = {**HOSTS, "router": ("172.30.0.1", "fd00:30::1")}
USED = {  # client, server, protocol, port, family
    ("outside", "front", "tcp", 80, 4), ("front", "app", "tcp", 8080, 4), ("front", "app", "tcp", 8080, 6), ("app", "db", "tcp", 5432, 4),
    ("app", "front", "udp", 5353, 4), ("db", "outside", "udp", 9, 4), ("app", "outside", "tcp", 22, 4),
}
points = 0
failed = 0


def point(title, faults=()):
    global points, failed
    points += 1
    failed += bool(faults)
    print(f"{'not ok' if faults else 'ok'} {points} - {title}", flush=True)
    for fault in list(faults)[:20]:
        print(f"# {fault}")


def stop(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


# --- A host: a process in a network namespace of its own, which serves every port and tries what it is told --------------------------

def serve(kind, port):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    if kind == "udp":
        while True:
            data, peer = s.recvfrom(100)
            s.sendto(data, peer)
    s.listen(64)
    while True:
        connection, _ = s.accept()
        threading.Thread(target=lambda c=connection: (c.sendall(c.recv(100)), c.close()), daemon=True).start()


def attempt(address, kind, port, seconds):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(seconds)
        try:
            s.connect((address, port))
            for _ in range(3 if kind == "udp" else 1):
                s.send(b"hello")
            return s.recv(100) == b"hello"
        except OSError:
            return False


def host():
    """commands as JSON lines: lists of [address, kind, port, seconds]; answers: lists of booleans"""
    for kind, port in PORTS:
        threading.Thread(target=serve, args=(kind, port), daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        tries = json.loads(line)
        results = [False] * len(tries)

        def one(i):
            results[i] = attempt(*tries[i])

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(tries))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        print(json.dumps(results), flush=True)


# --- The network ---------------------------------------------------------------------------------------------------------------------

class Network:
    def __init__(self):
        self.router = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.wait_for_namespace(self.router.pid)
        self.hosts = {}
        self.services = subprocess.Popen(["nsenter", "-n", "-t", str(self.router.pid), sys.executable, __file__, "--host"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.services.stdout.readline() == "ready\n"
        self.run("ip", "link", "add", "br0", "type", "bridge")
        for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.accept_dad=0",
                        "net.ipv6.conf.br0.accept_dad=0"):
            self.sysctl(setting)
        for name in HOSTS:
            self.add(name)
        self.run("ip", "address", "add", "172.30.0.1/24", "dev", "br0")
        self.run("ip", "-6", "address", "add", "fd00:30::1/64", "dev", "br0", "nodad")
        self.run("ip", "address", "add", "10.99.0.1/24", "dev", "h-outside")
        self.run("ip", "-6", "address", "add", "fd00:99::1/64", "dev", "h-outside", "nodad")
        for link in ("lo", "br0"):
            self.run("ip", "link", "set", link, "up")

    @staticmethod
    def wait_for_namespace(pid):
        mine = os.readlink("/proc/self/ns/net")
        for _ in range(1000):
            if os.readlink(f"/proc/{pid}/ns/net") != mine:
                return
            threading.Event().wait(0.01)
        raise AssertionError("no namespace")

    def run(self, *command, pid=None, data=None, check=True):
        return subprocess.run(["nsenter", "-n", "-t", str(pid or self.router.pid), *command], input=data, check=check,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)

    def sysctl(self, setting):
        key, value = setting.split("=")
        path = "/proc/sys/" + "/".join(key.split("."))
        return self.run("sh", "-c", f"[ ! -e {path} ] || echo {value} > {path}", check=False).returncode == 0

    def add(self, name):
        child = subprocess.Popen(["unshare", "-n", sys.executable, __file__, "--host"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        self.hosts[name] = child
        assert child.stdout.readline() == "ready\n"
        four, six = HOSTS[name]
        self.run("ip", "link", "add", f"h-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(child.pid))
        if name != "outside":
            self.run("ip", "link", "set", f"h-{name}", "master", "br0")
        self.run("ip", "link", "set", f"h-{name}", "up")
        gateways = ("10.99.0.1", "fd00:99::1") if name == "outside" else ("172.30.0.1", "fd00:30::1")
        for command in (("link", "set", "lo", "up"), ("address", "add", four + "/24", "dev", "eth0"),
                        ("-6", "address", "add", six + "/64", "dev", "eth0", "nodad"), ("link", "set", "eth0", "up"),
                        ("route", "add", "default", "via", gateways[0]), ("-6", "route", "add", "default", "via", gateways[1])):
            self.run("ip", *command, pid=child.pid)

    def matrix(self, seconds_of):
        """(client, server, kind, port, family) -> did it answer"""
        asked = {}
        for client, child in self.hosts.items():
            asked[client] = [(client, server, kind, port, family) for server in SERVERS if server != client
                             for kind, port in PORTS for family in (4, 6)
                             # A host with several addresses answers datagrams from whichever it likes.
                             if server != "router" or kind == "tcp"]
            child.stdin.write(json.dumps([[SERVERS[k[1]][k[4] == 6], k[2], k[3], seconds_of(k)] for k in asked[client]]) + "\n")
            child.stdin.flush()
        results = {}
        for client, child in self.hosts.items():
            results.update(zip(asked[client], json.loads(child.stdout.readline())))
        return results

    def close(self):
        for child in [*self.hosts.values(), self.services, self.router]:
            child.send_signal(signal.SIGKILL)
            child.wait()


# --- The trace, from which the rules are made ------------------------------------------------------------------------------------------

def trace():
    for name in ("front", "app", "db"):
        yield {"kind": "container_start", "container": {"id": name, "name": name, "address": HOSTS[name][0], "identity": "bound"}}
        yield {"kind": "listen", "container": {"id": name, "name": name, "identity": "bound"},
               "network": {"protocol": "tcp", "local": {"address": HOSTS[name][1], "port": 22}}}
    for client, server, kind, port, family in sorted(USED):
        mine, its = HOSTS[client][family == 6], HOSTS[server][family == 6]
        if client != "outside":
            yield {"kind": "connect" if kind == "tcp" else "send", "container": {"id": client, "name": client, "identity": "bound"},
                   "network": {"protocol": kind, "local": {"address": mine, "port": 40000}, "remote": {"address": its, "port": port}}}
        else:
            yield {"kind": "accept", "container": {"id": server, "name": server, "identity": "bound"},
                   "network": {"protocol": kind, "local": {"address": its, "port": port}, "remote": {"address": mine, "port": 40000}}}


def judge(results, want):
    for key, answered in sorted(results.items()):
        if answered != want(key):
            yield f"{key}: {'answered' if answered else 'no answer'}"


def is_open(key):
    client, server, kind, port, family = key
    if server == "router":
        return client == "outside"  # the host itself: closed to the containers alone
    # The same workload serves both families where either was seen: rules are made a workload, not an address.
    return (client, server, kind, port, family) in USED or (client, server, kind, port, 4 if family == 6 else 6) in USED and \
        "outside" not in (client, server)


def main():
    nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if os.geteuid() != 0:
        stop("needs root")
    for tool in ("unshare", "nsenter", "ip"):
        if not shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin"):
            stop(f"no {tool}")
    if not nft:
        stop("no nft")
    if subprocess.run(["unshare", "-n", nft, "add", "table", "bridge", "x"], capture_output=True).returncode:
        stop("no network namespace with nftables may be made here")
    with tempfile.TemporaryDirectory() as folder:
        recorded = pathlib.Path(folder) / "trace.jsonl"
        recorded.write_text("".join(json.dumps({"schema": "holdfast/event/1", **e}) + "\n" for e in trace()))
        made = subprocess.run([sys.argv[1], "runtime", "flows", "--replay", recorded, "--nftables"], capture_output=True, text=True, timeout=300)
        point("rules are made and proved", [made.stderr] if made.returncode else [])
        undo = subprocess.run([sys.argv[1], "runtime", "flows", "--nftables-undo"], capture_output=True, text=True, timeout=300).stdout
    network = Network()
    try:
        point("before the rules everything answers", list(judge(network.matrix(lambda k: 20), lambda k: True)))
        for br_netfilter in (1, 0):
            for key in ("iptables", "ip6tables"):
                network.sysctl(f"net.bridge.bridge-nf-call-{key}={br_netfilter}")
            loaded = network.run(nft, "-f", "-", data=made.stdout, check=False)
            point("nft loads them" + ("" if br_netfilter else " over those that are there"), [loaded.stdout] if loaded.returncode else [])
            results = network.matrix(lambda k: 20 if is_open(k) else 1.5)
            how = "with" if br_netfilter else "without"
            point(f"{how} br_netfilter: used flows pass", list(judge({k: v for k, v in results.items() if is_open(k)}, lambda k: True)))
            point(f"{how} br_netfilter: the rest does not", list(judge({k: v for k, v in results.items() if not is_open(k)}, lambda k: False)))
        rules = network.run(nft, "list", "ruleset").stdout
        dropped = [line for line in rules.splitlines() if "counter packets" in line and "drop" in line and "packets 0 " not in line]
        point("what was dropped is counted", [] if dropped else [rules])
        for _ in range(2):
            network.run(nft, "-f", "-", data=undo)
        left = network.run(nft, "list", "ruleset").stdout
        point("the undo leaves nothing, twice", [left] if left.strip() else [])
        point("then everything answers again", list(judge(network.matrix(lambda k: 20), lambda k: True)))
    finally:
        network.close()
    print(f"1..{points}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    if "--host" in sys.argv:
        host()
    else:
        main()
