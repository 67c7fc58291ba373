#!/bin/sh
# kube rbac: can, who-can, list: their words, formats and exit status.
# shellcheck disable=SC2016,SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >roles.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: web}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [db], verbs: [get]}
- {apiGroups: [apps], resources: [deployments/scale], verbs: [update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: app}
- {kind: Group, name: "de\eevs", apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lost, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: not-there}
subjects: [{kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}]
END
app=system:serviceaccount:web:app
rbac() { "$HOLDFAST" kube rbac "$@"; }

fails 0 "may" rbac can get secrets db -n web --as $app roles.yaml
check "yes is the first line" sh -c '[ "$(head -1 out.log)" = yes ]'
check "then the binding, and the rule with its line" sh -c 'grep -q "RoleBinding web/readers (roles.yaml:8) to sa web/app" out.log && grep -q "rule 1 (roles.yaml:5)" out.log'
fails 0 "the name behind a slash, as with kubectl" rbac can get secret/db --namespace=web --as sa:web/app roles.yaml
fails 1 "may not" rbac can get secrets -n web --as $app roles.yaml
check "no is all of it" sh -c '[ "$(cat out.log)" = no ]'
fails 1 "the namespace is default where none is given" rbac can get secrets db --as $app roles.yaml
fails 1 "all namespaces at once are another question" rbac can get secrets db -A --as $app roles.yaml
fails 0 "a subresource by its short name" rbac can update deploy/scale -n web --as $app roles.yaml
fails 1 "the resource itself is another" rbac can update deploy -n web --as $app roles.yaml
fails 1 "a role that is not there gives nothing" rbac can get secrets db -n web --as alice roles.yaml
check "and this is told" grep -q 'RoleBinding web/lost names the Role not-there, which is not there' err.log
fails 0 "a path, by the roles of every cluster" rbac can get /version --as alice roles.yaml
fails 1 "without them" rbac can get /version --as alice --no-defaults roles.yaml
fails 1 "with no group but those given" rbac can get /version --as alice --exact-groups roles.yaml
fails 0 "a resource that nobody knows" rbac can get widgets.example.com --as x --as-group system:masters roles.yaml
check "is asked for as it is written, and this is told" grep -q 'no resource widgets.example.com is known' err.log
fails 1 "from standard input" sh -c '"$HOLDFAST" kube rbac can delete pods --as bob - <roles.yaml'
fails 0 "as JSON" rbac can get secrets db -n web --as $app -f json roles.yaml
check "of its schema" python3 -c 'import json
d = json.load(open("out.log"))
assert d["schema"] == "holdfast/rbac/1" and d["allowed"] is True and d["request"]["name"] == "db"
assert d["granted_by"]["binding"]["line"] == 8 and d["granted_by"]["rule"]["index"] == 0'
fails 0 "who can" rbac who-can get secrets/db -n web --no-defaults roles.yaml
check "a name that holds an escape does not reach the terminal" sh -c 'grep -qF "group de\\x1bevs" out.log && ! grep -q "$(printf "\033")" out.log'
check "nobody besides" sh -c '[ "$(grep -c "RoleBinding web/readers" out.log)" = 2 ] && ! grep -q alice out.log'
fails 0 "a list of rights" rbac list roles.yaml
check "of each who has some" sh -c 'grep -q "^sa web/app" out.log && grep -q "nothing, since there is no Role not-there" out.log'
check "what every cluster has is left out" sh -c '! grep -q system: out.log'
fails 0 "and there on demand" rbac list --all roles.yaml
check "from every cluster" grep -q '^group system:masters' out.log
fails 0 "of one, with its groups" rbac list --as $app roles.yaml
check "as they are" sh -c 'grep -q "^group system:authenticated" out.log && ! grep -q "^user alice" out.log'

cat >risky.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}]
END
fails 0 "what is found fails nothing by itself" rbac risky.yaml
check "and is told with its place and a change" sh -c 'grep -q "^critical  HF-RBAC-001  user alice: may do everything" out.log && grep -q "ClusterRoleBinding all (risky.yaml:1)" out.log && grep -q "fix: in ClusterRoleBinding all" out.log'
fails 1 "a gate" rbac check --fail-on high risky.yaml
fails 0 "a gate that passes" rbac --fail-on high roles.yaml
fails 0 "only what is shown can fail it" rbac --severity low,medium --fail-on high risky.yaml
check "nothing is shown" grep -q '^0 findings' out.log
fails 0 "the API server's own bindings on demand" rbac check --all --severity critical roles.yaml
check "are told like others" grep -q 'group system:masters: may do everything' out.log
fails 2 "a severity that is not there" rbac --fail-on dreadful risky.yaml
fails 2 "a gate of another command" rbac --fail-on kev risky.yaml

cat >app.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: app, namespace: web}
rules:
- {apiGroups: [""], resources: [pods, services], verbs: [get, list, watch, delete]}
- {apiGroups: [""], resources: [secrets], resourceNames: [db], verbs: [get]}
- {apiGroups: [apps], resources: [deployments], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: app, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: app}
subjects: [{kind: ServiceAccount, name: app, namespace: web}]
END
event() { # verb, resource, allow|forbid
  printf '{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"%s","user":{"username":"%s","groups":["system:authenticated"]},' "$1" $app
  printf '"objectRef":{"resource":"%s","namespace":"web","name":"db"},"annotations":{"authorization.k8s.io/decision":"%s"}}\n' "$2" "$3"
}
{ event get pods allow; event get pods allow; event get services allow; event get secrets allow; event delete pods forbid; } >audit.log
fails 0 "granted against used" rbac audit --audit-log audit.log app.yaml
check "by subject" grep -q '^sa web/app: 2 of 3 rules used, by 4 requests' out.log
check "verbs that nobody used" grep -q 'only get used: get,list,watch,delete pods,services' out.log
check "rules that nobody used" grep -q 'never used: \* deployments.apps' out.log
fails 0 "roles that hold what was used" rbac audit --audit-log audit.log -f yaml app.yaml
cp out.log used.yaml
fails 0 "what was used stays" rbac can get pods/db -n web --as $app used.yaml
fails 0 "and its names" rbac can get secrets/db -n web --as $app used.yaml
fails 1 "no other names" rbac can get secrets/other -n web --as $app used.yaml
fails 1 "the rest is gone" rbac can delete pods -n web --as $app used.yaml
fails 0 "as JSON" rbac audit --audit-log audit.log -f json app.yaml
check "with its sums" python3 -c 'import json
d = json.load(open("out.log"))
assert d["events"] == 5 and d["denied"] == 1 and len(d["subjects"]) == 1
s = d["subjects"][0]
assert s["requests"] == 4 and [g["requests"] for g in s["granted"]] == [3, 1, 0]'
echo '{"broken' >>audit.log
fails 3 "an entry that is no event, with --strict" rbac audit --audit-log audit.log --strict app.yaml
check "is told" grep -q '1 entries are no events' err.log
fails 2 "no log" rbac audit app.yaml
fails 0 "what nobody needs" rbac unused roles.yaml app.yaml
check "a binding to nothing" grep -q 'RoleBinding web/lost (roles.yaml:16): its role is not there' out.log
printf 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: spare}\n' >spare.yaml
fails 0 "a role that nobody has" rbac unused -f json spare.yaml
check "as JSON" python3 -c 'import json
assert [u["name"] for u in json.load(open("out.log"))["unused"]] == ["spare"]'

fails 1 "no verb at all is a verb that nobody has" rbac can "" pods --as=alice -- roles.yaml
check "and none of the options" sh -c '[ "$(cat out.log)" = no ]'
fails 2 "can without who" rbac can get pods roles.yaml
fails 2 "can without what" rbac can get
fails 2 "an option that is not there" rbac can get pods --as x --no-such roles.yaml
fails 2 "a format that is not there" rbac list -f xml roles.yaml
fails 2 "a file that is not there" rbac can get pods --as x no.yaml
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: i}]}\n' >pod.yaml
fails 0 "manifests without any binding" rbac check pod.yaml
check "do not tell what a token gives" grep -qx '0 findings' out.log
printf 'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: other}\nroleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: User, name: u}]\n' >bound.yaml
fails 0 "with some" rbac check pod.yaml bound.yaml
check "it is told" grep -q '^low       HF-RBAC-106  sa default/default: a token is mounted that gives nothing (Pod default/x)' out.log
printf 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\nrules: [{verbs: get}]\n' >wrong.yaml
fails 3 "what was not understood, with --strict" rbac list --strict wrong.yaml
fails 0 "and without" rbac list wrong.yaml
check "is told with its line" grep -q 'wrong.yaml:4:.*verbs' err.log
finish
