# shellcheck shell=sh
# The jail: a parser that was taken over gets nothing, and what kills a worker costs one file.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

# shellcheck disable=SC2317 # called through check
value() { # python expression over the report `r`
  python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); sys.exit(not ('"$2"'))' "$1"
}

attempts="open write connect exec fork kill ptrace code crash abort stack dumpable openat2 owner descriptors shout fill"
[ -n "$HOLDFAST_SANITIZED" ] || attempts="$attempts memory" # a sanitizer's own memory is over any limit
rm -f /tmp/holdfast-hostile
for attempt in $attempts; do
  mkdir -p "root-$attempt/hostile" "root-$attempt/usr/lib/python3/dist-packages/good-1.0.dist-info"
  echo x >"root-$attempt/hostile/$attempt"
  printf 'Metadata-Version: 2.1\nName: good\nVersion: 1.0\n' >"root-$attempt/usr/lib/python3/dist-packages/good-1.0.dist-info/METADATA"
  fails 0 "$attempt: the scan comes to its end" "$HOLDFAST_HOSTILE" sbom --format json -o "$attempt.json" "dir:root-$attempt" 9>left-open
  check "$attempt: the attempt got nothing" value "$attempt.json" 'not any("got-" in p["name"] for p in r["packages"])'
  check "$attempt: the rest is reported" value "$attempt.json" 'any(p["name"] == "good" for p in r["packages"])'
done
check "nothing was written outside" test ! -e /tmp/holdfast-hostile

"$HOLDFAST_HOSTILE" sbom --format json dir:root-shout >shout.out 2>shout.err
check "what a worker says reaches the user without its control bytes" grep -q '^\\x1b]0;title\\x07shouted$' shout.err
fails 1 "and not among the result" grep -q shouted shout.out

for attempt in connect exec fork crash abort stack owner fill; do
  check "$attempt: the file is named as not understood" value "$attempt.json" \
    'any(u["path"] == "hostile/'$attempt'" and "reading it" in u["reason"] for u in r["unparsed"])'
done
check "a forbidden call is named as such" value exec.json 'any("forbidden system call" in u["reason"] for u in r["unparsed"])'
fails 3 "with --strict that is exit 3" "$HOLDFAST_HOSTILE" sbom --strict --format json dir:root-crash

mkdir many
for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p "many/$i/hostile" && echo x >"many/$i/hostile/crash"; done
fails 2 "more killers than restarts: not done, and said so" "$HOLDFAST_HOSTILE" sbom --format json dir:many
cp err.log many.log
check "the message names the reason" grep -q "gave up after 8 restarts" many.log

# Killed from outside at random points: each file is in the report or named as unparsed.
mkdir -p slow/slow
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir -p "slow/slow/p$i" && echo x >"slow/slow/p$i/sleep"; done
for round in 1 2 3; do
  "$HOLDFAST_HOSTILE" sbom --format json -o "slow-$round.json" dir:slow 2>/dev/null &
  parent=$!
  for _ in 1 2 3; do
    sleep "0.$((round * 13 % 7 + 1))"
    child=$(cat "/proc/$parent/task/$parent/children" 2>/dev/null)
    # shellcheck disable=SC2086
    [ -n "$child" ] && kill -9 $child 2>/dev/null
  done
  fails 0 "round $round: a worker killed three times still comes to an end" wait $parent
  check "round $round: no file is missing" value "slow-$round.json" \
    'len(r["packages"]) + len(r["unparsed"]) == 12'
done

abi=$(python3 -c 'import ctypes; print(ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1))')
if [ "$abi" -gt 0 ]; then
  fails 0 "--require-jail goes on where the kernel has all of it" "$HOLDFAST" sbom --require-jail --format json dir:root-open
else
  fails 2 "--require-jail refuses where the kernel has no Landlock" "$HOLDFAST" sbom --require-jail --format json dir:root-open
fi
finish
