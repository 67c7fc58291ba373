# shellcheck shell=sh
# What goes to standard error: --quiet, --verbose and --log-format are taken by every command, anywhere, and every line obeys them.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

# shellcheck disable=SC2317 # it is called, by check
json_lines() { # FILE LEVELS: each line is an object of JSON with a level and a message, and of printable ASCII or UTF-8 alone
  python3 - "$1" "$2" <<'END'
import json, sys
lines = open(sys.argv[1], encoding="utf-8", newline="\n").read().split("\n")
assert lines.pop() == "", "the last line has no end"
seen = []
for line in lines:
    assert line.isprintable(), line
    o = json.loads(line)
    assert o["message"] and set(o) <= {"level", "command", "source", "line", "column", "message", "see"}, o
    seen.append(o["level"])
assert sorted(set(seen)) == sys.argv[2].split(), seen
END
}

commands() { # what `holdfast HELP` lists
  "$HOLDFAST" "$@" | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

for command in $(commands --help); do
  case $command in
  kube | runtime) "$HOLDFAST" "$command" --help | sed -n "s/^  \([a-z]*\)  .*/$command \1/p" ;;
  db) printf 'db %s\n' build status search update ;;
  plumbing) printf 'plumbing %s\n' compare match purl kube-object ;;
  *) echo "$command" ;;
  esac
done >leaves
check "there are many commands" test "$(wc -l <leaves)" -ge 25
while read -r command; do
  # shellcheck disable=SC2086 # two words
  "$HOLDFAST" $command --help >help.log 2>&1
  for option in --quiet --verbose --log-format; do
    check "$command --help tells of $option" grep -q -- "$option" help.log
  done
  # shellcheck disable=SC2086
  fails 2 "$command takes them" "$HOLDFAST" $command --log-format json --quiet --verbose --no-such-option
  grep -v '^{"level":"debug",' err.log >errors.log
  check "$command: errors are JSON" json_lines errors.log error
  check "$command: and name the option, or what may stand there" grep -q -e no-such-option -e serve -e "there are" -e "there is --format" err.log
done <leaves

fails 2 "before the command too" "$HOLDFAST" --log-format=json --quiet scan no-such-file
check "whose name stands in the line" grep -q '"command": *"scan"' err.log
fails 2 "a format that is none" "$HOLDFAST" scan --log-format xml .
check "is told" grep -q "^holdfast: --log-format is text or json, not 'xml'$" err.log
fails 2 "and one that is missing" "$HOLDFAST" scan . --log-format
check "too" grep -q "^holdfast: --log-format needs a value" err.log
fails 2 "no command at all" "$HOLDFAST" --log-format json
check "is an error of JSON" json_lines err.log error
fails 2 "behind -- they are operands" "$HOLDFAST" scan -- --quiet
check "as are others" grep -q -- "--quiet" err.log

printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\u202eb\\u0007"}\nspec: {containers: [{name: c, image: i, nonsense: 1}]}\n---\n{broken\n' >broken.yaml
fails 0 "notes are lines of text" "$HOLDFAST" kube pss privileged broken.yaml
check "with the place" grep -q '^holdfast: broken.yaml:[0-9]*:[0-9]*: ' err.log
fails 0 "notes of a jailed worker are JSON" "$HOLDFAST" kube pss privileged broken.yaml --log-format json
check "all of them" json_lines err.log warning
check "with the place" grep -q '"source": *"broken.yaml", *"line": *[0-9]' err.log
fails 0 "and without the jail" "$HOLDFAST" kube pss privileged broken.yaml --log-format json --no-jail
check "the same" json_lines err.log warning
fails 0 "--quiet leaves them out" "$HOLDFAST" kube pss privileged broken.yaml --quiet
check "all" test ! -s err.log
fails 2 "but never an error" "$HOLDFAST" kube pss privileged --quiet missing.yaml
check "which is there" grep -q '^holdfast: missing.yaml: No such file or directory$' err.log

python3 - <<'END'
with open("many.yaml", "w") as f:
    for i in range(120):
        f.write(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\nnonsense: 1\n---\n")
END
fails 0 "many notes are cut" "$HOLDFAST" kube pss privileged many.yaml
check "which is said" grep -q '^holdfast: … and 70 more such notes' err.log
fails 0 "--verbose shows all" "$HOLDFAST" kube pss privileged many.yaml --verbose
check "of them" test "$(grep -c '^holdfast: many.yaml:[0-9]*:[0-9]*: ' err.log)" = 120

check "what was read" grep -q '^holdfast: many.yaml: [0-9]* bytes$' err.log
check "what is in it" grep -q '^holdfast: 120 objects: 120 ConfigMap; 120 notes' err.log
check "and how long each step took" test "$(grep -c '^holdfast: .* took [0-9.]* s$' err.log)" = 3
fails 0 "in JSON too" "$HOLDFAST" kube pss privileged many.yaml --verbose --log-format json
check "all of it" json_lines err.log "debug warning"
python3 - <<'END'
with open("many.yaml", "w") as f:
    for i in range(2000):
        f.write(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\nnonsense: 1\n---\n")
END
fails 0 "--verbose shows thousands" "$HOLDFAST" kube pss privileged many.yaml --verbose
check "of them" test "$(grep -c '^holdfast: many.yaml:[0-9]*:[0-9]*: ' err.log)" = 2000

# Standard input that does not fit; a program with sanitizers does not start with so little.
# shellcheck disable=SC2016 # the inner shell expands it
little='ulimit -v 100000; ulimit -c 0; head -c 400M /dev/zero | "$HOLDFAST"'
if sh -c "$little --version" >/dev/null 2>&1; then
  fails 134 "memory that is not there" sh -c "$little kube pss privileged -"
  check "is told" grep -qx "holdfast: out of memory" err.log
  fails 134 "in JSON" sh -c "$little kube pss privileged - --log-format json"
  check "too" grep -qx '{"level":"error","message":"out of memory"}' err.log
else
  skip "memory that is not there is told" "holdfast does not start in 100 MB of addresses"
fi

mkdir -p root/etc
fails 0 "a scan in JSON says its notes in JSON" "$HOLDFAST" scan root --fail-on secret --log-format json --format json
check "a warning" json_lines err.log warning
fails 0 "and --quiet says none" "$HOLDFAST" scan root --fail-on secret --quiet
check "at all" test ! -s err.log
finish
