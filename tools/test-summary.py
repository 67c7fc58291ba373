"""test-summary.py BUILD[:LOGBASE]...: adds up the last test run of each build folder (with that --logbase), prints the reason of each skipped test, and
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
            good = hit[1] == "ok"
            found.append((hit[2], None if skip and good else good, skip[1] if skip else ""))
        elif re.match(r"^1\.\.0\s*#\s*skip", line, re.IGNORECASE):
            found.append(("all", None, SKIP.search(line)[1]))
    return found


def last_words(test):
    lines = [line for line in (test.get("stdout", "") + test.get("stderr", "")).splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"


def main(folders):
    passed = 0
    failed, skipped = [], []
    for folder in folders:
        folder, _, base = folder.partition(":")
        log = pathlib.Path(folder, "meson-logs", f"{base or 'testlog'}.json")
        if not log.exists():
            failed.append((folder, "no tests were run", ""))
            continue
        for line in log.read_text().splitlines():
            test = json.loads(line)
            name, result = test["name"], test["result"]
            inside = points(test.get("stdout", ""))
            bad = [(folder, name, point) for point, good, _ in inside if good is False]
            if result == "SKIP" and not inside:
                if test["returncode"] == 77:
                    skipped.append((folder, name, last_words(test)))
                else:  # meson takes TAP without a plan and points for skipped
                    bad.append((folder, name, "it said nothing"))
            if result not in ("OK", "SKIP") and not bad:
                bad = [(folder, name, result)]
            failed += bad
            passed += sum(good is True for _, good, _ in inside) + (result == "OK" and not inside)
            skipped += [(folder, f"{name}: {point.split('#')[0].strip()}", why) for point, good, why in inside if good is None]
    for title, tests in (("skipped", skipped), ("failed", failed)):
        for test in tests:
            print(title + ": " + ": ".join(part for part in test if part))
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return bool(failed) or passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
