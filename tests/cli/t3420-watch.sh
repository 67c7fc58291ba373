# shellcheck shell=sh
# Events from a record to outputs, and the commands that ask an agent, which here is one that lies.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >event.py <<'END'
import json
chain = [{"pid": 40, "execution": 4, "path": "/usr/sbin/nginx", "arguments": ["nginx", "-g", "daemon off;"]}, {"pid": 1, "path": "/sbin/init"}]
event = {"schema": "holdfast/event/1", "id": "18a2-1", "kind": "exec", "time": "2026-03-01T09:12:44.018273645Z",
         "container": {"id": "ab" * 32, "name": "shop", "image": {"name": "shop:7"}},
         "process": {"pid": 41, "executable": {"path": "/bin/sh"}, "arguments": ["sh", "-i"], "ancestors": chain}}
alert = dict(event, id="18a2-2", kind="alert", alert={
    "rule": "shell-with-terminal", "title": "A shell", "severity": "medium", "reason": "process.name = \u001b[2Jsh", "tags": ["T1059"],
    "event": "18a2-1", "event_kind": "exec"})
for one in event, alert:
    print(json.dumps(one, separators=(",", ":")))
END
python3 event.py >trace

watch() {
  "$HOLDFAST" runtime watch "$@"
}

fails 0 "a record is replayed as it was" watch --replay trace --format json
check "byte by byte" cmp out.log trace
watch --replay - --format json <trace >piped.log
check "also from standard input" cmp piped.log trace
watch --replay trace --record copy >/dev/null
check "what is recorded can be replayed" cmp copy trace
sed -n 1p trace >trace.2
sed -n 2p trace >trace.1
fails 0 "a record that was put aside in parts" watch --replay trace --format json
check "comes with the older ones before it, the oldest first" sh -c 'cat trace.2 trace.1 trace | cmp - out.log'
watch --replay - --format json <trace >piped.log
check "standard input has no parts" cmp piped.log trace
ln -f trace.1 trace.3
fails 0 "a record that is rotated meanwhile" watch --replay trace --format json
check "has each part once" sh -c 'cat trace.2 trace.1 trace | cmp - out.log'
echo x >trace.3.new && mv trace.3.new trace.3
fails 2 "a part that is no record" watch --replay trace
check "is named" grep -q "trace.3: " err.log
rm trace.1 trace.2 trace.3
printf 'x\ny\n' >garbage
fails 2 "nothing but garbage is an error" watch --replay garbage
fails 0 "the table is for people" watch --replay trace
check "with what was run, where" grep -q "^09:12:44.018 shop  *exec  *sh -i$" out.log
check "with the processes that led to an alert" grep -q "^         └ /bin/sh -i$" out.log
check "without control bytes" sh -c '! LC_ALL=C grep -q "[[:cntrl:]]" out.log && grep -qF "\\x1b[2Jsh" out.log'
fails 0 "several outputs, each with its own filter" watch --replay trace --output json=all --output json=alerts,kinds=alert --output table=none,severity=critical,kinds=alert
check "nothing goes to standard output then" sh -c '! test -s out.log'
check "all of it" cmp all trace
sed 1d trace >second
check "alerts alone" cmp alerts second
check "none" sh -c '! test -s none'
echo '{"kind":' | cat trace - >broken
fails 0 "a record that ends in the middle gives what is whole" watch --replay broken --format json
check "all of that" cmp out.log trace
check "and says so" grep -q "holdfast: broken: 1 lines are no events, the first is line 3: " err.log
fails 2 "no record" watch --replay none-there
fails 2 "an unknown output" watch --replay trace --output nowhere
check "is named beside those that there are" grep -q "'nowhere'; there are json, table, syslog, webhook, metrics" err.log
fails 2 "an unknown format" watch --replay trace --format xml
fails 2 "a full disk" watch --replay trace --output json=/dev/full

cat >rule.py <<'END'
import json
event = json.loads(open("trace").readline())
event["process"].update({"terminal": True, "entered": True})
recorded = dict(event, kind="alert", id="old", alert={"rule": "old", "severity": "low"})
for n in range(12):
    print(json.dumps(dict(event, id=f"j-{n}", monotonic_ns=n), separators=(",", ":")))
print(json.dumps(recorded))
END
python3 rule.py >suspicious
fails 0 "a replay can be judged anew" watch --replay suspicious --judge --output json=judged,kinds=alert
cat >judged.py <<'END'
import json
alerts = [json.loads(line)["alert"] for line in open("judged")]
shells = [a for a in alerts if a["rule"] == "shell-with-terminal"]
assert not [a for a in alerts if a["rule"] == "old"], alerts
assert shells[0]["event"] == "j-0" and shells[0]["severity"] == "medium", shells
assert len(shells) < 12 and shells[-1]["count"] == 12, shells
END
check "alerts are those of the rules, grouped" python3 judged.py
fails 0 "or each by itself" watch --replay suspicious --judge --all-alerts --output json=each,kinds=alert
check "twelve" test "$(grep -c shell-with-terminal each)" = 12
cat >exceptions.yaml <<'END'
exceptions:
  - id: operators
    owner: shop
    why: they look after it
    expires: 2026-12-31
    rules: [shell-with-terminal]
    match: container.name = shop
END
fails 0 "without what an exception hides" watch --replay suspicious --judge --exceptions exceptions.yaml --output json=hidden,kinds=alert
check "none is left of it" sh -c '! grep -q shell-with-terminal hidden'
fails 2 "exceptions of a replay that is not judged" watch --replay suspicious --exceptions exceptions.yaml
fails 2 "exceptions that are not there" watch --replay suspicious --judge --exceptions none-there

fails 0 "why: an event with its alert" "$HOLDFAST" runtime why --trace trace 18a2-1
check "its container" grep -q "^  container    shop$" out.log
check "what the rule says" grep -q "^  what to do   " out.log
check "and the exception that would hide it" grep -qF 'rules: [shell-with-terminal]' out.log
check "without control bytes" sh -c '! LC_ALL=C grep -q "[[:cntrl:]]" out.log'
cp out.log by-event.log
fails 0 "why: an alert leads to the same event" "$HOLDFAST" runtime why --trace trace 18a2-2
check "the same" cmp out.log by-event.log
fails 0 "why: as JSON" "$HOLDFAST" runtime why --trace trace --format json 18a2-2
check "with both" python3 -c 'import json; d = json.load(open("out.log")); assert [d["event"]["id"], d["alerts"][0]["id"]] == ["18a2-1", "18a2-2"]'
fails 2 "why: an event that is not there" "$HOLDFAST" runtime why --trace trace 18a2-3
fails 2 "why: of nothing" "$HOLDFAST" runtime why
for command in status top "why 18a2-1"; do
  # shellcheck disable=SC2086
  fails 2 "no agent: $command" "$HOLDFAST" runtime $command --state "$PWD"
  check "says how to start one" grep -q "no agent runs here; 'holdfast runtime watch' starts one" err.log
done

cat >liar.py <<'END'
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind("agent.sock")
server.listen(1)
print("ready", flush=True)
for line in sys.stdin:
    connection, _ = server.accept()
    connection.recv(1000)
    connection.sendall(eval(line))
    connection.close()
END
cat >answers <<'END'
b'{"mode":"\\u001b]0;owned\\u0007","\\u009b2J":1,"list":[{"a\\u001b":"\\u001b[31m","b":[1]},{"c":2}],"deep":{"x":{"y":1}}}'
b'{"list":' + b'[' * 100000
b'\x1b[2J'
b'{"event":{"kind":"exec","process":{"pid":"x"}}}'
b'{"alerts":[{"kind":"alert","alert":{"title":"\\u001b[2J"}}],"event":{"kind":"exec","process":{"name":"\\u009b"}}}'
b'{"list":[' + b'{"a":1},' * 2000 + b'{}]}'
END
mkfifo ready
python3 liar.py <answers >ready &
read -r _ <ready
fails 0 "an answer with control bytes" "$HOLDFAST" runtime status --state .
check "is shown without them" sh -c '! LC_ALL=C grep -q "[[:cntrl:]]" out.log && grep -qF "\\x1b]0;owned" out.log'
fails 2 "an answer that is nested without end" "$HOLDFAST" runtime status --state .
fails 2 "one that is no JSON" "$HOLDFAST" runtime top --state .
fails 2 "an event that is none" "$HOLDFAST" runtime why --state . x
fails 0 "one with control bytes" "$HOLDFAST" runtime why --state . x
check "is shown without them" sh -c '! LC_ALL=C grep -q "[[:cntrl:]]" out.log'
fails 0 "a table of thousands" "$HOLDFAST" runtime top --state .
check "is cut, and says so" grep -q "… and 1745 more" out.log
wait
finish
