#include "rbac/trim.h"

enum { NAMESPACES_MAX = 3, COMPARED_MAX = 1 << 20 };

struct trimming {
	const struct hf_rbac_audit *audit;
	const struct hf_rbac_model *model;
	struct hf_arena *arena;
	const struct hf_rbac_role **gathered_by; /* by role->number: one that has its rules too */
	uint32_t *needed_by;                     /* by subject->number: binding->number + 1 of the last that it needs */
	struct hf_map told;                      /* objects that are left, by where they are */
	struct hf_map names;                     /* that new objects have */
	HF_VEC(struct hf_rbac_trim_role) roles;
	HF_VEC(struct hf_rbac_trim_binding) bindings;
	HF_VEC(struct hf_rbac_left) left;
	uint64_t granted, used;
};

static void leave(struct trimming *t, const struct hf_kube_object *o, hf_sv why)
{
	struct hf_map_entry *e = hf_map_find(&t->told, (hf_sv){ (const char *)&o, sizeof o });
	const struct hf_kube_object **key = hf_arena_new(t->arena, const struct hf_kube_object *);
	struct hf_rbac_left *slot = !e && key ? hf_vec_push(t->arena, &t->left) : NULL;

	if (!slot)
		return;
	*key = o;
	*slot = (struct hf_rbac_left){ o, why };
	hf_map_put(&t->told, (hf_sv){ (const char *)key, sizeof *key });
	e = hf_map_find(&t->told, (hf_sv){ (const char *)key, sizeof *key });
	if (e)
		e->value = (void *)(uintptr_t)o;
}

/* Who would write it back; empty: nobody. */
static hf_sv owner_of(struct trimming *t, const struct hf_kube_object *o)
{
	const struct hf_value *owners = hf_value_get(o->metadata, HF_SV("ownerReferences"));
	const struct hf_value *labels = hf_value_get(o->metadata, HF_SV("labels"));

	hf_value_elements(owners, e)
	{
		hf_sv kind = hf_value_get_text(e, HF_SV("kind")), name = hf_value_get_text(e, HF_SV("name"));
		return hf_arena_fmt(t->arena, "%.*s %.*s makes it: change it there", HF_SV_FMT(kind), HF_SV_FMT(name));
	}
	if (hf_value_get_text(labels, HF_SV("olm.owner")).len)
		return HF_SV("the Operator Lifecycle Manager makes it: change it there");
	if (hf_sv_starts(o->name, HF_SV("system:")) ||
	    hf_value_get_text(labels, HF_SV("kubernetes.io/bootstrapping")).len)
		return HF_SV("the API server makes it");
	return HF_SV("");
}

/* Why the role's rules are not to be changed; empty: they may be. */
static hf_sv fixed_role(struct trimming *t, const struct hf_rbac_role *role)
{
	if (role->builtin)
		return HF_SV("the API server makes it");
	if (hf_value_get(role->object->root, HF_SV("aggregationRule")))
		return HF_SV("it is gathered from other roles");
	if (t->gathered_by[role->number])
		return hf_arena_fmt(t->arena, "ClusterRole %.*s gathers its rules too",
				    HF_SV_FMT(t->gathered_by[role->number]->name));
	return owner_of(t, role->object);
}

static bool holds(const hf_sv *list, size_t n, hf_sv word)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(list[i], word))
			return true;
	return false;
}

static bool still_has(const struct hf_rbac_narrow_rule *r, hf_sv group, hf_sv resource, hf_sv verb,
		      struct hf_rbac_list names)
{
	if (!hf_sv_eq(r->group, group) || !holds(r->resources, r->resources_n, resource) ||
	    !holds(r->verbs, r->verbs_n, verb) || (r->names.n && !names.n))
		return false;
	for (size_t i = 0; r->names.n && i < names.n; i++)
		if (!holds(r->names.at, r->names.n, names.at[i]))
			return false;
	return true;
}

/* Is all that the rule says, word by word, in the narrow ones? */
static bool is_kept(const struct hf_rbac_rule *rule, const struct hf_rbac_narrow_rule *narrow, size_t n)
{
	static const hf_sv core = HF_SV_INIT("");
	bool urls = rule->urls.n > 0;
	const hf_sv *groups = urls ? &core : rule->groups.at;
	struct hf_rbac_list what = urls ? rule->urls : rule->resources;
	size_t groups_n = urls ? 1 : rule->groups.n, compared = 0;

	for (size_t g = 0; g < groups_n; g++)
		for (size_t w = 0; w < what.n; w++)
			for (size_t v = 0; v < rule->verbs.n; v++) {
				bool found = false;
				for (size_t i = 0; i < n && !found; i++)
					found = narrow[i].urls == urls && still_has(&narrow[i], groups[g], what.at[w],
										    rule->verbs.at[v], rule->names);
				compared += n;
				if (!found || compared > COMPARED_MAX)
					return false;
			}
	return true;
}

static bool is_narrower(const struct hf_rbac_role *role, const struct hf_rbac_narrow_rule *narrow, size_t n)
{
	for (size_t i = 0; i < role->rules_n; i++)
		if (!is_kept(role->rules[i], narrow, n))
			return true;
	return false;
}

static void count_granted(struct trimming *t, const struct hf_rbac_role *role)
{
	for (size_t i = 0; i < role->rules_n; i++) {
		const struct hf_rbac_rule *r = role->rules[i];
		t->granted += (uint64_t)r->verbs.n * (r->urls.n ? r->urls.n : r->groups.n * r->resources.n);
	}
}

static void count_used(struct trimming *t, const struct hf_rbac_narrow_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t->used += (uint64_t)rules[i].verbs_n * rules[i].resources_n;
}

/* The namespaces of all that is needed, where they are few and it is for no more than them. */
static size_t few_namespaces(struct hf_rbac_needs needs, hf_sv *namespaces)
{
	size_t n = 0;

	for (size_t i = 0; i < needs.n; i++) {
		hf_sv in = needs.at[i].use->request.namespace;
		if (!in.len || needs.at[i].use->request.url.len)
			return 0;
		if (holds(namespaces, n, in))
			continue;
		if (n == NAMESPACES_MAX)
			return 0;
		namespaces[n++] = in;
	}
	return n;
}

/* Which elements of `subjects` are needed: those of whom the model knows, and who did something. */
static void find_kept(struct trimming *t, struct hf_rbac_trim_binding *out, struct hf_rbac_needs needs)
{
	const struct hf_rbac_binding *b = out->binding;
	const struct hf_value *list = hf_value_get(b->object->root, HF_SV("subjects"));
	bool *keeps = hf_arena_array(t->arena, bool, hf_value_count(list, HF_VALUE_ARRAY));

	out->keeps = keeps;
	for (size_t i = 0; i < needs.n; i++)
		t->needed_by[needs.at[i].subject->number] = b->number + 1;
	hf_value_elements(keeps ? list : NULL, e)
	{
		hf_sv kind = hf_value_get_text(e, HF_SV("kind")), name = hf_value_get_text(e, HF_SV("name")),
		      namespace = hf_value_get_text(e, HF_SV("namespace"));
		namespace = namespace.len ? namespace : b->namespace;
		if (hf_sv_eq(kind, HF_SV("ServiceAccount")))
			name = hf_arena_fmt(t->arena, "system:serviceaccount:%.*s:%.*s", HF_SV_FMT(namespace),
					    HF_SV_FMT(name));
		const struct hf_rbac_subject *s = hf_rbac_find_subject(t->model, hf_sv_eq(kind, HF_SV("Group")), name);
		keeps[out->elements] = s && t->needed_by[s->number] == b->number + 1;
		out->kept += keeps[out->elements++];
	}
}

/* Does something bear the name already, or was it given away? */
static bool is_taken(struct trimming *t, const struct hf_rbac_trim_binding *out, hf_sv name, bool roles_too)
{
	const struct hf_kube_objects *set = t->model->objects;
	hf_sv cluster = t->model->cluster, namespace = out->binding->namespace;
	bool taken = hf_map_find(&t->names, name) != NULL;

	for (size_t i = 0; i < out->namespaces_n && !taken; i++)
		taken = hf_kube_find(set, cluster, HF_KUBE_ROLE_BINDING, out->namespaces[i], name);
	if (!out->namespaces_n && !taken)
		taken = hf_kube_find(set, cluster, namespace.len ? HF_KUBE_ROLE_BINDING : HF_KUBE_CLUSTER_ROLE_BINDING,
				     namespace, name);
	for (size_t r = 0; roles_too && r < t->model->roles_n && !taken; r++)
		taken = hf_sv_eq(t->model->roles[r]->name, name);
	return taken;
}

/* Empty where none was found. */
static hf_sv free_name(struct trimming *t, const struct hf_rbac_trim_binding *out)
{
	enum { NAME_MAX_BYTES = 200, TRIES = 64 };
	hf_sv stem = hf_sv_first(out->binding->name, NAME_MAX_BYTES), name = { 0 };

	for (unsigned i = 1; i <= TRIES; i++) {
		name = i == 1 ? hf_arena_concat(t->arena, stem, HF_SV("-used"))
			      : hf_arena_fmt(t->arena, "%.*s-used-%u", HF_SV_FMT(stem), i);
		if (!is_taken(t, out, name, true))
			return name;
	}
	return (hf_sv){ 0 };
}

/* Names what takes the binding's place. False: there is no name that is free. */
static bool name_new(struct trimming *t, struct hf_rbac_trim_binding *out)
{
	hf_sv name = out->binding->name;
	bool stays = !out->own_n && !out->namespaces_n;
	bool keeps = stays || (out->namespaces_n && !is_taken(t, out, name, false));

	out->name = name;
	if (!keeps || out->own_n) {
		hf_sv new = free_name(t, out);
		if (!new.len)
			return false;
		out->name = keeps ? name : new;
		out->own_name = out->own_n ? new : (hf_sv){ 0 };
		hf_map_put(&t->names, new);
	}
	if (!stays)
		hf_map_put(&t->names, out->name);
	return true;
}

static void add_own_roles(struct trimming *t, struct hf_rbac_trim_binding *out, struct hf_rbac_needs needs)
{
	size_t n = out->namespaces_n ? out->namespaces_n : 1;
	struct hf_rbac_own_role *own = hf_arena_array(t->arena, struct hf_rbac_own_role, n);

	if (!own)
		return;
	for (size_t i = 0; i < n; i++) {
		own[i].namespace = out->namespaces_n ? out->namespaces[i] : out->binding->namespace;
		own[i].rules =
			hf_rbac_narrow(needs, out->namespaces_n ? &own[i].namespace : NULL, t->arena, &own[i].rules_n);
		count_used(t, own[i].rules, own[i].rules_n);
	}
	out->own = own;
	out->own_n = n;
}

static void trim_binding(struct trimming *t, const struct hf_rbac_binding *b)
{
	struct hf_rbac_needs needs = t->audit->bindings[b->number];
	struct hf_rbac_trim_binding out = { .binding = b };
	hf_sv namespaces[NAMESPACES_MAX], why;

	count_granted(t, b->role);
	why = owner_of(t, b->object);
	if (why.len) {
		leave(t, b->object, why);
		return;
	}
	find_kept(t, &out, needs);
	size_t n = b->namespace.len ? 0 : few_namespaces(needs, namespaces);
	hf_sv *copy = hf_arena_array(t->arena, hf_sv, n);
	if (n && copy) {
		memcpy(copy, namespaces, n * sizeof *copy);
		out.namespaces = copy;
		out.namespaces_n = n;
	}
	size_t rules_n;
	const struct hf_rbac_narrow_rule *rules = hf_rbac_narrow(needs, NULL, t->arena, &rules_n);
	if (needs.n && fixed_role(t, b->role).len && is_narrower(b->role, rules, rules_n))
		add_own_roles(t, &out, needs);
	else
		count_used(t, rules, rules_n);
	if (!name_new(t, &out)) {
		leave(t, b->object, HF_SV("all names are taken that a new one could have"));
		return;
	}
	struct hf_rbac_trim_binding *slot =
		out.own_n || n || out.kept < out.elements ? hf_vec_push(t->arena, &t->bindings) : NULL;
	if (slot)
		*slot = out;
}

static void trim_role(struct trimming *t, const struct hf_rbac_role *role,
		      const struct hf_rbac_binding *const *bindings, size_t n)
{
	HF_VEC(struct hf_rbac_need) all = { 0 };
	struct hf_rbac_trim_role out = { .role = role, .holders = n };

	for (size_t i = 0; i < n; i++) {
		struct hf_rbac_needs needs = t->audit->bindings[bindings[i]->number];
		for (size_t k = 0; k < needs.n; k++) {
			struct hf_rbac_need *slot = hf_vec_push(t->arena, &all);
			if (slot)
				*slot = needs.at[k];
		}
	}
	/* Nobody used it: its bindings lose their subjects, and it stays for who is bound next. */
	if (!all.n)
		return;
	hf_sv why = fixed_role(t, role);
	out.rules = hf_rbac_narrow((struct hf_rbac_needs){ all.at, all.n }, NULL, t->arena, &out.rules_n);
	if (!is_narrower(role, out.rules, out.rules_n))
		return;
	if (why.len) {
		if (!role->builtin)
			leave(t, role->object, why);
		return;
	}
	struct hf_rbac_trim_role *slot = hf_vec_push(t->arena, &t->roles);
	if (slot)
		*slot = out;
}

static void find_gathered(struct trimming *t)
{
	for (size_t i = 0; i < t->model->roles_n; i++)
		for (size_t r = 0; r < t->model->roles[i]->rules_n; r++) {
			const struct hf_rbac_role *from = t->model->roles[i]->rules[r]->role;
			if (from != t->model->roles[i])
				t->gathered_by[from->number] = t->model->roles[i];
		}
}

/* A cluster has filled in what it gathers, so there only labels tell: of the kinds that its own roles gather by. */
static void find_labelled(struct trimming *t)
{
	for (size_t i = 0; i < t->model->roles_n; i++) {
		const struct hf_rbac_role *role = t->model->roles[i];
		hf_value_members(hf_value_get(role->object->metadata, HF_SV("labels")), m)
		{
			static const char prefix[] = "rbac.authorization.k8s.io/aggregate-to-";
			if (!hf_sv_starts(hf_member_key(m), hf_sv_of(prefix)) || t->gathered_by[role->number])
				continue;
			struct hf_rbac_role *by = hf_arena_new(t->arena, struct hf_rbac_role);
			if (by)
				by->name = hf_sv_skip(hf_member_key(m), sizeof prefix - 1);
			t->gathered_by[role->number] = by;
		}
	}
}

const struct hf_rbac_trim *hf_rbac_trim(const struct hf_rbac_audit *audit, struct hf_arena *a)
{
	const struct hf_rbac_model *m = audit->model;
	struct trimming t = { .audit = audit, .model = m, .arena = a, .told = HF_MAP(a), .names = HF_MAP(a) };
	struct hf_rbac_trim *out = hf_arena_new(a, struct hf_rbac_trim);
	const struct hf_rbac_binding ***of_role = hf_arena_array(a, const struct hf_rbac_binding **, m->roles_n);
	size_t *counts = hf_arena_array(a, size_t, m->roles_n);

	t.gathered_by = hf_arena_array(a, const struct hf_rbac_role *, m->roles_n);
	t.needed_by = hf_arena_array(a, uint32_t, m->subjects_n);
	if (!out || !of_role || !counts || !t.gathered_by || !t.needed_by)
		return NULL;
	find_gathered(&t);
	find_labelled(&t);
	for (size_t i = 0; i < m->bindings_n; i++)
		if (m->bindings[i]->role)
			counts[m->bindings[i]->role->number]++;
	for (size_t i = 0; i < m->roles_n; i++) {
		of_role[i] = hf_arena_array(a, const struct hf_rbac_binding *, counts[i]);
		counts[i] = 0;
	}
	for (size_t i = 0; i < m->bindings_n && !a->over; i++) {
		const struct hf_rbac_binding *b = m->bindings[i];
		if (!b->role)
			continue;
		of_role[b->role->number][counts[b->role->number]++] = b;
		if (!b->builtin && b->subjects_n)
			trim_binding(&t, b);
	}
	for (size_t i = 0; i < m->roles_n && !a->over; i++)
		trim_role(&t, m->roles[i], of_role[i], counts[i]);
	*out = (struct hf_rbac_trim){ .roles = t.roles.at,
				      .roles_n = t.roles.n,
				      .bindings = t.bindings.at,
				      .bindings_n = t.bindings.n,
				      .left = t.left.at,
				      .left_n = t.left.n,
				      .granted = t.granted,
				      .used = t.used };
	return a->over ? NULL : out;
}
