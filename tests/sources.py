"""sources.py LAYER_DUMP ROOT: targets made on the spot (by tar(1), tools/make-image.py and by hand) against what layer_dump makes of
them. What is expected stands in each test, from what was put in. TAP."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

DUMP, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def dump(target, *options, status=0):
    """the JSON documents, or the message where the exit status is 2"""
    done = subprocess.run([DUMP, *options, str(target)], capture_output=True)
    assert done.returncode == status, (done.returncode, done.stderr.decode())
    if status:
        return done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def entries(docs):
    return {d["path"]: d for d in docs if "path" in d}


def unparsed(docs):
    return [(d["unparsed"], d["reason"]) for d in docs if "unparsed" in d]


def contents(docs):
    return {d["content"]: d["digest"] for d in docs if "content" in d}


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(members, format=tarfile.PAX_FORMAT):
    """(name, bytes or dict of TarInfo fields)…"""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as t:
        for name, what in members:
            info = tarfile.TarInfo(name)
            if isinstance(what, dict):
                for key, value in what.items():
                    setattr(info, key, value)
                t.addfile(info)
            else:
                info.size = len(what)
                t.addfile(info, io.BytesIO(what))
    return out.getvalue()


def docker(layers, tags=("image:latest",), config=None, extra=()):
    """a docker-archive of plain layers"""
    config = config or {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [sha(l) for l in layers]}}
    text = json.dumps(config).encode()
    names = [f"{i}/layer.tar" for i in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": list(tags), "Layers": names}]
    return tar_of([(n, l) for n, l in zip(names, layers)] + [("config.json", text)] + list(extra) +
                  [("manifest.json", json.dumps(manifest).encode())])


def scan(data, *options, status=0):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        return dump("archive:" + f.name, *options, status=status)


def layer(data, *options):
    return scan(docker([data]), *options)


def make_image(out, *options):
    subprocess.run([sys.executable, ROOT / "tools/make-image.py", "-o", out, *options], check=True)


def gnu_tar(folder, *options):
    return subprocess.run(["tar", "-C", folder, "-cf", "-", *options, "."], check=True, capture_output=True).stdout


def sample(scratch):
    root = scratch / "root"
    deep = root / ("d" * 90) / ("e" * 90) / ("f" * 60)
    deep.mkdir(parents=True)
    (deep / "long.txt").write_bytes(b"long\n")
    (root / "empty.txt").touch()
    (root / "ünï.txt").write_bytes(b"name\n")
    os.link(root / "ünï.txt", root / "ÿ-hard")
    os.symlink("x" * 150, root / "link")
    os.mkfifo(root / "fifo")
    with open(root / "sparse.txt", "wb") as f:
        for i in range(12):
            f.seek(i * 131072 + 70000)
            f.write(b"%05d" % i)
        f.truncate(2 << 20)
    return root


@test
def gnu_tar_formats(scratch):
    root = sample(scratch)
    expect = sha((root / "sparse.txt").read_bytes())
    for options in (["--format=gnu"], ["--format=gnu", "-S"], ["--format=oldgnu", "-S"], ["--format=pax"],
                    ["--format=pax", "-S", "--sparse-version=0.0"], ["--format=pax", "-S", "--sparse-version=0.1"],
                    ["--format=pax", "-S", "--sparse-version=1.0"]):
        docs = layer(gnu_tar(root, "--sort=name", *options), "--want", ".txt")
        have = entries(docs)
        long_name = "d" * 90 + "/" + "e" * 90 + "/" + "f" * 60 + "/long.txt"
        assert not unparsed(docs), (options, unparsed(docs))
        assert set(have) == {"", "d" * 90, "d" * 90 + "/" + "e" * 90, long_name[:-9], long_name, "empty.txt", "ünï.txt",
                             "ÿ-hard", "link", "fifo", "sparse.txt"}, (options, sorted(have))
        assert have["link"]["link"] == "x" * 150 and have["ÿ-hard"]["link"] == "ünï.txt", options
        assert have["fifo"]["type"] == "device" and have["sparse.txt"]["size"] == 2 << 20, options
        assert contents(docs) == {long_name: sha(b"long\n"), "empty.txt": sha(b""), "ünï.txt": sha(b"name\n"),
                                  "sparse.txt": expect}, options


@test
def old_formats(scratch):
    root = scratch / "root"
    (root / ("p" * 80) / ("q" * 80)).mkdir(parents=True)
    (root / ("p" * 80) / ("q" * 80) / "f.txt").write_bytes(b"prefix")
    assert contents(layer(gnu_tar(root, "--format=ustar"), "--want", ".txt")) == {
        "p" * 80 + "/" + "q" * 80 + "/f.txt": sha(b"prefix")}
    shutil.rmtree(root)
    (root / "dir").mkdir(parents=True)
    (root / "dir/f.txt").write_bytes(b"v7")
    docs = layer(gnu_tar(root, "--format=v7"), "--want", ".txt")
    assert entries(docs)["dir"]["type"] == "dir" and contents(docs) == {"dir/f.txt": sha(b"v7")}


@test
def same_layer_in_every_wrapping(scratch):
    root = sample(scratch)
    os.unlink(root / "fifo")
    plain = scratch / "plain.tar"
    make_image(plain, "--layer", root, "--history", "EMPTY:ENV A=1", "--history", "COPY . /")
    want = [d for d in dump(plain, "--want", ".txt", "--verify")]
    rest = [d for d in want if "kind" not in d]
    assert len(contents(want)) == 4 and want[0]["layers"][0]["created_by"] == "COPY . /" and want[0]["history"] == 2
    for how in ("none", "gzip", "zstd"):
        for form in ("oci", "oci-tar"):
            out = scratch / f"{form}-{how}"
            make_image(out, "--layer", root, "--format", form, "--compress", how)
            got = dump(out, "--want", ".txt", "--verify")
            assert [d for d in got if "kind" not in d] == rest, (form, how)
            assert got[0]["kind"] == ("oci" if form == "oci" else "archive") and got[0]["platform"] == "linux/amd64"
    wrapped = scratch / "w.tar.gz"
    for data in (gzip.compress(plain.read_bytes()),
                 subprocess.run(["zstd", "-qc", plain], check=True, capture_output=True).stdout,
                 gzip.compress((scratch / "oci-tar-zstd").read_bytes())):
        wrapped.write_bytes(data)
        got = dump(wrapped, "--want", ".txt", "--verify")
        assert [d for d in got if "kind" not in d] == rest


@test
def any_number_of_threads(scratch):
    layers = []
    for i in range(6):
        (scratch / f"l{i}").mkdir()
        (scratch / f"l{i}/big.txt").write_bytes(os.urandom(1 << 20) * 12)
        (scratch / f"l{i}/small.txt").write_bytes(b"%d" % i)
        layers += ["--layer", scratch / f"l{i}"]
    for form, how in (("docker", "none"), ("oci", "gzip"), ("oci", "zstd")):
        out = scratch / f"{form}-{how}"
        make_image(out, *layers, "--format", form, "--compress", how)
        one = dump(out, "--want", ".txt", "--jobs", "1")
        assert len([d for d in one if "content" in d]) == 12 and not unparsed(one)
        assert dump(out, "--want", ".txt", "--jobs", "16") == one


@test
def whiteouts_by_exact_name(scratch):
    docs = layer(tar_of([("a/.wh.b", b""), ("a/.wh..wh..opq", b""), ("c/.wh..wh..opqX", b""), (".wh..wh.plnk", {"type": b"5"}),
                         (".wh..wh.plnk/1.2", b"x"), ("a/.whx", b""), ("a/b.wh.c", b""), ("a/.wh.", b""), ("a/.wh..", b""),
                         (".wh..wh..opq", b"")]))
    have = [(d["path"], d["type"]) for d in docs if "path" in d]
    assert have == [("a/b", "whiteout"), ("a", "opaque"), ("a/.whx", "file"), ("a/b.wh.c", "file"), ("", "opaque")], have
    assert [u[0] for u in unparsed(docs)] == ["a/.wh.", "a/.wh.."]


@test
def hostile_names(scratch):
    docs = layer(tar_of([("/etc/abs", b"1"), ("a/../b", b"2"), ("../out", b"3"), ("x/../../out", b"4"), ("n" * 65536, b"5"),
                         ("y" * 5000, b"6"), ("d/" * 300 + "e", b"7"), ("hard", {"type": b"1", "linkname": "../../etc/shadow"}),
                         ("cycle", {"type": b"2", "linkname": "cycle"}), ("new\nline\x1b[0m", b"8"), ("last", b"9")]))
    have = entries(docs)
    assert set(have) == {"etc/abs", "b", "cycle", "new\nline\x1b[0m", "last"}, sorted(have)
    reasons = unparsed(docs)
    assert len(reasons) == 6 and reasons[0][0] == "../out" and "leaves the root" in reasons[0][1], reasons
    assert reasons[2][0] == "n" * 200 and "4096" in reasons[2][1] and "256" in reasons[4][1], reasons


def broken(data, at, bytes_, fix=True):
    """@data with bytes put at @at, and the first header's checksum made right again"""
    b = bytearray(data)
    b[at:at + len(bytes_)] = bytes_
    if fix:
        b[148:156] = b" " * 8
        b[148:156] = b"%06o\0 " % sum(b[:512])
    return bytes(b)


@test
def broken_headers(scratch):
    good = tar_of([("first", b"1" * 700), ("second", b"2")], tarfile.USTAR_FORMAT)
    for at, what, why in ((124, b"\x80" + b"\xff" * 11, "size"), (124, b"\xff" * 12, "size"), (124, b"zzzzzzzzzzzz", "size"),
                          (124, b"77777777777\0", "ends"), (124, b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7, "ends"),
                          (100, b"zzzzzzz\0", "mode")):
        docs = layer(broken(good, at, what))
        assert len(unparsed(docs)) == 1 and why in unparsed(docs)[0][1], (at, what, docs)
    docs = layer(broken(good, 1536, b"x", fix=False))
    assert list(entries(docs)) == ["first"] and "1536: wrong checksum" in unparsed(docs)[0][1]
    signed = broken(good, 0, "fürst".encode())
    b = bytearray(signed)
    total = sum(x - 256 if x > 127 else x for x in b[:148] + b" " * 8 + b[156:512])
    b[148:156] = b"%06o\0 " % total
    assert list(entries(layer(bytes(b)))) == ["fürst", "second"]
    old = broken(good, 148, b"", fix=True)
    docs = layer(old[:1024 + 512] + b"\0" * 512 + old[1536:])
    assert "lone block of zeros" in unparsed(docs)[0][1]
    assert not unparsed(layer(good[:2560])) and len(entries(layer(good[:2560]))) == 2  # without end blocks


@test
def truncated_everywhere(scratch):
    good = tar_of([("first", b"1" * 700), ("second.txt", b"2" * 600)])
    for cut in (1, 511, 513, 1100, 1700, 2100, 2600):
        docs = layer(good[:cut], "--want", ".txt")
        assert unparsed(docs), cut
        assert ("first" in entries(docs)) == (cut > 512), (cut, docs)
    whole = docker([good])
    for cut in (300, len(whole) - 10240):
        assert scan(whole[:cut], status=2)
    # the manifest first, then a layer that the archive cuts
    reordered = tar_of([("manifest.json", json.dumps([{"Config": "c", "Layers": ["l"]}]).encode()), ("c", b"{}")])[:2048]
    docs = scan(reordered + tar_of([("l", good)])[:512 + 1200])
    assert "first" in entries(docs) and unparsed(docs), docs


@test
def broken_streams(scratch):
    data = os.urandom(300000)
    tar = tar_of([("a.txt", data), ("b.txt", data)])
    packed = gzip.compress(tar, mtime=0)
    stored = gzip.compress(tar, 0, mtime=0)  # blocks of 65,535 bytes as they are: byte 5000 is in the middle of one
    for bad, why in ((packed[:400000], "too early"), (packed[:-6] + b"xxxxxx", "gzip: wrong checksum"),
                     (packed[:-3], "too early"), (stored[:5000] + b"\0" * 64 + stored[5064:], "checksum")):
        docs = layer(bad, "--want", ".txt")
        assert why in unparsed(docs)[-1][1], (why, unparsed(docs))
    assert contents(layer(packed[:400000], "--want", ".txt")) == {"a.txt": sha(data)}
    half = len(tar) // 2
    split = gzip.compress(tar[:half]) + gzip.compress(tar[half:]) + b"\0" * 1000
    assert len(contents(layer(split, "--want", ".txt"))) == 2
    frames = b"".join(subprocess.run(["zstd", "-qc"], input=p, check=True, capture_output=True).stdout for p in (tar[:half], tar[half:]))
    docs = layer(b"\x50\x2a\x4d\x18\x04\0\0\0skip" + frames, "--want", ".txt")
    assert len(contents(docs)) == 2 and not unparsed(docs)
    docs = layer(frames[:-20000], "--want", ".txt")
    assert "too early" in unparsed(docs)[-1][1]
    big = subprocess.run(["zstd", "-qc", "--long=27"], input=tar, check=True, capture_output=True).stdout
    assert "window" in unparsed(layer(big))[-1][1], unparsed(layer(big))


@test
def wrapped_archives(scratch):
    """layers that lie in another order than that of the manifest, twice, behind a link; what is named there is found"""
    data = [tar_of([(f"d/f{i}.txt", os.urandom(200000 if i % 2 else 300))]) for i in range(8)]
    names = [f"{i}/layer.tar" for i in (3, 0, 7, 7, 1, 2, 0, 5, 4, 6)]
    manifest = [{"Config": "config.json", "RepoTags": ["a:1"], "Layers": names + ["link/layer.tar", "gone/layer.tar"]}]
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [sha(data[int(n[0])]) for n in names] + [sha(data[3])] * 2}}
    plain = tar_of([("link/layer.tar", {"type": b"2", "linkname": "../3/layer.tar"})] +
                   [(f"{i}/layer.tar", d) for i, d in enumerate(data)] +
                   [("config.json", json.dumps(config).encode()), ("manifest.json", json.dumps(manifest).encode())])
    expect = scan(plain, "--want", ".txt")
    assert len([d for d in expect if "content" in d]) == 11 and len(unparsed(expect)) == 1
    for wrapped in (gzip.compress(plain), subprocess.run(["zstd", "-qc"], input=plain, check=True, capture_output=True).stdout):
        for options in ((), ("--jobs", "8"), ("--verify",)):
            assert scan(wrapped, "--want", ".txt", *options) == expect, options
    bad = plain.replace(data[5][-150000:-149000], bytes(1000))
    assert "promised" in scan(gzip.compress(bad), "--verify", status=2)
    cut = gzip.compress(plain)[:len(gzip.compress(plain)) * 2 // 3]
    assert "manifest.json" in scan(cut, status=2)


@test
def expands_without_end(scratch):
    zeros = subprocess.run(["sh", "-c", "head -c 3000000000 /dev/zero | zstd -qc"], check=True, capture_output=True).stdout
    head = tar_of([("huge", b"")], tarfile.USTAR_FORMAT)[:512]
    head = broken(head, 124, b"%011o\0" % 2999999488)
    one = subprocess.run(["zstd", "-qc"], input=head, check=True, capture_output=True).stdout
    docs = layer(one + zeros)
    assert "huge" in entries(docs) and "4096 times" in unparsed(docs)[-1][1], docs
    docs = layer(gzip.compress(head + b"\0" * 95000000), "--want", "huge")
    assert unparsed(docs)[0][0] == "huge" and "held in memory" in unparsed(docs)[0][1], docs


@test
def wrong_digests(scratch):
    a, b = tar_of([("a", b"1")]), tar_of([("a", b"2")])
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [sha(a)]}}
    assert "promised" in scan(docker([b], config=config), "--verify", status=2)
    assert list(entries(scan(docker([b], config=config)))) == ["a"]
    (scratch / "root").mkdir()
    (scratch / "root/f").write_bytes(b"x" * 5000)
    make_image(scratch / "oci", "--layer", scratch / "root", "--format", "oci", "--compress", "gzip")
    docs = dump(scratch / "oci", "--verify")
    blob = scratch / "oci/blobs/sha256" / docs[0]["layers"][0]["digest"][7:]
    blob.write_bytes(gzip.compress(b[:512]))
    assert "promised" in dump(scratch / "oci", "--verify", status=2)
    manifest = scratch / "oci/blobs/sha256" / docs[0]["digest"][7:]
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert "promised" in dump(scratch / "oci", "--verify", status=2)
    blob.unlink()
    assert "is not there" in unparsed(dump(scratch / "oci"))[0][1]


@test
def docker_archives_of_every_age(scratch):
    one, two = tar_of([("one", b"1")]), tar_of([("two", b"2")])
    legacy = tar_of([("aa/json", b'{"id":"aa","created":"2015-01-01T00:00:00Z","container_config":{"Cmd":["/bin/sh","-c","#(nop) ADD"]}}'),
                     ("aa/layer.tar", one), ("bb/json", b'{"id":"bb","parent":"aa","os":"linux","architecture":"amd64","config":{"User":"u"}}'),
                     ("bb/layer.tar", two), ("repositories", b'{"app":{"1":"bb"}}')])
    docs = scan(legacy)
    assert [d["path"] for d in docs if "path" in d] == ["one", "two"] and docs[0]["config"]["user"] == "u"
    assert docs[0]["layers"][0]["created_by"] == "/bin/sh -c #(nop) ADD"
    circle = tar_of([("aa/json", b'{"parent":"aa"}'), ("repositories", b'{"app":{"1":"aa"}}')])
    assert "circle" in scan(circle, status=2)
    manifest = [{"Config": "c", "RepoTags": ["app:1"], "Layers": ["x/layer.tar", "y/layer.tar"]},
                {"Config": "c", "RepoTags": ["app:2"], "Layers": ["y/layer.tar"]}]
    linked = tar_of([("x/layer.tar", one), ("y/layer.tar", {"type": b"2", "linkname": "../x/layer.tar"}), ("c", b"{}"),
                     ("manifest.json", json.dumps(manifest).encode())])
    docs = scan(linked)
    assert [(d["layer"], d["path"]) for d in docs if "path" in d] == [(0, "one"), (1, "one")] and "2 images" in docs[0]["notes"][0]
    file = scratch / "i.tar"
    file.write_bytes(linked)
    for tag in ("2", "app:2"):
        assert len(dump(f"archive:{file}:{tag}")[0]["layers"]) == 1
        assert len(dump(f"{file}:{tag}")[0]["layers"]) == 1
    assert "tag 3" in dump(f"archive:{file}:3", status=2)
    loop = tar_of([("x/layer.tar", {"type": b"2", "linkname": "../x/layer.tar"}), ("c", b"{}"),
                   ("manifest.json", b'[{"Config":"c","Layers":["x/layer.tar","gone.tar"]}]')])
    assert [u[1] for u in unparsed(scan(loop))] == ["x/layer.tar is not in the archive", "gone.tar is not in the archive"]
    assert "manifest.json" in scan(tar_of([("c", b"{}"), ("manifest.json", b"[" * 10000)]), status=2)
    assert "no image archive" in scan(tar_of([("etc/passwd", b"")]), status=2)
    assert scan(b"", status=2) and scan(b"\0" * 10240, status=2) and scan(os.urandom(4096), status=2)


@test
def nothing_by_null(scratch):
    """what Docker writes as null is nothing, and hides nothing of what stands around it"""
    data = tar_of([("a", b"x")])
    for members in (["Env", "Cmd", "Entrypoint"], ["Volumes", "Labels", "ExposedPorts", "OnBuild"], ["Healthcheck"]):
        config = {"User": "", **{m: None for m in members}, "Image": "", "WorkingDir": "/w"}
        whole = {"architecture": "amd64", "config": config, "history": None, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [sha(data)]}}
        assert "a" in entries(scan(docker([data], config=whole))), members
    assert "a" in entries(scan(docker([data], config={**whole, "config": None})))


@test
def docker_archives_that_are_layouts_too(scratch):
    """from Docker 25 on: the digest is that of the manifest in the index, here behind another index, that has the config"""
    (scratch / "root").mkdir()
    (scratch / "root/f").touch()
    make_image(scratch / "oci", "--layer", scratch / "root", "--format", "oci")
    blobs = {str(p.relative_to(scratch / "oci")): p.read_bytes() for p in (scratch / "oci/blobs/sha256").iterdir()}
    inner = (scratch / "oci/index.json").read_bytes()
    digest = json.loads(inner)["manifests"][0]["digest"]
    image = json.loads(blobs["blobs/sha256/" + digest[7:]])
    blobs["blobs/sha256/" + sha(inner)[7:]] = inner
    other = json.dumps({**image, "config": {**image["config"], "digest": sha(b"{}")}}).encode()
    blobs["blobs/sha256/" + sha(other)[7:]] = other
    path = lambda d: "blobs/sha256/" + d["digest"][7:]
    manifest = [{"Config": path(image["config"]), "RepoTags": ["a:1"], "Layers": [path(l) for l in image["layers"]]}]

    def archive(index):
        return tar_of(list(blobs.items()) + [("manifest.json", json.dumps(manifest).encode()), ("index.json", index)])
    gone = {"digest": sha(b"gone"), "size": 4}
    index = json.dumps({"manifests": [gone, {"digest": sha(other)}, {"digest": sha(inner)}]}).encode()
    for data in (archive(index), gzip.compress(archive(index))):
        docs = scan(data, "--verify")
        assert docs[0]["digest"] == digest and docs[0]["image_id"] == image["config"]["digest"], docs[0]
        assert not docs[0]["notes"] and "f" in entries(docs)
    docs = scan(archive(json.dumps({"manifests": [gone, {"digest": sha(other)}]}).encode()))
    assert "digest" not in docs[0] and not docs[0]["notes"]
    docs = scan(archive(b"{"))
    assert "digest" not in docs[0] and "index.json" in docs[0]["notes"][0] and "f" in entries(docs)
    blobs["blobs/sha256/" + sha(inner)[7:]] = inner + b" "
    assert "promised" in scan(archive(index), "--verify", status=2)
    loop = json.dumps({"manifests": [{"digest": sha(b"loop")}]}).encode()
    blobs["blobs/sha256/" + sha(b"loop")[7:]] = loop
    assert "f" in entries(scan(archive(loop)))


@test
def oci_indexes(scratch):
    out = scratch / "oci"
    (scratch / "root").mkdir()
    (scratch / "root/amd").touch()
    make_image(out, "--layer", scratch / "root", "--format", "oci")
    os.rename(scratch / "root/amd", scratch / "root/arm")
    make_image(scratch / "arm", "--layer", scratch / "root", "--format", "oci", "--platform", "linux/arm64")
    shutil.copytree(scratch / "arm/blobs", out / "blobs", dirs_exist_ok=True)
    images = [json.loads((d / "index.json").read_text())["manifests"][0] for d in (out, scratch / "arm")]
    for image in images:
        image.pop("annotations")
    fake = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": sha(b"none"), "size": 4,
            "platform": {"os": "unknown", "architecture": "unknown"}}

    def write(value):
        text = json.dumps(value).encode()
        (out / "blobs/sha256" / hashlib.sha256(text).hexdigest()).write_bytes(text)
        return {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": sha(text), "size": len(text)}
    inner = write({"schemaVersion": 2, "manifests": [fake] + images})
    inner["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (out / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [inner]}))
    assert "arm" in entries(dump(f"oci:{out}:v1", "--platform", "linux/arm64"))
    assert "amd" in entries(dump(f"oci:{out}", "--platform", "linux/amd64"))
    assert "arm" in entries(dump(f"oci:{out}@{images[1]['digest']}"))
    assert "linux/amd64, linux/arm64" in dump(f"oci:{out}:v1", "--platform", "linux/s390x", status=2)
    assert "v2" in dump(f"oci:{out}:v2", status=2)
    deep = inner
    for _ in range(8):
        deep = write({"schemaVersion": 2, "manifests": [deep]})
    (out / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [deep]}))
    assert "nested" in dump(f"oci:{out}", status=2)
    (out / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}))
    assert "not a digest" in dump(f"oci:{out}", status=2)


@test
def folders(scratch):
    root = sample(scratch)
    (root / "secret.txt").write_bytes(b"s")
    (root / "prog").write_bytes(b"\x7fELF" + b"\0" * 100000)
    os.chmod(root / "prog", 0o755)
    os.symlink("/etc", root / "etc")
    docs = dump(f"dir:{root}", "--want", ".txt")
    have = entries(docs)
    assert have["prog"]["head"] == "\x7fELF\0\0\0\0" and have["etc"] == {**have["etc"], "type": "symlink", "link": "/etc"}
    assert not [p for p in have if p.startswith("etc/")] and have["fifo"]["type"] == "device" and not unparsed(docs)
    assert contents(docs)["sparse.txt"] == sha((root / "sparse.txt").read_bytes()) and contents(docs)["secret.txt"] == sha(b"s")
    order = [d["path"] for d in docs if "path" in d and "/" not in d["path"]]
    assert order == sorted(order, key=os.fsencode)
    assert [d["path"] for d in dump(f"dir:{root}", "--fetch", "secret.txt", "--want", "") if "path" in d] == ["secret.txt"]
    assert not entries(dump(f"dir:{root}", "--fetch", "etc/passwd"))
    deep = root
    for _ in range(300):
        deep = deep / "x"
    deep.mkdir(parents=True)
    assert any("256" in u[1] for u in unparsed(dump(root)))


@test
def fetch_names_alone(scratch):
    data = tar_of([("a.txt", b"1"), ("b.txt", b"2"), ("./a.txt", b"3"), ("h", {"type": b"1", "linkname": "b.txt"})])
    for bytes_ in (data, gzip.compress(data)):
        docs = layer(bytes_, "--fetch", "a.txt", "--want", "a.txt")
        assert [d["digest"] for d in docs if "content" in d] == [sha(b"1"), sha(b"3")]
    assert entries(layer(data))["h"]["type"] == "hardlink"


@test
def other_targets(scratch):
    for prefix, word in (("docker", "docker save"), ("podman", "podman save"), ("registry", "skopeo"), ("sbom", "SBOM"),
                         ("containerd", "ctr"), ("container", "dir:")):
        assert word in dump(prefix + ":x", status=2)
    assert "no such file" in dump("nosuch/image:1", status=2)
    assert "platform" in dump("dir:/", "--platform", "linux", status=2)
    assert "No such file" in dump("archive:/nosuch.tar:latest", status=2)


@test
def real_layouts(scratch):
    """Alpine's own; their number of files is in no truth file, the package database is what must come out."""
    images = ROOT / "../shared/images"
    if not images.is_dir():
        return "SKIP no ../shared/images"
    for name in ("alpine-3.12", "alpine-3.18", "alpine-edge"):
        docs = dump(f"oci:{images / name}", "--verify", "--want", "lib/apk/db/installed")
        assert len(contents(docs)) == 1 and not unparsed(docs) and docs[0]["platform"] == "linux/amd64"


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for i, function in enumerate(TESTS, 1):
        scratch = pathlib.Path(tempfile.mkdtemp())
        try:
            note = function(scratch)
            print(f"ok {i} - {function.__name__}" + (f" # {note}" if note else ""))
        except AssertionError as error:
            import traceback
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"not ok {i} - {function.__name__}\n# line {traceback.extract_tb(error.__traceback__)[1].lineno}: {where.line}")
            print("#", str(error)[:1500].replace("\n", "\n# "))
        finally:
            shutil.rmtree(scratch)
    sys.exit(failed > 0)


main()
