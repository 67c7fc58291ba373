/* What `kube reach` and `kube diff` share. */
#pragma once
#include "cmd/kube/kube_run.h"
#include "reach/reach.h"

/* The model of a set; NULL with *err. Its notes go to standard error; bits for kube_run are added to *bits. */
struct hf_reach *kube_reach_model(const struct hf_kube_objects *, struct hf_arena *, int *bits, struct hf_err *);
/* What changed between two sets: a kube_evaluate; ctx is a const bool *: whether new connections fail the gate. */
int kube_reach_diff(struct kube_run *, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *, struct hf_out *, struct hf_err *);
