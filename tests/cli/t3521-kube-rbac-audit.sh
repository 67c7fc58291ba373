#!/bin/sh
# kube rbac audit: what an audit log leaves of roles and bindings, as a patch, a stream for kubectl apply and JSON.
# shellcheck disable=SC2016,SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >app.yaml <<'END'
# ours
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: app, namespace: web}
rules:
- apiGroups: [""]
  resources: [pods, services] # both
  verbs: [get, list, watch, delete]
- {apiGroups: [""], resources: [secrets], resourceNames: [db, tls], verbs: [get]}
- {apiGroups: [apps], resources: [deployments, deployments/scale], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: app, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: app}
subjects:
- {kind: ServiceAccount, name: app, namespace: web}
- {kind: User, name: idle, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: second, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: app}
subjects:
- {kind: User, name: sue, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: ops
  labels: {team: x}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
- kind: User
  name: olga
  apiGroup: rbac.authorization.k8s.io
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: nobody}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects:
- {kind: User, name: gone, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: made
  ownerReferences: [{apiVersion: example.com/v1, kind: Maker, name: m, uid: a}]
rules:
- {apiGroups: [""], resources: [nodes, events], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: made
  ownerReferences: [{apiVersion: example.com/v1, kind: Maker, name: m, uid: a}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: made}
subjects: [{kind: User, name: maker, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: actor}
rules:
- {apiGroups: [""], resources: [users, groups], verbs: [impersonate]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: actor}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: actor}
subjects: [{kind: User, name: proxy, apiGroup: rbac.authorization.k8s.io}]
END
app=system:serviceaccount:web:app
id=0
event() { # user, verb, day, group, resource, namespace, name, more
  id=$((id + 1))
  printf '{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"%s","stage":"ResponseComplete","user":{"username":"%s","groups":["system:authenticated"]},"verb":"%s",' $id "$1" "$2"
  printf '"requestReceivedTimestamp":"2026-%sT10:00:00.000001Z","objectRef":{"apiGroup":"%s","resource":"%s","namespace":"%s","name":"%s"},' "$3" "$4" "$5" "$6" "$7"
  printf '"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by a binding"}%s}\n' "${8-}"
}
{
  event $app get 10-01 "" pods web app-7d9f8b6c5-x2x4p
  event $app list 10-02 "" pods web ""
  event $app get 10-03 "" secrets web db
  event sue update 10-04 apps deployments web front
  event olga get 10-05 "" configmaps ops one
  event olga delete 10-06 "" pods dev worker
  event olga create 11-07 "" pods dev worker
  event maker get 11-08 "" nodes "" n1
  event sue update 11-09 apps deployments web front ',"impersonatedUser":{"username":"nobody","groups":["system:authenticated"]}'
} >audit.log
printf '{"kind":"Event","auditID":"w","stage":"ResponseStarted","user":{"username":"%s"},"verb":"watch","requestReceivedTimestamp":"2026-11-09T10:00:00Z","objectRef":{"resource":"services","namespace":"web"}}\n' $app >>audit.log
rbac() { "$HOLDFAST" kube rbac "$@"; }
audit() { rbac audit --audit-log audit.log "$@"; }

fails 0 "a patch" audit -f patch app.yaml
cp out.log p.diff
mkdir patched && cp app.yaml patched/
check "that patch takes" sh -c 'cd patched && patch -p0 <../p.diff >/dev/null'
check "and leaves what it is not about" sh -c 'head -1 patched/app.yaml | grep -q "^# ours" && grep -q "labels: {team: x}" patched/app.yaml'
if command -v git >/dev/null; then
  mkdir by-git && cp app.yaml by-git/
  check "and git apply" sh -c 'cd by-git && git init -q . && git apply -p0 ../p.diff && cmp app.yaml ../patched/app.yaml'
fi
allowed() { # the state that can ends with, what is asked, where
  want=$1 && shift
  fails "$want" "can $*: $want" rbac can "$@" -- "$where"
}
asks() {
  allowed 0 get pods any -n web --as=$app
  allowed 0 watch services -n web --as=$app
  allowed 1 delete pods any -n web --as=$app
  allowed 1 list services -n web --as=$app
  allowed 0 get secrets db -n web --as=$app
  allowed 1 get secrets tls -n web --as=$app
  allowed 0 update deployments.apps front -n web --as=sue
  allowed 1 update deployments.apps other -n web --as=sue
  allowed 1 update deployments.apps/scale -n web --name=front --as=sue
  allowed 1 get pods any -n web --as=idle
  allowed 0 get configmaps one -n ops --as=olga
  allowed 1 get configmaps two -n ops --as=olga
  allowed 0 create pods -n dev --as=olga
  allowed 1 create pods -n ops --as=olga
  allowed 1 list secrets -A --as=olga
  allowed 1 get pods -n web --as=gone
  allowed 0 get nodes n1 -A --as=maker
  allowed 1 impersonate users nobody -A --as=proxy
}
where=patched/app.yaml
asks
fails 0 "again, with its notes" audit -f patch app.yaml
check "what another object owns stays, and why" grep -q 'ClusterRole made stays as it is: Maker m makes it: change it there' err.log
check "what is shared keeps what all used" grep -q 'Role web/app keeps what its 2 bindings used together' err.log
check "what has to be deleted is told" grep -q 'ClusterRoleBinding ops becomes a RoleBinding in 2 of the namespaces: delete it' err.log
check "a window with holes is told" grep -q 'events on 9 days alone' err.log
check "what the roles do not explain is told" grep -q 'requests were allowed that nothing in the input allows, the first: nobody update deployments' err.log
check "the difference is told" grep -q 'pairs of a verb and a resource that were granted .* were used; all' err.log

fails 0 "a stream for kubectl apply" audit -f apply app.yaml
cat app.yaml out.log >both.yaml
where=both.yaml
asks
fails 0 "as JSON" audit -f json app.yaml
check "patches of objects, and what is new" python3 -c 'import json
d = json.load(open("out.log"))
assert d["log"]["days"] == 39 and d["log"]["days_with_events"] == 9 and not d["log"]["short"] and d["log"]["unexplained"] == 1, d["log"]
patches = {(p["kind"], p["name"]): p["json_patch"] for p in d["patches"]}
assert patches["ClusterRoleBinding", "ops"] == [{"op": "replace", "path": "/subjects", "value": []}]
assert [r["resources"] for r in patches["Role", "app"][0]["value"]] == [["pods"], ["secrets"], ["services"], ["deployments"]]
assert sorted((o["kind"], o["metadata"].get("namespace")) for o in d["create"]) == [("Role", "dev"), ("Role", "ops"), ("RoleBinding", "dev"), ("RoleBinding", "ops")]
assert d["left"][0]["name"] == "made" and d["granted_pairs"] > d["used_pairs"] > 0'
python3 -c 'import json, subprocess, sys
items = subprocess.run([sys.argv[1], "kube", "rbac", "audit", "--audit-log", "audit.log", "-f", "json", "app.yaml"], capture_output=True, text=True).stdout
objects = [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "app", "namespace": "web"}, "rules": [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]}]},
           {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "app", "namespace": "web"}, "roleRef": {"kind": "Role", "name": "app", "apiGroup": "rbac.authorization.k8s.io"}, "subjects": [{"kind": "ServiceAccount", "name": "app", "namespace": "web"}]}]
json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, open("list.json", "w"), indent=2)' "$HOLDFAST"
fails 0 "of a List in JSON" audit --quiet -f patch list.json
cp out.log list.diff
check "a patch too" sh -c 'cp list.json patched/ && cd patched && patch -p0 <../list.diff >/dev/null && python3 -m json.tool list.json >/dev/null'
fails 1 "that leaves what was used" rbac can list secrets -n web --as=$app patched/list.json

grep -v 'T10:00:00Z' audit.log | head -3 >short.log
fails 0 "a log of three days" rbac audit --audit-log short.log app.yaml
check "is told to be short" grep -q 'events on 3 days: what is done once a week or a month is not in it' err.log
check "what was used rarely is told with when" grep -q 'rarely: 2 requests, the last on 2026-10-02' out.log
cat >policy.yaml <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, verbs: [watch]}
- {level: Metadata}
END
fails 0 "with the audit policy" rbac audit --audit-log short.log app.yaml policy.yaml
check "what it does not log is told" grep -q '1 rules of the audit policy log nothing' err.log

cat >proxy.log <<'END'
{"auditID":"1","stage":"ResponseComplete","user":{"username":"proxy"},"impersonatedUser":{"username":"dan","groups":["devs","system:authenticated"]},"verb":"get","objectRef":{"resource":"pods","namespace":"web","name":"x"},"annotations":{"authorization.k8s.io/decision":"forbid"}}
END
fails 0 "who acted as another" rbac audit --audit-log proxy.log -f patch app.yaml
check "used the right to, whatever became of the request" sh -c 'grep -q "^+  resourceNames: \[dan\]" out.log && grep -q "^+  resourceNames: \[devs" out.log'
check "and a log without times is told" grep -q 'the events say no time' err.log
# Two bindings of one name, in a namespace and without one, would get roles of one name in that namespace.
cat >twins.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: twin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: twin, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects:
- {kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}
END
{
  event alice get 10-01 "" pods web x
  event bob get 10-01 "" pods web x
  event bob get 10-01 "" secrets web x
} >twins.log
fails 0 "bindings of one name" rbac audit --quiet -f patch --audit-log twins.log twins.yaml
cp out.log twins.diff
check "are patched" sh -c 'cp twins.yaml patched/ && cd patched && patch -p0 <../twins.diff >/dev/null'
fails 0 "the one still does what it did" rbac can get secrets x -n web --as=bob patched/twins.yaml
fails 1 "the other gets nothing of it" rbac can get secrets x -n web --as=alice patched/twins.yaml
check "each new object has a name of its own" sh -c '! grep -A1 "^kind: Role$" patched/twins.yaml | grep name: | sort | uniq -d | grep .'
fails 0 "as a stream, too" rbac audit --quiet -f apply --audit-log twins.log twins.yaml
check "with a binding beside the one that is there" sh -c 'grep -c "^  name: twin$" out.log | grep -qx 2'
finish
