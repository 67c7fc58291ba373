"""admission_load.py HOLDFAST: TAP. The webhook under clients that mean it ill, on loopback: it keeps answering good reviews."""
import http.client
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
from harness import die_with_parent, main, wait_until  # noqa: E402

HOLDFAST = os.path.abspath(sys.argv[1])
POLICIES = """
policies:
- {id: endless, title: t, match: {namespaces: [endless]}, deny: 'def f: f; f'}
- {id: wide, title: t, match: {namespaces: [wide]}, deny: '.spec.containers[].name'}
"""
CONNECTIONS = 10000


def review(namespace="web", **spec):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "a"}], **spec}}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": "CREATE", "namespace": namespace, "object": pod}})


def ended(c):
    poll = select.poll()
    poll.register(c, select.POLLIN)
    return poll.poll(0)


class Server:
    def __init__(self, folder, policies=POLICIES, more=()):
        self.folder, self.more = folder, more
        (folder / "s.yaml").write_text("pod_security: {enforce: baseline}\n")
        (folder / "p.yaml").write_text(policies)
        self.log = open(folder / "log", "wb")
        self.context = ssl._create_unverified_context()
        for _ in range(5):  # another program may take the port in between
            self.start(folder)
            wait_until(lambda: self.child.poll() is not None or self.listens())
            if self.child.poll() is None:
                break
        assert self.child.poll() is None, (folder / "log").read_text()

    def start(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.child = subprocess.Popen(
            [HOLDFAST, "kube", "admission", "serve", "--config", folder / "s.yaml", "-p", folder / "p.yaml", "--workers", "2", "--deadline-ms", "10000",
             "--listen", f"127.0.0.1:{self.port}", "--certificates", folder / "pki", "--name", "127.0.0.1",
             "--decisions", folder / "decisions", "--decisions-mib", "1", *self.more],
            stderr=self.log, preexec_fn=lambda: die_with_parent(signal.SIGKILL))

    def listens(self):
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=self.context)

    def tls(self):
        return self.context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)))

    def get(self, path):
        connection = self.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def post(self, body, path="/validate", method="POST"):
        connection = self.connect()
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def answers(self):
        status, text = self.post(review())
        assert status == 200 and json.loads(text)["response"]["allowed"], (status, text)
        status, text = self.post(review(hostPID=True))
        assert status == 200 and not json.loads(text)["response"]["allowed"], (status, text)

    def rss(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.child.pid}/status").read_text())[1]) * 1024


def malformed(s):
    """What is no review is refused, what is too large too, and others are served"""
    for body in ("", "{", "null", "[]", "x" * 1000, "\0" * 1000, '{"a":' * 5000, review()[:-1], json.dumps({"kind": "AdmissionReview"})):
        assert s.post(body)[0] == 400, body[:50]
    assert s.post("x" * (9 << 20))[0] == 413
    assert s.post(review(), path="/else")[0] == 404 and s.post(None, method="GET")[0] == 405
    s.answers()


def garbage(s):
    """Bytes that are no TLS, TLS that is no HTTP, and requests that end in the middle"""
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"a" * 4000, os.urandom(2000), b""):
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.sendall(data)
    for data in (b"\r\n\r\n", b"POST /validate HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"A" * 100000,
                 b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", b"POST /validate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        with s.context.wrap_socket(socket.create_connection(("127.0.0.1", s.port))) as c:
            try:
                c.sendall(data)
            except OSError:
                pass  # it was let go already
    s.answers()


def slow(s):
    """Slow writers and readers are let go, and others are served meanwhile"""
    slow = []
    for n in range(50):
        slow.append(s.context.wrap_socket(socket.create_connection(("127.0.0.1", s.port))))
        slow[-1].sendall([b"POST /val", b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{"][n % 2])
    s.answers()
    wait_until(lambda: all(ended(c) for c in slow), what="their end")
    for c in slow:
        c.close()


def trickling(s):
    """Who sends a byte from time to time is let go too: in the handshake, the headers and the body"""
    bare = socket.create_connection(("127.0.0.1", s.port))
    drops = [(bare, b"\x16\x03\x01\x20\x00" + b"\x01" * 4000), (s.tls(), b"POST /validate HTTP/1.1\r\nX: " + b"a" * 4000),
             (s.tls(), b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b" " * 4000)]
    for c, data in drops:
        c.sendall(data[:70] if c is not bare else data[:5])
    sent = [70, 70, 70]

    def gone():
        for n, (c, data) in enumerate(drops):
            try:
                c.sendall(data[sent[n]:sent[n] + 1])
            except OSError:
                pass
            sent[n] += 1
        time.sleep(1)
        return all(ended(c) for c, _ in drops)
    wait_until(gone, what="their end")
    for c, _ in drops:
        c.close()
    s.answers()


def one_peer(s):
    """One address has a share of the connections, and others are answered meanwhile"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    share = min(16384, hard - 256) // 4
    if hard < CONNECTIONS + 1000:
        return f"only {hard} descriptors"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CONNECTIONS + 1000), hard))
    open_ones = [socket.create_connection(("127.0.0.1", s.port), timeout=120, source_address=("127.0.0.99", 0)) for _ in range(share + 100)]
    wait_until(lambda: sum(bool(ended(c)) for c in open_ones) >= 100, what="the end of those that are too many")
    s.answers()
    for c in open_ones:
        c.close()


def numbered(uid, **more):
    text = json.loads(review(**more))
    text["request"]["uid"] = uid
    return json.dumps(text)


def uids(*files):
    return [json.loads(line)["uid"] for file in files for line in file.read_text().splitlines()]


def rotation(s):
    """--decisions-mib: the file becomes FILE.1 when it is full, and each line is in one of them"""
    file, before, n = s.folder / "decisions", s.folder / "decisions.1", 0
    while not before.exists():
        many = [{"name": f"{c}".rjust(900, "c"), "image": "a"} for c in range(50)]
        assert s.post(numbered(f"r{n}", namespace="wide", containers=many))[0] == 200 and n < 500
        n += 1
    assert 1 << 20 < before.stat().st_size < (1 << 20) + (128 << 10)
    assert s.post(numbered("last"))[0] == 200
    assert uids(before, file) == [f"r{k}" for k in range(n)] + ["last"]


def reopened(s):
    """SIGHUP under load: a file that was moved away is opened anew, and no line is lost"""
    file, posted, moved = s.folder / "decisions", [], []
    file.unlink()
    s.child.send_signal(signal.SIGHUP)
    wait_until(file.exists, what="the new file")
    stop = threading.Event()

    def post(which):
        connection, n = s.connect(), 0
        while not stop.is_set():
            connection.request("POST", "/validate", numbered(f"{which}-{n}"))
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read()
            posted.append(f"{which}-{n}")
            n += 1
    threads = [threading.Thread(target=post, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for n in range(5):
        enough = len(posted) + 50
        wait_until(lambda enough=enough: len(posted) > enough, what="reviews")
        moved.append(file.rename(s.folder / f"moved{n}"))
        s.child.send_signal(signal.SIGHUP)
        wait_until(file.exists, what="the new file")
    stop.set()
    for thread in threads:
        thread.join()
    assert sorted(uids(*moved, file)) == sorted(posted), (len(uids(*moved, file)), len(posted))
    assert int(re.search(r"not_recorded_total (\d+)", s.get("/metrics")[1])[1]) == 0


def endless(s):
    """Judges that hang are replaced: a policy that does not end is its own on_error, or the review is refused in time"""
    answers, begun = [], time.monotonic()
    threads = [threading.Thread(target=lambda: answers.append(s.post(review("endless")))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    for status, text in answers:
        assert status == 500 or (status == 200 and not json.loads(text)["response"]["allowed"] and "[endless] gives no verdict" in text), (status, text)
    assert time.monotonic() - begun < 120
    s.answers()
    assert int(re.search(r"workers_replaced_total (\d+)", s.get("/metrics")[1])[1]) >= 2


def many(s):
    """10,000 open connections: good reviews are answered, and memory stays within bounds"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 1000:
        return f"only {hard} descriptors"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CONNECTIONS + 1000), hard))
    before, open_ones = s.rss(), []
    for n in range(CONNECTIONS):
        c = socket.create_connection(("127.0.0.1", s.port), source_address=(f"127.0.0.{2 + n * 5 // CONNECTIONS}", 0), timeout=120)
        c.sendall(b"\x16\x03")  # a TLS record begins
        open_ones.append(c)
        if n % 2500 == 0:
            s.answers()
    alive = sum(not ended(c) for c in open_ones[-100:])
    s.answers()
    size = s.rss()
    print(f"# {CONNECTIONS} connections, {(size - before) / 2**20:.0f} MiB more, {alive} of the last 100 are open")
    assert alive > 50 and size - before < 1 << 30
    for c in open_ones:
        c.close()
    s.answers()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(pathlib.Path(scratch))
        try:
            failed = main([rotation, reopened, malformed, garbage, slow, trickling, endless, one_peer, many], server)
            server.child.terminate()
            assert server.child.wait(120) == 0
        finally:
            if server.child.poll() is None:
                server.child.kill()
    raise SystemExit(failed)
