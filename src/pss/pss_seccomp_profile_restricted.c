#include "pss/eval.h"

static void pod(struct hf_pss_eval *e)
{
	struct hf_pss_at profile = hf_pss_member(e, hf_pss_pod_security(e), HF_SV("seccompProfile"), HF_VALUE_OBJECT);

	e->covered = profile.value ? hf_pss_confines(e, &profile) : profile.wrong;
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	struct hf_pss_at profile = hf_pss_member(e, &security, HF_SV("seccompProfile"), HF_VALUE_OBJECT);

	if (profile.value)
		hf_pss_confines(e, &profile);
	else if (!profile.wrong && !e->covered)
		hf_pss_miss(e, &profile);
}

const struct hf_pss_control hf_pss_seccomp_profile_restricted = {
	.id = "seccompProfile_restricted",
	.level = HF_PSS_RESTRICTED,
	.since = 19,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = 25,
	.what = "containers without a seccomp profile that confines",
	.fix = "set seccompProfile.type to RuntimeDefault or Localhost, for the pod or for each container",
	.pod = pod,
	.container = container,
};
