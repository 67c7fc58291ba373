#include "pss/eval.h"

/* The kinds of "container.apparmor.security.beta.kubernetes.io/NAME", from the time before the field (1.30). */
static void annotations(struct hf_pss_eval *e)
{
	struct hf_pss_at all = hf_pss_annotations(e), at;

	hf_value_members(all.value, m)
	{
		if (!hf_sv_starts(hf_member_key(m), HF_SV("container.apparmor.security.beta.kubernetes.io/")))
			continue;
		if (!hf_pss_annotation_text(e, &all, m, &at))
			continue;
		hf_sv profile = hf_pss_text(&at);
		if (profile.len && !hf_sv_eq(profile, HF_SV("runtime/default")) &&
		    !hf_sv_starts(profile, HF_SV("localhost/")))
			hf_pss_forbid(e, &at);
	}
}

static void look(struct hf_pss_eval *e, const struct hf_pss_at *security)
{
	struct hf_pss_at profile = hf_pss_member(e, security, HF_SV("appArmorProfile"), HF_VALUE_OBJECT);

	if (profile.value)
		hf_pss_confines(e, &profile);
}

static void pod(struct hf_pss_eval *e)
{
	look(e, hf_pss_pod_security(e));
	annotations(e);
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);

	look(e, &security);
}

const struct hf_pss_control hf_pss_app_armor_profile = {
	.id = "appArmorProfile",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "an AppArmor profile that does not confine",
	.fix = "set its type to RuntimeDefault or Localhost (in an annotation: runtime/default or localhost/NAME), or "
	       "leave it out",
	.pod = pod,
	.container = container,
};
