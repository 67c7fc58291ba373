# shellcheck shell=sh
# kube check: who names an owner is judged all the same, unless it is what that owner makes; what a server repeats is told once.
# shellcheck disable=SC2317 # called through check
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >make.py <<'END2'
"""make.py CASE: a Deployment, its ReplicaSets and Pods as `kubectl get all -o json` prints them, with one thing about them changed."""
import copy
import json
import sys

case = sys.argv[1]
template = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "securityContext": {},
             "terminationGracePeriodSeconds": 30,
             "containers": [{"name": "web", "image": "web:1", "imagePullPolicy": "IfNotPresent", "resources": {"limits": {"cpu": "1"}},
                             "securityContext": {"privileged": case == "all-privileged"}}]}}


def reference(kind, name, uid):
    return [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True, "blockOwnerDeletion": True}]


deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "uid": "d"},
              "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}}
items, pods = [], []
for revision, (hash, replicas) in enumerate({"aa": 0, "bb": 2}.items()):
    made = copy.deepcopy(template)
    made["metadata"]["labels"]["pod-template-hash"] = hash
    if not replicas:
        made["spec"]["containers"][0]["securityContext"]["privileged"] = True
    items.append({"apiVersion": "apps/v1", "kind": "ReplicaSet",
                  "metadata": {"name": f"web-{hash}", "namespace": "shop", "uid": hash, "ownerReferences": reference("Deployment", "web", "d")},
                  "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web", "pod-template-hash": hash}}, "template": made}})
    for i in range(replicas):
        spec = copy.deepcopy(made["spec"])
        spec.update(nodeName=f"n{i}", enableServiceLinks=True, priority=0, preemptionPolicy="PreemptLowerPriority",
                    serviceAccount="default", serviceAccountName="default",
                    tolerations=[{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
                    volumes=[{"name": f"kube-api-access-{i}", "projected": {"defaultMode": 420, "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}}]}}])
        spec["containers"][0]["resources"]["requests"] = {"cpu": "1"}
        spec["containers"][0]["volumeMounts"] = [{"name": f"kube-api-access-{i}", "readOnly": True,
                                                  "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]
        if case == "sidecars":
            spec["containers"].append({"name": "proxy", "image": "proxy:1", "securityContext": {"privileged": True}})
        pods.append({"apiVersion": "v1", "kind": "Pod",
                     "metadata": {"name": f"web-{hash}-{i}", "namespace": "shop", "uid": f"p{i}", "labels": made["metadata"]["labels"],
                                  "annotations": {"cni.example/ip": f"10.0.0.{i}"}, "ownerReferences": reference("ReplicaSet", f"web-{hash}", hash)},
                     "spec": spec, "status": {"phase": "Running"}})
liar = pods[1]
if case == "privileged":
    liar["spec"]["containers"][0]["securityContext"]["privileged"] = True
elif case == "wrong-uid":
    liar["spec"]["containers"][0]["securityContext"]["privileged"] = True
    liar["metadata"]["ownerReferences"][0]["uid"] = "other"
elif case == "revision":  # of no replicas, so nobody is judged for its pod
    old = copy.deepcopy(liar)
    old["metadata"].update(name="web-aa-0", ownerReferences=reference("ReplicaSet", "web-aa", "aa"))
    old["metadata"]["labels"]["pod-template-hash"] = "aa"
    old["spec"]["containers"][0]["securityContext"]["privileged"] = True
    pods.append(old)
elif case == "no-uid":  # a manifest that says it is a former revision
    items[0]["metadata"].pop("uid")
elif case == "debugged":
    liar["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "x:1", "securityContext": {"privileged": True}}]
elif case == "host":
    liar["spec"]["hostPID"] = True
elif case == "volume":
    liar["spec"]["volumes"].append({"name": "root", "hostPath": {"path": "/"}})
elif case == "token-volume":
    liar["spec"]["volumes"][0]["hostPath"] = {"path": "/"}
elif case == "account":
    liar["spec"]["serviceAccountName"] = "admin"
elif case == "bare":  # the templates as in a manifest, without what a server fills in
    for o in (deployment, *items):
        for key in ("restartPolicy", "dnsPolicy", "schedulerName", "securityContext", "terminationGracePeriodSeconds"):
            o["spec"]["template"]["spec"].pop(key, None)
        o["spec"]["template"]["spec"]["containers"][0].pop("imagePullPolicy", None)
elif case == "circle":
    a, b = pods[0], pods[1]
    for one, other in ((a, b), (b, a)):
        one["spec"]["containers"][0]["securityContext"]["privileged"] = True
        one["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Pod", "name": other["metadata"]["name"], "controller": True}]
elif case == "unmade":
    items.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}})
    liar["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "controller": True}]
    liar["spec"]["containers"][0]["securityContext"]["privileged"] = True
json.dump({"apiVersion": "v1", "kind": "List", "items": pods + [deployment] + items}, sys.stdout)
END2

told() { # CASE CHECKS OBJECT...: just these fail
  case=$1 checks=$2
  shift 2
  python3 make.py "$case" >list.json
  "$HOLDFAST" kube check --format json --checks "$checks" list.json >out.log 2>err.log || return 1
  python3 - "$@" <<'END2'
import json, sys
got = [f"{r['kind']}/{r['name']}" + (f"/{r['container']}" if "container" in r else "") for r in json.load(open("out.log"))["results"] if r["status"] == "fail"]
print(got)
sys.exit(sorted(got) != sorted(sys.argv[1:]))
END2
}

check "what owners make is told of the owner alone" told all-privileged privileged-container Deployment/web/web
check "a former revision at no replicas is not told" told plain privileged-container
check "what a template says of itself as well" told plain writable-root-filesystem Deployment/web/web
check "a pod that is not what its owner makes" told privileged privileged-container Pod/web-bb-1/web
check "an owner of another uid is none" told wrong-uid privileged-container Pod/web-bb-1/web
check "a pod of a revision that counts as former" told revision privileged-container Pod/web-aa-0/web
check "without a uid it is no former revision" told no-uid privileged-container ReplicaSet/web-aa/web
check "a container for debugging" told debugged privileged-container Pod/web-bb-1/debug
check "namespaces of the host" told host host-pid Pod/web-bb-1
check "a volume of the host" told volume host-path-root Pod/web-bb-1
check "a volume that has the name of a token's" told token-volume host-path-root Pod/web-bb-1
check "templates of a manifest beside pods of a server" told bare writable-root-filesystem Deployment/web/web
check "pods that own each other" told circle privileged-container Pod/web-bb-0/web Pod/web-bb-1/web
check "an owner that makes no pods" told unmade privileged-container Pod/web-bb-1/web
cat >claims.yaml <<'END2'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop, uid: s}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "db:1", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: other
  namespace: shop
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: s, controller: true}]
spec:
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates: [{metadata: {name: data}}]
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "db:1", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, hostPath: {path: /}}]
END2
check "claims that a ReplicaSet does not make hide no volume" sh -c '"$HOLDFAST" kube check --quiet claims.yaml | grep -A1 HF-K8S-152 | grep -q "shop/ReplicaSet/other"'
check "a sidecar in each replica, once" told sidecars privileged-container Pod/web-bb-0/proxy
finish
