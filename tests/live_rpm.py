"""live_rpm.py RUNNER [SAVE_DIR]: packages built with rpmbuild and installed with rpm, as `rpm -qa` lists them and as the cataloger does.

TAP; skipped where rpmbuild is missing. rpm writes the SQLite database; its headers are then put into an ndb database by the
writer below, and into Berkeley DB databases of both byte orders with db5.3_load, where that is there. RUNNER is
run_catalog_cases, whose --update writes what the cataloger emits. With SAVE_DIR the databases are kept there, to make samples.
"""
import json, os, shutil, sqlite3, struct, subprocess, sys, tempfile, zlib

SPEC_ALPHA = """
Name: alpha
Epoch: 2
Version: 1.0~rc1
Release: 3.el9
Summary: An epoch, a tilde and a module
License: MIT AND Apache-2.0
Vendor: Example <https://example.org/>
BuildArch: noarch
ModularityLabel: alpha:stream:20260101:abcd1234
%description
A.
%package libs
Epoch: 7
Version: 4.5
Summary: A subpackage with a version of its own
%description libs
B.
%package -n other-name
Summary: A subpackage with another name
%description -n other-name
C.
%install
mkdir -p %{buildroot}/usr/share/alpha "%{buildroot}/opt/with blank"
touch %{buildroot}/usr/share/alpha/one %{buildroot}/usr/share/alpha/two "%{buildroot}/opt/with blank/gr\xfc\xdfe"
%files
/usr/share/alpha/one
%files libs
%dir /usr/share/alpha
/usr/share/alpha/two
%files -n other-name
"/opt/with blank"
"""
SPEC_BETA = """
Name: beta-with-hyphens
Version: 1.0^git5
Release: 0.1
Summary: A caret and a long list of files
License: GPL-2.0-or-later
BuildArch: noarch
%description
D.
%install
for d in a b c; do mkdir -p %{buildroot}/usr/lib/beta/$d; for i in `seq {FILES}`; do > %{buildroot}/usr/lib/beta/$d/file-$i; done; done
%files
/usr/lib/beta
"""
SPEC_GAMMA = """
Name: gamma
Epoch: 0
Version: 3
Release: 1
Summary: An epoch of 0, no vendor and no files
License: ISC
%description
E.
%files
"""
FIELDS = ["NAME", "EPOCH", "VERSION", "RELEASE", "ARCH", "SOURCERPM", "MODULARITYLABEL", "VENDOR", "LICENSE"]


def run(*args, **more):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


def build(work, files):
    rpms = []
    for i, spec in enumerate((SPEC_ALPHA, SPEC_BETA.replace("{FILES}", str(files)), SPEC_GAMMA)):
        path = os.path.join(work, "%d.spec" % i)
        with open(path, "wb") as f:
            f.write(spec.encode().replace(b"\xc3\xbc\xc3\x9f", "üß".encode()))
        run("rpmbuild", "-bb", "--define", "_topdir " + os.path.join(work, "build"), "--define", "_build_id_links none",
            "--define", "_buildhost example.org", path, env=dict(os.environ, LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="1700000000"))
    for folder, _, names in os.walk(os.path.join(work, "build", "RPMS")):
        rpms += [os.path.join(folder, n) for n in names]
    return sorted(rpms)


def install(work, rpms):
    root = os.path.join(work, "root")
    os.makedirs(root)
    common = ["rpm", "--root", root, "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite"]
    run(*common, "--initdb")
    run(*common, "-i", "--justdb", "--nodeps", "--noscripts", "--ignorearch", *rpms)
    beta = [r for r in rpms if "beta" in r]
    run(*common, "-e", "--justdb", "--nodeps", "--noscripts", "beta-with-hyphens")  # leaves free pages behind
    run(*common, "-i", "--justdb", "--nodeps", "--noscripts", *beta)
    text = run(*common, "-qa", "--qf", "".join("%%{%s}\x1f" % f for f in FIELDS) + "\x1e").decode()
    packages = sorted(tuple(p.split("\x1f")[:-1]) for p in text.split("\x1e") if p)
    text = run(*common, "-qa", "--qf", "[%{=NAME}\x1f%{FILENAMES}\x1e]").decode()
    owned = sorted(tuple(p.split("\x1f")) for p in text.split("\x1e") if p)
    return os.path.join(root, "var/lib/rpm/rpmdb.sqlite"), packages, owned


def write_ndb(path, headers):
    pages = (len(headers) + 2 + 255) // 256
    slots = struct.pack("<4s7I", b"RpmP", 0, 1, pages, len(headers) + 1, 0, 0, 0)
    blobs = b""
    for i, header in enumerate(headers, 1):
        blocks = (16 + len(header) + 12 + 15) // 16
        slots += struct.pack("<4s3I", b"Slot", i, pages * 256 + len(blobs) // 16, blocks)
        blob = struct.pack("<4s3I", b"BlbS", i, 1700000000, len(header)) + header
        blob += bytes(blocks * 16 - 12 - len(blob))
        blobs += blob + struct.pack("<2I4s", zlib.adler32(blob), len(header), b"BlbE")
    slots += struct.pack("<4s3I", b"Slot", 0, 0, 0) * (pages * 256 - len(slots) // 16)
    with open(path, "wb") as f:
        f.write(slots + blobs)


def write_bdb(path, headers, order, page_size):
    lines = ["VERSION=3", "format=bytevalue", "type=hash", "db_pagesize=%d" % page_size, "db_lorder=%s" % order, "HEADER=END"]
    pack = "<I" if order == "1234" else ">I"
    for i, value in enumerate([struct.pack(pack, len(headers))] + headers):
        lines += [" " + struct.pack(pack, i).hex(), " " + value.hex()]
    run("db5.3_load", path, input=("\n".join(lines + ["DATA=END", ""])).encode())


def rewrite_sqlite(source, path, page_size):
    """The same table without rpm's indexes, in pages of another size."""
    shutil.copy(source, path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=DELETE")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT IN ('Packages','sqlite_sequence')").fetchall():
        db.execute("DROP TABLE '%s'" % name)
    db.execute("PRAGMA page_size=%d" % page_size)
    db.execute("VACUUM")
    db.close()


def write_sqlite(path, headers, page_size, reserved):
    """By the sqlite3 program, which alone can reserve space in pages."""
    rows = "".join("INSERT INTO Packages(blob) VALUES (x'%s');\n" % h.hex() for h in headers)
    script = ".filectrl reserve_bytes %d\nPRAGMA page_size=%d; VACUUM; CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT," % (reserved, page_size)
    run("sqlite3", path, input=(script + " blob BLOB NOT NULL); BEGIN;\n" + rows + "COMMIT;\n").encode())
    with open(path, "rb") as f:
        head = f.read(21)
    assert (head[16] << 8 | head[17]) % 65535 == page_size % 65535 and head[20] == reserved, "sqlite3 chose other pages"


def header_of_size(size):
    """The smallest header that names a package, filled up with a binary value to @size bytes."""
    data = b"size-%d\0" % size + b"1\0"
    tags = [(1000, 6, 0, 1), (1001, 6, len(data) - 2, 1), (1002, 6, len(data) - 2, 1), (1014, 7, len(data), 0)]
    fill = size - 8 - 16 * len(tags) - len(data)
    tags[-1] = (1014, 7, len(data), fill)
    return struct.pack(">2I", len(tags), len(data) + fill) + b"".join(struct.pack(">4I", *t) for t in tags) + data + b"\xa5" * fill


def sizes(runner, work):
    """Headers of all sizes around those at which a value leaves its page, in pages of several sizes; yields (name, problems)."""
    wanted = sorted(set(range(100, 1200)) | set(range(1200, 9000, 37)) | set(range(65000, 66000, 49)))
    headers = [header_of_size(n) for n in wanted]
    made = [("ndb", write_ndb, ())]
    if shutil.which("sqlite3"):
        made += [("sqlite-%d-%d" % a, write_sqlite, a) for a in ((512, 0), (512, 32), (1024, 7), (4096, 255), (65536, 1))]
    if shutil.which("db5.3_load"):
        made += [("bdb-%s-%d" % a, write_bdb, a) for a in (("1234", 512), ("4321", 2048), ("1234", 8192))]
    for name, write, arguments in made:
        path = os.path.join(work, "sizes-" + name)
        write(path, headers, *arguments)
        lines = emitted(runner, work, path, "Packages")
        got = sorted(int(l["package"]["name"][5:]) for l in lines if "package" in l)
        problems = [] if got == wanted else ["%d packages, sizes that differ: %r" % (len(got), sorted(set(got) ^ set(wanted))[:9])]
        if [l["result"]["code"] for l in lines if "result" in l] != ["ok"]:
            problems.append("not whole: %r" % [l for l in lines if "unparsed" in l or "result" in l])
        yield name + " with headers of %d sizes" % len(wanted), problems


def emitted(runner, work, database, name):
    case = os.path.join(work, "cases", name)
    folder = os.path.join(case, "root/var/lib/rpm")
    os.makedirs(folder)
    shutil.copy(database, os.path.join(folder, os.path.basename(name)))
    run(runner, "--update", "rpm", os.path.join(work, "cases"))
    with open(os.path.join(case, "expect.jsonl")) as f:
        lines = [json.loads(line) for line in f]
    shutil.rmtree(os.path.join(work, "cases"))
    return lines


def compare(lines, packages, owned):
    """What differs from rpm's answer, in words; empty where nothing does."""
    want, problems = [], []
    for name, epoch, version, release, arch, source, module, vendor, licence in packages:
        none = lambda s: "" if s == "(none)" else s
        source_name, source_version, source_release = source[: -len(".src.rpm")].rsplit("-", 2)
        same = (source_version, source_release) == (version, release)
        want.append((name, (epoch + ":" if none(epoch) not in ("", "0") else "") + version + "-" + release, arch, source_name,
                     "" if same else source_version + "-" + source_release, none(module), none(vendor), licence))
    got = [l["package"] for l in lines if "package" in l]
    got = sorted((p["name"], p["version"], p["arch"], p["source_name"], p.get("source_version", ""), p.get("module", ""),
                  p.get("origin", ""), p["licences"][0]) for p in got)
    if got != sorted(want):
        problems.append("packages %r instead of %r" % (got, sorted(want)))
    got = sorted((l["owns"]["name"], "/" + l["owns"]["path"]) for l in lines if "owns" in l)
    if got != owned:
        problems.append("%d owned paths instead of %d, first difference %r" % (len(got), len(owned), list(set(got) ^ set(owned))[:1]))
    if [l["result"]["code"] for l in lines if "result" in l] != ["ok"]:
        problems.append("not whole: %r" % [l for l in lines if "unparsed" in l or "result" in l])
    return problems


def main():
    runner, save = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    if not shutil.which("rpmbuild") or not shutil.which("rpm"):
        print("1..0 # SKIP no rpm and rpmbuild here")
        return 0
    with tempfile.TemporaryDirectory() as work:
        database, packages, owned = install(work, build(work, 40 if save else 1200))
        with sqlite3.connect(database) as db:
            headers = [row[0] for row in db.execute("SELECT blob FROM Packages ORDER BY hnum")]
        db.close()
        made = [("sqlite", database)]
        for size in (512, 1024, 65536):
            made.append(("sqlite-%d" % size, os.path.join(work, "sqlite-%d" % size)))
            rewrite_sqlite(database, made[-1][1], size)
        made.append(("ndb", os.path.join(work, "ndb")))
        write_ndb(made[-1][1], headers)
        if shutil.which("db5.3_load"):
            for order, size in (("1234", 4096), ("4321", 512), ("4321", 65536)):
                made.append(("bdb-%s-%d" % (order, size), os.path.join(work, "bdb-%s-%d" % (order, size))))
                write_bdb(made[-1][1], headers, order, size)
        results = []
        for name, path in made:
            problems = compare(emitted(runner, work, path, "Packages"), packages, owned)
            results.append((name + ": %d packages, %d paths" % (len(packages), len(owned)), problems))
            if save:
                shutil.copy(path, os.path.join(save, name))
        if save:
            for i, header in enumerate(headers):
                with open(os.path.join(save, "header-%d" % i), "wb") as f:
                    f.write(header)
        results += sizes(runner, work)
    for i, (name, problems) in enumerate(results, 1):
        print("%sok %d - %s" % ("not " if problems else "", i, name))
        for problem in problems:
            print("# " + problem[:2000])
    print("1..%d" % len(results))
    return any(problems for _, problems in results)


sys.exit(main())
