#include "kube/selector.h"

#include "kube/object.h"

/* Of all labels none is both there and not there. */
static const struct hf_label_requirement never[] = { { .key = HF_SV_INIT(""), .operator= HF_LABEL_EXISTS },
						       {
							       .key = HF_SV_INIT(""),
							       .operator= HF_LABEL_DOES_NOT_EXIST },
};

static const char *requirement(const struct hf_value *v, struct hf_arena *a, struct hf_label_requirement *r)
{
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	const struct hf_value *values = hf_value_get(v, HF_SV("values"));
	hf_sv word = hf_value_get_text(v, HF_SV("operator"));
	size_t op = 0, n = hf_value_count(values, HF_VALUE_ARRAY);

	r->key = hf_value_get_text(v, HF_SV("key"));
	while (op < HF_ARRAY_SIZE(operators) && !hf_sv_eq(word, hf_sv_of(operators[op])))
		op++;
	if (!r->key.len || op == HF_ARRAY_SIZE(operators))
		return "a requirement without a key or with an unknown operator";
	r->operator=(enum hf_label_operator) op;
	if ((op < HF_LABEL_EXISTS) != (n > 0))
		return op < HF_LABEL_EXISTS ? "In and NotIn want values" : "Exists and DoesNotExist take no values";
	hf_sv *list = hf_arena_array(a, hf_sv, n);
	for (size_t i = 0; list && i < n; i++)
		list[i] = hf_value_text(&values->elements[i]);
	r->values = list;
	r->values_n = list ? n : 0;
	return NULL;
}

const struct hf_label_selector *hf_kube_selector(const struct hf_value *v, enum hf_selector_form form,
						 struct hf_arena *a, const char **ret_wrong)
{
	const char *wrong = NULL, *scratch;

	ret_wrong = ret_wrong ? ret_wrong : &scratch;
	*ret_wrong = NULL;
	if (!v || v->type == HF_VALUE_NULL)
		return NULL;
	struct hf_label_selector *s = hf_arena_new(a, struct hf_label_selector);
	if (!s)
		return NULL;
	const struct hf_value *labels = form == HF_SELECTOR_LABELS ? v : hf_value_get(v, HF_SV("matchLabels"));
	const struct hf_value *expressions =
		form == HF_SELECTOR_LABELS ? NULL : hf_value_get(v, HF_SV("matchExpressions"));
	s->labels = hf_kube_string_map(labels, a, &s->labels_n);
	if (v->type != HF_VALUE_OBJECT || s->labels_n != hf_value_count(labels, HF_VALUE_OBJECT))
		wrong = "a selector whose labels are no strings";
	size_t n = hf_value_count(expressions, HF_VALUE_ARRAY);
	struct hf_label_requirement *r = hf_arena_array(a, struct hf_label_requirement, n);
	for (size_t i = 0; r && i < n; i++) {
		const char *why = requirement(&expressions->elements[i], a, &r[i]);
		wrong = wrong ? wrong : why;
	}
	s->requirements = r;
	s->requirements_n = r ? n : 0;
	if (wrong) {
		*s = (struct hf_label_selector){ .requirements = never, .requirements_n = HF_ARRAY_SIZE(never) };
		*ret_wrong = wrong;
	}
	return s;
}
