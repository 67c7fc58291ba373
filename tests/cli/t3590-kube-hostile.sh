#!/bin/sh
# kube …: manifests that try to hide something, or to lead a reader astray.
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >owned.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: circle
  ownerReferences: [{apiVersion: v1, kind: Pod, name: circle, controller: true, uid: u}]
spec:
  containers: [{name: c, image: i, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: of-a-configmap
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, controller: true, uid: u}]
spec:
  containers: [{name: c, image: i, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Pod
metadata: {name: says-it-is-over}
spec:
  containers: [{name: c, image: i, securityContext: {privileged: true}}]
status: {phase: Succeeded}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: owner}
END
fails 0 "pods behind odd owners" "$HOLDFAST" kube check --checks HF-K8S-101 owned.yaml
for pod in circle of-a-configmap says-it-is-over; do
  check "$pod is checked" grep -q "Pod/$pod" out.log
done
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\u202eb"}\nspec: {}\n' >turned.yaml
for command in "pss baseline" check reach; do
  # shellcheck disable=SC2086
  fails 0 "a name that turns the direction of text: kube $command" "$HOLDFAST" kube $command turned.yaml
  check "which a terminal does not see" sh -c '! grep -q "$(printf "\342\200\256")" out.log err.log'
done
finish
