"""Images for ./dev bench: made from fixed seeds, shaped like real ones (names, sizes, numbers of files, package metadata), so
that nothing has to be fetched. A layer is a plain tar; an image is a docker-archive of them, or an OCI layout."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import zipfile

WORDS = ("the of value return function import const self data type name list object string number index error result "
         "config option module class public static void int char buffer length offset size path file node").split()


class Text:
    """Slices of one pool of text that compresses like source code (about 4:1), different for each file."""

    def __init__(self, seed, size=48 << 20):
        rng = random.Random(seed)
        lines = []
        total = 0
        while total < size:
            line = "    " * rng.randrange(4) + " ".join(rng.choices(WORDS, k=6)) + f" x{rng.getrandbits(40):x}"
            lines.append(line)
            total += len(line) + 1
        self.pool = "\n".join(lines).encode()
        self.rng = rng

    def piece(self, size):
        at = self.rng.randrange(len(self.pool) - min(size, len(self.pool) - 1))
        piece = self.pool[at:at + size]
        return piece + b"\0" * (size - len(piece))


def add(tar, name, data=b"", mode=0o644, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.linkname, info.mtime = len(data), mode, kind, link, 1_600_000_000
    tar.addfile(info, io.BytesIO(data) if data else None)


def sizes(rng, n, total):
    raw = [rng.lognormvariate(8.2, 1.5) for _ in range(n)]
    scale = total / sum(raw)
    return [max(16, int(s * scale)) for s in raw]


def base_layer(tar, text, packages=250, total=130 << 20):
    """a Debian system: dpkg's database with lists, libraries, programs"""
    status, rng = [], text.rng
    add(tar, "etc/os-release", b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
    names = ["openssl", "curl", "zlib", "glibc", "systemd", "util-linux", "perl", "tar", "gzip", "bash", "sqlite3", "expat"]
    files = sizes(rng, packages * 30, total)
    for i in range(packages):
        source = names[i % len(names)] if i < 40 else f"source{i}"
        status.append(f"Package: package{i}\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 400\n"
                      f"Maintainer: Debian Team <team@lists.debian.org>\nArchitecture: amd64\nSource: {source}\n"
                      f"Version: 1.{i}.2-3\nDepends: libc6 (>= 2.36)\nDescription: part {i}\n of a system\n\n")
        listed = ["/.", "/usr", "/usr/share"]
        for k in range(30):
            path = f"usr/share/package{i}/file{k}" if k else f"usr/bin/program{i}"
            data = text.piece(files[i * 30 + k])
            add(tar, path, b"\x7fELF\x02\x01\x01" + bytes(57) + data if not k else data, 0o755 if not k else 0o644)
            listed.append("/" + path)
        add(tar, f"var/lib/dpkg/info/package{i}.list", ("\n".join(listed) + "\n").encode())
        add(tar, f"var/lib/dpkg/info/package{i}.md5sums", "".join(f"{'0' * 32}  {p[1:]}\n" for p in listed[3:]).encode())
    add(tar, "var/lib/dpkg/status", "".join(status).encode())


def python_layer(tar, text, packages=220, total=420 << 20):
    rng = text.rng
    files = sizes(rng, packages * 90, total)
    for i in range(packages):
        home = f"usr/local/lib/python3.11/site-packages/project{i}"
        add(tar, f"{home}-1.{i}.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: project{i}\nVersion: 1.{i}.0\nLicense: MIT\nRequires-Dist: requests\n\n".encode() + text.piece(6000))
        for k in range(90):
            native = k % 30 == 7
            data = text.piece(files[i * 90 + k])
            add(tar, f"{home}/part{k % 9}/module{k}.{'so' if native else 'py'}",
                b"\x7fELF\x02\x01\x01" + bytes(57) + data if native else data, 0o755 if native else 0o644)


def node_layer(tar, text, packages=1400, total=420 << 20):
    rng = text.rng
    files = sizes(rng, packages * 24, total)
    for i in range(packages):
        home = f"srv/app/node_modules/module{i}"
        manifest = {"name": f"module{i}", "version": f"2.{i}.1", "description": "part of an application", "main": "index.js",
                    "license": "MIT", "repository": {"type": "git", "url": f"git+https://example.org/module{i}.git"},
                    "scripts": {"test": "node test.js"}, "dependencies": {f"module{k}": "^2.0.0" for k in range(i % 7)}}
        add(tar, f"{home}/package.json", json.dumps(manifest, indent=2).encode())
        for k in range(23):
            add(tar, f"{home}/lib/{'sub/' if k % 3 else ''}file{k}.js", text.piece(files[i * 24 + k]))


def jar(text, i, size):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\nImplementation-Title: part{i}\nImplementation-Version: 1.{i}\n")
        z.writestr(f"META-INF/maven/org.example/part{i}/pom.properties", f"groupId=org.example\nartifactId=part{i}\nversion=1.{i}\n")
        done = 0
        while done < size:
            n = text.rng.randrange(1000, 20000)
            z.writestr(f"org/example/part{i}/Class{done}.class", text.piece(n))
            done += n // 4
    return out.getvalue()


def jar_layer(tar, text, n=300):
    for i in range(n):
        add(tar, f"opt/app/lib/part{i}-1.{i}.jar", jar(text, i, text.rng.randrange(100_000, 900_000)))


def app_layer(tar, text, total=30 << 20):
    for i, size in enumerate(sizes(text.rng, 600, total)):
        add(tar, f"srv/app/src/page{i}.js", text.piece(size))


MAKERS = {"base": base_layer, "python": python_layer, "node": node_layer, "jars": jar_layer, "app": app_layer}
IMAGES = {"base": ["base"], "app": ["base", "python", "node", "app"], "jars": ["base", "python", "node", "jars", "app"]}


def digest_of(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(1 << 20):
            h.update(chunk)
    return h.hexdigest()


def config_of(diff_ids):
    return json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
                       "rootfs": {"type": "layers", "diff_ids": ["sha256:" + d for d in diff_ids]}}).encode()


def docker_archive(path, layers):
    config = config_of([d for _, d in layers])
    name = hashlib.sha256(config).hexdigest() + ".json"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, name, config)
        for file, diff_id in layers:
            info = tarfile.TarInfo(diff_id + "/layer.tar")
            info.size = file.stat().st_size
            with open(file, "rb") as f:
                tar.addfile(info, f)
        add(tar, "manifest.json", json.dumps([{"Config": name, "RepoTags": [path.stem + ":latest"],
                                               "Layers": [d + "/layer.tar" for _, d in layers]}]).encode())


def blob(folder, data):
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def oci_layout(folder, layers, kind):
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    descriptors = []
    for file, _ in layers:
        packed = file.with_suffix(".tar." + kind)
        if not packed.exists():
            tool = {"gzip": "gzip -6", "zstd": "zstd -q -3"}[kind]
            subprocess.run(f"{tool} -c {file} >{packed}.new && mv {packed}.new {packed}", shell=True, check=True)
        digest = digest_of(packed)
        target = folder / "blobs/sha256" / digest
        target.unlink(missing_ok=True)
        target.hardlink_to(packed)
        descriptors.append({"mediaType": f"application/vnd.oci.image.layer.v1.tar+{kind}", "digest": "sha256:" + digest,
                            "size": packed.stat().st_size})
    config = blob(folder, config_of([d for _, d in layers]))
    config["mediaType"] = "application/vnd.oci.image.config.v1+json"
    manifest = blob(folder, json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                                        "config": config, "layers": descriptors}).encode())
    manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def layers_of(folder):
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads((folder / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).read_text())
    return [folder / "blobs" / layer["digest"].replace(":", "/") for layer in manifest["layers"]]


def tar_header(name, size, kind=b"0"):
    head = bytearray(512)
    head[0:len(name)] = name.encode()
    head[100:108] = b"0000644\0"
    head[108:116] = head[116:124] = b"0000000\0"
    head[124:136] = b"%011o\0" % size
    head[136:148] = b"14000000000\0"
    head[156:157] = kind
    head[257:265] = b"ustar\x0000"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def huge(path, files=1_000_000, total=10 << 30):
    """a docker-archive of one layer, with holes for contents: large to read, small on the disk"""
    each = (total // files - 512) // 512 * 512
    layer_size = files * (512 + each) + 1024
    config = config_of(["0" * 64])
    with open(path, "wb") as f:
        f.write(tar_header("config.json", len(config)) + config + bytes(-len(config) % 512))
        manifest = json.dumps([{"Config": "config.json", "RepoTags": ["huge:latest"], "Layers": ["layer/layer.tar"]}]).encode()
        f.write(tar_header("manifest.json", len(manifest)) + manifest + bytes(-len(manifest) % 512))
        f.write(tar_header("layer/layer.tar", layer_size) if layer_size < 8 ** 11 else big_header("layer/layer.tar", layer_size))
        for i in range(files):
            f.write(tar_header(f"data/{i % 1000}/{i // 1000}/file{i}.bin", each))
            f.seek(each, 1)
        f.write(bytes(2048))


def big_header(name, size):
    head = bytearray(tar_header(name, 0))
    head[124:136] = b"\x80" + size.to_bytes(11, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def huge_gzip(folder, files=1_000_000, total=10 << 30):
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    each = (total // files - 512) // 512 * 512
    zeros, temporary = bytes(each), folder / "layer"
    rng = random.Random(5)
    noise = [rng.randbytes(96) for _ in range(64)]
    with gzip.open(temporary, "wb", compresslevel=1) as f:
        for i in range(files):
            f.write(tar_header(f"data/{i % 1000}/{i // 1000}/file{i}.bin", each) + noise[i % 64] + zeros[96:])
        f.write(bytes(1024))
    digest = digest_of(temporary)
    temporary.rename(folder / "blobs/sha256" / digest)
    config = blob(folder, config_of(["0" * 64]))
    config["mediaType"] = "application/vnd.oci.image.config.v1+json"
    manifest = blob(folder, json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + digest,
                    "size": (folder / "blobs/sha256" / digest).stat().st_size}]}).encode())
    manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def static_layer(tar):
    add(tar, "app", b"\x7fELF\x02\x01\x01" + bytes(57) + bytes(2 << 20), 0o755)


def make(out, quiet=True):
    """name -> path of each image; made where it is missing"""
    out.mkdir(parents=True, exist_ok=True)
    say = (lambda *a: None) if quiet else (lambda *a: print("bench: making", *a, file=sys.stderr, flush=True))
    images, layers, text = {}, {}, None
    for name, maker in MAKERS.items():
        path = out / f"layer-{name}.tar"
        if not path.exists():
            say(path.name)
            text = text or Text(1)
            text.rng.seed(name)
            with tarfile.open(path.with_suffix(".new"), "w", format=tarfile.GNU_FORMAT) as tar:
                maker(tar, text)
            path.with_suffix(".new").rename(path)
        side = path.with_suffix(".sha256")
        if not side.exists():
            side.write_text(digest_of(path))
        layers[name] = (path, side.read_text())
    for name, parts in IMAGES.items():
        images[name] = out / f"{name}.tar"
        if not images[name].exists():
            say(images[name].name)
            docker_archive(images[name], [layers[p] for p in parts])
    for name in ("base", "app"):
        for kind in ("gzip", "zstd"):
            images[f"{name}-oci-{kind}"] = folder = out / f"{name}-oci-{kind}"
            if not (folder / "index.json").exists():
                say(folder.name)
                oci_layout(folder, [layers[p] for p in IMAGES[name]], kind)
    images["static"] = out / "static.tar"
    if not images["static"].exists():
        with tarfile.open(out / "layer-static.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            static_layer(tar)
        docker_archive(images["static"], [(out / "layer-static.tar", digest_of(out / "layer-static.tar"))])
    images["huge"] = out / "huge.tar"
    if not images["huge"].exists():
        say("huge.tar")
        huge(images["huge"])
    images["huge-gzip"] = out / "huge-gzip"
    if not (images["huge-gzip"] / "index.json").exists():
        say("huge-gzip")
        huge_gzip(images["huge-gzip"])
    for name in ("base", "app", "jars"):
        reread(images[name])
    return images


def reread(path):
    """The page cache as it is after reading, not after writing: the kernel keeps what it read ahead in larger pieces."""
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while f.read(1 << 20):
            pass


REAL = {
    "deb": "adduser apt base-files bash bzip2 ca-certificates coreutils curl dash dpkg expat gcc-12 git glib2.0 glibc gmp gnupg2 gnutls28 "
           "gzip krb5 less libcap2 libgcrypt20 libssh2 libtasn1-6 libxml2 libzstd lz4 ncurses nghttp2 openldap openssh openssl pam pcre2 perl "
           "procps python3.11 readline sed shadow sqlite3 sudo systemd tar tzdata util-linux vim wget xz-utils zlib",
    "pypi": "aiohttp asgiref attrs boto3 botocore certifi cffi charset-normalizer click cryptography django fastapi flask gunicorn idna "
            "itsdangerous jinja2 lxml markupsafe numpy packaging pandas pillow pip protobuf psycopg2 pydantic pygments pyyaml requests scipy "
            "setuptools six sqlalchemy starlette tornado tqdm urllib3 uvicorn werkzeug wheel",
    "npm": "@babel/core accepts ajv axios body-parser chalk commander cookie debug dotenv ejs eslint express form-data glob-parent got handlebars "
           "ini json5 jsonwebtoken lodash minimatch minimist moment nanoid node-fetch node-forge path-to-regexp postcss qs react semver send "
           "serve-static shelljs tar tough-cookie underscore uuid webpack ws yargs-parser",
    "golang": "github.com/golang-jwt/jwt github.com/gorilla/websocket golang.org/x/crypto golang.org/x/net golang.org/x/sys golang.org/x/text "
              "google.golang.org/grpc gopkg.in/yaml.v2 k8s.io/client-go stdlib",
}


def match_cases():
    """1,000 lines "type<TAB>name<TAB>version": names that advisories speak of at recent versions, and as many that none does"""
    lines = []
    shares = {"deb": (300, "1:{}.{}-1"), "pypi": (300, "{}.{}.0"), "npm": (350, "{}.{}.1"), "golang": (50, "v1.{1}.0")}
    for kind, (n, version) in shares.items():
        names = REAL[kind].split()
        for i in range(n):
            name = names[i] if i < len(names) else f"part-{i}"
            lines.append(f"{kind}\t{name}\t{version.format(2 + i % 5, 10 + i % 30)}\n")
    return lines


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]), quiet=False)
