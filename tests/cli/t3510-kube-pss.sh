# shellcheck shell=sh
# kube pss: lines, exit status, the options, and what cannot be understood.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

# shellcheck disable=SC2317 # called through check
printed() { # exactly these lines
  printf '%s\n' "$@" >wanted
  cmp wanted out.log
}

cat >web.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  hostNetwork: yes
  containers:
  - name: front
    image: front:1
    securityContext: {privileged: true, capabilities: {add: [NET_ADMIN]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: tight}
spec:
  template:
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      initContainers:
      - name: first
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      containers:
      - name: then
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
---
apiVersion: v1
kind: Service
metadata: {name: none-of-it}
END

fails 1 "a pod fails and a deployment passes" "$HOLDFAST" kube pss baseline web.yaml
check "a line each, in their order" printed 'fail shop/Pod/web capabilities_baseline,hostNamespaces,privileged' 'pass default/Deployment/tight'
fails 1 "restricted has more to say" "$HOLDFAST" kube pss restricted:latest web.yaml
check "with another control in place of capabilities_baseline" printed \
  'fail shop/Pod/web hostNamespaces,privileged,allowPrivilegeEscalation,capabilities_restricted,runAsNonRoot,seccompProfile_restricted' 'pass default/Deployment/tight'
fails 1 "an old version, without its v" "$HOLDFAST" kube pss restricted:1.7 web.yaml
check "has fewer controls" printed 'fail shop/Pod/web capabilities_baseline,hostNamespaces,privileged,runAsNonRoot' 'pass default/Deployment/tight'
fails 0 "nothing fails privileged" "$HOLDFAST" kube pss privileged:v1.20 web.yaml
fails 1 "a version of the future is the latest" "$HOLDFAST" kube pss baseline:v1.999 - <web.yaml

fails 1 "explained" "$HOLDFAST" kube pss baseline --explain web.yaml
check "with control, container, place and remedy" grep -q '^    privileged: .*spec\.containers\[0\]\.securityContext\.privileged is true, container front (web\.yaml:9)\. To pass: ' out.log
# shellcheck disable=SC2016 # expanded by the inner shell
check "what passes is not" sh -c '[ "$(grep -c "^  " out.log)" = 3 ]'

fails 1 "as JSON" "$HOLDFAST" kube pss restricted:v1.25 --format json web.yaml
cat >read.py <<'END'
import json
r = json.load(open("out.log"))
web, tight = r["documents"]
assert r["schema"] == "holdfast/pss/1" and r["summary"] == {"objects": 2, "passed": 1, "failed": 1} and r["unparsed"] == []
assert (web["level"], web["version"], web["allowed"], tight["allowed"], tight["controls"]) == ("restricted", "v1.25", False, True, [])
assert web["object"]["kind"] == "Pod" and web["object"]["namespace"] == "shop" and web["object"]["line"] == 1
by_id = {c["id"]: c for c in web["controls"]}
assert list(by_id)[0] == "hostNamespaces" and all(c["reason"] and c["fix"] and c["fields"] for c in web["controls"])
assert by_id["hostNamespaces"]["fields"] == [{"path": "spec.hostNetwork", "line": 5, "state": "forbidden", "value": True}]
assert {f["state"] for f in by_id["runAsNonRoot"]["fields"]} == {"missing"}
END
check "every part is there" python3 read.py

cat >labels.yaml <<'END'
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: privileged, pod-security.kubernetes.io/warn: baseline, pod-security.kubernetes.io/warn-version: v1.20}}
---
apiVersion: v1
kind: Namespace
metadata: {name: odd, labels: {pod-security.kubernetes.io/enforce: tight}}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: odd}
spec: {containers: [{name: a}]}
END
fails 1 "at the level of their namespaces" "$HOLDFAST" kube pss baseline --from-labels web.yaml labels.yaml
check "a label that is no level is restricted, none at all the level given" printed 'pass shop/Pod/web' 'pass default/Deployment/tight' \
  'fail odd/Pod/plain allowPrivilegeEscalation,capabilities_restricted,runAsNonRoot,seccompProfile_restricted'
check "and it is told" grep -q '^holdfast: labels.yaml:7: Namespace odd: ' err.log
fails 3 "which --strict minds" "$HOLDFAST" kube pss privileged --strict --from-labels --exempt namespace:odd labels.yaml web.yaml
fails 1 "at the level that they warn of" "$HOLDFAST" kube pss privileged --from-labels=warn web.yaml labels.yaml
check "with its version" grep -q '^fail shop/Pod/web capabilities_baseline,' out.log
fails 0 "what is exempt passes" "$HOLDFAST" kube pss baseline --exempt namespace:shop web.yaml
fails 1 "others do not" "$HOLDFAST" kube pss baseline --exempt namespace:sho,runtime-class:shop web.yaml

cat >odd.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: quoted}
spec:
  containers:
  - name: a
    securityContext: {privileged: "false"}
  - just text
---
apiVersion: v1
kind: ReplicationController
metadata: {name: "no\e[31mtemplate"}
END
fails 1 "a value that is not of its type" "$HOLDFAST" kube pss baseline odd.yaml
check "fails the controls that read it, and no others" grep -qx 'fail default/Pod/quoted appArmorProfile,capabilities_baseline,hostPorts,hostProbesAndHostLifecycle,privileged,procMount,seLinuxOptions,seccompProfile_baseline,windowsHostProcess' out.log
check "and the field is told" grep -q '^holdfast: odd\.yaml:7:.*privileged' err.log
check "no template is an empty one" grep -qxF 'pass default/ReplicationController/no\x1b[31mtemplate' out.log
check "which is told" grep -q 'no pod template' err.log

mkdir hub edge
cp web.yaml hub
cp web.yaml edge
fails 1 "of several clusters" "$HOLDFAST" kube pss baseline --cluster hub=hub --cluster edge=edge
check "each line has its cluster" printed 'fail hub/shop/Pod/web capabilities_baseline,hostNamespaces,privileged' 'pass hub/default/Deployment/tight' \
  'fail edge/shop/Pod/web capabilities_baseline,hostNamespaces,privileged' 'pass edge/default/Deployment/tight'
fails 1 "of one cluster" "$HOLDFAST" kube pss baseline --cluster hub=hub
check "it has none" printed 'fail shop/Pod/web capabilities_baseline,hostNamespaces,privileged' 'pass default/Deployment/tight'

fails 2 "a level that there is not" "$HOLDFAST" kube pss strict web.yaml
fails 2 "no level" "$HOLDFAST" kube pss
fails 2 "no target" "$HOLDFAST" kube pss baseline
for version in v2.0 1.x v1.01 v1. '' v1.-1 v1.2.3 v1.99999999999999999999; do
  fails 2 "\"$version\" is no version" "$HOLDFAST" kube pss "baseline:$version" web.yaml
done
fails 2 "an exemption of a kind that there is not" "$HOLDFAST" kube pss baseline --exempt shop web.yaml
fails 2 "a mode that there is not" "$HOLDFAST" kube pss baseline --from-labels=all web.yaml
fails 2 "a format that there is not" "$HOLDFAST" kube pss baseline --format xml web.yaml
fails 2 "a file that is not there" "$HOLDFAST" kube pss baseline nowhere.yaml
finish
