/* kube rbac unused: what the objects alone tell to be without use. */
#include "cmd/kube/kube_rbac.h"
#include "cmd/log.h"

static void print_unused(struct rbac_writer *w, hf_sv what, const struct hf_kube_object *o, const char *why)
{
	hf_sv place = rbac_place(w, o, NULL);

	if (w->json) {
		hf_jw_object(w->json);
		hf_jw_kv(w->json, "kind", o->kind_name);
		hf_jw_kv_if(w->json, "namespace", o->namespace);
		hf_jw_kv(w->json, "name", o->name);
		hf_jw_kv(w->json, "why", hf_sv_of(why));
		hf_jw_kv(w->json, "source", o->source->name);
		if (!hf_kube_is_live(o))
			hf_jw_kv_uint(w->json, "line", hf_kube_line(o, NULL));
		hf_jw_object_end(w->json);
		return;
	}
	rbac_print_line(w, "", hf_arena_fmt(w->arena, "%.*s (%.*s): %s", HF_SV_FMT(what), HF_SV_FMT(place), why));
}

static void unused_roles(struct rbac_writer *w)
{
	const struct hf_rbac_model *m = w->model;
	bool *bound = hf_arena_array(w->arena, bool, m->roles_n),
	     *gathered = hf_arena_array(w->arena, bool, m->roles_n);

	if (!bound || !gathered)
		return;
	for (size_t i = 0; i < m->bindings_n; i++)
		if (m->bindings[i]->role && m->bindings[i]->subjects_n)
			bound[m->bindings[i]->role->number] = true;
	for (size_t i = 0; i < m->roles_n; i++)
		for (size_t r = 0; (bound[i] || m->roles[i]->builtin) && r < m->roles[i]->rules_n; r++)
			gathered[m->roles[i]->rules[r]->role->number] = true;
	for (size_t i = 0; i < m->roles_n; i++)
		if (!bound[i] && !gathered[i] && (!m->roles[i]->builtin || w->ask->all))
			print_unused(w, hf_rbac_role_text(m->roles[i], w->arena), m->roles[i]->object,
				     "nobody is bound to it");
}

int rbac_unused(struct rbac_writer *w, struct hf_err *err)
{
	const struct hf_rbac_model *m = w->model;

	w->powers = hf_rbac_powers(m, w->arena);
	if (!w->powers)
		return hf_fail(err, HF_E_LIMIT, "the roles need more memory than is allowed");
	if (w->json) {
		hf_jw_kv_bool(w->json, "accounts_assessable", w->powers->pods_known);
		hf_jw_key(w->json, "unused");
		hf_jw_array(w->json);
	}
	unused_roles(w);
	for (size_t i = 0; i < m->bindings_n; i++) {
		const struct hf_rbac_binding *b = m->bindings[i];
		const char *why = !b->role            ? "its role is not there"
				  : !b->subjects_n    ? "it names nobody"
				  : !b->role->rules_n ? "its role holds nothing"
						      : NULL;
		if (why && (!b->builtin || w->ask->all))
			print_unused(w, hf_rbac_binding_text(b, w->arena), b->object, why);
	}
	for (size_t i = 0; i < m->subjects_n; i++)
		if (hf_rbac_is_unused(w->powers, m->subjects[i]))
			print_unused(w, hf_rbac_subject_text(m->subjects[i], w->arena), m->subjects[i]->object,
				     "no pod runs as it");
	if (!w->powers->pods_known)
		log_note("no pods are in the input: which accounts nobody uses is not assessable");
	if (w->json)
		hf_jw_array_end(w->json);
	return 0;
}
