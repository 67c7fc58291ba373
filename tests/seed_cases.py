#!/usr/bin/env python3
"""seed_cases.py HOLDFAST ROOT: the seed of an image in an archive or a layout is the one of the same files laid out as a folder: whiteouts,
opaque folders, links over layers, wrapped layers. TAP."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HOLDFAST, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
RUN = """#!/bin/sh
. /opt/settings
/opt/tool one
/opt/linked two
/opt/gone/x
/opt/hidden/y
/opt/hidden/z
exec /opt/kept/k
"""
CONFIG = {"User": "worker", "Env": None, "Cmd": ["/opt/run"], "Entrypoint": None, "Volumes": None, "ExposedPorts": {"80/tcp": {}}}


def libraries(path):
    listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    return {word for line in listed.splitlines() if line.startswith("\t") for word in line.split() if word.startswith("/")}


def put(root, path, data, mode=0o755):
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, str):
        place.write_text(data)
    else:
        shutil.copyfile(os.path.realpath(data), place)
    place.chmod(mode)


def base(root):
    shell = pathlib.Path(shutil.which("sh"))
    for path in ("usr/bin", "usr/lib", "usr/lib64"):
        (root / path).mkdir(parents=True)
    for link in ("bin", "lib", "lib64"):
        os.symlink("usr/" + link, root / link)
    put(root, "usr/bin/sh", shell)
    for library in libraries(shell):
        place = library.lstrip("/")
        put(root, place if place.startswith("usr/") else "usr/" + place, pathlib.Path(library))
    for name in ("gone/x", "hidden/y", "kept/k"):
        put(root, "opt/" + name, "#!/bin/sh\n:\n")
    put(root, "etc/passwd", "root:x:0:0::/:/bin/sh\nworker:x:33:33::/:/bin/sh\n", 0o644)


def layers(folder):
    """Two layers, and what they are together."""
    lower, upper, whole = folder / "lower", folder / "upper", folder / "whole"
    base(lower)
    put(lower, "opt/run", "#!/bin/sh\n/opt/kept/k old\n")
    put(upper, "opt/run", RUN)
    put(upper, "opt/settings", "id -u >/dev/null\n", 0o644)
    put(upper, "opt/tool", "#!/bin/sh\n:\n")
    os.link(upper / "opt/tool", upper / "opt/linked")
    put(upper, "opt/.wh.gone", "")
    put(upper, "opt/hidden/.wh..wh..opq", "")
    put(upper, "opt/hidden/z", "#!/bin/sh\n:\n")
    base(whole)
    shutil.rmtree(whole / "opt/gone")
    (whole / "opt/hidden/y").unlink()
    for name in "run", "settings", "tool", "linked", "hidden/z":
        shutil.copy(upper / "opt" / name, whole / "opt" / name)
    return lower, upper, whole


def seed(*arguments, status=0):
    done = subprocess.run([HOLDFAST, "runtime", "seed", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, (arguments, done.returncode, done.stderr)
    return done.stdout if not status else done.stderr


def image(folder, kind, lower, upper, *options):
    out = folder / f"image-{kind}-{len(options)}{options[-1] if options else ''}"
    subprocess.run([sys.executable, ROOT / "tools/make-image.py", "--layer", lower, "--layer", upper, "--format", kind, "--config", folder / "config", "-o", out,
                    *options], check=True)
    return out


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "config").write_text(json.dumps(CONFIG))
        (folder / "whole.json").write_text(json.dumps({"config": CONFIG}))
        lower, upper, whole = layers(folder)
        expected = seed("dir:" + str(whole), "--config", folder / "whole.json", "--format", "json")
        paths = {f["path"] for f in json.loads(expected)["files"]}
        profile = seed("dir:" + str(whole), "--config", folder / "whole.json")

        def same(target):
            assert seed(target, "--format", "json") == expected
            text = seed(target)
            assert "image_digest: sha256:" in text and text[text.index("mode:"):] == profile[profile.index("mode:"):], text[:300]

        def foreseen():
            wanted = {"/opt/run", "/opt/tool", "/opt/linked", "/opt/hidden/z", "/opt/kept/k", "/opt/settings"}
            assert wanted <= paths and not {"/opt/gone/x", "/opt/hidden/y"} & paths, sorted(paths)
            assert any("ld-linux" in p or "ld-musl" in p for p in paths) and 'id: "33"' in profile, sorted(paths)

        def other_words():
            text = json.loads(seed("archive:" + str(image(folder, "docker", lower, upper)), "--format", "json", "--", "/opt/kept/k"))
            assert {f["path"] for f in text["files"]} < paths and "/opt/run" not in {f["path"] for f in text["files"]}

        def refused():
            (folder / "broken").write_bytes(b"no image")
            assert "broken" in seed("archive:" + str(folder / "broken"), status=2)
            assert "no name or id" in seed("docker:../x", status=2)
            output = folder / "output"
            seed("archive:" + str(folder / "broken"), "-o", output, status=2)
            assert not output.exists()

        tests = [("the folder itself: what the script names, and nothing that an upper layer took away", foreseen),
                 ("a docker-archive", lambda: same("archive:" + str(image(folder, "docker", lower, upper)))),
                 ("an OCI layout", lambda: same("oci:" + str(image(folder, "oci", lower, upper)))),
                 ("an OCI layout of layers in gzip", lambda: same("oci:" + str(image(folder, "oci", lower, upper, "--compress", "gzip")))),
                 ("an OCI layout in a tar", lambda: same("archive:" + str(image(folder, "oci-tar", lower, upper)))),
                 ("another command of an archive's image", other_words), ("what is no image", refused)]
        print(f"1..{len(tests)}")
        failed = 0
        for number, (title, function) in enumerate(tests, 1):
            try:
                function()
                print(f"ok {number} - {title}")
            except Exception as error:
                failed += 1
                print(f"not ok {number} - {title}\n# {type(error).__name__}: {str(error)[:2000]}".replace("\n", "\n# "))
        return failed


sys.exit(bool(main()))
