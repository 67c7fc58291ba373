/* The report of `kube check`: table, JSON (holdfast/kube-check/1), SARIF. */
#pragma once
#include "check/compare.h"
#include "cmd/kube/kube_run.h"

struct kube_check_options {
	bool all;               /* --all */
	bool summary;           /* --summary */
	bool shows[HF_SEV_MAX]; /* --severity; none set: all are shown */
	bool fails[HF_SEV_MAX]; /* --fail-on */
};

bool kube_check_format_known(const char *format);
/* In the format of the run's options, one that is known. HF_OK or a negative code. */
int kube_check_write(const struct kube_run *, const struct kube_check_options *, const struct hf_kube_objects *,
		     const struct hf_check_report *, struct hf_arena *, struct hf_out *, struct hf_err *);
/* What came, went and stays between two states (holdfast/kube-check-compare/1). */
int kube_check_write_difference(const struct kube_run *, const struct kube_check_options *,
				const struct hf_kube_objects *const *sets, const struct hf_check_difference *,
				struct hf_arena *, struct hf_out *, struct hf_err *);
/* All checks with their texts: what docs/kube-checks.md is made from. */
int kube_check_list_json(struct hf_out *, struct hf_err *);
