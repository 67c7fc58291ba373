"""rbac_cases.py HOLDFAST ROOT: TAP. Each folder of tests/cases/rbac: input.yaml, and in expect.txt what `kube rbac` is to find: a line a
finding, "SEVERITY HF-RBAC-NNN SUBJECT [in NAMESPACE]", in any order, behind one about cluster-admin its steps, indented."""
import json
import pathlib
import subprocess
import sys


def subject(s):
    name = s["name"] if s["kind"] != "ServiceAccount" else f"{s['namespace']}/{s['name']}"
    return {"User": "user ", "Group": "group ", "ServiceAccount": "sa "}[s["kind"]] + name


def line(f):
    who = subject(f["subject"]) if "subject" in f else f["granted_by"]["binding"]["name"]
    text = f"{f['severity']} {f['id']} {who}" + (f" in {f['namespace']}" if "namespace" in f else "")
    return "\n    ".join([text] + [step["step"] for step in f.get("path", [])])


def found(program, case):
    done = subprocess.run([program, "kube", "rbac", "check", "-f", "json", case / "input.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, f"{done.returncode}\n{done.stderr}"
    out = json.loads(done.stdout)
    assert out["schema"] == "holdfast/rbac/1"
    for f in out["findings"]:
        for key in ("title", "why", "fix"):
            assert f[key], f"{f['id']} has no {key}"
    return sorted(line(f) for f in out["findings"])


def expected(case):
    entries = []
    for text in (case / "expect.txt").read_text().splitlines():
        if text.startswith(" "):
            entries[-1] += "\n    " + text.strip()
        elif text and not text.startswith("#"):
            entries.append(text)
    return sorted(entries)


cases = sorted(p for p in (pathlib.Path(sys.argv[2]) / "tests/cases/rbac").iterdir() if p.is_dir())
bad = False
print(f"1..{len(cases)}")
for number, case in enumerate(cases, 1):
    try:
        got, want = found(sys.argv[1], case), expected(case)
        assert got == want, "\n".join(["-" + x for x in want if x not in got] + ["+" + x for x in got if x not in want])
        print(f"ok {number} - {case.name}")
    except Exception as error:
        bad = True
        print(f"not ok {number} - {case.name}\n# " + str(error).replace("\n", "\n# "))
sys.exit(bad)
