# shellcheck shell=sh
# Configuration: defaults of options from files and the environment, later wins, and what a project's file must not do.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"
user=$HOME/.config/holdfast/holdfast.yaml
mkdir -p "${user%/*}" work
unset XDG_CONFIG_HOME
cd work || exit 1
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}\n' >pod.yaml

"$HOLDFAST" kube check --format json pod.yaml >plain.json 2>err.log
fails 0 "nothing is set" "$HOLDFAST" config show
check "which is said of every key" test "$(grep -c ' not set$' out.log)" = "$(grep -c '^HF_CONFIG(' "$HOLDFAST_ROOT/src/cmd/config.def")"

echo 'format: json' >"$user"
fails 0 "the user's file" "$HOLDFAST" kube check pod.yaml
check "is the option" cmp plain.json out.log
fails 0 "and is shown" "$HOLDFAST" config show
check "with its place" grep -q "^format  *json  *$user:1$" out.log
fails 0 "an option wins" "$HOLDFAST" kube check --format sarif pod.yaml
check "over it" grep -q '"version": "2.1.0"' out.log
fails 0 "so does its short name" "$HOLDFAST" kube check -f sarif pod.yaml
check "over it" grep -q '"version": "2.1.0"' out.log
printf '# the project\n\nformat: sarif\nfail_on: high\n' >.holdfast.yaml
fails 1 "a project's gate and format" "$HOLDFAST" kube check pod.yaml
check "hold" grep -q '"version": "2.1.0"' out.log
fails 0 "where a command has no such format" "$HOLDFAST" kube pss privileged pod.yaml
check "it has its own" grep -q '^pass ' out.log
HOLDFAST_FORMAT=json
export HOLDFAST_FORMAT
fails 1 "the environment wins over files" "$HOLDFAST" kube check pod.yaml
check "of all" cmp plain.json out.log
fails 0 "which is shown" "$HOLDFAST" config show --format json
check "in JSON" python3 -c '
import json
c = json.load(open("out.log"))
assert c["schema"] == "holdfast/config/1"
assert [(s["key"], s["value"], s["origin"]) for s in c["settings"]] == [
  ("format", "json", "HOLDFAST_FORMAT"), ("fail_on", "high", "./.holdfast.yaml:4")], c'
unset HOLDFAST_FORMAT

printf 'fail_on: [low, kev]\n' >"$user"
echo 'fail_on: critical' >.holdfast.yaml
fails 0 "a project adds gates" "$HOLDFAST" config show
check "and takes none away" test "$(grep -c '^fail_on ' out.log)" = 3
fails 1 "so that the user's hold" "$HOLDFAST" kube check pod.yaml
fails 1 "an option replaces all of them" "$HOLDFAST" kube check --fail-on critical pod.yaml
HOLDFAST_FAIL_ON=medium,critical fails 0 "and so does the environment" "$HOLDFAST" config show
check "with a list" test "$(grep -c '^fail_on .*HOLDFAST_FAIL_ON$' out.log)" = 2

refused() { # TITLE TEXT-OF-THE-PROJECT'S-FILE PATTERN
  printf '%s\n' "$2" >.holdfast.yaml
  fails 2 "$1" "$HOLDFAST" kube check pod.yaml
  check "$1: told" grep -q -- "$3" err.log
  check "$1: nothing is printed" test ! -s out.log
}
for key in severity only_fixed db platform registry kubeconfig context quiet; do
  refused "a project must not set $key" "$key: true" "^holdfast: ./.holdfast.yaml:1: a project's file must not set $key"
done
refused "nor switch a flag off" "strict: false" "1: a project's file can only switch strict on"
refused "an unknown key names the nearest" "
formt: json" "^holdfast: ./.holdfast.yaml:2: there is no key 'formt'; the nearest is format"
refused "one far from all is unknown too" "no_jail_at_all_please: true" "there is no key 'no_jail_at_all_please' ("
refused "a value that no command takes" "fail_on: hihg" "no command takes 'hihg' as fail_on"
refused "a flag that is none" "strict: perhaps" "strict is true or false, not 'perhaps'"
refused "no number" "jobs: many" "jobs is a number from 1 to"
refused "no mapping" "[format]" "no mapping of keys"
refused "broken YAML" "{format" "^holdfast: ./.holdfast.yaml: line "
refused "control bytes" 'format: "a\u001bb"' 'no command takes .a\\x1bb. as format'
printf 'x: %70000s\n' y >.holdfast.yaml
fails 2 "a file that is too long" "$HOLDFAST" kube check pod.yaml
rm .holdfast.yaml
ln -s "$user" .holdfast.yaml
fails 2 "a link" "$HOLDFAST" kube check pod.yaml
rm .holdfast.yaml
mkfifo .holdfast.yaml
fails 2 "a pipe" "$HOLDFAST" kube check pod.yaml
rm .holdfast.yaml

HOLDFAST_FORMT=json fails 2 "a variable that is nearly a key" "$HOLDFAST" kube check pod.yaml
check "is told" grep -q "^holdfast: HOLDFAST_FORMT: there is no key 'formt'; the nearest is format$" err.log
HOLDFAST_SERVICE_HOST=10.0.0.1 HOLDFAST_PORT=tcp://10.0.0.1:80 HOLDFAST_FORMAT='' fails 1 "others' and empty ones are none" "$HOLDFAST" kube check pod.yaml
printf 'quiet: true\nstrict: true\n' >"$user"
printf 'kind: Pod\napiVersion: v1\nmetadata: {name: p}\nnonsense: 1\n' >odd.yaml
fails 3 "flags of the user's file" "$HOLDFAST" kube pss privileged odd.yaml
check "hold, --quiet too" test ! -s err.log
HOLDFAST_STRICT=false HOLDFAST_QUIET=false fails 0 "the environment takes them back" "$HOLDFAST" kube pss privileged odd.yaml
check "all" grep -q nonsense err.log
echo 'log_format: json' >"$user"
fails 2 "errors are written as the file asks for" "$HOLDFAST" kube check missing.yaml
check "in JSON" grep -q '^{"level":' err.log
fails 2 "but for the option" "$HOLDFAST" kube check missing.yaml --log-format text
check "in text" grep -q '^holdfast: missing.yaml' err.log
printf 'broken: 1\n' >"$user"
fails 0 "--help needs no configuration" "$HOLDFAST" kube check --help
fails 0 "nor do completions" "$HOLDFAST" completion bash
XDG_CONFIG_HOME=$PWD fails 0 "XDG_CONFIG_HOME is another place" "$HOLDFAST" kube check pod.yaml
finish
