"""What the end-to-end tests share: TAP, calls of the program with bounds, and images made by hand. No test is in here."""
import hashlib
import io
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import traceback
import zipfile

HOLDFAST, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
SANITIZED = bool(os.environ.get("HOLDFAST_SANITIZED"))
TIMEOUT_S = 1200 if SANITIZED else 600
RSS_MAX = 256 << 20  # what any input may cost; the aim for real images is lower and measured elsewhere
TESTS = []


class Skip(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def environment(scratch, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST")}
    env.update(HOME=str(scratch), XDG_CACHE_HOME=str(scratch / "cache"), XDG_STATE_HOME=str(scratch / "state"),
               LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="1767225600",
               ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")  # a jailed worker has no ptrace
    env.update(more)
    return env


HOME = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-e2e-"))


class Done:
    def __init__(self, status, out, err, rss):
        self.status, self.out, self.err, self.rss = status, out, err, rss


def call(*args, status=0, env=None, cwd=None, rss_max=RSS_MAX):
    """Runs holdfast; fails unless it exits with @status (None: with 0 or 2) in time and within its memory."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([HOLDFAST, *map(str, args)], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                 env=environment(HOME, **(env or {})), cwd=cwd, start_new_session=True)
        timer = threading.Timer(TIMEOUT_S, lambda: os.killpg(child.pid, 9))
        timer.start()
        _, raw, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = got = os.waitstatus_to_exitcode(raw)
        out.seek(0)
        err.seek(0)
        done = Done(got, out.read(), err.read().decode("utf-8", "replace"), usage.ru_maxrss << 10)
    words = " ".join(map(str, args))
    assert got in ((0, 2) if status is None else (status,)), f"holdfast {words}: exit {got} instead of {status}\n{done.err}"
    assert SANITIZED or done.rss < rss_max, f"holdfast {words}: {done.rss >> 20} MiB of memory"
    if got == 2:
        assert done.err.startswith("holdfast: ") and not done.out, f"holdfast {words}: {done.err!r} {done.out[:200]!r}"
    assert is_printable(done.err), f"holdfast {words}: control bytes in {done.err!r}"
    return done


def is_printable(text):
    return not any((ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0 for c in text)


def report(command, target, *options, **more):
    return json.loads(call(command, "--format", "json", *options, target, **more).out)


def sbom(target, *options, **more):
    return report("sbom", target, *options, **more)


def packages(document, kind=None):
    return {(p["name"], p.get("version")) for p in document["packages"] if not kind or p["type"] == kind}


def unparsed(document):
    return [(u["path"], u["reason"]) for u in document["unparsed"]]


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# ---- layers and images ----

def whiteout(path):
    folder, _, name = path.rpartition("/")
    return (folder + "/" if folder else "") + ".wh." + name, b""


def symlink(path, target):
    return path, {"type": tarfile.SYMTYPE, "linkname": target}


def hardlink(path, target):
    return path, {"type": tarfile.LNKTYPE, "linkname": target}


def folder(path):
    return path, {"type": tarfile.DIRTYPE, "mode": 0o755}


def program(path, head=b"\x7fELF\2\1\1" + bytes(57)):
    return path, {"mode": 0o755, "data": head}


def tar_of(members, format=tarfile.GNU_FORMAT):
    """(name, bytes), or (name, fields of TarInfo and perhaps `data`), in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as t:
        for name, what in members:
            info = tarfile.TarInfo(name)
            fields = dict(what) if isinstance(what, dict) else {"data": what}
            data = fields.pop("data", b"")
            for key, value in fields.items():
                setattr(info, key, value)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data) if data else None)
    return out.getvalue()


def docker_archive(layers, history=None, extra=(), config=None):
    """The bytes of a docker-archive over the tars @layers."""
    document = config or {"os": "linux", "architecture": "amd64", "config": {},
                          "rootfs": {"type": "layers", "diff_ids": [sha(l) for l in layers]}}
    if history:
        document["history"] = history
    names = [f"{i}/layer.tar" for i in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": ["image:latest"], "Layers": names}]
    return tar_of([*zip(names, layers), ("config.json", json.dumps(document).encode()), *extra,
                   ("manifest.json", json.dumps(manifest).encode())])


def image(scratch, *layers, name="image.tar", **more):
    """A docker-archive on disk; each layer is a list for tar_of, or the bytes of a tar. Returns its target."""
    path = scratch / name
    path.write_bytes(docker_archive([l if isinstance(l, bytes) else tar_of(l) for l in layers], **more))
    return f"archive:{path}"


def oci_layout(path, layers, media="application/vnd.oci.image.layer.v1.tar+gzip", diff_ids=None, break_digest=None):
    """An OCI layout of @layers, which are bytes as they lie in it. @break_digest: the index of a layer whose bytes are not those
    of its digest."""
    blobs = path / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data, wrong=False):
        digest = sha(data)
        (blobs / digest[7:]).write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if wrong else data)
        return {"digest": digest, "size": len(data)}

    config = {"os": "linux", "architecture": "amd64", "config": {},
              "rootfs": {"type": "layers", "diff_ids": diff_ids or [sha(l) for l in layers]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(json.dumps(config).encode())},
                "layers": [{"mediaType": media, **put(l, i == break_digest)} for i, l in enumerate(layers)]}
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode())}]}))
    return f"oci:{path}"


def make_image(out, *options):
    subprocess.run([sys.executable, ROOT / "tools/make-image.py", "-o", out, *map(str, options)], check=True)


# ---- what lies in layers ----

def os_release(id="debian", version="12", codename="bookworm"):
    lines = [f"ID={id}", f'VERSION_ID="{version}"', f'PRETTY_NAME="{id} {version}"']
    lines += [f"VERSION_CODENAME={codename}"] if codename else []
    return "etc/os-release", "\n".join(lines + [""]).encode()


def dpkg_record(name, version, source=None, arch="amd64"):
    return (f"Package: {name}\nStatus: install ok installed\nMaintainer: Somebody <somebody@debian.org>\nArchitecture: {arch}\n"
            + (f"Source: {source}\n" if source else "") + f"Version: {version}\nDescription: {name}\n\n")


def dpkg_status(*pairs, path="var/lib/dpkg/status"):
    return path, "".join(dpkg_record(*p) for p in pairs).encode()


def dpkg_list(name, *paths):
    return f"var/lib/dpkg/info/{name}.list", "".join(f"/{p}\n" for p in paths).encode()


def apk_record(name, version, files=()):
    text = f"C:Q1{'A' * 27}=\nP:{name}\nV:{version}\nA:x86_64\nS:1\nI:1\nT:{name}\nL:MIT\no:{name}\n"
    for path in files:
        where, _, last = path.rpartition("/")
        text += f"F:{where}\nR:{last}\n"
    return text + "\n"


SITE = "usr/local/lib/python3.11/site-packages/"


def python_package(name, version, site=SITE):
    return f"{site}{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()


def npm_package(name, version, base="srv/app/"):
    return f"{base}node_modules/{name}/package.json", json.dumps({"name": name, "version": version}).encode()


# ---- advisories ----

def advisory(id, ecosystem, name, fixed=None, severity="HIGH", aliases=(), **more):
    """An OSV record: all versions of the package below @fixed are affected (all, where there is none)."""
    vectors = {"CRITICAL": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "HIGH": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
               "MEDIUM": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", "LOW": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}
    events = [{"introduced": "0"}] + ([{"fixed": fixed}] if fixed else [])
    return {"schema_version": "1.6.0", "id": id, "aliases": list(aliases), "modified": "2025-06-01T00:00:00Z",
            "published": "2025-01-01T00:00:00Z", "summary": f"A flaw of {name}",
            "severity": [{"type": "CVSS_V3", "score": vectors[severity]}] if severity else [],
            "affected": [{"package": {"ecosystem": ecosystem, "name": name},
                          "ranges": [{"type": "SEMVER" if ecosystem in ("npm", "Go", "crates.io") else "ECOSYSTEM", "events": events}]}], **more}


def database(folder, *records):
    """The folder of a database that `db build` makes of OSV records."""
    source = folder / "records"
    source.mkdir(parents=True)
    for record in records or [advisory("TEST-0", "PyPI", "nothing-is-named-so")]:
        (source / f"{record['id']}.json").write_text(json.dumps(record))
    call("db", "build", "--quiet", "--from", source, "--db", folder, rss_max=1 << 30)
    return folder


# ---- files of other makers ----

def jar(group, artifact, version):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        z.writestr(f"META-INF/maven/{group}/{artifact}/pom.properties", f"groupId={group}\nartifactId={artifact}\nversion={version}\n")
    return out.getvalue()


def go_binary(main, *deps, go="go1.21.0"):
    """An ELF file with nothing but a .go.buildinfo section of the layout since Go 1.18 (debug/buildinfo of Go's library)."""
    def string(b):
        n, head = len(b), b""
        while n >= 0x80:
            head, n = head + bytes([n & 0x7f | 0x80]), n >> 7
        return head + bytes([n]) + b
    info = f"path\t{main}\nmod\t{main}\t(devel)\t\n" + "".join(f"dep\t{n}\t{v}\th1:{'A' * 43}=\n" for n, v in deps)
    info = b"0123456789abcdef" + info.encode() + b"0123456789abcdef"
    data = (b"\xff Go buildinf:" + bytes([8, 2])).ljust(32, b"\0") + string(go.encode()) + string(info)
    names = b"\0.go.buildinfo\0.shstrtab\0"
    at, names_at = 64 + 56, 64 + 56 + len(data)
    table = -(-(names_at + len(names)) // 8) * 8
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400000 + at, 64, table, 0, 64, 56, 1, 64, 3, 2)
    segment = struct.pack("<IIQQQQQQ", 1, 6, 0, 0x400000, 0x400000, table, table, 4096)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 1, 1, 3, 0x400000 + at, at, len(data), 0, 0, 16, 0)
    sections += struct.pack("<IIQQQQIIQQ", 15, 3, 0, 0, names_at, len(names), 0, 0, 1, 0)
    return (head + segment + data + names).ljust(table, b"\0") + sections


def rpm_header(name, version, release, files=()):
    """A header blob as it lies in a package database: rpm's "header format", tags of rpmtag.h."""
    dirs = sorted({f.rpartition("/")[0] + "/" for f in files})
    tags = [(1000, 6, [name]), (1001, 6, [version]), (1002, 6, [release]), (1022, 6, ["x86_64"]),
            (1044, 6, [f"{name}-{version}-{release}.src.rpm"])]
    if files:
        tags += [(1116, 4, [dirs.index(f.rpartition("/")[0] + "/") for f in files]), (1117, 8, [f.rpartition("/")[2] for f in files]), (1118, 8, dirs)]
    index = data = b""
    for tag, kind, values in tags:
        data += bytes(-len(data) % 4) if kind == 4 else b""
        index += struct.pack(">4I", tag, kind, len(data), len(values))
        data += b"".join(struct.pack(">I", v) if kind == 4 else v.encode() + b"\0" for v in values)
    return struct.pack(">2I", len(tags), len(data)) + index + data


def rpm_database(*headers):
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(folder + "/db")
        db.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        db.executemany("INSERT INTO Packages (blob) VALUES (?)", [(h,) for h in headers])
        db.commit()
        db.close()
        return pathlib.Path(folder, "db").read_bytes()


# ---- the run ----

def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, function in enumerate(TESTS, 1):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-e2e-"))
        title = (function.__doc__ or function.__name__).strip().splitlines()[0]
        try:
            function(scratch)
            print(f"ok {number} - {title}")
        except Skip as reason:
            print(f"ok {number} - {title} # SKIP {reason}")
        except Exception as error:
            failed += 1
            print(f"not ok {number} - {title}")
            frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
            print(f"# {function.__name__}, line {frames[-1].lineno if frames else '?'}: {frames[-1].line if frames else ''}")
            print("#", f"{type(error).__name__}: {error}"[:3000].replace("\n", "\n# "))
        finally:
            sys.stdout.flush()
            shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(HOME, ignore_errors=True)
    sys.exit(failed > 0)
