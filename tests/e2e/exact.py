"""exact.py HOLDFAST ROOT: an image made with the real tools holds exactly the packages that the tools themselves name. TAP.

What is expensive to make lies in ${XDG_CACHE_HOME:-~/.cache}/holdfast-dev/e2e and is made again when its recipe changes. A part is
skipped where its tool, or the network for the first time, is not there; the parts that are there make the image."""
import hashlib
import inspect
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import harness
from harness import ROOT, Skip, call, make_image, packages, sbom, test, unparsed

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "holdfast-dev/e2e"
LAYERS = []  # (name, folder) of the parts that could be made, bottom first
TRUTH = {}   # purl type -> set of (name, version)
SHARED = ROOT / "../shared/images"


def run(*args, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, **more)
    if done.returncode:
        raise Skip(f"{args[0]} failed here: {(done.stderr or done.stdout).strip()[-300:]!r}")
    return done.stdout


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"no {tool} here")


def made(name, make):
    """The folder that @make(folder) fills, from the cache where the recipe is the same."""
    recipe = hashlib.sha256(inspect.getsource(make).encode()).hexdigest()[:16]
    folder = CACHE / f"{name}-{recipe}"
    if not (folder / ".done").exists():
        for old in CACHE.glob(f"{name}-{'[0-9a-f]' * 16}"):
            shutil.rmtree(old)
        (folder / "root").mkdir(parents=True)
        make(folder)
        (folder / ".done").touch()
    return folder


def compare(kind, got, want):
    assert got == want, f"{kind}: only holdfast says {sorted(got - want)[:20]}, only the tool says {sorted(want - got)[:20]}"


def part(kind, name, folder, truth):
    assert truth, f"{name}: the tool names no package"
    LAYERS.append((name, folder / "root"))
    TRUTH[kind] = TRUTH.get(kind, set()) | truth
    document = sbom(f"dir:{folder / 'root'}")
    compare(kind, names_of(document, kind), truth)
    assert not unparsed(document), unparsed(document)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(document, kind):
    """(name, version) as the tool spells them: pip's names in canonical form, Maven's with their group."""
    if kind == "maven":
        return {(re.match(r"pkg:maven/(.*)@", p["purl"]).group(1), p.get("version")) for p in document["packages"] if p["type"] == kind}
    if kind == "pypi":
        return {(canonical(p["name"]), p["version"]) for p in document["packages"] if p["type"] == kind}
    return packages(document, kind)


def make_debian(folder):
    mirror = run("apt-get", "indextargets", "--format", "$(SITE)", "Identifier: Packages").split("\n")
    mirror = [m for m in mirror if m and "security" not in m][:1]
    root = folder / "root"
    run("debootstrap", "--variant=minbase", "--include=python3-minimal,python3-yaml,python3-six", "bookworm", root, *mirror)
    for path in ("var/cache/apt/archives", "var/lib/apt/lists", "dev"):
        shutil.rmtree(root / path)
        (root / path).mkdir()


@test
def debootstrap(scratch):
    """debootstrap: dpkg-query -W says the same"""
    need("debootstrap", "dpkg-query", "apt-get")
    if os.getuid():
        raise Skip("debootstrap needs root")
    folder = made("debian", make_debian)
    listed = run("dpkg-query", f"--admindir={folder / 'root/var/lib/dpkg'}", "-W",
                 "-f=${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${db:Status-Abbrev}\n")
    rows = [line.split("\t") for line in listed.splitlines()]
    rows = [r[:5] for r in rows if r[5].startswith("ii")]
    LAYERS.append(("debian", folder / "root"))
    TRUTH["deb"] = {(r[0], r[1]) for r in rows}
    document = sbom(f"dir:{folder / 'root'}")
    got = [[p["name"], p["version"], p["arch"], p["source"]["name"], p["source"]["version"]] for p in document["packages"] if p["type"] == "deb"]
    assert sorted(got) == sorted(rows), [x for x in got if x not in rows] + [x for x in rows if x not in got]
    assert document["os"]["id"] == "debian" and document["os"]["version"] == "12" and not unparsed(document), unparsed(document)
    # what dpkg put there belongs to it
    python = [p for p in document["packages"] if p["type"] == "pypi"]
    listed = json.loads(run(sys.executable, "-m", "pip", "list", "--format=json", "--path", folder / "root/usr/lib/python3/dist-packages"))
    assert {(canonical(p["name"]), p["version"]) for p in listed} == names_of(document, "pypi") and listed
    assert {p["name"].lower(): p.get("owned_by", "").split("@")[0] for p in python} == {
        "pyyaml": "pkg:deb/debian/python3-yaml", "six": "pkg:deb/debian/python3-six"}, python
    TRUTH["pypi"] = names_of(document, "pypi")
    assert {p["type"] for p in document["packages"]} == {"deb", "pypi"}, {p["type"] for p in document["packages"]}


def make_python(folder):
    site = folder / "root/usr/local/lib/python3.11/dist-packages"
    site.mkdir(parents=True)
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", "--no-deps", "--target", site,
        "Django==2.2.0", "Flask==1.0.2", "Jinja2==2.10", "Werkzeug==0.15.2", "MarkupSafe==2.1.3", "click==8.1.7", "itsdangerous==1.1.0",
        "requests==2.19.1", "urllib3==1.24.1", "certifi==2019.3.9", "idna==2.7", "chardet==3.0.4", "pytz==2018.9", "sqlparse==0.3.0",
        "zope.interface==6.1", "ruamel.yaml==0.18.5", "setuptools==69.0.3", "pip==23.3.2", "wheel==0.42.0",
        "backports.zoneinfo==0.2.1; python_version < '3.9'", "jaraco.functools==4.0.0", "typing_extensions==4.9.0")


@test
def pip(scratch):
    """pip: pip list says the same"""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        raise Skip("no pip here")
    folder = made("python", make_python)
    listed = json.loads(run(sys.executable, "-m", "pip", "list", "--format=json", "--disable-pip-version-check", "--path",
                            folder / "root/usr/local/lib/python3.11/dist-packages"))
    part("pypi", "python", folder, {(canonical(p["name"]), p["version"]) for p in listed})


def make_npm(folder):
    app = folder / "root/srv/shop"
    app.mkdir(parents=True)
    (app / "package.json").write_text(json.dumps({"name": "shop", "version": "1.0.0", "private": True, "dependencies": {
        "lodash": "4.17.11", "minimist": "1.2.0", "express": "4.16.0", "axios": "0.18.0", "@babel/code-frame": "7.22.13",
        "old-lodash": "npm:lodash@3.10.1", "debug": "4.3.4", "resolve": "1.22.8", "rxjs": "7.8.1", "uuid": "9.0.1"}}))
    run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=app)


@test
def npm(scratch):
    """npm: npm query says the same"""
    need("npm")
    folder = made("npm", make_npm)
    app = folder / "root/srv/shop"
    listed = json.loads(run("npm", "query", "*", cwd=app))
    # an alias stands in its folder's name alone: its package.json says what it is
    truth = {(re.sub(r"^.*@npm:(.*)@[^@]*$", r"\1", p["pkgid"]) if "@npm:" in p["pkgid"] else p["name"], p["version"])
             for p in listed if p.get("location")}
    part("npm", "npm", folder, truth)


POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>org.example</groupId><artifactId>shop</artifactId><version>1.0</version><packaging>jar</packaging><dependencies>%s</dependencies></project>
"""
ARTIFACTS = """org.apache.logging.log4j:log4j-core:2.14.1 com.fasterxml.jackson.core:jackson-databind:2.9.8 commons-collections:commons-collections:3.2.1
org.apache.commons:commons-text:1.9 commons-io:commons-io:2.4 commons-fileupload:commons-fileupload:1.3.1 com.google.guava:guava:28.0-jre
org.yaml:snakeyaml:1.26 com.h2database:h2:1.4.199 org.apache.struts:struts2-core:2.5.10 com.thoughtworks.xstream:xstream:1.4.11
io.netty:netty-handler:4.1.42.Final org.springframework:spring-web:5.2.0.RELEASE org.slf4j:slf4j-api:1.7.25 dom4j:dom4j:1.6.1""".split()


def make_maven(folder):
    (folder / "pom.xml").write_text(POM % "".join(
        "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>" % tuple(a.split(":")) for a in ARTIFACTS))
    lib = folder / "root/opt/shop/lib"
    lib.mkdir(parents=True)
    run("mvn", "-q", "-B", "-f", folder / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={lib}")
    run("mvn", "-q", "-B", "-f", folder / "pom.xml", "dependency:list", f"-DoutputFile={folder / 'list'}")


@test
def maven(scratch):
    """mvn: dependency:list says the same; a group that no file names is left out, never guessed"""
    need("mvn")
    folder = made("maven", make_maven)
    text = re.sub(r"\x1b\[[0-9;]*m", "", (folder / "list").read_text())
    listed = re.findall(r"^\s+([\w.-]+):([\w.-]+):jar:(?:[\w.-]+:)?([\w.-]+):(?:compile|runtime)", text, re.M)
    truth = {("org.jctools/jctools-core", "2.1.1")}  # lies in netty-common, with its own pom.properties
    for group, artifact, version in listed:
        with zipfile.ZipFile(folder / f"root/opt/shop/lib/{artifact}-{version}.jar") as jar:
            named = f"META-INF/maven/{group}/{artifact}/pom.properties" in jar.namelist()
        truth.add((f"{group}/{artifact}" if named else artifact, version))
    assert sum("/" in name for name, _ in truth) > len(truth) / 2
    part("maven", "maven", folder, truth)


def make_rust(folder):
    crate = folder / "crate"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text("""[package]
name = "shop-tool"
version = "0.3.1"
edition = "2018"
[dependencies]
smallvec = "=1.6.0"
memchr = "=2.5.0"
log = "=0.4.20"
[build-dependencies]
autocfg = "=1.1.0"
[dev-dependencies]
fnv = "=1.0.7"
[target.'cfg(windows)'.dependencies]
winapi = "=0.3.9"
""")
    (crate / "build.rs").write_text("fn main() { autocfg::new(); }\n")
    (crate / "src/main.rs").write_text('fn main() { let v: smallvec::SmallVec<[u8; 4]> = smallvec::SmallVec::new();'
                                       ' log::info!("{:?} {:?}", v, memchr::memchr(1, &v)); }\n')
    tools = CACHE / "cargo-auditable"
    path = f"{tools / 'bin'}:{os.environ['PATH']}"
    if not shutil.which("cargo-auditable", path=path):
        run("cargo", "install", "--quiet", "--locked", "--root", tools, "cargo-auditable@0.7.7")
    run("cargo", "auditable", "build", "--quiet", "--release", cwd=crate, env={**os.environ, "PATH": path})
    (folder / "root/usr/local/bin").mkdir(parents=True)
    shutil.copy(crate / "target/release/shop-tool", folder / "root/usr/local/bin/")
    (folder / "tree").write_text(run("cargo", "tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", cwd=crate))
    shutil.rmtree(crate / "target")


@test
def cargo(scratch):
    """cargo: cargo tree says the same of a binary of cargo-auditable"""
    need("cargo")
    folder = made("rust", make_rust)
    part("cargo", "rust", folder, set(re.findall(r"^([\w-]+) v(\S+)", (folder / "tree").read_text(), re.M)))


def make_go(folder):
    source = folder / "module"
    source.mkdir(parents=True)
    (source / "go.mod").write_text("module example.org/shop/tool\n\ngo 1.18\n")
    (source / "main.go").write_text('package main\n\nimport (\n\t"fmt"\n\n\t"golang.org/x/text/language"\n\t"gopkg.in/yaml.v3"\n'
                                    '\t"github.com/BurntSushi/toml"\n)\n\nfunc main() {\n\tvar v any\n'
                                    '\tfmt.Println(language.English, yaml.Unmarshal(nil, &v), toml.Unmarshal(nil, &v))\n}\n')
    env = {**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    for module in ("golang.org/x/text@v0.3.7", "gopkg.in/yaml.v3@v3.0.1", "github.com/BurntSushi/toml@v1.2.0"):
        run("go", "get", module, cwd=source, env=env)
    out = folder / "root/usr/local/bin"
    out.mkdir(parents=True)
    run("go", "build", "-o", out / "shop", ".", cwd=source, env=env)
    run("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out / "shop-stripped", ".", cwd=source, env=env)
    run("go", "build", "-buildmode=pie", "-o", out / "shop-pie", ".", cwd=source, env=env)


@test
def go(scratch):
    """go: go version -m says the same of each binary: its modules, itself and the standard library"""
    need("go")
    folder = made("go", make_go)
    truth = set()
    for line in run("go", "version", "-m", folder / "root/usr/local/bin").splitlines():
        fields = line.split("\t")
        if len(fields) > 3 and fields[1] in ("dep", "mod"):
            truth.add((fields[2], None if fields[3] == "(devel)" else fields[3]))
        elif ": go" in line:
            truth.add(("stdlib", re.search(r": go(\S+)", line).group(1)))
    document = sbom(f"dir:{folder / 'root'}")
    assert any(p.get("main") and p["name"] == "example.org/shop/tool" for p in document["packages"]), document["packages"]
    part("golang", "go", folder, truth)


@test
def image_of_all(scratch):
    """one image of all parts: the same packages as archive, gzip, zstd, OCI tar and folder, each in its layer"""
    if len(LAYERS) < 2:
        raise Skip("fewer than two parts could be made")
    layers = [x for _, folder in LAYERS for x in ("--layer", folder)]
    recipe = hashlib.sha256(repr(layers).encode() + (ROOT / "tools/make-image.py").read_bytes()).hexdigest()[:16]
    images = CACHE / f"images-{recipe}"
    if not (images / ".done").exists():
        for old in CACHE.glob("images-*"):
            shutil.rmtree(old)
        images.mkdir(parents=True)
        make_image(images / "docker.tar", "--format", "docker", *layers)
        make_image(images / "oci.tar", "--format", "oci-tar", *layers)
        make_image(images / "gzip", "--format", "oci", "--compress", "gzip", "--level", 1, *layers)
        if shutil.which("zstd"):
            make_image(images / "zstd", "--format", "oci", "--compress", "zstd", *layers)
        (images / ".done").touch()
    targets = [f"archive:{images / 'docker.tar'}", f"archive:{images / 'oci.tar'}", f"oci:{images / 'gzip'}"]
    targets += [f"oci:{images / 'zstd'}"] if (images / "zstd").exists() else []
    (scratch / "all").mkdir()
    for _, folder in LAYERS:
        subprocess.run(["cp", "-a", f"{folder}/.", scratch / "all"], check=True)
    targets.append(f"dir:{scratch / 'all'}")
    first = None
    for target in targets:
        document = sbom(target, "--verify")
        for kind in {p["type"] for p in document["packages"]} | set(TRUTH):
            compare(f"{target}: {kind}", names_of(document, kind), TRUTH.get(kind, set()))
        assert not unparsed(document), unparsed(document)
        if target.startswith("dir:"):
            continue
        place = [(p["purl"], p["layer"], p["paths"], p.get("owned_by")) for p in document["packages"]]
        first = first or place
        assert place == first, target
    document = harness.report("layers", targets[0], "--db", harness.database(scratch / "db"))
    assert len(document["layers"]) == len(LAYERS) and document["layers"][0]["index"] == 0
    for layer, (name, _) in zip(document["layers"], LAYERS):
        assert layer["packages_added"] and not layer["packages_removed"] and not layer["packages_changed"], (name, layer)


def apk_truth(layout):
    """The database as plain text out of the layout's last layer, by tarfile."""
    index = json.loads((layout / "index.json").read_text())
    blob = lambda d: layout / "blobs/sha256" / d["digest"][7:]
    manifest = json.loads(blob(index["manifests"][0]).read_text())
    with tarfile.open(blob(manifest["layers"][0])) as t:
        member = [m for m in t.getnames() if m.endswith("lib/apk/db/installed")][0]
        text = t.extractfile(member).read().decode()
    records = [dict(line.split(":", 1) for line in r.splitlines() if line[:2] in ("P:", "V:", "A:", "o:")) for r in text.split("\n\n") if r.strip()]
    return sorted((r["P"], r["V"], r["A"], r["o"]) for r in records)


@test
def apk(scratch):
    """Alpine's own images: the same as their databases"""
    if not SHARED.is_dir():
        raise Skip("no ../shared/images")
    for layout in sorted(SHARED.glob("alpine-*")):
        document = sbom(f"oci:{layout}", "--verify")
        got = sorted((p["name"], p["version"], p["arch"], p["source"]["name"]) for p in document["packages"])
        assert got == apk_truth(layout) and got and not unparsed(document), (layout, got)
        assert document["os"]["id"] == "alpine"


@test
def rpm(scratch):
    """whole rpm databases of three kinds: the same as rpm -qa"""
    if not SHARED.is_dir():
        raise Skip("no ../shared/images")
    for truth_file in sorted((SHARED / "rpmdb").glob("*.truth.json")):
        name = truth_file.name[:-len(".truth.json")]
        root = scratch / name
        shutil.copytree(SHARED / "rpmdb" / name, root / "usr/lib/sysimage/rpm")
        (root / "etc").mkdir()
        (root / "etc/os-release").write_text('ID=sles\nVERSION_ID="15.5"\n')
        truth = sorted((t["name"], (f"{t['epoch']}:" if t["epoch"] else "") + f"{t['version']}-{t['release']}",
                        "" if t["arch"] in (None, "(none)") else t["arch"]) for t in json.loads(truth_file.read_text()) if t["name"] != "gpg-pubkey")
        document = sbom(f"dir:{root}")
        got = sorted((p["name"], p["version"], p.get("arch", "")) for p in document["packages"] if p["name"] != "gpg-pubkey")
        assert got == truth and not unparsed(document), (name, [x for x in got if x not in truth], [x for x in truth if x not in got])


harness.main()
