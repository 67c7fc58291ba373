#!/bin/sh
# kube check of several clusters: folders that stand for them, and what one may do in another.
# shellcheck disable=SC2016,SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

mkdir hub edge none
cat >hub/objects.yaml <<'END'
apiVersion: v1
kind: Secret
metadata:
  name: cluster-edge
  namespace: argocd
  labels: {argocd.argoproj.io/secret-type: cluster}
data: {config: aGlkZGVu}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ci, namespace: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: argocd}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: argocd}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: ci, namespace: web}]
END
cat >edge/objects.yaml <<'END'
apiVersion: v1
kind: ServiceAccount
metadata: {name: argocd-manager, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: argo}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: argocd-manager, namespace: kube-system}]
END
kube() { "$HOLDFAST" kube "$@"; }

fails 0 "two folders" kube check --checks HF-K8S-971 --cluster hub=hub --cluster edge=edge
check "names the cluster, the account and what it may do in the other" grep -q \
	'hub/argocd/Secret/cluster-edge: sa web/ci reads it, by RoleBinding argocd/readers, and acts in edge by Argo CD, as sa kube-system/argocd-manager: everything (hub/objects.yaml:1)' out.log
fails 0 "the same as JSON" kube check -f json --checks HF-K8S-971 --cluster=hub=hub --cluster edge=edge
check "with the cluster and the line" python3 -c 'import json
r = json.load(open("out.log"))["results"]
assert [(x["cluster"], x["name"], x["line"]) for x in r] == [("hub", "cluster-edge", 1)]'
fails 1 "and a gate" kube check --fail-on high --checks HF-K8S-971 --cluster hub=hub --cluster edge=edge
fails 0 "the other cluster alone" kube check --fail-on high --checks HF-K8S-971 --cluster edge=edge
fails 0 "control plane of saved clusters" kube check -f json --checks apiserver-rbac --cluster hub=hub --cluster edge=edge
check "is not assessable in each" python3 -c 'import json
r = json.load(open("out.log"))["results"]
assert [(x["cluster"], x["status"]) for x in r] == [("hub", "not_assessable"), ("edge", "not_assessable")]'
fails 0 "an empty folder" kube check --cluster none=none
check "is told" grep -q 'none: no object' err.log
fails 2 "no name" kube check --cluster =hub
fails 2 "no folder" kube check --cluster hub
fails 2 "nothing" kube check --cluster
fails 2 "clusters are no states" kube reach diff hub edge --cluster hub=hub
finish
