"""`holdfast runtime watch` at work on a Docker of the test's own, and the lines that it has printed so far."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

import docker

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
HERE = pathlib.Path(__file__).resolve().parent


def skip_unless():
    """Prints a TAP skip with the reason and exits where the kernel does not take the sensor's programs."""
    probe = subprocess.run([HOLDFAST, "runtime", "probe"], capture_output=True, text=True)
    if probe.returncode:
        print(f"1..0 # SKIP {probe.stderr.strip().splitlines()[-1] if probe.stderr.strip() else 'runtime probe fails'}")
        sys.exit(0)


def get(row, dotted):
    """A field by its name in the table of fields; None where it is absent."""
    for name in dotted.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


class Watch:
    """From __enter__ on, when the programs are loaded, .rows grows; .end() asks it to end and waits for the last line.
    before: containers that run already and are to be known by name; where the engine is too busy to say so in time, it begins again."""

    def __init__(self, d, *options, before=()):
        self.d, self.options, self.before = d, options, before

    def prepare(self):
        d, options = self.d, self.options
        self.state = tempfile.TemporaryDirectory(prefix="hfw-")
        self.command = [HOLDFAST, "runtime", "watch", "--format", "json", "--docker-socket", d.socket, "--state", self.state.name, *options]
        self.rows, self.errors, self.broken, self.ended = [], [], [], False
        self.ready = threading.Event()

    def __enter__(self):
        for _ in range(10):
            self.begin()
            starts = [self.one("container_start", container__id=self.d.container_id(name)) for name in self.before]
            if all(get(start, "container.name") for start in starts):
                break
            self.end()
        return self

    def begin(self):
        self.prepare()
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      preexec_fn=docker.die_with_parent)
        self.readers = [threading.Thread(target=self.read, daemon=True), threading.Thread(target=self.listen, daemon=True)]
        for reader in self.readers:
            reader.start()
        docker.wait_until(lambda: self.ready.is_set() or self.child.poll() is not None, what="the sensor")
        assert self.child.poll() is None, f"exit {self.child.returncode}: {self.errors}"

    def read(self):
        for line in self.child.stdout:
            try:
                self.rows.append(json.loads(line))
            except ValueError:
                self.broken.append(line)

    def listen(self):
        for line in self.child.stderr:
            self.errors.append(line.decode(errors="replace"))
            if b"watching" in line:
                self.ready.set()

    def all(self, kind=None, **fields):
        """Lines of a kind whose fields, written with __ for a dot, are as said."""
        return [r for r in list(self.rows) if kind in (None, r.get("kind")) and
                all(get(r, name.replace("__", ".")) == value for name, value in fields.items())]

    def one(self, kind, **fields):
        """The first such line, waited for."""
        return docker.wait_until(lambda: self.all(kind, **fields), what=f"{kind} {fields}")[0]

    def end(self):
        if self.ended:
            return self.rows
        self.ended = True
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(docker.PATIENCE_S)
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
        for reader in self.readers:
            reader.join(docker.PATIENCE_S)
        self.state.cleanup()
        return self.rows

    def __exit__(self, *_):
        self.end()
