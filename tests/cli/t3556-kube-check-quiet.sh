#!/bin/sh
# kube check of workloads that are hardened as people do it has nothing to say but notes.
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

fails 0 "hardened workloads" "$HOLDFAST" kube check --fail-on medium "$HOLDFAST_ROOT/tests/cases/kube-hardened"
check "one note: the database runs once" test "$(grep -o 'HF-K8S-[0-9]*' out.log | tr '\n' ' ')" = "HF-K8S-707 "
check "nothing is passed over" test ! -s err.log
finish
