#include "pss/eval.h"

static const hf_sv allowed[] = {
	HF_SV_INIT("configMap"), HF_SV_INIT("csi"),   HF_SV_INIT("downwardAPI"),           HF_SV_INIT("emptyDir"),
	HF_SV_INIT("ephemeral"), HF_SV_INIT("image"), HF_SV_INIT("persistentVolumeClaim"), HF_SV_INIT("projected"),
	HF_SV_INIT("secret"),
};

static void forbid(struct hf_pss_eval *e, const struct hf_pss_at *volume)
{
	hf_value_members(volume->value, m)
	{
		struct hf_pss_at at = { .up = volume, .key = hf_member_key(m), .value = &m->value };
		if (m->value.type == HF_VALUE_NULL || hf_sv_eq(hf_member_key(m), HF_SV("name")))
			continue;
		hf_pss_forbid(e, &at);
		return;
	}
	hf_pss_forbid(e, volume);
}

static void pod(struct hf_pss_eval *e)
{
	struct hf_pss_at volumes = hf_pss_member(e, e->spec, HF_SV("volumes"), HF_VALUE_ARRAY);

	for (size_t i = 0; i < hf_pss_count(&volumes); i++) {
		struct hf_pss_at volume = hf_pss_element(e, &volumes, i, HF_VALUE_OBJECT);
		bool known = volume.wrong;
		for (size_t k = 0; k < HF_ARRAY_SIZE(allowed) && volume.value; k++) {
			struct hf_pss_at source = hf_pss_member(e, &volume, allowed[k], HF_VALUE_OBJECT);
			known |= source.value || source.wrong;
		}
		if (!known)
			forbid(e, &volume);
	}
}

const struct hf_pss_control hf_pss_restricted_volumes = {
	.id = "restrictedVolumes",
	.level = HF_PSS_RESTRICTED,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "kinds of volumes that reach past the pod",
	.fix = "use configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or "
	       "secret",
	.pod = pod,
};
