#include "kube/object.h"

const struct hf_kube_kind_row hf_kube_kinds[HF_KUBE_KINDS] = {
#define HF_KUBE_KIND(name, group_, kind_, plural_, namespaced_) \
	[HF_KUBE_##name] = { .group = group_, .kind = kind_, .plural = plural_, .namespaced = namespaced_ },
#define HF_KUBE_MAKER(name, group_, kind_, plural_, namespaced_, template_)                                         \
	[HF_KUBE_##name] = {                                                                                        \
		.group = group_, .kind = kind_, .plural = plural_, .template = template_, .namespaced = namespaced_ \
	},
#include "kube/kinds.def"
#undef HF_KUBE_KIND
};

hf_sv hf_kube_group_of(hf_sv api_version)
{
	hf_sv group, version;

	return hf_sv_cut(api_version, '/', &group, &version) ? group : (hf_sv){ "", 0 };
}

/* Groups that kinds have moved out of: extensions/v1beta1 until 1.22, PodSecurityPolicy among them. */
static bool same_group(hf_sv group, const struct hf_kube_kind_row *row)
{
	if (hf_sv_eq(group, hf_sv_of(row->group)))
		return true;
	if (hf_sv_eq(group, HF_SV("extensions")))
		return !strcmp(row->group, "apps") || !strcmp(row->group, "networking.k8s.io") ||
		       !strcmp(row->group, "policy");
	/* OpenShift's own objects before groups were there, and its roles. */
	return (hf_sv_eq(group, HF_SV("")) &&
		(!strcmp(row->group, "apps.openshift.io") || !strcmp(row->group, "route.openshift.io"))) ||
	       (hf_sv_eq(group, HF_SV("authorization.openshift.io")) &&
		!strcmp(row->group, "rbac.authorization.k8s.io"));
}

enum hf_kube_kind hf_kube_kind_of(hf_sv api_version, hf_sv kind)
{
	hf_sv group = hf_kube_group_of(api_version);

	for (unsigned k = HF_KUBE_OTHER + 1; k < HF_KUBE_KINDS; k++)
		if (hf_sv_eq(kind, hf_sv_of(hf_kube_kinds[k].kind)) && same_group(group, &hf_kube_kinds[k]))
			return k;
	return HF_KUBE_OTHER;
}

void hf_kube_position(const struct hf_kube_object *o, const struct hf_value *v, uint32_t *ret_line,
		      uint32_t *ret_column)
{
	*ret_line = 0;
	if (ret_column)
		*ret_column = 0;
	if (!hf_kube_is_live(o))
		hf_lines_position(o->lines ? o->lines : &(struct hf_lines){ .text = o->source->text },
				  v ? v->offset : o->offset, ret_line, ret_column);
}

uint32_t hf_kube_line(const struct hf_kube_object *o, const struct hf_value *v)
{
	uint32_t line;

	hf_kube_position(o, v, &line, NULL);
	return line;
}

const hf_sv *hf_kube_string_map(const struct hf_value *map, struct hf_arena *a, size_t *ret_n)
{
	size_t n = hf_value_count(map, HF_VALUE_OBJECT), kept = 0;
	hf_sv *pairs = n ? hf_arena_array(a, hf_sv, 2 * n) : NULL;

	for (size_t i = 0; pairs && i < n; i++) {
		const struct hf_member *m = &map->members[i];
		if (m->value.type != HF_VALUE_STRING)
			continue;
		pairs[2 * kept] = hf_member_key(m);
		pairs[2 * kept++ + 1] = hf_value_text(&m->value);
	}
	*ret_n = kept;
	return pairs;
}
