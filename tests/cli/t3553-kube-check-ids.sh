#!/bin/sh
# kube check --checks and check: of a policy: ids of other catalogues as people write them.
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >web.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: web, image: registry.test/web, securityContext: {privileged: true}}
END

asked() {
	"$HOLDFAST" kube check --format json --checks "$1" web.yaml | grep -o '"id": *"HF-K8S-[0-9]*"' | grep -o '[0-9]*"' | sort -u | tr -d '\n"'
}

for id in HF-K8S-101 hf-k8s-101 privileged-container KSV-0017 KSV017 KSV-017 ksv-17 AVD-KSV-0017 CKV_K8S_16 ckv-k8s-16 C-0057 c-57; do
	check "$id is the check of privileged containers" test "$(asked $id)" = 101
done
check "an id that several bear asks them all" test "$(asked KSV013)" = 201202
check "so does one without its catalogue" test "$(asked 5.2.2)" = "$(asked CIS-5.2.2)"
check "and a technique" test "$(asked T1525)" = "$(asked MITRE-T1525)"
check "zeros within a number count" test "$(asked KSV-01010)" = 305306
for id in KSV-0001x KSV C CKV_K8S - 5.2 KSV-0 KSV-0170 17 ''; do
	fails 2 "'$id' is none" "$HOLDFAST" kube check --checks "$id," web.yaml
done
cat >policies.yaml <<'END'
policies:
- {id: tagged, title: images have tags, check: KSV013}
END
fails 1 "a policy of such an id" "$HOLDFAST" kube policy --policy policies.yaml web.yaml
check "finds what any of its checks finds" grep -q tagged out.log
finish
