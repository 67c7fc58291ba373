#!/usr/bin/env python3
"""`kube reach --format json` beside what was derived by hand: reach_cases.py HOLDFAST ROOT. TAP.

tests/cases/reach/<case>/*.yaml is the cluster. expect.json lists connections as "SRC -> DST PROTOCOL [PORT|FIRST-LAST]…";
notes.json (optional) what standard error has to say: notes of losses, with which --strict gives 3; told.json the same of others.
"""
import json
import pathlib
import subprocess
import sys


def pair(text):
    src, rest = text.split(" -> ")
    dst, protocol, *ports = rest.split(" ")
    return src, dst, protocol, tuple(tuple(int(p) for p in (r.split("-") * 2)[:2]) for r in ports)


def judge(holdfast, case):
    files = sorted(map(str, case.glob("*.yaml")))
    run = subprocess.run([holdfast, "kube", "reach", "--format", "json", *files], capture_output=True, text=True)
    if run.returncode:
        return [f"exit {run.returncode}: {run.stderr}"]
    document = json.loads(run.stdout)
    wrong = [] if document["schema"] == "holdfast/reach/1" and list(document) == ["schema", "connections"] else ["schema"]
    rows = [(c["src"], c["dst"], c["protocol"], tuple(map(tuple, c.get("ports", [])))) for c in document["connections"]]
    wanted = [pair(e) for e in json.loads((case / "expect.json").read_text())]
    wrong += [f"twice: {r}" for r in sorted(set(rows)) if rows.count(r) > 1]
    wrong += [f"not listed: {r}" for r in sorted(set(wanted) - set(rows))]
    wrong += [f"listed: {r}" for r in sorted(set(rows) - set(wanted))]
    notes = json.loads((case / "notes.json").read_text()) if (case / "notes.json").exists() else []
    wrong += [f"no note: {n}" for n in notes if n not in run.stderr]
    told = json.loads((case / "told.json").read_text()) if (case / "told.json").exists() else []
    wrong += [f"no note: {n}" for n in told if n not in run.stderr]
    strict = subprocess.run([holdfast, "kube", "reach", "--strict", *files], capture_output=True, text=True).returncode
    wrong += [] if strict == (3 if notes else 0) else [f"--strict gives {strict}"]
    return wrong


def judge_made_cluster(holdfast, root):
    """The cluster of benchmarks: the same as YAML and as JSON, and nothing in it that is not understood."""
    outs = []
    for form in ("yaml", "json"):
        made = subprocess.run([sys.executable, f"{root}/tests/bench/make_cluster.py", "--pods", "60", "--policies", "40", "--roles", "10",
                               "--namespaces", "4", "--format", form], capture_output=True, text=True, check=True)
        run = subprocess.run([holdfast, "kube", "reach", "--format", "json", "--strict", "-"], input=made.stdout, capture_output=True, text=True)
        outs.append((run.returncode, run.stdout))
    wrong = [] if outs[0] == outs[1] and outs[0][0] == 0 else [f"exit {outs[0][0]} and {outs[1][0]}, or other connections"]
    return wrong + ([] if '"src"' in outs[0][1] else ["no connections"])


def main():
    holdfast, root = sys.argv[1:]
    cases = sorted(p for p in pathlib.Path(root, "tests/cases/reach").iterdir() if p.is_dir())
    print(f"1..{len(cases) + 1}")
    for i, case in enumerate([*cases, None], 1):
        wrong = judge(holdfast, case) if case else judge_made_cluster(holdfast, root)
        print(f"{'not ok' if wrong else 'ok'} {i} - {case.name if case else 'a cluster for benchmarks'}")
        for w in wrong:
            print(f"# {w}")


main()
