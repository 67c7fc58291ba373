/* Label selectors out of manifests. Source: meta/v1 LabelSelector; "Labels and Selectors" of kubernetes.io. */
#pragma once
#include "format/value.h"
#include "model/label_selector.h"

enum hf_selector_form {
	HF_SELECTOR_FULL,   /* { matchLabels, matchExpressions } */
	HF_SELECTOR_LABELS, /* a plain map: Service, ReplicationController */
};

/* NULL where @v is NULL or null: what an absent selector means is the caller's to know. A requirement that no API server would take
 * (unknown operator, In without values) gives a selector that matches nothing, and *ret_wrong (may be NULL) says what is wrong. */
const struct hf_label_selector *hf_kube_selector(const struct hf_value *v, enum hf_selector_form, struct hf_arena *,
						 const char **ret_wrong);
