#!/bin/sh
# What `helm template` writes, and what a chart or a kustomization says that was not filled in.
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

mkdir -p shop/templates layer
printf 'apiVersion: v2\nname: shop\nversion: 0.1.0\n' >shop/Chart.yaml
printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\nspec: {}\n' >shop/templates/pod.yaml
printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [web.yaml]\n' >layer/kustomization.yaml
printf 'kind: Pod\nmetadata: {name: web}\n' >half.yaml
cat >filled.yaml <<'END'
---
# Source: shop/templates/pod.yaml
# the shop
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: "registry.test/web:1", securityContext: {privileged: true}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: web, image: "registry.test/web:1", securityContext: {privileged: true}}]}
END
fails 0 "a chart" "$HOLDFAST" kube check shop
check "is told by its name, with what to do" grep -q 'Chart.yaml:1:1: a chart of Helm.*helm template' err.log
check "and its templates too" grep -q 'templates/pod.yaml.*not filled in' err.log
fails 3 "which is no success where one is asked for" "$HOLDFAST" kube check --strict shop
fails 0 "a kustomization" "$HOLDFAST" kube check layer
check "is no object, whatever it says of itself" grep -q 'kubectl kustomize FOLDER' err.log
fails 0 "a kind without a version" "$HOLDFAST" kube check half.yaml
check "is neither" grep -q 'apiVersion and kind are not both there' err.log
fails 0 "a chart that was filled in" "$HOLDFAST" kube check --checks HF-K8S-101 - <filled.yaml
check "names the template of what it finds" grep -q 'Pod/web, .*(stdin:7, of shop/templates/pod.yaml)' out.log
check "and of nothing else" grep -q 'Pod/other, .*(stdin:12)' out.log
fails 0 "as JSON" "$HOLDFAST" kube check --checks HF-K8S-101 --format json - <filled.yaml
check "too" test "$(grep -o '"template"' out.log | wc -l)" = 1
fails 1 "pss" "$HOLDFAST" kube pss baseline --explain filled.yaml
check "names it as well" grep -q 'filled.yaml:[0-9]*, of shop/templates/pod.yaml' out.log
finish
