"""kube_client.py KUBE_CLIENT_DUMP HOLDFAST: TAP. The client of clusters beside a server that misbehaves, on loopback."""
import gzip
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / "kube"), str(pathlib.Path(__file__).resolve().parent / "lib")]
from fake_api import Fake, status  # noqa: E402
from harness import main, wait_until  # noqa: E402

DUMP, HOLDFAST = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
if not shutil.which("openssl"):
    print("1..0 # SKIP no openssl")
    sys.exit(0)
QUICK = ("--wait-ms", "20")
DENIED, FORMAT, LIMIT, UNSUPPORTED, MISSING = "error -992", "error -998", "error -997", "error -996", "error -995"


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KUBE") and not k.lower().endswith("_proxy")}
    return {**kept, **more}


def dump(kubeconfig, *args, code=0, input="", env=None, timeout=300):
    head = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    done = subprocess.run([DUMP, *head, *map(str, args)], input=input, capture_output=True, text=True, timeout=timeout,
                          env=env or environment())
    assert code is None or done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def pods(first, n, version="7", resume=None, size=10):
    items = [{"metadata": {"name": f"p{i}", "namespace": "shop", "resourceVersion": str(i)}, "x": "y" * size} for i in range(first, first + n)]
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version, **({"continue": resume} if resume else {})},
            "items": items}


def event(type, name, version, **metadata):
    return {"type": type, "object": {"kind": "Pod", "metadata": {"name": name, "namespace": "shop", "resourceVersion": version, **metadata}}}


def bookmark(version, end=False):
    return event("BOOKMARK", "", version, **({"annotations": {"k8s.io/initial-events-end": "true"}} if end else {}))


def gone(message="too old"):
    return {"type": "ERROR", "object": status(410, "Expired", message)[1]}


class Watch:
    """A running `watch`, whose lines are waited for."""

    def __init__(self, kubeconfig, *args):
        self.child = subprocess.Popen([DUMP, "--kubeconfig", kubeconfig, *QUICK, *args, "watch", "-", "v1", "pods"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, env=environment())
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, line):
        wait_until(lambda: line in self.lines or self.child.poll() is not None, what=line)
        assert line in self.lines, self.lines

    def end(self):
        """All lines but the counts, and the counts."""
        self.child.stdin.close()
        self.child.wait(120)
        self.reader.join()
        counts = dict(pair.split("=") for pair in self.lines[-1].split()[1:])
        return self.lines[:-1], {k: int(v) for k, v in counts.items()}


# ---- who one is ----

def token_and_headers():
    """A bearer token, impersonation and one connection for several requests; the namespace of the context"""
    with Fake(lambda r: {"path": r.path}) as fake:
        path = fake.kubeconfig(user={"token": "abc", "as": "jane", "as-groups": ["dev", "ops"], "as-user-extra": {"a/b": ["x", "y"]}})
        assert dump(path, "--repeat", 3, "get", "/version", input="\n\n") == '{"path": "/version"}\n' * 3
        assert dump(path, "target").split() == ["fake", fake.url, "shop"]
        first = fake.requests[0]
        assert first.header("authorization") == "Bearer abc"
        assert first.header("impersonate-user") == "jane" and first.headers["impersonate-group"] == ["dev", "ops"], first.headers
        assert first.headers["impersonate-extra-a%2fb"] == ["x", "y"], first.headers
        assert first.header("user-agent").startswith("holdfast/") and first.header("accept") == "application/json"
        assert len(fake.requests) == 3 and fake.connections == 1


def certificates():
    """Client certificates from data and from files beside the kubeconfig; basic authentication"""
    with Fake(lambda r: {"you": r.subject, "auth": r.header("authorization")}) as fake:
        folder = fake.authority.folder
        fake.authority.make("client", subject="jane")
        for name in ("client.crt", "client.key"):
            shutil.copy(folder / name, fake.folder / name)
        path = fake.kubeconfig(user={"client-certificate": "client.crt", "client-key": "./client.key"})
        assert json.loads(dump(path, "get", "/"))["you"] == "jane"
        here = subprocess.run([DUMP, "get", "/"], cwd=fake.folder, env=environment(KUBECONFIG="kubeconfig"), capture_output=True, text=True)
        assert json.loads(here.stdout)["you"] == "jane", here.stdout
        path = fake.kubeconfig(username="jane", password="pass word")
        assert json.loads(dump(path, "get", "/"))["auth"] == "Basic amFuZTpwYXNzIHdvcmQ="
        (fake.folder / "client.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        path = fake.kubeconfig(user={"client-certificate": "client.crt", "client-key": "client.key"})
        assert "passphrase" in dump(path, "get", "/", code=2)


def bad_certificates():
    """A server that another authority signed, one for another name, one in plain HTTP, an authority that is none"""
    with Fake(lambda r: {"ok": True}) as fake:
        fake.authority.make("other", ca=True)
        other = {"certificate-authority": str(fake.authority.folder / "other.crt")}
        out = dump(fake.kubeconfig(cluster=other, token="hunter2"), *QUICK, "get", "/", code=2)
        assert out.startswith(DENIED) and "certificate" in out and not fake.requests, out
        out = dump(fake.kubeconfig(cluster={"insecure-skip-tls-verify": True}), "get", "/")
        assert out == '{"ok": true}\n', out
        (fake.folder / "no.crt").write_text("no certificate")
        out = dump(fake.kubeconfig(cluster={"certificate-authority": "no.crt"}), *QUICK, "get", "/", code=2)
        assert out.startswith(FORMAT), out
        out = dump(fake.kubeconfig(cluster={"certificate-authority": "absent.crt"}), *QUICK, "get", "/", code=2)
        assert out.startswith(MISSING) and "absent.crt" in out, out
        fake.authority.make("named", addresses="DNS:api.example")
    with Fake(lambda r: {"host": r.header("host")}, certificate="named") as fake:
        assert dump(fake.kubeconfig(), *QUICK, "get", "/", code=2).startswith(DENIED)
        ca = {"certificate-authority": str(fake.authority.ca), "tls-server-name": "api.example"}
        assert json.loads(dump(fake.kubeconfig(cluster=ca), "get", "/"))["host"] == f"127.0.0.1:{fake.port}"
        assert fake.names[-1] == "api.example"
    with Fake(lambda r: {"auth": r.header("authorization")}, tls=False) as fake:
        assert json.loads(dump(fake.kubeconfig(token="abc"), "get", "/"))["auth"] is None


def token_file():
    """A token file is read again after 401, and a token of the kubeconfig is not tried twice"""
    good = ["one"]

    def handler(r):
        return {"ok": 1} if r.header("authorization") == "Bearer " + good[0] else status(401, "Unauthorized")

    with Fake(handler) as fake:
        file = fake.folder / "token"
        file.write_text("one\n")
        path = fake.kubeconfig(tokenFile="token")
        child = subprocess.Popen([DUMP, "--kubeconfig", path, "--repeat", "2", "get", "/"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True, env=environment())
        assert child.stdout.readline() == '{"ok": 1}\n'
        good[0] = "two"
        file.write_text("two\n")
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == '{"ok": 1}\n'
        child.communicate()
        assert [r.header("authorization")[7:] for r in fake.requests] == ["one", "one", "two"]
        fake.requests.clear()
        out = dump(fake.kubeconfig(token="hunter2"), "get", "/", code=2)
        assert out.startswith(DENIED) and "unauthorized" in out and "hunter2" not in out and len(fake.requests) == 1, out


PLUGIN = """#!/bin/sh
echo run >>"$0.runs"
printf '%s\\n' "$KUBERNETES_EXEC_INFO" >"$0.info"
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"%s}}' "$WORD$(cat "$0.token")" "$1"
"""


def plugin(fake, text=PLUGIN, expiry="", **more):
    path = fake.folder / "plugin"
    path.write_text(text)
    path.chmod(0o755)
    (fake.folder / "plugin.token").write_text("1")
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": [expiry], "interactiveMode": "Never",
                     "env": [{"name": "WORD", "value": "token-"}], **more}}


def exec_plugin():
    """An exec plugin runs once for many requests, again after 401 and when its answer has expired; it is told of the cluster"""
    good = ["token-1"]

    def handler(r):
        return {"ok": 1} if r.header("authorization") == "Bearer " + good[0] else status(401, "Unauthorized")

    with Fake(handler) as fake:
        path = fake.kubeconfig(user=plugin(fake, provideClusterInfo=True))
        assert dump(path, "--repeat", 3, "get", "/", input="\n\n") == '{"ok": 1}\n' * 3
        assert (fake.folder / "plugin.runs").read_text() == "run\n"
        info = json.loads((fake.folder / "plugin.info").read_text())
        assert info["apiVersion"] == "client.authentication.k8s.io/v1" and info["spec"]["interactive"] is False, info
        assert info["spec"]["cluster"]["server"] == fake.url and info["spec"]["cluster"]["certificate-authority-data"], info

        child = subprocess.Popen([DUMP, "--kubeconfig", path, "--repeat", "2", "get", "/"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True, env=environment())
        assert child.stdout.readline() == '{"ok": 1}\n'
        good[0] = "token-2"
        (fake.folder / "plugin.token").write_text("2")
        assert child.communicate("\n")[0] == '{"ok": 1}\n'
        assert (fake.folder / "plugin.runs").read_text() == "run\n" * 3

        good[0] = "token-1"
        (fake.folder / "plugin.runs").unlink()
        path = fake.kubeconfig(user=plugin(fake, expiry=',"expirationTimestamp":"2020-01-01T00:00:00Z"'))
        assert dump(path, "--repeat", 3, "get", "/", input="\n\n") == '{"ok": 1}\n' * 3
        assert (fake.folder / "plugin.runs").read_text() == "run\n" * 3
        path = fake.kubeconfig(user=plugin(fake, expiry=',"expirationTimestamp":"2999-01-01T00:00:00Z"'))
        assert dump(path, "--repeat", 3, "get", "/", input="\n\n") == '{"ok": 1}\n' * 3
        assert (fake.folder / "plugin.runs").read_text() == "run\n" * 4


def interactive_plugin():
    """A plugin may ask at the terminal where there is one, and is told whether it may"""
    asks = PLUGIN.replace("printf '%s", "read -r line; echo \"$line\" >\"$0.token\"\nprintf '%s")
    with Fake(lambda r: {"auth": r.header("authorization")}) as fake:
        for mode, answer, interactive in (("IfAvailable", "token-7", True), ("Never", "token-", False)):
            path = fake.kubeconfig(user=plugin(fake, asks, interactiveMode=mode))
            ours, theirs = pty.openpty()
            child = subprocess.Popen([DUMP, "--kubeconfig", path, "get", "/"], stdin=theirs, stdout=subprocess.PIPE, text=True, env=environment())
            os.close(theirs)
            os.write(ours, b"7\n")
            assert json.loads(child.communicate(timeout=120)[0])["auth"] == "Bearer " + answer
            os.close(ours)
            assert json.loads((fake.folder / "plugin.info").read_text())["spec"]["interactive"] is interactive


def plugin_faults():
    """Plugins that fail, that are not there, that print what they should not: an error without their secrets"""
    with Fake(lambda r: {"ok": 1}) as fake:
        for text, message in (
                ("#!/bin/sh\necho hunter2\nexit 3\n", "exit status 3"),
                ("#!/bin/sh\necho hunter2\n", "no JSON"),
                ("#!/bin/sh\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"hunter2\"}}'\n", "another apiVersion"),
                ("#!/bin/sh\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"clientKeyData\":\"hunter2\"}}'\n", "only one of"),
                ("#!/bin/sh\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}'\n", "no status"),
                ("#!/bin/sh\nkill -9 $$\n", "signal 9"),
                ("#!/bin/sh\nyes hunter2\n", "more than")):
            out = dump(fake.kubeconfig(user=plugin(fake, text)), *QUICK, "get", "/", code=2)
            assert message in out and "hunter2" not in out and "exec plugin plugin" in out, out
        out = dump(fake.kubeconfig(user=plugin(fake, command="hf-no-such-program", installHint="get it from us")), *QUICK, "get", "/", code=2)
        assert out.startswith(MISSING) and "get it from us" in out, out
        out = dump(fake.kubeconfig(user=plugin(fake, interactiveMode="Always")), *QUICK, "get", "/", code=2)
        assert "terminal" in out, out
        # It leaves a child behind that holds its output open: that is not waited for.
        child = "#!/bin/sh\nsleep 100 2>/dev/null & echo $! >\"$0.pid\"\n" + PLUGIN.partition("\n")[2]
        try:
            assert dump(fake.kubeconfig(user=plugin(fake, child)), "get", "/", timeout=90) == '{"ok": 1}\n'
        finally:
            os.kill(int((fake.folder / "plugin.pid").read_text()), 9)


def kubeconfigs():
    """KUBECONFIG with several files: the first wins, missing ones are passed over"""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "a").write_text("current-context: one\n")
        (folder / "b").write_text("current-context: two\ncontexts: [{name: one, context: {cluster: c, namespace: n}}]\n"
                                  "clusters: [{name: c, cluster: {server: 'https://one.test'}}]\n")
        env = environment(KUBECONFIG=f"{folder}/absent:{folder}/a::{folder}/b", HOME=str(folder))
        assert dump(None, "target", env=env).split() == ["one", "https://one.test", "n"]
        (folder / ".kube").mkdir()
        shutil.copy(folder / "b", folder / ".kube/config")
        assert dump(None, "--context", "one", "target", env=environment(HOME=str(folder))).split() == ["one", "https://one.test", "n"]
        assert dump(None, "target", env=environment(HOME=str(folder / "none")), code=2).startswith(MISSING)
        assert dump(folder / "none", "target", code=2).startswith(MISSING)
        out = dump(None, "target", env=environment(HOME=str(folder / "none"), KUBERNETES_SERVICE_HOST="fd00::1", KUBERNETES_SERVICE_PORT="6443"))
        assert out.split() == ["in-cluster", "https://[fd00::1]:6443"], out


def proxy():
    """proxy-url is used whatever NO_PROXY says, and gets no credentials of the server"""
    heads = []

    def through(r):
        heads.append((r.method, r.header("authorization")))
        return 403, b"", {}

    with Fake(through, tls=False) as middle, Fake(lambda r: {"ok": 1}) as fake:
        cluster = {"certificate-authority": str(fake.authority.ca), "proxy-url": middle.url}
        dump(fake.kubeconfig(cluster=cluster, token="hunter2"), *QUICK, "--tries", 1, "get", "/", code=2, env=environment(NO_PROXY="*"))
        assert heads == [("CONNECT", None)] and not fake.requests, heads


# ---- requests ----

def throttled():
    """429 with Retry-After and 5xx are tried again, within bounds; what a server says last is told"""
    answers = [status(429, "TooManyRequests", "slow down"), status(503, "ServiceUnavailable"), {"ok": 1}]
    answers[0][2]["Retry-After"] = "1"

    with Fake(lambda r: answers.pop(0) if len(answers) > 1 else answers[0]) as fake:
        begun = time.monotonic()
        assert dump(fake.kubeconfig(), *QUICK, "get", "/") == '{"ok": 1}\n'
        assert time.monotonic() - begun >= 1 and len(fake.requests) == 3
    with Fake(lambda r: status(500, "InternalError", "etcd is ill\x1b[2J")) as fake:
        out = dump(fake.kubeconfig(), *QUICK, "--tries", 3, "get", "/", code=2)
        assert len(fake.requests) == 3 and "500 InternalError: etcd is ill\\x1b[2J" in out, out
        dump(fake.kubeconfig(), *QUICK, "create", "-", "v1", "pods", code=2, input="{}")
        assert len(fake.requests) == 4, "a change is not sent twice"


def slow():
    """A server that does not answer, or not to the end: the deadline ends it"""
    with Fake(lambda r: time.sleep(30)) as fake:
        out = dump(fake.kubeconfig(), *QUICK, "--deadline-ms", 300, "get", "/", code=2)
        assert out.startswith(LIMIT), out

    def drip(r):
        r.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            r.socket.sendall(b" ")
            time.sleep(0.1)

    with Fake(drip) as fake:
        assert dump(fake.kubeconfig(), *QUICK, "--deadline-ms", 500, "get", "/", code=2).startswith(LIMIT)


def cut_and_redirect():
    """A cut connection is tried again; a redirect is not followed, nor are credentials sent there"""
    def cut(r):
        if len(fake.requests) < 3:
            r.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            return r.cut()
        return {"ok": 1}

    with Fake(cut) as fake:
        assert dump(fake.kubeconfig(), *QUICK, "get", "/") == '{"ok": 1}\n'
    with Fake(lambda r: {"stolen": r.header("authorization")}) as other:
        with Fake(lambda r: (302, b"", {"Location": other.url + "/x"})) as fake:
            out = dump(fake.kubeconfig(token="abc"), *QUICK, "get", "/", code=2)
            assert "elsewhere (302)" in out and not other.requests, out


def packed():
    """gzip'd answers are unpacked within the bound, in the plain bytes"""
    with Fake(lambda r: (200, gzip.compress(json.dumps(pods(0, 300)).encode()), {"Content-Encoding": "gzip"})) as fake:
        out = dump(fake.kubeconfig(), "list", "-", "v1", "pods")
        assert out.endswith(" 300\nlisted 7\n") and fake.requests[0].header("accept-encoding") == "gzip", out
    with Fake(lambda r: (200, gzip.compress(b" " * (200 << 20)), {"Content-Encoding": "gzip"})) as fake:
        assert dump(fake.kubeconfig(), "get", "/", code=2).startswith(LIMIT)


# ---- discovery ----

AGGREGATED = {
    "/api": [("", [("v1", [("pods", "Pod", "Namespaced", ["get", "list", "watch"], [("exec", "PodExecOptions", ["create"])]),
                           ("nodes", "Node", "Cluster", ["list"], [])])])],
    "/apis": [("apps", [("v1", [("deployments", "Deployment", "Namespaced", ["list"], [])])]),
              ("x.test", [("v2", [("a", "A", "Cluster", ["list"], [])]), ("v1", [("a", "A", "Cluster", ["list"], []), ("b", "B", "Cluster", ["list"], [])])])]}
EXPECTED = """- v1 pods Pod namespaced preferred get,list,watch
- v1 pods/exec PodExecOptions namespaced preferred create
- v1 nodes Node cluster preferred list
apps v1 deployments Deployment namespaced preferred list
x.test v2 a A cluster preferred list
x.test v1 a A cluster other list
x.test v1 b B cluster preferred list
"""


def aggregated(groups):
    def resource(name, kind, scope, verbs, subs):
        return {"resource": name, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": scope, "verbs": verbs, "singularResource": "x",
                **({"subresources": [{"subresource": s, "responseKind": {"kind": k}, "verbs": v} for s, k, v in subs]} if subs else {})}
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": [
        {"metadata": {"name": group, "creationTimestamp": None} if group else {}, "versions": [
            {"version": version, "freshness": "Current", "resources": [resource(*r) for r in resources]} for version, resources in versions]}
        for group, versions in groups]}


def discovery():
    """Aggregated discovery, and the same out of the documents of each group of an older server; a group that does not answer is named"""
    def new(r):
        assert "as=APIGroupDiscoveryList" in r.header("accept")
        return aggregated(AGGREGATED[r.path])

    def old(r):
        if r.path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if r.path == "/apis":
            return {"kind": "APIGroupList", "groups": [
                {"name": name, "versions": [{"groupVersion": f"{name}/{v}", "version": v} for v, _ in reversed(versions)],
                 "preferredVersion": {"version": versions[0][0]}} for name, versions in AGGREGATED["/apis"]] + [
                     {"name": "down.test", "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}}]}
        for name, versions in AGGREGATED["/api"] + AGGREGATED["/apis"]:
            for version, resources in versions:
                if r.path == (f"/apis/{name}/{version}" if name else f"/api/{version}"):
                    return {"kind": "APIResourceList", "resources": [
                        y for n, k, s, v, subs in resources for y in
                        [{"name": n, "kind": k, "namespaced": s == "Namespaced", "verbs": v}] +
                        [{"name": f"{n}/{sub}", "kind": kind, "namespaced": s == "Namespaced", "verbs": verbs} for sub, kind, verbs in subs]]}
        return status(503, "ServiceUnavailable", "no endpoints")

    with Fake(new) as fake:
        assert dump(fake.kubeconfig(), "discover") == EXPECTED
    with Fake(old) as fake:
        out = dump(fake.kubeconfig(), *QUICK, "--tries", 2, "discover")
        assert out.startswith(EXPECTED) and "missing down.test v1 discover /apis/down.test/v1: 503 ServiceUnavailable: no endpoints\n" in out, out
    with Fake(lambda r: {"kind": "Status"}) as fake:
        assert dump(fake.kubeconfig(), "discover", code=2).startswith(FORMAT)
    stale = aggregated(AGGREGATED["/apis"])
    stale["items"][1]["versions"][1]["freshness"] = "Stale"
    with Fake(lambda r: stale if r.path == "/apis" else aggregated([])) as fake:
        assert "missing x.test v1 the server behind it does not answer" in dump(fake.kubeconfig(), "discover")


# ---- lists ----

def pages():
    """A list comes page by page, with its selectors, and names are escaped"""
    def handler(r):
        at = int(r.query.get("continue", "0"))
        return pods(at, 3, resume=str(at + 3) if at < 6 else None)

    with Fake(handler) as fake:
        out = dump(fake.kubeconfig(), "--limit", 3, "--namespace", "a/b?", "--label", "app=x,y in (1, 2)", "--field", "spec.nodeName=n",
                   "list", "apps", "v1", "pods")
        assert [line.split()[-1] for line in out.splitlines()] == ["3", "3", "3", "7"], out
        r = fake.requests[1]
        assert r.path == "/apis/apps/v1/namespaces/a%2Fb%3F/pods"
        assert r.query == {"limit": "3", "continue": "3", "labelSelector": "app=x,y in (1, 2)", "fieldSelector": "spec.nodeName=n"}, r.query
    with Fake(lambda r: pods(0, 1, resume="same")) as fake:
        assert "no way on" in dump(fake.kubeconfig(), "list", "-", "v1", "pods", code=2)
    for text in (b'{"kind":"PodList","items":[', b"[]", b'{"kind":"Status"}', b""):
        with Fake(lambda r, text=text: (200, text, {})) as fake:
            assert dump(fake.kubeconfig(), "list", "-", "v1", "pods", code=2).startswith(FORMAT)


def gone_in_mid_list():
    """410 Gone in the middle of a list begins it anew, a few times"""
    trouble = [2]

    def handler(r):
        if r.query.get("continue") == "2" and trouble[0]:
            trouble[0] -= 1
            return status(410, "Expired", "the provided continue parameter is too old")
        return pods(2, 2, "9") if r.query.get("continue") else pods(0, 2, "8", "2")

    with Fake(handler) as fake:
        out = dump(fake.kubeconfig(), "--limit", 2, "list", "-", "v1", "pods")
        assert [line.split()[0] for line in out.splitlines()] == ["page", "restart", "page", "restart", "page", "page", "listed"], out
        trouble[0] = 1000
        out = dump(fake.kubeconfig(), "--limit", 2, "list", "-", "v1", "pods", code=2)
        assert "410" in out and len(fake.requests) < 30, out


def huge_pages():
    """A page that is too large is asked for in smaller ones; an object that is too large is an error"""
    def handler(r):
        at, limit = int(r.query.get("continue", "0")), int(r.query["limit"])
        n = min(limit, 40 - at)
        return pods(at, n, resume=str(at + n) if at + n < 40 else None, size=10000)

    with Fake(handler) as fake:
        out = dump(fake.kubeconfig(), "--page-max", 100000, "list", "-", "v1", "pods")
        sizes = [int(line.split()[1]) for line in out.splitlines()[:-1]]
        assert sum(int(line.split()[2]) for line in out.splitlines()[:-1]) == 40 and max(sizes) <= 100000, out
        assert dump(fake.kubeconfig(), "--page-max", 5000, "list", "-", "v1", "pods", code=2).startswith(LIMIT)


def forbidden():
    """403 names who may not do what"""
    said = 'secrets is forbidden: User "system:serviceaccount:a:b" cannot list resource "secrets" in API group "" at the cluster scope'
    with Fake(lambda r: status(403, "Forbidden", said)) as fake:
        out = dump(fake.kubeconfig(), "list", "-", "v1", "secrets", code=2)
        assert out == f"{DENIED} forbidden: system:serviceaccount:a:b cannot list secrets\n", out
        w = Watch(fake.kubeconfig(), "--namespace", "web")
        assert w.child.wait(120) == 2
        assert f"{DENIED} forbidden: system:serviceaccount:a:b cannot watch pods in web" in w.end()[0]


def changes():
    """Documents are sent with their method and type; what a server says against one is told"""
    with Fake(lambda r: {"m": r.method, "t": r.header("content-type"), "q": r.query, "b": r.body.decode(), "p": r.path}) as fake:
        path = fake.kubeconfig()
        assert json.loads(dump(path, "create", "-", "v1", "pods", input='{"a":1}')) == {
            "m": "POST", "t": "application/json", "q": {}, "b": '{"a":1}', "p": "/api/v1/pods"}
        got = json.loads(dump(path, "apply", "x.test", "v1", "as", "n", input="{}"))
        assert got["m"] == "PATCH" and got["t"] == "application/apply-patch+yaml" and got["q"] == {"fieldManager": "holdfast", "force": "true"}
        assert json.loads(dump(path, "merge", "x.test", "v1", "as", "n", input="{}"))["t"] == "application/merge-patch+json"
        assert json.loads(dump(path, "replace", "x.test", "v1", "as", "n", input="{}"))["p"] == "/apis/x.test/v1/as/n"
        assert json.loads(dump(path, "delete", "x.test", "v1", "as", "n"))["m"] == "DELETE"
    with Fake(lambda r: status(409, "AlreadyExists", 'pods "a" already exists')) as fake:
        out = dump(fake.kubeconfig(), "create", "-", "v1", "pods", code=2, input="{}")
        assert 'refused 409 AlreadyExists\n' in out and '"a" already exists' in out


# ---- watches ----

def watch_list():
    """A watch-list hands out what there is, says when that is all, and goes on; a cut connection is resumed from the last version"""
    def handler(r):
        if r.query.get("sendInitialEvents"):
            assert r.query["resourceVersionMatch"] == "NotOlderThan" and r.query["allowWatchBookmarks"] == "true"
            r.stream(event("ADDED", "a", "3"), event("ADDED", "b", "2"), bookmark("10", end=True), event("MODIFIED", "a", "11"), end=False)
            return r.cut()
        if r.query["resourceVersion"] == "11":
            r.stream(event("DELETED", "b", "12"), bookmark("20"))
            return None
        assert r.query["resourceVersion"] == "20", r.query
        r.stream(event("ADDED", "c", "21"), end=False)
        time.sleep(60)

    with Fake(handler) as fake:
        w = Watch(fake.kubeconfig())
        w.until("ADDED shop/c 21")
        lines, counts = w.end()
        assert lines == ["reset", "ADDED shop/a 3", "ADDED shop/b 2", "synced", "MODIFIED shop/a 11", "DELETED shop/b 12", "BOOKMARK shop/ 20",
                         "ADDED shop/c 21"], lines
        assert counts["watch_list"] == 1 and counts["lists"] == 1 and counts["connections"] == 3 and counts["resumed"] == 2, counts


def fall_back():
    """Where the server has no watch-list (an ERROR event, or 4xx), there is a list and a watch"""
    def handler(r, refusal=0):
        if r.query.get("sendInitialEvents"):
            if refusal:
                return status(refusal, "Invalid", "sendInitialEvents is forbidden for watch")
            return r.stream({"type": "ERROR", "object": status(500, "InternalError", "required storage feature is disabled")[1]})
        if not r.query.get("watch"):
            return pods(2, 1, "5") if r.query.get("continue") else pods(0, 2, "5", "2")
        assert r.query["resourceVersion"] == "5", r.query
        r.stream(event("ADDED", "new", "6"), end=False)
        time.sleep(60)

    for refusal in (0, 422, 400):
        with Fake(lambda r, refusal=refusal: handler(r, refusal)) as fake:
            w = Watch(fake.kubeconfig(), "--limit", "2")
            w.until("ADDED shop/new 6")
            lines, counts = w.end()
            assert lines == ["reset", "ADDED shop/p0 0", "ADDED shop/p1 1", "ADDED shop/p2 2", "synced", "ADDED shop/new 6"], lines
            assert counts["watch_list"] == 0, counts


def gone_in_mid_watch():
    """410 Gone, as an event or as an answer, is a new list after a reset"""
    state = {"lists": 0}

    def handler(r):
        if not r.query.get("watch"):
            state["lists"] += 1
            return pods(state["lists"], 1, str(100 * state["lists"]))
        version = r.query["resourceVersion"]
        if version == "100":
            return r.stream(event("ADDED", "x", "101"), gone())
        if version == "200":
            return status(410, "Gone", "too old resource version")
        r.stream(event("ADDED", "y", "301"), end=False)
        time.sleep(60)

    with Fake(handler) as fake:
        w = Watch(fake.kubeconfig(), "--watch-list", "0")
        w.until("ADDED shop/y 301")
        lines, counts = w.end()
        assert lines == ["reset", "ADDED shop/p1 1", "synced", "ADDED shop/x 101", "reset", "ADDED shop/p2 2", "synced", "reset", "ADDED shop/p3 3",
                         "synced", "ADDED shop/y 301"], lines
        assert counts["gone"] == 2 and counts["lists"] == 3, counts


def broken_watches():
    """Half a line, no JSON, silence, an endless line, a server that ends each watch at once: the watch goes on from where it was"""
    state = {"n": 0}

    def handler(r):
        if not r.query.get("watch"):
            return pods(0, 0, "1")
        assert r.query["resourceVersion"] in ("1", "2"), r.query
        state["n"] += 1
        if state["n"] == 1:
            r.stream(event("ADDED", "a", "2"), b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"3"', end=False)
            return r.cut()
        if state["n"] == 2:
            return r.stream(b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"3"\n')
        if state["n"] == 3:
            return r.stream(b"\n", b'{"type":"STRANGE","object":{}}\n')
        if state["n"] == 4:
            r.stream(b" ", end=False)
            time.sleep(60)
            return None
        if state["n"] == 5:
            r.stream(end=False)
            while True:
                r.chunk(b"x" * (1 << 20))
        if state["n"] < 9:
            return r.stream()
        r.stream(event("ADDED", "b", "3"), end=False)
        time.sleep(60)

    with Fake(handler) as fake:
        w = Watch(fake.kubeconfig(), "--watch-list", "0", "--silence-s", "10")
        w.until("ADDED shop/b 3")
        lines, counts = w.end()
        assert lines == ["reset", "synced", "ADDED shop/a 2", "ADDED shop/b 3"], lines
        assert counts["lists"] == 1 and counts["connections"] == 9, counts
    with Fake(lambda r: r.stream() if r.query.get("watch") else pods(0, 0, "1")) as fake:
        w = Watch(fake.kubeconfig(), "--watch-list", "0", "--failures-max", "3")
        assert w.child.wait(120) == 2
        lines, counts = w.end()
        assert "again and again" in lines[-1] and counts["connections"] == 3, lines


def watch_and_tokens():
    """A token that expires between two connections of a watch is renewed, and nothing is lost"""
    def handler(r):
        token = r.header("authorization")
        if not r.query.get("watch"):
            return pods(0, 0, "1")
        if r.query["resourceVersion"] == "1":
            (fake.folder / "token").write_text("two")
            return r.stream(event("ADDED", "a", "2"))
        if token != "Bearer two":
            return status(401, "Unauthorized")
        r.stream(event("ADDED", "b", "3"), end=False)
        time.sleep(60)

    with Fake(handler) as fake:
        path = fake.kubeconfig(tokenFile="token")
        (fake.folder / "token").write_text("one")
        w = Watch(path, "--watch-list", "0")
        w.until("ADDED shop/b 3")
        lines, counts = w.end()
        assert lines == ["reset", "synced", "ADDED shop/a 2", "ADDED shop/b 3"] and counts["lists"] == 1, (lines, counts)


def watch_of_a_starting_server():
    """A server that does not know the roles yet, since it has just begun again, says 403 for a while: a watch that was let in before goes on"""
    refusals = [3]

    def handler(r):
        if not r.query.get("watch"):
            return pods(0, 0, "1")
        if r.query["resourceVersion"] == "1":
            return r.stream(event("ADDED", "a", "2"))
        if refusals[0]:
            refusals[0] -= 1
            return status(403, "Forbidden", 'pods is forbidden: User "jane" cannot watch resource "pods"')
        r.stream(event("ADDED", "b", "3"), end=False)
        time.sleep(60)

    with Fake(handler) as fake:
        w = Watch(fake.kubeconfig(), "--watch-list", "0")
        w.until("ADDED shop/b 3")
        lines, counts = w.end()
        assert lines == ["reset", "synced", "ADDED shop/a 2", "ADDED shop/b 3"] and counts["connections"] == 5, (lines, counts)
    refusals[0] = 1000
    with Fake(handler) as fake:
        w = Watch(fake.kubeconfig(), "--watch-list", "0")
        assert w.child.wait(120) == 2
        assert f"{DENIED} forbidden: jane cannot watch pods" in w.end()[0]


# ---- the commands ----

def pod_list(*names, **spec):
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [
        {"metadata": {"name": name, "namespace": "shop"}, "spec": {"containers": [{"name": "c", "image": "registry.test/a:1"}], **spec}} for name in names]}


def cluster_target():
    """`holdfast kube … cluster:` reads what a cluster serves; secrets without their data; what is forbidden or broken is noted"""
    served = {"/api": [("", [("v1", [(n, k, "Namespaced", ["list"], []) for n, k in (("pods", "Pod"), ("secrets", "Secret"), ("services", "Service"))])])],
              "/apis": [("apps", [("v1", [("deployments", "Deployment", "Namespaced", ["list"], [])])])]}

    def handler(r):
        if r.path in served:
            return aggregated(served[r.path])
        if r.path == "/api/v1/pods":
            return pod_list("bad", hostNetwork=True)
        if r.path == "/api/v1/secrets":
            assert "as=Table" in r.header("accept")
            return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": [{"name": "Name"}, {"name": "Type"}],
                    "rows": [{"cells": ["s", "Opaque"], "object": {"kind": "PartialObjectMetadata", "metadata": {
                        "name": "s", "namespace": "shop", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}}}}]}
        if r.path == "/api/v1/services":
            return status(403, "Forbidden", 'services is forbidden: User "jane" cannot list resource "services"')
        return (200, b'{"kind":"DeploymentList","items":[', {})

    def run(*args, code, ask=("pss", "baseline")):
        done = subprocess.run([HOLDFAST, "kube", *ask, *args], capture_output=True, text=True, env=environment(), timeout=300)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout, done.stderr

    with Fake(handler) as fake:
        path = fake.kubeconfig()
        for target in ("cluster:", "cluster:fake"):
            out, err = run(target, "--kubeconfig", str(path), code=1)
            assert "bad" in out and "hunter2" not in out + err, out
            assert "holdfast: fake: services: forbidden: jane cannot list services\n" in err and "fake: deployments.apps: " in err, err
        assert run("cluster:nobody", "--kubeconfig", str(path), code=2)[1].count("no context is named nobody") == 1
        assert "none" in run("cluster:", "--kubeconfig", str(fake.folder / "none"), code=2)[1]

        # Two contexts in one run, one of which cannot be reached.
        config = json.loads(path.read_text())
        config["clusters"].append({"name": "d", "cluster": {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}})
        config["contexts"].append({"name": "dark", "context": {"cluster": "d", "user": "u"}})
        path.write_text(json.dumps(config))
        out, err = run("cluster:fake", "cluster:dark", "--kubeconfig", str(path), code=1)
        assert "bad" in out and "cluster:dark: context dark: discover /api: https://127.0.0.1:1: Connection refused" in err, err

        # Pods of two clusters are never said to reach each other.
        config["contexts"].append({"name": "twin", "context": config["contexts"][0]["context"]})
        path.write_text(json.dumps(config))
        for question in (("reach",), ("reach", "--exposure"), ("netpol",)):
            out, err = run("cluster:fake", "cluster:twin", "--kubeconfig", str(path), code=2, ask=question)
            assert not out and "fake and twin are two clusters: ask about the connections of one at a time" in err, err
        assert "no connection changes" in run("cluster:fake", "cluster:twin", "--kubeconfig", str(path), code=0, ask=("diff",))[0]


if __name__ == "__main__":
    main([token_and_headers, certificates, bad_certificates, token_file, exec_plugin, interactive_plugin, plugin_faults, kubeconfigs, proxy, throttled, slow,
          cut_and_redirect, packed, discovery, pages, gone_in_mid_list, huge_pages, forbidden, changes, watch_list, fall_back,
          gone_in_mid_watch, broken_watches, watch_and_tokens, watch_of_a_starting_server,
          cluster_target])
