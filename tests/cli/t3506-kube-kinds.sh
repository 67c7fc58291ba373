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

# Kinds with several templates: one line an object, and each place on its own where places are named.
cat >several.py <<'END2'
import json
BAD = {"hostPID": True, "containers": [{"name": "c", "image": "c:1"}]}
WORSE = {"hostNetwork": True, "containers": [{"name": "c", "image": "c:1", "securityContext": {"privileged": True}}]}
PLACES = {
    "batch.volcano.sh/v1alpha1 Job": ["spec.tasks.0.template", "spec.tasks.1.template"],
    "batch.volcano.sh/v1alpha1 CronJob": ["spec.jobTemplate.spec.tasks.0.template", "spec.jobTemplate.spec.tasks.1.template"],
    "kubeflow.org/v1 PyTorchJob": ["spec.pytorchReplicaSpecs.Master.template", "spec.pytorchReplicaSpecs.Worker.template"],
    "kubeflow.org/v1 TFJob": ["spec.tfReplicaSpecs.Chief.template", "spec.tfReplicaSpecs.PS.template"],
    "kubeflow.org/v2beta1 MPIJob": ["spec.mpiReplicaSpecs.Launcher.template", "spec.mpiReplicaSpecs.Worker.template"],
    "kubeflow.org/v1 XGBoostJob": ["spec.xgbReplicaSpecs.Master.template", "spec.xgbReplicaSpecs.Worker.template"],
    "kubeflow.org/v1 PaddleJob": ["spec.paddleReplicaSpecs.Master.template", "spec.paddleReplicaSpecs.Worker.template"],
    "kubeflow.org/v1 JAXJob": ["spec.jaxReplicaSpecs.Worker.template", "spec.jaxReplicaSpecs.Worker/2~.template"],
    "ray.io/v1 RayCluster": ["spec.headGroupSpec.template", "spec.workerGroupSpecs.0.template"],
    "ray.io/v1 RayJob": ["spec.rayClusterSpec.headGroupSpec.template", "spec.submitterPodTemplate"],
    "ray.io/v1 RayService": ["spec.rayClusterConfig.headGroupSpec.template", "spec.rayClusterConfig.workerGroupSpecs.0.template"],
    "jobset.x-k8s.io/v1alpha2 JobSet": ["spec.replicatedJobs.0.template.spec.template",
                                        "spec.replicatedJobs.1.template.spec.template"],
    "leaderworkerset.x-k8s.io/v1 LeaderWorkerSet": ["spec.leaderWorkerTemplate.leaderTemplate",
                                                    "spec.leaderWorkerTemplate.workerTemplate"],
    "apps.kruise.io/v1alpha1 UnitedDeployment": ["spec.template.deploymentTemplate.spec.template",
                                                 "spec.template.cloneSetTemplate.spec.template"],
}


def put(o, place, value):
    keys = place.split(".")
    for key, after in zip(keys, keys[1:] + ["x"]):
        new = [] if after.isdigit() else {}
        if key.isdigit():
            while len(o) <= int(key):
                o.append(type(new)())
            o = o[int(key)]
        else:
            o = o.setdefault(key, new)
    o["spec"] = value


items = []
for i, (kind, places) in enumerate(PLACES.items()):
    version, kind = kind.split()
    o = {"apiVersion": version, "kind": kind, "metadata": {"name": f"x{i}", "namespace": "shop"}}
    put(o, places[0], BAD)
    put(o, places[1], WORSE)
    items.append(o)
json.dump({"apiVersion": "v1", "kind": "List", "items": items}, open("several.json", "w"))
open("wanted", "w").writelines(f"fail shop/{o['kind']}/{o['metadata']['name']} hostNamespaces,privileged\n" for o in items)
json.dump([sorted("/" + p.replace("~", "~0").replace("/", "~1").replace(".", "/") + "/spec" for p in places)
           for places in PLACES.values()], open("places", "w"))
END2
python3 several.py
fails 1 "several pods of an object are judged" "$HOLDFAST" kube pss baseline --strict several.json
check "as one line with what any of them fails" cmp wanted out.log
fails 1 "and explained" "$HOLDFAST" kube pss baseline --format json several.json
check "once a control, with the place of each pod" python3 -c 'import json
documents = json.load(open("out.log"))["documents"]
assert [c["id"] for c in documents[0]["controls"]] == ["hostNamespaces", "privileged"]
assert [f["path"] for f in documents[0]["controls"][0]["fields"]] == \
    ["spec.tasks[0].template.spec.hostPID", "spec.tasks[1].template.spec.hostNetwork"], documents[0]'
fails 0 "and checked" "$HOLDFAST" kube check --format json --checks host-pid,host-network several.json
check "with a patch for each" python3 -c 'import json
places = json.load(open("places"))
results = json.load(open("out.log"))["results"]
by_name = {}
for r in results:
    by_name.setdefault(r["name"], []).append(r["patch"][0]["path"].rpartition("/")[0])
assert [sorted(by_name[f"x{i}"]) for i in range(len(places))] == places, by_name'
cat >odd.yaml <<'END2'
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: none}
spec: {}
---
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: text}
spec: {tasks: two}
---
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: mixed}
spec: {tasks: [one, {template: {spec: {containers: [{name: c, image: "c:1"}]}}}]}
END2
fails 1 "templates that cannot be read are no pass" "$HOLDFAST" kube pss baseline odd.yaml
check "one without any is one of an empty pod" grep -qx "pass default/Job/none" out.log
check "a list that is none fails" grep -q "^fail default/Job/text .*,privileged," out.log
check "so does one of its elements" grep -q "^fail default/Job/mixed .*,privileged," out.log
cat >policies.yaml <<'END2'
policies:
  - {id: P, subject: container, deny: 'select(.securityContext.privileged) | "\(.name) is privileged"'}
  - {id: Q, subject: pod, deny: '"nobody likes pods"'}
  - {id: R, deny: '"nor objects"'}
END2
fails 1 "policies are asked about each pod" "$HOLDFAST" kube policy -p policies.yaml several.json --format json
check "and tell an object once of what is alike" python3 -c 'import json
results = json.load(open("out.log"))["results"]
got = sorted((r["policy"], r["message"]) for r in results if r["name"] == "x0")
assert got == [("P", "c is privileged"), ("Q", "nobody likes pods"), ("R", "nor objects")], results[0:3]'

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
