# shellcheck shell=sh
# Kinds of other programs that make pods: looked into where the template's place is known, told where it is not.
# shellcheck disable=SC2016
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >make.py <<'END2'
import json
SPEC = {"hostPID": True, "containers": [{"name": "c", "image": "c:1"}]}
PLACES = {
    "argoproj.io/v1alpha1 Rollout": "spec.template",
    "apps.kruise.io/v1alpha1 CloneSet": "spec.template",
    "apps.kruise.io/v1beta1 StatefulSet": "spec.template",
    "apps.kruise.io/v1alpha1 DaemonSet": "spec.template",
    "apps.kruise.io/v1alpha1 BroadcastJob": "spec.template",
    "apps.kruise.io/v1alpha1 AdvancedCronJob": "spec.template.jobTemplate.spec.template",
    "serving.knative.dev/v1 Service": "spec.template",
    "serving.knative.dev/v1 Configuration": "spec.template",
    "serving.knative.dev/v1 Revision": "",
    "kubeflow.org/v1 Notebook": "spec.template",
    "keda.sh/v1alpha1 ScaledJob": "spec.jobTargetRef.template",
    "agones.dev/v1 GameServer": "spec.template",
    "agones.dev/v1 Fleet": "spec.template.spec.template",
    "apps.openshift.io/v1 DeploymentConfig": "spec.template",
}
items = []
for i, (kind, place) in enumerate(PLACES.items()):
    version, kind = kind.split()
    o = at = {"apiVersion": version, "kind": kind, "metadata": {"name": f"x{i}", "namespace": "shop"}}
    for key in place.split(".") if place else []:
        at = at.setdefault(key, {})
    at["spec"] = SPEC
    items.append(o)
json.dump({"apiVersion": "v1", "kind": "List", "items": items}, open("known.json", "w"))
open("wanted", "w").writelines(f"fail shop/{o['kind']}/{o['metadata']['name']} hostNamespaces\n" for o in items)
END2
python3 make.py
fails 1 "pods of custom kinds are judged" "$HOLDFAST" kube pss baseline --strict known.json
check "each at the place of its template" cmp wanted out.log
fails 0 "and checked" "$HOLDFAST" kube check --format json --checks host-pid known.json
check "with a patch that finds it" python3 -c 'import json
objects = {(o["kind"], o["metadata"]["name"]): o for o in json.load(open("known.json"))["items"]}
results = json.load(open("out.log"))["results"]
for r in results:
    at = objects[r["kind"], r["name"]]
    for key in r["patch"][0]["path"].split("/")[1:-1]:
        at = at[key]
    assert at["hostPID"], r
assert len(results) == len(objects)'

cat >other.yaml <<'END2'
apiVersion: batch.volcano.example/v1
kind: Gang
metadata: {name: g}
spec: {tasks: [{template: {spec: {containers: [{name: a, image: "a:1"}]}}}]}
---
apiVersion: batch.volcano.example/v1
kind: Gang
metadata: {name: h}
spec: {tasks: [{template: {spec: {containers: [{name: a, image: "a:1"}]}}}]}
---
apiVersion: pipes.example/v1
kind: Flow
metadata: {name: f}
spec: {templates: [{name: t, container: {image: "a:1"}}]}
---
apiVersion: pipes.example/v1
kind: Colour
metadata: {name: c}
spec: {containers: none, image: red}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gangs.batch.volcano.example}
spec: {group: batch.volcano.example, names: {kind: Gang, plural: gangs}, scope: Namespaced, versions: []}
END2
fails 3 "what seems to make pods, and is not looked into, is no pass" "$HOLDFAST" kube pss baseline --strict other.yaml
check "and told once a kind, also where its definition is there" sh -c '[ "$(grep -c "makes pods, perhaps" err.log)" = 2 ]'
check "with its place" grep -q '^holdfast: other.yaml:4:.*Gang of batch.volcano.example/v1 makes pods, perhaps' err.log
check "other custom objects are not" sh -c '! grep "makes pods" err.log | grep -q Colour'
finish
