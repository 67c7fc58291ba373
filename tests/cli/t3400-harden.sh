# shellcheck shell=sh
# runtime harden: the difference, the files, and what it refuses.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

# shellcheck disable=SC2317 # called through check
value() { # python expression over the document `r`
  python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); p=r["difference"]; h={x["name"]: x for x in r["hardenings"]}; sys.exit(not ('"$2"'))' "$1"
}

scenarios="$HOLDFAST_ROOT/tests/cases/harden_scenarios"

fails 0 "a trace and a grant" "$HOLDFAST" runtime harden --replay "$scenarios/whole/trace.jsonl" --grant "$scenarios/whole/grant.json" --write made --format json
cp out.log whole.json
check "twelve of fourteen capabilities are to go" value whole.json 'len(p["capabilities"]["unused"]) == 12 and "CAP_SETUID" not in p["capabilities"]["unused"]'
check "a secret that is not read is to go" value whole.json 'p["secrets"]["unused"] == ["/run/secrets/token"]'
check "what cannot be known is not an empty list" value whole.json 'p["rbac_verbs"]["state"] == "not_assessable" and "unused" not in p["rbac_verbs"] and "needs" in p["rbac_verbs"]["reason"]'
check "what docker inspect does not say is not made up" value whole.json 'p["syscalls"]["state"] == "not_assessable" and "config.json" in p["syscalls"]["reason"]'
check "each file is there and is what the document says" value whole.json 'len(h) == 8 and all(open("made/" + x["file"]).read() == x["text"] for x in h.values())'
check "the profile is JSON that denies by default" python3 -c 'import json; p = json.load(open("made/seccomp.json")); assert p["defaultAction"] == "SCMP_ACT_ERRNO"'
check "nothing is called tried that was not" value whole.json 'all(x["checked"].startswith(("not ", "checked by parser only")) for x in h.values())'

# shellcheck disable=SC2016 # expanded by the inner shell
fails 0 "the same as a table, from standard input" sh -c '"$1" runtime harden --replay - --grant "$2/grant.json" <"$2/trace.jsonl"' - "$HOLDFAST" "$scenarios/whole"
check "it says what is granted, used and to be taken away" grep -q '^Capabilities: 14 granted, 2 used, 12 to take away$' out.log
check "it says what it cannot know" grep -q '^RBAC verbs: not assessable: needs ' out.log
check "without --write nothing is written, and it says so" grep -q -e '--write DIR' out.log

fails 0 "without system calls in the trace" "$HOLDFAST" runtime harden --replay "$scenarios/default_sensor/trace.jsonl" --write no-calls --format json
cp out.log default.json
check "there is no seccomp profile, with the reason" value default.json '"--deep" in h["seccomp"]["refused"]'
check "and no file of it" test ! -e no-calls/seccomp.json
check "nor do the options name one" sh -c '! grep -q seccomp no-calls/docker-run.args'

fails 0 "a trace that began after the container" "$HOLDFAST" runtime harden --replay "$scenarios/late_trace/trace.jsonl" --format json
cp out.log late.json
check "takes nothing away" value late.json 'all("refused" in x for x in h.values()) and "start" in h["capabilities"]["refused"]'

fails 0 "names that try to break out" "$HOLDFAST" runtime harden --replay "$scenarios/hostile_names/trace.jsonl" --write hostile
check "are in no file" sh -c '! grep -rq "evil\|CAP_SYS_ADMIN" hostile'

printf 'version: 1\n' >broken.yaml
fails 2 "a profile that is none" "$HOLDFAST" runtime harden --profile broken.yaml
check "is named" grep -q '^holdfast: broken.yaml: ' err.log
fails 2 "a container that is not in the trace" "$HOLDFAST" runtime harden --replay "$scenarios/whole/trace.jsonl" --container other
check "is named too" grep -q 'no event of container other' err.log
fails 2 "a trace that is not there" "$HOLDFAST" runtime harden --replay nowhere
fails 2 "a grant that is none" "$HOLDFAST" runtime harden --replay "$scenarios/whole/trace.jsonl" --grant "$scenarios/whole/trace.jsonl"
fails 2 "no time" "$HOLDFAST" runtime harden --for never
fails 2 "a format that there is not" "$HOLDFAST" runtime harden --replay x --format yaml
fails 2 "a folder that cannot be made" "$HOLDFAST" runtime harden --replay "$scenarios/whole/trace.jsonl" --write /proc/none
finish
