"""t_admission.py HOLDFAST ROOT: TAP. kube admission before a real API server: pods, templates and updates are let in, warned of and
denied; certificates are renewed under load; the webhook goes away; what CEL can hold is held without it."""
import http.client
import json
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading

import server
from server import die_with_parent, free_port, wait_until

server.skip_unless()
HOLDFAST = sys.argv[1]
DIGEST = "@sha256:" + "0123456789abcdef" * 4
SETTINGS = """
pod_security: {enforce: baseline, warn: restricted, exempt: {namespaces: [exempt-*]}}
images: {registries: [registry.test], deny: ['*/miner*']}
ignore_namespaces: [kube-*]
"""
POLICIES = """
policies:
- {id: team-label, title: every pod names its team, subject: pod, action: audit, deny: 'select(.metadata.labels.team|not) | "no team"'}
- {id: no-tenants, title: no tenants, match: {kinds: [ConfigMap]}, deny: 'select(.data.tenant) | "\\(.data.tenant) is no tenant"'}
"""


def tight(**more):
    return {"securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                                "seccompProfile": {"type": "RuntimeDefault"}}, **more}


def pod(name, image="registry.test/app:1", labels=None, container=None, **spec):
    return server.pod(name, labels=labels or {"team": "t"}, containers=[{"name": "c", "image": image, **(tight() if container is None else container)}],
                      **spec)


BAD = {
    "hostNetwork": pod("x", hostNetwork=True), "hostPID": pod("x", hostPID=True),
    "hostPathVolumes": pod("x", volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
    "privileged": pod("x", container={"securityContext": {"privileged": True}}),
    "hostPorts": pod("x", container=tight(ports=[{"containerPort": 80, "hostPort": 80}])),
    "capabilities": pod("x", container={"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}),
    "image-registry": pod("x", image="other.test/app:1"), "image-registry as a prefix": pod("x", image="registry.test.evil.test/app"),
    "image-registry of no name": pod("x", image="app"), "image-denied": pod("x", image="registry.test/miner:1"),
}


class Webhook:
    """serve, in a process of its own"""

    def __init__(self, s, folder, *more):
        self.s, self.folder, self.port = s, pathlib.Path(folder), free_port()
        (self.folder / "settings.yaml").write_text(SETTINGS)
        (self.folder / "policies.yaml").write_text(POLICIES)
        self.rules = ["--config", self.folder / "settings.yaml", "-p", self.folder / "policies.yaml"]
        self.where = ["--url", f"https://127.0.0.1:{self.port}/validate", "--kubeconfig", s.kubeconfig()]
        self.decisions = self.folder / "decisions"
        self.child = None

    def start(self, *more):
        self.child = subprocess.Popen(
            [HOLDFAST, "kube", "admission", "serve", *self.rules, "--listen", f"127.0.0.1:{self.port}", "--name", "127.0.0.1", "--workers", "2",
             "--certificates", self.folder / "pki", "--decisions", self.decisions, *more], stdin=subprocess.DEVNULL,
            stderr=open(self.folder / "log", "ab"), preexec_fn=die_with_parent)
        wait_until(self.answers, what="the webhook")

    def answers(self):
        assert self.child.poll() is None, (self.folder / "log").read_text()
        try:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=ssl.create_default_context(
                cafile=self.folder / "pki" / "ca.crt"))
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def stop(self):
        if self.child and self.child.poll() is None:
            self.child.terminate()
            assert self.child.wait(120) == 0, (self.folder / "log").read_text()

    def records(self):
        return [json.loads(line) for line in self.decisions.read_text().splitlines()]


def holdfast(*args, status=0):
    done = subprocess.run([HOLDFAST, "kube", "admission", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == status, f"{args}: {done.returncode} {done.stderr}"
    return done


def create(s, o, namespace="web", dry_run=True):
    """(status, message, warnings)"""
    group, kind = o["apiVersion"], o["kind"].lower() + "s"
    base = "/api/v1" if group == "v1" else f"/apis/{group}"
    connection, headers = s.connect()
    try:
        connection.request("POST", f"{base}/namespaces/{namespace}/{kind}" + ("?dryRun=All" if dry_run else ""), json.dumps(o),
                           {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        return answer.status, body.get("message", ""), [v for k, v in answer.getheaders() if k == "Warning"]
    finally:
        connection.close()


def denied(s, o, namespace="web"):
    status, message, _ = create(s, o, namespace)
    return status == 403 and message


def install(s, hook):
    """install prints the configuration as YAML that the server takes, and makes it with one command"""
    printed = holdfast("install", *hook.rules, *hook.where, "--certificates", hook.folder / "pki", "--print").stdout
    s.kubectl("apply", "--dry-run=server", "-f", "-", input=printed)
    hook.start()
    holdfast("install", *hook.rules, *hook.where, "--certificates", hook.folder / "pki")
    made = s.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/holdfast")["webhooks"][0]
    assert (made["failurePolicy"], made["matchPolicy"], made["sideEffects"], made["timeoutSeconds"]) == ("Fail", "Equivalent", "None", 5), made
    resources = {f"{group}/{r}" for rule in made["rules"] for group in rule["apiGroups"] for r in rule["resources"]}
    assert {"/pods", "/pods/ephemeralcontainers", "apps/deployments", "batch/cronjobs", "/configmaps"} <= resources, resources
    assert "/secrets" not in resources, resources
    holdfast("install", *hook.rules, *hook.where, "--certificates", hook.folder / "pki")  # again is nothing new
    wait_until(lambda: denied(s, BAD["hostNetwork"]), what="the webhook in force")
    verified = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1",
                               "-CAfile", hook.folder / "pki/ca.crt", hook.folder / "pki/tls.crt"], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def pods(s, hook):
    """Good pods are let in, bad ones denied with the reason"""
    assert create(s, pod("good"), dry_run=False)[0] == 201
    for why, o in BAD.items():
        message = denied(s, o)
        assert message and "admission webhook \"holdfast.admission.holdfast\" denied" in message, f"{why}: {create(s, o)}"
        word = {"hostNetwork": "hostNamespaces", "hostPID": "hostNamespaces"}.get(why, why.split()[0])
        assert word in message, f"{why}: {message}"
    assert "acme is no tenant" in denied(s, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "t"}, "data": {"tenant": "acme"}})
    assert create(s, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "t"}, "data": {"x": "acme"}})[0] == 201
    for namespace in ("kube-system", "kube-public", "exempt-1"):
        assert create(s, BAD["hostPID"], namespace)[0] == 201, namespace


def warnings(s, hook):
    """Warnings are shown by kubectl, whole"""
    done = s.kubectl("create", "--dry-run=server", "-n", "web", "-f", "-", input=pod("warned", container={}))
    assert "Warning: holdfast: pod-security: violates restricted:latest:" in done.err, done.err


def audited(s, hook):
    """Audit annotations stand in the audit log"""
    assert create(s, pod("nobodys", labels={"a": "b"}), dry_run=False)[0] == 201
    key = "holdfast.admission.holdfast/findings"
    wait_until(lambda: [e for e in s.audit() if "[team-label] no team" in e.get("annotations", {}).get(key, "")], what="the annotation")


def templates(s, hook):
    """Templates are judged when they are made; replicas of one are judged once"""
    template = {"metadata": {"labels": {"app": "d", "team": "t"}}, "spec": pod("x")["spec"]}
    del template["spec"]["nodeName"]
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
                  "spec": {"selector": {"matchLabels": {"app": "d"}}, "template": template}}
    assert create(s, deployment)[0] == 201
    template["spec"]["hostIPC"] = True
    assert "spec.template.spec.hostIPC" in denied(s, deployment)
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"},
            "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {**template["spec"], "restartPolicy": "Never"}}}}}}
    assert "spec.jobTemplate.spec.template.spec.hostIPC" in denied(s, cron)
    for i in range(12):
        o = pod("x")
        o["metadata"] = {"generateName": "replica-", "labels": {"team": "t"}}
        assert create(s, o, dry_run=False)[0] == 201
    cached = [r["cached"] for r in hook.records() if r.get("name", "").startswith("replica-") or r.get("kind") == "Pod"][-12:]
    assert cached.count(True) >= 10, cached  # each of two workers asks once


def updates(s, hook):
    """Ephemeral containers and changes are judged, and updates of what was there before are not"""
    path = "/api/v1/namespaces/web/pods/good"
    bad = {"spec": {"ephemeralContainers": [{"name": "e", "image": "other.test/debug"}]}}
    answer = s.patch(path + "/ephemeralcontainers", bad, status=403)
    assert "container e: other.test/debug is from no registry" in answer["message"], answer
    bad["spec"]["ephemeralContainers"][0]["image"] = "registry.test/debug"
    s.patch(path + "/ephemeralcontainers", bad)
    s.patch(path + "/status", {"status": {"phase": "Running"}})
    answer = s.patch(path, pod("good", image="other.test/app:1"), status=403)
    assert "container c: other.test/app:1 is from no registry" in answer["message"], answer
    # A pod from before the webhook, which would be denied today: its labels may not change, its finalizers may.
    old = BAD["hostPID"]
    assert create(s, old, "exempt-1", dry_run=False)[0] == 201
    s.patch("/api/v1/namespaces/exempt-1/pods/x", {"metadata": {"finalizers": ["test.test/f"]}})
    s.patch("/api/v1/namespaces/exempt-1/pods/x", {"metadata": {"finalizers": None}})
    s.delete(path)


def recorded(s, hook):
    """Each decision is recorded; the file is opened anew by SIGHUP"""
    records = hook.records()
    assert {r["schema"] for r in records} == {"holdfast/admission/1"}
    one = [r for r in records if not r["allowed"] and r["reasons"][0]["rule"] == "image-denied"][0]
    assert one["user"] == "admin" and one["operation"] == "CREATE" and one["dry_run"] and one["namespace"] == "web", one
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["time"]), one
    assert oct(hook.decisions.stat().st_mode & 0o777) == "0o600"
    hook.decisions.rename(hook.folder / "before")
    hook.child.send_signal(signal.SIGHUP)
    wait_until(hook.decisions.exists, what="the new file")
    assert create(s, pod("again"))[0] == 201
    assert [r["name"] for r in hook.records()] == ["again"]


class Load:
    """Pods, created without an end, until the with ends"""

    def __init__(self, s):
        self.s, self.ended, self.done, self.failed = s, threading.Event(), 0, []

    def run(self):
        while not self.ended.is_set():
            status, message, _ = create(self.s, pod(f"load-{self.done}"))
            self.done += 1
            if status != 201:
                self.failed.append((status, message))

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def renewal(s, hook):
    """Certificates are renewed while requests run, and so is their authority: none fails"""
    hook.stop()
    hook.start("--install", *hook.where)
    pki = hook.folder / "pki"
    for names in (["tls.crt"], ["ca.crt", "ca.key", "tls.crt", "tls.key"]):
        before = {name: (pki / name).read_bytes() for name in ("tls.crt", "ca.crt")}
        with Load(s) as load:
            wait_until(lambda: load.done > 5)
            for name in names:
                (pki / name).unlink()
            hook.child.send_signal(signal.SIGHUP)

            def served():
                pem = ssl.get_server_certificate(("127.0.0.1", hook.port))
                return pem.strip() not in before["tls.crt"].decode()

            wait_until(served, what="another certificate")
            at = load.done
            wait_until(lambda: load.done > at + 10)
        print(f"# {load.done} requests")
        assert not load.failed, load.failed[:3]
        assert ((pki / "ca.crt").read_bytes() == before["ca.crt"]) == ("ca.crt" not in names)
        assert (pki / "tls.key").stat().st_mode & 0o777 == 0o600
    log = (hook.folder / "log").read_text()
    assert "not renewed" not in log, log


def away(s, hook):
    """With the webhook down, fail: closed lets nothing in, and fail: open all"""
    hook.stop()
    wait_until(lambda: create(s, pod("one"))[0] == 500, what="a failure")
    assert "failed calling webhook" in create(s, pod("one"))[1]
    assert create(s, pod("one"), "kube-system")[0] == 201
    (hook.folder / "settings.yaml").write_text(SETTINGS + "fail: open\n")
    holdfast("install", *hook.rules, *hook.where, "--certificates", hook.folder / "pki")
    wait_until(lambda: create(s, BAD["hostPID"])[0] == 201, what="a bad pod let in")
    (hook.folder / "settings.yaml").write_text(SETTINGS)


def uninstall(s, hook):
    """uninstall takes it back, and says so where nothing was there"""
    assert "is removed" in holdfast("uninstall", "--kubeconfig", s.kubeconfig()).stderr
    assert "was not there" in holdfast("uninstall", "--kubeconfig", s.kubeconfig()).stderr
    wait_until(lambda: create(s, pod("one"))[0] == 201, what="a pod let in")
    holdfast("install", *hook.rules, *hook.where[:2], "--kubeconfig", s.kubeconfig("alice"), "--certificates", hook.folder / "pki", status=2)


def deploy(s, hook):
    """The manifests to deploy it are taken by the server, and its account may do what it needs and no more"""
    path = pathlib.Path(sys.argv[2]) / "deploy" / "admission" / "holdfast.yaml"
    s.kubectl("apply", "-f", path)
    account, what = "system:serviceaccount:holdfast:holdfast-admission", "validatingwebhookconfigurations"
    may = {(verb, name): s.may(account, verb, what, group="admissionregistration.k8s.io", name=name)
           for verb in ("get", "create", "patch", "delete", "list") for name in ("holdfast", "other")}
    assert {k for k, v in may.items() if v} == {("get", "holdfast"), ("patch", "holdfast"), ("create", "holdfast"), ("create", "other")}, may
    s.kubectl("delete", "--wait=false", "-f", path)


def cel(s, hook):
    """ValidatingAdmissionPolicies hold without the webhook: the same pods"""
    printed = holdfast("policies", *hook.rules).stdout
    assert "# Not held here: policy team-label, a program of jq" in printed
    s.kubectl("apply", "-f", "-", input=printed)
    wait_until(lambda: denied(s, BAD["hostNetwork"]), what="the policies in force")
    wait_until(lambda: denied(s, BAD["image-registry"]), what="the policies in force")
    for why, o in BAD.items():
        message = denied(s, o)
        assert message and "ValidatingAdmissionPolicy 'holdfast-" in message, f"{why}: {create(s, o)}"
    assert create(s, pod("good2"), dry_run=False)[0] == 201
    status, _, warned = create(s, pod("warned", container={}))
    assert status == 201 and any("violates restricted:latest: runAsNonRoot" in w for w in warned), warned
    for namespace in ("kube-system", "kube-public", "exempt-1"):
        assert create(s, {**BAD["hostPID"], "metadata": {"name": f"y-{namespace}"}}, namespace)[0] == 201, namespace
    answer = s.patch("/api/v1/namespaces/web/pods/good2/ephemeralcontainers",
                     {"spec": {"ephemeralContainers": [{"name": "e", "image": "other.test/debug"}]}}, status=403)
    assert "image-registry" in answer["message"], answer
    s.kubectl("delete", "-f", "-", input=printed)
    for o in BAD["hostPID"], BAD["image-denied"]:
        wait_until(lambda: create(s, {**o, "metadata": {"name": "free"}})[0] == 201, what="the policies' end")


def cel_agrees(s, hook):
    """Random pods: the policies find the controls that kube pss finds"""
    import t_pss
    make, wrong, asked, failing = t_pss.Maker(20261123), [], 0, 0
    for level in ("restricted", "baseline:v1.24"):
        (hook.folder / "level.yaml").write_text(f"pod_security: {{warn: '{level}'}}\n")
        printed = holdfast("policies", "--config", hook.folder / "level.yaml", "--configuration", "random").stdout
        s.kubectl("apply", "-f", "-", input=printed)
        full = level if ":" in level else level + ":latest"
        wait_until(lambda: any(f"violates {full}: hostNamespaces" in w for w in create(s, {**BAD["hostPID"], "metadata": {"name": "probe"}})[2]), what="the policies in force")
        for i in range(150):
            o = make.pod(f"r{i}")
            status, message, warned = create(s, o)
            if status == 422 and "ValidatingAdmissionPolicy" not in message:
                continue
            assert status == 201, message
            got = sorted(re.findall(rf"violates {re.escape(full)}: (\w+)", " ".join(warned)))
            line = t_pss.holdfast(level, objects=[o])[0].split()
            wanted = sorted(line[2].split(",")) if len(line) > 2 else []
            asked, failing = asked + 1, failing + bool(wanted)
            if got != wanted:
                wrong.append((wanted, got, o))
        s.kubectl("delete", "-f", "-", input=printed)
        wait_until(lambda: not create(s, {**BAD["hostPID"], "metadata": {"name": "probe"}})[2], what="the policies' end")
    print(f"# {asked} pods, {failing} fail")
    assert not wrong, f"{len(wrong)} differ: {json.dumps(wrong[0])}"
    assert asked > 150 and 50 < failing < asked


def namespaces(s, _):
    """Policies see $namespace, and labels set the level: also of a namespace that came a moment ago, changed, or is not there"""
    rules = """
policies:
- {id: gold, title: gold is not cheap, match: {kinds: [ConfigMap]}, deny: 'select($namespace.metadata.labels.tier == "gold" and .data.cheap) | "not in " + $namespace.metadata.name'}
"""
    prefix = "pod-security.kubernetes.io/"
    with tempfile.TemporaryDirectory() as folder:
        hook = Webhook(s, folder)
        (hook.folder / "settings.yaml").write_text("pod_security: {from_labels: true}\n")
        (hook.folder / "policies.yaml").write_text(rules)

        def ask(o, namespace):
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                "uid": "u", "kind": {"group": "", "version": "v1", "kind": o["kind"]}, "operation": "CREATE", "namespace": namespace,
                "userInfo": {"username": "ada"}, "object": o, "oldObject": None}}
            connection = http.client.HTTPSConnection("127.0.0.1", hook.port, timeout=60, context=ssl.create_default_context(
                cafile=hook.folder / "pki" / "ca.crt"))
            try:
                connection.request("POST", "/validate", json.dumps(review), {"Content-Type": "application/json"})
                answer = json.loads(connection.getresponse().read())["response"]
                return answer["allowed"] or answer["status"]["message"]
            finally:
                connection.close()

        cheap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"cheap": "yes"}}
        hook.start("--kubeconfig", s.kubeconfig())
        try:
            for i in range(20):  # quicker than any watch
                name = f"gold-{i}"
                s.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": {"tier": "gold", prefix + "enforce": "baseline"}}})
                assert f"not in {name}" in str(ask(cheap, name)), name
                assert "violates baseline" in str(ask(BAD["hostPID"], name)), name
            assert ask(cheap, "web") is True and ask(BAD["hostPID"], "web") is True  # no labels
            s.patch("/api/v1/namespaces/web", {"metadata": {"labels": {"tier": "gold", prefix + "enforce": "baseline"}}})
            wait_until(lambda: "not in web" in str(ask(cheap, "web")) and "violates baseline" in str(ask(BAD["hostPID"], "web")), 60, "the new labels")
            s.patch("/api/v1/namespaces/web", {"metadata": {"labels": {"tier": None, prefix + "enforce": None}}})
            wait_until(lambda: ask(cheap, "web") is True and ask(BAD["hostPID"], "web") is True, 60, "their end")
            for o in (cheap, BAD["hostPID"]):
                assert "the namespace nowhere is not known" in str(ask(o, "nowhere"))
            assert ask({**cheap, "kind": "Secret"}, "nowhere") is True  # no rule asks
        finally:
            hook.stop()
        hook.start("--kubeconfig", s.kubeconfig("viewer"))
        try:
            assert "the namespace web is not known" in str(ask(cheap, "web"))
            assert "namespaces are not followed" in (hook.folder / "log").read_text()
        finally:
            hook.stop()


if __name__ == "__main__":
    with server.Server() as running, tempfile.TemporaryDirectory() as scratch:
        for name in ("web", "exempt-1"):
            running.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        running.post("/api/v1/nodes", server.node())
        webhook = Webhook(running, scratch)
        try:
            failed = server.main([install, pods, warnings, audited, templates, updates, recorded, renewal, away, uninstall, deploy, namespaces, cel, cel_agrees],
                                 running, webhook)
        finally:
            if webhook.child and webhook.child.poll() is None:
                webhook.child.kill()
    raise SystemExit(failed)
