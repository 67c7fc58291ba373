"""A container that nobody has seen before, judged by its image from its first second: `watch --seed` and `learn --seed`. A server that is made to
run a program which is in the image, but which nothing in the image names, alerts; its benign twin does not."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import docker
import watch
from watch import get

docker.skip_unless("cc", network=False, image_of=("bash", "coreutils"))
watch.skip_unless()

SERVER = r"""
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* Runs the program that its order names, as one does that was broken into. */
int main(void)
{
	char order[256] = "";
	for (;;) {
		FILE *f = fopen("/orders/order", "r");
		if (f && fgets(order, sizeof order, f)) {
			char *argv[] = { strtok(order, " \n"), strtok(NULL, " \n"), NULL };
			remove("/orders/order");
			if (!fork())
				_exit(execv(argv[0], argv));
			wait(NULL);
		}
		if (f)
			fclose(f);
		usleep(50000);
	}
}
"""
ENTRY = b"#!/bin/bash\nset -e\nstat /etc/passwd >/dev/null\ndate >/dev/null\nexec /opt/server\n"


def compiled():
    with tempfile.TemporaryDirectory() as folder:
        source, binary = os.path.join(folder, "server.c"), os.path.join(folder, "server")
        pathlib.Path(source).write_text(SERVER)
        if subprocess.run(["cc", "-O1", "-static", "-w", "-o", binary, source], capture_output=True).returncode:
            return None
        return pathlib.Path(binary).read_bytes()


def start(d, name, *command):
    orders = d.folder / "orders" / name
    orders.mkdir(parents=True)
    d("run", "-d", "--name", name, "-v", f"{orders}:/orders", "web", *command)
    return orders


def tell(orders, text):
    (orders / "new").write_text(text)
    (orders / "new").rename(orders / "order")


def alerts(w, name):
    return [r for r in w.all("alert", container__name=name) if get(r, "alert.rule") == "profile.executable"]


def ran(w, name, path):
    return docker.wait_until(lambda: [r for r in w.all("exec", container__name=name) if get(r, "process.executable.path") == path], what=f"{path} in {name}")


def seeds(w):
    done = subprocess.run([watch.HOLDFAST, "runtime", "status", "--state", w.state.name, "--format", "json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout).get("seeds", [])


def until(act, condition, what):
    """Acts, and again where nothing came of it: an engine that is busy does not say in time what a container runs, and then what it did is not judged."""
    for _ in range(12):
        act()
        try:
            return docker.wait_until(condition, 10, what)
        except AssertionError:
            pass
    raise AssertionError(what + " did not come")


def first_seconds(d, w):
    """in its first seconds a program that nothing in the image names alerts; what the image runs by itself does not"""
    attacked, benign = start(d, "attacked"), start(d, "benign")
    tell(benign, "/usr/bin/date")
    alert = until(lambda: tell(attacked, "/usr/bin/od /etc/shadow"), lambda: alerts(w, "attacked"), "the alert")[0]
    for name in "attacked", "benign":
        ran(w, name, "/opt/server")
    ran(w, "benign", "/usr/bin/date")
    events = ran(w, "attacked", "/usr/bin/od")
    assert get(alert, "process.executable.path") == "/usr/bin/od", alert
    assert get(alert, "alert.event") in [get(e, "id") for e in events] and get(alert, "container.image.name") == "web", alert


def shared(d, w):
    """replicas share one seed, another command of the image has its own; status shows them"""
    start(d, "other", "/usr/bin/sleep", "1000")
    ran(w, "other", "/usr/bin/sleep")
    rows = until(lambda: d("exec", "other", "/usr/bin/sleep", "0"), lambda: len(s := seeds(w)) == 2 and all(r["state"] == "seeded" for r in s) and s,
                 "both seeds")
    assert [(r["image"], r["command"], r["message"]) for r in rows] == [("web", "/opt/run", ""), ("web", "/usr/bin/sleep 1000", "")], rows
    assert rows[0]["programs"] == 5, rows  # the script, bash, stat, date, the server
    told = [get(r, "health.message") for r in w.all("health", health__part="seed")]
    assert len([t for t in told if t.startswith("web (/opt/run) is judged by its image: 5 ")]) == 1, told


def entered(d, w):
    """what an image has, but another one of its commands does not run, alerts there"""
    d("exec", "other", "/usr/bin/date")
    docker.wait_until(lambda: alerts(w, "other"), what="the alert")
    d("exec", "benign", "/usr/bin/date")
    docker.wait_until(lambda: len(ran(w, "benign", "/usr/bin/date")) == 3, what="the third run")


def unbound(d, w):
    """an image whose programs are only known when they run is not judged by them, and status says why"""
    start(d, "unbound", "bash", "-c", 'eval "$1"; sleep 1000', "x", "/usr/bin/od /etc/passwd")
    ran(w, "unbound", "/usr/bin/od")
    row = until(lambda: d("exec", "unbound", "/usr/bin/sleep", "0"),
                lambda: [r for r in seeds(w) if r["state"] == "seeded" and r["command"].startswith("bash -c")], "the seed")[0]
    assert "only known when it runs" in row["message"] or "known only when they run" in row["message"], row


def failed_one(d, w):
    """a seed that cannot be made says why"""
    start(d, "long", "/usr/bin/sleep", *["1000"] * 70)
    row = until(lambda: d("exec", "long", "/usr/bin/sleep", "0"), lambda: [r for r in seeds(w) if r["state"] == "failed"], "the failure")[0]
    assert row["message"] == "its command is too long", row


def silent(d, w):
    """nothing that an image runs by itself has alerted"""
    w.end()
    for name in "benign", "unbound", "long":
        assert not alerts(w, name), alerts(w, name)
    assert len(alerts(w, "attacked")) == len(alerts(w, "other")) == 1, alerts(w, "attacked") + alerts(w, "other")
    assert w.child.returncode == 0, w.errors


def by_hand(d, w):
    """runtime seed makes the same of the container, of the engine's image and of its archive"""
    environment = {**os.environ, "DOCKER_HOST": d.host}
    archive = d.folder / "web.tar"
    d("save", "-o", archive, "web")
    texts = [subprocess.run([watch.HOLDFAST, "runtime", "seed", target], capture_output=True, text=True, env=environment, check=True).stdout
             for target in ("container:benign", "docker:web", f"archive:{archive}")]
    archive.unlink()
    assert texts[0] == texts[1] and "/opt/server" in texts[0], texts[:2]
    assert texts[2] == texts[0].replace("  image_name: web\n", ""), texts[2][:500]
    missing = subprocess.run([watch.HOLDFAST, "runtime", "seed", "docker:nowhere"], capture_output=True, text=True, env=environment)
    assert missing.returncode == 2 and "no such image" in missing.stderr, missing.stderr


def learn(d, rounds):
    """What was said, and the profiles: of a container that is attacked in its first two rounds alone, since the first may come before the
    engine said what it runs"""
    d("rm", "-f", *d("ps", "-aq").split())
    shutil.rmtree(d.folder / "orders")
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen([watch.HOLDFAST, "runtime", "learn", "--seed", "-o", folder, "--docker-socket", d.socket],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=docker.die_with_parent)
        line = child.stderr.readline()
        while line and "Ctrl-C ends it" not in line:
            line = child.stderr.readline()
        orders = start(d, "learned")
        docker.wait_until(lambda: "server" in d("top", "learned"), what="the server")
        for round in range(rounds):
            for order in (["/usr/bin/od /etc/shadow"] if round < 2 else []) + ["/usr/bin/stat /etc/passwd"]:
                tell(orders, order)
                docker.wait_until(lambda: not (orders / "order").exists(), what="the end of the order")
            time.sleep(4)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=300)
        assert child.returncode == 0, (out, err)
        return out + err, [p.read_text() for p in pathlib.Path(folder).glob("*/*.yaml")]


def learned(d, w):
    """what is learned with seeds holds them, with their reasons, and nothing of the attack"""
    for rounds in 7, 14, 28:  # nothing is learned of a time in which a busy machine lost events
        said, texts = learn(d, rounds)
        assert "with alerts" in said, said
        assert all("/usr/bin/od" not in t for t in texts), texts
        if texts:
            break
    assert [t for t in texts if "/opt/run: line of the script" in t or "entrypoint" in t], (said, texts)


binary = compiled()
if not binary:
    print("1..0 # SKIP no static C compiler")
    sys.exit(0)
with docker.Docker(network=False) as engine:
    engine.import_image("web", {"opt/run": (ENTRY, 0o755), "opt/server": (binary, 0o755), "etc/shadow": b"root:*:1::::::\n"},
                        packages=("bash", "coreutils"), changes=['CMD ["/opt/run"]'], busybox=False)
    with watch.Watch(engine, "--seed", "--all-alerts") as watching:
        failed = docker.main([first_seconds, shared, entered, unbound, failed_one, silent, by_hand, learned], engine, watching)
sys.exit(failed)
