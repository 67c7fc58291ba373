#include "rbac/findings.h"

enum { VERBS_SHOWN_MAX = 64 }; /* of one rule that are looked at for a sentence */

hf_sv hf_rbac_subject_text(const struct hf_rbac_subject *s, struct hf_arena *a)
{
	switch (s->kind) {
	case HF_RBAC_ACCOUNT:
		return hf_arena_fmt(a, "sa %.*s/%.*s", HF_SV_FMT(s->namespace), HF_SV_FMT(s->account));
	case HF_RBAC_GROUP:
		return hf_arena_concat(a, HF_SV("group "), s->name);
	case HF_RBAC_USER:
		break;
	}
	return hf_arena_concat(a, HF_SV("user "), s->name);
}

static hf_sv named(struct hf_arena *a, const char *kind, hf_sv namespace, hf_sv name)
{
	return hf_arena_fmt(a, "%s%s %.*s%s%.*s", namespace.len ? "" : "Cluster", kind, HF_SV_FMT(namespace),
			    namespace.len ? "/" : "", HF_SV_FMT(name));
}

hf_sv hf_rbac_role_text(const struct hf_rbac_role *r, struct hf_arena *a)
{
	return named(a, "Role", r->namespace, r->name);
}

hf_sv hf_rbac_binding_text(const struct hf_rbac_binding *b, struct hf_arena *a)
{
	return named(a, "RoleBinding", b->namespace, b->name);
}

static bool mounts_token(const struct hf_kube_pod *pod, const struct hf_rbac_subject *account)
{
	const struct hf_value *pods = hf_value_get(pod->spec, HF_SV("automountServiceAccountToken"));
	const struct hf_value *own =
		account->object ? hf_value_get(account->object->root, HF_SV("automountServiceAccountToken")) : NULL;

	return !hf_value_is(pods ? pods : own, HF_VALUE_BOOL) || hf_value_true(pods ? pods : own);
}

const hf_sv *hf_rbac_holders(const struct hf_rbac_powers *p, const struct hf_rbac_subject *account, struct hf_arena *a,
			     size_t *ret_n)
{
	struct hf_map seen = HF_MAP(a);
	size_t n = 0;

	for (size_t i = 0; i < p->pods_n[account->number]; i++) {
		const struct hf_kube_pod *pod = p->pods[account->number][i];
		hf_sv kind, name;
		if (!mounts_token(pod, account))
			continue;
		hf_kube_top_owner(p->model->objects, pod->object, &kind, &name);
		hf_map_put(&seen, hf_arena_fmt(a, "%.*s %.*s/%.*s", HF_SV_FMT(kind), HF_SV_FMT(pod->object->namespace),
					       HF_SV_FMT(name)));
	}
	hf_sv *names = hf_arena_array(a, hf_sv, seen.n);
	for (; names && n < seen.n; n++)
		names[n] = seen.entries[n].key;
	*ret_n = n;
	return names;
}

/* The verbs of the rule that make it a risk. */
static hf_sv verbs_of(const struct hf_rbac_power *p, struct hf_arena *a)
{
	hf_sv all = HF_SV(""), rest = hf_sv_of(hf_rbac_risks[p->risk].verbs), verb;

	while (hf_rbac_risks[p->risk].verbs[0] && hf_sv_next(&rest, ',', &verb)) {
		bool written = false;
		for (size_t i = 0; i < p->rule->verbs.n && i < VERBS_SHOWN_MAX && !written; i++)
			written = hf_sv_eq(p->rule->verbs.at[i], verb);
		if (written)
			all = hf_arena_fmt(a, "%.*s%s%.*s", HF_SV_FMT(all), all.len ? "," : "", HF_SV_FMT(verb));
	}
	return all;
}

hf_sv hf_rbac_smallest_change(const struct hf_rbac_power *p, struct hf_arena *a)
{
	const struct hf_rbac_risk_row *row = &hf_rbac_risks[p->risk];
	const struct hf_rbac_role *role = p->binding->role;
	hf_sv role_name = hf_rbac_role_text(role, a), verbs = verbs_of(p, a);

	if (role->builtin) {
		hf_sv binding = hf_rbac_binding_text(p->binding, a);
		return hf_arena_fmt(a, "in %.*s bind a role of your own in place of %.*s; %s", HF_SV_FMT(binding),
				    HF_SV_FMT(role_name), row->fix);
	}
	hf_sv from = hf_rbac_role_text(p->rule->role, a);
	if (!verbs.len)
		return hf_arena_fmt(a, "in rule %u of %.*s: %s", p->rule->index + 1, HF_SV_FMT(from), row->fix);
	return hf_arena_fmt(a, "take %.*s out of rule %u of %.*s, or: %s", HF_SV_FMT(verbs), p->rule->index + 1,
			    HF_SV_FMT(from), row->fix);
}

static hf_sv step_text(const struct hf_rbac_subject *s, const struct hf_rbac_way *way, struct hf_arena *a)
{
	hf_sv who = hf_rbac_subject_text(s, a);
	const struct hf_rbac_power *p = way->power;
	bool node_is_all = way->by_node && !way->next;

	if (!p && !way->next)
		return hf_arena_fmt(a, "%.*s may do everything, without any binding", HF_SV_FMT(who));
	hf_sv next = way->next ? hf_rbac_subject_text(way->next, a) : HF_SV("");
	if (!p)
		return hf_arena_fmt(a, "%.*s is a member of %.*s", HF_SV_FMT(who), HF_SV_FMT(next));
	hf_sv scope = p->scope.len ? hf_arena_concat(a, HF_SV(" in "), p->scope) : HF_SV("");
	hf_sv text = hf_arena_fmt(a, "%.*s %s%.*s", HF_SV_FMT(who), hf_rbac_risks[p->risk].title, HF_SV_FMT(scope));
	if (node_is_all)
		return hf_arena_fmt(a, "%.*s, and so takes a node of the control plane with its keys: cluster-admin",
				    HF_SV_FMT(text));
	if (way->next)
		return hf_arena_fmt(a, "%.*s%s: acts as %.*s", HF_SV_FMT(text),
				    way->by_node ? ", and so takes a node and the tokens on it" : "", HF_SV_FMT(next));
	return p->risk == HF_RBAC_EVERYTHING ? text : hf_arena_fmt(a, "%.*s: cluster-admin", HF_SV_FMT(text));
}

const struct hf_rbac_step *hf_rbac_steps(const struct hf_rbac_powers *p, const struct hf_rbac_subject *s,
					 struct hf_arena *a, size_t *ret_n)
{
	size_t n = 0, steps_n = p->ways[s->number].steps;
	struct hf_rbac_step *steps = hf_arena_array(a, struct hf_rbac_step, steps_n);

	*ret_n = 0;
	for (; steps && s && n < steps_n; s = p->ways[s->number].next) {
		steps[n++] = (struct hf_rbac_step){ s, &p->ways[s->number], step_text(s, &p->ways[s->number], a) };
		*ret_n = n;
	}
	return steps;
}
