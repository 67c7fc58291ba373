#!/usr/bin/env python3
"""make_events_doc.py ROOT [--check]: writes the tables of docs/events.md from src/model/event_kinds.def and event_fields.def.
What stands above the marker line is written by hand and stays. --check: says whether it is current, as TAP."""
import pathlib
import re
import sys

MARKER = "<!-- From here on made by tools/make_events_doc.py from src/model/event_kinds.def and event_fields.def. -->\n"
TYPES = {
    "STRING": "string", "UINT": "number, 0 to 2^64-1", "INT": "number, -2^63 to 2^63-1", "BOOL": "true or false",
    "LIST": "list of strings", "MAP": "object of strings", "TREE": "list of objects",
}
STRING = r'"((?:[^"\\]|\\.)*)"'


def rows(path, macro, pattern):
    """the groups of each row; a row that is not understood is an error"""
    found = []
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if not line.startswith(macro + "("):
            continue
        hit = re.fullmatch(macro + r"\(" + pattern + r"\)\s*(?:/\*.*\*/)?", line)
        if not hit:
            sys.exit(f"{path}:{number}: not understood")
        found.append([group.replace('\\"', '"') for group in hit.groups()])
    return found


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def tables(root):
    kinds = rows(root / "src/model/event_kinds.def", "HF_EVENT_KIND", rf"(\w+), {STRING}, {STRING}")
    fields = rows(root / "src/model/event_fields.def", "HF_EVENT_FIELD", rf"(\w+), {STRING}, (\w+), {STRING}")
    out = [MARKER, "\n## Kinds\n\n", "| `kind` | what happened |\n", "|---|---|\n"]
    out += [f"| `{name}` | {cell(doc)} |\n" for _, name, doc in kinds]
    group = None
    out.append("\n## Fields\n")
    for _, name, kind, doc in fields:
        top = name.split(".")[0] if "." in name else "of every event"
        if top != group:
            group = top
            title = top if top == "of every event" else f"`{top}`"
            out.append(f"\n### {title}\n\n| field | type | what it says |\n|---|---|---|\n")
        out.append(f"| `{name}` | {TYPES[kind]} | {cell(doc)} |\n")
    return "".join(out)


def main():
    root = pathlib.Path(sys.argv[1])
    page = root / "docs/events.md"
    text = page.read_text()
    if MARKER not in text:
        sys.exit(f"{page}: has no line {MARKER}")
    wanted = text[: text.index(MARKER)] + tables(root)
    if "--check" not in sys.argv:
        page.write_text(wanted)
        return 0
    current = text == wanted
    print(f"1..1\n{'ok' if current else 'not ok'} 1 - docs/events.md says what the tables say")
    if not current:
        print("# write it anew: tools/make_events_doc.py .")
    return 0 if current else 1


sys.exit(main())
