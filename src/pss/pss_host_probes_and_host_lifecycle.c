#include "pss/eval.h"

static void handler(struct hf_pss_eval *e, const struct hf_pss_at *up, hf_sv name)
{
	static const hf_sv actions[] = { HF_SV_INIT("httpGet"), HF_SV_INIT("tcpSocket") };
	struct hf_pss_at at = hf_pss_member(e, up, name, HF_VALUE_OBJECT);

	for (size_t i = 0; i < HF_ARRAY_SIZE(actions); i++) {
		struct hf_pss_at action = hf_pss_member(e, &at, actions[i], HF_VALUE_OBJECT);
		struct hf_pss_at host = hf_pss_member(e, &action, HF_SV("host"), HF_VALUE_STRING);
		if (hf_pss_text(&host).len)
			hf_pss_forbid(e, &host);
	}
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at lifecycle = hf_pss_member(e, c, HF_SV("lifecycle"), HF_VALUE_OBJECT);

	handler(e, c, HF_SV("livenessProbe"));
	handler(e, c, HF_SV("readinessProbe"));
	handler(e, c, HF_SV("startupProbe"));
	handler(e, &lifecycle, HF_SV("postStart"));
	handler(e, &lifecycle, HF_SV("preStop"));
}

const struct hf_pss_control hf_pss_host_probes_and_host_lifecycle = {
	.id = "hostProbesAndHostLifecycle",
	.level = HF_PSS_BASELINE,
	.since = 34,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "a host of their own in probes or lifecycle hooks, which the node calls",
	.fix = "leave host out: the pod's own address is called then",
	.container = container,
};
