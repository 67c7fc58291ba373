#!/usr/bin/env python3
"""sinks.py SINK_FEED: outputs beside servers of the test's own on loopback that are well, slow, failing, refusing or gone: what they got
is what was handed over, what they did not get is counted, memory is bounded, and nobody hangs. TAP."""
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

FEED = sys.argv[1]
SEEN = {"count": 0, "failed": 0}


def check(title, ok, *what):
    SEEN["count"] += 1
    print(f"{'ok' if ok else 'not ok'} {SEEN['count']} - {title}", flush=True)
    if not ok:
        SEEN["failed"] += 1
        for one in what:
            for line in str(one).split("\n")[:40]:
                print(f"# {line}")


def alert(n, **more):
    event = {"schema": "holdfast/event/1", "id": f"b-{n}", "kind": "alert", "time": "2026-03-01T09:12:44.018273645Z", "monotonic_ns": n,
             "container": {"name": "shop", "image": {"name": "shop:7"}}, "process": {"executable": {"path": "/bin/sh"}},
             "alert": {"rule": "shell", "title": "A shell runs", "severity": "high"}}
    event.update(more)
    return event


def lines(events):
    return "".join(json.dumps(e, separators=(",", ":"), ensure_ascii=False) + "\n" for e in events).encode()


def feed(events, *arguments, seconds=300):
    """(exit status, standard error, {output: {counter: n}})"""
    done = subprocess.run([FEED, *arguments], input=lines(events), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, check=False)
    text = done.stderr.decode()
    outputs = {}
    for hit in re.finditer(r"^output (\w+) (.*)$", text, re.MULTILINE):
        outputs[hit[1]] = {k: int(v) for k, v in (pair.split("=") for pair in hit[2].split())}
    return done.returncode, text, outputs


def held(enough, serve, *arguments):
    """feed() of ten alerts that are held until enough(standard error, counters, server) has come true; a machine that is slow is given more time.
    serve() makes a server for each try; the last one is given back too."""
    for hold in (1500, 10000, 60000):
        web = serve()
        status, text, counts = feed([alert(n) for n in range(10)], "--hold", str(hold), "--close", "500", *(a.replace("URL", web.url) for a in arguments))
        web.close()
        if enough(text, counts, web):
            break
    return status, text, counts, web


class Web:
    """An HTTP server; answers(n) gives the status of the n-th request, or None to never answer."""

    def __init__(self, answers):
        self.bodies, self.headers = [], []
        self.stop = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = answers(len(outer.bodies))
                outer.bodies.append((status, body))
                outer.headers.append(dict(self.headers))
                if status is None:
                    outer.stop.wait(120)
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self):
        self.stop.set()
        self.server.shutdown()
        self.server.server_close()

    def events(self):
        return [e for status, body in self.bodies if status == 200 for e in json.loads(body)]


class Deaf:
    """An address that is taken, and where nobody listens."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"

    def close(self):
        self.socket.close()


def webhook(folder):
    secret = os.path.join(folder, "header")
    with open(secret, "w", encoding="ascii") as f:
        f.write("Authorization: Bearer very-secret\n\nX-Team: shop\n")
    web = Web(lambda n: 200)
    sent = [alert(n) for n in range(1200)]
    status, text, _ = feed(sent, "--close", "120000", f"webhook={web.url},header={secret}")
    check("a webhook gets every event once and in order", status == 0 and web.events() == sent, text, len(web.events()))
    check("in batches of at most 500", len(web.bodies) < 200 and max(len(json.loads(b)) for _, b in web.bodies) <= 500)
    check("with the type and the headers of the file",
          all(h.get("Content-Type") == "application/json" and h.get("Authorization") == "Bearer very-secret" and h.get("X-Team") == "shop"
              for h in web.headers), web.headers[:1])
    web.close()

    web = Web(lambda n: 503 if n < 2 else 200)
    sent = [alert(n) for n in range(10)]
    status, text, _ = feed(sent, "--close", "120000", f"webhook={web.url}")
    got = web.events()
    check("one that fails for a while gets all in the end", status == 0 and [e for e in got if e["kind"] == "alert"] == sent, text)
    web.close()

    status, text, counts, web = held(lambda text, counts, _: counts["webhook"]["undeliverable"] == 10 and "the answer was" in text, lambda: Web(lambda n: 400),
                                     "webhook=URL,kinds=alert")
    check("what is refused is not sent again, and is counted", counts["webhook"]["undeliverable"] == 10 and len(web.bodies) <= 2, text)
    check("and noted without the URL's path", "the answer was 400" in text and "/hook" not in text, text)

    web = Web(lambda n: None)
    begin = time.monotonic()
    status, text, counts = feed(sent, "--repeat", "2000", "--close", "1000", f"webhook={web.url},queue=64k,kinds=alert")
    check("and nobody waits for it at the end", time.monotonic() - begin < 100)
    one = counts["webhook"]
    reached = lambda: sum(len(json.loads(b)) for _, b in web.bodies)
    left = one["put"] - one["queue_full"] - one["undeliverable"] - one["waiting"]
    deadline = time.monotonic() + 120
    while reached() < left and time.monotonic() < deadline:
        time.sleep(0.02)  # it was sent, and is still to be read
    check("one that never answers costs bounded memory", one["put"] == 20000 and one["queue_full"] > 10000 and
          one["bytes"] <= 4 * (128 << 10), text)
    check("what it has not got is waiting or counted", reached() == left, text, [len(b) for _, b in web.bodies])
    web.close()

    status, text, counts, _ = held(lambda text, *_: "note: output webhook" in text, Deaf, "webhook=URL,kinds=alert")
    check("where nobody listens it is noted once, and nothing is lost while it is tried again",
          text.count("note: output webhook") == 1 and counts["webhook"]["undeliverable"] == 0 and status == 0, text)
    for bad in ("webhook", "webhook=ftp://x/", f"webhook={web.url},header=/no/file", f"webhook={web.url},colour=red"):
        check(f"refused: {bad.replace(web.url, 'URL')}", feed([], bad)[0] == 2)


MESSAGE = re.compile(r"<(\d+)>1 (\S+) (\S+) holdfast (\d+) (\w+) \[holdfast@32473((?: \w+=\"(?:[^\"\\\]]|\\.)*\")*)\] \ufeff(.*)", re.DOTALL)


def parameters(text):
    return {k: re.sub(r"\\(.)", r"\1", v) for k, v in re.findall(r" (\w+)=\"((?:[^\"\\\]]|\\.)*)\"", text)}


def check_message(title, message):
    hit = MESSAGE.fullmatch(message.decode())
    ok = hit and hit[1] == str(16 * 8 + 3) and hit[2] == "2026-03-01T09:12:44.018273Z" and hit[5] == "alert"
    check(f"{title}: header", ok, message)
    values = parameters(hit[6]) if hit else {}
    check(f"{title}: structured data", values.get("rule") == "shell" and values.get("container") == 'a"]\\b\\x0a' and
          values.get("executable") == "/bin/sh", message)
    check(f"{title}: text", hit and hit[7] == 'a"]\\b\\x0a high shell: A shell runs', message)


def stream_messages(data):
    """messages by octet counting, RFC 6587 section 3.4.1"""
    found = []
    while data:
        size, _, data = data.partition(b" ")
        found.append(data[: int(size)])
        data = data[int(size):]
    return found


def syslog(folder):
    odd = alert(1, container={"name": 'a"]\\b\n'})
    path = os.path.join(folder, "log")
    local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    local.bind(path)
    local.settimeout(120)
    feed([odd], f"syslog=unix:{path}")
    check_message("a unix socket", local.recv(65536))
    local.close()

    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(120)
    port = udp.getsockname()[1]
    feed([odd], f"syslog=udp://127.0.0.1:{port}")
    check_message("UDP", udp.recv(65536))
    long = alert(2, alert={"rule": "shell", "title": "\u00e9" * 20000, "severity": "low"})
    feed([long], f"syslog=udp://127.0.0.1:{port}")
    message = udp.recv(65536)
    check("a long message is cut between characters", len(message) <= 8192 and message.decode().endswith("…"), len(message))
    udp.close()
    status, text, counts = feed([alert(n) for n in range(50)], "--hold", "500", f"syslog=udp://127.0.0.1:{port},kinds=alert")
    check("a closed port: what was refused is counted", status == 0 and counts["syslog"]["undeliverable"] > 0, text)

    tcp = socket.create_server(("127.0.0.1", 0))
    received = []

    def serve():
        for turn in range(2):
            connection, _ = tcp.accept()
            connection.settimeout(120)
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
                if turn == 0 and all(len(m) > 9 for m in stream_messages(data)):
                    break
            connection.close()
            received.append(data)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    process = subprocess.Popen([FEED, "--close", "120000", f"syslog=tcp://127.0.0.1:{tcp.getsockname()[1]},kinds=alert"],
                               stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdin.write(lines([odd]))
    process.stdin.flush()
    deadline = time.monotonic() + 120
    while not received and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    process.stdin.write(lines([alert(n) for n in range(20)]))
    process.stdin.close()
    process.wait(120)
    server.join(120)
    check_message("TCP", stream_messages(received[0])[0])
    rest = [MESSAGE.fullmatch(m.decode()) for m in stream_messages(received[1])] if len(received) > 1 else []
    check("a server that hangs up is connected again and misses nothing after that",
          [parameters(m[6])["id"] for m in rest if m] == [f"b-{n}" for n in range(20)], received)
    tcp.close()

    stuck = socket.create_server(("127.0.0.1", 0))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    begin = time.monotonic()
    status, text, counts = feed([alert(n) for n in range(100)], "--repeat", "500", "--close", "500",
                                f"syslog=tcp://127.0.0.1:{stuck.getsockname()[1]},queue=64k,kinds=alert")
    check("a server that does not read costs bounded memory and holds nobody up",
          counts["syslog"]["bytes"] <= 4 * (128 << 10) and counts["syslog"]["queue_full"] > 0 and time.monotonic() - begin < 100, text)
    stuck.close()
    for bad in ("syslog=udp://", "syslog=udp://x:0", "syslog=tcp://[::1", "syslog=log", "syslog=udp://x:99999"):
        check(f"refused: {bad}", feed([], bad)[0] == 2)


def page(port, path="/metrics", method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.]+)')


def alerts(text):
    return sum(float(n) for n in re.findall(r"^holdfast_alerts_total\{.*\} (\d+)$", text, re.MULTILINE))


def metrics():
    rules = [alert(n, alert={"rule": f"rule-{n}", "severity": "low", "title": "x"}) for n in range(400)]
    for _ in range(5):  # another program may take the port in between
        free = socket.create_server(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        process = subprocess.Popen([FEED, "--containers", "300", "--hold", "900000", f"metrics={port}", "json=/dev/null"],
                                   stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        text = ""
        try:
            process.stdin.write(lines([alert(0)] * 3 + rules))
            process.stdin.close()
        except BrokenPipeError:
            process.stdin = None
        for _ in range(1200):
            if process.poll() is not None or 'seen_total{kind="exec"' in text and alerts(text) >= 403:
                break
            time.sleep(0.1)
            try:
                text = page(port)[1]
            except OSError:
                pass
        if process.poll() is None:
            break
    samples = {}
    wrong = []
    for line in text.split("\n"):
        hit = SAMPLE.fullmatch(line)
        if hit:
            key = (hit[1], hit[2] or "")
            wrong += [line] if key in samples else []
            samples[key] = float(hit[3])
        elif line and not re.match(r"# (HELP|TYPE) holdfast_\w+ .+", line):
            wrong.append(line)
    check("the page is what Prometheus reads, each series once", samples and not wrong, "\n".join(wrong), text[:400])
    by = lambda name, part: [v for (n, labels), v in samples.items() if n == "holdfast_" + name and part in labels]
    check("alerts by rule and severity", by("alerts_total", 'severity="high",rule="shell"') == [3.0])
    check("rules are bounded, none is lost", len(by("alerts_total", "")) <= 258 and sum(by("alerts_total", "")) == 403)
    seen = by("events_seen_total", "")
    check("containers are bounded, none is lost", len(seen) == 128 and sum(seen) == 1800, len(seen), sum(seen))
    check("seen = known + delivered + dropped", sum(seen) == sum(by("events_known_total", "")) + sum(by("events_delivered_total", "")) +
          sum(by("events_dropped_total", "")))
    check("labels of containers are escaped", bool(by("events_seen_total", 'container="box-0 \\"\\\\\\\\x0a"')),
          [k for k in samples if "box-0" in k[1]])
    check("hooks and their state", by("hook_up", 'sees="executions"') == [1.0] and by("hook_up", 'sees="libraries"') == [0.0])
    check("outputs, their queue and what they lost", by("output_up", 'output="json"') == [1.0] and
          len(by("output_dropped_total", 'output="json"')) == 2 and len(by("output_queue_bytes", "")) == 2)
    check("what the agent costs", by("agent_resident_bytes", "")[0] > 0 and len(by("agent_cpu_seconds_total", "")) == 1)
    check("other paths and methods are refused", page(port, "/")[0] == 404 and page(port, "/metrics", "DELETE")[0] == 405)
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    for one in crowd:
        one.close()
    check("a crowd that says nothing does not end it", page(port)[0] == 200)
    check("a port that is taken is refused", feed([], f"metrics={port}")[0] == 2)
    process.kill()
    process.wait()
    for bad in ("metrics=0.0.0.0:0", "metrics=[::]:0", "metrics=192.0.2.1:9464", "metrics=localhost:1", "metrics=x", "metrics=70000",
                "metrics=0,remote=maybe"):
        check(f"refused: {bad}", feed([], bad)[0] == 2)
    check("all addresses only where that is asked for", feed([], "metrics=0.0.0.0:0,remote=yes")[0] == 0)


def pipes():
    sent = [alert(n) for n in range(1000)]
    done = subprocess.run([FEED, "--wait", "json"], input=lines(sent), stdout=subprocess.PIPE, check=False, timeout=300)
    check("standard output gets the lines as they are", done.stdout == lines(sent))
    process = subprocess.Popen([FEED, "--repeat", "50", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    try:
        process.stdin.write(lines(sent))
        process.stdin.close()
    except BrokenPipeError:
        pass
    process.stdin = None
    text = process.stderr.read().decode()
    process.wait(120)
    check("a reader of standard output that goes ends it", process.returncode == 1 and "nobody reads any more" in text, text)
    full = subprocess.run([FEED, "json=/dev/full"], input=lines(sent[:1]), stderr=subprocess.PIPE, check=False, timeout=300)
    check("a disk that is full is an error that is told", full.returncode == 1 and b"No space left" in full.stderr, full.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        pipes()
        webhook(folder)
        syslog(folder)
        metrics()
    print(f"1..{SEEN['count']}")
    return SEEN["failed"] > 0


sys.exit(main())
