/* What checks ask often. */
#include "check/check.h"

const struct hf_value *hf_check_security_setting(const struct hf_check_run *r, const char *field)
{
	const struct hf_value *v = r->container ? hf_value_get(r->container->security_context, hf_sv_of(field)) : NULL;

	return v ? v : hf_value_get(r->pod->security_context, hf_sv_of(field));
}

static void flag_of(const struct hf_value *words, hf_sv flag, hf_sv *ret)
{
	for (size_t i = 0; i < hf_value_count(words, HF_VALUE_ARRAY); i++) {
		hf_sv word = hf_value_text(&words->elements[i]);
		if (!hf_sv_starts(word, flag))
			continue;
		hf_sv rest = hf_sv_skip(word, flag.len);
		if (rest.len && rest.ptr[0] == '=') {
			*ret = hf_sv_skip(rest, 1);
			if (!ret->ptr)
				*ret = HF_SV("");
		} else if (!rest.len) {
			hf_sv next = i + 1 < words->n ? hf_value_text(&words->elements[i + 1]) : (hf_sv){ 0 };
			*ret = next.len && next.ptr[0] != '-' ? next : HF_SV("true");
		}
	}
}

hf_sv hf_check_flag(const struct hf_kube_container *c, const char *flag)
{
	hf_sv value = { 0 };

	flag_of(hf_value_get(c->value, HF_SV("command")), hf_sv_of(flag), &value);
	flag_of(hf_value_get(c->value, HF_SV("args")), hf_sv_of(flag), &value);
	return value;
}

static bool runs(const struct hf_kube_container *c, hf_sv program)
{
	const struct hf_value *command = hf_value_get(c->value, HF_SV("command"));
	const struct hf_value *args = hf_value_get(c->value, HF_SV("args"));
	const struct hf_value *first = hf_value_count(command, HF_VALUE_ARRAY) ? command : args;

	return hf_value_count(first, HF_VALUE_ARRAY) &&
	       hf_sv_eq(hf_sv_basename(hf_value_text(&first->elements[0])), program);
}

const struct hf_kube_container *hf_check_component(const struct hf_check_run *r, const char *program,
						   const struct hf_kube_pod **ret_pod)
{
	for (size_t i = 0; i < r->pods_n; i++)
		for (size_t k = 0; k < r->pods[i].containers_n; k++)
			if (runs(&r->pods[i].containers[k], hf_sv_of(program))) {
				if (ret_pod)
					*ret_pod = &r->pods[i];
				return &r->pods[i].containers[k];
			}
	return NULL;
}
