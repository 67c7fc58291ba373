# shellcheck shell=sh
# kube reach and kube diff: formats, one pair explained, exposure, lateral movement, findings, what changed; names that inject.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >cluster.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: c, image: nginx, ports: [ { name: http, containerPort: 8080 } ] } ] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, namespace: shop }
spec:
  template:
    metadata: { labels: { app: api } }
    spec:
      containers:
      - { name: c, image: api, ports: [ { containerPort: 9000 } ], env: [ { name: DB, value: "postgres://db.shop:5432/x" } ] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  template:
    metadata: { labels: { app: db } }
    spec: { containers: [ { name: c, image: "docker.io/library/postgres:16", ports: [ { name: pg, containerPort: 5432 } ] } ] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [ { port: 80, targetPort: http } ] }
---
apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { type: NodePort, selector: { app: api }, ports: [ { port: 9000 } ] }
---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: shop }
spec: { selector: { app: db }, ports: [ { port: 5432 } ] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db-clients, namespace: shop }
spec:
  podSelector: { matchLabels: { app: db } }
  policyTypes: [ Ingress, Egress ]
  ingress:
  - from: [ { podSelector: { matchLabels: { app: api } } } ]
    ports: [ { port: pg } ]
  - from: [ { podSelector: { matchLabels: { app: web } } } ]
    ports: [ { port: 1, endPort: 6000 } ]
END
sed 's/endPort: 6000/endPort: 5000/' cluster.yaml >closed.yaml
reach() {
  "$HOLDFAST" kube reach "$@"
}

fails 0 "a table" reach cluster.yaml
check "... of pairs" grep -q '^shop/api\[Deployment\] *shop/db\[StatefulSet\] *TCP 5432$' out.log
check "... and what was found" grep -q '^high: shop/web\[Deployment\].*shop/db\[StatefulSet\] (TCP 5432)' out.log
check "a need that the environment names is no finding" sh -c '! grep -q "high: shop/api" out.log'
fails 0 "standard input" reach --format json - <cluster.yaml
check "... as JSON" grep -q '"src": "{ingress-controller}", "dst": "shop/web\[Deployment\]", "protocol": "TCP", "ports": \[\[8080, 8080\]\]' out.log
fails 1 "findings fail a gate" reach --findings --fail-on-findings --format json cluster.yaml
check "... with their schema" grep -q '"holdfast/reach-findings/1"' out.log
fails 0 "... which passes where the port is closed" reach --findings --fail-on-findings closed.yaml

fails 1 "the gate is asked whatever is printed" reach --fail-on-findings cluster.yaml
fails 1 "... as JSON too" reach --fail-on-findings --format json cluster.yaml
fails 0 "... and passes" reach --fail-on-findings closed.yaml
fails 2 "a gate of the difference wants one" reach --fail-on-new cluster.yaml
check "... in words" grep -q -- '--fail-on-new goes with --diff' err.log
fails 2 "a port wants a pair" reach --port 80 cluster.yaml
fails 2 "steps want a start" reach --hops 2 --exposure cluster.yaml

cat >selectors.yaml <<'END'
apiVersion: v1
kind: Service
metadata: { name: kubernetes, namespace: default }
spec: { ports: [ { port: 443 } ] }
---
apiVersion: v1
kind: Service
metadata: { name: kubernetes, namespace: shop }
spec: { ports: [ { port: 443 } ] }
END
fails 0 "services without selectors" reach selectors.yaml
check "... are told of, but the API server's own is not" sh -c 'test "$(wc -l <err.log)" = 1 && grep -q "^holdfast: selectors.yaml:6: Service kubernetes" err.log'

fails 2 "two ends outside are no question" reach --explain 1.1.1.1 2.2.2.2 cluster.yaml
fails 2 "nor is what is sent to the ingress controller" reach --explain web ingress-controller cluster.yaml
check "... as is said" grep -q '^holdfast: web -> ingress-controller: nothing decides on it here' err.log

fails 0 "one pair" reach --explain shop/web db --port 5432 cluster.yaml
check "... is open by a rule, with file and line" grep -q 'rule 2 (cluster.yaml:[0-9]*): allows TCP 5432' out.log
fails 0 "one pair and port" reach --explain web db --port 7000/TCP cluster.yaml
check "... is denied" grep -q '^shop/web\[Deployment\] -> shop/db\[StatefulSet\]: denied' out.log
check "... by the policy that selects the server" grep -q 'by default closed' out.log
fails 0 "two pods of one workload" reach --explain web web cluster.yaml
check "... are open to each other" grep -q '^shop/web\[Deployment\] -> shop/web\[Deployment\]: all$' out.log
fails 0 "an address" reach --explain 192.0.2.1 web --format json cluster.yaml
check "... as JSON" grep -q '"default": "open: no policy selects the pods' out.log
fails 2 "an unknown workload" reach --explain nobody web cluster.yaml
fails 2 "no such port" reach --explain web db --port 70000 cluster.yaml

fails 0 "exposure" reach --exposure --format json cluster.yaml
check "... has its schema" grep -q '"holdfast/reach-exposure/1"' out.log
fails 0 "exposure as a table" reach --exposure cluster.yaml
check "... names what leads in" grep -q 'from outside by Service api: TCP 9000' out.log
check "... and the namespace that is open" grep -q '^namespace shop: nothing closes ingress and egress' out.log

fails 0 "lateral movement" reach --from web --hops 1 cluster.yaml
check "... in steps" grep -q '^shop/web\[Deployment\] reaches 2 of 2 other workloads' out.log
fails 0 "lateral movement from a closed pod" reach --from db --format json cluster.yaml
check "... ends at once" grep -q '"reached": \[\]' out.log

fails 0 "two states" "$HOLDFAST" kube diff cluster.yaml closed.yaml --fail-on-new
check "... a change that narrows" grep -q '^changed  shop/web.*shop/db.*TCP 1-6000  =>  TCP 1-5000' out.log
fails 1 "... the other way round it is wider" reach --diff closed.yaml cluster.yaml --fail-on-new --format json
check "... as JSON" grep -q '"change": "changed"' out.log
fails 2 "one state" "$HOLDFAST" kube diff cluster.yaml
fails 2 "an unknown format" reach --format xml cluster.yaml
fails 2 "a picture of one pair" reach --explain web db --format svg cluster.yaml

printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata:' '  name: "a\"];evil[label=\"x\\"' '  namespace: "<script>\e[31m\n&"' 'spec: {}' '---' \
  'apiVersion: v1' 'kind: Pod' 'metadata: { name: b, namespace: c }' 'spec: {}' >inject.yaml
fails 0 "names that inject: a graph" reach --format dot inject.yaml
check "... quotes and backslashes are escaped" grep -qF '/a\"];evil[label=\"x\\[Pod]' out.log
fails 0 "names that inject: a picture" reach --format svg inject.yaml
check "... it is XML, without elements of theirs" python3 -c "
import xml.etree.ElementTree as t
tags = {e.tag.split('}')[1] for e in t.parse('out.log').iter()}
assert tags <= {'svg', 'style', 'defs', 'marker', 'path', 'rect', 'g', 'title', 'text'}, tags"
fails 0 "names that inject: a table" reach inject.yaml
check "... no control bytes" sh -c '! grep -q "$(printf "\033")" out.log'
fails 0 "names that inject: JSON" reach --format json inject.yaml
check "... is JSON, and the name whole" python3 -c "
import json
names = {c['src'] for c in json.load(open('out.log'))['connections']}
assert '<script>\x1b[31m\n&/a\"];evil[label=\"x\\\\[Pod]' in names, names"
finish
