#include "pss/eval.h"

/* Those that container runtimes give by themselves, without NET_RAW. */
static const hf_sv allowed[] = {
	HF_SV_INIT("AUDIT_WRITE"), HF_SV_INIT("CHOWN"),  HF_SV_INIT("DAC_OVERRIDE"), HF_SV_INIT("FOWNER"),
	HF_SV_INIT("FSETID"),      HF_SV_INIT("KILL"),   HF_SV_INIT("MKNOD"),        HF_SV_INIT("NET_BIND_SERVICE"),
	HF_SV_INIT("SETFCAP"),     HF_SV_INIT("SETGID"), HF_SV_INIT("SETPCAP"),      HF_SV_INIT("SETUID"),
	HF_SV_INIT("SYS_CHROOT"),
};

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at capabilities = hf_pss_member(e, &security, HF_SV("capabilities"), HF_VALUE_OBJECT);
	struct hf_pss_at add = hf_pss_member(e, &capabilities, HF_SV("add"), HF_VALUE_ARRAY);

	for (size_t i = 0; i < hf_pss_count(&add); i++) {
		struct hf_pss_at one = hf_pss_element(e, &add, i, HF_VALUE_STRING);
		if (!one.wrong && !hf_pss_one_of(hf_pss_text(&one), allowed, HF_ARRAY_SIZE(allowed)))
			hf_pss_forbid(e, &one);
	}
}

const struct hf_pss_control hf_pss_capabilities_baseline = {
	.id = "capabilities_baseline",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = 22,
	.windows_from = HF_PSS_NEVER,
	.what = "capabilities beyond those that runtimes give by themselves",
	.fix = "take them out of capabilities.add",
	.container = container,
};
