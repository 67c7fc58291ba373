"""contract.py HOLDFAST ROOT: what the command line promises: exit statuses, help, options, the fields of its JSON, files that are
whole or not there, and the same bytes for the same input whatever the number of threads and the order of folders. TAP."""
import json
import os
import pathlib
import subprocess

import harness
from harness import (SITE, Skip, advisory, call, dpkg_status, hardlink, image, jar, make_image, npm_package, os_release, packages, program,
                     python_package, report, sbom, sha, symlink, tar_of, test, unparsed, whiteout)

FLAWS = [advisory("TEST-CRIT", "PyPI", "crit", "2.0", "CRITICAL", ["CVE-2025-0001"]), advisory("TEST-HIGH", "npm", "high", None, "HIGH"),
         advisory("TEST-MED", "PyPI", "med", "2.0", "MEDIUM"), advisory("TEST-LOW", "npm", "low", "2.0.0", "LOW"),
         advisory("TEST-NONE", "PyPI", "none", "2.0", None), advisory("DSA-9", "Debian:12", "src", "2.0-1")]


def database(made=[]):
    if not made:
        made.append(harness.database(harness.HOME / "db", *FLAWS))
    return made[0]


def layers():
    return [[os_release(), dpkg_status(("bin", "1.0-1", "src"), ("other", "1")), program("usr/bin/x")],
            [python_package("crit", "1.0"), python_package("med", "1.0"), ("opt/broken.jar", b"no jar")],
            [npm_package("high", "1.0.0"), npm_package("low", "1.0.0"), python_package("none", "1.0"), ("opt/j.jar", jar("org.example", "j", "1"))]]


def scan(target, *options, **more):
    return call("scan", "--db", database(), *options, target, **more)


# ---- the same bytes ----

FORMATS = [("scan", "json"), ("scan", "table"), ("scan", "sarif"), ("sbom", "json"), ("sbom", "table"), ("sbom", "cyclonedx"), ("sbom", "spdx"),
           ("layers", "json"), ("layers", "table")]


def outputs(target, *options):
    return [call(command, "--format", form, *(["--db", database()] if command != "sbom" else []), *options, target).out for command, form in FORMATS]


def many_layers():
    """Twelve layers that add, hide and duplicate, so that an order that depends on threads would show."""
    out = []
    for i in range(12):
        layer = [python_package(f"p{i}", "1.0"), python_package("crit", f"1.{i}", f"opt/{i}/site-packages/"), npm_package("high", "1.0.0", f"srv/{i}/"),
                 npm_package("same", "1.0.0", f"srv/{i}/"), dpkg_status(*((f"d{k}", f"1.{min(i, k)}") for k in range(20))),
                 (f"opt/{i}.jar", b"broken"), symlink(f"srv/l{i}/node_modules/k/package.json", f"/srv/{(i + 3) % 12}/node_modules/high/package.json"),
                 ("filler", bytes(100000 * (12 - i)))]
        out.append(layer + ([whiteout(f"srv/{i - 2}")] if i % 3 == 2 else []) + ([os_release()] if i == 0 else []))
    return out


@test
def threads(scratch):
    """the same bytes with 1 to 16 threads, and each time"""
    paths = []
    for i, layer in enumerate(many_layers()):
        (scratch / f"{i}.tar").write_bytes(tar_of(layer))
        paths += ["--layer", scratch / f"{i}.tar"]
    make_image(scratch / "docker.tar", *paths)
    make_image(scratch / "gzip", "--format", "oci", "--compress", "gzip", *paths)
    for target in (scratch / "docker.tar", scratch / "gzip"):
        first = outputs(target, "--jobs", 1)
        assert all(first) and json.loads(first[0])["vulnerabilities"] and json.loads(first[0])["unparsed"]
        for jobs in [2, 3, 16] if harness.SANITIZED else range(2, 17):
            for name, a, b in zip(FORMATS, first, outputs(target, "--jobs", jobs)):
                assert a == b, (name, jobs)
        for _ in range(3):
            assert outputs(target) == first


@test
def folder_order(scratch):
    """the same bytes whatever the order in which a folder's files were made"""
    seen = []
    files = [m for layer in layers() for m in layer] + [python_package(f"p{i}", "1") for i in range(60)] + [npm_package(f"n{i}", "1.0.0") for i in range(60)]
    for turn, order in enumerate((files, files[::-1], sorted(files, key=lambda m: sha(m[0].encode())))):
        root = scratch / str(turn) / "root"
        for name, what in order:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(what["data"] if isinstance(what, dict) else what)
            (root / name).chmod(what["mode"] if isinstance(what, dict) else 0o644)
        os.chdir(scratch / str(turn))
        seen.append(outputs("dir:root"))
        os.chdir(scratch)
    for name, *all_ in zip(FORMATS, *seen):
        assert all(x == all_[0] for x in all_), name


# ---- exit statuses ----

@test
def help_everywhere(scratch):
    """--help on the program, each command and subcommand: usage on stdout, exit 0"""
    words = call("--help").out.decode()
    for command in ("scan", "sbom", "layers", "db", "plumbing"):
        assert command in words
    for words in (["scan"], ["sbom"], ["layers"], ["db"], ["db", "build"], ["db", "status"], ["db", "search"], ["plumbing"],
                  ["plumbing", "compare"], ["plumbing", "match"], ["plumbing", "purl"]):
        done = call(*words, "--help")
        assert b"Usage: holdfast " + words[0].encode() in done.out and not done.err, words
    assert call("--version").out.startswith(b"holdfast ")
    call("help")


@test
def bad_usage(scratch):
    """bad usage: exit 2, what was wrong with which word, and what to do"""
    target = image(scratch, *layers())
    for words, *expected in (
            ([], "Usage"), (["nosuch"], "nosuch"), (["scan"], "TARGET"), (["scan", "--nosuch", target], "--nosuch"), (["scan", "--jobs"], "--jobs"),
            (["scan", "--jobs", "0", target], "--jobs", "0"), (["scan", "--jobs", "x", target], "--jobs", "x"), (["scan", "--jobs", "-1", target], "-1"),
            (["scan", "--jobs", "99999999999999999999", target], "--jobs"),
            (["scan", "--format", "nosuch", target], "nosuch", "json"), (["sbom", "--format", "sarif", target], "sarif"),
            (["layers", "--format", "spdx", target], "spdx"), (["scan", "--fail-on", "nosuch", target], "nosuch"),
            (["scan", "--fail-on", "epss>=2", target], "epss"), (["scan", "--fail-on", "", target], "is no rule"),
            (["scan", "--severity", "high,nosuch", target], "nosuch"), (["scan", "--scan", "nosuch", target], "nosuch"),
            (["sbom", "--fail-on", "high", target], "scan"), (["scan", "--platform", "linux", target], "platform"),
            (["scan", "--db", str(scratch / "nodb"), target], "nodb", "db build"),
            (["scan", "--db"], "--db"), (["scan", "-o"], "-o"), (["scan", "-x", target], "-x"),
            (["db"], "build"), (["db", "nosuch"], "nosuch"), (["db", "build", "--from", str(scratch / "none"), "--db", str(scratch / "d")], "none"),
            (["db", "search", "--db", str(database())], "search"), (["db", "status", "--db", str(scratch / "nodb")], "nodb"),
            (["plumbing"], "compare"), (["plumbing", "compare", "deb", "1"], "compare"), (["plumbing", "compare", "nosuch", "1", "2"], "nosuch"),
            (["plumbing", "purl", "no purl"], "no purl"), (["plumbing", "match", "no purl"], "no purl")):
        done = subprocess.run([harness.HOLDFAST, *words], capture_output=True, text=True, env=harness.environment(harness.HOME))
        assert done.returncode == 2 and not done.stdout, (words, done.returncode, done.stdout[:200])
        assert done.stderr.startswith("holdfast: ") or words == [], (words, done.stderr)
        assert all(e in done.stderr for e in expected), (words, done.stderr)


@test
def gates(scratch):
    """--fail-on: exit 1 where a finding that is shown matches, and the report is whole all the same"""
    target = image(scratch, *layers())
    clean = image(scratch, [os_release(), dpkg_status(("other", "1"))], name="clean.tar")
    only_low = image(scratch, [npm_package("low", "1.0.0")], name="low.tar")
    only_high = image(scratch, [npm_package("high", "1.0.0")], name="high.tar")
    unknown = image(scratch, [python_package("none", "1.0")], name="none.tar")
    table = [(target, r, 1) for r in ("low", "medium", "high", "critical", "fixable:high", "fixable:critical", "fixable:low")]
    table += [(target, r, 0) for r in ("kev", "epss>=0.5")]
    table += [(only_low, r, s) for r, s in (("low", 1), ("medium", 0), ("high", 0), ("critical", 0), ("fixable:low", 1), ("fixable:high", 0))]
    table += [(only_high, r, s) for r, s in (("low", 1), ("high", 1), ("critical", 0), ("fixable:high", 0), ("fixable:low", 0))]
    table += [(clean, r, 0) for r in ("low", "critical", "fixable:low", "kev", "config:low")]
    table += [(unknown, "critical", 0)]
    for where, rule, status in table:
        done = scan(where, "--format", "json", "--fail-on", rule, status=status)
        assert json.loads(done.out)["schema"] == "holdfast/scan/1"
        assert (rule in done.err) == (status == 1), (rule, done.err)
    # a gate looks at what is shown
    scan(target, "--severity", "low", "--fail-on", "medium", status=0)
    scan(target, "--severity", "medium", "--fail-on", "high", "--fail-on", "medium", status=1)
    scan(only_high, "--only-fixed", "--fail-on", "high", status=0)
    scan(target, "--fail-on", "kev", "--fail-on", "low", status=1)
    scan(target, "--strict", "--fail-on", "low", status=1)
    scan(image(scratch, [program("usr/bin/x")], name="config.tar"), "--fail-on", "config:medium", status=1)
    scan(image(scratch, [program("usr/bin/x")], name="config.tar"), "--fail-on", "config:high", status=0)


@test
def strict(scratch):
    """--strict: exit 3 where something was not understood, with the same report; 0 where all was"""
    target = image(scratch, *layers())
    plain = scan(target, "--format", "json").out
    assert scan(target, "--format", "json", "--strict", status=3).out == plain
    assert unparsed(json.loads(plain)) and "broken.jar" in plain.decode()
    for command in ("sbom", "layers"):
        call(command, "--strict", *(["--db", database()] if command == "layers" else []), target, status=3)
    scan(image(scratch, [os_release(), dpkg_status(("other", "1"))], name="whole.tar"), "--strict", status=0)


@test
def filters(scratch):
    """--severity and --only-fixed show what they say, in every format"""
    target = image(scratch, *layers())
    ids = lambda *options: {v["id"] for v in json.loads(scan(target, "--format", "json", *options).out)["vulnerabilities"]}
    everything = {"CVE-2025-0001", "TEST-HIGH", "TEST-MED", "TEST-LOW", "TEST-NONE", "DSA-9"}
    assert ids() == everything, ids()
    assert ids("--severity", "critical") == {"CVE-2025-0001"}
    assert ids("--severity", "low,medium") == {"TEST-MED", "TEST-LOW"}
    assert ids("--severity", "unknown") == {"TEST-NONE"}
    assert ids("--only-fixed") == everything - {"TEST-HIGH"}
    assert ids("--only-fixed", "--severity", "high") == {"DSA-9"}
    for form in ("table", "sarif"):
        text = scan(target, "--format", form, "--severity", "low").out.decode()
        assert "TEST-LOW" in text and "TEST-HIGH" not in text and "CVE-2025-0001" not in text, form


@test
def outputs_are_whole(scratch):
    """-o writes a whole file or none, and leaves nothing beside it"""
    target = image(scratch, *layers())
    out = scratch / "out"
    out.mkdir()
    done = scan(target, "--format", "json", "-o", out / "r.json")
    assert not done.out and json.loads((out / "r.json").read_text()) and os.listdir(out) == ["r.json"]
    assert (out / "r.json").read_bytes() == scan(target, "--format", "json").out
    before = (out / "r.json").read_bytes()
    for bad in (f"archive:{scratch / 'missing'}", f"dir:{scratch / 'missing'}"):
        scan(bad, "--format", "json", "-o", out / "r.json", status=2)
        scan(target, "-o", out / "new.json", "--format", "nosuch", status=2)
        assert (out / "r.json").read_bytes() == before and os.listdir(out) == ["r.json"], os.listdir(out)
    for bad in (scratch / "missing/r.json", scratch / "image.tar/r.json", out):
        done = scan(target, "-o", bad, status=2)
        assert str(bad) in done.err, done.err
    scan(target, "--fail-on", "low", "--format", "json", "-o", out / "gate.json", status=1)
    assert json.loads((out / "gate.json").read_text())
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.HOLDFAST, "sbom", "--format", "json", target], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and done.stderr.startswith("holdfast: "), (done.returncode, done.stderr)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([harness.HOLDFAST, "sbom", target], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode in (2, -13), done.returncode


@test
def streams(scratch):
    """stdout has the result and nothing else, no colours into a pipe, NO_COLOR on a terminal"""
    target = image(scratch, *layers())
    for form in ("table", "json", "sarif"):
        done = scan(target, "--format", form)
        assert harness.is_printable(done.out.decode()) and not done.err, done.err
    assert json.loads(scan(target, "--format", "json", "--verbose").out)
    import pty
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(harness.HOLDFAST, [harness.HOLDFAST, "scan", "--quiet", "--db", str(database()), target],
                      {**{k: v for k, v in harness.environment(harness.HOME).items() if k != "NO_COLOR"}, "TERM": "xterm", **env})
        text = b""
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(fd)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 and b"TEST-HIGH" in text
        assert (b"\x1b[" in text) == coloured, (env, text[:300])


# ---- the fields ----

@test
def scan_fields(scratch):
    """scan's JSON has the contract's fields, with what was put in"""
    made = [tar_of(l) for l in layers()]
    config = {"os": "linux", "architecture": "amd64", "created": "2025-01-02T03:04:05Z",
              "config": {"User": "app", "Env": ["PATH=/bin", "SECRET_TOKEN=geheim"], "Entrypoint": ["/e"], "Cmd": ["c"], "ExposedPorts": {"80/tcp": {}},
                         "Labels": {"k": "v"}, "Healthcheck": {"Test": ["CMD", "true"]}},
              "rootfs": {"type": "layers", "diff_ids": [sha(l) for l in made]},
              "history": [{"created_by": "ADD base"}, {"created_by": "CMD [\"sh\"]", "empty_layer": True}, {"created_by": "RUN pip"}, {"created_by": "RUN npm"}]}
    target = image(scratch, *made, config=config)
    text = scan(target, "--format", "json").out.decode()
    assert "geheim" not in text, "values of the environment are no one's business"
    r = json.loads(text)
    assert r["schema"] == "holdfast/scan/1" and r["target"]["kind"] == "archive" and r["target"]["platform"] == "linux/amd64"
    assert r["target"]["reference"].endswith("image.tar") or r["target"]["reference"] == "image:latest", r["target"]
    assert r["database"]["sources"] and all(s["name"] and s["records"] for s in r["database"]["sources"])
    assert r["os"]["id"] == "debian" and r["os"]["version"] == "12" and r["os"]["codename"] == "bookworm"
    c = r["image"]["config"]
    assert c["user"] == "app" and c["entrypoint"] == ["/e"] and c["cmd"] == ["c"] and c["env_names"] == ["PATH", "SECRET_TOKEN"]
    assert c["exposed_ports"] == ["80/tcp"] and c["labels"] == {"k": "v"} and "healthcheck" in c
    assert r["image"]["base"]["layers"] == 1
    assert [(l["index"], l["diff_id"], l["created_by"], l["role"]) for l in r["image"]["layers"]] == [
        (0, sha(made[0]), "ADD base", "base"), (1, sha(made[1]), "RUN pip", "dependencies"), (2, sha(made[2]), "RUN npm", "dependencies")]
    assert all(l["size"] == len(m) for l, m in zip(r["image"]["layers"], made)) and [l["packages_added"] for l in r["image"]["layers"]] == [2, 2, 4]
    by_name = {p["name"]: p for p in r["packages"]}
    deb = by_name["bin"]
    assert deb["purl"].startswith("pkg:deb/debian/bin@1.0-1?") and "distro=debian-12" in deb["purl"] and deb["type"] == "deb" and deb["arch"] == "amd64"
    assert deb["source"] == {"name": "src", "version": "1.0-1"} and deb["layer"] == sha(made[0]) and deb["paths"] == ["var/lib/dpkg/status"]
    assert by_name["crit"]["purl"] == "pkg:pypi/crit@1.0" and by_name["crit"]["layer"] == sha(made[1]) and by_name["crit"]["declared_only"] is False
    flaw = {v["id"]: v for v in r["vulnerabilities"]}
    v = flaw["CVE-2025-0001"]
    assert "TEST-CRIT" in v["aliases"] and v["purl"] == "pkg:pypi/crit@1.0" and v["installed"] == "1.0" and v["fixed"] == "2.0"
    assert v["severity"] == "critical" and v["status"] == "fixed_available" and v["layer"] == sha(made[1]) and v["paths"] == by_name["crit"]["paths"]
    assert v["cvss"][0]["score"] == 9.8 and v["cvss"][0]["vector"].startswith("CVSS:3.1/") and v["advisory"]["source"] and v["advisory"]["modified"].startswith("2025-06-01")
    assert flaw["TEST-HIGH"]["status"] == "affected" and "fixed" not in flaw["TEST-HIGH"]
    assert flaw["DSA-9"]["purl"] == deb["purl"] and flaw["DSA-9"]["fixed"] == "2.0-1"
    assert [u["path"] for u in r["unparsed"]] == ["opt/broken.jar"] and r["unparsed"][0]["layer"] == sha(made[1]) and r["unparsed"][0]["reason"]
    s = r["summary"]
    assert s["packages"] == len(r["packages"]) == 8
    assert s["vulnerabilities"] == {"critical": 1, "high": 2, "medium": 1, "low": 1, "unknown": 1}, s
    text = scan(target).out.decode()
    assert all(w in text for w in ("CVE-2025-0001", "crit", "2.0", "broken.jar")), text


@test
def one_scan_of_its_sbom_formats(scratch):
    """table, json, cyclonedx and spdx of one target name the same packages"""
    target = image(scratch, *layers())
    want = {p["purl"] for p in sbom(target)["packages"]}
    cyclonedx = json.loads(call("sbom", "--format", "cyclonedx", target).out)
    assert {c["purl"] for c in cyclonedx["components"] if "purl" in c} == want
    spdx = json.loads(call("sbom", "--format", "spdx", target).out)
    assert {r["referenceLocator"] for p in spdx["packages"] for r in p.get("externalRefs", []) if r["referenceType"] == "purl"} >= want
    table = call("sbom", target).out.decode()
    assert all(name in table and version in table for name, version in packages(sbom(target)))
    scanned = json.loads(scan(target, "--format", "json").out)
    assert {p["purl"] for p in scanned["packages"]} == want


@test
def several_targets_and_kinds(scratch):
    """a target is recognised by what it holds, with and without its prefix"""
    path = pathlib.Path(image(scratch, *layers())[len("archive:"):])
    make_image(scratch / "layout", "--format", "oci", "--layer", *[str(x) for x in [self_layer(scratch)]])
    (scratch / "root").mkdir()
    for target, kind in ((path, "archive"), (f"archive:{path}", "archive"), (scratch / "layout", "oci"), (f"oci:{scratch / 'layout'}", "oci"),
                         (f"oci:{scratch / 'layout'}:latest", "oci"), (scratch / "root", "dir"), (f"dir:{scratch / 'root'}", "dir")):
        assert sbom(target)["target"]["kind"] == kind, target
    import gzip
    (scratch / "image.tar.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert packages(sbom(scratch / "image.tar.gz")) == packages(sbom(path))


def self_layer(scratch):
    (scratch / "l.tar").write_bytes(tar_of([python_package("crit", "1.0")]))
    return scratch / "l.tar"


harness.main()
