# shellcheck shell=sh
# kube …: manifests that try to hide something, or to lead a reader astray.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/cli/lib.sh
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

cat >many.py <<'END'
import json
pod = lambda name: {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [
    {"name": "c", "image": "i", "ports": [{"name": "p%d" % k, "containerPort": k} for k in range(2001, 2100)]}]}}
policy = lambda name, rules: {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name},
                              "spec": {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": rules}}
client = [{"podSelector": {"matchLabels": {"app": "client"}}}]
blocks = [{"ipBlock": {"cidr": "10.%d.0.0/16" % k, "except": ["10.%d.7.0/24" % k]}} for k in range(100)]
items = [pod("client"), pod("server"),
         policy("by-rule", [{"from": client, "ports": [{"port": k}]} for k in range(400, 0, -1)]),
         policy("in-one", [{"from": client, "ports": [{"port": k, "protocol": "UDP"} for k in range(1, 800, 2)]}]),
         policy("by-name", [{"from": client, "ports": [{"port": "p%d" % k} for k in range(2050, 2001, -1)]}]),
         policy("blocks", [{"from": blocks, "ports": [{"port": 443}]}])]
json.dump({"apiVersion": "v1", "kind": "List", "items": items}, open("many.json", "w"))
END
cat >expected.py <<'END'
import json
said = {(c["src"], c["protocol"]): c["ports"] for c in json.load(open("out.log"))["connections"] if c["dst"] == "default/server[Pod]"}
assert said.pop(("default/client[Pod]", "TCP")) == [[1, 400], [2002, 2050]]
assert said.pop(("default/client[Pod]", "UDP")) == [[k, k] for k in range(1, 800, 2)]
assert len(said) == 200 and all(v == [[443, 443]] for v in said.values())
assert ("10.5.0.0-10.5.6.255", "TCP") in said and ("10.5.8.0-10.5.255.255", "TCP") in said
END
python3 many.py
fails 0 "many rules, ports, names and blocks" "$HOLDFAST" kube reach --format json many.json
check "are each counted" python3 expected.py

mkdir folder
mkfifo folder/pipe.yaml
cp turned.yaml folder/pod.yaml
fails 3 "a pipe among manifests" "$HOLDFAST" kube pss baseline --strict folder
check "is named" grep -q "folder/pipe.yaml: no regular file" err.log
closed() { "$HOLDFAST" kube "$@" >&-; }
fails 2 "a closed standard output is no place for a result" closed pss baseline turned.yaml
fails 0 "but none is needed beside a file" closed pss baseline -o whole.txt turned.yaml
check "which is there" test -s whole.txt

mkdir home
echo 'def select(x): empty;' >home/.jq
printf 'policies:\n- id: ONE\n  title: one\n  deny: select(true) | "no"\n' >one.yaml
at_home() { HOME=$PWD/home "$HOLDFAST" kube policy "$@" -p one.yaml turned.yaml; }
fails 1 "a ~/.jq does not change what a policy says" at_home
fails 1 "nor without the jail" at_home --no-jail
finish
