"""A running `holdfast kube … --watch`, read while it runs. Argument 1 of the test is holdfast."""
import os
import signal
import subprocess
import sys
import threading

from harness import PATIENCE_S, wait_until

HOLDFAST = os.path.abspath(sys.argv[1])
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("KUBE") and not k.lower().endswith("_proxy")}


class Watch:
    """lines are what it printed, errors what it told."""

    def __init__(self, kubeconfig, *args, targets=("cluster:",)):
        self.child = subprocess.Popen([HOLDFAST, "kube", *args, "--watch", *targets, "--kubeconfig", str(kubeconfig)],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.lines, self.errors = [], []
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.child.stdout, self.lines), (self.child.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def until(self, what, where=None):
        """Until a line has @what in it."""
        lines = self.lines if where is None else where
        wait_until(lambda: any(what in line for line in lines) or self.child.poll() is not None, PATIENCE_S, what)
        assert any(what in line for line in lines), (what, self.lines[-20:], self.errors[-20:])

    def end(self, with_signal=signal.SIGTERM):
        self.child.send_signal(with_signal)
        status = self.child.wait(PATIENCE_S)
        for reader in self.readers:
            reader.join(PATIENCE_S)
        return status
