#!/usr/bin/env python3
"""t_flows.py HOLDFAST ROOT: who talks to whom, recorded live. Three containers on a user bridge of a private Docker: front asks app, app asks db,
somebody outside asks front. The flows are these, and the rules of nftables that are made of them keep them and close the rest. TAP."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import docker

HOLDFAST = sys.argv[1]
SERVER = "while :; do nc -l -p {port} -e cat </dev/null; done"
ASKER = "while :; do echo ask | nc -w 2 {peer} {port}; sleep 1; done"
ROLES = {"db": (SERVER.format(port=5432), ()), "app": (SERVER.format(port=8080) + " & " + ASKER, ("db", 5432)),
         "front": ("httpd -p 80; " + ASKER, ("app", 8080))}


class Shop:
    def __init__(self, d, folder):
        self.d, self.folder, self.address, self.rules = d, folder, {}, None
        self.recorded = folder / "flows.json"

    def record(self):
        environment = {**os.environ, "DOCKER_HOST": self.d.host}
        child = subprocess.Popen([HOLDFAST, "runtime", "flows", "--format", "json", "-o", self.recorded], env=environment, stderr=subprocess.PIPE, text=True)
        trace = open(self.folder / "trace.jsonl", "w")
        watch = subprocess.Popen([HOLDFAST, "runtime", "watch", "--no-rules", "--format", "json", "--state", self.folder / "state"], env=environment, stdout=trace,
                                 stderr=subprocess.PIPE, text=True)
        for c in (child, watch):
            assert any("Ctrl-C ends it" in line for line in iter(c.stderr.readline, "")), c.wait()
        self.d("network", "create", "shop")
        for name, (command, peer) in ROLES.items():
            self.d.import_image("image-" + name)
            command = command.format(peer=self.address[peer[0]], port=peer[1]) if peer else command
            self.d("run", "-d", "--init", "--name", name, "--network", "shop", "image-" + name, "sh", "-c", command)
            self.address[name] = str(self.d("inspect", "-f", "{{.NetworkSettings.Networks.shop.IPAddress}}", name))
        assert self.from_host("front", 80)
        docker.wait_until(lambda: {("front", 8080), ("app", 5432)} <= set(self.connections()), what="connections of both")
        time.sleep(2)  # for the other one that watches
        for c in (child, watch):
            c.send_signal(signal.SIGINT)
            assert c.wait(docker.PATIENCE_S) == 0, c.stderr.read()

    def connections(self):
        """(container, port) of those that were recorded so far."""
        for line in (self.folder / "trace.jsonl").read_text().split("\n")[:-1]:
            event = json.loads(line)
            if event["kind"] == "connect":
                yield event["container"].get("name"), event["network"]["remote"]["port"]

    def from_host(self, name, port):
        return self.answers(["nsenter", "--net=/run/netns/" + self.d.name], self.address[name], port)

    def between(self, client, server, port, seconds=60):
        return self.answers(["nsenter", "-n", "-t", str(self.d.pid(client))], self.address[server], port, seconds)

    @staticmethod
    def answers(inside, address, port, seconds=60):
        """True where somebody takes the connection; False where there is silence for so many seconds, or for ever a refusal."""
        code = "import socket,sys\ns=socket.socket(); s.settimeout(int(sys.argv[3]))\ntry: s.connect((sys.argv[1], int(sys.argv[2])))\n" \
               "except ConnectionRefusedError: sys.exit(3)\nexcept OSError: sys.exit(4)"
        end = time.monotonic() + docker.PATIENCE_S
        while time.monotonic() < end:
            status = subprocess.run([*inside, sys.executable, "-c", code, address, str(port), str(seconds)]).returncode
            if status != 3:  # a server that begins anew for each connection is not there for a moment
                return status == 0
            time.sleep(0.1)
        return False

    def nft(self, text):
        done = subprocess.run(["nsenter", "--net=/run/netns/" + self.d.name, "nft", "-f", "-"], input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr


def flows_are_those(shop):
    """the flows are those that were made"""
    shop.record()
    report = json.loads(shop.recorded.read_text())

    def name(side):
        return " ".join(str(v) for v in side.values())

    got = {(c, s, f["port"]) for f in report["flows"] for c in ("front", "app", "db", None) for s in ("front", "app", "db", None)
           if (c is None or "image-" + c in name(f["client"]) or c in name(f["client"]).split()) and
           (s is None or "image-" + s in name(f["server"]) or s in name(f["server"]).split())}
    assert {("front", "app", 8080), ("app", "db", 5432), (None, "front", 80)} <= got, json.dumps(report["flows"])[:2500]
    assert not any(c and s and (c, s) not in (("front", "app"), ("app", "db")) for c, s, _ in got), json.dumps(report["flows"])[:2500]


def rules_keep_them(shop):
    """the rules that are made of them keep them and close the rest"""
    made = subprocess.run([HOLDFAST, "runtime", "flows", "--replay", shop.folder / "trace.jsonl", "--nftables"], capture_output=True, text=True, timeout=docker.PATIENCE_S)
    assert made.returncode == 0, made.stderr
    assert shop.between("front", "db", 5432) and shop.between("db", "app", 8080)
    shop.nft(made.stdout)
    assert shop.between("front", "app", 8080) and shop.between("app", "db", 5432), made.stdout
    assert not shop.between("front", "db", 5432, 3) and not shop.between("db", "app", 8080, 3), made.stdout


def main():
    docker.skip_unless("nft", network=True)
    with docker.Docker() as d, tempfile.TemporaryDirectory() as folder:
        failed = docker.main([flows_are_those, rules_keep_them], Shop(d, pathlib.Path(folder)))
    sys.exit(failed)


if __name__ == "__main__":
    main()
