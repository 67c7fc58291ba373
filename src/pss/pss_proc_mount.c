#include "pss/eval.h"

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at mount = hf_pss_member(e, &security, HF_SV("procMount"), HF_VALUE_STRING);

	if (mount.value && !hf_sv_eq(hf_pss_text(&mount), HF_SV("Default")))
		hf_pss_forbid(e, &mount);
}

const struct hf_pss_control hf_pss_proc_mount = {
	.id = "procMount",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.user_namespaces = true,
	.what = "/proc without its masked parts",
	.fix = "set procMount to Default, or leave it out",
	.container = container,
};
