"""A cluster that is not there: discovery, lists and watches over objects that a test puts and takes away, on tests/kube/fake_api.py.

    with Cluster("pods", "nodes") as c:
        c.put("pods", {"metadata": {"name": "a", "namespace": "shop"}, "spec": {}})
        c.faults["pods"] = [lambda request: status(410, "Expired")]   # each is the answer of one watch, in place of its own
"""
import copy
import json
import socket
import threading

from fake_api import Fake, status

KINDS = {  # resource: group, kind, namespaced
    "pods": ("", "Pod", True),
    "nodes": ("", "Node", False),
    "namespaces": ("", "Namespace", False),
    "endpoints": ("", "Endpoints", True),
    "services": ("", "Service", True),
    "endpointslices": ("discovery.k8s.io", "EndpointSlice", True),
    "deployments": ("apps", "Deployment", True),
    "networkpolicies": ("networking.k8s.io", "NetworkPolicy", True),
    "customresourcedefinitions": ("apiextensions.k8s.io", "CustomResourceDefinition", False),
    "rollouts": ("argoproj.io", "Rollout", True),
}


class Cluster:
    def __init__(self, *resources):
        self.lock = threading.Condition()
        self.objects = {name: {} for name in resources}  # by key: the object as JSON
        self.events = {name: [] for name in resources}   # (version, line), all that ever were
        self.version, self.faults, self.watches, self.token = 1, {}, 0, None

    def __enter__(self):
        self.answer_to = self.answer
        self.fake = Fake(lambda r: self.answer_to(r))
        self.fake.__enter__()
        return self

    def __exit__(self, *args):
        with self.lock:
            self.fake.closing = True
            self.lock.notify_all()
        self.fake.__exit__(*args)

    # ---- what a test does ----

    def down(self):
        """Nobody is answered any more, and connections end."""
        self.answer_to = lambda _: status(503, "ServiceUnavailable")
        self.cut()

    def cut(self):
        """All connections end."""
        for connection in list(self.fake.sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def put(self, resource, thing):
        """Creates or changes an object."""
        self.change(resource, thing, None)

    def drop(self, resource, thing):
        self.change(resource, thing, "DELETED")

    def change(self, resource, thing, type):
        thing = copy.deepcopy(thing)
        meta = thing["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        with self.lock:
            self.version += 1
            meta["resourceVersion"] = str(self.version)
            meta.setdefault("uid", "-".join(("uid", resource, *key)))
            known = key in self.objects[resource]
            if type:
                self.objects[resource].pop(key, None)
            else:
                self.objects[resource][key] = json.dumps(thing, separators=(",", ":"))
            self.events[resource].append((self.version, self.line(type or ("MODIFIED" if known else "ADDED"), thing, resource)))
            self.lock.notify_all()

    def trim(self):
        """Forgets events that all watches have had long ago."""
        with self.lock:
            for events in self.events.values():
                del events[:-1000]

    def serve(self, resource):
        with self.lock:
            self.objects[resource], self.events[resource] = {}, []

    def withdraw(self, resource):
        """The server knows the kind no more; its watches end."""
        with self.lock:
            del self.objects[resource]
            self.lock.notify_all()

    def kubeconfig(self, **user):
        return self.fake.kubeconfig(user=user)

    # ---- what the server does ----

    @staticmethod
    def line(type, thing, resource):
        group, kind, _ = KINDS[resource]
        return json.dumps({"type": type, "object": {"kind": kind, "apiVersion": f"{group}/v1" if group else "v1", **thing}},
                          separators=(",", ":")).encode() + b"\n"

    def bookmark(self, resource, version, end=False):
        mark = {"annotations": {"k8s.io/initial-events-end": "true"}} if end else {}
        return self.line("BOOKMARK", {"metadata": {"resourceVersion": str(version), **mark}}, resource)

    def discovery(self, core):
        groups = {}
        for name in list(self.objects):
            group, kind, namespaced = KINDS[name]
            if bool(group) != core:
                groups.setdefault(group, []).append({
                    "resource": name, "responseKind": {"group": group, "version": "v1", "kind": kind}, "singularResource": kind.lower(),
                    "scope": "Namespaced" if namespaced else "Cluster", "verbs": ["get", "list", "watch"]})
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": [
            {"metadata": {"name": group} if group else {}, "versions": [{"version": "v1", "freshness": "Current", "resources": resources}]}
            for group, resources in groups.items()]}

    def answer(self, r):
        if self.token and r.header("authorization") != "Bearer " + self.token:
            return status(401, "Unauthorized")
        if r.path in ("/api", "/apis"):
            return self.discovery(r.path == "/api")
        resource = r.path.rsplit("/", 1)[-1]
        if resource not in self.objects:
            return status(404, "NotFound")
        if r.query.get("watch"):
            return self.watch(r, resource)
        with self.lock:
            items = ",".join(self.objects[resource].values())
            return b'{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"%d"},"items":[%s]}' % (self.version, items.encode())

    def watch(self, r, resource):
        with self.lock:
            self.watches += 1
            fault = self.faults[resource].pop(0) if self.faults.get(resource) else None
        if fault:
            return fault(r)
        r.stream(end=False)
        with self.lock:
            at = int(r.query.get("resourceVersion") or 0)
            first = [self.line("ADDED", json.loads(x), resource) for x in self.objects[resource].values()] if r.query.get("sendInitialEvents") else None
            at = at if first is None else self.version
        for part in range(0, len(first or []), 500):
            r.chunk(b"".join(first[part:part + 500]))
        if first is not None:
            r.chunk(self.bookmark(resource, at, end=True))
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.fake.closing or resource not in self.objects or (
                    self.events[resource] and self.events[resource][-1][0] > at))
                if self.fake.closing or resource not in self.objects:
                    break
                new = [line for version, line in reversed_while(self.events[resource], at)]
                at = self.events[resource][-1][0]
            r.chunk(b"".join(new))
        r.socket.sendall(b"0\r\n\r\n")
        return None


def reversed_while(events, at):
    """The events behind version @at, in their order."""
    n = len(events)
    while n and events[n - 1][0] > at:
        n -= 1
    return events[n:]
