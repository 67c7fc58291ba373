#!/bin/sh
# kube check --compare: what came, went and stays between two states.
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >old.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostPID: true
  hostIPC: true
  containers:
  - {name: web, image: "registry.test/web:1"}
END
mkdir new
cat >new/web.yaml <<'END'
# moved down, into a folder


apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostIPC: true
  containers:
  - {name: web, image: "registry.test/web:1", securityContext: {privileged: true}}
END
checks=HF-K8S-101,HF-K8S-103,HF-K8S-104
fails 0 "two states" "$HOLDFAST" kube check --checks $checks --compare old.yaml new
check "what came" grep -q '^+ critical  HF-K8S-101' out.log
check "what went" grep -q '^- high      HF-K8S-103' out.log
check "what stays is counted, wherever it stands" grep -qx '1 finding came, 1 went, 1 stays (--all shows them)' out.log
fails 0 "with --all" "$HOLDFAST" kube check --checks $checks --compare --all old.yaml new
check "it is shown" grep -q '^  high      HF-K8S-104' out.log
fails 0 "as JSON" "$HOLDFAST" kube check --checks $checks --compare --format json old.yaml new
check "the same" python3 -c 'import json
said = json.load(open("out.log"))
assert said["schema"] == "holdfast/kube-check-compare/1"
assert [[r["id"][-3:] for r in said[k]] for k in ("came", "went", "stays")] == [["101"], ["103"], ["104"]]'
fails 0 "as SARIF" "$HOLDFAST" kube check --checks $checks --compare --format sarif old.yaml new
check "with the state of each against the old ones" python3 -c 'import json
results = json.load(open("out.log"))["runs"][0]["results"]
assert [(r["ruleId"][-3:], r["baselineState"]) for r in results] == [("101", "new"), ("104", "unchanged"), ("103", "absent")], results'
fails 0 "SARIF of what has no findings" "$HOLDFAST" kube check --checks HF-K8S-105 --compare --format sarif old.yaml new
check "has none" python3 -c 'import json
assert json.load(open("out.log"))["runs"][0]["results"] == []'
printf -- '---\n# Source: shop/templates/web.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, image: "registry.test/a:1", securityContext: {privileged: true}}\n  - {name: b, image: "registry.test/b:1", securityContext: {privileged: true}}\n' >made.yaml
fails 0 "SARIF of what helm made" "$HOLDFAST" kube check --checks HF-K8S-101 --format sarif made.yaml
check "names the template, tells containers apart, and has no state" python3 -c 'import json
results = json.load(open("out.log"))["runs"][0]["results"]
assert len({str(r["partialFingerprints"]) for r in results}) == 2, results
assert all(r["properties"]["template"] == "shop/templates/web.yaml" and "baselineState" not in r for r in results), results'
fails 1 "a gate for what is new" "$HOLDFAST" kube check --checks $checks --compare --fail-on-new old.yaml new
fails 0 "what was there is not" "$HOLDFAST" kube check --checks HF-K8S-103,HF-K8S-104 --compare --fail-on-new --fail-on low old.yaml new
fails 1 "nor does it count for --fail-on, but what came" "$HOLDFAST" kube check --checks $checks --compare --fail-on critical old.yaml new
fails 0 "the same twice" "$HOLDFAST" kube check --compare --fail-on-new old.yaml old.yaml
check "has no difference" grep -q '^0 findings came, 0 went' out.log
fails 2 "one target is too few" "$HOLDFAST" kube check --compare old.yaml
fails 2 "nothing is mended" "$HOLDFAST" kube check --compare --fix old.yaml new
fails 2 "new against what?" "$HOLDFAST" kube check --fail-on-new old.yaml
finish
