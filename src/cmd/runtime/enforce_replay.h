/* What a policy would have denied in a recorded trace, by workload: for `runtime enforce --replay`. */
#pragma once
#include "enforce/policy.h"

struct enforce_selection {
	const char *containers[64];
	size_t containers_n;
	const char *labels[64]; /* KEY=VALUE */
	size_t labels_n;
};

/* @name, @id and labels of a container against what was asked for: an id or 12 and more digits of its begin, a name, all of no labels. */
bool enforce_selected(const struct enforce_selection *s, hf_sv id, hf_sv name, const hf_sv *labels, size_t labels_n);

/* Reads the trace and prints to standard output. *ret_denied: how many events. */
int enforce_replay(const char *path, const struct hf_enforce_policy *policy, const struct enforce_selection *selection,
		   bool json, uint64_t *ret_denied, struct hf_err *err);
