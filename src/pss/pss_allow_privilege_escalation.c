#include "pss/eval.h"

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at allow = hf_pss_member(e, &security, HF_SV("allowPrivilegeEscalation"), HF_VALUE_BOOL);

	if (hf_value_true(allow.value))
		hf_pss_forbid(e, &allow);
	else if (!allow.value && !allow.wrong)
		hf_pss_miss(e, &allow);
}

const struct hf_pss_control hf_pss_allow_privilege_escalation = {
	.id = "allowPrivilegeEscalation",
	.level = HF_PSS_RESTRICTED,
	.since = 8,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = 25,
	.what = "processes that may gain more privileges than their parent",
	.fix = "set allowPrivilegeEscalation to false in each container",
	.container = container,
};
