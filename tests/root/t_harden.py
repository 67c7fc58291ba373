"""t_harden.py HOLDFAST ROOT: a workload runs with an engine's default rights, what it does is written down with strace (in the
container, so by another program than ours), holdfast makes its hardening, and the workload runs under it: it must still answer, and
each right that was taken away must now be denied."""
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
IMAGE_DIGEST = "sha256:" + "e" * 64

# Without a C library: all that it needs from the filter are the calls that it tries, write and exit_group.
PROBE = r"""
typedef unsigned long word;
static long call(long n, word a, word b, word c, word d, word e, word f)
{
	register word r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return ret;
}
static void say(const char *name, long ret)
{
	char text[64], digits[24];
	int n = 0, k = 0;
	while (name[n]) { text[n] = name[n]; n++; }
	text[n++] = ' ';
	if (ret < 0) { text[n++] = '-'; ret = -ret; }
	do digits[k++] = '0' + ret % 10; while (ret /= 10);
	while (k) text[n++] = digits[--k];
	text[n++] = '\n';
	call(1, 1, (word)text, n, 0, 0, 0);
}
#define P(s) ((word)(s))
void _start(void)
{
	say("create_etc", call(257, -100, P("/etc/planted"), 0x41, 0600, 0, 0) < 0 ? call(257, -100, P("/etc/planted"), 0x41, 0600, 0, 0) : 0);
	say("create_bin", call(257, -100, P("/bin/planted"), 0x41, 0700, 0, 0) < 0 ? call(257, -100, P("/bin/planted"), 0x41, 0700, 0, 0) : 0);
	say("chown", call(260, -100, P("/scratch/owned"), 1, 1, 0, 0));
	say("mknod", call(259, -100, P("/scratch/node"), 020600, 0x103, 0, 0));
	say("raw_socket", call(41, 2, 3, 1, 0, 0, 0) < 0 ? call(41, 2, 3, 1, 0, 0, 0) : 0);
	say("chroot", call(161, P("/"), 0, 0, 0, 0, 0));
	say("ptrace", call(101, 0, 0, 0, 0, 0, 0));
	say("personality", call(135, 0, 0, 0, 0, 0, 0));
	say("memfd_create", call(319, P("x"), 0, 0, 0, 0, 0) < 0 ? call(319, P("x"), 0, 0, 0, 0, 0) : 0);
	say("mount", call(165, P("none"), P("/scratch"), P("tmpfs"), 0, 0, 0));
	say("unshare", call(272, 0x10000000, 0, 0, 0, 0, 0));
	say("init_module", call(175, 0, 0, 0, 0, 0, 0));
	say("bpf", call(321, 0, 0, 0, 0, 0, 0));
	call(231, 0, 0, 0, 0, 0, 0);
}
"""
PROBE_32 = r"""
void _start(void)
{
	long ret;
	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20)); /* getpid of the 32-bit table */
	__asm__ volatile("syscall" : : "a"(231), "D"(ret > 0 ? 0 : 1) : "rcx", "r11", "memory");
}
"""
# What the engine's defaults allow, and what takes it away: (the part, the errno).
GRANTED = {"create_etc": ("root", 30), "create_bin": ("root", 30), "chown": ("capabilities", 1), "mknod": ("capabilities", 1),
           "raw_socket": ("capabilities", 1), "chroot": ("capabilities", 1), "ptrace": ("seccomp", 1), "personality": ("seccomp", 1),
           "memfd_create": ("seccomp", 1)}
STARTS = int(os.environ.get("STARTS", 10))
NEVER = ("mount", "unshare", "init_module", "bpf")

NGINX = b"""user nobody nogroup;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 64; }
http { access_log /var/log/nginx/access.log; server { listen 80; location / { root /www; } } }
"""


class Tap:
    n = failed = 0

    def ok(self, good, name, why=""):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}")
        for line in [] if good else str(why).splitlines()[-25:]:
            print("# " + line)
        return good


def compiled(source):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "probe")
        subprocess.run(["cc", "-x", "c", "-", "-O1", "-w", "-static", "-nostdlib", "-fno-stack-protector", "-fcf-protection=none", "-fno-builtin", "-o", out],
                       input=source.encode(), check=True)
        return out.read_bytes()


def answers(d, name):
    """What the workload serves, asked from outside of its filter, in its network."""
    end = time.monotonic() + docker.PATIENCE_S
    while True:
        got = subprocess.run(["nsenter", "-t", str(d.pid(name)), "-n", "busybox", "wget", "-q", "-O", "-", "http://127.0.0.1/page"],
                             capture_output=True, text=True, timeout=docker.PATIENCE_S) if d("inspect", "-f", "{{.State.Running}}", name) == "true" else None
        if got and got.returncode == 0:
            return got.stdout
        if time.monotonic() > end or not got:
            log = d("logs", name, status=None)
            return f"no answer: {got and got.stderr} {log} {log.err}"
        time.sleep(0.1)


def seen(lines):
    """(system calls, paths written) of strace -f -y output."""
    calls, written = set(), set()
    for line in lines:
        hit = re.match(r"\d+\s+(?:<\.\.\. )?(\w+)(?:\(| resumed)", line)
        if not hit:
            continue
        calls.add(hit[1])
        done = " = -1 " not in line and "unfinished" not in line
        at = re.match(r'\d+\s+(?:openat|creat|open|mkdir|mkdirat|unlink|unlinkat|rename|chown|chmod|fchownat|fchmodat)\((?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]*)"(.*)', line)
        if at and done and at[1].startswith("/") and ("open" not in hit[1] or re.search("O_WRONLY|O_RDWR|O_CREAT", at[2])):
            written.add(at[1])
    return calls, written


def trace(container, calls, written, capabilities, program, setuid=False):
    """The events that the sensor hands out for this, by docs/events.md."""
    who = {"id": container, "name": "plain", "image": {"digest": IMAGE_DIGEST}}
    process = {"executable": {"path": program}, "user": {"id": 0}}
    events = [{"kind": "exec"}, {"kind": "syscalls", "syscalls": {"names": sorted(calls)}},
              {"kind": "listen", "network": {"protocol": "tcp", "local": {"address": "0.0.0.0", "port": 80}}}]
    events += [{"kind": "capability", "capability": {"name": "CAP_" + c, "allowed": True, "syscall": "x"}} for c in capabilities]
    events += [{"kind": "capability", "capability": {"name": "CAP_SYS_ADMIN", "allowed": False, "syscall": "mmap"}}]
    if setuid:
        events += [{"kind": "exec", "process": {"executable": {"path": "/bin/su", "setuid": True}, "user": {"id": 0}}}]
    events += [{"kind": "file", "file": {"operation": "write", "path": p}} for p in sorted(written)]
    return "".join(json.dumps({"schema": "holdfast/event/1", "container": who, "process": process, **e}) + "\n" for e in events)


def probe(d, name):
    out = d("exec", name, "/probe", status=None)
    return {k: int(v) for k, v in re.findall(r"^(\w+) (-?\d+)$", out, re.M)}


def bundle(d, name):
    found = list(pathlib.Path(d.exec_root).glob(f"containerd/daemon/io.containerd.runtime.v2.task/moby/{d.container_id(name)}/config.json"))
    return found[0] if found else None


def run_workload(d, tap, image, command, capabilities, work):
    what = image
    # The control: with default rights, all that is to be taken away is there.
    d("run", "-d", "--name", "plain", "--network=none", image, *command)
    tap.ok(answers(d, "plain") == "hello\n", f"{what}: answers with default rights", answers(d, "plain"))
    before = probe(d, "plain")
    tap.ok(all(before.get(k) == 0 for k in GRANTED), f"{what}: the defaults grant what is to be taken away", before)
    inspect, config = work / "inspect.json", bundle(d, "plain")
    inspect.write_text(d("inspect", "plain"))
    container = d.container_id("plain")
    # What it does, by strace inside of the container, from its first instruction.
    d("run", "-d", "--name", "traced", "--network=none", "--cap-add=SYS_PTRACE", image, "strace", "-f", "-qq", "-o", "/strace.out", *command)
    tap.ok(answers(d, "traced") == "hello\n", f"{what}: answers under strace", answers(d, "traced"))
    d("stop", "-t", "5", "traced")
    d("cp", "traced:/strace.out", work / "strace.out")
    calls, written = seen((work / "strace.out").read_text(errors="replace").splitlines())
    (work / "trace.jsonl").write_text(trace(container, calls, written, capabilities, command[0]))
    made = subprocess.run([HOLDFAST, "runtime", "harden", "--replay", work / "trace.jsonl", "--grant", inspect, *(["--grant", config] if config else []),
                           "--watched", "namespace,file", "--write", work / "hardened", "--format", "json"], capture_output=True, text=True)
    if not tap.ok(made.returncode == 0, f"{what}: holdfast makes its hardening", made.stderr):
        return
    live = subprocess.run([HOLDFAST, "runtime", "harden", "--replay", work / "trace.jsonl", "--format", "json"], capture_output=True, text=True,
                          env={**os.environ, "DOCKER_HOST": d.host})
    tap.ok(live.returncode == 0 and json.loads(live.stdout).get("granted_by") == "docker inspect", f"{what}: Docker itself is asked for the grant",
           live.stdout[:300] + live.stderr)
    check_difference(tap, what, json.loads(made.stdout), calls, capabilities, bool(config))
    d("rm", "-f", "plain", "traced")
    run_hardened(d, tap, what, image, command, capabilities, work)


def check_difference(tap, what, document, calls, capabilities, has_bundle):
    parts = document["difference"]
    unused = set(parts["capabilities"]["unused"])
    tap.ok(unused and not unused & {"CAP_" + c for c in capabilities} and "CAP_MKNOD" in unused, f"{what}: capabilities to take away", parts["capabilities"])
    if has_bundle:
        gone = set(parts["syscalls"]["unused"])
        tap.ok({"ptrace", "personality", "memfd_create"} <= gone and not gone & calls, f"{what}: system calls to take away, by the bundle's own list",
               parts["syscalls"].get("reason"))
    tap.ok(all(p["state"] == "assessed" or p["reason"] for p in parts.values()) and parts["rbac_verbs"]["state"] == "not_assessable" and
           "unused" not in parts["rbac_verbs"], f"{what}: what cannot be known says so", parts)
    refused = {h["name"]: h["refused"] for h in document["hardenings"] if "refused" in h}
    tap.ok(not refused, f"{what}: nothing is refused", refused)
    for row, tool in (("apparmor", "apparmor_parser"), ("systemd", "systemd-analyze")):
        said = next(h for h in document["hardenings"] if h["name"] == row)
        installed = any(os.access(f"{f}/{tool}", os.X_OK) for f in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"))
        want = "checked by parser only" if installed else "not checked"
        tap.ok(said["checked"].startswith(want), f"{what}: {row} is {want}", said)


def hardened_options(folder):
    """docker-run.args, with the profile's path made whole."""
    return (folder / "docker-run.args").read_text().replace("seccomp=", f"seccomp={folder}/").split()


def run_hardened(d, tap, what, image, command, kept, work):
    hardened = work / "hardened"
    arguments = {"all": hardened_options(hardened), "capabilities": (hardened / "capabilities.args").read_text().split(),
                 "root": (hardened / "read-only-root.args").read_text().split()}
    arguments["seccomp"] = [a for a in arguments["all"] if "security-opt" in a]
    for part, args in arguments.items():
        d("run", "-d", "--name", part, "--network=none", *args, image, *command)
        tap.ok(answers(d, part) == "hello\n", f"{what}: answers under {part}", answers(d, part))
        after = probe(d, part)
        for right, (taken_by, errno) in GRANTED.items():
            if part in (taken_by, "all") and right.upper() not in kept:
                tap.ok(after.get(right, 0) in (-errno, *((-1, -30) if part == "all" else ())), f"{what}: {right} is denied under {part}", after)
        tap.ok(all(after.get(right, 0) < 0 for right in NEVER), f"{what}: what was never granted stays denied under {part}", after)
        if part in ("all", "seccomp"):
            tap.ok(d("exec", part, "/probe32", status=None).status not in (0, 1), f"{what}: calls of 32 bit end the program under {part}")
        d("rm", "-f", part)


def run_with_setuid(d, tap, work):
    """Where programs gain rights by their file there is no no-new-privileges: then runc drops its own rights under the filter."""
    calls, written = seen((work / "strace.out").read_text(errors="replace").splitlines())
    (work / "trace.jsonl").write_text(trace("f" * 64, calls, written, ["SETUID", "SETGID"], "/bin/httpd", setuid=True))
    made = subprocess.run([HOLDFAST, "runtime", "harden", "--replay", work / "trace.jsonl", "--watched", "namespace,file", "--write", work / "setuid"],
                          capture_output=True, text=True)
    args = hardened_options(work / "setuid")
    tap.ok(made.returncode == 0 and not any("no-new-privileges" in a for a in args), "setuid: no-new-privileges is left out", made.stdout)
    for user in ("0:0", "65534:65534"):
        d("run", "-d", "--name", "setuid", "--network=none", f"--user={user}", *args, "httpd", "/bin/httpd", "-f", "-p", "80", "-h", "/www")
        tap.ok(answers(d, "setuid") == "hello\n", f"setuid: answers as {user}", answers(d, "setuid"))
        tap.ok(probe(d, "setuid").get("ptrace") == -1, f"setuid: ptrace is denied as {user}")
        d("rm", "-f", "setuid")


def main():
    docker.skip_unless("strace", "cc", "nsenter", "busybox", image_of=("strace",))
    if os.uname().machine != "x86_64":
        print("1..0 # SKIP the probe speaks x86-64 alone")
        return 0
    tap = Tap()
    files = {"www/page": b"hello\n", "scratch/owned": b"", "probe": (compiled(PROBE), 0o755), "probe32": (compiled(PROBE_32), 0o755)}
    with docker.Docker(network=False) as d, tempfile.TemporaryDirectory() as folder:
        d.import_image("httpd", files, packages=("strace",))
        (work := pathlib.Path(folder, "httpd")).mkdir()
        run_workload(d, tap, "httpd", ["/bin/httpd", "-f", "-p", "80", "-h", "/www"], [], work)
        run_with_setuid(d, tap, work)
        starts = [d("run", "--rm", "--network=none", *hardened_options(work / "hardened"), "httpd", "/probe", status=None).status for _ in range(STARTS)]
        tap.ok(starts == [0] * STARTS, f"{STARTS} starts under the profile, each of which runc survives", starts)
        if docker.package_files("nginx") and os.path.exists("/usr/sbin/nginx"):
            more = {"etc/nginx/nginx.conf": NGINX, "var/log/nginx/kept": b"", "var/lib/nginx/kept": b"", "run/kept": b""}
            d.import_image("nginx", {**files, **more}, packages=("strace", "nginx"))
            (work := pathlib.Path(folder, "nginx")).mkdir()
            run_workload(d, tap, "nginx", ["/usr/sbin/nginx", "-g", "daemon off;"], ["SETUID", "SETGID", "CHOWN"], work)
        else:
            tap.ok(True, "nginx # SKIP package nginx is not installed")
    print(f"1..{tap.n}")
    return tap.failed > 0


sys.exit(main())
