"""profile_cases.py HOLDFAST ROOT: tests/cases/profile, through the program. TAP.
learn/<case>: trace.jsonl becomes expect.yaml (empty: nothing is learned); expect.err: what standard error says, a line each.
judge/<case>: events.jsonl against profile.yaml; expect.txt: a line an event, PART=VERDICT[:RULE] for each observation."""
import json
import pathlib
import subprocess
import sys
import tempfile

holdfast, root = sys.argv[1], pathlib.Path(sys.argv[2])
results = []


def run(*args, **options):
    return subprocess.run([holdfast, "runtime", *map(str, args)], capture_output=True, text=True, timeout=300, **options)


def learn(case, out):
    done = run("learn", "--replay", case / "trace.jsonl", "-o", out)
    if done.returncode:
        return done.stderr
    files = [p for p in out.rglob("*") if p.is_file()]
    got = files[0].read_text() if files else ""
    if len(files) > 1 or got != (case / "expect.yaml").read_text():
        return got
    for line in (case / "expect.err").read_text().splitlines():
        if line not in done.stderr:
            return f"'{line}' is not in: {done.stderr}"
    again = run("learn", "--replay", case / "trace.jsonl", "-o", out / "again", "--format", "json")
    if again.returncode or len(json.loads(again.stdout)["profiles"]) != len(files):
        return again.stdout + again.stderr
    return ""


def judge(case, _):
    done = run("profile", "explain", case / "profile.yaml", case / "events.jsonl", "--format", "json")
    if done.returncode:
        return done.stderr
    events = (case / "events.jsonl").read_text().splitlines()
    wanted = (case / "expect.txt").read_text().splitlines()
    got = []
    for line in done.stdout.splitlines():
        words = []
        for v in json.loads(line)["verdicts"]:
            verdict = v["verdict"].replace(" ", "_")
            words.append(f"{v['part']}={verdict}" + ("" if verdict == "allow" else ":" + v["rule"]))
        got.append(" ".join(words))
    if len(got) != len(events):
        return f"{len(events)} events, {len(got)} answers"
    return "".join(f"{e}\n  wanted '{w}'\n  got    '{g}'\n" for e, w, g in zip(events, wanted, got) if w != g)


def whole_life(out):
    """learn twice adds up; diff, merge and verify agree with what was learned; gates."""
    case = root / "tests/cases/profile/learn/replicas"
    steps = [run("learn", "--replay", case / "trace.jsonl", "-o", out / d) for d in ("a", "b", "b")]
    if any(s.returncode for s in steps):
        return steps[0].stderr + steps[2].stderr
    a, b = (next((out / d).rglob("*.yaml")) for d in ("a", "b"))
    if "replicas: 4\n" not in b.read_text() or "count: 6\n" not in b.read_text():
        return b.read_text()
    merged = run("profile", "merge", a, a)
    if merged.stdout != b.read_text():
        return "merge differs from learning twice: " + merged.stdout + merged.stderr
    same = run("profile", "diff", a, b, "--fail-on", "any")
    if same.returncode or same.stdout:
        return "counts are no difference: " + same.stdout
    text = a.read_text().replace("/bin/date", "/bin/evil").replace("- bind", "- mount").replace("[web,", "[web, \"-x\",")
    (out / "c.yaml").write_text(text)
    diff = run("profile", "diff", a, out / "c.yaml", "--fail-on", "new")
    if diff.returncode != 1 or [line.split()[0:3] for line in diff.stdout.splitlines()] != [
            ["-", "executables", "/bin/date"], ["+", "executables", "/bin/evil"], ["~", "executables", "/usr/bin/web"],
            ["~", "capabilities", "CAP_NET_BIND_SERVICE"]]:
        return diff.stdout + diff.stderr
    as_json = json.loads(run("profile", "diff", a, out / "c.yaml", "--format", "json").stdout)
    if [c["change"] for c in as_json["changes"]] != ["gone", "new", "changed", "changed"]:
        return str(as_json)
    if run("profile", "verify", a, b).returncode or run("profile", "show", a, "--format", "yaml").stdout != a.read_text():
        return "verify or show"
    (out / "bad.yaml").write_text(a.read_text() + "executable: []\n")
    bad = run("profile", "verify", out / "bad.yaml")
    if bad.returncode != 2 or "line " not in bad.stderr or "bad.yaml" not in bad.stderr:
        return "a bad profile: " + bad.stderr
    kept = a.read_text()
    a.write_text(kept + "executable: []\n")
    over = run("learn", "--replay", case / "trace.jsonl", "-o", out / "a")
    if over.returncode != 2 or a.read_text() != kept + "executable: []\n":
        return "a profile that cannot be read must stay as it is: " + over.stderr
    a.write_text(kept.replace("mode: learn", "mode: enforce"))
    why = run("profile", "explain", a)
    if "seen 2 times in 2 of 2 replicas" not in why.stdout:
        return why.stdout
    gate = run("profile", "explain", a, root / "tests/cases/profile/judge/observe/events.jsonl", "--fail-on", "alert")
    if gate.returncode != 1:
        return "explain --fail-on alert: " + gate.stderr
    other = kept.replace("ab" * 32, "cd" * 32)
    (out / "other.yaml").write_text(other)
    if run("profile", "merge", a, out / "other.yaml").returncode != 2:
        return "profiles of two images are merged"
    return ""


def watched(out):
    """runtime watch holds each event against the profile of its workload; grouped with the alerts of rules; broken profiles are said."""
    trace = root / "tests/cases/profile/learn/replicas/trace.jsonl"
    run("learn", "--replay", trace, "-o", out / "p")
    profile = next((out / "p").rglob("*.yaml"))
    events = root / "tests/cases/profile/judge/observe/events.jsonl"
    replay = ["watch", "--replay", events, "--judge", "--all-alerts", "--profiles", out / "p", "--output", f"json={out}/alerts,kinds=alert"]

    def alerts():
        (out / "alerts").unlink(missing_ok=True)
        done = run(*replay)
        lines = [json.loads(line) for line in (out / "alerts").read_text().splitlines()]
        return done, {(a["alert"]["event"], a["alert"]["rule"]) for a in lines if a["alert"]["rule"].startswith("profile.")}

    done, got = alerts()
    if done.returncode or got:
        return f"while it learns: {got} {done.stderr}"
    profile.write_text(profile.read_text().replace("mode: learn", "mode: observe"))
    done, got = alerts()
    for wanted in (("e2", "profile.executable"), ("e14", "profile.executable"), ("e41", "profile.listen"), ("e61", "profile.capability")):
        if wanted not in got:
            return f"{wanted} is not in {got} {done.stderr}"
    if ("e16", "profile.executable") in got or any(rule == "profile.library" for _, rule in got):
        return f"the runtime's own, or a part that was not looked at: {got}"
    profile.write_text(profile.read_text() + "x: 1\n")
    done, got = alerts()
    if done.returncode or got or "is no key here" not in done.stderr or done.stderr.count("has no profile") != 1:
        return f"a broken profile: {got} {done.stderr}"
    return ""


whole = [("a profile's whole life", whole_life), ("profiles are watched", watched)]
cases = [(kind, path) for kind in (learn, judge) for path in sorted((root / "tests/cases/profile" / kind.__name__).iterdir())]
print(f"1..{len(cases) + len(whole)}")
runs = [(f"{kind.__name__}/{path.name}", lambda out, kind=kind, path=path: kind(path, out)) for kind, path in cases] + whole
for number, (title, check) in enumerate(runs, 1):
    with tempfile.TemporaryDirectory() as scratch:
        why = check(pathlib.Path(scratch))
    print(f"{'not ok' if why else 'ok'} {number} - {title}")
    print("".join(f"# {line}\n" for line in why.splitlines()), end="")
