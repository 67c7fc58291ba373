"""test-summary.py BUILD...: adds up the last test run of each build folder, prints the reason of each skipped test, and
ends with "N passed, N failed, N skipped". A test that speaks TAP counts by its points, others as one."""
import json
import pathlib
import re
import sys

POINT = re.compile(r"^(not ok|ok)\b[ \d]*(?:- )?(.*)$")
SKIP = re.compile(r"#\s*skip\s*(.*)$", re.IGNORECASE)


def points(text):
    """(name, passed or None for skipped, reason) of each TAP line"""
    found = []
    for line in text.splitlines():
        hit = POINT.match(line)
        if hit:
            skip = SKIP.search(hit[2])
            found.append((hit[2], None if skip else hit[1] == "ok", skip[1] if skip else ""))
        elif re.match(r"^1\.\.0\s*#\s*skip", line, re.IGNORECASE):
            found.append(("all", None, SKIP.search(line)[1]))
    return found


def last_words(test):
    lines = [line for line in (test.get("stdout", "") + test.get("stderr", "")).splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"


def main(folders):
    passed = failed = 0
    skipped = []
    for folder in folders:
        log = pathlib.Path(folder, "meson-logs", "testlog.json")
        if not log.exists():
            print(f"{folder}: no tests were run")
            failed += 1
            continue
        for line in log.read_text().splitlines():
            test = json.loads(line)
            name, result = test["name"], test["result"]
            inside = points(test.get("stdout", ""))
            if result == "SKIP" and not any(p[1] is None for p in inside):
                skipped.append((folder, name, last_words(test)))
                continue
            bad = sum(1 for p in inside if p[1] is False)
            passed += sum(1 for p in inside if p[1] is True)
            skipped += [(folder, f"{name}: {p[0].split('#')[0].strip()}", p[2]) for p in inside if p[1] is None]
            failed += bad
            if result == "OK" and not inside:
                passed += 1
            elif result not in ("OK", "SKIP") and not bad:
                failed += 1
                print(f"{folder}: {name}: {result}")
    for folder, name, reason in skipped:
        print(f"skipped: {folder}: {name}: {reason}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
