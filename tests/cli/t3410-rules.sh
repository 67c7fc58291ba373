#!/bin/sh
# runtime rules: list, lint, test and replay over events made here.
# shellcheck disable=SC2016
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

event() { # command second
  printf '{"schema":"holdfast/event/1","id":"e-%s","kind":"exec","monotonic_ns":%s000000000,"container":{"id":"c1","name":"db","image":{"name":"db:9"}},' "$2" "$2"
  printf '"process":{"name":"sh","executable":{"path":"/bin/sh","drift":"image"},"arguments":["sh","-c","%s"],"parent":{"path":"/usr/bin/postgres"}}}\n' "$1"
}

fails 0 "the built-in rules have no lint" "$HOLDFAST" runtime rules lint
"$HOLDFAST" runtime rules list --format markdown >list.md
check "docs/rules-list.md is what list prints" sh -c 'tail -n +5 "$HOLDFAST_ROOT/docs/rules-list.md" | diff -u - list.md'
fails 0 "one rule is shown in full" "$HOLDFAST" runtime rules list shell-of-database
check "with its condition" grep -q 'process.parent.path named \$databases' out.log
fails 0 "the list as JSON lines" "$HOLDFAST" runtime rules list --format json
check "each line is an object" python3 -c 'import json, sys
ids = [json.loads(line)["id"] for line in open("out.log")]
assert len(ids) > 100 and len(ids) == len(set(ids))'
fails 2 "a rule that is not there" "$HOLDFAST" runtime rules list no-such-rule
fails 2 "a verb that is not there" "$HOLDFAST" runtime rules show
fails 2 "a replay of nothing" "$HOLDFAST" runtime rules replay

{ event id 1; event id 2; event "backup run" 3; } >trace.jsonl
fails 0 "events are tried" "$HOLDFAST" runtime rules test trace.jsonl
check "and the rule is named with its reason" grep -q 'shell-of-database (high): .*process.parent.path=/usr/bin/postgres' out.log
fails 0 "a trace is replayed" "$HOLDFAST" runtime rules replay trace.jsonl
check "a repeat is counted, not shown" sh -c '[ "$(grep -c "\"rule\":\"shell-of-database\"" out.log)" = 2 ] && grep -q "\"count\":3" out.log'
fails 0 "all of it on demand" "$HOLDFAST" runtime rules replay --all trace.jsonl
check "three alerts" sh -c '[ "$(wc -l <out.log)" = 3 ]'

cat >exceptions.yaml <<'END'
exceptions:
  - id: backup
    owner: storage
    why: nightly
    expires: 2030-12-31
    rules: [shell-of-database]
    match: process.arguments any startswith "backup "
END
fails 0 "an exception hides" "$HOLDFAST" runtime rules replay --exceptions exceptions.yaml trace.jsonl
check "one alert of three, and says so" grep -q 'exception backup: active, hid 1 alerts, would have hidden 1$' err.log
fails 0 "an expired one does not" "$HOLDFAST" runtime rules replay --exceptions exceptions.yaml --today 2031-01-01 trace.jsonl
check "and is called so" grep -q 'exception backup: expired, hid 0 alerts, would have hidden 1$' err.log

mkdir more
cat >more/own.yaml <<'END'
rules:
  - {id: shell-of-database, enabled: false}
  - id: own
    title: Mine
    description: d
    severity: low
    tags: [T1059]
    kinds: [exec]
    condition: procss.name = sh
END
fails 3 "a rule with a fault is told and left out, the rest works" "$HOLDFAST" runtime rules replay --rules more trace.jsonl
check "with file, line and the nearest name" grep -q "more/own.yaml:9: error: rule own: condition, line 1, column 1: 'procss.name' is no field and no macro; nearest is 'process.name'" err.log
check "a replaced rule is told" grep -q 'more/own.yaml:2: replaced: rule shell-of-database' err.log
check "and is off" sh -c '! grep -q shell-of-database out.log'
fails 1 "lint fails for it" "$HOLDFAST" runtime rules lint --rules more
fails 2 "a folder that is not there" "$HOLDFAST" runtime rules list --rules nowhere
echo 'no event' >>trace.jsonl
fails 3 "a line that is no event is told" "$HOLDFAST" runtime rules test trace.jsonl
check "with its number" grep -q 'trace.jsonl:4: error' err.log
finish
