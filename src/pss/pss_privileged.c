#include "pss/eval.h"

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at privileged = hf_pss_member(e, &security, HF_SV("privileged"), HF_VALUE_BOOL);

	if (hf_value_true(privileged.value))
		hf_pss_forbid(e, &privileged);
}

const struct hf_pss_control hf_pss_privileged = {
	.id = "privileged",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "privileged containers",
	.fix = "set privileged to false, or leave it out",
	.container = container,
};
