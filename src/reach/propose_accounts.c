/* Workloads whose ServiceAccount is bound to roles: they talk to the API server, whose address no manifest has. */
#include "base/map.h"
#include "reach/propose_internal.h"

static hf_sv key_of(struct hf_arena *a, hf_sv namespace, hf_sv account)
{
	return hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(namespace), HF_SV_FMT(account));
}

static void add_bindings(struct proposer *p, enum hf_kube_kind kind, struct hf_map *bound)
{
	for (size_t i = 0; i < p->r->set->of_kind_n[kind]; i++) {
		const struct hf_kube_object *o = p->r->set->of_kind[kind][i];
		hf_value_elements(hf_value_get(o->root, HF_SV("subjects")), s)
		{
			hf_sv namespace = hf_value_text(hf_value_get(s, HF_SV("namespace")));
			if (!hf_sv_eq(hf_value_text(hf_value_get(s, HF_SV("kind"))), HF_SV("ServiceAccount")))
				continue;
			hf_sv name = hf_value_text(hf_value_get(s, HF_SV("name")));
			struct hf_map_entry *e =
				hf_map_put(bound, key_of(p->a, namespace.len ? namespace : o->namespace, name));
			if (e && !e->value)
				e->value = (void *)o;
		}
	}
}

void propose_tell_accounts(struct proposer *p)
{
	struct hf_map bound = HF_MAP(p->a);

	add_bindings(p, HF_KUBE_ROLE_BINDING, &bound);
	add_bindings(p, HF_KUBE_CLUSTER_ROLE_BINDING, &bound);
	for (size_t i = 0; i < p->r->workloads.n; i++) {
		const struct hf_reach_workload *w = &p->r->workloads.at[i];
		if (!p->covered[i] || !w->pods.n)
			continue;
		hf_sv account = w->pods.at[0]->service_account;
		const struct hf_map_entry *e = hf_map_find(&bound, key_of(p->a, w->namespace, account));
		const struct hf_kube_object *o = e ? e->value : NULL;
		if (o)
			propose_note(p,
				     "%.*s: %.*s %.*s lets its account ask the API server, whose address is not known "
				     "here: add a rule for it if it does",
				     HF_SV_FMT(w->name), HF_SV_FMT(o->kind_name), HF_SV_FMT(o->name));
	}
}
