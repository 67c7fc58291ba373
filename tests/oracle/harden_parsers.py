"""harden_parsers.py ROOT: what the rows of src/harden write (tests/cases/harden) to the formats' own parsers: apparmor_parser,
systemd-analyze, Python's JSON, PyYAML. TAP; what is not installed is skipped."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
os.environ["PATH"] += ":/usr/sbin:/sbin"


def apparmor(path):
    if not shutil.which("apparmor_parser"):
        return "SKIP no apparmor_parser"
    done = subprocess.run(["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--warn=all", path], capture_output=True, text=True)
    return done.stderr if done.returncode else None


def exposure(folder):
    out = subprocess.run(["systemd-analyze", "security", "--offline=yes", folder / "u.service"], capture_output=True, text=True).stdout
    found = re.search(r"exposure level for u.service: ([\d.]+)", out)
    return float(found[1]) if found else None


def systemd(path):
    if not shutil.which("systemd-analyze"):
        return "SKIP no systemd-analyze"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "u.service").write_text("[Service]\nExecStart=/bin/true\n")
        before = exposure(folder)
        (folder / "u.service.d").mkdir()
        shutil.copy(path, folder / "u.service.d/x.conf")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", folder / "u.service"], capture_output=True, text=True)
        after = exposure(folder)
        if done.returncode or "x.conf" in done.stderr:
            return done.stderr
        return None if before is None or after < before else f"the exposure was {before} and is {after}"


def seccomp(path):
    profile = json.loads(path.read_text())
    return None if profile["defaultAction"] == "SCMP_ACT_ERRNO" and all(r["names"] and r["action"].startswith("SCMP_ACT_") for r in profile["syscalls"]) else "shape"


def yaml(path):
    try:
        import yaml as parser
    except ImportError:
        return "SKIP no PyYAML"
    document = parser.safe_load(path.read_text())
    if path.parts[-3] == "compose":
        [service] = document["services"].values()
        return None if set(service) <= {"cap_drop", "cap_add", "security_opt", "read_only", "tmpfs", "volumes"} and service["cap_drop"] == ["ALL"] else service
    [container] = document["spec"]["containers"]
    mounts, volumes = container.get("volumeMounts", []), document["spec"].get("volumes", [])
    good = container["securityContext"]["capabilities"]["drop"] == ["ALL"] and [m["name"] for m in mounts] == [v["name"] for v in volumes]
    # The API server's own rule: no CAP_SYS_ADMIN without escalation.
    no_escalation = container["securityContext"].get("allowPrivilegeEscalation") is False
    good = good and not (no_escalation and "SYS_ADMIN" in container["securityContext"]["capabilities"].get("add", []))
    return None if good else document


def main():
    parsers = {"apparmor": apparmor, "systemd": systemd, "seccomp": seccomp, "compose": yaml, "kubernetes": yaml}
    paths = [p for row in parsers for p in sorted((ROOT / "tests/cases/harden" / row).glob("*/expect"))]
    failed = not paths
    print(f"1..{len(paths)}")
    for n, path in enumerate(paths, 1):
        why = parsers[path.parts[-3]](path)
        name = f"{path.parts[-3]}/{path.parts[-2]}"
        if why and str(why).startswith("SKIP"):
            print(f"ok {n} - {name} # {why}")
            continue
        failed |= why is not None
        print(f"{'ok' if why is None else 'not ok'} {n} - {name}")
        for line in str(why).splitlines() if why else []:
            print("# " + line)
    return failed


sys.exit(main())
