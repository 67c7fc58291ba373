"""BPF-LSM in a guest: kernels that do not let its programs be loaded are many, so this one brings its own, in qemu by emulation.

HOLDFAST_GUEST_KERNEL names a vmlinuz as Debian's linux-image-amd64 has it at boot/, with lib/modules beside boot/; without it the
newest of /boot is taken. Skipped where there is none, or no qemu-system-x86_64."""
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import docker
from enforcing import program

ID = "0123456789abcdef" * 4
TIME_S = 400

INIT = r"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /sys/fs/cgroup; mount -t cgroup2 cgroup /sys/fs/cgroup; mount -t securityfs security /sys/kernel/security
ip link set lo up
echo "lsm: $(cat /sys/kernel/security/lsm)"
holdfast runtime enforce --rungs | grep -E '^[a-z]' | sed 's/^/rung: /'
one=/sys/fs/cgroup/docker/ID; two=/sys/fs/cgroup/docker/$(echo ID | tr 0-9a-f f0-9a-e)
mkdir -p $one $two /o; mount -t tmpfs tmpfs /o; mkdir /o/lower /o/upper /o/work /o/root; cp -a /bin /o/lower/
insmod /overlay.ko; mount -t overlay overlay -o lowerdir=/o/lower,upperdir=/o/upper,workdir=/o/work /o/root
cd /o/root; mkdir proc etc tmp one two; mount -t proc proc proc; mount --bind $one one; mount --bind $two two
echo secret > etc/secret; echo open > etc/open; cp /bin/try tmp/dropped
in_cgroup() { unshare -m chroot /o/root sh -c "echo 0 > /$1/cgroup.procs; $2" 2>&1 </dev/null; }
in_cgroup one "exec sleep 1000" &
for rung in bpf-lsm exec-kill,cgroup; do
	printf 'schema: holdfast/enforce/1\ndeny:\n- what: fileless\n- what: drift\n- what: imds\n- what: executables\n  paths: [/bin/evil]\n' > /rules
	[ $rung = bpf-lsm ] && printf -- '- what: files\n  paths: [/etc/secret]\n' >> /rules
	: > /events
	holdfast runtime enforce --container ID --rules /rules --deny --rung $rung --canary-seconds 1 --format json > /events 2>/errors &
	pid=$!
	until grep -q 'is guarded' /events; do sleep 1; done
	for cgroup in one two; do
		say() { echo "said: $rung $cgroup $1: $(in_cgroup $cgroup "$2" | tr '\n' ' ')"; }
		say own /bin/try; say listed /bin/evil; say dropped /tmp/dropped; say memory '/bin/try memory'
		say many '/bin/try many 200 /tmp/dropped'
		say imds '/bin/try connect 169.254.169.254 80'; say imds6 '/bin/try connect fd00:ec2::254 80'; say loopback '/bin/try connect 127.0.0.1 80'
		say secret '/bin/try open /etc/secret'; say open '/bin/try open /etc/open'
	done
	sleep 2
	echo "canary: $rung $(grep -c '"part":"canary","state":"ok"' /events) $(grep -c '"part":"canary","state":"degraded"' /events)"
	holdfast runtime enforce --off >/dev/null; echo "off: $rung $(in_cgroup one /bin/evil) $(in_cgroup one '/bin/try open /etc/secret')"
	kill $pid; wait $pid; sleep 1
	echo "after: $rung $(in_cgroup one /bin/evil)"
done
echo finished
poweroff -f
"""


def overlay_of(kernel):
    version = os.path.basename(kernel).removeprefix("vmlinuz-")
    found = glob.glob(f"{os.path.dirname(kernel)}/../lib/modules/{version}/kernel/fs/overlayfs/overlay.ko")
    return found[0] if found else None


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def guest(holdfast, kernel, folder):
    root = folder / "root"
    for name in ("bin", "proc", "sys", "dev", "tmp", "etc", "run"):
        (root / name).mkdir(parents=True)
    box = next(p for p in docker.package_files("busybox-static") if p.endswith("/busybox") and os.path.isfile(p) and os.access(p, os.X_OK))
    shutil.copy(box, root / "bin/busybox")
    shutil.copy(holdfast, root / "bin/holdfast")
    shutil.copy(overlay_of(kernel), root / "overlay.ko")
    for library in docker.libraries([holdfast]):
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library[1:])
    for name, content in (("bin/try", TRY), ("bin/evil", TRY + b"evil"), ("init", INIT.replace("ID", ID).encode())):
        (root / name).write_bytes(content)
        (root / name).chmod(0o755)
    names = "\n".join(str(p.relative_to(root)) for p in root.rglob("*"))
    archive = subprocess.run(["cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), capture_output=True, check=True).stdout
    (folder / "initrd").write_bytes(archive)
    log = folder / "log"
    try:
        subprocess.run(["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt", "-m", "1200",
                        "-nodefaults", "-display", "none", "-serial", f"file:{log}", "-no-reboot", "-kernel", kernel,
                        "-initrd", folder / "initrd", "-append", "console=ttyS0 quiet panic=-1 mitigations=off"],
                       timeout=TIME_S, capture_output=True)
    except subprocess.TimeoutExpired:
        pass
    return [line.strip() for line in log.read_text(errors="replace").splitlines()]


def answers(rung, cgroup):
    found = {}
    for line in LINES:
        m = re.fullmatch(rf"said: {rung} {cgroup} (\w+): ?(.*)", line)
        if m:
            found[m[1]] = m[2].strip()
    return found


def lsm(_):
    """BPF-LSM: programs, connections and files are denied with EPERM, in 200 of 200 tries"""
    said = answers("bpf-lsm", "one")
    assert said["own"] == "ran" and "not permitted" in said["listed"] and "not permitted" in said["dropped"], said
    assert "not permitted" in said["memory"] and "ran" not in said["many"] and "200 failed" in said["many"], said
    assert said["imds"] == said["imds6"] == "EPERM" and said["loopback"] not in ("EPERM", ""), said
    assert said["secret"] == "EPERM" and said["open"] == "done", said


def kill(_):
    """a kernel without sched_prepare_exec: killed at sched_process_exec, in 200 of 200 tries"""
    said = answers("exec-kill,cgroup", "one")
    assert said["own"] == "ran" and said["secret"] == "done", said
    assert all("ran" not in said[name] for name in ("listed", "dropped", "memory", "many")) and "200 failed" in said["many"], said
    assert said["imds"] == said["imds6"] == "EPERM" and said["loopback"] not in ("EPERM", ""), said


def others(_):
    """a cgroup that was not chosen is untouched"""
    for rung in ("bpf-lsm", "exec-kill,cgroup"):
        said = answers(rung, "two")
        assert said["listed"] == said["dropped"] == said["memory"] == "ran" and said["many"].count("ran") == 200, said
        assert said["imds"] not in ("EPERM", "") and said["secret"] == "done", said


def ends(_):
    """canary, switch, end"""
    for rung in ("bpf-lsm", "exec-kill,cgroup"):
        canary = next(line.split() for line in LINES if line.startswith(f"canary: {rung} "))
        assert int(canary[2]) > 0 and canary[3] == "0", canary
        assert f"off: {rung} ran done" in LINES and f"after: {rung} ran" in LINES


KERNEL = os.environ.get("HOLDFAST_GUEST_KERNEL") or max(glob.glob("/boot/vmlinuz-*"), default="")
TRY = program()
if not shutil.which("qemu-system-x86_64") or not shutil.which("cpio"):
    skip("no qemu-system-x86_64, or no cpio")
if not KERNEL or not overlay_of(KERNEL):
    skip("no kernel for a guest: HOLDFAST_GUEST_KERNEL")
if not TRY or not docker.package_files("busybox-static"):
    skip("no static C compiler, or no busybox-static")
with tempfile.TemporaryDirectory() as place:
    LINES = guest(sys.argv[1], KERNEL, pathlib.Path(place))
for line in LINES:
    if line.startswith(("lsm: ", "rung: bpf-lsm")):
        print("#", line)
if "finished" not in LINES:
    print("#", "\n# ".join(LINES[-30:]))
sys.exit(docker.main([lsm, kill, others, ends], None))
