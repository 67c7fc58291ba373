#include "pss/eval.h"

static void pod(struct hf_pss_eval *e)
{
	struct hf_pss_at volumes = hf_pss_member(e, e->spec, HF_SV("volumes"), HF_VALUE_ARRAY);

	for (size_t i = 0; i < hf_pss_count(&volumes); i++) {
		struct hf_pss_at volume = hf_pss_element(e, &volumes, i, HF_VALUE_OBJECT);
		struct hf_pss_at path = hf_pss_member(e, &volume, HF_SV("hostPath"), HF_VALUE_OBJECT);
		if (path.value)
			hf_pss_forbid(e, &path);
	}
}

const struct hf_pss_control hf_pss_host_path_volumes = {
	.id = "hostPathVolumes",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = 0,
	.windows_from = HF_PSS_NEVER,
	.what = "volumes that are paths of the node",
	.fix = "use another kind of volume than hostPath: emptyDir, configMap, secret, persistentVolumeClaim",
	.pod = pod,
};
