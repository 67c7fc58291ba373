# shellcheck shell=sh
# plumbing kube-object: what an API server would store, an object a line. tests/kube/t_defaults.py has all kinds.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

# shellcheck disable=SC2317 # called through check
printed() { # exactly these lines
  printf '%s\n' "$@" >wanted
  cmp wanted out.log
}

cat >web.yaml <<'END2'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: null, ports: [{port: 80}, {port: 443, protocol: UDP, targetPort: tls}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: tight}
spec: {egress: [{}]}
---
apiVersion: example.com/v1
kind: Own
metadata: {name: o}
spec: {replicas: null}
END2
fails 0 "objects with their defaults" "$HOLDFAST" plumbing kube-object --quiet web.yaml
check "a line each; what is null counts as not written; of other kinds nothing is known" printed \
  '{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"ClusterIP","ports":[{"port":80,"protocol":"TCP","targetPort":80},{"port":443,"protocol":"UDP","targetPort":"tls"}],"sessionAffinity":"None","internalTrafficPolicy":"Cluster"}}' \
  '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"tight"},"spec":{"egress":[{}],"podSelector":{},"policyTypes":["Ingress","Egress"]}}' \
  '{"apiVersion":"example.com/v1","kind":"Own","metadata":{"name":"o"},"spec":{"replicas":null}}'
printf 'apiVersion: v1\nkind: Pod\nspec: {containers: [a, {name: 1, ports: x}, null, {ports: [{hostPort: []}], resources: {limits: {cpu: 1}, requests: 5}}], volumes: {}}\n' >odd.yaml
fails 0 "what is of no right type is left as it is" "$HOLDFAST" plumbing kube-object --quiet odd.yaml
check "and the rest filled in" grep -q '"requests":5}.*"restartPolicy":"Always"' out.log
cat >secrets.yaml <<'END'
{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: aGlkZGVu, y: {z: hidden}, list: [hidden], number: 4711}, stringData: [hidden]}
---
{apiVersion: v1, kind: Secret, metadata: {name: b}, data: hidden, stringData: {x: hidden}}
END
fails 0 "secrets whose values have wrong types" "$HOLDFAST" plumbing kube-object --quiet secrets.yaml
check "are without them all the same" sh -c '! grep -E "hidden|aGlk|4711" out.log && test "$(wc -l <out.log)" = 2'
fails 2 "no target" "$HOLDFAST" plumbing kube-object
finish
