"""A kube-apiserver and an etcd of the test's own, on loopback, in a temporary folder: any number may run side by side. The programs
are those that ./build makes out of their Go modules.

    import server
    server.skip_unless()                              # TAP skip with the reason, exit 0
    with server.Server() as s:
        s.kubectl("create", "namespace", "web")
        s.post("/api/v1/namespaces/web/pods", server.pod("front"))
        s.get("/api/v1/pods", user="alice", status=403)
        run("holdfast", ..., "--kubeconfig", s.kubeconfig("alice"))
        s.stop_api(); s.start_api()                   # at the same port, with the same objects

USERS lists who there is. Nothing runs pods: create them with a nodeName and write their status, or start the controller manager,
which makes those of Deployments. What is left when the process is killed is swept by the next one that starts."""
import base64
import http.client
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from harness import abandoned, claim, die_with_parent, finish, main, wait_until  # noqa: E402,F401

PREFIX = "hfkube-"
BUILD = HERE / "build"
PROGRAMS = ["kube-apiserver", "etcd", "kubectl"]
START_S, STOP_S = 300, 120
# name: how it shows who it is, its groups; in the audit log each has its own name here
USERS = {
    "admin": ("certificate", ["system:masters"]),
    "alice": ("certificate", ["dev"]),
    "root-by-token": ("token", ["system:masters"]),
    "viewer": ("token", ["auditors"]),  # the token stands in the kubeconfig
    "reader": ("token file", ["auditors"]),  # the kubeconfig names a file
    "robot": ("exec plugin", ["robots"]),  # the kubeconfig names a program, which counts its runs in Server.plugin_runs()
}


def missing(*more):
    """Why no server can be started here; None where one can. Builds what is not there if HOLDFAST_TEST_KUBE says so."""
    if not shutil.which("openssl"):
        return "no openssl"
    if os.environ.get("HOLDFAST_TEST_KUBE") == "build":
        done = subprocess.run([BUILD, *PROGRAMS, *more], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode == 77:
            return done.stderr.strip().splitlines()[-1]
        assert done.returncode == 0, f"tests/kube/build: {done.returncode}\n{done.stderr}"
    absent = subprocess.run([BUILD, "--missing", *PROGRAMS, *more], capture_output=True, text=True).stdout.split()
    if absent:
        return f"no {', '.join(absent)}: tests/kube/build or HOLDFAST_TEST_KUBE=build makes them"
    return None


def skip_unless(*more):
    """Prints a TAP skip with the reason and exits where a server, or one of the programs @more (kube-controller-manager), cannot be had."""
    why = missing(*more)
    if why:
        print(f"1..0 # SKIP {why}")
        sys.exit(0)


class Server:
    """flags: more of kube-apiserver's, the last of a name wins. audit: the level of the audit log. controller_manager: starts one,
    and pods then have service accounts. Of the folder, certificate() and kubeconfig() all paths are absolute.
    url, port, ca (path), version and the path of each program in programs are for the test to read."""

    def __init__(self, flags=(), audit="Metadata", controller_manager=False):
        self.flags, self.audit_level, self.controller_manager = list(flags), audit, controller_manager
        self.folder = self.etcd = self.api = self.controllers = None
        self.tokens = {name: secrets.token_hex(16) for name, (how, _) in USERS.items() if how != "certificate"}
        self.connections, self.generation = threading.local(), 0

    def __enter__(self):
        for folder in abandoned(PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the end of a test's time also runs __exit__
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        self.owner = claim(self.folder)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in (self.controllers, self.api, self.etcd):
            if child and child.poll() is None:
                child.kill()  # their state goes with the folder
                child.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.owner.close()

    # ---- start and stop ----

    def start(self):
        binaries = pathlib.Path(subprocess.run([BUILD, "--folder"], capture_output=True, text=True, check=True).stdout.strip())
        self.programs = {name: binaries / name for name in [*PROGRAMS, "kube-controller-manager"]}
        self.on_free_ports(self.start_etcd)
        self.ca = self.folder / "ca.crt"
        self.make_authority()
        self.certificate("apiserver", usage="serverAuth", addresses=["DNS:localhost", "DNS:kubernetes.default.svc", "IP:127.0.0.1"])
        for name, (how, groups) in USERS.items():
            if how == "certificate":
                self.certificate(name, groups)
        self.write_tokens()
        (self.folder / "audit.yaml").write_text(json.dumps({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
            "rules": [{"level": "None", "users": ["system:apiserver"]}, {"level": "None", "nonResourceURLs": ["/readyz"]},
                      {"level": self.audit_level}]}))
        self.on_free_ports(self.start_api_at)
        for name in USERS:
            self.write_kubeconfig(name)
        self.version = self.get("/version")["gitVersion"]
        if self.controller_manager:
            self.start_controllers()

    def on_free_ports(self, start):
        """Calls start(port, port) until nobody else took them in between."""
        for trial in range(5):
            ports = [free_port(), free_port()]
            try:
                return start(*ports)
            except AddressTaken:
                if trial == 4:
                    raise

    def run(self, name, *flags):
        with open(self.folder / f"{name}.log", "wb" if name == "etcd" else "ab") as log:
            return subprocess.Popen([self.programs[name], *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                    start_new_session=True, preexec_fn=lambda: die_with_parent(signal.SIGKILL))

    def wait_for(self, name, child, answers):
        end = time.monotonic() + START_S
        while not answers():
            if child.poll() is not None or time.monotonic() > end:
                said = self.log(name)
                child.kill()
                child.wait()
                taken = AddressTaken if "address already in use" in said else RuntimeError
                raise taken(f"{name} does not answer ({child.returncode}):\n{said[-3000:]}")
            time.sleep(0.05)

    def log(self, name="kube-apiserver"):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start_etcd(self, port, peer_port):
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)
        self.etcd_url, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
        self.etcd = self.run("etcd", "--name=test", f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn",
                             f"--listen-client-urls={self.etcd_url}", f"--advertise-client-urls={self.etcd_url}",
                             f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=test={peer}")

        def healthy():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False
            finally:
                connection.close()

        self.wait_for("etcd", self.etcd, healthy)

    def start_api(self, *flags):
        """Begins again, after stop_api, at the same port. @flags: in place of those that the Server was made with, if any."""
        if flags:
            self.flags = list(flags)
        self.start_api_at(self.port)

    def start_api_at(self, port, _=None):
        self.port, self.url = port, f"https://127.0.0.1:{port}"
        path = self.folder
        flags = [
            f"--etcd-servers={self.etcd_url}", "--bind-address=127.0.0.1", f"--secure-port={port}", "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none", f"--tls-cert-file={path}/apiserver.crt", f"--tls-private-key-file={path}/apiserver.key",
            f"--client-ca-file={self.ca}", f"--token-auth-file={path}/tokens.csv", "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={path}/accounts.key",
            f"--service-account-signing-key-file={path}/accounts.key", "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true", "--profiling=false", "--shutdown-watch-termination-grace-period=5s",
            f"--audit-policy-file={path}/audit.yaml", f"--audit-log-path={path}/audit.log"]
        if not self.controller_manager:
            flags.append("--disable-admission-plugins=ServiceAccount")  # nobody makes the accounts that it wants
        self.generation += 1
        self.api = self.run("kube-apiserver", *flags, *self.flags)

        def ready():
            try:
                return self.request("GET", "/readyz", user=None)[0] == 200
            except (OSError, http.client.HTTPException):
                return False

        self.wait_for("kube-apiserver", self.api, ready)

    def stop_api(self, crash=False):
        """Ends kube-apiserver as a service manager would, or kills it. Requests fail until start_api."""
        if crash:
            self.api.kill()
        else:
            self.api.terminate()
        try:
            self.api.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.api.kill()
            self.api.wait()

    def start_controllers(self):
        self.certificate("controllers", name="system:kube-controller-manager")
        self.write_kubeconfig("controllers")
        self.controllers = self.run(
            "kube-controller-manager", f"--kubeconfig={self.kubeconfig('controllers')}", "--leader-elect=false", "--secure-port=0",
            f"--service-account-private-key-file={self.folder}/accounts.key", f"--root-ca-file={self.ca}",
            "--use-service-account-credentials=true")

    # ---- who there is ----

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], cwd=self.folder, capture_output=True, check=True)

    def make_authority(self):
        (self.folder / "ca.cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n[ext]\nbasicConstraints=critical,CA:TRUE\n"
                                            "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30, "-subj", "/CN=test-ca",
                     "-config", "ca.cnf", "-extensions", "ext", "-keyout", "ca.key", "-out", "ca.crt")
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "accounts.key")

    def certificate(self, file, groups=(), usage="clientAuth", addresses=(), name=None, days=30):
        """The paths (FILE.crt, FILE.key) of a new certificate that this server's CA signs, for user @name (@file) in @groups; or, with
        usage="serverAuth", for a server at @addresses, as "IP:127.0.0.1"."""
        lines = ["[req]", "distinguished_name=dn", "[dn]", "[ext]", "basicConstraints=CA:FALSE", "keyUsage=digitalSignature",
                 f"extendedKeyUsage={usage}"]
        lines += [f"subjectAltName={','.join(addresses)}"] if addresses else []
        (self.folder / f"{file}.cnf").write_text("\n".join(lines) + "\n")
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={name or file}"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days, "-subj", subject,
                     "-config", f"{file}.cnf", "-extensions", "ext", "-CA", "ca.crt", "-CAkey", "ca.key",
                     "-keyout", f"{file}.key", "-out", f"{file}.crt")
        return self.folder / f"{file}.crt", self.folder / f"{file}.key"

    def write_tokens(self):
        lines = [f'{token},{name},uid-{name},"{",".join(USERS[name][1])}"\n' for name, token in self.tokens.items()]
        (self.folder / "tokens.csv").write_text("".join(lines))
        for name, token in self.tokens.items():
            (self.folder / f"{name}.token").write_text(token + "\n")
        plugin = self.folder / "plugin"
        plugin.write_text(f"""#!/bin/sh
# What a client runs to be told the token of "robot".
echo run >>'{self.folder}/plugin.runs'
printf '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"%s"}}}}\\n' "$(cat '{self.folder}/robot.token')"
""")
        plugin.chmod(0o755)

    def plugin_runs(self):
        """How often clients ran the plugin of "robot"."""
        runs = self.folder / "plugin.runs"
        return runs.read_text().count("\n") if runs.exists() else 0

    def renew_token(self, name):
        """Gives a user another token: told by its token file and by its plugin at once, known to the server when it starts next;
        the old one is then refused (401). A kubeconfig that the token stands in keeps the old one."""
        self.tokens[name] = secrets.token_hex(16)
        self.write_tokens()

    def write_kubeconfig(self, name):
        how = USERS.get(name, ("certificate", []))[0]
        user = {
            "certificate": f"client-certificate: {self.folder}/{name}.crt\n    client-key: {self.folder}/{name}.key",
            "token": f"token: {self.tokens.get(name)}",
            "token file": f"tokenFile: {self.folder}/{name}.token",
            "exec plugin": "exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
                           f"      command: {self.folder}/plugin\n      interactiveMode: Never",
        }[how]
        self.kubeconfig(name).write_text(f"""apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    certificate-authority-data: {base64.b64encode(self.ca.read_bytes()).decode()}
    server: {self.url}
users:
- name: {name}
  user:
    {user}
contexts:
- name: test
  context:
    cluster: test
    user: {name}
current-context: test
""")

    def kubeconfig(self, name="admin"):
        """The path of a user's kubeconfig."""
        return self.folder / f"{name}.kubeconfig"

    # ---- requests ----

    def kubectl(self, *args, user="admin", input=None, status=0, timeout=300):
        """Runs kubectl as @user; @input: bytes, text, or an object, which becomes JSON. Fails unless it exits with @status (None:
        any). Returns what it printed; .err and .status are there too."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KUBE")}
        environment.update(KUBECONFIG=str(self.kubeconfig(user)), HOME=str(self.folder))
        if input is not None and not isinstance(input, bytes):
            input = (input if isinstance(input, str) else json.dumps(input)).encode()
        child = subprocess.Popen([self.programs["kubectl"], *map(str, args)], env=environment,
                                 stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return finish(child, input, timeout, status, f"kubectl {' '.join(map(str, args))}")

    def apply(self, *objects):
        """kubectl apply of objects, each with its own namespace."""
        return self.kubectl("apply", "-f", "-", input={"apiVersion": "v1", "kind": "List", "items": list(objects)})

    def connect(self, user="admin", timeout=120):
        """A new connection, and the headers to send with each request, of a user (None: nobody)."""
        context = ssl.create_default_context(cafile=str(self.ca))
        headers = {"Accept": "application/json"}
        if user in self.tokens:
            headers["Authorization"] = "Bearer " + self.tokens[user]
        elif user is not None:
            context.load_cert_chain(self.folder / f"{user}.crt", self.folder / f"{user}.key")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        return connection, headers

    def connected(self, user):
        """The same, once the server has taken it: one that has just begun may hang up on its first callers."""
        for attempt in range(10):
            connection, headers = self.connect(user)
            try:
                connection.connect()
                return connection, headers
            except (ssl.SSLEOFError, ConnectionResetError):
                connection.close()
                if attempt == 9:
                    raise
                time.sleep(1)

    def request(self, method, path, body=None, user="admin", type="application/json"):
        """(status, bytes). One connection for each thread and user is kept open."""
        kept = self.connections.__dict__
        key = (user, self.tokens.get(user), self.generation)
        if key not in kept:
            kept[key] = self.connected(user)
        connection, headers = kept[key]
        try:
            data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, data, {**headers, "Content-Type": type})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            connection.close()
            del kept[key]
            raise

    def asked(self, method, path, body, user, status, type="application/json"):
        got, text = self.request(method, path, body, user, type)
        assert got in status, f"{method} {path} as {user}: {got}, not {status}: {text[:1000]}"
        try:
            return json.loads(text)
        except ValueError:
            return text.decode()

    def get(self, path, user="admin", status=200):
        """The answer, of JSON or text; fails unless its status is that."""
        return self.asked("GET", path, None, user, [status])

    def post(self, path, body, user="admin", status=None):
        return self.asked("POST", path, body, user, [status] if status else [200, 201])

    def patch(self, path, body, user="admin", status=200):
        """A merge patch."""
        return self.asked("PATCH", path, body, user, [status], "application/merge-patch+json")

    def delete(self, path, user="admin", status=200):
        return self.asked("DELETE", path, None, user, [status])

    def post_all(self, path, bodies, user="admin", threads=4):
        """Posts many, in no order."""
        bodies, lock, failed = iter(bodies), threading.Lock(), []

        def work():
            while not failed:
                with lock:
                    body = next(bodies, None)
                if body is None:
                    return
                try:
                    self.post(path, body, user)
                except Exception as error:
                    failed.append(error)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if failed:
            raise failed[0]

    def watch(self, path, user="admin", timeout=120):
        """Yields the events of a watch as they come, until the server ends it; @path has its query but for watch=1."""
        connection, headers = self.connect(user, timeout)
        try:
            connection.request("GET", path + ("&" if "?" in path else "?") + "watch=1", headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200, f"watch {path}: {answer.status} {answer.read()[:1000]}"
            while line := answer.readline():
                yield json.loads(line)
        finally:
            connection.close()

    def may(self, user, verb, resource, namespace=None, group="", name=None, subresource=None, groups=()):
        """What the server's own authorizer says: a SubjectAccessReview."""
        what = {"verb": verb, "resource": resource, "group": group, "namespace": namespace, "name": name, "subresource": subresource}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                "spec": {"user": user, "groups": list(groups), "resourceAttributes": {k: v for k, v in what.items() if v}}}
        return self.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"]

    def audit(self):
        """The events of the audit log so far. An event may come a little after the answer to its request."""
        path = self.folder / "audit.log"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def rss(self):
        """{program: bytes that it holds in memory}"""
        found = {}
        for name, child in (("etcd", self.etcd), ("kube-apiserver", self.api), ("kube-controller-manager", self.controllers)):
            if child and child.poll() is None:
                pages = int(pathlib.Path(f"/proc/{child.pid}/statm").read_text().split()[1])
                found[name] = pages * os.sysconf("SC_PAGESIZE")
        return found


class AddressTaken(RuntimeError):
    pass


def free_port():
    """A free port below those that the kernel gives to outgoing connections, so that it is still free after a restart."""
    try:
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        first = 32768
    for _ in range(1000):
        port = random.randrange(min(10000, first - 2000), first)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


# ---- objects ----

def node(name="node-1"):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}}


def pod(name, labels=None, node="node-1", **spec):
    """@spec: other fields than nodeName and containers, or in their place."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "registry.test/app:1"}], **spec}}
