#include "rbac/ways.h"

/* What accounts are gained, and by whom: walked from cluster-admin backwards, each list once. */
struct gainer {
	const struct hf_rbac_power *power;
	bool by_node;
	struct gainer *next;
};

/* Who holds a rule that names accounts; NULL once walked. */
struct named {
	struct gainer *gainers;
};

struct named_link {
	struct named *named;
	struct named_link *next;
};

struct lists {
	struct gainer *of[HF_RBAC_GAINS]; /* ACCOUNTS, RUNNING and TOKENS; NULL once walked */
};

struct walk {
	struct hf_rbac_powers *p;
	const struct hf_rbac_model *m;
	struct hf_arena *arena;
	struct hf_map scopes;               /* namespace -> struct lists; "" for the whole cluster */
	struct named_link **by_account;     /* by subject->number: the rules that name it */
	struct hf_map named, binding_rules; /* by number of a rule */
	struct hf_rbac_way *ways;
	const struct hf_rbac_subject **queue;
	size_t queued;
	struct hf_map accounts;           /* namespace -> struct accounts */
	struct hf_map accounts_by_name;   /* in any namespace -> struct accounts */
	struct hf_map accounts_by_secret; /* name of a secret with a token, in any namespace -> struct accounts */
	struct hf_map full_roles;         /* cluster roles that hold everything */
	bool control_plane;               /* its nodes are nodes of this cluster */
};

struct accounts {
	HF_VEC(const struct hf_rbac_subject *) list;
};

enum hf_rbac_level hf_rbac_level_of(const struct hf_rbac_model *m, hf_sv namespace)
{
	const struct hf_kube_object *o = hf_kube_find(m->objects, m->cluster, HF_KUBE_NAMESPACE, HF_SV(""), namespace);

	if (!o)
		return HF_RBAC_LEVEL_UNKNOWN;
	hf_sv level = hf_value_get_text(hf_value_get(o->metadata, HF_SV("labels")),
					HF_SV("pod-security.kubernetes.io/enforce"));
	return hf_sv_eq(level, HF_SV("baseline")) || hf_sv_eq(level, HF_SV("restricted")) ? HF_RBAC_LEVEL_KEPT
											  : HF_RBAC_LEVEL_OPEN;
}

static const struct hf_rbac_subject *account_of(const struct walk *w, hf_sv namespace, hf_sv name)
{
	return hf_rbac_find_subject(
		w->m, false,
		hf_arena_fmt(w->arena, "system:serviceaccount:%.*s:%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name)));
}

static bool find_pods(struct walk *w)
{
	const struct hf_kube_pod ***lists = hf_arena_array(w->arena, const struct hf_kube_pod **, w->m->subjects_n);
	const struct hf_rbac_subject **accounts =
		hf_arena_array(w->arena, const struct hf_rbac_subject *, w->m->pods_n);
	size_t *counts = hf_arena_array(w->arena, size_t, w->m->subjects_n);

	if (!lists || !accounts || !counts)
		return false;
	for (size_t i = 0; i < w->m->pods_n; i++) {
		const struct hf_kube_pod *pod = &w->m->pods[i];
		if (pod->object->replaced || pod->finished || !hf_sv_eq(pod->object->cluster, w->m->cluster))
			continue;
		accounts[i] = account_of(w, pod->object->namespace, pod->service_account);
		w->p->pods_known = true;
		if (accounts[i])
			counts[accounts[i]->number]++;
	}
	for (size_t i = 0; i < w->m->subjects_n; i++) {
		lists[i] = hf_arena_array(w->arena, const struct hf_kube_pod *, counts[i]);
		counts[i] = 0;
	}
	for (size_t i = 0; i < w->m->pods_n && !w->arena->over; i++)
		if (accounts[i])
			lists[accounts[i]->number][counts[accounts[i]->number]++] = &w->m->pods[i];
	w->p->pods = (const struct hf_kube_pod *const *const *)lists;
	w->p->pods_n = counts;
	return !w->arena->over;
}

static void add_account(struct walk *w, struct hf_map *map, hf_sv key, const struct hf_rbac_subject *s)
{
	struct hf_map_entry *e = hf_map_put(map, key);

	if (e && !e->value)
		e->value = hf_arena_new(w->arena, struct accounts);
	struct accounts *in = e ? e->value : NULL;
	const struct hf_rbac_subject **slot = in ? hf_vec_push(w->arena, &in->list) : NULL;
	if (slot)
		*slot = s;
}

static void find_secrets(struct walk *w, bool *secrets)
{
	for (size_t i = 0; i < w->m->objects->of_kind_n[HF_KUBE_SECRET]; i++) {
		const struct hf_kube_object *o = w->m->objects->of_kind[HF_KUBE_SECRET][i];
		hf_sv name = hf_rbac_token_account(o);
		if (!name.len || !hf_sv_eq(o->cluster, w->m->cluster))
			continue;
		const struct hf_rbac_subject *s = account_of(w, o->namespace, name);
		if (!s)
			continue;
		secrets[s->number] = true;
		add_account(w, &w->accounts_by_secret, o->name, s);
	}
}

enum { DEPTH_MAX = 32 };

/* Operators make pods as the account that their objects name, wherever in them. */
static void find_named(struct walk *w, const struct hf_value *v, hf_sv namespace, bool *named, unsigned depth)
{
	if (depth == DEPTH_MAX)
		return;
	hf_value_elements(v, e) find_named(w, e, namespace, named, depth + 1);
	hf_value_members(v, m)
	{
		bool is_name = hf_sv_eq(hf_member_key(m), HF_SV("serviceAccountName")) ||
			       hf_sv_eq(hf_member_key(m), HF_SV("serviceAccount"));
		hf_sv name = hf_value_is(&m->value, HF_VALUE_STRING) ? hf_value_text(&m->value)
								     : hf_value_get_text(&m->value, HF_SV("name"));
		const struct hf_rbac_subject *s = is_name && name.len ? account_of(w, namespace, name) : NULL;
		if (s)
			named[s->number] = true;
		find_named(w, &m->value, namespace, named, depth + 1);
	}
}

static void find_all_named(struct walk *w, bool *named)
{
	const struct hf_kube_objects *set = w->m->objects;

	for (size_t i = 0; i < set->n && !w->arena->over; i++) {
		const struct hf_kube_object *o = set->objects[i];
		if (o->kind == HF_KUBE_OTHER && !o->replaced && hf_sv_eq(o->cluster, w->m->cluster))
			find_named(w, o->root, hf_value_get_text(o->metadata, HF_SV("namespace")), named, 0);
	}
}

bool hf_rbac_is_unused(const struct hf_rbac_powers *p, const struct hf_rbac_subject *s)
{
	if (s->kind != HF_RBAC_ACCOUNT || !s->object || !p->pods_known || p->pods_n[s->number] ||
	    p->has_token_secret[s->number] || p->named[s->number] || hf_sv_eq(s->account, HF_SV("default")))
		return false;
	for (size_t i = 0; i < s->bindings_n; i++)
		if (s->bindings[i]->builtin)
			return false;
	return true;
}

static bool has_control_plane(const struct hf_rbac_model *m)
{
	for (size_t i = 0; i < m->objects->of_kind_n[HF_KUBE_NODE]; i++) {
		const struct hf_kube_object *o = m->objects->of_kind[HF_KUBE_NODE][i];
		if (hf_sv_eq(o->cluster, m->cluster) && hf_value_get(hf_value_get(o->metadata, HF_SV("labels")),
								     HF_SV("node-role.kubernetes.io/control-plane")))
			return true;
	}
	return false;
}

static void add_gainer(struct walk *w, hf_sv scope, enum hf_rbac_gain gain, const struct hf_rbac_power *p, bool by_node)
{
	struct hf_map_entry *e = hf_map_put(&w->scopes, scope);
	struct gainer *g = hf_arena_new(w->arena, struct gainer);

	if (!e || !g)
		return;
	if (!e->value)
		e->value = hf_arena_new(w->arena, struct lists);
	struct lists *lists = e->value;
	if (!lists)
		return;
	*g = (struct gainer){ p, by_node, lists->of[gain] };
	lists->of[gain] = g;
}

static void reach(struct walk *w, const struct hf_rbac_subject *s, const struct hf_rbac_power *power,
		  const struct hf_rbac_subject *next, bool by_node)
{
	struct hf_rbac_way *way = &w->ways[s->number];

	if (way->steps)
		return;
	*way = (struct hf_rbac_way){ next ? w->ways[next->number].steps + 1 : 1, power, next, by_node };
	w->queue[w->queued++] = s;
}

static void link_named(struct walk *w, struct named *named, const struct hf_rbac_subject *to)
{
	struct named_link *l = to ? hf_arena_new(w->arena, struct named_link) : NULL;

	if (!l)
		return;
	*l = (struct named_link){ named, w->by_account[to->number] };
	w->by_account[to->number] = l;
}

/* The names of one rule in one scope: looked up once, however many hold it. */
static struct named *named_by(struct walk *w, const struct hf_rbac_power *p)
{
	hf_sv key = hf_arena_fmt(w->arena, "%u/%.*s",
				 p->rule->number * 8 + (uint32_t)(p->risk == HF_RBAC_IMPERSONATE_USERS),
				 HF_SV_FMT(p->scope));
	struct hf_map_entry *e = hf_map_put(&w->named, key);

	if (!e || e->value)
		return e ? e->value : NULL;
	struct named *named = e->value = hf_arena_new(w->arena, struct named);
	for (size_t i = 0; named && i < p->rule->names.n && !w->arena->over; i++) {
		hf_sv name = p->rule->names.at[i];
		if (p->risk == HF_RBAC_IMPERSONATE_USERS) {
			link_named(w, named, hf_rbac_find_subject(w->m, false, name));
			continue;
		}
		struct hf_map_entry *found = hf_map_find(
			p->risk == HF_RBAC_NAMED_TOKENS ? &w->accounts_by_secret : &w->accounts_by_name, name);
		const struct accounts *all = found ? found->value : NULL;
		for (size_t s = 0; all && s < all->list.n && !w->arena->over; s++)
			if (!p->scope.len || hf_sv_eq(all->list.at[s]->namespace, p->scope))
				link_named(w, named, all->list.at[s]);
	}
	return named;
}

/* The accounts or users that a restricted rule names; for the whole cluster, in any namespace. */
static void gain_named(struct walk *w, const struct hf_rbac_power *p)
{
	struct named *named = named_by(w, p);
	struct gainer *g = named ? hf_arena_new(w->arena, struct gainer) : NULL;

	if (!g)
		return;
	*g = (struct gainer){ p, false, named->gainers };
	named->gainers = g;
}

/* A role that may be bound by name is worth what it holds. */
static bool binds_everything(struct walk *w, const struct hf_rbac_power *p)
{
	hf_sv key = hf_arena_fmt(w->arena, "%u", p->rule->number);
	struct hf_map_entry *e = hf_map_find(&w->binding_rules, key);
	static const char yes[] = "y";
	bool found = false;

	if (e)
		return e->value != NULL;
	for (size_t n = 0; n < p->rule->names.n && !found; n++)
		found = hf_map_find(&w->full_roles, p->rule->names.at[n]) != NULL;
	e = hf_map_put(&w->binding_rules, key);
	if (e)
		e->value = found ? (void *)yes : NULL;
	return found;
}

static void find_full_roles(struct walk *w)
{
	static const struct hf_rbac_request all = { .verb = HF_SV_INIT("*"),
						    .group = HF_SV_INIT("*"),
						    .resource = HF_SV_INIT("*") };

	for (size_t i = 0; i < w->m->roles_n; i++)
		for (size_t r = 0; r < w->m->roles[i]->rules_n && !w->m->roles[i]->namespace.len; r++)
			if (hf_rbac_rule_allows(w->m->roles[i]->rules[r], &all))
				hf_map_put(&w->full_roles, w->m->roles[i]->name);
}

/* Do pods of the scope come onto the node? Also past the level of their namespace: by a volume of any path, or by changing its labels. */
static bool takes_node(const struct walk *w, const struct hf_rbac_power *p)
{
	if (!p->scope.len || hf_rbac_level_of(w->m, p->scope) == HF_RBAC_LEVEL_OPEN)
		return true;
	return hf_rbac_has(w->p, p->subject, HF_RBAC_NAMESPACE_LABELS, p->scope) ||
	       (hf_rbac_has(w->p, p->subject, HF_RBAC_PERSISTENT_VOLUMES, HF_SV("")) &&
		hf_rbac_has(w->p, p->subject, HF_RBAC_CLAIM_VOLUMES, p->scope));
}

static void follow(struct walk *w, const struct hf_rbac_power *p)
{
	enum hf_rbac_gain gain = hf_rbac_risks[p->risk].gain;

	if (p->useless || gain == HF_RBAC_GAIN_NOTHING)
		return;
	if (p->restricted && p->risk == HF_RBAC_BIND) {
		if (!binds_everything(w, p))
			return;
	} else if (p->restricted && (p->risk == HF_RBAC_IMPERSONATE_USERS || p->risk == HF_RBAC_IMPERSONATE_ACCOUNTS ||
				     p->risk == HF_RBAC_MAKE_TOKENS || p->risk == HF_RBAC_NAMED_TOKENS)) {
		gain_named(w, p);
		return;
	}
	if (gain == HF_RBAC_GAIN_CLUSTER) {
		reach(w, p->subject, p, NULL, false);
		return;
	}
	if (gain == HF_RBAC_GAIN_EVERYTHING && !p->scope.len) {
		/* Without a binding for the whole cluster, those in all namespaces: whose accounts are gained. */
		if (p->risk == HF_RBAC_BIND && !hf_rbac_has(w->p, p->subject, HF_RBAC_BIND_IN_CLUSTER, HF_SV("")))
			add_gainer(w, p->scope, HF_RBAC_GAIN_ACCOUNTS, p, false);
		else
			reach(w, p->subject, p, NULL, false);
		return;
	}
	bool accounts = gain == HF_RBAC_GAIN_EVERYTHING || gain == HF_RBAC_GAIN_PODS;
	add_gainer(w, p->scope, accounts ? HF_RBAC_GAIN_ACCOUNTS : gain, p, false);
	if (!accounts || !takes_node(w, p))
		return;
	if (w->control_plane)
		reach(w, p->subject, p, NULL, true);
	else
		add_gainer(w, HF_SV(""), HF_RBAC_GAIN_RUNNING, p, true);
}

static void walk_list(struct walk *w, struct gainer **list, const struct hf_rbac_subject *gained)
{
	for (struct gainer *g = *list; g; g = g->next)
		reach(w, g->power->subject, g->power, gained, g->by_node);
	*list = NULL;
}

static void walk_named(struct walk *w, const struct hf_rbac_subject *s)
{
	for (struct named_link *l = w->by_account[s->number]; l; l = l->next)
		walk_list(w, &l->named->gainers, s);
}

static void walk_account(struct walk *w, const struct hf_rbac_subject *s)
{
	const hf_sv scopes[] = { s->namespace, HF_SV("") };

	walk_named(w, s);
	for (size_t i = 0; i < HF_ARRAY_SIZE(scopes); i++) {
		struct hf_map_entry *e = hf_map_find(&w->scopes, scopes[i]);
		struct lists *lists = e ? e->value : NULL;
		if (!lists)
			continue;
		walk_list(w, &lists->of[HF_RBAC_GAIN_ACCOUNTS], s);
		if (w->p->pods_n[s->number])
			walk_list(w, &lists->of[HF_RBAC_GAIN_RUNNING], s);
		if (w->p->has_token_secret[s->number])
			walk_list(w, &lists->of[HF_RBAC_GAIN_TOKENS], s);
	}
}

static void walk_group(struct walk *w, const struct hf_rbac_subject *group)
{
	static const char prefix[] = "system:serviceaccounts:";
	bool all = hf_sv_eq(group->name, HF_SV("system:authenticated")),
	     accounts = all || hf_sv_eq(group->name, HF_SV("system:serviceaccounts"));

	if (hf_sv_starts(group->name, hf_sv_of(prefix))) {
		struct hf_map_entry *e = hf_map_find(&w->accounts, hf_sv_skip(group->name, sizeof prefix - 1));
		const struct accounts *in = e ? e->value : NULL;
		for (size_t i = 0; in && i < in->list.n; i++)
			reach(w, in->list.at[i], NULL, group, false);
	}
	for (size_t i = 0; (all || accounts) && i < w->m->subjects_n; i++) {
		const struct hf_rbac_subject *s = w->m->subjects[i];
		if (s->kind == HF_RBAC_ACCOUNT ||
		    (all && s->kind == HF_RBAC_USER && !hf_sv_eq(s->name, HF_SV("system:anonymous"))))
			reach(w, s, NULL, group, false);
	}
}

static void index_accounts(struct walk *w)
{
	for (size_t i = 0; i < w->m->subjects_n; i++) {
		const struct hf_rbac_subject *s = w->m->subjects[i];
		if (s->kind != HF_RBAC_ACCOUNT)
			continue;
		add_account(w, &w->accounts, s->namespace, s);
		add_account(w, &w->accounts_by_name, s->account, s);
	}
}

bool rbac_find_ways(struct hf_rbac_powers *p, struct hf_arena *a)
{
	const struct hf_rbac_model *m = p->model;
	struct walk w = { .p = p,
			  .m = m,
			  .arena = a,
			  .scopes = HF_MAP(a),
			  .accounts = HF_MAP(a),
			  .accounts_by_name = HF_MAP(a),
			  .accounts_by_secret = HF_MAP(a),
			  .full_roles = HF_MAP(a),
			  .named = HF_MAP(a),
			  .binding_rules = HF_MAP(a) };
	bool *secrets = hf_arena_array(a, bool, m->subjects_n), *named = hf_arena_array(a, bool, m->subjects_n);

	w.by_account = hf_arena_array(a, struct named_link *, m->subjects_n);
	w.ways = hf_arena_array(a, struct hf_rbac_way, m->subjects_n);
	w.queue = hf_arena_array(a, const struct hf_rbac_subject *, m->subjects_n);
	if (!w.by_account || !w.ways || !w.queue || !secrets || !named || !find_pods(&w))
		return false;
	p->has_token_secret = secrets;
	p->ways = w.ways;
	p->named = named;
	find_secrets(&w, secrets);
	find_all_named(&w, named);
	w.control_plane = has_control_plane(m);
	index_accounts(&w);
	find_full_roles(&w);
	const struct hf_rbac_subject *masters = hf_rbac_find_subject(m, true, HF_SV("system:masters"));
	if (masters)
		reach(&w, masters, NULL, NULL, false);
	for (size_t s = 0; s < m->subjects_n && !a->over; s++)
		for (size_t i = 0; i < p->powers_n[s]; i++)
			follow(&w, &p->powers[s][i]);
	for (size_t q = 0; q < w.queued && !a->over; q++) {
		if (w.queue[q]->kind == HF_RBAC_ACCOUNT)
			walk_account(&w, w.queue[q]);
		else if (w.queue[q]->kind == HF_RBAC_GROUP)
			walk_group(&w, w.queue[q]);
		else
			walk_named(&w, w.queue[q]);
	}
	return !a->over;
}
