#!/bin/sh
# kube policy: policies of one's own, their tests, and what they cannot do.
# shellcheck disable=SC2016
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cases=$HOLDFAST_ROOT/tests/cases/policy
fails 0 "the policies' own tests pass" "$HOLDFAST" kube policy test "$cases"
check "each policy is tested" sh -c '! grep -q "has no test" out.log && grep -q "12 tests: 0 failed" out.log'

cat >pod.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: c
      image: elsewhere/c
END
fails 1 "a policy that denies is a gate" "$HOLDFAST" kube policy --policy "$cases" pod.yaml
check "with the object and its place" grep -q 'deny    high     ORG-001  default/Pod/web (pod.yaml:1): c runs elsewhere/c' out.log
fails 1 "as JSON" "$HOLDFAST" kube policy --policy "$cases" --format json pod.yaml
check "JSON is one document" python3 -c 'import json
said = json.load(open("out.log"))
assert said["schema"] == "holdfast/kube-policy/1"
assert {r["policy"] for r in said["results"]} == {"ORG-001", "ORG-003"}'

one() { # program...
  printf 'policies:\n- id: ONE\n  title: one\n  deny: |\n    %s\n' "$1" >one.yaml
}
one 'null) | env | ('
fails 2 "brackets do not lead out of a policy" "$HOLDFAST" kube policy -p one.yaml pod.yaml
one '$ENV.HOME'
fails 2 "a policy does not see the environment" "$HOLDFAST" kube policy -p one.yaml pod.yaml
one 'env.HOME'
fails 0 "nor by its other name" "$HOLDFAST" kube policy -p one.yaml pod.yaml
check "which gives no verdict, and says so" grep -q '^unknown .*env is not there' out.log
fails 3 "which is no pass with --strict" "$HOLDFAST" kube policy --strict -p one.yaml pod.yaml
one 'import "x" as x; null'
fails 2 "there are no modules" "$HOLDFAST" kube policy -p one.yaml pod.yaml
one '1'
fails 0 "a number is no answer" "$HOLDFAST" kube policy -p one.yaml pod.yaml
check "and gives no verdict" grep -q '^unknown' out.log
one '"a\u001b[31mb"'
fails 1 "a message with an escape sequence" "$HOLDFAST" kube policy -p one.yaml pod.yaml
check "is made harmless" grep -qF 'a\x1b[31mb' out.log
one 'range(infinite) | select(. < 0)'
fails 2 "a program without an end is left out" "$HOLDFAST" kube policy -p one.yaml pod.yaml
check "and named" grep -q 'policy ONE: .*longer than 10 seconds' err.log
printf 'policies:\n- id: A\n  title: a\n  deny: "null"\n  acton: deny\n' >wrong.yaml
fails 2 "an unknown key" "$HOLDFAST" kube policy -p wrong.yaml pod.yaml
check "is named with its line" grep -q "wrong.yaml:5: an unknown key 'acton'" err.log
printf 'policies:\n- id: A\n  title: a\n  check: KSV-99999\n' >wrong.yaml
fails 2 "a check that is not there" "$HOLDFAST" kube policy -p wrong.yaml pod.yaml
echo 'policies: []' >none.yaml
: >empty.yaml
fails 2 "no policy at all" "$HOLDFAST" kube policy -p none.yaml -p empty.yaml pod.yaml
check "is no pass" grep -q '^holdfast: none.yaml: no policy is there, nor in the other files' err.log
fails 2 "nor are no tests of none" "$HOLDFAST" kube policy test empty.yaml

# A selector is asked of all labels, however many there are.
python3 -c 'import json
labels = {f"l{n}": "x" for n in range(20000)} | {"team": "shop"}
print(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "many", "labels": labels}, "spec": {"containers": []}}))' >many.json
printf 'policies:\n- id: A\n  title: all pods of the shop\n  match: {labels: {matchLabels: {team: shop}}}\n  deny: "true"\n' >shop.yaml
fails 1 "twenty thousand labels hide no object from a policy" "$HOLDFAST" kube policy -p shop.yaml many.json
# What a number means stands in all of its digits.
python3 -c 'print("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"n\"},\"low\":1" + "0" * 70 + "e-70,\"high\":0." + "0" * 70 + "7e71}")' >digits.json
printf 'policies:\n- id: A\n  title: numbers of many digits\n  deny: select(.low == 1 and .high == 7)\n  message: as they are\n' >digits.yaml
fails 1 "numbers of many digits are the same in policies" "$HOLDFAST" kube policy -p digits.yaml digits.json
finish
