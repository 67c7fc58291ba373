"""check_cases.py HOLDFAST ROOT: tests/cases/check/<id>/*.yaml through `kube check`. TAP.
pass*.yaml: nothing fails and something passes; fail*.yaml: something fails, and with the patches that are given out, nothing of what they are
for, which --fix-all writes into the text of the case and into the same as JSON; na*.yaml: not applicable alone; unknown*.yaml: not assessable,
and neither passes nor fails. args: options, one a line, for all files of the check. Each check has at least one of pass* and fail*.
A case that begins with "# cluster NAME" holds several clusters, each behind such a line."""
import concurrent.futures
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

holdfast, root = sys.argv[1], pathlib.Path(sys.argv[2])
folder = root / "tests/cases/check"
CLUSTER = "# cluster "
GONE = object()


def without_gone(value):
    if isinstance(value, list):
        return [without_gone(v) for v in value if v is not GONE]
    return {k: without_gone(v) for k, v in value.items()} if isinstance(value, dict) else value


def answers(check, options, text):
    with tempfile.TemporaryDirectory() as scratch:
        targets = ["-"]
        if text.startswith(CLUSTER):
            targets = []
            for part in text.split(CLUSTER)[1:]:
                name, documents = part.split("\n", 1)
                (pathlib.Path(scratch) / f"{name}.yaml").write_text(documents)
                targets += ["--cluster", f"{name}={scratch}/{name}.yaml"]
        done = subprocess.run([holdfast, "kube", "check", "--format", "json", "--checks", check, *options, *targets], input=text,
                              capture_output=True, text=True, timeout=300)
    if done.returncode:
        return None, done.stderr
    said = json.loads(done.stdout)
    if said["unparsed"]:
        return None, f"unparsed: {said['unparsed']}"
    return said, ""


def patched(documents, results):
    """The documents with all patches applied: an add makes the objects on its way."""
    documents = copy.deepcopy(documents)
    for result in results:
        for target in documents:
            meta = target.get("metadata", {})
            if (target["kind"], meta.get("name", "")) != (result["kind"], result["name"]):
                continue
            if result.get("namespace") not in (None, meta.get("namespace", "default")):
                continue
            for patch in result.get("patch", []):
                *way, last = [p.replace("~1", "/").replace("~0", "~") for p in patch["path"].split("/")[1:]]
                at = target
                for name in way:
                    at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
                if isinstance(at, list):
                    if patch["op"] == "remove":
                        at[int(last)] = GONE  # indices are of the documents as they were
                    else:
                        at.append(patch["value"]) if last == "-" else at.__setitem__(int(last), patch["value"])
                elif patch["op"] == "remove":
                    at.pop(last, None)
                else:
                    at[last] = patch["value"]
    return without_gone(documents)


def judge(check, options, path):
    text = path.read_text()
    said, why = answers(check, options, text)
    if not said:
        return why
    counts = said["checks"][0]
    counts = {k: counts[k] for k in ("pass", "fail", "not_applicable", "not_assessable")}
    wants = {
        "pass": counts["pass"] > 0 and not counts["fail"] and not counts["not_assessable"],
        "fail": counts["fail"] > 0,
        "na": counts["not_applicable"] > 0 and not counts["fail"] and not counts["pass"],
        "unknown": counts["not_assessable"] > 0 and not counts["fail"] and not counts["pass"],
    }
    kind = next((k for k in wants if path.name.startswith(k)), None)
    if kind is None:
        return "the name of a case begins with pass, fail, na or unknown"
    if not wants[kind]:
        return f"{counts} {said['results']}"
    mended = [r for r in said["results"] if r.get("patch")]
    if kind == "fail" and mended:
        documents = patched([d for d in yaml.safe_load_all(text) if d], mended)
        again, why = answers(check, options, yaml.safe_dump_all(documents))
        if not again:
            return why
        if again["checks"][0]["fail"] != counts["fail"] - len(mended):
            return f"with its patches: {again['results']}"
        return fixed(check, options, text, documents)
    return ""


def fixed(check, options, text, wanted):
    """--fix-all makes of the text, and of the same as JSON, what the patches make of the documents."""
    as_json = [json.dumps(d, indent=indent) for indent in (None, 2) for d in [yaml.safe_load(t) for t in text.split("\n---\n")]]
    half = len(as_json) // 2
    for form in text, "\n".join(as_json[:half]), "\n".join(as_json[half:]) + "\n":
        with tempfile.TemporaryDirectory() as temporary:
            path = pathlib.Path(temporary) / "case.yaml"
            path.write_text(form)
            done = subprocess.run([holdfast, "kube", "check", "--fix-all", "--checks", check, *options, str(path)],
                                  capture_output=True, text=True, timeout=300)
            after = path.read_text()
        if done.returncode or "not mended" in done.stderr:
            return f"--fix-all: {done.returncode} {done.stderr}"
        decoder, got, at = json.JSONDecoder(), [], 0
        while form[0] == "{" and at < len(after):
            value, at = decoder.raw_decode(after, at)
            got.append(value)
            at += len(after[at:]) - len(after[at:].lstrip())
        if form[0] != "{":
            got = [d for d in yaml.safe_load_all(after) if d]
        if got != wanted:
            return f"--fix-all made of it: {after}"
    return ""


listed = subprocess.run([holdfast, "kube", "check", "--list"], capture_output=True, text=True, check=True).stdout
checks = [line.split()[0] for line in listed.splitlines()]
cases = []
for check in checks:
    files = sorted((folder / check).glob("*.yaml")) if (folder / check).is_dir() else []
    cases.append((check, None, sum(f.name.startswith("pass") for f in files) and sum(f.name.startswith("fail") for f in files)))
    cases += [(check, f, None) for f in files]
strays = sorted(p.name for p in folder.iterdir() if p.name not in checks)
print(f"1..{len(cases) + 1}")
failed = 0


def verdict(case):
    check, path, complete = case
    options = (folder / check / "args").read_text().split("\n")[:-1] if (folder / check / "args").exists() else []
    return judge(check, options, path) if path else "" if complete else "has no case that passes, or none that fails"


with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # each case waits for processes
    verdicts = list(pool.map(verdict, cases))
for number, ((check, path, complete), why) in enumerate(zip(cases, verdicts), 1):
    failed += why != ""
    print(f"{'not ' if why else ''}ok {number} - {check} {path.name if path else 'has cases'}")
    if why:
        print("# " + why.replace("\n", "\n# "))
print(f"{'not ' if strays else ''}ok {len(cases) + 1} - all cases are of checks that there are {strays or ''}")
sys.exit(failed > 0 or bool(strays))
