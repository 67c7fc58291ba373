#include "pss/eval.h"

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at ports = hf_pss_member(e, c, HF_SV("ports"), HF_VALUE_ARRAY), at;
	int64_t number;

	for (size_t i = 0; i < hf_pss_count(&ports); i++) {
		struct hf_pss_at port = hf_pss_element(e, &ports, i, HF_VALUE_OBJECT);
		if (hf_pss_int(e, &port, HF_SV("hostPort"), &at, &number) && number)
			hf_pss_forbid(e, &at);
	}
}

const struct hf_pss_control hf_pss_host_ports = {
	.id = "hostPorts",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "ports of the node",
	.fix = "leave hostPort out, and reach the pods by a Service",
	.container = container,
};
