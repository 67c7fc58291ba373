"""depends.py SRC: an include that src/DEPENDS does not allow fails, and so do a folder that it does not name and one that it names for nothing."""
import pathlib
import re
import sys


def read_allowed(path):
    """folder -> set of folders that it may include, or None where it may include any"""
    allowed = {}
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        line = raw.split("#")[0].strip()
        if not line:
            continue
        folder, _, uses = line.partition(":")
        if uses.strip() == "*":
            allowed[folder] = None
            continue
        for use in uses.split():
            if use not in allowed:
                sys.exit(f"{path}:{number}: {folder} names {use}, which does not stand above it")
        allowed[folder] = set(uses.split()) | {folder}
    return allowed


def check(source):
    allowed = read_allowed(source / "DEPENDS")
    wrong = 0
    used = {folder: {folder} for folder in allowed}
    for path in sorted(p for p in source.rglob("*") if p.suffix in (".c", ".h", ".def")):
        parts = path.relative_to(source).parts
        if len(parts) == 1:
            continue
        if parts[0] not in allowed:
            print(f"{path}: folder {parts[0]} has no line in DEPENDS")
            wrong += 1
            continue
        uses = allowed[parts[0]]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            hit = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not hit or uses is None:
                continue
            folder = hit[1].split("/")[0]
            used[parts[0]].add(folder)
            if "/" not in hit[1] or folder not in uses:
                print(f"{path}:{number}: {parts[0]} may not include {hit[1]}")
                wrong += 1
    for folder, uses in allowed.items():
        for unused in sorted((uses or set()) - used[folder]):
            print(f"{source / 'DEPENDS'}: {folder} includes nothing of {unused}")
            wrong += 1
    return wrong


if __name__ == "__main__":
    sys.exit(check(pathlib.Path(sys.argv[1])) > 0)
