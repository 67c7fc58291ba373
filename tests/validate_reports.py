"""validate_reports.py WRITE_REPORTS: TAP. What the reports write is valid by the published schemas, which
tools/fetch-schemas.sh puts into the user's cache; without them, or without python3-jsonschema, everything is skipped."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

FORMATS = {
    "cyclonedx": "bom-1.6.schema.json",
    "spdx": "spdx-2.3.schema.json",
    "sarif": "sarif-2.1.0.schema.json",
}


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def inlined(node, licences):
    """CycloneDX refers to other files: the list of licences is put in, signatures and cryptography are not written."""
    if isinstance(node, list):
        return [inlined(x, licences) for x in node]
    if not isinstance(node, dict):
        return node
    ref = node.get("$ref")
    if isinstance(ref, str) and not ref.startswith("#"):
        return {"enum": licences} if ref.startswith("spdx.") else {}
    return {key: inlined(value, licences) for key, value in node.items()}


def validator(jsonschema, folder, name):
    schema = json.loads((folder / name).read_text())
    if name.startswith("bom-"):
        schema = inlined(schema, json.loads((folder / "spdx.schema.json").read_text())["enum"])
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker())


def references(row, document):
    """What a schema cannot say: every reference has its end, and no name is given twice."""
    if row == "cyclonedx":
        refs = [c["bom-ref"] for c in document.get("components", [])] + [document["metadata"]["component"]["bom-ref"]]
        used = [d for x in document["dependencies"] for d in [x["ref"], *x["dependsOn"]]]
        used += [a["ref"] for v in document.get("vulnerabilities", []) for a in v["affects"]]
    elif row == "spdx":
        refs = ["SPDXRef-DOCUMENT"] + [p["SPDXID"] for p in document["packages"]]
        used = [r[k] for r in document["relationships"] for k in ("spdxElementId", "relatedSpdxElement")]
        known = {x["licenseId"] for x in document.get("hasExtractedLicensingInfos", [])}
        words = {w for p in document["packages"] for w in p["licenseDeclared"].replace("(", " ").replace(")", " ").split()}
        if {w for w in words if w.startswith("LicenseRef-")} != known:
            return "licences that are used and defined differ"
    else:
        run = document["runs"][0]
        rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
        refs, used = rules, [r["ruleId"] for r in run["results"]]
        if any(rules[r["ruleIndex"]] != r["ruleId"] for r in run["results"]):
            return "a ruleIndex names another rule"
    if len(set(refs)) != len(refs):
        return "a name is given twice"
    missing = set(used) - set(refs)
    return f"refers to what is not there: {sorted(missing)[:3]}" if missing else None


def main():
    try:
        import jsonschema
    except ImportError:
        skip("python3-jsonschema is not installed")
    # jsonschema 4.10 sorts what its message names, and fails where that is objects.
    if hasattr(getattr(jsonschema, "_validators", None), "extras_msg"):
        jsonschema._validators.extras_msg = lambda extras: (", ".join(map(repr, extras)), "was" if len(extras) == 1 else "were")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "holdfast-dev" / "schemas"
    missing = [name for name in FORMATS.values() if not (folder / name).is_file()]
    if missing:
        skip(f"schemas are not in the cache ({', '.join(missing)}): run tools/fetch-schemas.sh")
    number = 0
    failed = False
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.argv[1], out], check=True)
        for row, name in FORMATS.items():
            check = validator(jsonschema, folder, name)
            for path in sorted(pathlib.Path(out).glob(row + ".*")):
                number += 1
                document = json.loads(path.read_text())
                wrong = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in check.iter_errors(document)]
                wrong += filter(None, [references(row, document)])
                for text in wrong[:5]:
                    print(f"# {text}")
                failed |= bool(wrong)
                print(f"{'not ' if wrong else ''}ok {number} - {path.name}")
    print(f"1..{number}")
    sys.exit(failed)


main()
