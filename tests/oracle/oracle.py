#!/usr/bin/env python3
"""oracle.py HOLDFAST ROW [COUNT]: does `plumbing compare` agree with the reference's own program on COUNT generated pairs?

TAP. Where the reference is not installed the test is skipped and says what is missing. A reference gives for each pair one
of < = > ?, where ? means that it does not take one of the two as a version."""
import glob
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile

from generate import pairs

HERE = os.path.dirname(os.path.abspath(__file__))
ECOSYSTEMS = {"deb": "deb", "rpm": "rpm", "apk": "apk", "semver": "npm", "go": "Go", "pep440": "PyPI", "maven": "Maven",
              "rubygems": "RubyGems", "packagist": "Packagist"}
ALL_VALID = ("rpm", "maven")  # there each text is a version


class Missing(Exception):
    pass


def need(program):
    path = shutil.which(program)
    if not path:
        raise Missing(f"{program} is not installed")
    return path


def ask(command, cases, **more):
    text = "".join(f"{a}\t{b}\n" for a, b in cases)
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True, **more)
    answers = done.stdout.decode().split()
    if len(answers) != len(cases):
        raise SystemExit(f"Bail out! {command[0]} gave {len(answers)} answers to {len(cases)} questions")
    return answers


def ask_semver(cases):
    node = need("node")
    npm = os.path.realpath(need("npm"))
    where = [os.path.join(os.path.dirname(os.path.dirname(npm)), "node_modules/semver"), "/usr/share/nodejs/semver"]
    where = [d for d in where if os.path.isdir(d)]
    if not where:
        raise Missing("npm's own semver was not found")
    return ask([node, os.path.join(HERE, "semver.js"), where[0]], cases)


def ask_pep440(cases):
    code = "import packaging.version"
    for module in ("packaging", "pip._vendor.packaging"):
        if not subprocess.run([sys.executable, "-c", f"import {module}.version"], stderr=subprocess.DEVNULL).returncode:
            return ask([sys.executable, os.path.join(HERE, "pep440.py"), module], cases)
    raise Missing(f"'{code}' does not work")


def ask_maven(cases):
    java = need("java")
    jars = glob.glob("/usr/share/maven/lib/maven-artifact-3*.jar")
    lang = glob.glob("/usr/share/maven/lib/commons-lang3*.jar") + glob.glob("/usr/share/java/commons-lang3.jar")
    if not jars:
        raise Missing("maven-artifact's jar was not found")
    if not shutil.which("javac"):
        raise Missing("javac is not installed")
    return ask([java, "-cp", ":".join(jars[:1] + lang[:1]), os.path.join(HERE, "Maven.java")], cases)


def ask_go(cases):
    go = need("go")
    root = subprocess.run([go, "env", "GOROOT"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    source = os.path.join(root, "src/cmd/vendor/golang.org/x/mod/semver/semver.go")
    if not os.path.exists(source):
        raise Missing("Go's own golang.org/x/mod/semver was not found")
    with tempfile.TemporaryDirectory() as d:
        os.mkdir(os.path.join(d, "semver"))
        shutil.copy(source, os.path.join(d, "semver"))
        shutil.copy(os.path.join(HERE, "go.go.txt"), os.path.join(d, "main.go"))
        with open(os.path.join(d, "go.mod"), "w") as f:
            f.write("module oracle\n\ngo 1.20\n")
        subprocess.run([go, "build", "-o", "oracle", "."], cwd=d, check=True, env=dict(os.environ, GOFLAGS="-mod=mod", GOWORK="off"))
        return ask([os.path.join(d, "oracle")], cases)


def ask_packagist(cases):
    parser = "/usr/share/php/Composer/Semver/VersionParser.php"
    if not os.path.exists(parser):
        raise Missing("composer/semver was not found")
    return ask([need("php"), os.path.join(HERE, "packagist.php"), parser], cases)


def ask_rpm(cases):
    rpm = need("rpm")
    with tempfile.NamedTemporaryFile("w") as f:
        f.writelines(f"{a}\t{b}\n" for a, b in cases)
        f.flush()
        code = ("for line in io.lines('%s') do local a, b = line:match('^(.-)\\t(.*)$'); "
                "local ok, r = pcall(rpm.vercmp, a, b); print(not ok and '?\\n' or r < 0 and '<\\n' or r > 0 and '>\\n' or '=\\n') end" % f.name)
        out = subprocess.run([rpm, "--eval", "%{lua:" + code + "}"], stdout=subprocess.PIPE, check=True).stdout
    return out.decode().split()


def ask_apk(cases):
    apk = need("apk")
    if b"apk-tools 3" not in subprocess.run([apk, "--version"], stdout=subprocess.PIPE).stdout:
        raise Missing("apk is not apk-tools 3")
    answers = []
    for pair in cases:
        bad = subprocess.run([apk, "version", "-c", *pair], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        out = subprocess.run([apk, "version", "-t", *pair], stdout=subprocess.PIPE).stdout
        answers.append("?" if bad else out.decode().strip())
    return answers


def dpkg_denies(relations):
    """Of [A, sign, B] those that `dpkg --compare-versions` does not answer with yes; where the sign is ?, those that it takes
    without a word about a bad version. One process for each."""
    names = {"<": "lt", "=": "eq", ">": "gt", "?": "lt"}
    dpkg = need("dpkg")
    wrong = []
    with tempfile.TemporaryFile() as said:
        to = [(os.POSIX_SPAWN_DUP2, said.fileno(), 2)]
        before = 0
        for a, sign, b in relations:
            child = os.posix_spawn(dpkg, ["dpkg", "--compare-versions", a, names[sign], b], {"LC_ALL": "C"}, file_actions=to)
            status = os.waitpid(child, 0)[1]
            after = os.fstat(said.fileno()).st_size
            if (after == before) if sign == "?" else (status != 0 or after != before):
                wrong.append((a, sign, b))
            before = after
    return wrong


def check_dpkg(cases, ours):
    """dpkg compares one pair a process, so it is asked whether our answer is right. Returns the wrong ones."""
    need("dpkg")
    relations = [(a, o, b) for (a, b), o in zip(cases, ours)]
    workers = os.cpu_count() or 1
    with multiprocessing.Pool(workers) as pool:
        return [w for some in pool.imap(dpkg_denies, [relations[n : n + 1000] for n in range(0, len(relations), 1000)]) for w in some]


def main():
    holdfast, row = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
    cases = pairs(row, count)
    ours = ask([holdfast, "plumbing", "compare", ECOSYSTEMS[row], "-"], cases)
    reference = {"semver": ask_semver, "pep440": ask_pep440, "maven": ask_maven, "go": ask_go, "packagist": ask_packagist,
                 "rpm": ask_rpm, "apk": ask_apk,
                 "rubygems": lambda c: ask([need("ruby"), os.path.join(HERE, "rubygems.rb")], c)}
    try:
        if row == "deb":
            wrong = check_dpkg(cases, ours)
        else:
            theirs = reference[row](cases)
            if len(theirs) != len(cases):
                raise SystemExit(f"Bail out! {len(theirs)} answers to {len(cases)} questions")
            wrong = [(a, o, b, t) for (a, b), o, t in zip(cases, ours, theirs) if o != t]
    except Missing as why:
        print(f"1..0 # SKIP {why}")
        return 0
    signs = {s: ours.count(s) for s in "<=>?"}
    print(f"# {row}: {count} pairs, {signs}, {len(wrong)} wrong")
    for w in wrong[:20]:
        print("# ours: %r %s %r" % w[:3] + (", reference: " + w[3] if len(w) > 3 else ""))
    mixed = all(signs[s] > count // 100 for s in ("<=>" if row in ALL_VALID else "<=>?"))
    print("1..2\n%sok 1 - %s agrees on %d pairs" % ("not " if wrong else "", row, count))
    print("%sok 2 - the pairs give each answer" % ("" if mixed else "not "))
    return 1 if wrong or not mixed else 0


sys.exit(main())
