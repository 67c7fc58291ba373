#!/usr/bin/env python3
"""bench runtime [--quick|--full]: what `holdfast runtime watch` costs the machine that it watches, and what it misses.

Root only. Workloads take turns without and with the agent (ABBA); servers and storms run in containers of a private dockerd, getppid
and the C build on the host. A figure is the median of the ratios of neighbouring passes with a bootstrapped 95 % interval.
auditd with rules for exec and connect is measured beside it, in the same run.

A pass begins when the machine is quiet: over half a second with nothing of ours at work, tasks waited for a processor (PSI, some)
less than 2 % of the time. Where that does not come in time the pass is taken anyway, and counted in the column `noisy`.
Raw passes go to build/bench-runtime/passes.csv.

  --quick      two blocks, small sizes: for work on the code
  --full       1,000 runs of `docker run true` under stress instead of 200
  --no-gate    do not wait for quiet
  --only LIST  of cost, auditd, idle, loss, storm, attribution, counts (the last one only where it is asked for: what watching takes
               as processor time of the agent and of its programs in the kernel, which a busy machine moves least)"""
import argparse
import atexit
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench-runtime"
HOLDFAST = ROOT / "build" / "holdfast"
WORK = ROOT / "build" / "bench_work"
sys.path.insert(0, str(ROOT / "tests" / "root"))
import docker  # noqa: E402

ARGS = None
QUIET_PERCENT, QUIET_WINDOW_S, QUIET_WAIT_S, QUIET_BUDGET_S = 2.0, 0.5, 15, 240
GOALS = {"getppid": 1.01, "cbuild": 1.01, "exec": 1.03, "openclose": 1.01, "nginx": 1.01, "redis": 1.01, "dockerrun": 1.02}
TITLES = {"getppid": "getppid loop, on the host", "cbuild": "C build, 50 files, on the host", "exec": "exec storm", "fork": "fork alone",
          "openclose": "open and close", "nginx": "nginx and wrk", "redis": "redis-benchmark", "dockerrun": "`docker run true`"}


def say(*words):
    print("bench:", *words, file=sys.stderr, flush=True)


def row(what, value, unit="", goal=None, met=None, note=""):
    verdict = "" if met is None else ("met" if met else "NOT MET")
    if ARGS.json:
        print(json.dumps({"bench": "runtime", "what": what, "value": value, "unit": unit, "goal": goal, "met": met, "note": note}), flush=True)
        return
    shown = value if isinstance(value, str) else f"{value:.4g}"
    print(f"{what:52} {shown:>28} {unit:8} {'goal ' + str(goal) if goal is not None else '':22} {verdict:8} {note}", flush=True)


# ---- quiet ----

class Gate:
    def __init__(self):
        self.left = 0 if ARGS.no_gate else QUIET_BUDGET_S

    @staticmethod
    def stalled():
        with open("/proc/pressure/cpu") as f:
            return int(f.readline().split("total=")[1])

    def window(self):
        begin, at = self.stalled(), time.monotonic()
        time.sleep(QUIET_WINDOW_S)
        return (self.stalled() - begin) / (time.monotonic() - at) / 1e4

    def wait(self):
        """Whether it is quiet now"""
        begin = time.monotonic()
        while (percent := self.window()) >= QUIET_PERCENT:
            if self.left <= 0 or time.monotonic() - begin > QUIET_WAIT_S:
                break
        self.left -= max(0, time.monotonic() - begin - 2 * QUIET_WINDOW_S)
        return percent < QUIET_PERCENT


# ---- arms ----

class Agent:
    """`runtime watch`, its events in a file"""

    def __init__(self, folder, socket, deep=False):
        self.events = folder / "events.jsonl"
        self.log = folder / "agent.log"
        self.events.unlink(missing_ok=True)
        command = [HOLDFAST, "runtime", "watch", "--docker-socket", socket, "--state", folder / "state", "--output", f"json={self.events}"]
        with open(self.log, "w") as log:
            self.child = subprocess.Popen([*map(str, command), *(["--deep"] if deep else [])], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=log, preexec_fn=docker.die_with_parent)
        docker.wait_until(lambda: "watching" in self.log.read_text() or self.child.poll() is not None, 60, "the agent")
        if self.child.poll() is not None:
            raise RuntimeError("the agent ended:\n" + self.log.read_text())

    def stop(self):
        """Its events, once all is handed out"""
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(120)

    def read(self):
        with open(self.events) as f:
            for line in f:
                yield json.loads(line)

    def used_ns(self):
        total = 0
        for task in pathlib.Path(f"/proc/{self.child.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
        return total

    def rss(self):
        """MiB: all but the kernel's maps, and what of that is its own"""
        total = own = 0
        mapping = ""
        for line in pathlib.Path(f"/proc/{self.child.pid}/smaps").read_text().splitlines():
            if "-" in line.split()[0]:
                mapping = line
            elif line.startswith("Rss:") and "bpf-map" not in mapping:
                total += int(line.split()[1])
            elif line.startswith("Anonymous:") and "bpf-map" not in mapping:
                own += int(line.split()[1])
        return total / 1024, own / 1024

    def maps(self):
        """MiB that the kernel accounts to the maps"""
        seen = {}
        for fd in pathlib.Path(f"/proc/{self.child.pid}/fdinfo").iterdir():
            try:
                fields = dict(line.split(":\t", 1) for line in fd.read_text().splitlines() if ":\t" in line)
            except OSError:
                continue
            if "map_id" in fields:
                seen[fields["map_id"]] = int(fields["memlock"])
        return sum(seen.values()) / 2**20


class Auditd:
    """The kernel's audit with the rules that many begin with. Its own configuration and log; one auditd at a time on a machine."""

    RULES = (["-a", "always,exit", "-F", "arch=b64", "-S", "execve", "-S", "execveat", "-k", "exec"],
             ["-a", "always,exit", "-F", "arch=b64", "-S", "connect", "-k", "connect"])

    def __init__(self, folder):
        self.folder, self.child = folder / "audit", None
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "plugins.d").mkdir(parents=True)
        self.folder.chmod(0o750)
        config = self.folder / "auditd.conf"
        config.write_text(f"log_file = {self.folder}/audit.log\nwrite_logs = yes\nlog_format = RAW\nflush = INCREMENTAL_ASYNC\nfreq = 50\n"
                          "max_log_file = 512\nmax_log_file_action = ROTATE\nnum_logs = 2\nspace_left = 75\nspace_left_action = SYSLOG\n"
                          "admin_space_left = 50\nadmin_space_left_action = SYSLOG\nplugin_dir = " + str(self.folder / "plugins.d") + "\n")
        config.chmod(0o640)
        log = open(self.folder / "out", "w")
        self.child = subprocess.Popen(["auditd", "-n", "-s", "enable", "-c", str(self.folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      preexec_fn=docker.die_with_parent)
        docker.wait_until(lambda: self.child.poll() is not None or f"pid {self.child.pid}" in self.control("-s"), 10, "auditd")
        if self.child.poll() is not None:
            raise RuntimeError("auditd ended: " + (self.folder / "out").read_text().strip())
        self.control("-D")
        self.control("-b", "8192")
        for rule in self.RULES:
            self.control(*rule, check=True)

    @staticmethod
    def control(*words, check=False):
        done = subprocess.run(["auditctl", *words], capture_output=True, text=True)
        if check and done.returncode:
            raise RuntimeError(f"auditctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def stop(self):
        self.control("-D")
        self.child.terminate()
        self.child.wait(30)
        self.control("-e", "0")


# ---- workloads ----

class Bed:
    """The containers, and the workloads in them. measure(name) -> (wall, processor or None), seconds for the same work each time"""

    def __init__(self, d, folder):
        self.d, self.folder, self.worker = d, folder, None
        self.net = f"--net=/run/netns/{d.name}"
        size = 4 if ARGS.quick else 1
        self.sizes = {"getppid": 3_000_000 // size, "openclose": 200_000 // size, "fork": 2000 // size, "exec": 2000 // size}
        d.import_image("work", files={"/bench_work": WORK.read_bytes(), "/bench_true": WORK.with_name("bench_true").read_bytes()})
        d.import_image("servers", packages=("nginx", "redis-tools", "redis-server"),
                       files={"/var/lib/nginx/kept": b"", "/var/log/nginx/kept": b"", "/etc/bench.conf": "daemon off;master_process off;user root;worker_processes 1;error_log /tmp/e;pid /tmp/p;\n"
                              "events{worker_connections 256;}\nhttp{access_log off;server{listen 8080;location /{return 200 'hello';}}}\n"})
        self.make_sources()
        self.open()

    def make_sources(self):
        folder = self.folder / "c"
        folder.mkdir()
        for i in range(50 // (5 if ARGS.quick else 1)):
            body = "".join(f"int f{i}_{j}(int a, char *b) {{ char t[64]; snprintf(t, sizeof t, \"%d{j}\", a); return strlen(t) + (b ? atoi(b) * {j} : a); }}\n"
                           for j in range(15))
            (folder / f"part{i}.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + body)
        self.build = f"cd {folder} && ls *.c | xargs -P 2 -n 1 gcc -O1 -c"

    def open(self):
        self.d("run", "-d", "--name", "nginx", "--net", "host", "servers", "nginx", "-c", "/etc/bench.conf")
        self.d("run", "-d", "--name", "redis", "--net", "host", "servers", "redis-server", "--port", "8081", "--save", "", "--appendonly", "no")
        self.worker = self.d.popen("run", "--rm", "-i", "--net", "none", "--name", "worker", "work", "/bench_work", "serve",
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("getppid 1")
        docker.wait_until(lambda: all(f":{port} " in self.listening() for port in (8080, 8081)), 10, "nginx or redis")

    def listening(self):
        return subprocess.run(["nsenter", self.net, "ss", "-ltnH"], capture_output=True, text=True, check=True).stdout

    def close(self):
        self.worker.stdin.close()
        self.worker.wait(30)
        self.d("rm", "-f", "nginx", "redis")

    def ask(self, line):
        self.worker.stdin.write(line + "\n")
        self.worker.stdin.flush()
        answer = self.worker.stdout.readline().split()
        if len(answer) != 3:
            raise RuntimeError(f"{line}: {answer}")
        return [int(word) for word in answer]

    def wrk(self, seconds):
        done = subprocess.run(["nsenter", self.net, "wrk", "-t1", "-c16", f"-d{max(1, int(seconds))}s", "http://127.0.0.1:8080/"],
                              capture_output=True, text=True, check=True)
        return float(next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("Requests/sec")))

    def redis(self, n):
        done = subprocess.run(["nsenter", self.net, "redis-benchmark", "-p", "8081", "-c", "20", "-n", str(n), "-t", "get,set", "--csv"],
                              capture_output=True, text=True, check=True)
        rates = [float(line.split('","')[1].strip('"')) for line in done.stdout.splitlines()[1:]]
        return sum(1 / r for r in rates)

    def timed(self, command):
        before, begin = os.times(), time.perf_counter()
        subprocess.run(command, shell=isinstance(command, str), check=True, stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - begin, os.times()
        return wall, after.children_user + after.children_system - before.children_user - before.children_system

    def measure(self, name):
        if name == "getppid":
            done = subprocess.run([WORK, "getppid", str(self.sizes[name])], capture_output=True, text=True, check=True)
            wall, used, _ = map(int, done.stdout.split())
            return wall / 1e9, used / 1e9
        if name in self.sizes:
            wall, used, _ = self.ask(f"{name} {self.sizes[name]} /tmp")
            return wall / 1e9, used / 1e9
        if name == "cbuild":
            return self.timed(self.build)
        if name == "nginx":
            return 1 / self.wrk(1), None
        if name == "redis":
            return self.redis(10_000 if ARGS.quick else 40_000), None
        begin = time.perf_counter()
        self.d("run", "--rm", "--net", "none", "work", "true")
        return time.perf_counter() - begin, None


REPEATS = {"getppid": 3, "openclose": 3, "fork": 2, "exec": 1, "cbuild": 1, "nginx": 1, "redis": 1, "dockerrun": 3}


class Passes:
    def __init__(self, bed, gate):
        self.bed, self.gate, self.rows = bed, gate, []

    def take(self, block, arm, names):
        quiet = self.gate.wait()
        got = {}
        for name in names:
            taken = [self.bed.measure(name) for _ in range(REPEATS[name])]
            wall = statistics.median(w for w, _ in taken)
            used = [u for _, u in taken if u is not None]
            got[name] = (wall, statistics.median(used) if used else None)
            self.rows.append({"block": block, "arm": arm, "workload": name, "wall_s": wall, "cpu_s": got[name][1] or "", "quiet": int(quiet)})
        return got, quiet

    def save(self):
        with open(OUT / "passes.csv", "w", newline="") as f:
            writer = csv.DictWriter(f, ["block", "arm", "workload", "wall_s", "cpu_s", "quiet"])
            writer.writeheader()
            writer.writerows(self.rows)


def interval(ratios):
    """Median with the 95 % interval of 2,000 bootstrap samples"""
    rng = random.Random(4)
    medians = sorted(statistics.median(rng.choices(ratios, k=len(ratios))) for _ in range(2000))
    return statistics.median(ratios), medians[49], medians[1949]


def show(pairs, arm, names, goals):
    noisy = sum(1 for _, _, quiet in pairs if not quiet)
    for name in names:
        ratio, low, high = interval([with_[name][0] / without[name][0] for without, with_, _ in pairs])
        cpu = [with_[name][1] / without[name][1] for without, with_, _ in pairs if with_[name][1] and without[name][1]]
        note = f"cpu {statistics.median(cpu):.3f}; " if cpu else ""
        base = statistics.median(without[name][0] for without, _, _ in pairs)
        note += f"base {base:.4g} s; noisy {noisy}/{len(pairs)}"
        goal = GOALS.get(name) if goals else None
        reached = None if goal is None else (high if name == "getppid" else ratio) <= goal
        row(f"{TITLES[name]}, {arm}", f"{ratio:.3f} [{low:.3f}, {high:.3f}]", "ratio", goal and f"{goal}{' (interval)' if name == 'getppid' else ''}",
            reached, note)


def abba(passes, blocks, order, starts, names):
    """order: arms of one block; neighbours "none" and X make a pair. -> arm -> pairs (without, with, quiet)"""
    pairs = {arm: [] for arm in order if arm != "none"}
    for block in range(blocks):
        taken = []
        for arm in order:
            running = starts[arm]()
            try:
                taken.append((arm, *passes.take(block, arm, names)))
            finally:
                if running:
                    running.stop()
        for (arm, got, quiet), (other, base, quiet_too) in zip(taken[::1], taken[1::1]):
            if arm == "none" and other != "none":
                pairs[other].append((got, base, quiet and quiet_too))
            elif other == "none" and arm != "none":
                pairs[arm].append((base, got, quiet and quiet_too))
        passes.save()
        say(f"block {block + 1} of {blocks}, {' '.join(order)}")
    return pairs


def bench_cost(bed, gate):
    passes = Passes(bed, gate)
    names = list(TITLES)
    starts = {"none": lambda: None, "watch": lambda: settled(bed), "deep": lambda: settled(bed, True)}
    pairs = abba(passes, 2 if ARGS.quick else ARGS.blocks, ["none", "watch", "watch", "none"], starts, names)
    show(pairs["watch"], "watch", names, True)
    pairs = abba(passes, 1 if ARGS.quick else 2, ["none", "deep", "deep", "none"], starts, names)
    show(pairs["deep"], "watch --deep", names, False)
    return passes


def settled(bed, deep=False):
    agent = Agent(bed.folder, bed.d.socket, deep)
    time.sleep(0.3)
    return agent


def audit_is_free():
    return shutil.which("auditctl") and "pid 0" in Auditd.control("-s") and Auditd.control("-l").strip() in ("", "No rules")


def audit_off():
    """Once audit was enabled, even long ago, the kernel taxes each new process unless a rule says never."""
    Auditd.control("-D")
    Auditd.control("-a", "never,task")


def bench_auditd(bed, gate, free):
    """Last, with servers that are started anew in each pass: which processes are audited is settled when they begin."""
    if not free or not shutil.which("auditd"):
        return row("auditd", "not measured", note="it is not installed, or the kernel's audit belongs to somebody else here")

    def reopened(start):
        bed.close()
        try:
            running = start()
        finally:
            bed.open()
        return running

    names = list(TITLES)
    starts = {"none": lambda: reopened(audit_off), "auditd": lambda: reopened(lambda: Auditd(bed.folder)),
              "watch": lambda: reopened(lambda: (audit_off(), settled(bed))[1])}
    try:
        pairs = abba(Passes(bed, gate), 1 if ARGS.quick else 3, ["none", "auditd", "none", "watch", "none"], starts, names)
        show(pairs["auditd"], "auditd", names, False)
        show(pairs["watch"], "watch, beside auditd", names, False)
    except (RuntimeError, AssertionError) as error:
        row("auditd", "not measured", note=f"the kernel's audit could not be taken: {error}")
    finally:
        Auditd.control("-b", "64")


def bench_idle(bed, gate):
    agent = settled(bed)
    try:
        time.sleep(3)
        quiet = gate.wait()
        seconds = 5 if ARGS.quick else 30
        before, begin = agent.used_ns(), time.monotonic()
        time.sleep(seconds)
        used = (agent.used_ns() - before) / 1e6 / (time.monotonic() - begin)
        rss, own = agent.rss()
        note = "" if quiet else "not quiet"
        row("idle: processor time of the agent", used, "mcore", 3, used <= 3, note)
        row("idle: RSS without maps", rss, "MiB", 30, rss <= 30, f"of its own {own:.1f}")
        row("idle: the kernel's memory for maps", agent.maps(), "MiB", 16, agent.maps() <= 16)
    finally:
        agent.stop()


def account(agent, kind, cgroup=None):
    """(delivered lines, seen, dropped) of a kind, by the events and by the account at the end; cgroup: only that one's"""
    lines = seen = dropped = 0
    tags = set()
    for e in agent.read():
        if e.get("kind") == kind:
            arguments = e.get("process", {}).get("arguments") or []
            if arguments and arguments[-1].startswith("tag-"):
                lines += 1
                tags.add(arguments[-1])
        elif e.get("kind") == "loss" and e.get("loss", {}).get("kind") == kind:
            seen, dropped = max(seen, e["loss"].get("seen", 0)), max(dropped, e["loss"].get("dropped", 0))
    return lines, len(tags), seen, dropped


def storm(bed, workers, rate, n):
    agent = settled(bed)
    try:
        wall, _, made = bed.ask(f"rate {workers} {rate} {n} /bench_true")
        busy = agent.used_ns()
    finally:
        agent.stop()
    lines, tags, seen, dropped = account(agent, "exec")
    agent.events.unlink()
    return made / (wall / 1e9), made, lines, tags, dropped, busy / 1e3 / made


def bench_loss(bed, gate):
    quiet = gate.wait()
    seconds = 3 if ARGS.quick else 10
    note = "" if quiet else "not quiet; "
    rate, made, lines, tags, dropped, busy = storm(bed, 2, 3000, 3000 * seconds)
    row("exec at 3,000/s: lost", made - tags, f"of {made}", 0, made == tags and rate > 2950,
        f"{note}reached {rate:.0f}/s; events {lines}, counted as dropped {dropped}; agent {busy:.0f} us an execution")
    knee = None
    for target in (() if ARGS.quick else (4000, 6000)) + (0,):
        rate, made, lines, tags, dropped, busy = storm(bed, 2, target, (target or 10000) * (1 if ARGS.quick else 4))
        say(f"exec at {target or 'any rate'}: {rate:.0f}/s, {made} made, {tags} seen, {dropped} dropped, {busy:.0f} us of the agent each")
        if made != tags or dropped:
            knee = rate
            break
        if target and rate < target * 0.95:
            break
    row("exec: rate at which the first is lost", f"{knee:.0f}/s" if knee else f"none up to {rate:.0f}/s", note=note + "" if knee else note + "no more can be made here")


def hierarchy(bed):
    roots = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if line.split()[2] == "cgroup2"]
    below = next(line[3:] for line in pathlib.Path(f"/proc/{bed.d.pid('nginx')}/cgroup").read_text().splitlines() if line.startswith("0::"))
    return pathlib.Path(roots[0] + below).parent


def bench_storm(bed, gate):
    """Memory over births and ends of containers: cgroups named as the engine names them, and real ones"""
    quiet = gate.wait()
    n, step = (1000, 250) if ARGS.quick else (10_000, 1000)
    agent = settled(bed)
    try:
        samples = []
        for _ in range(0, n, step):
            subprocess.run([WORK, "cgroups", str(step), "400", hierarchy(bed)], check=True, stdout=subprocess.DEVNULL)
            samples.append(agent.rss())
        time.sleep(12)  # the agent gives memory back each ten seconds
        first, last = samples[len(samples) // 2][1], agent.rss()[1]
        row(f"RSS over {n:,} containers: growth in the second half", last - first, "MiB", 1, last - first <= 1,
            f"{'' if quiet else 'not quiet; '}own memory {' '.join(f'{own:.1f}' for _, own in samples)} then {last:.1f}")
        rss, peak = agent.rss()[0], max(s[0] for s in samples)
        row(f"RSS without maps, after {n:,} containers", rss, "MiB", 30, rss <= 30, f"highest {peak:.1f}; maps {agent.maps():.1f}")
    finally:
        agent.stop()
    lines, tags, seen, dropped = account(agent, "exec")
    row(f"executions of {n:,} containers: lost", n - lines, f"of {n}", 0, n == lines, f"counted as dropped {dropped}")


def bench_attribution(bed):
    runs = 20 if ARGS.quick else 1000 if ARGS.full else 200
    agent = settled(bed)
    hogs = [subprocess.Popen([WORK, "hog", "3600"], stdout=subprocess.DEVNULL) for _ in range(4)]
    before = agent.rss()[1]
    try:
        begin = time.monotonic()
        names = [f"run-{i}" for i in range(runs)]

        def some(part):
            for name in part:
                bed.d("run", "--rm", "--net", "none", "--name", name, "work", "true", timeout=300)

        threads = [threading.Thread(target=some, args=(names[i::2],)) for i in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        wall = time.monotonic() - begin
        after = agent.rss()[1]
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
        time.sleep(2)
        agent.stop()
    wanted, of = set(names), {}
    for e in agent.read():
        container = e.get("container", {})
        if e.get("kind") == "exec" and container.get("name") in wanted and not e.get("process", {}).get("setup"):
            of[container["name"]] = container
    whole = [c for c in of.values() if c.get("image")]
    row(f"`docker run true` x {runs}, 4 busy loops: attributed", len(whole), f"of {runs}", runs, len(whole) == runs,
        f"with a name {len(of)}, and an image {len(whole)}; {wall:.0f} s; own memory {before:.1f} to {after:.1f} MiB")


BPF_STATS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")


def programs(agent):
    """name -> (nanoseconds, runs) of the agent's programs in the kernel"""
    ids = set()
    for fd in pathlib.Path(f"/proc/{agent.child.pid}/fdinfo").iterdir():
        try:
            ids |= {line.split()[1] for line in fd.read_text().splitlines() if line.startswith("prog_id:")}
        except OSError:
            continue
    shown = json.loads(subprocess.run(["bpftool", "prog", "show", "-j"], capture_output=True, text=True, check=True).stdout)
    return {p["name"]: (p.get("run_time_ns", 0), p.get("run_cnt", 0)) for p in shown if str(p["id"]) in ids}


def switches(agent):
    total = 0
    for task in pathlib.Path(f"/proc/{agent.child.pid}/task").iterdir():
        total += sum(int(line.split()[1]) for line in (task / "status").read_text().splitlines() if "ctxt_switches" in line)
    return total


def bench_counts(bed):
    """An idle second is taken off, in which the agent looks at its rings ten times."""
    if not shutil.which("bpftool"):
        return row("counts", "not measured", note="no bpftool")
    before, agent = BPF_STATS.read_text(), settled(bed)
    try:
        BPF_STATS.write_text("1")
        for name in ("exec", "fork", "openclose"):
            n, figures = bed.sizes[name], []
            for work in (lambda: None, lambda name=name: bed.measure(name)):
                at = agent.used_ns(), switches(agent), programs(agent)
                begin = time.monotonic()
                work()
                time.sleep(1)
                figures.append((agent.used_ns() - at[0], switches(agent) - at[1], programs(agent), at[2], time.monotonic() - begin))
            idle, busy = figures
            kernel = {k: (v[0] - busy[3][k][0], v[1] - busy[3][k][1]) for k, v in busy[2].items() if v[1] > busy[3][k][1]}
            row(f"{TITLES[name]}: the agent", (busy[0] - idle[0] * busy[4] / idle[4]) / n / 1e3, "us each",
                note=f"switches {(busy[1] - idle[1] * busy[4] / idle[4]) / n:.3f} each")
            row(f"{TITLES[name]}: programs in the kernel", sum(ns for ns, _ in kernel.values()) / n / 1e3, "us each",
                note=", ".join(f"{k} {runs / n:.2f} x {ns / runs:.0f} ns" for k, (ns, runs) in kernel.items() if ns > 20 * n))
    finally:
        BPF_STATS.write_text(before)
        agent.stop()


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    return f"{os.cpu_count()} x {model}, Linux {os.uname().release}, load {load}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"


def main():
    global ARGS
    parser = argparse.ArgumentParser(prog="bench runtime", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("--quick", "--full", "--no-gate", "--json"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--blocks", type=int, default=10, help="of four passes each (10)")
    parser.add_argument("--only", default="idle,cost,loss,storm,attribution,auditd")
    ARGS = parser.parse_args()
    why = docker.missing() or next((f"no {p}" for p in ("wrk", "nginx", "redis-benchmark", "gcc") if not shutil.which(p)), None)
    if why:
        sys.exit(f"bench runtime: {why}")
    OUT.mkdir(parents=True, exist_ok=True)
    say(machine())
    begin, gate, only = time.monotonic(), Gate(), ARGS.only.split(",")
    free = audit_is_free()
    if free:
        audit_off()
        atexit.register(Auditd.control, "-D")
    with docker.Docker(network=False) as d, tempfile.TemporaryDirectory(prefix="bench-", dir=OUT) as folder:
        bed = Bed(d, pathlib.Path(folder))
        for name, run in (("idle", lambda: bench_idle(bed, gate)), ("cost", lambda: bench_cost(bed, gate)), ("loss", lambda: bench_loss(bed, gate)),
                          ("storm", lambda: bench_storm(bed, gate)), ("attribution", lambda: bench_attribution(bed)),
                          ("counts", lambda: bench_counts(bed)), ("auditd", lambda: bench_auditd(bed, gate, free))):
            if name in only:
                run()
        bed.close()
    say(f"{time.monotonic() - begin:.0f} s; {machine()}")


if __name__ == "__main__":
    main()
