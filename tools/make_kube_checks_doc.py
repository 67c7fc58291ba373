#!/usr/bin/env python3
"""make_kube_checks_doc.py HOLDFAST ROOT [--check]: writes docs/kube-checks.md from `holdfast kube check --list --format json`.
What stands above the marker line is written by hand and stays. --check: says whether it is current, as TAP."""
import json
import pathlib
import subprocess
import sys

MARKER = "<!-- From here on made by tools/make_kube_checks_doc.py from the tables of src/check. -->\n"


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def tables(holdfast):
    said = subprocess.run([holdfast, "kube", "check", "--list", "--format", "json"], capture_output=True, check=True).stdout
    out, group = [MARKER], None
    for check in json.loads(said)["checks"]:
        if check["group"] != group:
            group = check["group"]
            out.append(f"\n## {group}\n")
        out.append(f"\n### {check['id']}: {cell(check['title'])}\n\n`{check['name']}`, {check['severity']}. "
                   f"{cell(check['why'])}\n\nFix: {cell(check['fix'])}\n")
        if check["references"]:
            out.append(f"\nAlso known as: {', '.join(check['references'])}\n")
    return "".join(out)


def main():
    holdfast, root = sys.argv[1], pathlib.Path(sys.argv[2])
    page = root / "docs/kube-checks.md"
    text = page.read_text()
    if MARKER not in text:
        sys.exit(f"{page}: has no line {MARKER}")
    wanted = text[: text.index(MARKER)] + tables(holdfast)
    if "--check" not in sys.argv:
        page.write_text(wanted)
        return 0
    current = text == wanted
    print(f"1..1\n{'' if current else 'not '}ok 1 - docs/kube-checks.md is current")
    if not current:
        print("# run tools/make_kube_checks_doc.py HOLDFAST ROOT")
    return not current


sys.exit(main())
