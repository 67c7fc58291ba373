"""An HTTPS server on loopback that answers as a test's function says, faults included; and what a client needs to reach it.

    with Fake(handler) as fake:          # handler(request) -> an answer (below), or it writes to request.socket itself and returns None
        fake.kubeconfig(token="abc")     # a path

An answer is bytes, an object (JSON), or (status, object or bytes, {header: value})."""
import base64
import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.parse


class Request:
    def __init__(self, connection, number, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ")
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), []).append(value.strip())
        self.body, self.socket, self.connection = body, connection, number

    def header(self, name):
        return (self.headers.get(name) or [None])[0]

    def stream(self, *lines, end=True):
        """A watch's answer: an object or bytes a chunk. Without @end the connection is left as it is."""
        self.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for line in lines:
            self.chunk(line)
        if end:
            self.socket.sendall(b"0\r\n\r\n")

    def chunk(self, line):
        data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def cut(self):
        """Ends the connection in the middle of an answer."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def answer_bytes(answer):
    status, body, headers = answer if isinstance(answer, tuple) else (200, answer, {})
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in {"Content-Type": "application/json", **headers}.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def status(code, reason, message="", **more):
    """A Status as the answer of a request."""
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code, **more}, {}


class Authority:
    """Certificates by openssl, made once."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self.make("ca", ca=True)

    def make(self, name, subject=None, addresses="IP:127.0.0.1", ca=False, days="3", signed=True):
        path = self.folder / name
        path.with_suffix(".cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n[ext]\nsubjectKeyIdentifier=hash\n" + (
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n" if ca else f"subjectAltName={addresses}\n"))
        signer = [] if ca or not signed else ["-CA", self.folder / "ca.crt", "-CAkey", self.folder / "ca.key"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days,
                        "-subj", f"/CN={subject or name}", "-config", path.with_suffix(".cnf"), "-extensions", "ext", *signer,
                        "-keyout", path.with_suffix(".key"), "-out", path.with_suffix(".crt")], check=True, capture_output=True)
        return path.with_suffix(".crt")


class Fake:
    authority = None

    def __init__(self, handler, tls=True, certificate="server"):
        self.handler, self.tls, self.certificate = handler, tls, certificate
        self.requests, self.lock, self.closing = [], threading.Lock(), False

    def __enter__(self):
        if not Fake.authority:
            Fake.scratch = tempfile.TemporaryDirectory(prefix="hf-fake-api-")
            Fake.authority = Authority(Fake.scratch.name)
            Fake.authority.make("server")
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=Fake.scratch.name))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"
        self.sockets, self.connections = [], 0
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()
        return self

    def __exit__(self, *_):
        # Nothing is closed under a thread that uses it: the number of the descriptor could be another server's by then.
        self.closing = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        self.listener.close()
        for one in list(self.sockets):
            try:
                socket.socket.shutdown(one, socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.tls:
            own = Fake.authority.folder / self.certificate
            context.load_cert_chain(own.with_suffix(".crt"), own.with_suffix(".key"))
            context.load_verify_locations(Fake.authority.ca)
            context.verify_mode = ssl.CERT_OPTIONAL
            context.sni_callback = lambda _, name, __: self.names.append(name)
        self.names = []
        while not self.closing:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(context, plain, self.connections), daemon=True).start()

    def serve(self, context, plain, number):
        connection = plain
        try:
            connection = context.wrap_socket(plain, server_side=True) if self.tls else plain
            self.sockets.append(connection)
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    data = connection.recv(65536)
                    if not data:
                        return
                    rest += data
                head, _, rest = rest.partition(b"\r\n\r\n")
                request = Request(connection, number, head, b"")
                length = int(request.header("content-length") or 0)
                while len(rest) < length:
                    rest += connection.recv(65536)
                request.body, rest = rest[:length], rest[length:]
                if self.tls:
                    request.subject = dict(x[0] for x in (connection.getpeercert() or {}).get("subject", ())).get("commonName")
                with self.lock:
                    self.requests.append(request)
                answer = self.handler(request)
                if answer is not None:
                    connection.sendall(answer_bytes(answer))
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def kubeconfig(self, user=None, cluster=None, **fields):
        """@user and @cluster replace what stands there; @fields are of the user."""
        ca = {"certificate-authority-data": base64.b64encode(Fake.authority.ca.read_bytes()).decode()} if self.tls else {}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "c", "cluster": {"server": self.url, **(ca if cluster is None else cluster)}}],
            "users": [{"name": "u", "user": {**(user or {}), **fields}}],
            "contexts": [{"name": "fake", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}]}
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return path
