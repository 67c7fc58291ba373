#!/bin/sh
# kube check --fix: what is safe, what only --fix-all does, what is refused, and what a file is afterwards.
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

cat >web.yaml <<'END'
# the shop's front
apiVersion: v1
kind: Pod
metadata:
  name: web   # its name
spec:
  containers:
  # one
  - name: web
    image: registry.test/web:1
    securityContext:
      privileged: true   # for now
  terminationGracePeriodSeconds: 0
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {"a": 'b'}   # stays
END
cp web.yaml before.yaml
chmod 640 web.yaml
checks=HF-K8S-101,HF-K8S-716,HF-K8S-102
fails 0 "a dry run" "$HOLDFAST" kube check --checks $checks --fix --dry-run web.yaml
check "writes nothing" cmp web.yaml before.yaml
check "shows the difference" grep -qx '+  terminationGracePeriodSeconds: 30' out.log
check "and what it leaves" grep -q '1 finding mended; 1 has a patch that may stop a workload' err.log
cp out.log safe.diff
fails 0 "the same in earnest" "$HOLDFAST" kube check --checks $checks --fix web.yaml
cp before.yaml patched.yaml
check "patch(1) makes the same of it" sh -c 'patch -s patched.yaml safe.diff && cmp patched.yaml web.yaml'
check "the mode stays" test "$(stat -c %a web.yaml)" = 640
check "what is not safe stays" grep -qx '      privileged: true   # for now' web.yaml
fails 0 "all patches" "$HOLDFAST" kube check --checks $checks --fix-all --fail-on low web.yaml
check "three lines of the file have changed" test "$(diff before.yaml web.yaml | grep -c '^>')" = 3
check "what the API server would refuse before comes after" grep -qx '      allowPrivilegeEscalation: false' web.yaml
check "with their comments" grep -qx '      privileged: false   # for now' web.yaml
cp web.yaml once.yaml
fails 0 "again" "$HOLDFAST" kube check --checks $checks --fix-all web.yaml
check "changes nothing" cmp web.yaml once.yaml

cat >anchor.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: a
    image: registry.test/web:1
    securityContext: &same
      privileged: true
  - name: b
    image: registry.test/web:1
    securityContext: *same
END
cp anchor.yaml before.yaml
fails 1 "what shares a value with another place" "$HOLDFAST" kube check --checks HF-K8S-101 --fix-all --fail-on high anchor.yaml
check "is refused, and that is said" grep -q 'anchor.yaml:.*HF-K8S-101 of web is not mended' err.log
check "and the file is as it was" cmp anchor.yaml before.yaml

mkdir more
cp before.yaml more/a.yaml
printf '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "j"}, "spec": {"hostPID": true, "containers": []}}' >more/b.json
fails 0 "a folder" "$HOLDFAST" kube check --checks HF-K8S-103 --fix-all more
check "JSON alike" grep -q '"hostPID": false, ' more/b.json
printf '{"kind": "List", "apiVersion": "v1", "items": [%s,\n %s]}\n' "$(cat more/b.json)" "$(sed 's/"j"/"k"/; s/false/true/' more/b.json)" >list.json
cp list.json before.json
fails 0 "an API server's List" "$HOLDFAST" kube check --checks HF-K8S-103 --fix-all list.json
check "one item of it" sh -c 'sed "s/\"hostPID\": true/\"hostPID\": false/" before.json | cmp - list.json'
fails 2 "standard input has no file" "$HOLDFAST" kube check --fix - <web.yaml
fails 0 "but a difference" "$HOLDFAST" kube check --fix --dry-run - <before.yaml
fails 2 "a dry run of nothing" "$HOLDFAST" kube check --dry-run web.yaml

printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec:\n  containers:\n  - name: w\n    image: a:1\n    env:\n    - name: DB_PASSWORD\n      value: hidden-word\n' >secret.yaml
fails 0 "a secret that is written down" "$HOLDFAST" kube check --all secret.yaml
check "is found" grep -q 'HF-K8S-303' out.log
check "and never told" sh -c '! grep -q hidden-word out.log err.log'
fails 0 "nor as JSON" "$HOLDFAST" kube check --format json secret.yaml
check "at all" sh -c '! grep -q hidden-word out.log err.log'
fails 0 "all checks as JSON" "$HOLDFAST" kube check --list --format json
check "have their texts" python3 -c 'import json
checks = json.load(open("out.log"))["checks"]
assert len(checks) >= 120 and all(c["why"] and c["fix"] and c["title"] for c in checks)
assert len({c["id"] for c in checks}) == len(checks) == len({c["name"] for c in checks})'
cat >list.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: registry.test/web:1
    securityContext:
      capabilities:
        add:
        - NET_ADMIN # goes
        # stays
        - NET_BIND_SERVICE
        - SYS_ADMIN
        drop: [MKNOD] # and more
    volumeMounts:
    - {name: socket, mountPath: /run/docker.sock}
  volumes: # all of them
  - name: socket
    hostPath: {path: /run/docker.sock}
END
cat >wanted.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: registry.test/web:1
    securityContext:
      capabilities:
        add:
        # stays
        - NET_BIND_SERVICE
        drop: [MKNOD, ALL] # and more
    volumeMounts: []
  volumes: [] # all of them
END
fails 0 "elements of lists" "$HOLDFAST" kube check --checks HF-K8S-121,HF-K8S-123,HF-K8S-124,HF-K8S-126,HF-K8S-150,HF-K8S-153 --fix-all --fail-on low list.yaml
check "go and come where they are, whatever stands around them" cmp list.yaml wanted.yaml
# Who reads a second target waits for it: until then the first one may become another.
mkfifo slow.yaml
changed() { # how
	cp before.yaml race.yaml
	"$HOLDFAST" kube check --fix-all race.yaml slow.yaml >out.log 2>err.log &
	exec 3>slow.yaml
	eval "$1"
	cp race.yaml then.yaml
	exec 3>&-
	! wait $! && cmp -s race.yaml then.yaml && grep -q 'race.yaml: it was changed meanwhile' err.log
}
check "what was written to meanwhile is not lost" changed 'echo "# mine" >>race.yaml'
check "nor what took the file's place" changed 'sed "s/web/other/" before.yaml >new && mv new race.yaml'
check "nothing is written through a link that was put there" changed 'cp before.yaml elsewhere.yaml && ln -sf elsewhere.yaml race.yaml'
check "wherever it leads" cmp elsewhere.yaml before.yaml

mkdir stands
cp before.yaml stands/web.yaml
fails 0 "files that stand for a cluster" "$HOLDFAST" kube check --fix-all --cluster one=stands
check "are mended too" sh -c 'grep -q "stands/web.yaml: [1-9]" out.log && ! cmp -s stands/web.yaml before.yaml'
printf 'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: logs, namespace: %s}\nspec:\n  selector: {matchLabels: {app: logs}}\n  template:\n    metadata: {labels: {app: logs}}\n    spec:\n      hostNetwork: true\n      containers:\n      - name: logs\n        image: registry.test/logs:1\n        volumeMounts:\n        - {name: logs, mountPath: /var/log, mountPropagation: Bidirectional}\n      volumes:\n      - name: logs\n        hostPath: {path: /var/log}\n' logs >agent.yaml
cp agent.yaml before.yaml
fails 0 "an agent of its node" "$HOLDFAST" kube check --checks HF-K8S-105,HF-K8S-120,HF-K8S-150,HF-K8S-151,HF-K8S-157 --fix-all agent.yaml
check "keeps what it mounts" sh -c 'sed "s/hostNetwork: true/hostNetwork: false/" before.yaml | cmp - agent.yaml'
sed 's/namespace: logs/namespace: kube-system/' before.yaml >agent.yaml
cp agent.yaml before.yaml
fails 0 "a part of Kubernetes" "$HOLDFAST" kube check --checks HF-K8S-105,HF-K8S-120,HF-K8S-150,HF-K8S-151,HF-K8S-157 --fix-all agent.yaml
check "stays as it is" cmp before.yaml agent.yaml
check "which is told" grep -q "1 in Kubernetes' own namespaces stay" out.log
cat >commented.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  # what it mounts
  volumes:
  # its own
  - name: data
    emptyDir: {}

  # logs of the node,
  # all of them
  - name: logs
    hostPath: {path: /var/log}
  # the end
  containers:
  - name: web
    image: registry.test/web:1
    volumeMounts:
    # to be read
    - {name: logs, mountPath: /var/log}
END
sed '/logs of/,/var.log}/d' commented.yaml | sed '/to be read/d; /mountPath/d; s/volumeMounts:/volumeMounts: []/' >wanted.yaml
fails 0 "an element with a comment above" "$HOLDFAST" kube check --checks HF-K8S-150 --fix-all commented.yaml
check "goes with it, and no other comment does" cmp commented.yaml wanted.yaml
finish
