#include "rbac/builder.h"

void rbac_note(struct rbac_builder *b, enum hf_kube_note_kind kind, const struct hf_kube_object *o,
	       const struct hf_value *where, hf_sv text)
{
	struct hf_kube_note *n = hf_vec_push(b->arena, &b->notes);

	if (!n)
		return;
	*n = (struct hf_kube_note){ .kind = kind, .source = o ? o->source->name : HF_SV("roles"), .text = text };
	if (o)
		hf_kube_position(o, where, &n->line, &n->column);
}

static struct hf_rbac_list strings(struct rbac_builder *b, const struct hf_kube_object *o, const struct hf_value *rule,
				   const char *key)
{
	const struct hf_value *list = hf_value_get(rule, hf_sv_of(key));
	hf_sv *at = hf_arena_array(b->arena, hf_sv, hf_value_count(list, HF_VALUE_ARRAY));
	struct hf_rbac_list ret = { at, 0 };

	if (list && list->type != HF_VALUE_ARRAY)
		rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, o, list,
			  hf_arena_fmt(b->arena, "%s of a rule is no list of strings: it is passed over", key));
	hf_value_elements(at ? list : NULL, e)
	{
		if (e->type == HF_VALUE_STRING)
			at[ret.n++] = hf_value_text(e);
		else
			rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, o, e,
				  hf_arena_fmt(b->arena, "an entry of %s is no string: it is passed over", key));
	}
	return ret;
}

static void add_rules(struct rbac_builder *b, struct hf_rbac_role *role)
{
	const struct hf_kube_object *o = role->object;
	const struct hf_value *list = hf_value_get(o->root, HF_SV("rules"));
	size_t n = hf_value_count(list, HF_VALUE_ARRAY);
	struct hf_rbac_rule *rules = hf_arena_array(b->arena, struct hf_rbac_rule, n);
	const struct hf_rbac_rule **pointers = hf_arena_array(b->arena, const struct hf_rbac_rule *, n);

	if (list && list->type != HF_VALUE_ARRAY)
		rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, o, list, HF_SV("rules is no list: it is passed over"));
	if (!rules || !pointers)
		return;
	role->rules = pointers;
	hf_value_elements(list, e)
	{
		struct hf_rbac_rule *r = &rules[role->rules_n];
		if (e->type != HF_VALUE_OBJECT) {
			rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, o, e, HF_SV("a rule is no object: it is passed over"));
			continue;
		}
		*r = (struct hf_rbac_rule){
			.verbs = strings(b, o, e, "verbs"),
			.groups = strings(b, o, e, "apiGroups"),
			.resources = strings(b, o, e, "resources"),
			.names = strings(b, o, e, "resourceNames"),
			.urls = strings(b, o, e, "nonResourceURLs"),
			.value = e,
			.role = role,
			.index = (uint32_t)(e - list->elements),
			.number = (uint32_t)b->model->rules_n++,
		};
		/* Names that could not be read would otherwise make the rule wider than it is. */
		if (hf_value_get(e, HF_SV("resourceNames")) && !r->names.n &&
		    (hf_value_get(e, HF_SV("resourceNames"))->type != HF_VALUE_ARRAY ||
		     hf_value_get(e, HF_SV("resourceNames"))->n))
			r->verbs.n = 0;
		pointers[role->rules_n++] = r;
	}
}

static hf_sv name_key(struct rbac_builder *b, hf_sv namespace, hf_sv name)
{
	return hf_arena_fmt(b->arena, "%.*s/%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name));
}

/* A name that is there already is left as it is: the set's own stands before the defaults. */
static void add_role(struct rbac_builder *b, const struct hf_kube_object *o, bool builtin)
{
	struct hf_map_entry *e = hf_map_put(&b->role_by_name, name_key(b, o->namespace, o->name));

	if (!e || e->value || !o->name.len)
		return;
	struct hf_rbac_role *role = hf_arena_new(b->arena, struct hf_rbac_role);
	struct hf_rbac_role **slot = hf_vec_push(b->arena, &b->roles);
	if (!role || !slot)
		return;
	*role = (struct hf_rbac_role){ .object = o,
				       .namespace = o->namespace,
				       .name = o->name,
				       .builtin = builtin,
				       .number = (uint32_t)(b->roles.n - 1) };
	*slot = role;
	e->value = role;
	add_rules(b, role);
}

static struct hf_rbac_subject *subject(struct rbac_builder *b, bool group, hf_sv name)
{
	hf_sv key = hf_arena_concat(b->arena, group ? HF_SV("g") : HF_SV("u"), name);
	struct hf_map_entry *e = name.len ? hf_map_put(&b->model->by_name, key) : NULL;

	if (!e || e->value)
		return e ? e->value : NULL;
	struct hf_rbac_subject *s = hf_arena_new(b->arena, struct hf_rbac_subject);
	struct hf_rbac_subject **slot = hf_vec_push(b->arena, &b->subjects);
	if (!s || !slot)
		return NULL;
	*s = (struct hf_rbac_subject){ .kind = group ? HF_RBAC_GROUP : HF_RBAC_USER,
				       .name = hf_sv_skip(key, 1),
				       .number = (uint32_t)(b->subjects.n - 1) };
	if (!group && hf_rbac_is_account(s->name, &s->namespace, &s->account))
		s->kind = HF_RBAC_ACCOUNT;
	*slot = e->value = s;
	return s;
}

static struct hf_rbac_subject *account(struct rbac_builder *b, hf_sv namespace, hf_sv name)
{
	return subject(
		b, false,
		hf_arena_fmt(b->arena, "system:serviceaccount:%.*s:%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name)));
}

static struct hf_rbac_subject *subject_of(struct rbac_builder *b, const struct hf_rbac_binding *binding,
					  const struct hf_value *v)
{
	hf_sv kind = hf_value_get_text(v, HF_SV("kind")), name = hf_value_get_text(v, HF_SV("name"));
	hf_sv namespace = hf_value_get_text(v, HF_SV("namespace"));
	const char *wrong;

	if (!name.len)
		wrong = "a subject has no name: it is passed over";
	else if (hf_sv_eq(kind, HF_SV("User")))
		return subject(b, false, name);
	else if (hf_sv_eq(kind, HF_SV("Group")))
		return subject(b, true, name);
	else if (!hf_sv_eq(kind, HF_SV("ServiceAccount")))
		wrong = "a subject is no User, Group or ServiceAccount: it is passed over";
	else if (namespace.len || binding->namespace.len)
		return account(b, namespace.len ? namespace : binding->namespace, name);
	else
		wrong = "a ServiceAccount without a namespace gets nothing from a ClusterRoleBinding";
	rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, binding->object, v, hf_sv_of(wrong));
	return NULL;
}

static void add_subjects(struct rbac_builder *b, struct hf_rbac_binding *binding)
{
	const struct hf_value *list = hf_value_get(binding->object->root, HF_SV("subjects"));
	const struct hf_rbac_subject **all =
		hf_arena_array(b->arena, const struct hf_rbac_subject *, hf_value_count(list, HF_VALUE_ARRAY));

	if (list && list->type != HF_VALUE_ARRAY)
		rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, binding->object, list,
			  HF_SV("subjects is no list: it is passed over"));
	binding->subjects = all;
	hf_value_elements(all ? list : NULL, e)
	{
		const struct hf_rbac_subject *s = subject_of(b, binding, e);
		if (s)
			all[binding->subjects_n++] = s;
	}
}

static void add_binding(struct rbac_builder *b, const struct hf_kube_object *o, bool builtin)
{
	const struct hf_value *ref = hf_value_get(o->root, HF_SV("roleRef"));
	struct hf_rbac_binding *binding = hf_arena_new(b->arena, struct hf_rbac_binding);
	struct hf_rbac_binding **slot = hf_vec_push(b->arena, &b->bindings);

	if (!binding || !slot)
		return;
	*slot = binding;
	*binding = (struct hf_rbac_binding){ .object = o,
					     .namespace = o->namespace,
					     .name = o->name,
					     .role_kind = hf_value_get_text(ref, HF_SV("kind")),
					     .role_name = hf_value_get_text(ref, HF_SV("name")),
					     .builtin = builtin,
					     .number = (uint32_t)(b->bindings.n - 1) };
	hf_sv where = { "", 0 };
	if (hf_sv_eq(binding->role_kind, HF_SV("Role")) && o->namespace.len) {
		where = o->namespace;
	} else if (!hf_sv_eq(binding->role_kind, HF_SV("ClusterRole"))) {
		rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, o, ref,
			  HF_SV("roleRef names no ClusterRole, nor a Role for a RoleBinding: it gives nothing"));
		add_subjects(b, binding);
		return;
	}
	struct hf_map_entry *e = hf_map_find(&b->role_by_name, name_key(b, where, binding->role_name));
	binding->role = e ? e->value : NULL;
	add_subjects(b, binding);
}

/* Says nothing but what the default of its name says: who it names, and which role. */
static bool is_default(const struct rbac_builder *b, const struct hf_kube_object *o)
{
	const struct hf_kube_object *d =
		b->defaults ? hf_kube_find(b->defaults, HF_SV(""), o->kind, o->namespace, o->name) : NULL;
	const struct hf_value *theirs = hf_value_get(o->root, HF_SV("subjects"));
	const struct hf_value *ours = d ? hf_value_get(d->root, HF_SV("subjects")) : NULL;

	if (!d || hf_value_count(theirs, HF_VALUE_ARRAY) != hf_value_count(ours, HF_VALUE_ARRAY) ||
	    !hf_sv_eq(hf_value_text(hf_value_at(o->root, "roleRef.name")),
		      hf_value_text(hf_value_at(d->root, "roleRef.name"))))
		return false;
	hf_value_elements(theirs, e)
	{
		bool found = false;
		hf_value_elements(ours, f) found |=
			hf_sv_eq(hf_value_get_text(e, HF_SV("name")), hf_value_get_text(f, HF_SV("name"))) &&
			hf_sv_eq(hf_value_get_text(e, HF_SV("kind")), hf_value_get_text(f, HF_SV("kind"))) &&
			hf_sv_eq(hf_value_get_text(e, HF_SV("namespace")), hf_value_get_text(f, HF_SV("namespace")));
		if (!found)
			return false;
	}
	return true;
}

static void add_kind(struct rbac_builder *b, enum hf_kube_kind kind, bool defaults)
{
	const struct hf_kube_objects *set = defaults ? b->defaults : b->objects;
	bool binds = kind == HF_KUBE_ROLE_BINDING || kind == HF_KUBE_CLUSTER_ROLE_BINDING;

	for (size_t i = 0; i < set->of_kind_n[kind]; i++) {
		const struct hf_kube_object *o = set->of_kind[kind][i];
		if (!defaults && !hf_sv_eq(o->cluster, b->model->cluster))
			continue;
		if (!binds)
			add_role(b, o,
				 b->defaults && hf_kube_find(b->defaults, HF_SV(""), kind, o->namespace, o->name));
		else if (!defaults)
			add_binding(b, o, is_default(b, o));
		else if (!hf_kube_find(b->objects, b->model->cluster, kind, o->namespace, o->name))
			add_binding(b, o, true);
	}
}

/* Files that a cluster's name was given to are manifests all the same. */
static bool is_saved(const struct rbac_builder *b)
{
	for (size_t i = 0; i < b->objects->n; i++)
		if (hf_sv_eq(b->objects->objects[i]->cluster, b->model->cluster))
			return b->objects->objects[i]->source->saved;
	return false;
}

static bool has_defaults(const struct rbac_builder *b)
{
	for (size_t i = 0; i < b->objects->of_kind_n[HF_KUBE_CLUSTER_ROLE]; i++) {
		const struct hf_kube_object *o = b->objects->of_kind[HF_KUBE_CLUSTER_ROLE][i];
		const struct hf_value *labels = hf_value_at(o->root, "metadata.labels");
		if (hf_sv_eq(o->cluster, b->model->cluster) &&
		    hf_sv_eq(hf_value_get_text(labels, HF_SV("kubernetes.io/bootstrapping")), HF_SV("rbac-defaults")))
			return true;
	}
	return b->model->cluster.len && !is_saved(b);
}

/* Accounts that nobody binds are there too: they have what their groups have. */
static void add_accounts(struct rbac_builder *b)
{
	static const char *const groups[] = { "system:authenticated", "system:unauthenticated",
					      "system:serviceaccounts", "system:masters" };

	for (size_t i = 0; i < b->objects->of_kind_n[HF_KUBE_SERVICE_ACCOUNT]; i++) {
		const struct hf_kube_object *o = b->objects->of_kind[HF_KUBE_SERVICE_ACCOUNT][i];
		struct hf_rbac_subject *s = o->name.len && hf_sv_eq(o->cluster, b->model->cluster)
						    ? account(b, o->namespace, o->name)
						    : NULL;
		if (s)
			s->object = o;
	}
	for (size_t i = 0; i < b->model->pods_n; i++) {
		const struct hf_kube_pod *pod = &b->model->pods[i];
		if (!pod->object->replaced && hf_sv_eq(pod->object->cluster, b->model->cluster))
			account(b, pod->object->namespace, pod->service_account);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(groups); i++)
		subject(b, true, hf_sv_of(groups[i]));
}

/* Each subject's bindings, in two passes over all bindings: those of the whole cluster, then the others. */
static void index_subjects(struct rbac_builder *b)
{
	const struct hf_rbac_binding ***lists =
		hf_arena_array(b->arena, const struct hf_rbac_binding **, b->subjects.n);
	size_t *counts = hf_arena_array(b->arena, size_t, b->subjects.n);

	if (!lists || !counts)
		return;
	for (size_t i = 0; i < b->bindings.n; i++)
		for (size_t s = 0; s < b->bindings.at[i]->subjects_n; s++)
			counts[b->bindings.at[i]->subjects[s]->number]++;
	for (size_t i = 0; i < b->subjects.n; i++)
		lists[i] = hf_arena_array(b->arena, const struct hf_rbac_binding *, counts[i]);
	for (unsigned pass = 0; pass < 2 && !b->arena->over; pass++)
		for (size_t i = 0; i < b->bindings.n; i++) {
			struct hf_rbac_binding *binding = b->bindings.at[i];
			for (size_t s = 0; s < binding->subjects_n && (binding->namespace.len > 0) == pass; s++) {
				struct hf_rbac_subject *to = b->subjects.at[binding->subjects[s]->number];
				const struct hf_rbac_binding **list = lists[to->number];
				to->bindings = list;
				if (!to->bindings_n || list[to->bindings_n - 1] != binding)
					list[to->bindings_n++] = binding;
			}
		}
}

const struct hf_rbac_model *hf_rbac_build(const struct hf_kube_objects *objects, hf_sv cluster,
					  enum hf_rbac_defaults defaults, struct hf_arena *a)
{
	static const enum hf_kube_kind kinds[] = { HF_KUBE_CLUSTER_ROLE, HF_KUBE_ROLE, HF_KUBE_CLUSTER_ROLE_BINDING,
						   HF_KUBE_ROLE_BINDING };
	struct hf_rbac_model *m = hf_arena_new(a, struct hf_rbac_model);

	if (!m)
		return NULL;
	*m = (struct hf_rbac_model){ .objects = objects, .cluster = cluster, .by_name = HF_MAP(a) };
	struct rbac_builder b = { .arena = a,
				  .model = m,
				  .objects = objects,
				  .role_by_name = HF_MAP(a),
				  .defaults = defaults == HF_RBAC_DEFAULTS_UNKNOWN ? NULL : rbac_default_objects(a) };
	m->defaults_added = b.defaults && (defaults == HF_RBAC_DEFAULTS_WITH ||
					   (defaults == HF_RBAC_DEFAULTS_AUTO && !has_defaults(&b)));
	for (size_t pass = 0; pass < 2; pass++) /* roles before the bindings that name them */
		for (size_t from = 0; from <= m->defaults_added; from++)
			for (size_t k = 2 * pass; k < 2 * pass + 2; k++)
				add_kind(&b, kinds[k], from);
	rbac_aggregate(&b);
	m->pods = hf_kube_pods(objects, a, &m->pods_n);
	add_accounts(&b);
	index_subjects(&b);
	m->roles = (const struct hf_rbac_role *const *)b.roles.at;
	m->roles_n = b.roles.n;
	m->bindings = (const struct hf_rbac_binding *const *)b.bindings.at;
	m->bindings_n = b.bindings.n;
	m->subjects = (const struct hf_rbac_subject *const *)b.subjects.at;
	m->subjects_n = b.subjects.n;
	m->notes = b.notes.at;
	m->notes_n = b.notes.n;
	return a->over ? NULL : m;
}
