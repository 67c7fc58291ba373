#include "pss/eval.h"

static void pod(struct hf_pss_eval *e)
{
	struct hf_pss_at at = hf_pss_member(e, hf_pss_pod_security(e), HF_SV("runAsNonRoot"), HF_VALUE_BOOL);

	e->covered = hf_value_true(at.value) || at.wrong;
	if (at.value && !at.value->boolean)
		hf_pss_forbid(e, &at);
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at at = hf_pss_member(e, &security, HF_SV("runAsNonRoot"), HF_VALUE_BOOL);

	if (at.value && !at.value->boolean)
		hf_pss_forbid(e, &at);
	else if (!at.value && !at.wrong && !e->covered)
		hf_pss_miss(e, &at);
}

const struct hf_pss_control hf_pss_run_as_non_root = {
	.id = "runAsNonRoot",
	.level = HF_PSS_RESTRICTED,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.user_namespaces = true,
	.what = "containers that may run as root",
	.fix = "set runAsNonRoot to true for the pod or for each container, and nowhere to false",
	.pod = pod,
	.container = container,
};
