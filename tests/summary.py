"""summary.py TEST_SUMMARY: TAP. What tools/test-summary.py makes of a real run of meson over tests that end in every way."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# name: (protocol, program of sh, passed, failed, skipped)
TESTS = {
    "plain": ("exitcode", "exit 0", 1, 0, 0),
    "plain-fails": ("exitcode", "exit 3", 0, 1, 0),
    "plain-skips": ("exitcode", "echo no such tool here; exit 77", 0, 0, 1),
    "plain-crashes": ("exitcode", "kill -SEGV $$", 0, 1, 0),
    "plain-hangs": ("exitcode", "exec sleep 60", 0, 1, 0),
    "points": ("tap", "printf '1..3\\nok 1 - a\\nok 2 - b\\nok 3 - c\\n'", 3, 0, 0),
    "point-fails": ("tap", "printf '1..3\\nok 1 - a\\nnot ok 2 - bee\\nok 3 - c\\n'; exit 1", 2, 1, 0),
    "point-skips": ("tap", "printf '1..2\\nok 1 - a\\nok 2 - b # SKIP no moon tonight\\n'", 1, 0, 1),
    "skips-and-fails": ("tap", "printf '1..2\\nok 1 - a\\nnot ok 2 - b # SKIP no moon\\n'", 1, 1, 0),
    "all-skip": ("tap", "echo '1..0 # SKIP nothing to do'", 0, 0, 1),
    "nested": ("tap", "printf '1..1\\n    ok 1 - inner\\n    not ok 2 - inner\\n    1..2\\nok 1 - outer\\n'", 1, 0, 0),
    "too-few": ("tap", "printf '1..3\\nok 1 - a\\n'", 1, 1, 0),
    "no-plan": ("tap", "echo nothing", 0, 1, 0),
    "late-plan": ("tap", "printf 'ok 1 - a\\n1..1\\n'", 1, 0, 0),
    "crashes": ("tap", "printf '1..2\\nok 1 - a\\n'; kill -SEGV $$", 1, 1, 0),
    "crashes-at-the-end": ("tap", "printf '1..1\\nok 1 - a\\n'; kill -ABRT $$", 1, 1, 0),
    "hangs": ("tap", "printf '1..2\\nok 1 - a\\n'; exec sleep 60", 1, 1, 0),
    "bails": ("tap", "printf '1..2\\nok 1 - a\\nBail out! no more\\n'", 1, 1, 0),
    "ends-badly": ("tap", "printf '1..1\\nok 1 - a\\n'; exit 2", 1, 1, 0),
}
WORDS = ["no such tool here", "no moon tonight", "nothing to do", "point-fails: bee", "plain-hangs: TIMEOUT"]


def main():
    script = os.path.abspath(sys.argv[1])
    if not shutil.which("meson"):
        print("1..0 # SKIP meson is not on the path")
        return 0
    failures = 0
    count = 0

    def point(good, title, detail=""):
        nonlocal failures, count
        count += 1
        failures += not good
        print(f"{'ok' if good else 'not ok'} {count} - {title}")
        if not good:
            print("".join(f"# {line}\n" for line in detail.splitlines()), end="")

    with tempfile.TemporaryDirectory() as d:
        root = pathlib.Path(d)
        lines = ["project('endings')"]
        for name, (protocol, program, *_) in TESTS.items():
            (root / f"{name}.sh").write_text(program + "\n")
            lines.append(f"test('{name}', find_program('sh'), args: files('{name}.sh'), protocol: '{protocol}', timeout: 15)")
        (root / "meson.build").write_text("\n".join(lines) + "\n")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MESON")}

        def run(command):
            return subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        setup = run(["meson", "setup", "build"])
        if setup.returncode:
            print("Bail out! meson setup failed: " + setup.stdout[-500:].replace("\n", " "))
            return 1
        run(["meson", "test", "-C", "build", "--no-rebuild", "--num-processes", "4"])
        for name, (_, _, *wanted) in TESTS.items():
            text = [t for t in (root / "build/meson-logs/testlog.json").read_text().splitlines() if f'"{name}"' in t]
            (root / name / "meson-logs").mkdir(parents=True)
            (root / name / "meson-logs/testlog.json").write_text("\n".join(text) + "\n")
            said = run([sys.executable, script, name])
            last = said.stdout.splitlines()[-1:]
            right = last == ["%d passed, %d failed, %d skipped" % tuple(wanted)]
            point(right and said.returncode == (wanted[1] > 0 or wanted[0] == 0), f"{name}: {wanted}", said.stdout)
        said = run([sys.executable, script, "build", "nowhere"])
        total = [sum(t[i] for t in TESTS.values()) for i in (2, 3, 4)]
        total[1] += 1  # nowhere
        point(said.stdout.splitlines()[-1] == "%d passed, %d failed, %d skipped" % tuple(total), "the sum of two folders", said.stdout)
        run(["meson", "test", "-C", "build", "--no-rebuild", "--logbase", "other", "plain", "points"])
        said = run([sys.executable, script, "plain-fails", "build:other"])
        point(said.stdout.splitlines()[-1] == "4 passed, 1 failed, 0 skipped", "a log of another name", said.stdout)
        said = run([sys.executable, script, "build"])
        for words in WORDS:
            point(words in said.stdout, f"it says '{words}'", said.stdout)
    print(f"1..{count}")
    return failures > 0


sys.exit(main())
