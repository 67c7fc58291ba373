"""t_defaults.py HOLDFAST: TAP. What holdfast says that an API server stores, against what one does store: objects of all kinds that are
looked into, made at random with fields left out, created with --dry-run=server. src/kube/defaults.def is the table."""
import copy
import json
import random
import subprocess
import sys

import server

server.skip_unless()
HOLDFAST = sys.argv[1]
SEED, EACH = 20261122, 40
SPACE = "shop"
PLUGINS = "ServiceAccount,Priority,DefaultTolerationSeconds,StorageObjectInUseProtection"  # what they fill in are no defaults
META = ["uid", "creationTimestamp", "managedFields", "generation", "resourceVersion", "namespace", "labels", "annotations", "finalizers"]
MAPS = ["requests", "limits", "labels", "matchLabels", "data", "hard", "capacity", "selector", "max"]
ALLOCATED = {
    "Service": ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"],
    "Job": ["selector", "manualSelector"],
}

PROBE = {"initialDelaySeconds": 3, "timeoutSeconds": 2, "periodSeconds": 5, "failureThreshold": 4,
         "?": [{"httpGet": {"port": 80, "path": "/x", "scheme": "HTTPS"}}, {"tcpSocket": {"port": 80}}, {"grpc": {"port": 80, "service": "s"}}]}
CONTAINER = {
    "name!": "c", "image!": ["web", "web:latest", "web:1", "r.example:5000/web", "r.example:5000/web:1.2",
                             "web@sha256:" + "0" * 64, "web:latest@sha256:" + "0" * 64],
    "imagePullPolicy": ["Never", "Always"], "terminationMessagePath": "/t", "terminationMessagePolicy": "FallbackToLogsOnError",
    "resources": {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "500m"}},
    "ports": [[{"containerPort!": 80, "protocol": ["UDP", "SCTP"], "name": "p"}, {"containerPort!": 81}]],
    "livenessProbe": PROBE, "readinessProbe": {**PROBE, "successThreshold": 2},
    "lifecycle": {"preStop": {"httpGet": {"port!": 80, "path": "/bye"}}},
    "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": [["ALL"]]}},
    "env": [[{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath!": "metadata.name", "apiVersion": "v1"}}}]],
}
VOLUMES = [
    {"hostPath": {"path!": "/x", "type": "Directory"}}, {"secret": {"secretName!": "s", "defaultMode": 256}},
    {"configMap": {"name!": "s", "defaultMode": 256}}, {"emptyDir": {"medium": "Memory"}}, {},
    {"projected": {"defaultMode": 256, "sources!": [[{"serviceAccountToken": {"path!": "t", "expirationSeconds": 900}}, {"secret": {"name": "s"}}]]}},
    {"downwardAPI": {"items": [[{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]]}}, {"persistentVolumeClaim": {"claimName!": "c"}},
    {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes!": [["ReadWriteOnce"]], "volumeMode": "Block", "resources!": {"requests": {"storage": "1Gi"}}}}}},
    {"iscsi": {"targetPortal!": "1.2.3.4:3260", "iqn!": "iqn.2001-04.com.example:disk", "lun!": 0, "iscsiInterface": "x"}},
    {"rbd": {"monitors!": [["m"]], "image!": "i", "pool": "p", "user": "u"}},
    {"azureDisk": {"diskName!": "d", "diskURI!": "https://b.example/d.vhd", "cachingMode": "None"}},
    {"nfs": {"server!": "n", "path!": "/"}}, {"csi": {"driver!": "d.example"}},
]
SPEC = {
    "containers!": [[CONTAINER], [CONTAINER, {**CONTAINER, "name!": "d"}]], "initContainers": [[{"name!": "i", "image!": "i"}]],
    "restartPolicy": "Always", "dnsPolicy": "Default", "schedulerName": "mine", "terminationGracePeriodSeconds": 5,
    "securityContext": {"runAsUser": 1, "fsGroup": 2}, "enableServiceLinks": False, "serviceAccountName": "a", "hostNetwork": True,
    "volumes": [[{"name!": "v", "?": VOLUMES}, {"name!": "w", "?": VOLUMES}]], "tolerations": [[{"key": "k", "operator": "Exists"}]],
}
TEMPLATE = {"metadata!": {"labels": {"app": "x"}}, "spec!": SPEC}
ONCE = {"metadata": {"labels": {"app": "x"}}, "spec!": {**SPEC, "restartPolicy": "!Never"}}
SELECTOR = {"matchLabels": {"app": "x"}}
CLAIM = {"accessModes!": [["ReadWriteOnce"]], "resources!": {"requests": {"storage": "1Gi"}}, "volumeMode": "Block", "storageClassName": "s"}
JOB = {"parallelism": 2, "completions": 2, "backoffLimit": 3, "completionMode": "Indexed", "suspend": True, "backoffLimitPerIndex": 1, "template!": ONCE,
       "podFailurePolicy": {"rules": [[{"action": "Ignore", "onPodConditions": [[{"type": "DisruptionTarget", "status": "True"}]]}]]}}
WEBHOOK = {"name!": "h.example.com", "sideEffects!": "None", "admissionReviewVersions!": [["v1"]], "failurePolicy": "Ignore", "matchPolicy": "Exact",
           "namespaceSelector": SELECTOR, "objectSelector": SELECTOR, "timeoutSeconds": 5,
           "clientConfig!": {"service": {"namespace!": "n", "name!": "s", "port": 8443}},
           "rules!": [[{"operations!": [["CREATE"]], "apiGroups!": [[""]], "apiVersions!": [["v1"]], "resources!": [["pods"]], "scope": "Namespaced"}]]}
POLICY_MATCH = {"resourceRules!": [[{"operations!": [["CREATE"]], "apiGroups!": [[""]], "apiVersions!": [["v1"]], "resources!": [["pods"]], "scope": "Namespaced"}]],
                "matchPolicy": "Exact", "namespaceSelector": SELECTOR}
NETWORK_PORTS = [[{"port": 80, "protocol": "UDP"}]]
SERVICE_PORT = {"port!": 80, "protocol": "UDP", "targetPort": "web", "name!": "a"}
RULES = [[{"apiGroups!": [[""]], "resources!": [["pods"]], "verbs!": [["get"]]}]]
BINDING = {"roleRef!": {"apiGroup": "rbac.authorization.k8s.io", "kind!": "ClusterRole", "name!": "r"},
           "subjects": [[{"kind!": "User", "name!": "u", "apiGroup": "rbac.authorization.k8s.io"}, {"kind!": "ServiceAccount", "name!": "s", "namespace!": "n"}]]}
# apiVersion, kind, resource, namespaced, the whole of it. "name!" is never left out; a list is a choice; "?" is one of these in its place.
KINDS = [
    ("v1", "Pod", "pods", True, {"spec!": SPEC}),
    ("v1", "PodTemplate", "podtemplates", True, {"template!": TEMPLATE}),
    ("v1", "ReplicationController", "replicationcontrollers", True, {"spec!": {"replicas": 2, "selector": {"app": "x"}, "template!": TEMPLATE}}),
    ("apps/v1", "Deployment", "deployments", True, {"spec!": {
        "replicas": 2, "revisionHistoryLimit": 1, "progressDeadlineSeconds": 700, "selector!": SELECTOR, "template!": TEMPLATE,
        "strategy": {"?": [{"type": "Recreate"}, {"type": "RollingUpdate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 2}}]}}}),
    ("apps/v1", "ReplicaSet", "replicasets", True, {"spec!": {"replicas": 2, "selector!": SELECTOR, "template!": TEMPLATE}}),
    ("apps/v1", "DaemonSet", "daemonsets", True, {"spec!": {
        "revisionHistoryLimit": 1, "selector!": SELECTOR, "template!": TEMPLATE,
        "updateStrategy": {"?": [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}]}}}),
    ("apps/v1", "StatefulSet", "statefulsets", True, {"spec!": {
        "replicas": 2, "revisionHistoryLimit": 1, "podManagementPolicy": "Parallel", "serviceName!": "s", "selector!": SELECTOR, "template!": TEMPLATE,
        "updateStrategy": {"?": [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}]},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
        "volumeClaimTemplates": [[{"apiVersion!": "v1", "kind!": "PersistentVolumeClaim", "metadata!": {"name": "data"}, "spec!": CLAIM}]]}}),
    ("batch/v1", "Job", "jobs", True, {"spec!": JOB}),
    ("batch/v1", "CronJob", "cronjobs", True, {"spec!": {
        "schedule!": "@daily", "concurrencyPolicy": "Forbid", "suspend": True, "successfulJobsHistoryLimit": 5, "failedJobsHistoryLimit": 5,
        "jobTemplate!": {"spec!": {"template!": ONCE, "backoffLimit": 2}}}}),
    ("v1", "Service", "services", True, {"spec!": {
        "type": ["ClusterIP", "NodePort", "LoadBalancer"], "sessionAffinity": "ClientIP", "internalTrafficPolicy": "Local", "externalIPs": [["1.2.3.4"]],
        "allocateLoadBalancerNodePorts": False, "selector": {"app": "x"}, "ports!": [[SERVICE_PORT, {**SERVICE_PORT, "name!": "b", "port!": 81}]]}}),
    ("v1", "Service", "services", True, {"spec!": {"type!": "ExternalName", "externalName!": "x.example.com"}}),
    ("v1", "Endpoints", "endpoints", True, {"subsets": [[{"addresses": [[{"ip": "1.2.3.4"}]], "ports": [[{"port!": 80, "protocol": "UDP"}]]}]]}),
    ("v1", "Secret", "secrets", True, {"type": "x"}), ("v1", "ConfigMap", "configmaps", True, {"data": {"a": "b"}}),
    ("v1", "ServiceAccount", "serviceaccounts", True, {"automountServiceAccountToken": False}),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, {"spec!": CLAIM}),
    ("v1", "PersistentVolume", "persistentvolumes", False, {"spec!": {
        "capacity!": {"storage": "1Gi"}, "accessModes!": [["ReadWriteOnce"]], "persistentVolumeReclaimPolicy": "Recycle", "volumeMode": "Filesystem",
        "?": [{"hostPath": {"path!": "/x", "type": "Directory"}}, {"nfs": {"server": "n", "path": "/"}},
              {"iscsi": {"targetPortal!": "1.2.3.4:3260", "iqn!": "iqn.2001-04.com.example:disk", "lun!": 0}}, {"rbd": {"monitors!": [["m"]], "image!": "i"}}]}}),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", True, {"spec!": {
        "podSelector": SELECTOR, "policyTypes": [["Ingress"], ["Egress"]], "ingress": [[{"ports": NETWORK_PORTS, "from": [[{"podSelector": SELECTOR}]]}]],
        "egress": [[{"ports": NETWORK_PORTS}]]}}),
    ("networking.k8s.io/v1", "Ingress", "ingresses", True, {"spec!": {"ingressClassName": "c", "rules!": [[{"host": "a.example.com", "http": {"paths!": [[
        {"path!": "/", "pathType!": "Prefix", "backend!": {"service": {"name": "s", "port": {"number": 80}}}}]]}}]]}}),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", False, {"spec!": {"controller!": "e.example/c", "parameters": {
        "kind!": "K", "name!": "n", "scope": "Cluster", "apiGroup": "g.example"}}}),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", True, {"addressType!": "IPv4", "endpoints!": [[{"addresses": [["1.2.3.4"]]}]],
                                                                     "ports": [[{"port!": 80, "name": "n", "protocol": "UDP"}]]}),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", True, {"spec!": {"minAvailable": 1, "selector!": SELECTOR}}),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True, {"spec!": {
        "scaleTargetRef!": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}, "minReplicas": 2, "maxReplicas!": 9,
        "metrics": [[{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}}]]}}),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", False, {"value!": 5, "preemptionPolicy": "Never", "globalDefault": True}),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", False, {"provisioner!": "p.example", "reclaimPolicy": "Retain",
                                                                  "volumeBindingMode": "WaitForFirstConsumer"}),
    ("storage.k8s.io/v1", "CSIDriver", "csidrivers", False, {"spec!": {"attachRequired": False, "podInfoOnMount": True, "storageCapacity": True,
                                                                      "fsGroupPolicy": "File", "requiresRepublish": True, "seLinuxMount": True,
                                                                      "volumeLifecycleModes": [["Ephemeral"]]}}),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", True, {"rules!": RULES}),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False, {"rules!": RULES}),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", True, BINDING),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", False, BINDING),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False, {"webhooks!": [[WEBHOOK]]}),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False,
     {"webhooks!": [[{**WEBHOOK, "reinvocationPolicy": "IfNeeded"}]]}),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False, {"spec!": {
        "failurePolicy": "Ignore", "matchConstraints!": POLICY_MATCH, "validations!": [[{"expression": "true"}]]}}),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False, {"spec!": {
        "policyName!": "p", "validationActions!": [["Deny"]], "matchResources": POLICY_MATCH}}),
    ("v1", "Namespace", "namespaces", False, {}), ("v1", "LimitRange", "limitranges", True, {"spec!": {"limits!": [[{"type": "Pod", "max": {"cpu": "1"}}]]}}),
    ("v1", "ResourceQuota", "resourcequotas", True, {"spec": {"hard": {"pods": "1"}}}),
    ("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", False, {"handler!": "h"}),
]


def made(r, whole):
    """A value of the whole with some of its fields left out"""
    if isinstance(whole, list):
        one = r.choice(whole)
        return [made(r, v) for v in one] if isinstance(one, list) else made(r, one)
    if isinstance(whole, dict):
        whole = dict(whole)
        choice = whole.pop("?", None)
        if choice:
            whole.update(r.choice(choice))
        plain = not any(key.endswith("!") for key in whole) and choice is None
        keep = r.random() < 0.6
        return {key.rstrip("!"): made(r, v) for key, v in whole.items()
                if key.endswith("!") or choice or (r.random() < 0.5 if not plain else keep or r.random() < 0.6)}
    return whole.lstrip("!") if isinstance(whole, str) and whole.startswith("!") else whole


def bare(o, kind):
    """Without what the server allots or counts"""
    o = copy.deepcopy(o)
    o.pop("status", None)
    for key in META:
        o["metadata"].pop(key, None)
    spec = o.get("spec", {})
    for key in ALLOCATED.get(kind, []):
        spec.pop(key, None)
    for port in spec.get("ports", []) if kind == "Service" else []:
        port.pop("nodePort", None)
    if kind in ("Job", "CronJob", "Namespace"):
        spec.get("template", {}).pop("metadata", None)
        if kind == "Namespace":
            o.pop("spec", None)
    for claim in spec.get("volumeClaimTemplates", []):
        claim.pop("status", None)
    return full(o)


def full(v):
    """Empty lists and maps and null are as nothing to the server; empty objects are not, and are compared"""
    if isinstance(v, dict):
        v = {k: full(x) for k, x in v.items() if x is not None and x != []}
        return {k: x for k, x in v.items() if k not in MAPS or x}
    return [full(x) for x in v] if isinstance(v, list) else v


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        return [d for k in sorted(set(a) | set(b)) for d in differences(a.get(k), b.get(k), f"{path}.{k}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}[{i}]")]
    return [] if a == b else [f"{path}: the server {json.dumps(a)}, holdfast {json.dumps(b)}"]


def stored(objects):
    text = "\n".join(json.dumps(o) for o in objects)
    done = subprocess.run([HOLDFAST, "plumbing", "kube-object", "-"], input=text, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def defaults(s):
    """Each object is as the server has filled it in"""
    r = random.Random(SEED)
    s.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    sent, answers, refused, by_kind = [], [], {}, {}
    for version, kind, resource, namespaced, whole in KINDS:
        place = ("/api/" if "/" not in version else "/apis/") + version + (f"/namespaces/{SPACE}" if namespaced else "") + "/" + resource
        for i in range(EACH):
            o = {"apiVersion": version, "kind": kind, "metadata": {"name": f"x{i}"}, **made(r, whole)}
            status, body = s.request("POST", place + "?dryRun=All", o)
            if status == 422:
                refused[kind] = json.loads(body)["message"]
                continue
            assert status == 201, f"{kind}: {status}: {body[:500]}\n{json.dumps(o)}"
            by_kind[kind] = by_kind.get(kind, 0) + 1
            sent.append(o)
            answers.append(json.loads(body))
    wrong = {}
    for o, answer, ours in zip(sent, answers, stored(sent), strict=True):
        for d in differences(bare(answer, o["kind"]), bare(ours, o["kind"])):
            wrong.setdefault(f"{o['kind']} {d}", json.dumps(o))
    again = stored(answers)
    unstable = [f"{a['kind']}: {d}" for a, ours in zip(answers, again, strict=True) for d in differences(bare(a, a["kind"]), bare(ours, a["kind"]))]
    few = {kind: refused.get(kind) for _, kind, *_ in KINDS if by_kind.get(kind, 0) < EACH / 8}
    print(f"# seed {SEED}: {len(sent)} objects of {len(by_kind)} kinds, {EACH * len(KINDS) - len(sent)} were refused as invalid")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(f"{d}\n    {o[:1500]}" for d, o in list(wrong.items())[:8])
    assert not unstable, f"what a server has stored is not left alone: {unstable[:8]}"
    assert not few, f"too few were valid: {few}"


if __name__ == "__main__":
    with server.Server(flags=[f"--disable-admission-plugins={PLUGINS}"]) as running:
        failed = server.main([defaults], running)
    raise SystemExit(failed)
