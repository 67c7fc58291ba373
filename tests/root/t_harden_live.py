"""t_harden_live.py HOLDFAST ROOT: workloads are watched live with --deep from their start, with a docker exec into them, and hardened by
what was seen: under the seccomp profile and the other options they must start and answer."""
import os
import pathlib
import subprocess
import tempfile

import docker
import watch

PYTHON = next((p for p in ("python3.13", "python3.12", "python3.11") if docker.package_files(p + "-minimal")), None)
PACKAGES = (PYTHON + "-minimal", f"lib{PYTHON}-minimal", f"lib{PYTHON}-stdlib") if PYTHON else ()


def answers(d, name, port):
    """Whether it serves its page; else why not."""
    def asked():
        if d("inspect", "-f", "{{.State.Running}}", name) != "true":
            return "ended: " + d("logs", name, status=None).err + d("inspect", "-f", "{{.State.ExitCode}} {{.State.Error}}", name)
        got = subprocess.run(["nsenter", "-t", str(d.pid(name)), "-n", "busybox", "wget", "-q", "-O", "-", f"http://127.0.0.1:{port}/page"],
                             capture_output=True, text=True, timeout=docker.PATIENCE_S)
        return got.returncode == 0 and got.stdout
    return docker.wait_until(asked, what=f"an answer of {name}")


def hardened(d, image, port, *command, user):
    """Watches it, and runs it again under what was made of that."""
    run = ("run", "-d", "--network=none", f"--user={user}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with watch.Watch(d, "--deep", "--record", str(folder / "trace.jsonl")) as w:
            # The first call of each kind is the runtime's, and many of the second kind are docker exec's.
            d(*run, "--name", "seen", image, *command)
            d("exec", "seen", "/bin/busybox", "id")
            assert answers(d, "seen", port) == "hello\n", answers(d, "seen", port)
            d("exec", "seen", "/bin/busybox", "ls", "/")
            assert answers(d, "seen", port) == "hello\n"
            d("stop", "-t", "2", "seen")
            w.end()
        d("rm", "-f", "seen")
        made = subprocess.run([watch.HOLDFAST, "runtime", "harden", "--replay", folder / "trace.jsonl", "--container", "seen",
                               "--watched", "file,namespace,capability",
                               "--write", folder / "hardened"], capture_output=True, text=True, env={**os.environ, "DOCKER_HOST": d.host})
        assert made.returncode == 0, made.stderr + made.stdout
        words = (folder / "hardened/docker-run.args").read_text().replace("seccomp=", f"seccomp={folder}/hardened/").split()
        assert any("seccomp=" in word for word in words), made.stdout
        started = d(*run, "--name", "hard", *words, image, *command, status=None)
        try:
            assert started.status == 0 and answers(d, "hard", port) == "hello\n", (started.status, started.err, answers(d, "hard", port))
        finally:
            d("rm", "-f", "hard", status=None)


def shell(d):
    """A shell script that serves with busybox starts and answers under the profile that was made of it"""
    hardened(d, "box", 8080, "/bin/sh", "-c", "busybox true; exec httpd -f -p 8080 -h /www", user="1000")


def python(d):
    """A server in Python starts and answers under the profile that was made of it"""
    if not PYTHON:
        return "no package of Python is installed"
    d.import_image("python", {"www/page": b"hello\n"}, packages=PACKAGES)
    hardened(d, "python", 8080, f"/usr/bin/{PYTHON}", "-B", "-m", "http.server", "-d", "/www", "8080", user="1000")


docker.skip_unless("nsenter", "busybox", network=False)
watch.skip_unless()
with docker.Docker(network=False) as engine:
    engine.import_image("box", {"www/page": b"hello\n"})
    raise SystemExit(docker.main([shell, python], engine))
