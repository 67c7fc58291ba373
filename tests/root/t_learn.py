#!/usr/bin/env python3
"""t_learn.py HOLDFAST ROOT: the whole loop on a real container, live. A workload is learned; its profile is shown and explained; held
against it the same workload is silent, and a new program, port and peer alert; `why` names the gap and an exception, and that hides it. TAP."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import docker

HOLDFAST = sys.argv[1]
# Begins when it is told to, and writes a line in each round.
WORK = "until [ -e /tmp/go ]; do sleep 0.2; done; while :; do timeout 1 httpd -f -p 8000; cat /etc/passwd >/dev/null; echo x >>/tmp/log; echo ask | nc -w 1 PEER 7000; sleep 1; done"
SERVE = "while :; do nc -l -p 7000 -e cat </dev/null; done & while :; do nc -l -p 7001 -e cat </dev/null; done"


class Watch:
    """A command that watches live: begun when it says so, ended by its own time or by Ctrl-C."""

    def __init__(self, d, *command):
        self.child = subprocess.Popen([HOLDFAST, "runtime", *map(str, command)], env={**os.environ, "DOCKER_HOST": d.host}, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.child.stderr.readline()
        while line and "Ctrl-C ends it" not in line:
            line = self.child.stderr.readline()
        assert line, f"it ended: {self.child.wait()}"

    def end(self):
        self.child.send_signal(2)
        out, err = self.child.communicate(timeout=300)
        assert self.child.returncode == 0, (self.child.returncode, err)
        return out, err


class Loop:
    def __init__(self, d, folder):
        self.d, self.folder = d, folder
        self.profiles, self.record = folder / "profiles", folder / "record"
        d.import_image("shop", {"usr/bin/tool": "#!/bin/sh\nexec /bin/busybox true\n"})
        d.import_image("server")
        d("run", "-d", "--init", "--name", "server", "server", "sh", "-c", SERVE)
        self.peer = str(d("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server"))

    def workload(self, name):
        self.d("run", "-d", "--init", "--name", name, "shop", "sh", "-c", WORK.replace("PEER", self.peer))

    def inside(self, name, path):
        return pathlib.Path(f"/proc/{self.d.pid(name)}/root{path}")

    def goes(self, name):
        """Tells it to begin, when it is known to whoever watches."""
        self.seen(name)
        self.inside(name, "/tmp/go").touch()

    def seen(self, name):
        """Until its image is known, and a program ran after that: from then on its profile is the kernel's."""
        docker.wait_until(lambda: len([e for e in self.events() if e["kind"] == "exec" and e["container"].get("name") == name and
                                       e["container"].get("image", {}).get("digest")]) > 1, what=name)

    def rounds(self, n, *names):
        """Until each has gone round that often."""
        log = lambda name: self.inside(name, "/tmp/log")
        docker.wait_until(lambda: all(log(name).exists() and log(name).read_text().count("x") >= n for name in names), what=f"{n} rounds of {names}")

    def holdfast(self, *command, status=0):
        done = subprocess.run([HOLDFAST, "runtime", *map(str, command)], capture_output=True, text=True, timeout=300)
        assert done.returncode == status, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def profile(self):
        found = [p for p in self.profiles.glob("*/*.yaml") if "image_name: shop" in p.read_text()]
        assert len(found) == 1, list(self.profiles.glob("*/*"))
        return found[0]

    def events(self):
        files = [self.record.with_name(self.record.name + s) for s in (".3", ".2", ".1", "")]
        return [json.loads(line) for f in files if f.exists() for line in f.read_text(errors="replace").splitlines()]

    def alerts(self, *more):
        return [e for e in self.events() if e["kind"] == "alert" and e["alert"]["rule"].startswith("profile.") and e["container"].get("name") == "second"]

    def watch(self, act, *more):
        for f in self.folder.glob("record*"):
            f.unlink()
        w = Watch(self.d, "watch", "--profiles", self.profiles, "--all-alerts", "--format", "json", "--record", self.record, "--state", self.folder / "state", *more)
        act()
        return w.end()


def is_learned(loop):
    """runtime learn makes a profile of the workload as it runs"""
    w = Watch(loop.d, "learn", "-o", loop.profiles, "--covers", "executables,scripts,listen,peers")
    loop.workload("first")
    time.sleep(2)
    loop.inside("first", "/tmp/go").touch()
    loop.rounds(4, "first")
    out, err = w.end()
    loop.d("rm", "-f", "first")
    text = loop.profile().read_text()
    assert "/bin/busybox" in text and f"tcp/7000" in text and "/usr/bin/tool" not in text, (text, out, err)
    assert "replicas: 1\n" in text and not re.search(r"replicas: (?!1$)", text, re.M), text


def is_shown(loop):
    """profile show and explain name what it holds and why"""
    shown = loop.holdfast("profile", "show", loop.profile())
    assert "/bin/busybox" in shown and "tcp/7000" in shown, shown
    path = loop.profile()
    path.write_text(path.read_text().replace("mode: learn", "mode: observe"))


def account(loop):
    """kind -> the sums of its rows, for the containers of the image; each row adds up"""
    sums = {}
    for e in loop.events():
        if e["kind"] == "loss":
            row = e["loss"]
            assert row["seen"] == row["known"] + row["delivered"] + row["dropped"], row
            if e.get("container", {}).get("name") in ("second", "third"):
                sums.setdefault(row["kind"], []).append(row)
    return sums


def same_is_silent(loop):
    """the same workload is silent, and what is known is counted in the kernel for all replicas"""
    def act():
        for name in ("second", "third"):
            loop.workload(name)
            loop.goes(name)
        loop.rounds(3, "second", "third")
    loop.watch(act)
    execs = [e for e in loop.events() if e["kind"] == "exec" and e["container"].get("name") == "second"]
    assert len(execs) > 3, len(execs)
    listens = [e for e in loop.events() if e["kind"] == "listen" and e["container"].get("name") in ("second", "third")]
    rows = account(loop)["listen"]
    assert not listens and len(rows) == 2 and all(r["known"] == r["seen"] >= 1 for r in rows), (rows, listens)
    assert not loop.alerts(), [(a["alert"], a["process"].get("arguments")) for a in loop.alerts()]


def attack(loop):
    loop.seen("second")
    loop.d("exec", "second", "/usr/bin/tool", status=None)
    loop.d("exec", "second", "sh", "-c", "timeout 3 nc -l -p 9999 </dev/null; true", status=None)
    loop.d("exec", "second", "sh", "-c", f"echo | timeout 20 nc -w 10 {loop.peer} 7001; true", status=None)


def new_alerts(loop):
    """a new script, port and peer alert"""
    loop.watch(lambda: attack(loop))
    assert account(loop)["listen"][0]["delivered"] >= 1
    got = {(a["alert"]["rule"], a["alert"]["reason"].split()[-1]) for a in loop.alerts()}
    for rule, end in (("profile.script", "/usr/bin/tool"), ("profile.listen", "tcp/9999")):
        assert (rule, end) in got, (rule, got)
    assert any(r == "profile.peer" and "does not have tcp/7001" in a["alert"]["reason"] for a in loop.alerts() for r in [a["alert"]["rule"]]), got


def why_and_exception(loop):
    """why names the gap and an exception, which hides it and is counted"""
    alert = next(a for a in loop.alerts() if a["alert"]["rule"] == "profile.listen")
    why = loop.holdfast("why", alert["id"], "--trace", loop.record)
    assert "the profile does not have tcp/9999" in why and "rules: [profile.listen]" in why, why
    lines = why.split("this exception hides it:\n")[1].split("\nalert ")[0].splitlines()
    text = "exceptions:\n" + "\n".join(line[4:] for line in lines if line.startswith("    ")) + "\n"
    text = re.sub(r'(?m)^(\s+owner:).*', r'\1 test', text)
    text = re.sub(r'(?m)^(\s+why:).*', r'\1 it is wanted', text)
    text = re.sub(r'(?m)^(\s+expires:).*', r'\1 "2099-12-31"', text)
    exceptions = loop.folder / "exceptions.yaml"
    exceptions.write_text(text)
    out, err = loop.watch(lambda: attack(loop), "--exceptions", exceptions)
    left = {a["alert"]["rule"] for a in loop.alerts()}
    assert "profile.listen" not in left and {"profile.script", "profile.peer"} <= left, (left, text, err)


def main():
    docker.skip_unless(network=True)
    with docker.Docker() as d, tempfile.TemporaryDirectory() as folder:
        failed = docker.main([is_learned, is_shown, same_is_silent, new_alerts, why_and_exception], Loop(d, pathlib.Path(folder)))
    sys.exit(failed)


if __name__ == "__main__":
    main()
