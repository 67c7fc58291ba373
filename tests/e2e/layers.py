"""layers.py HOLDFAST ROOT: images of several layers made by hand, and what is in them in the end. What is expected stands in each
test, from what was put in and OCI image-spec v1.1 layer.md. TAP."""
import io
import shutil
import tarfile

import harness
from harness import (SITE, advisory, apk_record, call, database, dpkg_list, dpkg_record, dpkg_status, folder, go_binary, hardlink, image, jar,
                     npm_package, os_release, packages, program, python_package, report, rpm_database, rpm_header, sbom, sha, symlink, tar_of,
                     test, unparsed, whiteout)

STATUS = "var/lib/dpkg/status"


def in_image(scratch, *layers, count=[0]):
    """(name, version, index of its layer) of each package"""
    count[0] += 1
    tars = [tar_of(l) for l in layers]
    document = sbom(image(scratch, *tars, name=f"{count[0]}.tar"))
    assert not unparsed(document), unparsed(document)
    places = {}
    for i, t in enumerate(tars):
        places.setdefault(sha(t), i)
    return {(p["name"], p["version"], places[p["layer"]]) for p in document["packages"]}


def layer_report(scratch, *layers):
    """[{"added": {(name, after)…}, "changed": {(name, before, after)…}, "removed": {(name, before)…}} of each layer]"""
    document = report("layers", image(scratch, *layers), "--db", database(scratch / "layers-db"))
    name = lambda c: c["purl"].rpartition("/")[2].partition("@")[0]
    return [{"added": {(name(c), c["after"]) for c in l["packages"]["added"]},
             "changed": {(name(c), c["before"], c["after"]) for c in l["packages"]["changed"]},
             "removed": {(name(c), c["before"]) for c in l["packages"]["removed"]}} for l in document["layers"]]


def findings(document):
    return {m["id"] for m in document["misconfigurations"]}


A, B = python_package("a", "1.0"), python_package("b", "1.0")


@test
def whiteouts(scratch):
    """a whiteout hides a file, a folder and what is below it, and nothing that is only named alike"""
    base = [A, B, python_package("a", "1.0.1"), python_package("ab", "1.0")]
    rest = {("b", "1.0", 0), ("a", "1.0.1", 0), ("ab", "1.0", 0)}
    assert in_image(scratch, base) == rest | {("a", "1.0", 0)}
    assert in_image(scratch, base, [whiteout(A[0])]) == rest
    assert in_image(scratch, base, [whiteout(SITE + "a-1.0.dist-info")]) == rest
    assert in_image(scratch, base, [whiteout("./" + SITE + "a-1.0.dist-info")]) == rest
    assert in_image(scratch, base, [whiteout("usr")]) == set()
    assert in_image(scratch, base, [whiteout(SITE + "a")]) == rest | {("a", "1.0", 0)}
    assert in_image(scratch, base, [whiteout(SITE + "nothing"), whiteout("usr/local/lib/python3.11/site")]) == rest | {("a", "1.0", 0)}
    assert in_image(scratch, [whiteout(A[0])] + base) == rest | {("a", "1.0", 0)}, "of the lowest layer: hides nothing"
    # of its own layer it hides nothing, before or behind the file
    for top in ([whiteout(A[0]), A], [A, whiteout(A[0])], [whiteout("usr"), A], [A, whiteout("usr")]):
        got = in_image(scratch, base, top)
        assert ("a", "1.0", 1) in got and ("a", "1.0", 0) not in got, (top, got)


@test
def opaque(scratch):
    """an opaque folder hides what lies below it in lower layers, wherever the mark stands in its layer"""
    mark = SITE + ".wh..wh..opq", b""
    for top in ([mark, B], [B, mark], [folder(SITE), mark, B]):
        assert in_image(scratch, [A, npm_package("c", "3.0")], top) == {("b", "1.0", 1), ("c", "3.0", 0)}
    assert in_image(scratch, [A], [("usr/.wh..wh..opq", b"")], [B]) == {("b", "1.0", 2)}
    assert in_image(scratch, [A], [(".wh..wh..opq", b"")]) == set()


@test
def names_like_whiteouts(scratch):
    """.wh., .wh..wh..opqX, .wh..wh.plnk and x.wh.a hide nothing"""
    names = [".wh.", ".wh..wh..opqX", ".wh..wh..opq.bak", ".wh..wh.plnk", ".wh..wh.aufs", "x.wh.a-1.0.dist-info", ".WH.a-1.0.dist-info", ".wh..", ".wh..."]
    for name in names:
        document = sbom(image(scratch, [A, B], [(SITE + name, b"")]))
        assert packages(document) == {("a", "1.0"), ("b", "1.0")}, name
        document = sbom(image(scratch, [A, B], [(name, b"")]))
        assert packages(document) == {("a", "1.0"), ("b", "1.0")}, name


@test
def added_again(scratch):
    """what was hidden and comes again counts from the layer where it came again"""
    gone = whiteout(SITE + "a-1.0.dist-info")
    again = [A, ("note", b"so that the layer is not the first one")]
    assert in_image(scratch, [A], [gone], again) == {("a", "1.0", 2)}
    assert in_image(scratch, [A], [gone], again, [gone]) == set()
    assert in_image(scratch, [A], [gone], [B]) == {("b", "1.0", 2)}
    assert in_image(scratch, [A], [(A[0], A[1].replace(b"1.0", b"1.5"))]) == {("a", "1.5", 1)}, "the same path"


@test
def replaced_kinds(scratch):
    """a folder that a file, a link or a device takes the place of hides what was in it; a folder over a folder hides nothing"""
    where = SITE + "a-1.0.dist-info"
    for top in ((where, b"file"), symlink(where, "b-1.0.dist-info"), (where, {"type": b"6"}), symlink("usr/local/lib/python3.11", "/opt")):
        assert ("a", "1.0", 0) not in in_image(scratch, [A], [top]), top
    assert in_image(scratch, [A], [folder(where)], [folder("usr"), folder(SITE)]) == {("a", "1.0", 0)}
    assert in_image(scratch, [symlink(SITE.rstrip("/"), "/opt")], [folder(SITE), A]) == {("a", "1.0", 1)}
    assert in_image(scratch, [A], [folder(A[0])]) == set()


@test
def duplicates(scratch):
    """the same path twice in a layer: the later entry counts"""
    one, two = dpkg_status(("one", "1")), dpkg_status(("two", "2"))
    release = os_release()
    assert in_image(scratch, [release, one, two]) == {("two", "2", 0)}
    assert in_image(scratch, [release, two, one]) == {("one", "1", 0)}
    assert in_image(scratch, [release, one, ("./" + two[0], two[1])]) == {("two", "2", 0)}
    assert in_image(scratch, [A, (A[0], A[1].replace(b"1.0", b"9.0")), A]) == {("a", "1.0", 0)}
    assert in_image(scratch, [A, folder(A[0])]) == set()
    assert in_image(scratch, [A, symlink(A[0], "/nowhere"), B]) == {("b", "1.0", 0)}
    assert in_image(scratch, [symlink(A[0], "/" + B[0]), B, A]) == {("a", "1.0", 0), ("b", "1.0", 0)}


@test
def hard_links(scratch):
    """a wanted name that is a hard link is read, whatever the name of the file"""
    release, (_, status) = os_release(), dpkg_status(("one", "1"))
    assert in_image(scratch, [release, ("cache/blob", status), hardlink(STATUS, "cache/blob")]) == {("one", "1", 0)}
    assert in_image(scratch, [release, ("cache/blob", status), hardlink("x", "cache/blob"), hardlink(STATUS, "./x")]) == {("one", "1", 0)}
    store = npm_package("c", "1.0", "srv/.store/")
    document = sbom(image(scratch, [store, hardlink("srv/app/node_modules/c/package.json", store[0])]))
    assert [sorted(p["paths"]) for p in document["packages"]] == [["srv/.store/node_modules/c/package.json", "srv/app/node_modules/c/package.json"]]
    # the upper layer hides one of two names; the other still is there
    assert in_image(scratch, [store, hardlink("srv/app/node_modules/c/package.json", store[0])], [whiteout("srv/.store")]) == {("c", "1.0", 0)}
    # a target that is not there, or a loop of links: said
    for entries in ([hardlink(STATUS, "not/there")], [hardlink(STATUS, STATUS)], [hardlink(STATUS, "x"), hardlink("x", STATUS)]):
        document = sbom(image(scratch, [release, A, *entries]))
        assert packages(document) == {("a", "1.0")} and [u for u in unparsed(document) if u[0] == STATUS], (entries, unparsed(document))


@test
def symlinked_databases(scratch):
    """a package database and an os-release that are symlinks are followed inside of the image"""
    release, (_, status) = os_release(), dpkg_status(("one", "1"))
    there = "opt/data/packages"
    for entries in ([symlink(STATUS, "/" + there)], [symlink(STATUS, "../../../" + there)], [symlink(STATUS, "../../../../../../../" + there)],
                    [symlink(STATUS, "//opt/./x/../data/packages")],
                    [symlink(STATUS, "/a"), symlink("a", "b"), symlink("b", there)],
                    [symlink("var/lib/dpkg", "/opt/dpkg"), symlink("opt/dpkg/status", "../data/packages")]):
        assert in_image(scratch, [release, (there, status), *entries]) == {("one", "1", 0)}, entries
        assert in_image(scratch, [release, (there, status)], entries) == {("one", "1", 0)}, entries
        assert in_image(scratch, entries, [release, (there, status)]) == {("one", "1", 1)}, entries
        root = scratch / "root"
        with tarfile.open(fileobj=io.BytesIO(tar_of([release, (there, status), *entries]))) as t:
            t.extractall(root)
        assert packages(sbom(f"dir:{root}")) == {("one", "1")}, entries
        shutil.rmtree(root)
    folder_link = [symlink("var/lib/dpkg", "/opt/dpkg"), ("opt/dpkg/status", status)]
    assert in_image(scratch, [release, *folder_link]) == {("one", "1", 0)}
    for link in ("/opt/release", "../opt/release", "../../../../opt/release"):
        document = sbom(image(scratch, [("opt/release", release[1]), symlink("etc/os-release", link), dpkg_status(("one", "1"))]))
        assert document["os"]["version"] == "12" and document["packages"][0]["purl"].startswith("pkg:deb/debian/one@1?"), link
    document = sbom(image(scratch, [("usr/lib/os-release", release[1]), symlink("etc/os-release", "../usr/lib/os-release")]))
    assert document["os"]["path"] in ("etc/os-release", "usr/lib/os-release") and document["os"]["id"] == "debian"


@test
def links_to_nowhere(scratch):
    """a database that is a symlink into nowhere, in a circle or hidden is not read, and that is said"""
    for entries in ([symlink(STATUS, "status")], [symlink(STATUS, "/a"), symlink("a", "/b"), symlink("b", "/a")], [symlink(STATUS, "/not/there")],
                    [symlink("var/lib/dpkg", "dpkg"), symlink("var/lib/x", "/var/lib/x/y")],
                    [symlink(STATUS, "/var/lib/l/status"), symlink("var/lib/l", "/var/lib/l")]):
        document = sbom(image(scratch, [os_release(), A, program("usr/bin/x"), *entries]))
        assert packages(document) == {("a", "1.0")}, entries
        assert entries[0][0] != STATUS or [u for u in unparsed(document) if u[0] == STATUS], (entries, unparsed(document))
        document = report("scan", image(scratch, [os_release(), A, program("usr/bin/x"), *entries]), "--db", DATABASE())
        assert findings(document) == {"HF-IMAGE-001"}, (entries, document["misconfigurations"])
    lower = [os_release(), A, ("opt/data", dpkg_status(("one", "1"))[1]), symlink(STATUS, "/opt/data")]
    assert packages(sbom(image(scratch, lower, [whiteout("opt/data")]))) == {("a", "1.0")}


def DATABASE(made=[]):
    if not made:
        made.append(database(harness.HOME / "db", advisory("TEST-a", "PyPI", "a", "2.0"), advisory("TEST-c", "npm", "c", "2.0.0", "CRITICAL"),
                             advisory("TEST-j", "Maven", "org.example:j", "2.0"), advisory("TEST-g", "Go", "example.org/g", "2.0.0"),
                             advisory("DSA-1", "Debian:12", "old", "2.0-1", published="2024-01-01T00:00:00Z", modified="2024-01-01T00:00:00Z"),
                             advisory("DSA-2", "Debian:12", "new", "2.0-1", published="2025-06-01T00:00:00Z", modified="2025-06-01T00:00:00Z"),
                             advisory("DSA-3", "Debian:12", "old", "3.0-1", published="2025-05-01T00:00:00Z", modified="2025-05-01T00:00:00Z")))
    return made[0]


@test
def upgrades(scratch):
    """an upgraded language package counts once, with its new version; `layers` says from which to which"""
    base = [A, npm_package("c", "1.0.0")]
    top = [whiteout(SITE + "a-1.0.dist-info"), python_package("a", "1.5"), whiteout("srv/app/node_modules/c"), B]
    assert in_image(scratch, base, top) == {("a", "1.5", 1), ("b", "1.0", 1)}
    assert layer_report(scratch, base, top) == [
        {"added": {("a", "1.0"), ("c", "1.0.0")}, "changed": set(), "removed": set()},
        {"added": {("b", "1.0")}, "changed": {("a", "1.0", "1.5")}, "removed": {("c", "1.0.0")}}]
    document = report("scan", image(scratch, base, top), "--db", DATABASE())
    assert [(v["id"], v["installed"]) for v in document["vulnerabilities"]] == [("TEST-a", "1.5")]


@test
def upgraded_database(scratch):
    """packages of a database belong to the layer that brought this version of them"""
    layers = [[os_release(), dpkg_status(("one", "1"), ("two", "1"), ("three", "1"))],
              [A],
              [dpkg_status(("one", "1"), ("two", "2"), ("four", "1"))],
              [dpkg_status(("one", "1"), ("two", "2"), ("four", "1"), ("three", "1"))]]
    assert in_image(scratch, *layers) == {("one", "1", 0), ("a", "1.0", 1), ("two", "2", 2), ("four", "1", 2), ("three", "1", 3)}
    none = set()
    assert layer_report(scratch, *layers) == [
        {"added": {("one", "1"), ("two", "1"), ("three", "1")}, "changed": none, "removed": none},
        {"added": {("a", "1.0")}, "changed": none, "removed": none},
        {"added": {("four", "1")}, "changed": {("two", "1", "2")}, "removed": {("three", "1")}},
        {"added": {("three", "1")}, "changed": none, "removed": none}]
    alpine = os_release("alpine", "3.18.0", None)
    apk = lambda *pairs: ("lib/apk/db/installed", "".join(apk_record(*p) for p in pairs).encode())
    assert in_image(scratch, [alpine, apk(("one", "1-r0"), ("two", "1-r0"))], [apk(("one", "1-r0"), ("two", "2-r0"))]) == {
        ("one", "1-r0", 0), ("two", "2-r0", 1)}


@test
def database_deleted(scratch):
    """a package database that an upper layer deletes is a finding, and its packages are those of below"""
    base = [os_release(), dpkg_status(("old", "1.0-1")), program("usr/bin/x")]
    for gone in (whiteout(STATUS), whiteout("var/lib/dpkg"), ("var/.wh..wh..opq", b""), whiteout("var"), ("var/lib/dpkg", b"")):
        document = report("scan", image(scratch, base, [gone]), "--db", DATABASE())
        assert packages(document) == {("old", "1.0-1")}, gone
        assert findings(document) == {"HF-IMAGE-002"}, (gone, document["misconfigurations"])
        assert {v["id"] for v in document["vulnerabilities"]} == {"DSA-1", "DSA-3"}
    # an empty one in its place is the same
    document = report("scan", image(scratch, base, [(STATUS, b"")]), "--db", DATABASE())
    assert "HF-IMAGE-002" in findings(document) or "HF-IMAGE-001" in findings(document), document["misconfigurations"]


@test
def no_database(scratch):
    """executables without a package database, packages without a release: findings"""
    document = report("scan", image(scratch, [os_release(), program("usr/bin/x"), program("usr/bin/y")]), "--db", DATABASE())
    assert findings(document) == {"HF-IMAGE-001"}, document["misconfigurations"]
    document = report("scan", image(scratch, [dpkg_status(("old", "1.0-1")), program("usr/bin/x")]), "--db", DATABASE())
    assert findings(document) == {"HF-IMAGE-003"} and not document["vulnerabilities"] and document["cannot_tell"], document["misconfigurations"]
    document = report("scan", image(scratch, [os_release(), dpkg_status(("old", "9.0-1")), program("usr/bin/x")]), "--db", DATABASE())
    assert not findings(document) and not document["vulnerabilities"] and not document["cannot_tell"]
    document = report("scan", image(scratch, [program("tool", go_binary("example.org/tool", ("example.org/g", "v1.0.0")))]), "--db", DATABASE())
    assert not findings(document) and [v["id"] for v in document["vulnerabilities"]] == ["TEST-g"], "one static binary explains itself"


@test
def patch_levels(scratch):
    """layers of one image at different patch levels are a finding"""
    base = [os_release(), dpkg_status(("old", "2.5-1"))]
    top = [dpkg_status(("old", "2.5-1"), ("new", "2.0-1"))]
    document = report("scan", image(scratch, base, top), "--db", DATABASE())
    assert findings(document) == {"HF-IMAGE-004"}, document["misconfigurations"]
    assert [l.get("patch_level") for l in document["image"]["layers"]] == ["2024-01-01", "2025-06-01"], document["image"]["layers"]
    base = [os_release(), dpkg_status(("old", "3.5-1"))]
    top = [dpkg_status(("old", "3.5-1"), ("new", "2.0-1"))]
    document = report("scan", image(scratch, base, top, name="2.tar"), "--db", DATABASE())
    assert "2025-05-01" == document["image"]["layers"][0]["patch_level"]
    assert {v["id"] for v in document["vulnerabilities"]} == set()


FILES = {"pypi": python_package("a", "1.0", "usr/lib/python3/dist-packages/"), "npm": npm_package("c", "1.0.0", "usr/share/nodejs/x/"),
         "maven": ("usr/share/java/j.jar", jar("org.example", "j", "1.0")),
         "golang": program("usr/bin/g", go_binary("example.org/tool", ("example.org/g", "v1.0.0")))}
FLAWS = {"pypi": "TEST-a", "npm": "TEST-c", "maven": "TEST-j", "golang": "TEST-g"}


def owned_image(scratch, how, kinds):
    """an image in which a package of the system @how owns the files of the @kinds"""
    paths = [FILES[k][0] for k in kinds]
    if how == "deb":
        system = [os_release(), dpkg_status(("owner", "1.0-1")), dpkg_list("owner", ".", *paths)]
    elif how == "md5sums":
        system = [os_release(), dpkg_status(("owner", "1.0-1")), ("var/lib/dpkg/info/owner:amd64.md5sums", "".join(f"{'0' * 32}  {p}\n" for p in paths).encode())]
    elif how == "merged":  # the list still names the place from before /usr was merged
        system = [os_release(), dpkg_status(("owner", "1.0-1")), dpkg_list("owner", *(p.replace("usr/lib/", "lib/").replace("usr/bin/", "bin/") for p in paths))]
    elif how == "apk":
        system = [os_release("alpine", "3.18.0", None), ("lib/apk/db/installed", apk_record("owner", "1.0-r0", paths).encode())]
    else:
        system = [os_release("rocky", "9.2", None), ("var/lib/rpm/rpmdb.sqlite", rpm_database(rpm_header("owner", "1.0", "1.el9", ["/" + p for p in paths])))]
    return image(scratch, [*system, *FILES.values()], name=f"{how}.tar")


@test
def ownership(scratch):
    """what a package of the distribution put there is its own, and is not matched against the ecosystem's advisories"""
    for how in ("deb", "md5sums", "merged", "apk", "rpm"):
        for kinds in (list(FILES), ["pypi", "golang"], ["npm", "maven"], []):
            document = report("scan", owned_image(scratch, how, kinds), "--db", DATABASE())
            assert not unparsed(document), unparsed(document)
            owned = {p["type"] for p in document["packages"] if "owner" in p.get("owned_by", "")}
            assert owned == set(kinds), (how, kinds, owned)
            assert {v["id"] for v in document["vulnerabilities"]} == {FLAWS[k] for k in FILES if k not in kinds}, (how, kinds)
            assert {p["type"] for p in document["packages"]} >= set(FILES), "they stay in the list"


@test
def ownership_over_layers(scratch):
    """ownership holds over layers; a copy that pip put elsewhere is nobody's"""
    kind = FILES["pypi"]
    base = [os_release(), dpkg_status(("owner", "1.0-1")), dpkg_list("owner", kind[0]), kind]
    document = report("scan", image(scratch, base, [A]), "--db", DATABASE())
    assert {(p.get("owned_by", "")[:20], p["paths"][0]) for p in document["packages"] if p["type"] == "pypi"} == {
        ("pkg:deb/debian/owner", kind[0]), ("", A[0])}
    assert [v["paths"] for v in document["vulnerabilities"]] == [[A[0]]]


@test
def packing(scratch):
    """the same layers as docker-archive, OCI gzip, OCI zstd and OCI tar are the same packages in the same layers"""
    layers = [[os_release(), dpkg_status(("one", "1")), A], [whiteout(A[0]), npm_package("c", "1.0.0"), symlink("x", "/etc/passwd")],
              [hardlink("srv/h", "srv/f"), ("srv/f", b"f"), ("opt/j.jar", jar("org.example", "j", "1.0"))]]
    paths = []
    for i, layer in enumerate(layers):
        (scratch / f"{i}.tar").write_bytes(tar_of(layer))
        paths += ["--layer", scratch / f"{i}.tar"]
    seen = []
    for form, how, out in (("docker", "none", "d.tar"), ("oci", "none", "n"), ("oci", "gzip", "g"), ("oci", "zstd", "z"), ("oci-tar", "gzip", "o.tar")):
        if how == "zstd" and not shutil.which("zstd"):
            continue
        harness.make_image(scratch / out, "--format", form, "--compress", how, *paths)
        for command in ("sbom", "layers"):
            document = report(command, scratch / out, *(["--db", DATABASE()] if command == "layers" else []))
            document.pop("target")
            for layer in document.get("layers", []):
                layer.pop("digest", None), layer.pop("size", None)
            seen.append((command, document))
    for command in ("sbom", "layers"):
        documents = [d for c, d in seen if c == command]
        assert len(documents) >= 4 and all(d == documents[0] for d in documents), command


harness.main()
