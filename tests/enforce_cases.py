"""enforce_cases.py HOLDFAST ROOT: tests/cases/enforce through `runtime enforce --replay`. TAP.
<case>/trace.jsonl with rules.yaml or profile.yaml and perhaps args, an option a line; expect.txt: a line RULE TIMES IMAGE OWNER OBJECT
for what would be denied, at last DENIED of EVENTS."""
import json
import pathlib
import subprocess
import sys

holdfast, root = sys.argv[1], pathlib.Path(sys.argv[2])
cases = sorted(p for p in (root / "tests/cases/enforce").iterdir() if p.is_dir())
failed = 0
print(f"1..{2 * len(cases)}")
for number, case in enumerate(cases):
    command = [holdfast, "runtime", "enforce", "--replay", case / "trace.jsonl"]
    for option in ("rules", "profile"):
        if (case / f"{option}.yaml").exists():
            command += [f"--{option}", case / f"{option}.yaml"]
    if (case / "args").exists():
        command += (case / "args").read_text().split("\n")[:-1]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, timeout=300)
    table = subprocess.run(command, capture_output=True, text=True, timeout=300)
    wanted = (case / "expect.txt").read_text().splitlines()
    got = []
    if done.returncode == 0:
        said = json.loads(done.stdout)
        got = [f"{r['rule']} {r['times']} {r['image']} {r.get('owner', '-')} {r['object']}" for r in said["rows"]]
        got.append(f"{said['denied']} of {said['events']}")
    good = got == wanted
    print(f"{'' if good else 'not '}ok {2 * number + 1} - {case.name}")
    if not good:
        print("# wanted", *wanted, "got", *got, done.stderr, sep="\n# ")
    rows = table.stdout.splitlines()
    tells = table.returncode == 0 and len(rows) == len(wanted) + 1 and rows[-1].startswith(wanted[-1]) and "nothing was" in rows[-1]
    print(f"{'' if tells else 'not '}ok {2 * number + 2} - {case.name}, the table says as much")
    if not tells:
        print("#", table.stdout.replace("\n", "\n# "), table.stderr)
    failed += not good or not tells
sys.exit(failed > 0)
