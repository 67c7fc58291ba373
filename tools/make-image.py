#!/usr/bin/env python3
"""make-image.py --layer DIR|TAR … --format docker|oci|oci-tar -o OUT: an image from folders or tars, without an engine.

The same inputs give the same bytes: names are sorted, owners are 0, time stamps are --mtime. A layer from a folder keeps modes,
symlinks and hard links; a folder's ".wh.NAME" files are whiteouts as they stand. --compress wraps the layers (oci and oci-tar;
docker-archives hold plain ones). --config is a JSON file whose members go into the image's "config" (Env, Cmd, User, …).
--history gives the command of each layer, in the order of --layer; "EMPTY:command" stands between them as an empty layer.
zstd needs the zstd command; all else is Python's own library."""
import argparse
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


def add_tree(archive, root, mtime):
    for folder, dirs, files in os.walk(root):
        dirs.sort()
        links = [d for d in dirs if os.path.islink(os.path.join(folder, d))]
        real = [d for d in dirs if d not in links]
        for name in sorted(files + links + real):
            path = os.path.join(folder, name)
            info = archive.gettarinfo(path, os.path.relpath(path, root))
            if info is None:  # a socket
                continue
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime = mtime
            if info.isreg():
                with open(path, "rb") as f:
                    archive.addfile(info, f)
            else:
                archive.addfile(info)
        dirs[:] = real


def layer_tar(source, out, mtime):
    if os.path.isdir(source):
        with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
            add_tree(archive, source, mtime)
    else:
        shutil.copyfile(source, out)


def digest_of(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            h.update(piece)
    return h.hexdigest()


def compress(path, how, level):
    out = path + "." + how
    if how == "gzip":
        with open(path, "rb") as f, open(out, "wb") as raw, gzip.GzipFile("", "wb", level or 6, raw, mtime=0) as g:
            shutil.copyfileobj(f, g, 1 << 20)
    elif how == "zstd":
        subprocess.run(["zstd", "-q", f"-{level or 3}", "-T1", "-f", path, "-o", out], check=True)
    else:
        return path
    os.unlink(path)
    return out


def history_of(commands, layers, created):
    out, named = [], 0
    for command in commands:
        empty = command.startswith("EMPTY:")
        entry = {"created": created, "created_by": command[6:] if empty else command}
        if empty:
            entry["empty_layer"] = True
        named += not empty
        out.append(entry)
    out += [{"created": created, "created_by": f"layer {i}"} for i in range(named, layers)]
    return out


def write_json(path, value):
    path.write_text(json.dumps(value, separators=(",", ":"), sort_keys=True))


def place_blob(root, path):
    hexdigest = digest_of(path)
    shutil.move(path, root / "blobs/sha256" / hexdigest)
    return hexdigest, os.path.getsize(root / "blobs/sha256" / hexdigest)


def place_document(root, value):
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    hexdigest = hashlib.sha256(text).hexdigest()
    (root / "blobs/sha256" / hexdigest).write_bytes(text)
    return hexdigest, len(text)


def write_oci(root, config, layers, how, args):
    (root / "blobs/sha256").mkdir(parents=True)
    suffix = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}[how]
    descriptors = []
    for path in layers:
        hexdigest, size = place_blob(root, path)
        descriptors.append({"mediaType": "application/vnd.oci.image.layer.v1.tar" + suffix,
                            "digest": "sha256:" + hexdigest, "size": size})
    config_hex, config_size = place_document(root, config)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + config_hex,
                           "size": config_size}, "layers": descriptors}
    manifest_hex, manifest_size = place_document(root, manifest)
    operating_system, arch = args.platform.split("/")[:2]
    write_json(root / "oci-layout", {"imageLayoutVersion": "1.0.0"})
    write_json(root / "index.json", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": manifest["mediaType"], "digest": "sha256:" + manifest_hex, "size": manifest_size,
                       "platform": {"os": operating_system, "architecture": arch},
                       "annotations": {"org.opencontainers.image.ref.name": args.tag.split(":")[-1]}}]})


def write_docker(root, config, layers, args):
    names = []
    for path in layers:
        hexdigest = digest_of(path)
        (root / hexdigest).mkdir(exist_ok=True)
        shutil.move(path, root / hexdigest / "layer.tar")
        names.append(hexdigest + "/layer.tar")
    text = json.dumps(config, separators=(",", ":"), sort_keys=True).encode()
    name = hashlib.sha256(text).hexdigest() + ".json"
    (root / name).write_bytes(text)
    write_json(root / "manifest.json", [{"Config": name, "RepoTags": [args.tag], "Layers": names}])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--layer", action="append", default=[], metavar="DIR|TAR")
    p.add_argument("--format", choices=["docker", "oci", "oci-tar"], default="docker")
    p.add_argument("--compress", choices=["none", "gzip", "zstd"], default="none")
    p.add_argument("--level", type=int)
    p.add_argument("--config", help="JSON file")
    p.add_argument("--history", action="append", default=[])
    p.add_argument("--tag", default="image:latest")
    p.add_argument("--platform", default="linux/amd64")
    p.add_argument("--mtime", type=int, default=0)
    p.add_argument("-o", required=True, metavar="OUT")
    args = p.parse_args()
    if args.format == "docker" and args.compress != "none":
        sys.exit("make-image.py: a docker-archive's layers are plain; wrap the archive itself")
    created = "1970-01-01T00:00:00Z"
    out_dir = os.path.dirname(os.path.abspath(args.o))
    with tempfile.TemporaryDirectory(dir=out_dir) as scratch:
        layers, diff_ids = [], []
        for i, source in enumerate(args.layer):
            path = os.path.join(scratch, f"layer{i}")
            layer_tar(source, path, args.mtime)
            diff_ids.append("sha256:" + digest_of(path))
            layers.append(compress(path, args.compress, args.level))
        operating_system, arch = args.platform.split("/")[:2]
        config = {"created": created, "os": operating_system, "architecture": arch,
                  "config": json.loads(pathlib.Path(args.config).read_text()) if args.config else {},
                  "rootfs": {"type": "layers", "diff_ids": diff_ids},
                  "history": history_of(args.history, len(layers), created)}
        root = pathlib.Path(args.o) if args.format == "oci" else pathlib.Path(scratch) / "image"
        root.mkdir(parents=True, exist_ok=True)
        if args.format == "docker":
            write_docker(root, config, layers, args)
        else:
            write_oci(root, config, layers, args.compress, args)
        if args.format != "oci":
            with tarfile.open(args.o, "w", format=tarfile.USTAR_FORMAT) as archive:
                add_tree(archive, root, args.mtime)


if __name__ == "__main__":
    main()
