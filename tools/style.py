#!/usr/bin/env python3
"""style.py ROOT: rules of the house that a compiler does not check: files under 800 lines and functions of at most 70, a header begins with
a comment and has #pragma once, comments are /* */; in src no banned function. TAP."""
import pathlib
import re
import sys

FILE_LINES = 800
FUNCTION_LINES = 70
BANNED = {
    "strcpy": "hf_sv or snprintf", "strcat": "hf_buf", "sprintf": "snprintf", "vsprintf": "vsnprintf", "strtok": "hf_sv_next",
    "gets": "fgets", "gmtime": "gmtime_r", "localtime": "localtime_r", "asctime": "strftime", "ctime": "strftime",
    "atoi": "hf_sv_to_u64", "atol": "hf_sv_to_u64", "atof": "strtod", "rand": "getrandom",
    "tmpnam": "mkstemp", "mktemp": "mkstemp", "alloca": "an arena", "system": "nothing", "popen": "nothing", "setenv": "nothing",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def blanked(text):
    """text without comments and literals, as many lines; and the lines of // comments"""
    slashes = []

    def blank(hit):
        if hit[0].startswith("//"):
            slashes.append(text.count("\n", 0, hit.start()) + 1)
        return re.sub(r"[^\n]", " ", hit[0])

    return TOKEN.sub(blank, text), slashes


def functions(code):
    """(first line, lines) of each top-level body: a line "{" to a line "}", both in the first column"""
    begin = None
    for number, line in enumerate(code.split("\n"), 1):
        if line.startswith("{"):
            begin = number
        elif line.startswith("}") and begin:
            yield begin, number - begin - 1
            begin = None


def faults(path, banned):
    text = path.read_text()
    lines = text.count("\n")
    if lines >= FILE_LINES:
        yield 1, f"{lines} lines are too many for one file"
    if path.suffix == ".h":
        if not text.startswith("/*"):
            yield 1, "a header begins with a comment that says what it is"
        if "#pragma once" not in text:
            yield 1, "no #pragma once"
    code, slashes = blanked(text)
    for number in slashes:
        yield number, "// comment"
    for number, length in functions(code):
        if length > FUNCTION_LINES:
            yield number, f"{length} lines are too many for one function"
    for hit in CALL.finditer(code) if banned else ():
        yield code.count("\n", 0, hit.start()) + 1, f"{hit[1]} is banned; there is: {BANNED[hit[1]]}"


def main():
    root = pathlib.Path(sys.argv[1])
    paths = [p for folder in ("src", "bpf", "fuzz", "tests") for p in sorted((root / folder).rglob("*.[ch]"))]
    print(f"1..{len(paths)}")
    bad = False
    for n, path in enumerate(paths, 1):
        found = list(faults(path, path.is_relative_to(root / "src")))
        bad |= bool(found)
        print(f"{'not ok' if found else 'ok'} {n} - {path.relative_to(root)}")
        for line, what in found:
            print(f"# {path.relative_to(root)}:{line}: {what}")
    return bad


sys.exit(main())
