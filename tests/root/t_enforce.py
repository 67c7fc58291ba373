"""Enforcement on real containers: what is denied, what is not touched, and how it ends."""
import json
import os
import shutil
import signal
import subprocess
import sys

import docker
from enforcing import Enforce, program

docker.skip_unless(network=False)
TRY = program()
if not TRY:
    print("1..0 # SKIP no static C compiler")
    sys.exit(0)
probe = subprocess.run([sys.argv[1], "runtime", "enforce", "--rungs"], capture_output=True, text=True).stdout
if "exec-kill      works" not in probe or "cgroup         works" not in probe:
    print("1..0 # SKIP the kernel's programs cannot be loaded here")
    sys.exit(0)
IMDS = "169.254.169.254"


def tries(d, *args, name="one"):
    return str(d("exec", name, *args, status=None))


def asks_for_a_target(d):
    """without a container, or with a rule that no rung can hold, nothing is done"""
    done = subprocess.run([sys.argv[1], "runtime", "enforce", "--rules", "/dev/null", "--deny"], capture_output=True, text=True)
    assert done.returncode == 2 and "never enforced" in done.stderr, done.stderr
    with Enforce(d, "  - what: files\n    paths: [/etc/shadow]\n", "--container", "one", "--deny") as e:
        assert e.child.wait(docker.PATIENCE_S) == 2
        assert "rule files cannot be enforced on this node" in e.stderr(), e.stderr()


def dry_run(d):
    """a dry run says what it would deny and denies nothing"""
    d("exec", "one", "cp", "/bin/try", "/tmp/evil")
    with Enforce(d, "  - what: drift\n  - what: fileless\n  - what: imds\n", "--container", "one") as e:
        e.wait_guarded()
        status = lambda: subprocess.run([sys.argv[1], "runtime", "status", "--state", str(e.folder), "--format", "json"], capture_output=True, text=True)
        docker.wait_until(lambda: json.loads(status().stdout or "{}").get("containers", {}).get("known", 0) >= 2, what="the containers in its status")
        assert tries(d, "/tmp/evil") == "ran"
        assert tries(d, "/bin/try", "memory") == "ran"
        assert tries(d, "/bin/try", "connect", IMDS, "80") != "EPERM"
        e.wait(lambda v: v["kind"] == "denial" and v["denial"]["rule"] == "imds", "the last denial")
        assert [v["denial"]["rule"] for v in e.denials()] == ["drift", "fileless", "imds"], e.denials()
        assert all(v["denial"]["dry_run"] and v["container"]["name"] == "one" for v in e.denials()), e.denials()


def exec_kill(d):
    """a denied program prints nothing in 200 of 200 tries; its neighbour's copy runs"""
    for name in ("one", "two"):
        d("exec", name, "cp", "/bin/try", "/tmp/evil")
    with Enforce(d, "  - what: drift\n  - what: fileless\n", "--container", "one", "--deny") as e:
        e.wait_guarded()
        assert tries(d, "/bin/try", "many", "200", "/tmp/evil") == "ready"
        assert tries(d, "/bin/try", "many", "200", "/bin/try", "memory") == "ready"
        assert tries(d, "/bin/try") == "ran"
        assert tries(d, "/bin/try", "many", "3", "/tmp/evil", name="two").split() == ["ready"] + ["ran"] * 3
        rules = lambda name: [v for v in e.denials() if v["denial"]["rule"] == name and not v["denial"]["dry_run"]]
        docker.wait_until(lambda: len(rules("drift")) == 200 and len(rules("fileless")) == 200, what="400 denials")
        assert rules("drift")[0]["denial"]["object"] == "/tmp/evil" and rules("drift")[0]["denial"]["rung"] == "exec-kill"
        assert not [v for v in e.denials() if v["container"]["name"] != "one"]
    assert tries(d, "/tmp/evil") == "ran"


def listed_programs(d):
    """programs by path: denied ones, or all but those of a profile"""
    with Enforce(d, "  - what: executables\n    paths: [/bin/try]\n", "--container", "one", "--deny") as e:
        e.wait_guarded()
        assert tries(d, "/bin/try") == "" and "sh" in tries(d, "ls", "/bin")
    profile = ("schema: holdfast/profile/1\nworkload:\n  image_digest: sha256:" + "0" * 64 + "\nmode: enforce\ncovered: [executables]\nexecutables:\n"
               "  - path: /bin/busybox\n  - path: /bin/deep\n")
    with Enforce(d, None, "--container", "one", "--deny", profile=profile) as e:
        e.wait_guarded()
        assert tries(d, "/bin/try") == ""
        assert "sh" in tries(d, "ls", "/bin")
        assert tries(d, "/bin/deep", "deep") == ""
        e.wait(lambda v: v["kind"] == "denial" and v["process"]["executable"].get("truncated"), "the denial of a path that was cut")


def connections(d):
    """a denied address gives EPERM, for TCP, UDP and IPv6; others are reached"""
    rules = "  - what: imds\n  - what: peers\n    peers: ['10.1.0.0/16', 'tcp/25 0.0.0.0/0', '2001:db8::/32']\n"
    with Enforce(d, rules, "--container", "one", "--deny") as e:
        e.wait_guarded()
        for how, address, port in (("connect", IMDS, "80"), ("sendto", IMDS, "53"), ("connect-udp", "10.1.2.3", "9"),
                                   ("connect", "127.0.0.1", "25"), ("connect", "2001:db8::1", "80"), ("sendto", "fd00:ec2::254", "80")):
            assert tries(d, "/bin/try", how, address, port) == "EPERM", (how, address)
            assert tries(d, "/bin/try", how, address, port, name="two") != "EPERM", (how, address)
        for how, address, port in (("connect", "127.0.0.1", "80"), ("sendto", "127.0.0.1", "25"), ("sendto", "10.2.0.1", "9")):
            assert tries(d, "/bin/try", how, address, port) != "EPERM", (how, address)
        docker.wait_until(lambda: len(e.denials()) == 6, what="six denials")
        assert {v["denial"]["object"] for v in e.denials()} >= {f"tcp/80 {IMDS}", f"udp/53 {IMDS}", "tcp/25 127.0.0.1"}, e.denials()


def cgroups_below(d):
    """a process in a cgroup below the container's is guarded too"""
    d("exec", "one", "cp", "/bin/try", "/tmp/evil")
    root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    own = next(line.strip()[3:] for line in open(f"/proc/{d.pid('one')}/cgroup") if line.startswith("0::"))
    below = root + own + "/below"
    os.mkdir(below)
    with Enforce(d, "  - what: drift\n", "--container", "one", "--deny") as e:
        e.wait_guarded()
        with d.popen("exec", "-i", "one", "sh", "-c", "echo ready; read x; cat /proc/self/cgroup; /tmp/evil", stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout.readline() == "ready\n"
            pids = open(root + own + "/cgroup.procs").read().split()
            shell = next(p for p in pids if "read x" in open(f"/proc/{p}/cmdline").read())
            open(below + "/cgroup.procs", "w").write(shell)
            said = child.communicate("go\n", timeout=docker.PATIENCE_S)[0]
        assert "/below" in said and "ran" not in said, said
    docker.wait_until(lambda: not open(below + "/cgroup.procs").read(), what="the end of its processes")
    os.rmdir(below)


def devices(d):
    """block devices cannot be made"""
    d("run", "-d", "--name", "maker", "--cap-add", "MKNOD", "--device-cgroup-rule", "b *:* rwm", "box", "sleep", "1000")
    assert tries(d, "/bin/try", "block", name="maker") == "done"
    d("exec", "maker", "rm", "/tmp/block")
    with Enforce(d, "  - what: devices\n", "--container", "maker", "--deny") as e:
        e.wait_guarded()
        assert tries(d, "/bin/try", "block", name="maker") == "EPERM"
        assert tries(d, "/bin/try", "open", "/dev/null", name="maker") == "done"
        assert e.wait(lambda v: v["kind"] == "denial")[0]["denial"]["object"] == "block 7:77"
    d("rm", "-f", "maker")


def switch_and_time(d):
    """the switch ends all denials at once; a rule ends by its time"""
    d("exec", "one", "cp", "/bin/try", "/tmp/evil")
    run = lambda *args: subprocess.run([sys.argv[1], "runtime", "enforce", *args], capture_output=True, text=True)
    with Enforce(d, "  - what: drift\n  - what: imds\n    ttl: 30\n", "--container", "one", "--deny") as e:
        e.wait_guarded()
        assert tries(d, "/bin/try", "connect", IMDS, "80") == "EPERM" and tries(d, "/tmp/evil") == ""
        assert run("--off", "--pid", str(e.child.pid)).returncode == 0
        assert tries(d, "/tmp/evil") == "ran" and tries(d, "/bin/try", "connect", IMDS, "80") != "EPERM"
        e.wait(lambda v: v["kind"] == "health" and "switch was turned off" in v["health"]["message"])
        assert run("--on", "--pid", str(e.child.pid)).returncode == 0
        assert tries(d, "/tmp/evil") == ""
        e.wait(lambda v: v["kind"] == "health" and "rule imds has reached its time" in v["health"]["message"])
        assert tries(d, "/bin/try", "connect", IMDS, "80") != "EPERM" and tries(d, "/tmp/evil") == ""
    assert run("--off", "--pid", str(os.getpid())).returncode == 1


def later_containers(d):
    """a container with the label that is made later is guarded before its first program"""
    with Enforce(d, "  - what: executables\n    paths: [/bin/try]\n", "--label", "guard=yes", "--deny") as e:
        docker.wait_until(lambda: "would deny" in e.stderr() or "denies executables" in e.stderr(), what="readiness")
        for i in range(5):
            assert str(d("run", "--rm", "--label", "guard=yes", "box", "/bin/try", status=None)) == "", i
            assert str(d("run", "--rm", "--label", "guard=no", "box", "/bin/try")) == "ran"
        docker.wait_until(lambda: len(e.denials()) == 5, what="five denials")


def response(d):
    """the last rung kills what runs, and says that this is a response"""
    d("exec", "one", "sh", "-c", "cp /bin/busybox /tmp/sleep")
    with Enforce(d, "  - what: drift\n", "--container", "one", "--deny", "--rung", "response") as e:
        e.wait_guarded()
        assert "response, not prevention" in e.stderr()
        assert d("exec", "one", "/tmp/sleep", "250", status=None).status == 137  # it did not end by itself
        assert e.wait(lambda v: v["kind"] == "denial")[0]["denial"]["rung"] == "response"


def canary(d):
    """the canary is denied; where somebody takes a link away it says so"""
    tool = shutil.which("bpftool")
    root = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    with Enforce(d, "  - what: drift\n  - what: imds\n", "--container", "one", "--deny", "--canary-seconds", "1") as e:
        e.wait_guarded()
        good = lambda v: v["kind"] == "health" and v["health"]["part"] == "canary" and v["health"]["state"] == "ok"
        said = e.wait(good, "a good canary")[0]["health"]["message"]
        assert "a program by exec-kill" in said and "a connection by cgroup" in said, said
        if not tool:
            return "no bpftool"
        cgroup = os.stat(f"{root}/holdfast-canary-{e.child.pid}").st_ino
        links = json.loads(subprocess.run([tool, "-j", "link", "show"], capture_output=True, text=True).stdout)
        mine = [str(v["id"]) for v in links if v["type"] == "cgroup" and v["cgroup_id"] == cgroup]
        assert len(mine) == 4, links
        for link in mine:
            subprocess.run([tool, "link", "detach", "id", link], capture_output=True)
        bad = e.wait(lambda v: v["kind"] == "health" and v["health"]["state"] == "degraded", "a bad canary")[0]
        assert bad["health"]["part"] == "canary" and "forbidden connection was let through" in bad["health"]["message"], bad
        assert "links were taken away" in bad["health"]["message"], bad


def removed(d):
    """a container that is removed takes its links along, which is no alarm"""
    d("run", "-d", "--name", "short", "box", "sleep", "1000")
    with Enforce(d, "  - what: drift\n  - what: imds\n", "--container", "short", "--deny", "--canary-seconds", "1") as e:
        e.wait_guarded()
        d("rm", "-f", "short")
        at = len(e.events)
        good = lambda v: v["kind"] == "health" and v["health"]["part"] == "canary" and v["health"]["state"] == "ok"
        docker.wait_until(lambda: len([v for v in e.read()[at:] if good(v)]) >= 2 or
                          [v for v in e.events if v["kind"] == "health" and v["health"]["state"] == "degraded"], what="the canary")
        bad = [v for v in e.events if v["kind"] == "health" and v["health"]["state"] == "degraded"]
        assert not bad, bad


def ends_with_it(d):
    """when it is killed, nothing is denied any more and the next start sweeps what it left"""
    d("exec", "one", "cp", "/bin/try", "/tmp/evil")
    with Enforce(d, "  - what: drift\n  - what: imds\n", "--container", "one", "--deny") as e:
        e.wait_guarded()
        assert tries(d, "/tmp/evil") == ""
        e.child.send_signal(signal.SIGKILL)
        e.child.wait()
        docker.wait_until(lambda: tries(d, "/tmp/evil") == "ran", what="the end of the denials")
        docker.wait_until(lambda: tries(d, "/bin/try", "connect", IMDS, "80") != "EPERM", what="the end of the denials")


with docker.Docker(network=False) as engine:
    engine.import_image("box", {"bin/try": TRY, "bin/deep": TRY})
    for container in ("one", "two"):
        engine("run", "-d", "--name", container, "box", "sleep", "1000")
    failed = docker.main([asks_for_a_target, dry_run, exec_kill, listed_programs, connections, cgroups_below, devices, switch_and_time,
                          later_containers, response, canary, removed, ends_with_it], engine)
sys.exit(failed)
