#include "pss/eval.h"

static void pod(struct hf_pss_eval *e)
{
	static const hf_sv names[] = { HF_SV_INIT("hostNetwork"), HF_SV_INIT("hostPID"), HF_SV_INIT("hostIPC") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		struct hf_pss_at shared = hf_pss_member(e, e->spec, names[i], HF_VALUE_BOOL);
		if (hf_value_true(shared.value))
			hf_pss_forbid(e, &shared);
	}
}

const struct hf_pss_control hf_pss_host_namespaces = {
	.id = "hostNamespaces",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "namespaces shared with the node",
	.fix = "set hostNetwork, hostPID and hostIPC to false, or leave them out",
	.pod = pod,
};
