"""t_pss.py HOLDFAST ROOT: TAP. kube pss beside the admission of a real API server: random pods and the pods of Deployments, in
namespaces of each level and of each version that changed a control, are let in or refused by both, and for the same controls.

The server refuses what is no valid pod before it asks for its security: such answers are counted and left out."""
import json
import random
import re
import subprocess
import sys
import tempfile

import server

server.skip_unless()
HOLDFAST = sys.argv[1]
SEED, PODS, EACH = 20261122, 700, 3  # each pod goes to so many namespaces
MINORS = [0, 7, 8, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, None]  # None: latest
PREFIX = "pod-security.kubernetes.io/"
# What the server calls a control when it refuses, and its id; seccompProfile is two controls.
IDS = {
    "forbidden AppArmor profile": "appArmorProfile", "forbidden AppArmor profiles": "appArmorProfile",
    "non-default capabilities": "capabilities_baseline", "host namespaces": "hostNamespaces", "hostPath volumes": "hostPathVolumes",
    "hostPort": "hostPorts", "probe or lifecycle host": "hostProbesAndHostLifecycle", "privileged": "privileged", "procMount": "procMount",
    "seLinuxOptions": "seLinuxOptions", "forbidden sysctls": "sysctls", "hostProcess": "windowsHostProcess",
    "allowPrivilegeEscalation != false": "allowPrivilegeEscalation", "unrestricted capabilities": "capabilities_restricted",
    "restricted volume types": "restrictedVolumes", "runAsNonRoot != true": "runAsNonRoot", "runAsUser=0": "runAsUser",
}
EVERY = set(IDS.values()) | {"seccompProfile_baseline", "seccompProfile_restricted"}


def namespace(level, minor):
    return f"{level}-{'latest' if minor is None else f'1-{minor}'}"


def namespace_object(level, minor, mode):
    version = "latest" if minor is None else f"v1.{minor}"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": ("" if mode == "enforce" else mode + "-") + namespace(level, minor),
        "labels": {PREFIX + mode: level, PREFIX + mode + "-version": version}}}


# ---- random pods, most of which are valid ----

class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def p(self, n):
        return self.r.randrange(n) == 0

    def some(self, target, key, odds, make):
        if self.p(odds):
            target[key] = make()

    def profile(self):
        kind = self.r.choice(["RuntimeDefault", "RuntimeDefault", "Localhost", "Unconfined"])
        return {"type": kind, **({"localhostProfile": "mine"} if kind == "Localhost" else {})}

    def selinux(self):
        o = {}
        self.some(o, "type", 2, lambda: self.r.choice(["container_t", "container_init_t", "container_kvm_t", "container_engine_t", "spc_t", ""]))
        self.some(o, "user", 9, lambda: "system_u")
        self.some(o, "role", 9, lambda: "object_r")
        return o

    def security(self, good):
        s = {}
        self.some(s, "runAsNonRoot", 2, lambda: not self.p(6))
        self.some(s, "runAsUser", 6, lambda: self.r.choice([0, 1000]))
        self.some(s, "seccompProfile", 2, self.profile)
        self.some(s, "appArmorProfile", 9, self.profile)
        self.some(s, "seLinuxOptions", 9, self.selinux)
        if good:
            s.update(runAsNonRoot=True, seccompProfile={"type": "RuntimeDefault"})
            s.pop("runAsUser", None)
        return s

    def capabilities(self):
        c = {}
        self.some(c, "drop", 2, lambda: self.r.choice([["ALL"], ["ALL"], ["KILL", "ALL"], ["NET_RAW"], []]))
        self.some(c, "add", 4, lambda: self.r.sample(["NET_BIND_SERVICE", "CHOWN", "NET_RAW", "SYS_TIME", "MKNOD", "BPF"], self.r.randrange(1, 3)))
        return c

    def handler(self):
        return {self.r.choice(["httpGet", "tcpSocket"]): {"port": 80, **({"host": "10.0.0.1"} if self.p(3) else {})}}

    def container(self, name, good, host_network):
        c = {"name": name, "image": "registry.test/a:1"}
        s = self.security(good)
        if good:
            s.update(allowPrivilegeEscalation=False, capabilities={"drop": ["ALL"]})
        else:
            self.some(s, "allowPrivilegeEscalation", 2, lambda: self.p(4))
            self.some(s, "privileged", 6, lambda: self.p(2))
            self.some(s, "procMount", 8, lambda: self.r.choice(["Default", "Unmasked"]))
            self.some(s, "capabilities", 2, self.capabilities)
            if s.get("privileged") and s.get("allowPrivilegeEscalation") is False:
                del s["allowPrivilegeEscalation"]
            self.some(c, "livenessProbe", 6, self.handler)
            self.some(c, "lifecycle", 8, lambda: {"preStop": self.handler()})
        if s or self.p(2):
            c["securityContext"] = s
        if self.p(3):
            # With the node's network the server itself makes ports into hostPorts.
            host = 80 if host_network else self.r.choice([None, None, 0, 80])
            c["ports"] = [{"containerPort": 80, **({} if host is None else {"hostPort": host})}]
        return c

    def windows_spec(self):
        spec = {"os": {"name": "windows"}, "containers": [{"name": "c0", "image": "registry.test/a:1"}]}
        security = {}
        self.some(security, "runAsNonRoot", 2, lambda: not self.p(4))
        if self.p(3):
            security["windowsOptions"] = {"hostProcess": True}
            spec["hostNetwork"] = True
        spec["securityContext"] = security
        return spec

    def spec(self):
        if self.p(10):
            return self.windows_spec()
        good = self.p(4)  # but for what comes behind
        spec = {}
        if not good or self.p(6):
            self.some(spec, "hostNetwork", 9, lambda: not self.p(3))
            self.some(spec, "hostPID", 12, lambda: not self.p(3))
            self.some(spec, "hostIPC", 12, lambda: not self.p(3))
        if not any(spec.values()):
            self.some(spec, "hostUsers", 6, lambda: self.p(2))
        host = bool(spec.get("hostNetwork"))
        spec["containers"] = [self.container(f"c{i}", good, host) for i in range(self.r.randrange(1, 3))]
        if self.p(3):
            spec["initContainers"] = [self.container(f"i{i}", good and not self.p(5), host) for i in range(self.r.randrange(1, 3))]
            for c in spec["initContainers"]:
                c.pop("livenessProbe", None), c.pop("lifecycle", None)
        security = self.security(good)
        if not host:
            self.some(security, "sysctls", 5, lambda: [{"name": self.r.choice([
                "kernel.shm_rmid_forced", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_rmem", "kernel.msgmax"]),
                "value": "1"}])
        if security or self.p(2):
            spec["securityContext"] = security
        if self.p(3):
            spec["volumes"] = [{"name": f"v{i}", **self.r.choice([
                {"emptyDir": {}}, {"secret": {"secretName": "s"}}, {"projected": {"sources": []}}, {"hostPath": {"path": "/etc"}},
                {"nfs": {"server": "n", "path": "/"}}, {"configMap": {"name": "c"}}, {"csi": {"driver": "d.example"}}])}
                for i in range(self.r.randrange(1, 3))]
        return spec

    def pod(self, name):
        metadata = {"name": name}
        if self.p(6):
            metadata["annotations"] = {self.r.choice(["seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/c0"]):
                                       self.r.choice(["unconfined", "runtime/default", "docker/default"])}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self.spec()}


# ---- what the server says ----

def controls(message, level, minor):
    """The ids in 'violates PodSecurity "LEVEL": CONTROL (details), CONTROL (details)'"""
    text = re.search(r'PodSecurity "[^"]*": (.*)', message, re.DOTALL)[1]
    names, depth, quoted, at = [""], 0, False, 0
    while at < len(text):
        c = text[at]
        if c == "\\" and quoted:
            at += 1
        elif c == '"':
            quoted = not quoted
        elif c in "()" and not quoted:
            depth += 1 if c == "(" else -1
        elif c == "," and not quoted and not depth:
            names.append("")
        elif not quoted and not depth:
            names[-1] += c
        at += 1
    restricted = level == "restricted" and (minor is None or minor >= 19)
    seccomp = "seccompProfile_restricted" if restricted else "seccompProfile_baseline"
    return [seccomp if name.strip() == "seccompProfile" else IDS[name.strip()] for name in names]


def warned(headers, level, minor):
    """The ids in the warnings of an answer"""
    texts = [value for name, value in headers if name == "Warning" and "PodSecurity" in value]
    if not texts:
        return []
    return controls(re.fullmatch(r'299 - "(.*)"', texts[0])[1].replace('\\"', '"').replace("\\\\", "\\"), level, minor)


def holdfast(*args, objects):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, file)
        file.flush()
        done = subprocess.run([HOLDFAST, "kube", "pss", *args, file.name], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def line_of(kind, space, name, failing):
    return f"{'fail' if failing else 'pass'} {space}/{kind}/{name}" + (" " + ",".join(failing) if failing else "")


def pods(s):
    """Random pods: let in or refused alike, for the same controls in the same order"""
    make = Maker(SEED)
    spaces = [(level, minor) for level in ("privileged", "baseline", "restricted") for minor in (MINORS if level != "privileged" else [None])]
    objects = [namespace_object(*space, "enforce") for space in spaces]
    for o in objects:
        s.post("/api/v1/namespaces", o)
    wanted, invalid, seen = [], 0, set()
    for i in range(PODS):
        pod = make.pod(f"p{i}")
        for level, minor in make.r.sample(spaces, EACH):
            space = namespace(level, minor)
            status, body = s.request("POST", f"/api/v1/namespaces/{space}/pods?dryRun=All", pod)
            failing = []
            if status == 422:
                invalid += 1
                continue
            if status == 403:
                failing = controls(json.loads(body)["message"], level, minor)
                seen |= set(failing)
            else:
                assert status == 201, f"{status}: {body[:500]}"
            wanted.append(line_of("Pod", space, pod["metadata"]["name"], failing))
            objects.append({**pod, "metadata": {**pod["metadata"], "namespace": space}})
    got = holdfast("privileged", "--from-labels", objects=objects)
    wrong = [f"{w}\n    {g}\n    {json.dumps(o)}" for w, g, o in zip(wanted, got, objects[len(spaces):]) if w != g]
    refused = sum(line.startswith("fail") for line in wanted)
    print(f"# seed {SEED}: {len(wanted)} answers, {refused} refused, {invalid} were of no valid pod; controls never seen: {sorted(EVERY - seen)}")
    assert len(got) == len(wanted) and not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])
    assert len(wanted) > PODS and PODS / 4 < refused < len(wanted) and len(EVERY - seen) <= 1, "too little was asked"


def templates(s):
    """Pods of Deployments and CronJobs: the server warns of what kube pss finds"""
    make = Maker(SEED + 1)
    spaces = [("baseline", 18), ("baseline", None), ("restricted", 24), ("restricted", None)]
    objects = [namespace_object(*space, "warn") for space in spaces]
    for o in objects:
        s.post("/api/v1/namespaces", o)
    connection, headers = s.connect()
    wanted = []
    for i in range(60):
        level, minor = spaces[i % len(spaces)]
        space, name = "warn-" + namespace(level, minor), f"d{i}"
        template = make.pod("x")
        template = {"metadata": {"labels": {"app": name}, "annotations": template["metadata"].get("annotations", {})}, "spec": template["spec"]}
        if i % 3:
            path, o = "apps/v1/namespaces/%s/deployments", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": space},
                                                            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}
        else:
            template["spec"]["restartPolicy"] = "Never"
            path, o = "batch/v1/namespaces/%s/cronjobs", {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": space},
                                                          "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}}
        connection.request("POST", f"/apis/{path % space}?dryRun=All", json.dumps(o), {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        body, warnings = answer.read(), answer.getheaders()
        if answer.status == 422:
            continue
        assert answer.status == 201, body[:500]
        failing = warned(warnings, level, minor)
        wanted.append(line_of(o["kind"], space, name, failing))
        objects.append(o)
    connection.close()
    got = holdfast("privileged", "--from-labels=warn", objects=objects)
    wrong = [f"{w}\n    {g}\n    {json.dumps(o)}" for w, g, o in zip(wanted, got, objects[len(spaces):]) if w != g]
    assert len(got) == len(wanted) and not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])
    assert len(wanted) > 20 and any(line.startswith("fail") for line in wanted), "too little was asked"


def live(s):
    """The pods of a live cluster, as the server has filled them in, at the levels of its own namespaces"""
    make, spaces, wanted = Maker(SEED + 2), [("baseline", 33), ("restricted", 27)], set()
    for level, minor in spaces:
        o = namespace_object(level, minor, "warn")
        o["metadata"]["name"] = "live-" + namespace(level, minor)
        s.post("/api/v1/namespaces", o)
    connection, headers = s.connect()
    for i in range(60):
        level, minor = spaces[i % 2]
        space, pod = "live-" + namespace(level, minor), make.pod(f"p{i}")
        connection.request("POST", f"/api/v1/namespaces/{space}/pods", json.dumps(pod), {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (201, 422), body[:500]
        if answer.status == 201:
            wanted.add(line_of("Pod", space, f"p{i}", warned(answer.getheaders(), level, minor)))
    connection.close()
    done = subprocess.run([HOLDFAST, "kube", "pss", "privileged", "--from-labels=warn", "--kubeconfig", s.kubeconfig(), "cluster:"],
                          capture_output=True, text=True)
    got = {line for line in done.stdout.splitlines() if " live-" in line}
    assert done.returncode == 1 and got == wanted, f"{done.returncode}: {sorted(got ^ wanted)[:6]}\n{done.stderr}"
    assert len(wanted) > 40


if __name__ == "__main__":
    with server.Server() as running:
        failed = server.main([pods, templates, live], running)
    raise SystemExit(failed)
