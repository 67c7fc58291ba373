#include "pss/eval.h"

static void look(struct hf_pss_eval *e, const struct hf_pss_at *security)
{
	struct hf_pss_at options = hf_pss_member(e, security, HF_SV("windowsOptions"), HF_VALUE_OBJECT);
	struct hf_pss_at process = hf_pss_member(e, &options, HF_SV("hostProcess"), HF_VALUE_BOOL);

	if (hf_value_true(process.value))
		hf_pss_forbid(e, &process);
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

const struct hf_pss_control hf_pss_windows_host_process = {
	.id = "windowsHostProcess",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "Windows containers that are processes of the node",
	.fix = "set hostProcess to false, or leave it out",
	.pod = pod,
	.container = container,
};
