#!/bin/sh
# kube … --watch: what it does not go with. Beside a real server it is tried in tests/kube/t_watch.py, beside a bad one in tests/kube_watch.py.
# shellcheck disable=SC2317
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

echo '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "a"}]}}' >pod.json
mkdir folder
kube() { "$HOLDFAST" kube "$@"; }

fails 2 "a file" kube pss baseline --watch pod.json
check "is no cluster, it says" grep -q "'pod.json' is none: cluster: or cluster:NAME" err.log
fails 2 "a file beside a cluster" kube check --watch cluster: pod.json
check "is named" grep -q "'pod.json'" err.log
fails 2 "standard input" kube check --watch -
fails 2 "files that stand for a cluster" kube check --watch --cluster a=folder
check "are named" grep -q "'--cluster a=folder' stands for files" err.log
fails 2 "an output that is whole or not there" kube check --watch -o report cluster:
check "is of no use" grep -q -- '--output is of no use' err.log
fails 2 "a format that is one document" kube check --watch --format sarif cluster:
check "is told" grep -q 'prints table or json, not sarif' err.log
fails 2 "no jail" kube check --watch --no-jail cluster:
fails 2 "mending files" kube check --watch --fix cluster:
fails 2 "a difference of two states" kube diff --watch cluster: cluster:
fails 2 "a question with one answer" kube rbac can get pods --as ada --watch cluster:
check "is told" grep -q -- '--watch does not go with this question' err.log
fails 2 "rights of several clusters" kube rbac check --watch cluster:a cluster:b
fails 2 "connections as a picture" kube reach --watch --format svg cluster:
fails 2 "proposals" kube netpol --watch cluster:
check "is told" grep -q -- "--watch does not go with this question" err.log
fails 2 "no target" kube check --watch
fails 2 "no kubeconfig" kube check --watch --kubeconfig nowhere cluster:
check "is told as without --watch" grep -q 'nowhere' err.log
finish
