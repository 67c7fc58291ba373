#!/bin/sh
# kube rbac of several clusters: who takes what one of them holds of another, and what that is worth there.
# shellcheck disable=SC2016,SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

mkdir hub member edge
cat >hub/all.yaml <<'END'
apiVersion: cluster.karmada.io/v1alpha1
kind: Cluster
metadata: {name: m1}
spec:
  apiEndpoint: https://10.0.0.7:6443
  secretRef: {namespace: karmada-cluster, name: m1}
  impersonatorSecretRef: {namespace: karmada-cluster, name: m1-impersonator}
---
apiVersion: v1
kind: Secret
metadata: {name: cluster-edge, namespace: argocd, labels: {argocd.argoproj.io/secret-type: cluster}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: far, namespace: fleet}
spec: {controlPlaneEndpoint: {host: far.example.com, port: 6443}}
---
apiVersion: v1
kind: Secret
metadata: {name: far-kubeconfig, namespace: fleet, labels: {cluster.x-k8s.io/cluster-name: far}}
type: cluster.x-k8s.io/secret
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: secrets}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: one}
rules: [{apiGroups: [""], resources: [secrets], resourceNames: [m1-impersonator], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: deployer}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: karmada-cluster}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secrets}
subjects: [{kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: karmada-cluster}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: one}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: c, namespace: argocd}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deployer}
subjects: [{kind: User, name: carol, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: d, namespace: fleet}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secrets}
subjects: [{kind: User, name: dan, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: e, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secrets}
subjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]
END
# The member says itself where it is, and its name is another one than Karmada's.
cat >member/all.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-info, namespace: kube-public}
data:
  kubeconfig: |
    apiVersion: v1
    clusters:
    - cluster: {}
      server: https://10.0.0.7:6443
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: karmada-m1, namespace: karmada-cluster}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: karmada}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: karmada-m1, namespace: karmada-cluster}]
END
cat >edge/all.yaml <<'END'
apiVersion: v1
kind: ServiceAccount
metadata: {name: argocd-manager, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: viewer}
rules: [{apiGroups: [""], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: argocd}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: viewer}
subjects: [{kind: ServiceAccount, name: argocd-manager, namespace: kube-system}]
END
rbac() { "$HOLDFAST" kube rbac check -f json "$@"; }
fails 0 "three clusters" rbac --cluster hub=hub --cluster west=member --cluster edge=edge
cp out.log three.json
check "who takes what, and what it is worth there" python3 -c 'import json
hub = next(c for c in json.load(open("three.json"))["clusters"] if c["cluster"] == "hub")
found = [(f["subject"]["name"], f["severity"], [s["step"] for s in f["path"]]) for f in hub["findings"] if f["id"] == "HF-RBAC-111"]
by = {}
for name, severity, path in found:
    by.setdefault(name, []).append((severity, path))
assert sorted(by) == ["alice", "bob", "carol", "dan"], sorted(by)
alice = dict((p[1].split()[1], (s, p)) for s, p in by["alice"])
severity, path = alice["karmada-cluster/m1"]
assert severity == "critical" and len(path) == 3, path
assert path[0] == "user alice reads secrets in karmada-cluster, by RoleBinding karmada-cluster/a (hub/all.yaml:38)", path
assert path[1] == "secret karmada-cluster/m1 (hub/all.yaml:1) is what Karmada acts with in west", path
assert path[2].startswith("there sa karmada-cluster/karmada-m1 may do everything, by ClusterRoleBinding karmada (member/all.yaml:"), path
severity, path = by["bob"][0]
assert len(by["bob"]) == 1 and severity == "high" and "which is not in the input of that cluster" in path[2], path
severity, path = by["carol"][0]
assert severity == "medium" and "writes workloads, whose controllers create pods in argocd, which mount the secret" in path[0] and "in edge" in path[1], path
severity, path = by["dan"][0]
assert severity == "critical" and "far.example.com:6443" in path[1] and "system:masters" in path[2], path'
fails 0 "one of them alone" rbac --cluster hub=hub
check "says what is not assessable" python3 -c 'import json
found = [[s["step"] for s in f["path"]] for f in json.load(open("out.log"))["findings"] if f["id"] == "HF-RBAC-111"]
assert len(found) == 5 and any("not assessable: that cluster is not in the input" in p[-1] for p in found), found'
fails 0 "as text" "$HOLDFAST" kube rbac --severity critical --cluster hub=hub --cluster west=member
check "with its steps" grep -q '  2. secret karmada-cluster/m1 (hub/all.yaml:1) is what Karmada acts with in west' out.log
fails 0 "a cluster without credentials" rbac --cluster edge=edge --cluster west=member
check "tells nothing" sh -c '! grep -q HF-RBAC-111 out.log'
cat >edge/pods.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: web}
spec: {containers: [{name: c, image: x}]}
END
fails 0 "what nobody uses" "$HOLDFAST" kube rbac unused -f json --cluster west=member --cluster edge=edge
check "is told of clusters whose pods are in the input" python3 -c 'import json
west, edge = json.load(open("out.log"))["clusters"]
assert not west["accounts_assessable"] and not [u for u in west["unused"] if u["kind"] == "ServiceAccount"], west
assert edge["accounts_assessable"] and [u["name"] for u in edge["unused"] if u["kind"] == "ServiceAccount"] == ["argocd-manager"], edge'
check "and said of the others" grep -q 'no pods are in the input' err.log
finish
