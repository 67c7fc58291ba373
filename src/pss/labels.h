/* What the labels of a namespace ask of its pods. Source: "Enforce Pod Security Standards with Namespace Labels" of kubernetes.io;
 * k8s.io/pod-security-admission v0.34.1, api.PolicyToEvaluate. */
#pragma once
#include "pss/pss.h"

enum hf_pss_mode { HF_PSS_ENFORCE, HF_PSS_AUDIT, HF_PSS_WARN, HF_PSS_MODES };

extern const char *const hf_pss_mode_names[HF_PSS_MODES]; /* "enforce" … */

/* The policy of @mode for a Namespace's labels (an object; NULL: none), which change @otherwise, the cluster's own. What a label says
 * that is no level or version counts as the API server has it: restricted and latest for enforce; privileged for audit and warn.
 * *ret_wrong (may be NULL) is then such a value, else NULL. */
struct hf_pss_policy hf_pss_policy_of_labels(const struct hf_value *labels, enum hf_pss_mode mode,
					     struct hf_pss_policy otherwise, const struct hf_value **ret_wrong);
