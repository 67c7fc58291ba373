"""Pairs of versions for the oracles: the same ones on every machine, many corner cases, most of the two alike up to one place."""
import random
import re

NUMBERS = ["0", "1", "2", "9", "10", "11", "00", "01", "010", "007", "99", "100", "2147483647", "2147483648", "20240131",
           "18446744073709551616", "99999999999999999999999"]
SMALL = ["0", "0", "1", "1", "2", "3", "9", "10", "11", "20"]
WORDS = ["a", "b", "c", "m", "p", "r", "x", "rc", "RC", "cr", "alpha", "beta", "Beta", "pre", "post", "dev", "git", "final", "ga", "sp",
         "SNAPSHOT", "milestone", "release", "pl", "z", "A", "Z", "stable", "rev", "preview", "foo"]

# row: [separators, other texts that the row knows, part of the pairs made by its grammar]
TEXTS = {
    "deb": [".", ".", ".", "-", "-", "+", "~", "~~", ":", "1:", "0:", "+b1", "~bpo12+1", "+deb12u1", "~rc1", "-1", "-0", "-1ubuntu2", " ", "_"],
    "rpm": [".", ".", ".", "_", "+", "~", "^", "~rc1", "^git1", ".el9", ".el9_1", ".fc39", ".module", "~~", "^~", "~^"],
    "apk": [".", ".", ".", "_p1", "_rc1", "_alpha", "_beta2", "_pre", "_git20240101", "_p", "_cvs", "_svn3", "_hg", "-r0", "-r1", "-r10",
            "~ab12", "~0f", "_foo", "-", "a", "b"],
    "semver": [".", ".", ".", "-", "-", "+", "-alpha.1", "-rc.1", "-0", "+build.5", "-x-y", "-01", "v", "-1.0", "--", "-a.b"],
    "go": [".", ".", ".", "-", "+incompatible", "-0.20200101000000-abcdefabcdef", "-pre.0.20200101000000-abcdefabcdef",
           "-20191109021931-daa7c04131f5", "-rc.1", "-0", "-beta", "+meta"],
    "pep440": [".", ".", ".", "-", "_", "a1", "b2", "rc1", ".dev1", ".post1", "-1", "+ab.1", "+1", "+a-1", "1!", "0!", "v", ".a", "-rc",
               "c3", "dev", "post", ".-1", " ", "alpha.", "+"],
    "maven": [".", ".", "-", "-", "-alpha-1", "-SNAPSHOT", ".Final", ".RELEASE", "-rc1", "a1", "b2", "m3", "-jre", "-ga", "-sp", "..", "--",
              ".-", "-."],
    "rubygems": [".", ".", ".", "-", "-1", ".a", ".b2", ".rc1", ".pre", ".0", ".0.0", "-x-y", "..", " "],
    "packagist": [".", ".", ".", "-", "_", "-alpha1", "-beta.2", "RC1", "-RC-1", "p1", "-patch2", "pl3", "-dev", ".x-dev", "-stable", "v",
                  "+build", "@dev", "@beta", "-rc.1-dev", ".*-dev", "2010-01-02", "20100102", "2010.10", " "],
}

# Digits a number may have before the reference itself, but not the scheme, gives up: node-semver past 2^53, PHP past 2^63.
LONGEST = {"semver": 15, "packagist": 18}
# Not module versions, but ours takes them as Go's own.
TOOLCHAIN = re.compile(r"v?[0-9]+\.[0-9]+[a-z]+[0-9]+$")


def some(rng, row):
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(SMALL)
    if kind < 0.62:
        return rng.choice(NUMBERS)
    if kind < 0.72:
        return rng.choice(WORDS)
    return rng.choice(TEXTS[row])


def core(rng, row):
    """A few numbers between dots and some of the row's texts behind: most of them are valid."""
    fixed = {"semver": 3, "go": 3}.get(row)
    n = fixed if fixed and rng.random() < 0.93 else rng.randint(1, 4)
    numbers = SMALL if row in ("semver", "go", "packagist") or rng.random() < 0.7 else NUMBERS
    parts = [rng.choice(numbers)]
    for _ in range(n - 1):
        parts += [".", rng.choice(numbers)]
    if row == "go" and rng.random() < 0.95:
        parts.insert(0, "v")
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3])):
        parts.append(rng.choice(TEXTS[row][4:]))
        if rng.random() < 0.4:
            parts.append(rng.choice(SMALL + WORDS[:8]))
    return parts


def changed(rng, row, parts):
    parts = list(parts)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(parts))
        how = rng.random()
        if how < 0.4:
            parts[at] = rng.choice(SMALL if parts[at].isdigit() else TEXTS[row])
        elif how < 0.65:
            parts.insert(at + 1, some(rng, row))
        elif how < 0.85 and len(parts) > 1:
            del parts[at]
        elif parts[at].isdigit():
            parts[at] = rng.choice(["0", "00", ""]) + parts[at]
        else:
            parts[at] = parts[at].swapcase()
    return parts


def version(rng, row):
    if rng.random() < 0.8:
        return core(rng, row)
    return [some(rng, row) for _ in range(rng.randint(1, 6))]


def dressed(rng, row, parts, releases):
    s = "".join(parts)
    if row == "rpm":
        s = s.replace("-", "")
        s = rng.choice(["", "", "", "0:", "1:", "01:", "10:", ":"]) + s
        if releases:
            s += "-" + rng.choice(SMALL) + rng.choice(["", ".el9", ".el9_1", ".el9~1", "^x"])
    if row == "deb" and rng.random() < 0.15:
        s = rng.choice(["0:", "1:", "00:", "2:"]) + s
    return s


def pairs(row, count):
    rng = random.Random("holdfast " + row)
    out = []
    while len(out) < count:
        a = version(rng, row)
        b = changed(rng, row, a) if rng.random() < 0.8 else version(rng, row)
        releases = rng.random() < 0.5
        a, b = dressed(rng, row, a, releases), dressed(rng, row, b, releases)
        if row in LONGEST and max(map(len, re.findall("[0-9]+", a + " " + b) or [""])) > LONGEST[row]:
            continue
        if row == "go" and (TOOLCHAIN.match(a) or TOOLCHAIN.match(b)):
            continue
        if a and b and a[0] != "-" and b[0] != "-":
            out.append((a, b))
    return out
