"""Drift by digest in real containers: what only copies a file of the image up is silent, what changes or adds bytes is not."""
import hashlib
import os
import pathlib
import sys
import subprocess

import docker

BUILD = pathlib.Path(sys.argv[1]).parent
docker.skip_unless()
failed = number = 0


def drift(pid, *paths, options=()):
    words = [w for path in paths for w in (str(pid), path)]
    done = subprocess.run([BUILD / "tests/drift_dump", *options, *words], capture_output=True, text=True, check=True, timeout=300)
    return [line.split(" ", 3) for line in done.stdout.splitlines()]


def is_(what, got, wanted):
    global failed, number
    number += 1
    ok = [g[0] for g in got] == list(wanted)
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {number} - {what}")
    if not ok:
        print(f"# wanted {list(wanted)}\n# got    {got}")


def files():
    body = bytes(range(256)) * 300
    made = {f"opt/tool-{n}": (b"\x7fELF" + bytes([n]) + body, 0o755) for n in range(10)}
    made["opt/lib/libx.so.1"] = (b"\x7fELF\x01" + body, 0o644)
    made["opt/libx.so"] = "-> lib/libx.so.1"
    made["usr/bin/apt-get"] = (b"\x7fELF\x02" + body, 0o755)
    made["opt/run.sh"] = (b"#!/bin/sh\necho of the image\n", 0o755)
    return made


def copy_ups(d, pid):
    d("exec", "one", "sh", "-c", "chmod 700 /opt/tool-0; chown 1:1 /opt/tool-1; ln /opt/tool-2 /opt/linked; mv /opt/tool-3 /opt/renamed; touch /opt/tool-9")
    is_("chmod, chown, a hard link, a rename and touch are silent",
        drift(pid, "/opt/tool-0", "/opt/tool-1", "/opt/tool-2", "/opt/linked", "/opt/renamed", "/opt/tool-9"), ["metadata_only"] * 6)
    is_("what nobody touched is the image's", drift(pid, "/opt/tool-4", "/bin/busybox", "/bin/sh", "/opt/libx.so"), ["image"] * 4)
    inode = d("exec", "one", "stat", "-c", "%i", "/opt/renamed")
    is_("the inode that the container sees is the file's", drift(pid, "/opt/renamed", options=["--inode", inode]), ["metadata_only"])
    is_("another inode is another file, which is gone", drift(pid, "/opt/renamed", options=["--map", "--inode", "1"]), ["unknown"])
    digests = drift(pid, "/opt/tool-0")[0]
    assert digests[1] == digests[2] and digests[1].startswith("sha256:"), digests


def changes(d, pid):
    one = "printf X | dd of=%s bs=1 seek=5000 conv=notrunc 2>/dev/null; "
    d("exec", "one", "sh", "-c", one % "/opt/tool-5" + "echo more >>/opt/tool-6; mv /opt/tool-7 /opt/moved; " + one % "/opt/moved")
    is_("one changed byte, one more line, and a changed byte under a new name are modified",
        drift(pid, "/opt/tool-5", "/opt/tool-6", "/opt/moved"), ["modified"] * 3)
    d("exec", "one", "sh", "-c", "cp -p /opt/tool-8 /opt/tmp; rm /opt/tool-8; cp -p /opt/tmp /opt/tool-8; rm /bin/vi; cp /bin/busybox /bin/vi")
    is_("a file that was replaced by the same bytes is the image's in all that counts; in place of a link it is new",
        drift(pid, "/opt/tool-8", "/bin/vi"), ["metadata_only", "new"])
    d("exec", "one", "sh", "-c", "cp /bin/busybox /tmp/sleep; cp /opt/lib/libx.so.1 /opt/lib/libevil.so; echo '#!/bin/sh' >/opt/evil.sh; ln -s /opt/evil.sh /opt/evil")
    is_("a dropped program, library and script are new", drift(pid, "/tmp/sleep", "/opt/lib/libevil.so", "/opt/evil.sh", "/opt/evil"), ["new"] * 4)
    d("exec", "one", "sh", "-c", "echo echo more >>/opt/run.sh")
    is_("a changed script is modified", drift(pid, "/opt/run.sh", options=["--map"]), ["modified"])


def held(d, pid):
    """names that are gone, other file systems, processes that are gone"""
    d("exec", "-d", "one", "/tmp/sleep", "1000")
    find = lambda: next((int(p) for p in os.listdir("/proc") if p.isdigit() and argv_of(p)[:2] == [b"/tmp/sleep", b"1000"]), None)
    dropped = docker.wait_until(find)
    d("exec", "one", "rm", "/tmp/sleep")
    got = drift(dropped, "/tmp/sleep", options=["--deleted"])
    is_("a deleted program is new, and its digest is known", got, ["new"])
    is_("a program on a tmpfs is new", drift(pid, "/dev/shm/x"), ["new"])
    is_("a file of a volume cannot be told", drift(pid, "/data/x"), ["unknown"])
    is_("what lies in memory alone is new", drift(dropped, "/memfd:x", options=["--memory"]), ["new"])
    is_("without a process and without its mounts it cannot be told", drift(0, "/opt/tool-5"), ["unknown"])
    words = [str(pid), "/opt/tool-5", "0", "/opt/tool-5", "0", "/opt/tool-4"]
    out = subprocess.run([BUILD / "tests/drift_dump", "--thread", "--container", "7", *words], capture_output=True, text=True, check=True)
    is_("once its mounts are known, the process may be gone", [l.split(" ", 3) for l in out.stdout.splitlines()], ["modified", "modified", "image"])
    is_("a process of the machine has no overlay", drift(os.getpid(), "/bin/sh"), ["unknown"])


def other_roots(d, pid):
    """paths that name the image's file only in a root of the process's own, and files that nobody holds any more"""
    d("exec", "one", "sh", "-c", "mkdir -p /opt/root/bin; cp /bin/busybox /opt/root/bin/; echo x >>/opt/root/bin/busybox")
    d("exec", "-d", "one", "chroot", "/opt/root", "/bin/busybox", "sleep", "2000")
    find = lambda: next((int(p) for p in os.listdir("/proc") if p.isdigit() and argv_of(p)[:3] == [b"/bin/busybox", b"sleep", b"2000"]), None)
    caged = docker.wait_until(find)
    words = [str(pid), "/opt/tool-5", str(caged), "/bin/busybox"]
    dump = lambda *options: [l.split(" ", 3) for l in subprocess.run(
        [BUILD / "tests/drift_dump", "--container", "7", *options, *words], capture_output=True, text=True, check=True).stdout.splitlines()]
    got = dump("--upper")[1:]
    is_("a program of another root under the name of the image's is new", got, ["new"])
    with open(f"/proc/{caged}/exe", "rb") as f:
        assert got[0][1] == "sha256:" + hashlib.sha256(f.read()).hexdigest(), got
    words = [str(pid), "/opt/tool-5", "0", "/opt/not-there", "0", "/opt/tool-4"]
    is_("what was written and is lost is known by its path: it is never the image's", dump("--upper"), ["modified", "new", "new"])
    is_("what lies on a file system of its own is not the image's", dump("--device", "1"), ["new"] * 3)
    d("exec", "one", "sh", "-c", "rm /opt/tool-2")
    words = [str(pid), "/opt/tool-5", "0", "/opt/tool-2"]
    is_("where the image had a file of another size it was modified", dump("--upper", "--size", "7", "--deleted"), ["modified", "modified"])
    is_("of one size it cannot be told", dump("--upper", "--deleted")[1:], ["unknown"])


def argv_of(pid):
    try:
        return pathlib.Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def package_managers(d, pid):
    d("exec", "one", "sh", "-c", "cp /bin/busybox /usr/bin/dpkg; cp /bin/busybox /opt/installed")
    by = lambda *who: drift(pid, "/opt/installed", options=[w for p in who for w in ("--ancestor", p)])
    is_("below the image's package manager", by("/bin/sh", "/usr/bin/apt-get"), ["package_manager"])
    is_("one that is not the image's does not count", by("/usr/bin/dpkg"), ["new"])
    is_("nor does one that is not there, or something else", by("/usr/bin/rpm", "/bin/busybox"), ["new"])
    is_("an untouched file stays the image's", drift(pid, "/opt/tool-4", options=["--ancestor", "/usr/bin/apt-get"]), ["image"])


def shares(d, pid):
    """large files of one container do not keep the others waiting; what needs no bytes is always known"""
    d("exec", "one", "sh", "-c", "for i in 1 2 3 4 5 6; do head -c 40000000 /dev/zero >/opt/big-$i; done")
    got = drift(pid, *[f"/opt/big-{i}" for i in range(1, 7)], options=["--container", "8"])
    is_("large new files are known to be new", got, ["new"] * 6)
    is_("and are not read", [[g[1]] for g in got], ["-"] * 6)


def layers(d):
    """whiteouts and opaque folders between layers of the image"""
    d("run", "--name", "second", "box", "sh", "-c", "rm /opt/tool-0; rm -r /opt/lib; mkdir /opt/lib; echo a >/opt/lib/a; echo 2 >>/opt/tool-1")
    d("commit", "second", "box2")
    d("run", "-d", "--name", "two", "box2", "sleep", "1000")
    pid = d.pid("two")
    d("exec", "two", "sh", "-c", "cp /opt/tool-2 /opt/tool-0; cp /opt/tool-2 /opt/lib/libx.so.1; chmod 700 /opt/tool-1 /opt/lib/a")
    is_("what an upper layer removed is not the image's any more; what it wrote is",
        drift(pid, "/opt/tool-0", "/opt/tool-1", "/opt/tool-2"), ["new", "metadata_only", "image"])
    is_("a folder that an upper layer made anew hides the old one", drift(pid, "/opt/lib/libx.so.1", "/opt/lib/a"), ["new", "metadata_only"])


def main():
    print("1..28")
    with docker.Docker(network=False) as d:
        d.import_image("box", files())
        shared = d.folder / "shared"
        shared.mkdir()
        (shared / "x").write_bytes(b"#!/bin/sh\n")
        d("run", "-d", "--name", "one", "-v", f"{shared}:/data", "box", "sleep", "1000")
        d("exec", "one", "sh", "-c", "cp /bin/busybox /dev/shm/x")
        pid = d.pid("one")
        copy_ups(d, pid)
        changes(d, pid)
        held(d, pid)
        package_managers(d, pid)
        other_roots(d, pid)
        shares(d, pid)
        layers(d)
    return failed or number != 28


sys.exit(bool(main()))
