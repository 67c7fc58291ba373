#!/bin/sh
# kube check as a table: findings by check, the worst first; where to begin; numbers and words that agree.
# shellcheck disable=SC2016,SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

pod() {
	printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: web}\nspec:\n  containers:\n' "$1"
	printf '  - {name: main, image: "registry.test/%s:1", securityContext: {%s}}\n' "$1" "$2"
}
kube() { "$HOLDFAST" kube "$@"; }

{
	pod one 'capabilities: {drop: [ALL]}'
	pod two 'privileged: true'
	pod three ''
} >pods.yaml
cat >expected <<'END'
critical  HF-K8S-101  A container runs privileged
          web/Pod/two, container main: runs privileged: all capabilities, all devices, no seccomp (pods.yaml:14)
          fix: Set privileged: false and give the few capabilities or devices that the program needs.
medium    HF-K8S-122  A container can open raw sockets (2)
          web/Pod/two, container main: keeps NET_RAW, which runtimes give unasked (pods.yaml:14)
          web/Pod/three, container main: keeps NET_RAW, which runtimes give unasked (pods.yaml:21)
          fix: Drop NET_RAW, or ALL.
3 objects, 2 checks: 3 findings (1 critical, 0 high, 2 medium, 0 low); 0 checks pass, 0 answers need data that is not here
2 of the findings can be mended safely: --fix --dry-run shows how
END
fails 0 "two checks" kube check --checks HF-K8S-122,HF-K8S-101 pods.yaml
check "each is told once, the worst first" diff expected out.log
cat >expected <<'END'
CRITICAL   HIGH MEDIUM    LOW  --fix  OBJECT
       1      0      1      0      1  web/Pod/two
       0      0      1      0      1  web/Pod/three
3 objects, 2 checks: 3 findings (1 critical, 0 high, 2 medium, 0 low); 0 checks pass, 0 answers need data that is not here
2 of the findings can be mended safely: --fix --dry-run shows how
END
fails 0 "a line an object" kube check --summary --checks HF-K8S-122,HF-K8S-101 pods.yaml
check "the worst first" diff expected out.log
fails 0 "one severity" kube check --summary --severity critical --checks HF-K8S-122,HF-K8S-101 pods.yaml
check "is counted alone" grep -q '^3 objects, 2 checks: 1 finding (1 critical, 0 high, 0 medium, 0 low)' out.log
fails 1 "with a gate" kube check --summary --fail-on critical pods.yaml
fails 0 "all checks" kube check pods.yaml
check "say where to begin" grep -q '^Where to begin: --summary' out.log
fails 0 "the same as JSON" kube check --format json pods.yaml
check "holds as many findings, each with its own fix" sh -c 'kube() { "$HOLDFAST" kube "$@"; }; kube check pods.yaml | python3 -c "import json, re, sys
results = [r for r in json.load(open(\"out.log\"))[\"results\"] if r[\"status\"] == \"fail\"]
said = sys.stdin.read()
assert f\" {len(results)} findings \" in said
safe = sum(r.get(\"safe\", False) for r in results)
assert f\"{safe} of the findings can be mended safely\" in said
assert len(re.findall(r\"^ {10}web/\", said, re.M)) == len(results)"'
fails 0 "what is not known" kube check --all --checks HF-K8S-134 pods.yaml
check "has no fix" sh -c 'grep -q "^unknown   HF-K8S-134 .* (3)$" out.log && ! grep -q "fix:" out.log'
fails 2 "a summary is no JSON" kube check --summary --format json pods.yaml
fails 2 "nor a comparison" kube check --summary --compare pods.yaml pods.yaml

fails 0 "all that is mended" kube check --fix-all --checks HF-K8S-122,HF-K8S-123 pods.yaml
check "ALL alone is dropped" test "$(grep -c 'drop: \[ALL\]}' pods.yaml)" = 3
finish
