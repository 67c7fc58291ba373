"""A Docker of the test's own: dockerd with its own folders, socket and network namespace, so that any number may run side by
side and none touches the machine's. Images are made from files and from installed Debian packages; nothing is pulled.

    import docker
    docker.skip_unless()                        # TAP skip with the reason, exit 0
    with docker.Docker() as d:
        d.import_image("box")                   # static busybox, its applets as links
        d("run", "--rm", "box", "true")

What is left when the process is killed is swept by the next one that starts."""
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from harness import PATIENCE_S, abandoned, claim, die_with_parent, finish, main, wait_until  # noqa: E402,F401

PREFIX = "hfdk-"
NEEDED = {"dockerd": "docker.io", "docker": "docker.io", "ip": "iproute2", "nsenter": "util-linux", "umount": "mount"}
START_S, STOP_S = 300, 120
os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing(network=True):
    """Why no Docker can be started here; None where one can."""
    if os.geteuid() != 0:
        return "not root"
    for program, package in NEEDED.items():
        if not shutil.which(program):
            return f"no {program} (package {package})"
    if "\toverlay\n" not in pathlib.Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system"
    if network and not shutil.which("iptables"):
        return "no iptables"
    name = f"{PREFIX}probe-{os.getpid()}"
    trials = [["ip", "netns", "add", name]]
    if network:
        trials += [["ip", "-n", name, "link", "add", "probe", "type", "bridge"],
                   ["nsenter", f"--net=/run/netns/{name}", "iptables", "-t", "nat", "-S"]]
    try:
        for trial in trials:
            done = subprocess.run(trial, capture_output=True, text=True)
            if done.returncode:
                return f"{trial[0]} {trial[-1]}: {done.stderr.strip()}"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return None


def skip_unless(*programs, network=True, image_of=()):
    """Prints a TAP skip with the reason and exits where Docker, one of @programs or an installed package is not there.
    @network as for Docker."""
    why = missing(network)
    why = why or next((f"no {p}" for p in programs if not shutil.which(p)), None)
    why = why or next((f"package {p} is not installed" for p in ("busybox-static", *image_of) if not package_files(p)), None)
    if why:
        print(f"1..0 # SKIP {why}")
        sys.exit(0)


class Docker:
    """network=False: no bridge and no rules of iptables, for machines without either; containers then have loopback alone."""

    def __init__(self, network=True, options=()):
        self.network, self.options = network, list(options)
        self.folder = self.daemon = None

    def __enter__(self):
        sweep()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the end of a test's time also runs __exit__
        base = next(p for p in (tempfile.gettempdir(), "/tmp", "/run") if len(p) < 40)  # sockets: 108 bytes
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        self.name = self.folder.name
        self.owner = claim(self.folder)
        self.socket = str(self.folder / "s")
        self.host = "unix://" + self.socket
        self.data_root, self.exec_root = self.folder / "data", self.folder / "exec"
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        """Begins (again, after stop) to serve the same folders. Returns when it answers."""
        if not os.path.exists(f"/run/netns/{self.name}"):
            subprocess.run(["ip", "netns", "add", self.name], check=True)
            subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        config = self.folder / "daemon.json"  # not the machine's
        config.write_text("{}")
        command = ["nsenter", "--net=/run/netns/" + self.name, "dockerd", "--config-file", config, "--data-root", self.data_root,
                   "--exec-root", self.exec_root, "--pidfile", self.folder / "pid", "--host", self.host, "--log-level=warn"]
        if not self.network:
            command += ["--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false"]
        log = open(self.folder / "log", "ab")
        self.daemon = subprocess.Popen([*map(str, command), *self.options], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, preexec_fn=die_with_parent)
        end = time.monotonic() + START_S
        while not self.answers():
            if self.daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError("dockerd does not answer:\n" + (self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.05)

    def answers(self):
        try:
            return self.api("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def api(self, method, path, body=None):
        """(status, bytes) of a request to the engine itself."""
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(PATIENCE_S)
        try:
            connection.sock.connect(self.socket)
            connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def popen(self, *args, **more):
        """The docker CLI against this engine."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}
        environment.update(DOCKER_HOST=self.host, DOCKER_CONFIG=str(self.folder / "cli"))
        return subprocess.Popen(["docker", *map(str, args)], env=environment, **more)

    def __call__(self, *args, status=0, timeout=300, input=None):
        """Runs the docker CLI; fails unless it exits with @status (None: any). Returns what it printed; of this, the text
        without the last newline is .out, and .err, .status are there too."""
        child = self.popen(*args, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return finish(child, input, timeout, status, f"docker {' '.join(map(str, args))}")

    def import_image(self, name, files=None, packages=(), changes=(), busybox=True):
        """An image of static busybox (at /bin/busybox, applets as links beside it), the files of installed Debian packages with
        the libraries that they need, and @files: path -> bytes, (bytes, mode), or "-> target" for a link. @changes: lines of a
        Dockerfile, as `CMD ["sh"]`. With packages, /bin, /sbin and /lib are links into /usr, as on Debian. Returns the id."""
        tar = image_tar(files or {}, packages, busybox)
        options = [word for change in changes for word in ("--change", change)]
        return self("import", *options, "-", name, input=tar)

    def pid(self, container):
        return int(self("inspect", "-f", "{{.State.Pid}}", container))

    def container_id(self, container):
        return str(self("inspect", "-f", "{{.Id}}", container))

    def stop(self):
        """Ends the containers, dockerd and its containerd. The folders stay."""
        if self.daemon and self.daemon.poll() is None:
            try:
                ids = str(self("ps", "-aq", status=None, timeout=60)).split()
                if ids:
                    self("rm", "-f", *ids, status=None, timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                pass
            self.daemon.terminate()
            try:
                self.daemon.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        kill_users_of(self.folder)
        self.daemon = None

    def __exit__(self, *_):
        if self.folder:
            self.stop()
            remove(self.folder)
            self.owner.close()


# ---- what is left behind ----

def users_of(folder):
    """Processes that name the folder on their command line: dockerd, containerd and shims, which this harness started."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            program = os.path.basename(words[0])
            if program in (b"dockerd", b"docker-proxy") or program.startswith(b"containerd"):
                if any(bytes(folder) + b"/" in w + b"/" for w in words):
                    found.append(int(entry))
    return found


def children_of(pid):
    found = []
    for task in pathlib.Path("/proc", str(pid), "task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            pass
    return found


def kill_containers_of(folder):
    """First processes of containers outlive the shim that started them; the rest of a container ends with its first one."""
    for user in users_of(folder):
        try:
            shim = pathlib.Path("/proc", str(user), "cmdline").read_bytes().split(b"\0")[0].rpartition(b"/")[2].startswith(b"containerd-shim")
        except OSError:
            continue
        for pid in children_of(user) if shim else ():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def kill_users_of(folder):
    end = time.monotonic() + STOP_S
    strength = signal.SIGTERM
    kill_containers_of(folder)
    while users := users_of(folder):
        for pid in users:
            try:
                os.kill(pid, strength)
            except ProcessLookupError:
                pass
        if time.monotonic() > end:
            raise RuntimeError(f"{folder}: processes {users} do not end")
        strength = signal.SIGKILL if time.monotonic() > end - STOP_S / 2 else strength
        time.sleep(0.05)


def mounts_below(folder):
    with open("/proc/self/mountinfo", "rb") as mounts:
        points = [line.split()[4].decode("unicode_escape").encode("latin-1") for line in mounts]
    return [p for p in points if p.startswith(bytes(folder) + b"/")]


def remove(folder):
    for point in reversed(mounts_below(folder)):
        subprocess.run(["umount", "-l", point], capture_output=True)
    subprocess.run(["ip", "netns", "del", folder.name], capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def sweep():
    """Removes what harnesses that were killed have left: their folder's lock is free."""
    for folder in abandoned(PREFIX, "/tmp", "/run"):
        kill_users_of(folder)
        remove(folder)


# ---- images ----

LEFT_OUT = ("/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian", "/usr/share/bash-completion")


def package_files(package):
    listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
    return [] if listed.returncode else [p for p in listed.stdout.splitlines() if p.startswith("/") and not p.startswith(LEFT_OUT)]


def merged(path):
    return "usr/" + path if path.split("/")[0] in ("bin", "sbin", "lib", "lib32", "lib64", "libx32") else path


class Image:
    def __init__(self, links_into_usr):
        self.place = merged if links_into_usr else (lambda path: path)
        self.entries = {}
        for path in ("tmp", "proc", "sys", "dev", "root", "var/tmp"):
            self.put(path, None, mode=0o1777 if path.endswith("tmp") else 0o755, type=tarfile.DIRTYPE)
        if links_into_usr:
            for path in ("bin", "sbin", "lib", "lib64"):
                self.put("usr/" + path, None, mode=0o755, type=tarfile.DIRTYPE)
                self.entries[path] = ({"type": tarfile.SYMTYPE, "linkname": "usr/" + path}, None)

    def put(self, path, data, **fields):
        self.entries[self.place(path.lstrip("/"))] = (fields, data)

    def copy(self, path):
        """The machine's file at its place, with the links that lead to it."""
        if path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
            return  # links into /usr here, which some packages list as folders
        if os.path.islink(path):
            target = os.readlink(path)
            self.put(path, None, type=tarfile.SYMTYPE, linkname=target)
            following = os.path.join(os.path.dirname(path), target)
            if os.path.isfile(following):
                self.copy(os.path.normpath(following))
        elif os.path.isdir(path):
            self.put(path, None, mode=0o755, type=tarfile.DIRTYPE)
        elif os.path.isfile(path):
            self.put(path, pathlib.Path(path).read_bytes(), mode=os.stat(path).st_mode & 0o7777)

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path, (fields, data) in sorted(self.entries.items()):
                info = tarfile.TarInfo(path)
                info.mtime = 1767225600
                for key, value in fields.items():
                    setattr(info, key, value)
                info.size = len(data) if data else 0
                archive.addfile(info, io.BytesIO(data) if data else None)
        return out.getvalue()


def libraries(paths):
    programs = []
    for path in paths:
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as f:
                if f.read(4) == b"\x7fELF":
                    programs.append(path)
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout if programs else ""
    return {word for line in listed.splitlines() if line.startswith("\t") for word in line.split() if word.startswith("/")}


def image_tar(files, packages, busybox):
    image = Image(bool(packages))
    image.put("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n")
    image.put("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    if busybox:
        program = next(p for p in package_files("busybox-static") if p.endswith("/busybox") and os.access(p, os.X_OK) and os.path.isfile(p))
        image.put("bin/busybox", pathlib.Path(program).read_bytes(), mode=0o755)
        for applet in subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split():
            if applet != "busybox":
                image.put("bin/" + applet, None, type=tarfile.SYMTYPE, linkname="busybox")
    status = b""
    for package in packages:
        paths = package_files(package)
        assert paths, f"package {package} is not installed"
        for path in [*paths, *sorted(libraries(paths))]:
            image.copy(path)
        status += subprocess.run(["dpkg", "-s", package], capture_output=True, check=True).stdout + b"\n"
        image.put(f"var/lib/dpkg/info/{package}.list", "".join(p + "\n" for p in paths).encode())
    if packages:
        image.put("var/lib/dpkg/status", status)
        image.copy("/etc/os-release")
    for path, what in files.items():
        if isinstance(what, str) and what.startswith("-> "):
            image.put(path, None, type=tarfile.SYMTYPE, linkname=what[3:])
        else:
            data, mode = what if isinstance(what, tuple) else (what, 0o755)
            image.put(path, data.encode() if isinstance(data, str) else data, mode=mode)
    return image.tar()
