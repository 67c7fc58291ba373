"""A seed holds what containers really run: each program that is executed, each file that is mapped executable and each system call of
real containers, as strace sees them, is in the seed that was made from the image alone."""
import json
import os
import pathlib
import re
import subprocess
import sys

import docker

HOLDFAST = sys.argv[1]
docker.skip_unless("strace", image_of=("strace",))
CALLED = re.compile(r"\d+ +(\w+)\(")
EXECUTED = re.compile(r'execve\("([^"]*)", .* = 0$')
MAPPED = re.compile(r"mmap\(.*PROT_EXEC.*, \d+<(/[^>]*)>, ")
number = failed = 0


def report(what, problem):
    global number, failed
    number += 1
    failed += bool(problem)
    print(f"{'not ok' if problem else 'ok'} {number} - {what}")
    if problem:
        print(f"# {problem}")


def seed_of(d, container, *options):
    environment = {**os.environ, "DOCKER_HOST": d.host}
    done = subprocess.run([HOLDFAST, "runtime", "seed", "container:" + container, *options], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def whole_lines(text):
    """Calls that strace had to break off, since another process made one, put together again."""
    begun = {}
    for line in text.splitlines():
        pid = line.split(" ")[0]
        if line.endswith(" <unfinished ...>"):
            begun[pid] = line.removesuffix(" <unfinished ...>")
            line = begun[pid]
        elif hit := re.match(r"\d+ +<\.\.\. \w+ resumed>", line):
            line = begun.pop(pid, "") + line[hit.end():]
        yield line


def traced(d, image, folder, inside):
    """What a run of the image's command, with strace above it, executes and maps; links followed."""
    config = json.loads(d("inspect", image))[0]["Config"]
    command = (config["Entrypoint"] or []) + (config["Cmd"] or [])
    shared = d.folder / folder
    shared.mkdir()
    name = "traced-" + image
    d("run", "-d", "--name", name, "--cap-add", "SYS_PTRACE", "--security-opt", "seccomp=unconfined", "-v", f"{shared}:/traced",
      "--entrypoint", "/usr/bin/strace", image, "-f", "-qq", "-y", "-I", "2", "-s", "4096", "-o", "/traced/trace", *command)
    inside(name)
    d("kill", "-s", "TERM", name)  # strace then writes what it still holds
    d("wait", name)
    d("rm", "-f", name)
    seen, calls = set(), set()
    for line in whole_lines((shared / "trace").read_text(errors="replace")):
        if hit := CALLED.match(line):
            calls.add(hit[1])
        for pattern in (EXECUTED, MAPPED):
            if hit := pattern.search(line):
                seen.add(hit[1])
    real = d("run", "--rm", "--entrypoint", "/bin/busybox", image, "realpath", *sorted(seen)).split()
    return set(real), calls


def compare(d, image, what, inside, wanted=()):
    """@wanted: what must have been seen, so that the comparison is no empty one."""
    really, calls = traced(d, image, "traced-" + image, inside)
    d("run", "-d", "--name", image + "-plain", image)
    seed = json.loads(seed_of(d, image + "-plain", "--format", "json")[0])
    profile = seed_of(d, image + "-plain")[0]
    d("rm", "-f", image + "-plain")
    foreseen = set(re.findall(r"name: (\w+)", profile[profile.index("system_calls:"):]))
    expected = {f["path"] for f in seed["files"]}
    missing = sorted(really - expected)
    unseen = [w for w in wanted if not any(w in path for path in really)]
    report(what, f"not in the seed: {missing}" if missing else f"was not run: {unseen}" if unseen else None)
    unforeseen = sorted(calls - foreseen)
    report(f"{image}: its system calls", f"not in the seed: {unforeseen}" if unforeseen else f"{len(calls)} seen, {len(foreseen)} in the seed" if len(calls) < 10 or len(foreseen) > 300 else None)
    return seed


def until(d, *words):
    return lambda name: docker.wait_until(lambda: all(w in d("logs", name, status=None) for w in words))


ENTRY = b"""#!/bin/sh
set -e
. /opt/settings.sh
if [ "$1" = nothing ]; then exec /bin/false; fi
user=$(id -u)
prepare() { ls /opt | sort >/dev/null; }
case "$user" in
0) prepare ;;
*) echo no; exit 1 ;;
esac
cat <<END | wc -l
text
END
exec "$@"
"""


def busybox(d):
    d.import_image("box", {"opt/entry.sh": (ENTRY, 0o755), "opt/settings.sh": b"date >/dev/null\n", "usr/local/bin/run": (b"#!/bin/sh\nmkdir -p /tmp/a && touch /tmp/a/b\necho done\nexec sleep 1000\n", 0o755)},
                   packages=("strace",), changes=['ENTRYPOINT ["/opt/entry.sh"]', 'CMD ["run"]', "EXPOSE 8080", "USER root"])
    seed = compare(d, "box", "busybox: an entrypoint with a sourced file, functions, case, a here-document and exec \"$@\"", until(d, "done"), ["busybox"])
    paths = {f["path"]: f for f in seed["files"]}
    report("scripts are in it by their own names", None if paths["/opt/entry.sh"]["kind"] == paths["/usr/local/bin/run"]["kind"] == "script" else paths)
    report("all of it is known", f"{seed['unparsed']}" if seed["unparsed"] or seed["open_commands"] or seed["passes_arguments"] else None)


def bash(d):
    script = b"#!/usr/bin/env bash\nfor f in /etc/*; do stat \"$f\" >/dev/null; done\nexpr 1 + 1; seq 3 | tac; echo done\nexec tail -f /dev/null\n"
    d.import_image("bashes", {"opt/run": (script, 0o755)}, packages=("bash", "coreutils", "strace"), changes=['CMD ["/opt/run"]'])
    compare(d, "bashes", "bash and coreutils of Debian, by env", until(d, "done"), ["/usr/bin/bash", "/usr/bin/stat", "/usr/bin/tac", "libc.so.6"])


def nginx(d):
    files = {"opt/page/index.html": b"hello\n", "run/x": b"", "var/log/nginx/x": b"", "var/lib/nginx/x": b"", "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n", "etc/group": b"root:x:0:\nwww-data:x:33:\n"}
    packages = [p for p in ("nginx", "nginx-light", "nginx-core", "nginx-common") if docker.package_files(p)]
    if "nginx" not in packages:
        report("nginx # SKIP package nginx is not installed", None)
        return
    d.import_image("web", files, packages=(*packages, "strace"), changes=['CMD ["nginx", "-g", "daemon off;"]', "EXPOSE 80"])
    serves = lambda name: docker.wait_until(lambda: d("exec", name, "wget", "-qO-", "http://127.0.0.1/", status=None).status in (0, 1) and
                                            "worker" in d("exec", name, "busybox", "ps", status=None))
    seed = compare(d, "web", "nginx of Debian", serves, ["/usr/sbin/nginx", "libssl", "libpcre2"])
    d("run", "-d", "--name", "web", "web")
    profile, _ = seed_of(d, "web")
    report("its profile names the program, its library and its port", None if all(w in profile for w in ("/usr/sbin/nginx", "libssl.so.3", "tcp/80")) else profile)
    d("exec", "web", "sh", "-c", "cp /bin/busybox /usr/sbin/evil; mkdir -p /usr/local/bin; echo 'evil' >/usr/local/bin/nginx; chmod +x /usr/local/bin/nginx")
    again = json.loads(seed_of(d, "web", "--format", "json")[0])
    report("what the container writes changes nothing in it", None if again == seed else "it differs")


def python(d):
    script = b"import json, ssl, hashlib\nfrom concurrent import futures\nimport decimal as d; import zoneinfo\ntry: import curses\nexcept ImportError: pass\nprint('done', flush=True)\nimport time; time.sleep(1000)\n"
    packages = ("python3-minimal", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "strace")
    if not docker.package_files("libpython3.11-stdlib"):
        report("python # SKIP package libpython3.11-stdlib is not installed", None)
        return
    d.import_image("snake", {"opt/app.py": script}, packages=packages, changes=['ENTRYPOINT ["python3", "/opt/app.py"]'])
    compare(d, "snake", "Python: shared objects behind the imports of imports", until(d, "done"), ["/usr/bin/python3.11", "_ssl.cpython"])


def main():
    print("1..12")
    with docker.Docker(network=False) as d:
        for case in (busybox, bash, nginx, python):
            case(d)
    while number < 12:
        report("nothing # SKIP", None)
    return failed


sys.exit(bool(main()))
