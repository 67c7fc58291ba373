#!/bin/sh
# kube admission review --namespaces: what rules that look at namespaces say of saved reviews.
# shellcheck disable=SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

admission() { "$HOLDFAST" kube admission "$@"; }
review() {
	printf '{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "operation": "CREATE", "namespace": "%s", "object":
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "a"}]}}}}' "$1" >"$1.json"
}

echo 'pod_security: {from_labels: true}' >settings.yaml
cat >policy.yaml <<'END'
policies:
- {id: team, title: t, deny: 'if $namespace.metadata.labels.team == "red" then "red team" else empty end'}
END
cat >namespaces.yaml <<'END'
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: red, labels: {team: red}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: restricted}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: blue}}
END
for name in red strict blue other; do review $name; done
judge() { admission review --config settings.yaml -p policy.yaml "$@" >out; }

fails 1 "a policy that reads the namespace" judge --namespaces namespaces.yaml red.json
check "says so" grep -q 'red team' out
fails 1 "a level of its labels" judge --namespaces namespaces.yaml strict.json
check "is named" grep -q 'violates restricted' out
check "a namespace without labels" judge --namespaces namespaces.yaml blue.json
fails 1 "one that there is not" judge --namespaces namespaces.yaml other.json
check "gives no verdict" grep -q 'the namespace other is not known' out
check "nobody tells of any" judge other.json
fails 2 "a file that is not there" judge --namespaces nowhere red.json
fails 2 "with another word" admission policies --namespaces namespaces.yaml
admission policies --config settings.yaml >out
check "what a cluster cannot hold of it is said" grep -q '^# Not held here: from_labels' out
finish
