#include "pss/eval.h"

static void look(struct hf_pss_eval *e, const struct hf_pss_at *security)
{
	struct hf_pss_at at;
	int64_t user;

	if (hf_pss_int(e, security, HF_SV("runAsUser"), &at, &user) && !user)
		hf_pss_forbid(e, &at);
}

static void pod(struct hf_pss_eval *e)
{
	look(e, hf_pss_pod_security(e));
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);

	look(e, &security);
}

const struct hf_pss_control hf_pss_run_as_user = {
	.id = "runAsUser",
	.level = HF_PSS_RESTRICTED,
	.since = 23,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.user_namespaces = true,
	.what = "containers that run as user 0",
	.fix = "set runAsUser to another number, or leave it out",
	.pod = pod,
	.container = container,
};
