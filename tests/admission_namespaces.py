"""admission_namespaces.py HOLDFAST: TAP. The webhook beside a cluster whose namespaces cannot be had, on loopback."""
import json
import pathlib
import shutil
import sys
import tempfile
import threading

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / "kube")]
from admission_load import Server, review  # noqa: E402
from fake_api import status  # noqa: E402
from fake_cluster import Cluster  # noqa: E402
from harness import main, wait_until  # noqa: E402

if not shutil.which("openssl"):
    print("1..0 # SKIP no openssl")
    sys.exit(0)
POLICIES = "policies:\n- {id: team, title: t, deny: 'if $namespace.metadata.labels.team == \"red\" then \"red\" else empty end'}\n"
LONG = 60


def namespace(name, **labels):
    return {"metadata": {"name": name, "labels": labels}}


class Gates:
    """A cluster that answers lists and watches, and asked for one namespace waits until it is let, or says that there is none."""

    def __init__(self):
        self.asked, self.open, self.hangs = [], threading.Event(), False
        self.cluster = Cluster("namespaces")

    def answer(self, r):
        before, _, name = r.path.rpartition("/namespaces/")
        if not before:
            return self.cluster.answer(r)
        with self.cluster.lock:
            self.asked.append(name)
        if self.hangs:
            self.open.wait(LONG)
        return status(404, "NotFound")


def verdict(s, name):
    code, text = s.post(review(name))
    assert code == 200, text
    answer = json.loads(text)["response"]
    return "allowed" if answer["allowed"] else answer["status"]["message"]


def reviews(s, names):
    """The verdicts of all, asked for at once."""
    found = {}
    threads = [threading.Thread(target=lambda name=name: found.__setitem__(name, verdict(s, name))) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    return found


def known(s, gates):
    """Namespaces that there are decide, and are not asked for"""
    wait_until(lambda: verdict(s, "red").endswith("red"), LONG, "the namespaces")
    gates.asked.clear()
    assert verdict(s, "blue") == "allowed" and not gates.asked, gates.asked


def unknown(s, gates):
    """One that there is not is asked for once in a while, and gives no verdict: on_error"""
    gates.asked.clear()
    for _ in range(20):
        assert "the namespace nobody is not known" in verdict(s, "nobody")
    assert 0 < len(gates.asked) < 20, gates.asked
    # It comes: the watch tells.
    gates.cluster.put("namespaces", namespace("nobody"))
    wait_until(lambda: verdict(s, "nobody") == "allowed", LONG, "the new one")


def stalled(s, gates):
    """Many names, and a server that does not answer for them: no more than some are asked for, known namespaces are judged meanwhile"""
    gates.hangs = True
    gates.asked.clear()
    names = [f"stall-{i}" for i in range(40)]
    found = {}
    crowd = threading.Thread(target=lambda: found.update(reviews(s, names)))
    crowd.start()
    wait_until(lambda: gates.asked, LONG, "a question")
    while crowd.is_alive():
        assert verdict(s, "blue") == "allowed"
        gates.cluster.put("namespaces", namespace("changing", n=str(len(gates.asked))))
    assert len(found) == 40 and all("is not known" in text for text in found.values()), found
    assert len(gates.asked) <= 40
    gates.hangs = False
    gates.open.set()
    gates.cluster.put("namespaces", namespace("late", team="red"))
    wait_until(lambda: verdict(s, "late").endswith("red"), LONG, "namespaces are followed")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        gates = Gates()
        with gates.cluster as cluster:
            cluster.answer_to = gates.answer
            cluster.put("namespaces", namespace("red", team="red"))
            cluster.put("namespaces", namespace("blue", team="blue"))
            s = Server(pathlib.Path(scratch), POLICIES, ("--kubeconfig", str(cluster.kubeconfig())))
            try:
                failed = main([known, unknown, stalled], s, gates)
                s.child.terminate()
                assert s.child.wait(LONG) == 0
            finally:
                if s.child.poll() is None:
                    s.child.kill()
    raise SystemExit(failed)
