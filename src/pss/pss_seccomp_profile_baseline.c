#include "pss/eval.h"

enum { FIELD_SINCE = 19, NAMES_MAX = 1 << 24 };

#define CONTAINER_PREFIX "container.seccomp.security.alpha.kubernetes.io/"

static bool is_container(struct hf_map *names, hf_sv name)
{
	return hf_map_find(names, name) != NULL;
}

/* Only annotations of containers that there are count: their names are gathered once there is a reason to. */
static void gather_names(const struct hf_pss_eval *e, struct hf_map *names)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

	for (size_t l = 0; l < HF_ARRAY_SIZE(lists); l++)
		hf_value_elements(hf_value_get(e->spec->value, hf_sv_of(lists[l])), c)
			hf_map_put(names, hf_value_get_text(c, HF_SV("name")));
}

static bool confines(hf_sv profile)
{
	return hf_sv_eq(profile, HF_SV("runtime/default")) || hf_sv_eq(profile, HF_SV("docker/default")) ||
	       hf_sv_starts(profile, HF_SV("localhost/"));
}

static void annotations(struct hf_pss_eval *e)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(NAMES_MAX);
	struct hf_map names = HF_MAP(&scratch);
	struct hf_pss_at all = hf_pss_annotations(e), at;

	hf_value_members(all.value, m)
	{
		bool of_pod = hf_sv_eq(hf_member_key(m), HF_SV("seccomp.security.alpha.kubernetes.io/pod"));
		if (!of_pod && !hf_sv_starts(hf_member_key(m), HF_SV(CONTAINER_PREFIX)))
			continue;
		if (m->value.type == HF_VALUE_STRING && confines(hf_value_text(&m->value)))
			continue;
		if (!of_pod && !names.n)
			gather_names(e, &names);
		if (of_pod || scratch.over ||
		    is_container(&names, hf_sv_skip(hf_member_key(m), sizeof CONTAINER_PREFIX - 1)))
			if (hf_pss_annotation_text(e, &all, m, &at))
				hf_pss_forbid(e, &at);
	}
}

static void look(struct hf_pss_eval *e, const struct hf_pss_at *security)
{
	struct hf_pss_at profile = hf_pss_member(e, security, HF_SV("seccompProfile"), HF_VALUE_OBJECT);

	if (profile.value)
		hf_pss_confines(e, &profile);
}

static void pod(struct hf_pss_eval *e)
{
	if (e->minor < FIELD_SINCE)
		annotations(e);
	else
		look(e, hf_pss_pod_security(e));
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	if (e->minor < FIELD_SINCE)
		return;
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);
	look(e, &security);
}

const struct hf_pss_control hf_pss_seccomp_profile_baseline = {
	.id = "seccompProfile_baseline",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = 19,
	.windows_from = HF_PSS_NEVER,
	.what = "a seccomp profile that does not confine",
	.fix = "set its type to RuntimeDefault or Localhost (in an annotation: runtime/default or localhost/NAME), or "
	       "leave it out",
	.pod = pod,
	.container = container,
};
