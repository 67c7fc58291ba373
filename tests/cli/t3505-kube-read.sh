# shellcheck shell=sh
# What every subcommand of kube reads: faults with their places, templates, fields, and all of it in a jail.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

# shellcheck disable=SC2317 # called through check
said() { # exactly these lines on standard error
  printf '%s\n' "$@" >wanted
  cmp wanted err.log
}

cat >broken.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: first}
spec: {containers: [{name: a, image: b, image: c}]}
---
apiVersion: v1
kind: Pod
metadata:
	name: second
---
apiVersion: v1
kind: Pod
metadata: {name: third}
spec: {hostNetwrok: true, containers: [{name: a, image: b}]}
---
apiVersion: v1
kind: Pod
metadata: {name: "\e[2Jred"}
spec: {"\e[31mx": 1, containers: [{name: a, image: b}]}
END
fails 0 "a broken document does not stop the others" "$HOLDFAST" kube pss privileged broken.yaml
check "each fault has its line in the file, and no control bytes" said \
  "holdfast: broken.yaml:4:41: a key that stands here twice: the last one counts" \
  "holdfast: broken.yaml:9:1: tab character may not be used as indentation" \
  "holdfast: broken.yaml:14:8: spec.hostNetwrok: no field of Kubernetes 1.34; is it hostNetwork?" \
  'holdfast: broken.yaml:19:8: spec.\x1b[31mx: no field of Kubernetes 1.34'
fails 3 "with --strict that is a failure" "$HOLDFAST" kube pss privileged --strict broken.yaml
fails 0 "and --quiet is quiet" "$HOLDFAST" kube pss privileged --quiet broken.yaml
check "without a word" test ! -s err.log

printf '{{- if .Values.web }}\napiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n{{- end }}\n---\n{{ include "x" . }}\n' >template.yaml
fails 0 "a template is no manifest" "$HOLDFAST" kube pss privileged template.yaml
check "which is said once" said \
  "holdfast: template.yaml:1:1: a template that was not filled in ({{ … }}): what \`helm template\` makes of it can be read"

printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[]}}\n{"apiVersion":"v1","ki' >cut.json
fails 3 "JSON that is cut off" "$HOLDFAST" kube pss privileged --strict cut.json
check "is told with its place" said "holdfast: cut.json:2:20: ends in a string"

echo 'resources: [a.yaml]' >kustomization.yaml
fails 0 "a kustomization is no manifest" "$HOLDFAST" kube pss privileged kustomization.yaml
check "and who fills it in is named" said \
  "holdfast: kustomization.yaml:1:1: no object of Kubernetes: read what \`kubectl kustomize FOLDER\` makes of it (| holdfast kube … -); its patches are not in the files beside it"

for subcommand in check "pss restricted" reach rbac; do
  # shellcheck disable=SC2086 # pss has a level
  fails 0 "$subcommand of nothing" sh -c "\"$HOLDFAST\" kube $subcommand - </dev/null"
  check "... says that there was nothing" said "holdfast: -: no object of Kubernetes is there"
done
fails 3 "and with --strict that is not all that was asked" sh -c "\"$HOLDFAST\" kube pss restricted --strict - </dev/null"
mkdir bare
fails 0 "a folder without manifests" "$HOLDFAST" kube pss restricted bare
check "is told" said "holdfast: bare: no object of Kubernetes is there"
fails 0 "an empty file beside another one" "$HOLDFAST" kube pss restricted template.yaml bare
check "is not" sh -c '! grep -q "no object" err.log'

printf '\377\376k\000i\000n\000d\000' >wide.yaml
fails 3 "UTF-16 is refused" "$HOLDFAST" kube pss privileged --strict wide.yaml
check "in words" grep -q "UTF-16" err.log

cat >secret.yaml <<'END'
apiVersion: v1
kind: Secret
metadata:
  name: s
  annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter2}
stringData: {password: hunter2}
END
fails 0 "a secret is known by name" "$HOLDFAST" kube check --format json secret.yaml
check "and its value is nowhere" sh -c '! grep -q hunter2 out.log err.log'

"$HOLDFAST" kube pss privileged --require-jail broken.yaml >out.log 2>err.log
case $? in
  0 | 1) check "all of it is read in the jail" grep -q "broken.yaml:9:1" err.log ;;
  *) skip "all of it is read in the jail" "$(tail -1 err.log)" ;;
esac
finish
