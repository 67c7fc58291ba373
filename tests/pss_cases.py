#!/usr/bin/env python3
"""pss_cases.py HOLDFAST ROOT: TAP. tests/cases/pss/CONTROL/*.yaml, through the program, at every level and version.

Each object has labels that say at which minor versions it fails this control, baseline and restricted being a level each:
    labels: {baseline: 0-18, restricted: 19-34}       no label: it never does
34 is the newest that is known, so it speaks for all later ones too. What other controls say of the object is not looked at."""
import json
import pathlib
import re
import subprocess
import sys

NEWEST = 34
VERSIONS = [f"v1.{minor}" for minor in range(NEWEST + 3)] + ["latest"]


def minors(text):
    found = set()
    for part in text.split("_") if text else []:
        first, last = map(int, part.split("-"))
        assert 0 <= first <= last <= NEWEST, text
        found |= set(range(first, last + 1))
    return found


def upstream_name(row, root):
    source = (root / "src" / "pss" / f"pss_{row}.c").read_text()
    return re.search(r'\.id = "(\w+)"', source)[1]


def labels_of(path):
    """{(line of the object, its name): labels}, by a reader that knows no more YAML than these files need"""
    found, line = {}, 1
    for document in path.read_text().split("---\n"):
        name = re.search(r"^metadata: \{name: ([\w-]+)", document, re.MULTILINE)
        if name:
            labels = re.search(r"^metadata: .*\blabels: \{([^}]*)\}", document, re.MULTILINE)
            pairs = dict(pair.split(": ") for pair in labels[1].split(", ")) if labels else {}
            assert set(pairs) <= {"baseline", "restricted"}, f"{path}: {pairs}"
            assert name[1] not in found, f"{path}: {name[1]} stands there twice"
            found[name[1]] = {level: minors(pairs.get(level, "").strip('"')) for level in ("baseline", "restricted")}
    return found


def main(holdfast, root):
    cases = root / "tests" / "cases" / "pss"
    rows = re.findall(r"^HF_PSS_CONTROL\((\w+)\)", (root / "src" / "pss" / "controls.def").read_text(), re.MULTILINE)
    expected = {path: labels_of(path) for path in sorted(cases.glob("*/*.yaml"))}
    wrong = {row: [] for row in rows}
    seen = {row: set() for row in rows}
    names = {row: upstream_name(row, root) for row in rows}
    for level in ("privileged", "baseline", "restricted"):
        for version in VERSIONS:
            minor = NEWEST if version == "latest" else min(NEWEST, int(version[3:]))
            done = subprocess.run([holdfast, "kube", "pss", f"{level}:{version}", "--format", "json", "--quiet", cases], capture_output=True)
            assert done.returncode in (0, 1), done.stderr.decode()
            documents = json.loads(done.stdout)["documents"]
            assert len(documents) == sum(map(len, expected.values())), f"{len(documents)} objects"
            for document in documents:
                path, name = pathlib.Path(document["object"]["path"]), document["object"]["name"]
                row = path.parent.name
                want = minor in expected[path][name].get(level, ())
                got = names[row] in [control["id"] for control in document["controls"]]
                seen[row].add(want)
                if want != got:
                    wrong[row].append(f"{path.name}: {name} at {level}:{version} {'fails' if got else 'passes'}")
                if document["allowed"] != (not document["controls"]):
                    wrong[row].append(f"{path.name}: {name} at {level}:{version}: allowed is {document['allowed']}")
    print(f"1..{len(rows)}")
    for number, row in enumerate(rows, 1):
        objects = sum(len(found) for path, found in expected.items() if path.parent.name == row)
        if seen[row] != {True, False}:
            wrong[row].append("there is no case that fails, or none that passes")
        print(f"{'not ok' if wrong[row] else 'ok'} {number} - {names[row]}: {objects} objects at {3 * len(VERSIONS)} policies")
        for line in wrong[row][:20]:
            print(f"# {line}")
    return any(wrong.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()))
