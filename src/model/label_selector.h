/* Label selectors of Kubernetes. Source: meta/v1 LabelSelector. Pure. */
#pragma once
#include "base/view.h"

enum hf_label_operator { HF_LABEL_IN, HF_LABEL_NOT_IN, HF_LABEL_EXISTS, HF_LABEL_DOES_NOT_EXIST };

struct hf_label_requirement {
	hf_sv key;
	enum hf_label_operator operator;
	const hf_sv *values;
	size_t values_n;
};

/* Empty: selects everything. */
struct hf_label_selector {
	const hf_sv *labels; /* matchLabels: pairs */
	size_t labels_n;
	const struct hf_label_requirement *requirements; /* matchExpressions */
	size_t requirements_n;
};

/* @labels are pairs. */
bool hf_label_selector_matches(const struct hf_label_selector *, const hf_sv *labels, size_t labels_n);
/* The value of a label among pairs. */
bool hf_label_value(const hf_sv *labels, size_t labels_n, hf_sv key, hf_sv *ret_value);
