#include "pss/eval.h"

static void drops_all(struct hf_pss_eval *e, const struct hf_pss_at *capabilities)
{
	struct hf_pss_at drop = hf_pss_member(e, capabilities, HF_SV("drop"), HF_VALUE_ARRAY);
	bool all = false, wrong = drop.wrong;

	for (size_t i = 0; i < hf_pss_count(&drop) && !all; i++) {
		struct hf_pss_at one = hf_pss_element(e, &drop, i, HF_VALUE_STRING);
		wrong |= one.wrong;
		all = hf_sv_eq(hf_pss_text(&one), HF_SV("ALL"));
	}
	if (!all && !wrong)
		hf_pss_miss(e, &drop);
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at capabilities = hf_pss_member(e, &security, HF_SV("capabilities"), HF_VALUE_OBJECT);
	struct hf_pss_at add = hf_pss_member(e, &capabilities, HF_SV("add"), HF_VALUE_ARRAY);

	drops_all(e, &capabilities);
	for (size_t i = 0; i < hf_pss_count(&add); i++) {
		struct hf_pss_at one = hf_pss_element(e, &add, i, HF_VALUE_STRING);
		if (!one.wrong && !hf_sv_eq(hf_pss_text(&one), HF_SV("NET_BIND_SERVICE")))
			hf_pss_forbid(e, &one);
	}
}

const struct hf_pss_control hf_pss_capabilities_restricted = {
	.id = "capabilities_restricted",
	.level = HF_PSS_RESTRICTED,
	.since = 22,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = 25,
	.what = "capabilities that are kept or added",
	.fix = "drop [\"ALL\"] in each container, and add NET_BIND_SERVICE at most",
	.container = container,
};
