#include "rbac/resource.h"

const struct hf_rbac_resource hf_rbac_resources[] = {
#define HF_RBAC_RESOURCE(group, plural, singular, short_names, namespaced) \
	{ group, plural, singular, short_names, namespaced },
#include "rbac/resources.def"
#undef HF_RBAC_RESOURCE
};
const size_t hf_rbac_resources_n = HF_ARRAY_SIZE(hf_rbac_resources);

/* Subresources of the built-in resources, and those that custom resource definitions may have. */
static bool is_subresource(hf_sv s)
{
	static const char *const known[] = { "*",        "approval", "attach",    "binding", "ephemeralcontainers",
					     "eviction", "exec",     "finalize",  "log",     "portforward",
					     "proxy",    "resize",   "scale",     "status",  "token",
					     "rollback", "metrics",  "stats",     "spec",    "configz",
					     "healthz",  "pods",     "checkpoint" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (hf_sv_eq(s, hf_sv_of(known[i])))
			return true;
	return hf_sv_eq(s, HF_SV("finalizers"));
}

static bool is_version(hf_sv s)
{
	size_t i = 1;

	if (s.len < 2 || s.ptr[0] != 'v' || s.ptr[1] < '1' || s.ptr[1] > '9')
		return false;
	while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
		i++;
	return i == s.len || hf_sv_starts(hf_sv_skip(s, i), HF_SV("alpha")) ||
	       hf_sv_starts(hf_sv_skip(s, i), HF_SV("beta"));
}

static bool is_short(const char *list, hf_sv word)
{
	hf_sv rest = hf_sv_of(list), one;

	while (list[0] && hf_sv_next(&rest, ',', &one))
		if (hf_sv_eq(one, word))
			return true;
	return false;
}

static const struct hf_rbac_resource *find_builtin(hf_sv word, bool has_group, hf_sv group)
{
	for (size_t i = 0; i < hf_rbac_resources_n; i++) {
		const struct hf_rbac_resource *r = &hf_rbac_resources[i];
		if (has_group && !hf_sv_eq(group, hf_sv_of(r->group)))
			continue;
		if (hf_sv_eq_ascii(word, hf_sv_of(r->plural)) || hf_sv_eq_ascii(word, hf_sv_of(r->singular)) ||
		    is_short(r->short_names, word))
			return r;
	}
	return NULL;
}

static bool names_custom(const struct hf_value *names, hf_sv word)
{
	if (hf_sv_eq_ascii(word, hf_value_get_text(names, HF_SV("plural"))) ||
	    hf_sv_eq_ascii(word, hf_value_get_text(names, HF_SV("singular"))) ||
	    hf_sv_eq_ascii(word, hf_value_get_text(names, HF_SV("kind"))))
		return true;
	hf_value_elements(hf_value_get(names, HF_SV("shortNames")),
			  e) if (hf_sv_eq(hf_value_text(e), word)) return true;
	return false;
}

static enum hf_rbac_scope find_custom(const struct hf_kube_objects *set, hf_sv word, bool has_group, hf_sv group,
				      struct hf_rbac_request *ret)
{
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_CUSTOM_RESOURCE_DEFINITION]; i++) {
		const struct hf_value *spec = set->of_kind[HF_KUBE_CUSTOM_RESOURCE_DEFINITION][i]->spec;
		const struct hf_value *names = hf_value_get(spec, HF_SV("names"));
		hf_sv theirs = hf_value_get_text(spec, HF_SV("group")),
		      plural = hf_value_get_text(names, HF_SV("plural"));
		if ((has_group && !hf_sv_eq(theirs, group)) || !plural.len || !names_custom(names, word))
			continue;
		ret->group = theirs;
		ret->resource = plural;
		return hf_sv_eq(hf_value_get_text(spec, HF_SV("scope")), HF_SV("Cluster")) ? HF_RBAC_SCOPE_CLUSTER
											   : HF_RBAC_SCOPE_NAMESPACE;
	}
	return HF_RBAC_SCOPE_UNKNOWN;
}

/* "deployments.v1.apps" */
static bool cut_group(hf_sv *word, hf_sv *ret_group)
{
	hf_sv first, rest;

	if (!hf_sv_cut(*word, '.', word, ret_group))
		return false;
	if (is_version(*ret_group)) /* pods.v1 */
		*ret_group = HF_SV("");
	else if (hf_sv_cut(*ret_group, '.', &first, &rest) && is_version(first))
		*ret_group = rest;
	return true;
}

enum hf_rbac_scope hf_rbac_parse_resource(const struct hf_kube_objects *set, hf_sv word, struct hf_arena *a,
					  struct hf_rbac_request *ret, bool *ret_name_taken)
{
	hf_sv behind = { "", 0 }, group = { "", 0 }, sub, sub_group;

	*ret_name_taken = false;
	ret->subresource = HF_SV("");
	if (hf_sv_starts(word, HF_SV("/"))) {
		ret->url = word;
		return HF_RBAC_SCOPE_CLUSTER;
	}
	bool has_behind = hf_sv_cut(word, '/', &word, &behind);
	bool has_group = cut_group(&word, &group);
	if (has_behind && !has_group && hf_sv_cut(behind, '.', &sub, &sub_group) && is_subresource(sub)) {
		behind = sub;
		group = sub_group;
		has_group = true;
	}
	if (has_behind && is_subresource(behind)) {
		ret->subresource = behind;
	} else if (has_behind) {
		ret->name = behind;
		*ret_name_taken = true;
	}
	ret->group = group;
	ret->resource = hf_arena_dup(a, word);
	if (hf_sv_eq(word, HF_SV("*")))
		return HF_RBAC_SCOPE_NAMESPACE;
	const struct hf_rbac_resource *r = find_builtin(word, has_group, group);
	if (r) {
		ret->group = hf_sv_of(r->group);
		ret->resource = hf_sv_of(r->plural);
		return r->namespaced ? HF_RBAC_SCOPE_NAMESPACE : HF_RBAC_SCOPE_CLUSTER;
	}
	return set ? find_custom(set, word, has_group, group, ret) : HF_RBAC_SCOPE_UNKNOWN;
}
