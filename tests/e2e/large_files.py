"""large_files.py HOLDFAST ROOT: files in compressed layers that are too large to be held whole are read as those in plain ones, in bounded
memory. What they hold is put in here, by hand. TAP."""
import io
import json
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile
import zipfile

HOLDFAST, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
MIB = 1 << 20
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def elf(text, rodata, old_strings=None):
    """(parts, an x86-64 executable): code, read-only data, names of sections behind these as Go's linker puts them, data"""
    names = b"\0.text\0.rodata\0.go.buildinfo\0.shstrtab\0"
    rodata_at = 4096 + text
    names_at = rodata_at + rodata
    data_at = (names_at + len(names) + 4095) & ~4095
    modules = b"0" * 16 + b"path\texample.org/m\nmod\texample.org/m\tv1.2.3\t\ndep\texample.org/d\tv0.4.0\th1:x=\n" + b"1" * 16

    def varint(n):
        return bytes([n & 0x7f | 0x80, n >> 7]) if n > 127 else bytes([n])
    base = 0x400000
    rodata_tail = b""
    if old_strings:
        rodata_tail = b"go1.17.3" + modules
        strings = base + names_at - len(rodata_tail)
        info = (b"\xff Go buildinf:" + bytes([8, 0]) + struct.pack("<QQ", base + data_at + 64, base + data_at + 80)).ljust(64, b"\0")
        info += struct.pack("<QQQQ", strings, 8, strings + 8, len(modules))
    else:
        info = (b"\xff Go buildinf:" + bytes([8, 2])).ljust(32, b"\0") + b"\x08go1.22.1" + varint(len(modules)) + modules
    data = info.ljust(8192, b"\0")
    segments = [(5, 0, rodata_at), (4, rodata_at, rodata), (6, data_at, len(data))]
    sections = [(0, 0, 0, 0), (1, 1, 4096, text), (7, 1, rodata_at, rodata), (15, 1, data_at, len(info)), (29, 3, names_at, len(names))]
    head = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base, 64, 512, 0, 64, 56, 3, 64, 5, 4)
    head += b"".join(struct.pack("<IIQQQQQQ", 1, f, at, base + at, base + at, n, n, 4096) for f, at, n in segments)
    head = head.ljust(512, b"\0")
    head += b"".join(struct.pack("<IIQQQQIIQQ", n, t, 2, base + at, at, size, 0, 0, 1, 0) for n, t, at, size in sections)
    yield head.ljust(4096, b"\0")
    yield from filler(text)
    yield from filler(rodata - len(rodata_tail))
    yield rodata_tail
    yield names.ljust(data_at - names_at, b"\0")
    yield data


def filler(n):
    """compressible, but not without end"""
    noise, pattern = random.Random(n), bytes(range(256)) * 248
    while n:
        block = (noise.randbytes(2048) + pattern)[:n]
        yield block
        n -= len(block)


def write(path, parts):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        for part in parts:
            f.write(part)
    path.chmod(0o755)


class Stream(io.RawIOBase):
    """cannot seek: zipfile then puts sizes behind the members"""
    def __init__(self, f):
        self.f = f

    def writable(self):
        return True

    def write(self, data):
        return self.f.write(data)


POM = "META-INF/maven/org.example/%s/pom.properties"


def jar(f, name, classes, noise, packed=zipfile.ZIP_DEFLATED, nested=()):
    with zipfile.ZipFile(f, "w", packed) as z:
        z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n")
        for i in range(classes // 2):
            z.writestr(f"a/C{i}.class", noise(i))
        z.writestr(POM % name, f"groupId=org.example\nartifactId={name}\nversion=1.0\n")
        for inner, data in nested:
            z.writestr(zipfile.ZipInfo(f"BOOT-INF/lib/{inner}-2.0.jar"), data)
        for i in range(classes // 2):
            z.writestr(f"b/C{i}.class", noise(i))


def scan(folder, scratch, *options, how="gzip", layers=1):
    """(packages, unparsed, the most memory that any child of this test ever took, in KiB)"""
    out = scratch / ("image-" + how)
    subprocess.run([sys.executable, ROOT / "tools/make-image.py", "-o", out, *["--layer", folder] * layers, "--format", "oci-tar",
                    "--compress", how, "--level", "1"], check=True)
    done = subprocess.run([HOLDFAST, "sbom", "--format", "json", *options, f"archive:{out}"], capture_output=True)
    assert done.returncode in (0, 3), done.stderr.decode()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    report = json.loads(done.stdout)
    out.unlink()
    return sorted({(p["name"], p.get("version")) for p in report["packages"]}), report["unparsed"], peak


GO = [("example.org/d", "v0.4.0"), ("example.org/m", "v1.2.3"), ("stdlib", "1.22.1")]


@test
def executables_of_go(scratch):
    write(scratch / "r/usr/bin/code", elf(90 * MIB, 40 * MIB))
    write(scratch / "r/usr/bin/data", elf(20 * MIB, 130 * MIB))
    for how in ("gzip", "zstd"):
        packages, unparsed, _ = scan(scratch / "r", scratch, how=how)
        assert packages == GO and not unparsed, (packages, unparsed)


@test
def old_executables_of_go(scratch):
    """their strings stand in the read-only data: read where that can be held, else told"""
    write(scratch / "r/usr/bin/held", elf(90 * MIB, 40 * MIB, True))
    packages, unparsed, _ = scan(scratch / "r", scratch)
    assert packages == [(n, "1.17.3" if n == "stdlib" else v) for n, v in GO] and not unparsed, (packages, unparsed)
    (scratch / "r/usr/bin/held").unlink()
    write(scratch / "r/usr/bin/lost", elf(20 * MIB, 130 * MIB, True))
    packages, unparsed, _ = scan(scratch / "r", scratch)
    assert not packages and [u["path"] for u in unparsed] == ["usr/bin/lost"], (packages, unparsed)


@test
def java_archives(scratch):
    """sizes in front and behind, small members and nested archives"""
    noise = (bytes(range(256)) * 8).__add__
    blob = random.Random(1).randbytes(2 * MIB)
    inner = io.BytesIO()
    jar(inner, "inner", 40, lambda i: blob[i * 1000:][:MIB])
    (scratch / "r/app").mkdir(parents=True)
    with open(scratch / "r/app/streamed-1.0.jar", "wb") as f:
        jar(Stream(f), "streamed", 120, lambda i: blob[i * 1000:][:MIB])
    jar(scratch / "r/app/seekable-1.0.jar", "seekable", 120, lambda i: blob[i * 1000:][:MIB])
    nested = [(f"inner{i}", inner.getvalue()) for i in range(4)]
    jar(scratch / "r/app/fat-1.0.jar", "fat", 4, lambda i: noise(b"%d" % i), zipfile.ZIP_STORED, nested)
    assert all(p.stat().st_size > 100 * MIB for p in (scratch / "r/app").iterdir())
    packages, unparsed, _ = scan(scratch / "r", scratch)
    assert not unparsed and {("org.example:" + n, "1.0") for n in ("streamed", "seekable", "fat", "inner")} <= set(packages), (packages, unparsed)
    plain, _, _ = scan(scratch / "r", scratch, how="none")
    assert plain == packages


@test
def files_that_do_not_fit_are_told(scratch):
    write(scratch / "r/var/lib/dpkg/status", filler(100 * MIB))
    _, unparsed, _ = scan(scratch / "r", scratch)
    assert [u["path"] for u in unparsed] == ["var/lib/dpkg/status"] and "held in memory" in unparsed[0]["reason"], unparsed


@test
def memory_is_bounded(scratch):
    """several threads with a file each that is held whole; the peak is that of all tests"""
    for i in range(2):
        write(scratch / f"r/usr/bin/f{i}", elf(10 * MIB, 45 * MIB))
    for how in ("gzip", "zstd"):
        packages, unparsed, peak = scan(scratch / "r", scratch, "--jobs", "8", how=how, layers=4)
        assert packages == GO and not unparsed
    write(scratch / "r/var/lib/dpkg/status", filler(85 * MIB))
    _, _, peak = scan(scratch / "r", scratch, "--jobs", "8", how=how, layers=4)
    print(f"# peak {peak} KiB")
    assert peak <= 128 * 1024, peak


print(f"1..{len(TESTS)}")
failed = 0
for n, function in enumerate(TESTS, 1):
    with tempfile.TemporaryDirectory() as scratch:
        try:
            function(pathlib.Path(scratch))
            print(f"ok {n} - {function.__name__}", flush=True)
        except Exception as e:
            failed += 1
            print(f"not ok {n} - {function.__name__}\n# {type(e).__name__}: {str(e)[:2000]}".replace("\n", "\n# ").replace("# #", "#"), flush=True)
sys.exit(failed > 0)
