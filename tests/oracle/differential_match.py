#!/usr/bin/env python3
"""differential_match.py HOLDFAST ADVISORIES [CASES]: TAP. Verdicts of `holdfast plumbing match` against an evaluator of
its own over the same records: OSV's algorithm read from the schema's page, distributions' feeds by their documents. It
shares no code and no data structure with the program; the order of versions is taken from `holdfast plumbing compare`
(which has its own tests against the real tools)."""
import functools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile

ECOSYSTEMS = {"PyPI": "pypi", "npm": "npm", "Go": "golang", "crates.io": "cargo", "RubyGems": "gem", "AlmaLinux": "rpm"}


class Compare:
    """One `plumbing compare TYPE -` run over all pairs that are needed."""

    def __init__(self, program):
        self.program, self.known, self.wanted = program, {}, {}

    def want(self, kind, a, b):
        if (kind, a, b) not in self.known:
            self.wanted.setdefault(kind, set()).add((a, b))

    def run(self):
        for kind, pairs in self.wanted.items():
            pairs = sorted(pairs)
            text = "".join(f"{a}\t{b}\n" for a, b in pairs)
            out = subprocess.run([self.program, "plumbing", "compare", kind, "-"], input=text, text=True,
                                 capture_output=True, check=True).stdout.split("\n")
            for pair, sign in zip(pairs, out):
                self.known[(kind, *pair)] = sign
        self.wanted = {}

    def __call__(self, kind, a, b):
        return self.known[(kind, a, b)]


def normal(kind, name):
    if kind == "pypi":
        return re.sub(r"[-_.]+", "-", name).lower()
    if kind in ("golang", "npm"):
        return name.lower()
    if kind == "cargo":
        return name.replace("_", "-").lower()
    return name


def written_out(kind, version):
    """What a version that is short for one of its scheme stands for (docs/formats/osv.md)."""
    if kind == "pypi":
        return re.sub("-NA$", "", version)
    if kind == "npm" and version != "0":
        short = re.fullmatch(r"(\d+)(\.\d+)?(\.\d+)?(?:-?([A-Za-z][\w.-]*|\*))?", version)
        if short:
            pre = short[4] and "-" + short[4].replace("*", "0")
            return "".join([short[1], short[2] or ".0", short[3] or ".0", pre or ""])
    return version


def stretches(kind, entry):
    """(introduced, end, kind of end) of each comparable range, events in the order that the record gives."""
    for r in entry.get("ranges", []):
        if r["type"] == "GIT":
            continue
        start = None
        for event in r["events"]:
            event = {k: written_out(kind, v) for k, v in event.items()}
            if "introduced" in event:
                if start is not None:
                    yield start, None, None
                start = event["introduced"]
            elif start is not None and ("fixed" in event or "last_affected" in event):
                key = "fixed" if "fixed" in event else "last_affected"
                yield start, event[key], key
                start = None
        if start is not None:
            yield start, None, None


def affected(kind, version, entry, compare):
    """True, False, or None where it can't be told."""
    if any(v == version or compare(kind, version, v) == "=" for v in entry.get("versions", [])):
        return True
    unsure = False
    for start, end, what in stretches(kind, entry):
        low = ">" if start == "0" else compare(kind, version, start)
        high = "<" if end is None else compare(kind, version, end)
        if low == "<":
            continue
        if low == "?" or high == "?":
            unsure = True
        elif high == "<" or (high == "=" and what == "last_affected"):
            return True
    return None if unsure else False


def pairs_of(kind, version, entry, compare):
    for v in entry.get("versions", []):
        compare.want(kind, version, v)
    for start, end, _ in stretches(kind, entry):
        if start != "0":
            compare.want(kind, version, start)
        if end is not None:
            compare.want(kind, version, end)


def usable(kind, version):
    return version and not re.search(r"[\s\t]", version) and version not in ("0", "0.0.0-0")


@functools.lru_cache(maxsize=None)
def all_records(folder):
    """A record may speak of another ecosystem than that of the archive that it lies in."""
    records = []
    for ecosystem in sorted(os.listdir(os.path.join(folder, "osv"))):
        path = os.path.join(folder, "osv", ecosystem, "all.zip")
        if os.path.exists(path):
            archive = zipfile.ZipFile(path)
            records += [json.loads(archive.read(name)) for name in sorted(archive.namelist())]
    return records


def osv(folder, ecosystem, kind, rng, n):
    """Cases of one ecosystem: (kind, key, version, [(record, entry)])."""
    by_name, versions = {}, {}
    for record in all_records(folder):
        for entry in record.get("affected", []):
            package = entry.get("package", {})
            eco = package.get("ecosystem", "")
            if eco.split(":")[0] != ecosystem or not package.get("name"):
                continue
            key = (eco, normal(kind, package["name"]))
            by_name.setdefault(key, []).append((record, entry))
            seen = versions.setdefault(key, set())
            seen.update(entry.get("versions", []))
            for start, end, _ in stretches(kind, entry):
                seen.update(v for v in (start, end) if v)
    cases = []
    keys = sorted(k for k in by_name if kind != "npm" or k[1].islower())  # a purl of npm has no upper case
    for key in (rng.choice(keys) for _ in range(n)):
        choice = sorted(v for v in versions[key] if usable(kind, v))
        if not choice:
            continue
        version = rng.choice(choice)
        if rng.random() < 0.3 and re.fullmatch(r"\d+(\.\d+)+", version):
            version += rng.choice([".1", ".0"]) if kind in ("pypi", "gem") else ""
        cases.append((kind, key, version, by_name[key]))
    return cases


def quote(text):
    return re.sub(r"[^A-Za-z0-9._~/-]", lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), text)


def purl_of(kind, key, version):
    if kind == "rpm":
        epoch, _, rest = version.rpartition(":")
        tail = f"?distro=almalinux-{key[0].split(':')[1]}" + (f"&epoch={epoch}" if epoch else "")
        return f"pkg:rpm/almalinux/{quote(key[1])}@{quote(rest)}{tail}"
    return f"pkg:{kind}/{quote(key[1])}@{quote(version)}"


def module(version):
    return ".module_el" in version or ".module+el" in version


def expected(kind, version, records, compare):
    """Ids of records that hold, and of those that can't be told; bug fixes and withdrawn records do not count."""
    yes, unsure = set(), set()
    for record, entry in records:
        if record.get("withdrawn"):
            continue
        if kind == "rpm":
            fixes = [end for _, end, what in stretches(kind, entry) if what == "fixed"]
            if module(version) or any(module(f) for f in fixes):
                continue
            if record["id"][2] in "BE" and not record.get("related"):
                continue
        answer = affected(kind, version, entry, compare)
        if answer:
            yes.add(record["id"])
        elif answer is None:
            unsure.add(record["id"])
    return yes, unsure - yes


def ids_of_records(answer):
    """Every id that an affected verdict carries, and the ids of those that can't be told."""
    yes, unsure = set(), set()
    for v in answer["verdicts"]:
        if v["verdict"] == "affected":
            yes.update([v["id"], *v.get("aliases", []), v["advisory"]["id"]])
        elif v["verdict"] == "cannot_tell" and "id" in v:
            unsure.add(v["id"])
    return yes, unsure


def secdb(folder, rng, n):
    cases = []
    root = os.path.join(folder, "alpine", "secdb")
    for _ in range(n):
        branch = rng.choice(sorted(b for b in os.listdir(root) if b.startswith("v")))
        merged = {}
        for repo in sorted(os.listdir(os.path.join(root, branch))):
            with open(os.path.join(root, branch, repo), encoding="utf-8") as f:
                for p in json.load(f).get("packages") or []:
                    merged.setdefault(p["pkg"]["name"], []).append(p["pkg"]["secfixes"])
        name = rng.choice(sorted(merged))
        records = []
        for fixes in merged[name]:
            for fixed, ids in (fixes or {}).items():
                for line in ids or []:
                    # Beside a CVE other ids of the line are names for it; alone they are the flaw's id.
                    for flaw in re.findall(r"CVE-\d{4}-\d+|GHSA(?:-[0-9a-z]{4}){3}", line.replace("CVE_", "CVE-")) or line.split():
                        records.append((flaw, None if fixed == "0" else fixed))
        choice = sorted({f for _, f in records if f})
        if choice:
            cases.append(("apk", branch, name, rng.choice(choice), records))
    return cases


def tracker(folder, rng, n):
    with open(os.path.join(folder, "debian", "tracker.json"), encoding="utf-8") as f:
        data = json.load(f)
    releases = {"buster": "10", "bullseye": "11", "bookworm": "12"}
    cases = []
    names = sorted(data)
    while len(cases) < n:
        name, codename = rng.choice(names), rng.choice(sorted(releases))
        records = []
        for flaw, d in data[name].items():
            r = d["releases"].get(codename)
            if r and r["status"] == "resolved":
                records.append((flaw, None if r["fixed_version"] == "0" else r["fixed_version"]))
            elif r:
                records.append((flaw, ""))
        choice = sorted({f for _, f in records if f})
        if choice:
            cases.append(("deb", releases[codename], name, rng.choice(choice), records))
    return cases


def main():
    program, folder = sys.argv[1], sys.argv[2]
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    if not os.path.isdir(os.path.join(folder, "osv")):
        print(f"1..0 # SKIP no advisories in {folder}")
        return 0
    rng = random.Random(20261122)
    compare = Compare(program)
    cases = []
    for ecosystem, kind in ECOSYSTEMS.items():
        for kind, key, version, records in osv(folder, ecosystem, kind, rng, n):
            for _, entry in records:
                pairs_of(kind, version, entry, compare)
            cases.append((ecosystem, purl_of(kind, key, version),
                          functools.partial(expected, kind, version, records, compare)))
    for kind, release, name, version, records in secdb(folder, rng, n) + tracker(folder, rng, n):
        for _, fixed in records:
            if fixed:
                compare.want(kind, version, fixed)
        distro = f"alpine-{release[1:]}.0" if kind == "apk" else f"debian-{release}"
        purl = f"pkg:{kind}/{'alpine' if kind == 'apk' else 'debian'}/{quote(name)}@{quote(version)}?distro={distro}"

        def fixes(kind=kind, version=version, records=records):
            # A flaw that several lines name is held by any fix of them.
            state = {}
            for flaw, fixed in records:
                sign = ">" if fixed is None else "<" if fixed == "" else compare(kind, version, fixed)
                state.setdefault(flaw, []).append(sign)
            return {f for f, s in state.items() if "<" in s}, {f for f, s in state.items() if "?" in s}
        cases.append(("Alpine" if kind == "apk" else "Debian", purl, fixes))
    compare.run()
    with tempfile.TemporaryDirectory() as db:
        subprocess.run([program, "db", "build", "--quiet", "--from", folder, "--db", db], check=True)
        text = "".join(f"{purl}\n" for _, purl, _ in cases)
        out = subprocess.run([program, "plumbing", "match", "-", "--db", db], input=text, text=True, capture_output=True,
                             check=True).stdout.splitlines()
    groups = {}
    for (group, purl, want), line in zip(cases, out):
        yes, unsure = want()
        got, got_unsure = ids_of_records(json.loads(line))
        missing = yes - got
        # The other direction by records: an id that no expected record is known by.
        extra = {v["advisory"]["id"] for v in json.loads(line)["verdicts"] if v["verdict"] == "affected"} - yes
        lost = {u for u in unsure if u not in got and u not in got_unsure}
        groups.setdefault(group, []).append((purl, missing, extra, lost))
    print(f"1..{len(groups) + 1}")
    print(("ok" if len(out) == len(cases) else "not ok"), f"1 - {len(cases)} answers")
    bad_total = len(out) != len(cases)
    for i, (group, results) in enumerate(groups.items(), 2):
        bad = [r for r in results if r[1] or r[2] or r[3]]
        bad_total += len(bad)
        print("not ok" if bad else "ok", f"{i} - {group}: {len(results)} packages")
        for purl, missing, extra, lost in bad[:5]:
            print(f"# {purl}: missing {sorted(missing)} extra {sorted(extra)} untold {sorted(lost)}")
    return 1 if bad_total else 0


if __name__ == "__main__":
    sys.exit(main())
