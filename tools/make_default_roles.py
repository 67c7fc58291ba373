#!/usr/bin/env python3
"""make_default_roles.py < LIST > data/kube/default-roles.json: the roles and bindings that an API server makes by itself, one a line.

LIST is what a new cluster answers to
    kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -l kubernetes.io/bootstrapping=rbac-defaults -o json
Kept is what decides: names, the labels that aggregation selects by, rules, subjects. Rules that a controller gathered are left out."""
import json
import sys


def reduced(item):
    meta = {"name": item["metadata"]["name"]}
    if "namespace" in item["metadata"]:
        meta["namespace"] = item["metadata"]["namespace"]
    meta["labels"] = item["metadata"]["labels"]
    out = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": meta}
    for key in ("aggregationRule", "roleRef", "subjects"):
        if item.get(key):
            out[key] = item[key]
    if item.get("rules") and "aggregationRule" not in item:
        out["rules"] = item["rules"]
    return out


items = [reduced(i) for i in json.load(sys.stdin)["items"]]
order = ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"]
items.sort(key=lambda i: (order.index(i["kind"]), i["metadata"].get("namespace", ""), i["metadata"]["name"]))
for i in items:
    print(json.dumps(i, separators=(",", ":")))
