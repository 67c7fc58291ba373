#!/usr/bin/env python3
"""make_kube_fields.py SWAGGER VERSION >src/kube/fields.inc: the fields of Kubernetes' types, out of the OpenAPI document of its API server
(api/openapi-spec/swagger.json of k8s.io/kubernetes, or /openapi/v2 of a server). Facts alone: names, types, versions.
make_kube_fields.py SWAGGER VERSION types >src/kube/types.inc: the numbers that the types have there. Both are made together."""
import json
import sys

FORMS = ["ANY", "STRING", "INTEGER", "NUMBER", "BOOLEAN", "OBJECT", "QUANTITY", "INT_OR_STRING"]
SHAPES = ["ONE", "LIST", "MAP"]
# What servers before have known and handed out: not unknown, but not looked into.
ONCE = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": ["clusterName", "initializers"],
    "io.k8s.api.core.v1.ServiceSpec": ["ipFamily", "topologyKeys"],
    "io.k8s.api.core.v1.PodResourceClaim": ["source"],
    "io.k8s.api.core.v1.ResourceRequirements": [],
    "io.k8s.api.core.v1.PodSpec": ["alphaGetResourcesFrom"],
    "io.k8s.api.core.v1.NodeSpec": ["externalID"],
    "io.k8s.api.apps.v1.DeploymentSpec": ["rollbackTo"],
    "io.k8s.api.apps.v1.DaemonSetSpec": ["templateGeneration"],
}
# Definitions that are written as something else than their schema says.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "QUANTITY",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "INT_OR_STRING",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "STRING",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "STRING",
}


def form_of(schema, definitions, want):
    """(form, reference) of one value; @want(name) gives a type its number."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name in SPECIAL:
            return SPECIAL[name], 0
        target = definitions[name]
        if "properties" in target:
            return "OBJECT", want(name)
        if target.get("type") in ("string", "integer", "number", "boolean"):
            return target["type"].upper(), 0
        return "ANY", 0
    kind = schema.get("type")
    if schema.get("format") == "int-or-string":
        return "INT_OR_STRING", 0
    return (kind.upper(), 0) if kind in ("string", "integer", "number", "boolean") else ("ANY", 0)


def field_of(schema, definitions, want):
    if schema.get("type") == "array":
        return "LIST", *form_of(schema.get("items", {}), definitions, want)
    if schema.get("type") == "object" and "additionalProperties" in schema:
        return "MAP", *form_of(schema["additionalProperties"], definitions, want)
    return "ONE", *form_of(schema, definitions, want)


def main():
    document = json.load(open(sys.argv[1], encoding="utf-8"))
    definitions = document["definitions"]
    kinds, order, number = [], [], {}

    def want(name):
        if name not in number:
            number[name] = len(order)
            order.append(name)
        return number[name]

    for name, schema in sorted(definitions.items()):
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            if "metadata" not in schema.get("properties", {}) or gvk["kind"].endswith("List"):
                continue
            api = gvk["group"] + "/" + gvk["version"] if gvk["group"] else gvk["version"]
            kinds.append((api, gvk["kind"], want(name)))
    types, done = [], 0
    version = sys.argv[2]
    while done < len(order):
        name = order[done]
        fields = {key: field_of(schema, definitions, want) for key, schema in definitions[name].get("properties", {}).items()}
        for once in ONCE.get(name, []):
            fields.setdefault(once, ("ONE", "ANY", 0))
        types.append(sorted(fields.items(), key=lambda f: f[0].encode()))
        done += 1
    names = sorted({key for fields in types for key, _ in fields})
    at, offsets = 0, {}
    for name in names:
        offsets[name] = at
        at += len(name) + 1
    if sys.argv[3:] == ["types"]:
        print(f"/* Made by tools/make_kube_fields.py of the OpenAPI document of Kubernetes {version}; not to be changed by hand. */")
        for name in order:
            if name.startswith("io.k8s.api.") or name.startswith("io.k8s.kube-aggregator.pkg.apis."):
                group, version, kind = name.split(".")[-3:]
                print(f"HF_KUBE_TYPE_{group}_{version}_{kind} = {number[name]},")
        return
    print(f"/* Made by tools/make_kube_fields.py of the OpenAPI document of Kubernetes {version}; not to be changed by hand. */")
    print(f'#define KUBE_FIELDS_VERSION "{version}"')
    print(f"enum {{ POD_TEMPLATE = {number['io.k8s.api.core.v1.PodTemplateSpec']} }};")
    print("static const char names[] =")
    line = ""
    for name in names:
        if len(line) + len(name) > 110:
            print(f'\t"{line}"')
            line = ""
        line += name + "\\0"
    print(f'\t"{line}";')
    print("/* name, its length, shape and form, type; sorted by name within a type */\nstatic const struct field fields[] = {")
    first, starts = 0, []
    for fields in types:
        starts.append((first, len(fields)))
        first += len(fields)
        row = ""
        for key, (shape, form, ref) in fields:
            cell = f"{{{offsets[key]},{len(key)},{SHAPES.index(shape) * 8 + FORMS.index(form)},{ref}}},"
            if len(row) + len(cell) > 120:
                print("\t" + row)
                row = ""
            row += cell
        if row:
            print("\t" + row)
    print("};\n/* the first field and how many */\nstatic const struct type types[] = {")
    for i in range(0, len(starts), 12):
        print("\t" + " ".join(f"{{{a},{n}}}," for a, n in starts[i:i + 12]))
    print("};\n/* sorted by kind, then by apiVersion */\nstatic const struct root roots[] = {")
    for api, kind, ref in sorted(kinds, key=lambda k: (k[1].encode(), k[0].encode())):
        print(f'\t{{ "{kind}", "{api}", {ref} }},')
    print("};")


main()
