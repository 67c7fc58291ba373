#include "model/label_selector.h"

bool hf_label_value(const hf_sv *labels, size_t n, hf_sv key, hf_sv *ret_value)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(labels[2 * i], key)) {
			*ret_value = labels[2 * i + 1];
			return true;
		}
	return false;
}

static bool requirement_holds(const struct hf_label_requirement *r, const hf_sv *labels, size_t n)
{
	hf_sv value;
	bool there = hf_label_value(labels, n, r->key, &value), among = false;

	for (size_t i = 0; there && i < r->values_n; i++)
		among |= hf_sv_eq(r->values[i], value);
	switch (r->operator) {
	case HF_LABEL_IN:
		return among;
	case HF_LABEL_NOT_IN:
		return !among; /* and where the label is not there */
	case HF_LABEL_EXISTS:
		return there;
	case HF_LABEL_DOES_NOT_EXIST:
		return !there;
	}
	return false;
}

bool hf_label_selector_matches(const struct hf_label_selector *s, const hf_sv *labels, size_t labels_n)
{
	hf_sv value;

	for (size_t i = 0; i < s->labels_n; i++)
		if (!hf_label_value(labels, labels_n, s->labels[2 * i], &value) ||
		    !hf_sv_eq(value, s->labels[2 * i + 1]))
			return false;
	for (size_t i = 0; i < s->requirements_n; i++)
		if (!requirement_holds(&s->requirements[i], labels, labels_n))
			return false;
	return true;
}
