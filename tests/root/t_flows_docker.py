#!/usr/bin/env python3
"""t_flows_docker.py HOLDFAST ROOT: the generated rules of nftables beside Docker's own. TAP.

Three containers on a user bridge of a private Docker, the first with two published ports, and a host outside. Rules are made from what
they used (written by hand, with the addresses that Docker gave), loaded, and packets are sent from inside of the containers' networks: also
to published ports, from outside and from a container."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

import docker
import t_flows_nft as network

HERE = pathlib.Path(__file__).resolve().parent
OUTSIDE, ROUTER = "10.98.0.2", "10.98.0.1"
# name -> client, server or published port's host, port there, server's own port
USED = {
    "from outside to the published port": ("outside", ROUTER, 18080),
    "front to app": ("front", "app", 8080),
    "app to db": ("app", "db", 5432),
    "app to outside": ("app", OUTSIDE, 22),
}
UNUSED = {
    "from outside to the other published port": ("outside", ROUTER, 18022),
    "front to db": ("front", "db", 5432),
    "front to app's other port": ("front", "app", 22),
    "db to front": ("db", "front", 80),
    "db to outside": ("db", OUTSIDE, 22),
    "db to the published port, over the host's address": ("db", ROUTER, 18080),
}


def nft():
    return shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")


class Shop:
    def __init__(self, d):
        self.d = d
        self.helpers = {}
        d.import_image("box")
        d("network", "create", "shop")
        self.address = {}
        for name in ("front", "app", "db"):
            published = ["-p", "18080:80", "-p", "18022:22"] if name == "front" else []
            d("run", "-d", "--init", "--name", name, "--network", "shop", *published, "box", "sleep", "3600")
            self.address[name] = str(d("inspect", "-f", "{{.NetworkSettings.Networks.shop.IPAddress}}", name))
            self.helpers[name] = self.helper("nsenter", "-n", "-t", str(d.pid(name)))
        self.helpers["outside"] = self.helper("unshare", "-n")
        self.ip("link", "add", "outside", "type", "veth", "peer", "name", "eth0", "netns", str(self.helpers["outside"].pid))
        self.ip("address", "add", ROUTER + "/24", "dev", "outside")
        self.ip("link", "set", "outside", "up")
        for command in (["address", "add", OUTSIDE + "/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["route", "add", "default", "via", ROUTER]):
            subprocess.run(["nsenter", "-n", "-t", str(self.helpers["outside"].pid), "ip", *command], check=True)

    @staticmethod
    def helper(*prefix):
        child = subprocess.Popen([*prefix, sys.executable, str(HERE / "t_flows_nft.py"), "--host"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        return child

    def inside(self, *command, data=None):
        """in the network namespace of dockerd"""
        return subprocess.run(["nsenter", "--net=/run/netns/" + self.d.name, *command], input=data, text=True, capture_output=True, timeout=300)

    def ip(self, *command):
        done = self.inside("ip", *command)
        assert done.returncode == 0, done.stderr

    def attempt(self, what, seconds):
        client, server, port = what
        child = self.helpers[client]
        child.stdin.write(json.dumps([[self.address.get(server, server), "tcp", port, seconds]]) + "\n")
        child.stdin.flush()
        return json.loads(child.stdout.readline())[0]

    def trace(self):
        for name, address in self.address.items():
            yield {"kind": "container_start", "container": self.container(name) | {"address": address}}
        yield self.event("accept", "front", 80, OUTSIDE, 40000)
        yield self.event("connect", "front", 40000, self.address["app"], 8080)
        yield self.event("connect", "app", 40000, self.address["db"], 5432)
        yield self.event("connect", "app", 40000, OUTSIDE, 22)

    def container(self, name):
        return {"id": self.d.container_id(name), "name": name, "image": {"name": "box"}, "identity": "bound"}

    def event(self, kind, name, local, remote, port):
        return {"kind": kind, "container": self.container(name),
                "network": {"protocol": "tcp", "local": {"address": self.address[name], "port": local}, "remote": {"address": remote, "port": port}}}

    def close(self):
        for child in self.helpers.values():
            child.kill()
            child.wait()


def try_all(shop, what, want):
    got = {}

    def run(client):
        for name, w in what.items():
            if w[0] == client:
                got[name] = shop.attempt(w, 20 if want else 1.5)

    threads = [threading.Thread(target=run, args=(c,)) for c in shop.helpers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return [f"{name}: {'answered' if answered else 'no answer'}" for name, answered in sorted(got.items()) if answered != want] + \
        [f"{name}: not tried" for name in what if name not in got]


def run(shop, folder):
    trace = pathlib.Path(folder) / "trace.jsonl"
    trace.write_text("".join(json.dumps(e) + "\n" for e in shop.trace()))
    made = subprocess.run([sys.argv[1], "runtime", "flows", "--replay", trace, "--nftables"], capture_output=True, text=True, timeout=300)
    network.point("rules are made and proved", [made.stderr] if made.returncode else [])
    network.point("before the rules all answer", try_all(shop, {**USED, **UNUSED}, True))
    docker_rules = shop.inside("iptables-save").stdout
    loaded = shop.inside(nft(), "-f", "-", data=made.stdout)
    network.point("nft loads them beside Docker's", [loaded.stderr] if loaded.returncode else [])
    network.point("used flows pass", try_all(shop, USED, True))
    network.point("others do not", try_all(shop, UNUSED, False))
    undo = subprocess.run([sys.argv[1], "runtime", "flows", "--nftables-undo"], capture_output=True, text=True, timeout=300).stdout
    shop.inside(nft(), "-f", "-", data=undo)
    network.point("after the undo all answer again", try_all(shop, {**USED, **UNUSED}, True))

    def rules(text):
        return [line.split("] ")[-1] for line in text.splitlines() if line.startswith(("-A", "["))]

    network.point("Docker's own rules were not touched",
                  [] if rules(docker_rules) and rules(docker_rules) == rules(shop.inside("iptables-save").stdout) else ["they changed"])


def main():
    docker.skip_unless("nft", "iptables-save", network=True)
    with docker.Docker() as d, tempfile.TemporaryDirectory() as folder:
        shop = Shop(d)
        try:
            run(shop, folder)
        finally:
            shop.close()
    print(f"1..{network.points}")
    sys.exit(network.failed > 0)


if __name__ == "__main__":
    main()
