# shellcheck shell=sh
# kube netpol: proposals from manifests and from recorded flows, and what kube reach makes of them.
# shellcheck disable=SC2016,SC2129
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

workload() { # kind name namespace port env
  cat <<END
---
apiVersion: apps/v1
kind: $1
metadata: { name: $2, namespace: $3 }
spec:
  selector: { matchLabels: { app: $2 } }
  template:
    metadata: { labels: { app: $2, version: "3" } }
    spec:
      containers:
      - { name: main, image: $2, ports: [ { name: main, containerPort: $4 } ], env: [ { name: PEER, value: "$5" } ] }
---
apiVersion: v1
kind: Service
metadata: { name: $2, namespace: $3 }
spec: { selector: { app: $2 }, ports: [ { port: 80, targetPort: main } ] }
END
}
workload Deployment web shop 8080 "http://api:80/" >cluster.yaml
workload Deployment api shop 9000 "mysql://u:p@db.data.svc.cluster.local:3306, https://pay.example.com/v1" >>cluster.yaml
workload StatefulSet db data 3306 "" >>cluster.yaml
workload Deployment idle shop 7000 "webapi apis" >>cluster.yaml
cat >>cluster.yaml <<'END'
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
END

pairs() { # manifests...: connections as lines, without addresses and the wildcard of ALL
  "$HOLDFAST" kube reach --quiet --format json "$@" | python3 -c "
import json, sys
for c in json.load(sys.stdin)['connections']:
    print(c['src'], c['dst'], c['protocol'], *('%d-%d' % tuple(p) for p in c.get('ports', [])))"
}

fails 0 "policies from manifests" "$HOLDFAST" kube netpol cluster.yaml
cp out.log policies.yaml
check "... with the result of the proof" grep -q '^# Proved: [1-9][0-9]* connections were tried' policies.yaml
check "... one a workload" sh -c 'test "$(grep -c "^kind: NetworkPolicy" policies.yaml)" = 4'
pairs cluster.yaml policies.yaml >after.txt
cat >wanted.txt <<'END'
shop/web[Deployment] shop/api[Deployment] TCP 9000-9000
shop/api[Deployment] data/db[StatefulSet] TCP 3306-3306
{ingress-controller} shop/web[Deployment] TCP 8080-8080
END
grep -v '^shop/api\[Deployment\] [0-9]' after.txt | sort >got.txt
sort -o wanted.txt wanted.txt
check "... that keep what is named, and nothing else" diff wanted.txt got.txt
check "... a host outside is reached at its port" grep -q '^shop/api\[Deployment\] 8.*\|^shop/api\[Deployment\] 11.0.0.0-100.63.255.255 TCP 443-443$' after.txt
check "... but not at private addresses" sh -c '! grep -q "^shop/api\[Deployment\] 10\." after.txt'

# Names that lead nowhere here are told, not closed in silence; an address is opened as it is written.
workload Deployment lost shop 7100 "tcp://10.20.30.40:6379 queue:5672 http://mail.data audit.gone.svc pg.example.org:5432 127.0.0.1:1 12:30 db.data" >lost.yaml
sed -n '/kind: StatefulSet/,$p' cluster.yaml | sed '1s/^/apiVersion: apps\/v1\n/' >>lost.yaml
printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata: { name: data }\n' >>lost.yaml
fails 0 "names that no Service has" "$HOLDFAST" kube netpol lost.yaml
for name in queue mail.data audit.gone.svc; do
  check "... $name is told" grep -q "^# shop/lost\[Deployment\]: it names $name, and no Service here is called so" out.log
done
check "... and no more than those" sh -c 'test "$(grep -c "it names" out.log)" = 3'
cp out.log lost-policies.yaml
pairs lost.yaml lost-policies.yaml | grep '^shop/lost' >got.txt
check "... an address is reached at its port" grep -q '^shop/lost\[Deployment\] 10.20.30.40-10.20.30.40 TCP 6379-6379$' got.txt
check "... a host with a port needs no scheme" grep -q '^shop/lost\[Deployment\] 11.0.0.0-100.63.255.255 TCP 5432-5432$' got.txt
check "... the node itself is no host outside" sh -c '! grep -q " 127" got.txt'

# What is not looked through to its end is told.
workload Deployment many shop 7200 "$(seq 5000 | sed 's/.*/q&:1/' | tr '\n' ' ')" >many.yaml
fails 0 "more names than are kept" "$HOLDFAST" kube netpol many.yaml
check "... is told" grep -q '^# shop/many\[Deployment\]: it names more than is looked through' out.log
check "... and so is that not each of them is" grep -q '^# there is more of this kind than is told here' out.log
workload Deployment long shop 7300 "$(head -c 300000 /dev/zero | tr '\0' x) queue:5672" >long.yaml
fails 0 "a longer text than is looked through" "$HOLDFAST" kube netpol long.yaml
check "... is told too" grep -q '^# shop/long\[Deployment\]: it names more than is looked through' out.log
check "... and nothing is told of what is looked through" sh -c '! grep -q "more than is looked through" policies.yaml'

# Two workloads that their labels do not tell apart: no policy can, so both may do what either needs.
sed 's/name: idle/name: twin/' cluster.yaml | sed 's/app: idle/app: api/g' >twins.yaml
fails 0 "workloads that share their labels" "$HOLDFAST" kube netpol twins.yaml
check "... are told" grep -q '^# shop/api\[Deployment\] and shop/twin\[Deployment\]: their labels do not tell them apart' out.log
cp out.log twin-policies.yaml
pairs twins.yaml twin-policies.yaml | grep -v '\] [0-9]' | sort >got.txt
cat >twins.txt <<'END'
shop/api[Deployment] data/db[StatefulSet] TCP 3306-3306
shop/twin[Deployment] data/db[StatefulSet] TCP 3306-3306
shop/web[Deployment] shop/api[Deployment] TCP 7000-7000 9000-9000
shop/web[Deployment] shop/twin[Deployment] TCP 7000-7000 9000-9000
{ingress-controller} shop/web[Deployment] TCP 8080-8080
END
check "... and each may do what the other needs" diff twins.txt got.txt

cat >operator.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reads-all, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
subjects: [ { kind: ServiceAccount, name: default }, { kind: ServiceAccount, name: default, namespace: elsewhere } ]
END
fails 0 "a workload that may ask the API server" "$HOLDFAST" kube netpol cluster.yaml operator.yaml
check "... is told that it could not any more" grep -q '^# shop/web\[Deployment\]: RoleBinding reads-all lets its account ask the API server' out.log
check "... and only such a one" sh -c '! grep -q "^# data/db.*API server" out.log'

cat >flows.json <<'END'
{ "schema": "holdfast/flows/1", "workloads": [ ], "flows": [
  { "client": { "workload": "shop/Deployment/idle" }, "server": { "workload": "data/StatefulSet/db" }, "protocol": "tcp", "port": 3306 },
  { "client": { "addresses": [ { "address": "192.0.2.9", "count": 2 } ] }, "server": { "workload": "shop/Deployment/web" }, "protocol": "udp", "port": 8443, "port_last": 8445 },
  { "client": { "workload": "shop/Deployment/gone" }, "server": { "workload": "shop/Deployment/web" }, "protocol": "tcp", "port": 1 } ] }
END
fails 0 "policies from flows" "$HOLDFAST" kube netpol --flows flows.json cluster.yaml
cp out.log from-flows.yaml
check "... tell of flows of others" grep -q '^# flows of shop/Deployment/gone: it is not among the manifests' from-flows.yaml
pairs cluster.yaml from-flows.yaml | sort >got.txt
cat >wanted.txt <<'END'
192.0.2.9-192.0.2.9 shop/web[Deployment] UDP 8443-8445
shop/idle[Deployment] data/db[StatefulSet] TCP 3306-3306
END
check "... keep the flows and nothing else" diff wanted.txt got.txt
echo '{ "schema": "other" }' >other.json
fails 2 "no flows" "$HOLDFAST" kube netpol --flows other.json cluster.yaml
check "... says what writes them" grep -q 'runtime flows --format json' err.log
fails 2 "no workloads" sh -c "echo '{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"x\"}}' | \"$HOLDFAST\" kube netpol -"
finish
