"""hostile.py HOLDFAST ROOT: input that is broken or meant to harm. Each gives an entry of `unparsed` or exit 2 with a message that names
the input, in bounded memory and time, and the rest of the scan goes on. TAP."""
import gzip
import io
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import tarfile
import zipfile

import harness
from harness import (SITE, Skip, call, docker_archive, folder, hardlink, image, jar, npm_package, oci_layout, os_release, packages,
                     python_package, rpm_database, rpm_header, sbom, sha, symlink, tar_of, test, unparsed, whiteout)

A, B = python_package("a", "1.0"), python_package("b", "1.0")
ONE, BOTH = {("a", "1.0")}, {("a", "1.0"), ("b", "1.0")}


def complains(document, path, *words):
    """There is an entry of @path whose reason has one of the @words."""
    return any(u[0].endswith(path) and u[1] and (not words or any(w in u[1] for w in words)) for u in unparsed(document))


def refused(target, *words, options=()):
    """Exit 2; the message names the target and has all @words."""
    done = call("sbom", *options, target, status=2)
    assert str(target) in done.err, done.err
    assert all(w in done.err for w in words), (words, done.err)


def header(name, size=b"0000000000\0 ", kind=b"0", checksum=None):
    """A tar header by hand, whose size field can be anything."""
    raw = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size.ljust(12, b"\0")[:12] + b"00000000000\0"
    raw = raw + b" " * 8 + kind + bytes(100) + b"ustar\00000" + bytes(247)
    return raw[:148] + (checksum or b"%06o\0 " % sum(raw)) + raw[156:]


@test
def truncated_archive(scratch):
    """an archive that ends at any place gives what could be read, or is refused"""
    whole = docker_archive([tar_of([A]), tar_of([B])])
    for cut in list(range(0, len(whole), 1531)) + [511, 512, 513, len(whole) - 1, len(whole) - 10000]:
        path = scratch / "cut.tar"
        path.write_bytes(whole[:cut])
        done = call("sbom", "--format", "json", f"archive:{path}", status=None)
        if done.status:
            assert str(path) in done.err
        else:
            assert packages(json.loads(done.out)) <= BOTH


@test
def truncated_layers(scratch):
    """a layer that ends early: what came before counts, the layer is named, the other layers are read"""
    members = [A, ("filler", os.urandom(20000)), ("x" * 30, b"y" * 9000), B]
    plain = tar_of(members)
    for name, layer in (("plain", plain[:-14000]), ("gzip", gzip.compress(plain)[:-9000]), ("empty", gzip.compress(plain)[:12]),
                        ("garbage", b"no tar at all" * 100), ("crc", gzip.compress(plain)[:-8] + bytes(8))):
        document = sbom(oci_layout(scratch / name, [layer, tar_of([npm_package("c", "1.0")])], diff_ids=[sha(plain), sha(b"")]))
        got = packages(document)
        assert ("c", "1.0") in got and got <= BOTH | {("c", "1.0")}, (name, got)
        assert name in ("empty", "garbage") or ("a", "1.0") in got or complains(document, A[0], "checksum"), name
        assert unparsed(document), name
        call("sbom", "--strict", f"oci:{scratch / name}", status=3)


@test
def looping_archives(scratch):
    """links of an archive's members in a circle, an index that is in itself, a layer that is the archive"""
    loop = tar_of([("manifest.json", json.dumps([{"Config": "config.json", "Layers": ["l/layer.tar"]}]).encode()),
                   ("config.json", json.dumps({"rootfs": {"diff_ids": [sha(b"")]}}).encode()),
                   symlink("l/layer.tar", "../m/layer.tar"), symlink("m/layer.tar", "../l/layer.tar")])
    (scratch / "loop.tar").write_bytes(loop)
    document = sbom(f"archive:{scratch / 'loop.tar'}")
    assert not document["packages"] and unparsed(document)
    blobs = scratch / "index/blobs/sha256"
    blobs.mkdir(parents=True)
    (scratch / "index/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    digest = "sha256:" + "a" * 64
    nested = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": 10}]}
    for path in (scratch / "index/index.json", blobs / ("a" * 64)):
        path.write_text(json.dumps(nested))
    refused(f"oci:{scratch / 'index'}")


def bomb(fill, size=2 << 30):
    """gzip of a tar with a package, a file of @size of the same byte, another package"""
    info = tarfile.TarInfo("zeros")
    info.size = size
    head = tar_of([A])[:1024] + info.tobuf(tarfile.GNU_FORMAT)
    piece = gzip.compress(fill * (16 << 20), 9, mtime=0)
    return gzip.compress(head) + piece * (size // (16 << 20)) + gzip.compress(tar_of([B]))


@test
def bombs(scratch):
    """layers that expand a thousandfold: in bounded memory, and what stands beside them is read"""
    layer = bomb(b"\0", (512 << 20) if harness.SANITIZED else (2 << 30))
    document = sbom(oci_layout(scratch / "gzip", [layer, tar_of([npm_package("c", "1.0")])], diff_ids=[sha(b""), sha(b"1")]))
    assert {("a", "1.0"), ("c", "1.0")} <= packages(document)
    assert packages(document) >= BOTH or unparsed(document)
    # gzip in gzip in gzip: the inner ones are no tar
    nested = tar_of([A])
    for _ in range(4):
        nested = gzip.compress(nested)
    document = sbom(oci_layout(scratch / "nested", [nested, tar_of([B])], diff_ids=[sha(b""), sha(b"1")]))
    assert packages(document) == {("b", "1.0")} and unparsed(document)


@test
def zstd_bombs(scratch):
    """zstd at its highest ratio, and with a window of two gigabytes"""
    if not shutil.which("zstd"):
        raise Skip("no zstd here")
    info = tarfile.TarInfo("zeros")
    info.size = (256 if harness.SANITIZED else 2048) << 20
    (scratch / "plain").write_bytes(tar_of([A])[:1024] + info.tobuf(tarfile.GNU_FORMAT))
    with open(scratch / "plain", "r+b") as f:
        f.truncate(1024 + 512 + info.size)
        f.seek(0, 2)
        f.write(tar_of([B]))
    for name, options in (("ratio", ["-19"]), ("window", ["--ultra", "--long=31", "-1"])):
        layer = subprocess.run(["zstd", "-q", *options, "-c", scratch / "plain"], check=True, capture_output=True).stdout
        document = sbom(oci_layout(scratch / name, [layer, tar_of([npm_package("c", "1.0")])], "application/vnd.oci.image.layer.v1.tar+zstd",
                                   diff_ids=[sha(b""), sha(b"1")]))
        assert ("c", "1.0") in packages(document), name
        assert packages(document) >= BOTH or unparsed(document), (name, packages(document))


@test
def a_million_files(scratch):
    """a million empty files and a package at the end"""
    path, count = scratch / "layer.tar", 100_000 if harness.SANITIZED else 1_000_000
    with open(path, "wb") as f:
        f.write(tar_of([A])[:1024])
        fields = header(b"")
        rest = sum(fields) - sum(fields[148:156]) + 8 * 32
        for base in range(0, count, 10000):
            piece = bytearray()
            for i in range(base, base + 10000):
                name = b"d%03d/e%03d/%07d" % (i // 10000, i // 100 % 100, i)
                piece += name + fields[len(name):148] + b"%06o\0 " % (rest + sum(name)) + fields[156:]
            f.write(piece)
        f.write(tar_of([B]))
    with tarfile.open(path) as t:
        assert t.next().name == A[0] and t.next().name == "d000/e000/0000000"
    harness.make_image(scratch / "image.tar", "--layer", path, "--layer", path)
    done = call("sbom", "--format", "json", f"archive:{scratch / 'image.tar'}", rss_max=128 << 20)
    assert packages(json.loads(done.out)) == BOTH
    done = call("layers", "--format", "json", "--db", database(), f"archive:{scratch / 'image.tar'}", rss_max=160 << 20)
    assert [l["files"] for l in json.loads(done.out)["layers"]] == [count + 2] * 2


def database(made=[]):
    if not made:
        made.append(harness.database(harness.HOME / "db"))
    return made[0]


@test
def long_names(scratch):
    """names of 64 KiB are named in short and passed over"""
    long = "n" * 65536
    deep = "/".join(["d"] * 3000)
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        layer = tar_of([A, (long, b"1"), (long + "/node_modules/c/package.json", b"{}"), (deep + "/METADATA", b"x"), symlink("l", long),
                        hardlink("h", long), B], form)
        document = sbom(image(scratch, layer))
        assert packages(document) == BOTH, form
        assert len(unparsed(document)) >= 3 and all(len(p) < 5000 and len(r) < 1000 for p, r in unparsed(document)), unparsed(document)


@test
def wrong_digests(scratch):
    """bytes that are not those of their digest: refused with --verify, named otherwise or not looked at"""
    layers = [gzip.compress(tar_of([A, ("filler", os.urandom(3000))]), mtime=0), gzip.compress(tar_of([B]), mtime=0)]
    target = oci_layout(scratch / "layout", layers, break_digest=1)
    refused(target, "digest", options=["--verify"])
    assert packages(sbom(target)) >= {("a", "1.0")}
    # the plain bytes are not those that the config names
    target = oci_layout(scratch / "diff", layers, diff_ids=[sha(tar_of([A])), sha(b"other")])
    refused(target, options=["--verify"])
    assert packages(sbom(target)) == BOTH
    for name in ("manifest", "config"):
        target = oci_layout(scratch / name, layers, diff_ids=[sha(gzip.decompress(l)) for l in layers])
        assert packages(sbom(target, "--verify")) == BOTH
        for blob in (scratch / name / "blobs/sha256").iterdir():
            data = blob.read_bytes()
            if (b'"layers":' in data) == (name == "manifest") and data[:1] == b"{":
                blob.write_bytes(data.replace(b"linux", b"linus") if name == "config" else data + b" ")
        refused(target, "digest", options=["--verify"])
    (scratch / "gone").mkdir()
    target = oci_layout(scratch / "gone/x", layers)
    (scratch / "gone/x/blobs/sha256" / sha(layers[0])[7:]).unlink()
    document = sbom(target)
    assert packages(document) == {("b", "1.0")} and unparsed(document), "a blob that is not there"
    whole = docker_archive([tar_of([A])])
    (scratch / "bad.tar").write_bytes(whole.replace(b"Version: 1.0\n", b"Version: 6.6\n"))
    refused(f"archive:{scratch / 'bad.tar'}", "digest", options=["--verify"])
    assert packages(sbom(f"archive:{scratch / 'bad.tar'}")) == {("a", "6.6")}


@test
def nested_jars(scratch):
    """jars in jars without end, a jar that is a bomb, one that is none"""
    inner = jar("org.example", "deepest", "1.0")
    for i in range(60):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("lib/in.jar", inner)
            z.writestr(f"META-INF/maven/org.example/l{i}/pom.properties", f"groupId=org.example\nartifactId=l{i}\nversion=1\n")
        inner = out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("lib/bomb.jar", b"\0" * (200 << 20))
    wide = io.BytesIO()
    with zipfile.ZipFile(wide, "w") as z:
        for i in range(5000):
            z.writestr(f"lib/{i}.jar", b"PK\5\6" + bytes(18))
    document = sbom(image(scratch, [("opt/deep.jar", inner), ("opt/bomb.jar", out.getvalue()), ("opt/none.jar", b"PK\3\4 no"),
                                    ("opt/wide.jar", wide.getvalue()), ("opt/good.jar", jar("org.example", "good", "1.0")), A]))
    names = {n for n, _ in packages(document)}
    assert {"a", "org.example:good", "org.example:l59", "org.example:l58"} <= names and "org.example:deepest" not in names, names & {"a"}
    paths = {p.partition("!")[0] for p, _ in unparsed(document)}
    assert {"opt/deep.jar", "opt/none.jar"} <= paths, unparsed(document)[:20]


@test
def sqlite_cycles(scratch):
    """rpm databases whose pages point at each other, or anywhere"""
    data = rpm_database(*[rpm_header(f"p{i}", "1", "1", [f"/usr/share/{i}/{k}" for k in range(200)]) for i in range(200)])
    page = struct.unpack(">H", data[16:18])[0]
    interior = [i for i in range(0, len(data), page) if data[i + (100 if i == 0 else 0)] == 5]
    assert interior
    loops = bytearray(data)
    for at in interior:  # each child is the page itself
        head = at + (100 if at == 0 else 0)
        cells = struct.unpack(">H", data[head + 3:head + 5])[0]
        for c in range(cells):
            where = at + struct.unpack(">H", data[head + 12 + 2 * c:head + 14 + 2 * c])[0]
            loops[where:where + 4] = struct.pack(">I", at // page + 1)
        loops[head + 8:head + 12] = struct.pack(">I", at // page + 1)
    for name, bad in (("loops", bytes(loops)), ("cut", data[:len(data) // 2]), ("short", data[:100]), ("zeros", bytes(len(data))),
                      ("header", data[:16] + b"\xff\xff" + data[18:]), ("empty", b"")):
        document = sbom(image(scratch, [os_release("rocky", "9.2", None), ("var/lib/rpm/rpmdb.sqlite", bad), A]))
        assert ("a", "1.0") in packages(document), name
        assert complains(document, "rpmdb.sqlite"), (name, document["unparsed"])


@test
def tar_numbers(scratch):
    """sizes out of range, negative or no numbers; checksums that are wrong"""
    start = tar_of([A])[:1024]
    end = tar_of([B])
    big = [b"\x80" + b"\xff" * 11, b"\xff" * 12, b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7, b"77777777777\0", b"99999999999\0", b"-0000000001\0",
           b"zzzzzzzzzzz\0", b"\x80" + bytes(10) + b"\x01"]
    for size in big:
        layer = start + header(b"evil", size) + b"x".ljust(512, b"\0") + end
        document = sbom(image(scratch, layer, tar_of([npm_package("c", "1.0")])))
        assert ("c", "1.0") in packages(document) and ("a", "1.0") in packages(document), size
        assert ("b", "1.0") in packages(document) or unparsed(document), size
    document = sbom(image(scratch, start + header(b"evil", checksum=b"000001\0 ") + end))
    assert ("a", "1.0") in packages(document) and unparsed(document)
    pax = b"30 size=99999999999999999999\n\n"
    layer = start + header(b"x", b"%011o\0" % len(pax), b"x") + pax.ljust(512, b"\0") + header(b"evil") + end
    document = sbom(image(scratch, layer))
    assert ("a", "1.0") in packages(document) and unparsed(document)
    document = sbom(image(scratch, start + header(b"long", b"77777777777\0", b"L") + end))
    assert ("a", "1.0") in packages(document) and unparsed(document)


@test
def deep_json(scratch):
    """JSON ten thousand deep: a package.json is named, a manifest or config is refused"""
    for deep in (b"[" * 10000 + b"]" * 10000, b'{"a":' * 10000 + b"1" + b"}" * 10000, b'{"name":"c","version":"1","x":' + b"[" * 10000):
        document = sbom(image(scratch, [("srv/node_modules/c/package.json", deep), A,
                                        ("srv/app/app.deps.json", deep), ("srv/vendor/composer/installed.json", deep)]))
        assert packages(document) >= ONE and complains(document, "c/package.json"), document["unparsed"]
        assert complains(document, "installed.json") and complains(document, "deps.json"), document["unparsed"]
        for name in ("manifest.json", "config.json"):
            members = [("0/layer.tar", tar_of([A])), ("config.json", b'{"rootfs":{"diff_ids":[]}}'),
                       ("manifest.json", b'[{"Config":"config.json","Layers":["0/layer.tar"]}]')]
            members = [(n, deep if n == name else d) for n, d in members]
            (scratch / "x.tar").write_bytes(tar_of(members))
            done = call("sbom", "--format", "json", f"archive:{scratch / 'x.tar'}", status=None)
            assert done.status == 2 and str(scratch / "x.tar") in done.err or packages(json.loads(done.out)) == ONE and unparsed(json.loads(done.out)), (
                name, done.err, done.out[:600])
    for broken in (b"", b"{", b"null", b"[]", b"[1]", b'[{"Layers":1}]', b'[{"Config":"../../etc/passwd","Layers":["/etc/passwd"]}]', b"\xff\xfe", b'[{}]'):
        (scratch / "x.tar").write_bytes(tar_of([("manifest.json", broken), ("0/layer.tar", tar_of([A]))]))
        done = call("sbom", "--format", "json", f"archive:{scratch / 'x.tar'}", status=None)
        assert done.status == 2 or unparsed(json.loads(done.out)), (broken, done.out[:500])


@test
def names_that_lead_out(scratch):
    """absolute names and .. stay inside, links out of the tree are not followed"""
    secret = scratch / "secret"
    secret.mkdir()
    outside = python_package("outside", "6.6", "")
    (secret / "METADATA").write_bytes(outside[1])
    document = sbom(image(scratch, [("/" + A[0], A[1]), ("../../" + B[0], B[1]), symlink(SITE + "c-1.dist-info", str(secret)),
                                    symlink(SITE + "d-1.dist-info/METADATA", "../" * 30 + str(secret / "METADATA")[1:]),
                                    hardlink(SITE + "e-1.dist-info/METADATA", str(secret / "METADATA"))]))
    assert ("outside", "6.6") not in packages(document)
    assert ("a", "1.0") in packages(document)
    assert ("b", "1.0") in packages(document) or complains(document, B[0], "leaves the root")
    root = scratch / "root"
    (root / SITE / "a-1.0.dist-info").mkdir(parents=True)
    (root / A[0]).write_bytes(A[1])
    os.symlink(secret, root / SITE / "outside-6.6.dist-info")
    (root / SITE / "x-1.dist-info").mkdir()
    os.symlink(secret / "METADATA", root / SITE / "x-1.dist-info/METADATA")
    os.symlink("/etc", root / "etc")
    os.symlink(".", root / "self")
    os.symlink("loop", root / "loop")
    assert packages(sbom(f"dir:{root}")) == ONE
    # the same through the archive's own members and the layout's blobs
    whole = tar_of([("manifest.json", b'[{"Config":"config.json","Layers":["l.tar"]}]'), ("config.json", b'{"rootfs":{"diff_ids":["sha256:00"]}}'),
                    symlink("l.tar", "../" * 20 + "etc/passwd")])
    (scratch / "out.tar").write_bytes(whole)
    done = call("sbom", "--format", "json", f"archive:{scratch / 'out.tar'}", status=None)
    assert done.status == 2 or unparsed(json.loads(done.out))


@test
def odd_folders(scratch):
    """a FIFO, a socket, an unreadable file and names with control bytes in dir:"""
    root = scratch / "root"
    for name, data in (A, B, npm_package("c", "1.0", "srv/")):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(data)
    os.mkfifo(root / "fifo")
    (root / "srv/node_modules/p").mkdir()
    os.mkfifo(root / "srv/node_modules/p/package.json")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket"))
    evil = root / "srv/node_modules/\x1b[31mred\x07\n"
    evil.mkdir()
    (evil / "package.json").write_text("{broken")
    document = sbom(f"dir:{root}")
    assert packages(document) == BOTH | {("c", "1.0")}
    assert complains(document, "\n/package.json"), document["unparsed"]
    listener.close()
    if os.getuid() == 0:  # root reads everything: as nobody
        if not shutil.which("setpriv"):
            raise Skip("as root, without setpriv, nothing is unreadable")
    (root / B[0]).chmod(0)
    for parent in [scratch, *root.rglob("*/")]:
        parent.is_dir() and parent.chmod(0o755)
    (root / "srv").chmod(0)
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    if prefix and subprocess.run([*prefix, harness.HOLDFAST, "--version"], capture_output=True, cwd="/").returncode:
        raise Skip("nobody cannot run the program where it lies")
    done = subprocess.run([*prefix, harness.HOLDFAST, "sbom", "--format", "json", f"dir:{root}"], capture_output=True, cwd="/")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert packages(document) == ONE and complains(document, B[0]) and complains(document, "srv"), document["unparsed"]


@test
def odd_targets(scratch):
    """targets that are none: each is refused with its name and the reason"""
    (scratch / "empty").touch()
    (scratch / "folder").mkdir()
    (scratch / "text").write_text("hello\n" * 1000)
    os.mkfifo(scratch / "fifo")
    os.symlink("loop", scratch / "loop")
    with open(scratch / "zeros", "wb") as f:
        f.truncate(4 << 30)
    gz = scratch / "half.tar.gz"
    gz.write_bytes(gzip.compress(docker_archive([tar_of([A])]))[:200])
    for name in ("empty", "folder", "text", "fifo", "loop", "missing", "zeros", "half.tar.gz"):
        refused(f"archive:{scratch / name}")
    for name in ("empty", "folder", "missing", "fifo"):
        refused(f"oci:{scratch / name}")
    for name in ("empty", "text", "missing", "loop", "fifo"):
        refused(f"dir:{scratch / name}")
    refused("archive:/dev/null")
    refused("archive:/dev/zero")
    refused("dir:/dev/null")
    refused("archive:")
    refused(scratch / "empty")
    refused(scratch / "missing")
    refused(scratch / "fifo")
    refused("nosuch:thing")
    assert "File name too long" in call("sbom", "archive:" + "x" * 10000, status=2).err
    refused(f"oci:{scratch / 'folder'}@sha256:zz")
    assert not sbom(f"dir:{scratch / 'folder'}")["packages"], "an empty folder is one"
    document = sbom(image(scratch, b""))
    assert not document["packages"], "a layer of no bytes"
    refused(image(scratch, [A]) + ":other-tag", "other-tag")


@test
def control_bytes(scratch):
    """control bytes in names, versions, paths and configs reach no terminal in any format"""
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202egpj.exe"
    name = "a" + evil
    layer = [os_release("debian\x1b[31m", "12\x1b[0m"), npm_package("x", "1.0"), python_package("p", "1.0"),
             ("srv/node_modules/e/package.json", json.dumps({"name": name, "version": "1.0" + evil, "license": "MIT" + evil}).encode()),
             ("var/lib/dpkg/status", (harness.dpkg_record("zz" + "\x1b[1m", "1.0\x1b[2J") + harness.dpkg_record("fine", "1.0")).encode()),
             ("srv/node_modules/" + evil + "/package.json", b"{broken"), ("usr/lib/" + evil + ".jar", b"PK\3\4")]
    raw = tar_of(layer)
    config = {"os": "linux\x1b[1m", "architecture": "amd64", "config": {"User": evil, "Cmd": [evil], "Labels": {evil: evil}, "Env": [evil + "=1"]},
              "rootfs": {"type": "layers", "diff_ids": [sha(raw)]}, "history": [{"created_by": "RUN " + evil}]}
    target = image(scratch, raw, config=config)
    records = [harness.advisory("TEST-" + "1", "npm", name, "2.0.0", aliases=["CVE-\x1b[5m"], details=evil)]
    records[0]["summary"] = "flaw " + evil
    db = harness.database(scratch / "db", *records)
    for command, formats in (("scan", ("table", "json", "sarif")), ("sbom", ("table", "json", "cyclonedx", "spdx")), ("layers", ("table", "json"))):
        for form in formats:
            for verbose in ([], ["--verbose"]):
                done = call(command, "--format", form, *verbose, *(["--db", db] if command != "sbom" else []), target)
                text = done.out.decode()  # valid UTF-8
                assert harness.is_printable(text), (command, form, [l for l in text.splitlines() if not harness.is_printable(l)][:3])
                assert "\u202e" not in text or form != "table", (command, form)
    assert harness.is_printable(call("db", "search", "--db", db, "TEST-1").out.decode())
    evil_file = scratch / "no\x1b[31m\nsuch"
    assert "\x1b" not in call("sbom", f"archive:{evil_file}", status=2).err


harness.main()
