#include "rbac/powers.h"

#include <stdlib.h>

#include "kube/pods.h"
#include "rbac/ways.h"

const struct hf_rbac_risk_row hf_rbac_risks[HF_RBAC_RISKS] = {
#define HF_RBAC_RISK(number_, name_, cluster_, namespace_, reach_, names_, gain_, needs_, verbs_, resources_, title_, \
		     why_, fix_, references_)                                                                         \
	[HF_RBAC_##name_] = { .number = number_,                                                                      \
			      .name = #name_,                                                                         \
			      .cluster_severity = HF_SEV_##cluster_,                                                  \
			      .namespace_severity = HF_SEV_##namespace_,                                              \
			      .reach = HF_RBAC_REACH_##reach_,                                                        \
			      .names = HF_RBAC_NAMES_##names_,                                                        \
			      .gain = HF_RBAC_GAIN_##gain_,                                                           \
			      .needs = HF_RBAC_##needs_,                                                              \
			      .verbs = verbs_,                                                                        \
			      .resources = resources_,                                                                \
			      .title = title_,                                                                        \
			      .why = why_,                                                                            \
			      .fix = fix_,                                                                            \
			      .references = references_ },
#include "rbac/risks.def"
#undef HF_RBAC_RISK
};

static const struct {
	const char *resource, *who;
} operators[] = {
#define HF_RBAC_OPERATOR(resource, who) { resource, who },
#include "rbac/operators.def"
#undef HF_RBAC_OPERATOR
};

/* Names that are worth telling; a prefix of them where @prefix. */
static const struct {
	enum hf_rbac_risk risk;
	const char *name;
	bool prefix;
} names_worth[] = {
#define HF_RBAC_NAME(risk, name)    { HF_RBAC_##risk, name, false },
#define HF_RBAC_NAMES(risk, prefix) { HF_RBAC_##risk, prefix, true },
#define HF_RBAC_PLACE(risk, namespace, config_map)
#include "rbac/names.def"
#undef HF_RBAC_NAME
#undef HF_RBAC_NAMES
#undef HF_RBAC_PLACE
};

static const struct {
	enum hf_rbac_risk risk;
	const char *namespace, *config_map;
} places[] = {
#define HF_RBAC_NAME(risk, name)
#define HF_RBAC_NAMES(risk, prefix)
#define HF_RBAC_PLACE(risk, namespace, config_map) { HF_RBAC_##risk, namespace, config_map },
#include "rbac/names.def"
#undef HF_RBAC_NAME
#undef HF_RBAC_NAMES
#undef HF_RBAC_PLACE
};

enum { VERBS_MAX = 6, RESOURCES_MAX = 8 };

/* A row of the table, taken apart. */
struct wanted {
	hf_sv verbs[VERBS_MAX];
	size_t verbs_n;
	struct hf_rbac_request resources[RESOURCES_MAX];
	size_t resources_n;
};

/* What one role is worth. */
struct worth {
	enum hf_rbac_risk risk;
	const struct hf_rbac_rule *rule;
	bool restricted;
	const char *what;
};

struct weighing {
	struct hf_rbac_powers *powers;
	const struct hf_rbac_model *model;
	struct hf_arena *arena;
	struct wanted wanted[HF_RBAC_RISKS];
	struct hf_rbac_request operators[HF_ARRAY_SIZE(operators)];
	struct hf_map token_secrets; /* names of those with the token of an account */
	struct worth **worths;       /* by role->number */
	size_t *worths_n;
};

static struct hf_rbac_request request_of(hf_sv word)
{
	struct hf_rbac_request r = { .group = HF_SV(""), .subresource = HF_SV("") };

	if (hf_sv_starts(word, HF_SV("url:"))) {
		r.url = hf_sv_skip(word, 4);
		return r;
	}
	hf_sv_cut(word, '/', &r.group, &r.resource);
	hf_sv_cut(r.resource, '/', &r.resource, &r.subresource);
	return r;
}

static void take_apart(struct wanted *w, const struct hf_rbac_risk_row *row)
{
	hf_sv rest = hf_sv_of(row->verbs), word;

	while (row->verbs[0] && w->verbs_n < VERBS_MAX && hf_sv_next(&rest, ',', &word))
		w->verbs[w->verbs_n++] = word;
	rest = hf_sv_of(row->resources);
	while (row->resources[0] && w->resources_n < RESOURCES_MAX && hf_sv_next(&rest, ' ', &word))
		w->resources[w->resources_n++] = request_of(word);
}

static bool lists(struct hf_rbac_list list, hf_sv word)
{
	for (size_t i = 0; i < list.n; i++)
		if (hf_sv_eq(list.at[i], word))
			return true;
	return false;
}

/* A rule with names does not allow requests without one: for a new object, or for all at once. A list may ask for one by its name. */
static bool carries_name(hf_sv verb, hf_sv subresource)
{
	return subresource.len || !(hf_sv_eq(verb, HF_SV("create")) || hf_sv_eq(verb, HF_SV("deletecollection")));
}

static bool allows_any(const struct hf_rbac_rule *rule, const struct wanted *w, const struct hf_rbac_request *resource)
{
	struct hf_rbac_request r = *resource;

	if (rule->names.n)
		r.name = rule->names.at[0];
	for (size_t i = 0; i < w->verbs_n; i++) {
		r.verb = w->verbs[i];
		if ((!rule->names.n || carries_name(r.verb, r.subresource)) && hf_rbac_rule_allows(rule, &r))
			return true;
	}
	return false;
}

static bool has_any_verb(const struct hf_rbac_rule *rule, const struct wanted *w)
{
	for (size_t i = 0; i < w->verbs_n; i++)
		if (lists(rule->verbs, w->verbs[i]))
			return true;
	return lists(rule->verbs, HF_SV("*"));
}

static bool is_star(const struct hf_rbac_rule *rule, enum hf_rbac_risk risk)
{
	bool verbs = lists(rule->verbs, HF_SV("*")), groups = lists(rule->groups, HF_SV("*")),
	     resources = lists(rule->resources, HF_SV("*"));

	if (risk == HF_RBAC_EVERYTHING)
		return verbs && groups && resources && !rule->names.n;
	if (verbs && groups && resources)
		return false;
	return risk == HF_RBAC_ALL_VERBS ? verbs && rule->resources.n && rule->groups.n
					 : resources && rule->verbs.n && rule->groups.n && !rule->names.n;
}

/* Of a right to name a signer, an account …: is one of the names worth telling? */
static bool chosen(const struct hf_rbac_rule *rule, enum hf_rbac_risk risk)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(names_worth); i++)
		for (size_t n = 0; names_worth[i].risk == risk && n < rule->names.n; n++) {
			hf_sv wanted = hf_sv_of(names_worth[i].name), name = rule->names.at[n];
			if (names_worth[i].prefix ? hf_sv_starts(name, wanted) : hf_sv_eq(name, wanted))
				return true;
		}
	return false;
}

/* A star is told as such; here only who wrote the operator's kinds. */
static bool tells_operator(struct weighing *g, const struct hf_rbac_rule *rule, const char **ret_what)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(operators); i++)
		if (lists(rule->groups, g->operators[i].group) &&
		    allows_any(rule, &g->wanted[HF_RBAC_OPERATORS], &g->operators[i])) {
			*ret_what = operators[i].who;
			return true;
		}
	return false;
}

/* Each key of a user's extra attributes is a subresource of its own. */
static bool names_extra(const struct hf_rbac_rule *rule)
{
	bool any = lists(rule->groups, HF_SV("*")) || lists(rule->groups, HF_SV("authentication.k8s.io"));

	for (size_t i = 0; any && i < rule->resources.n; i++)
		if (hf_sv_starts(rule->resources.at[i], HF_SV("userextras/")))
			return true;
	return false;
}

static bool is_worth(struct weighing *g, const struct hf_rbac_rule *rule, enum hf_rbac_risk risk, const char **ret_what)
{
	const struct wanted *w = &g->wanted[risk];

	*ret_what = NULL;
	if (risk == HF_RBAC_EVERYTHING || risk == HF_RBAC_ALL_VERBS || risk == HF_RBAC_ALL_RESOURCES)
		return is_star(rule, risk);
	if (!has_any_verb(rule, w))
		return false;
	/* Of all secrets there is a row of its own. */
	if (risk == HF_RBAC_NAMED_TOKENS && !rule->names.n)
		return false;
	if (rule->names.n && (hf_rbac_risks[risk].names == HF_RBAC_NAMES_NONE ||
			      (hf_rbac_risks[risk].names == HF_RBAC_NAMES_CHOSEN && !chosen(rule, risk))))
		return false;
	for (size_t i = 0; i < w->resources_n; i++)
		if (allows_any(rule, w, &w->resources[i]))
			return true;
	if (risk == HF_RBAC_IMPERSONATE_EXTRAS && names_extra(rule))
		return true;
	return risk == HF_RBAC_OPERATORS && !lists(rule->groups, HF_SV("*")) && tells_operator(g, rule, ret_what);
}

/* The first rule of each risk that is not restricted to names; else all that are, since each names others. */
static void weigh_role(struct weighing *g, const struct hf_rbac_role *role)
{
	HF_VEC(struct worth) worths = { 0 };
	bool whole[HF_RBAC_RISKS] = { 0 };

	for (unsigned restricted = 0; restricted < 2; restricted++)
		for (size_t i = 0; i < role->rules_n; i++) {
			const struct hf_rbac_rule *rule = role->rules[i];
			if ((rule->names.n > 0) != restricted)
				continue;
			for (unsigned risk = HF_RBAC_NONE + 1; risk < HF_RBAC_RISKS; risk++) {
				const char *what;
				struct worth *slot;
				if (whole[risk] || !is_worth(g, rule, risk, &what) ||
				    !(slot = hf_vec_push(g->arena, &worths)))
					continue;
				whole[risk] = !restricted;
				*slot = (struct worth){ risk, rule, restricted, what };
			}
		}
	g->worths[role->number] = worths.at;
	g->worths_n[role->number] = worths.n;
}

static int by_scope(const void *a, const void *b)
{
	const struct hf_rbac_power *left = a, *right = b;
	int order = hf_sv_cmp(left->scope, right->scope);

	if (order)
		return order;
	if (left->risk != right->risk)
		return left->risk < right->risk ? -1 : 1;
	if (left->restricted != right->restricted)
		return left->restricted ? 1 : -1;
	if (left->binding->builtin != right->binding->builtin)
		return left->binding->builtin ? -1 : 1;
	if (left->binding->number != right->binding->number)
		return left->binding->number < right->binding->number ? -1 : 1;
	return left->rule->number < right->rule->number ? -1 : left->rule->number > right->rule->number;
}

static size_t add_powers(struct weighing *g, const struct hf_rbac_subject *s, struct hf_rbac_power *to)
{
	size_t n = 0;

	for (size_t i = 0; i < s->bindings_n; i++) {
		const struct hf_rbac_binding *b = s->bindings[i];
		for (size_t w = 0; b->role && w < g->worths_n[b->role->number]; w++) {
			const struct worth *worth = &g->worths[b->role->number][w];
			if (b->namespace.len && hf_rbac_risks[worth->risk].reach == HF_RBAC_REACH_CLUSTER)
				continue;
			if (to)
				to[n] = (struct hf_rbac_power){ .risk = worth->risk,
								.subject = s,
								.binding = b,
								.rule = worth->rule,
								.scope = b->namespace,
								.restricted = worth->restricted,
								.what = worth->what };
			n++;
		}
	}
	return n;
}

/* In a namespace only what the right for the whole cluster does not hold already. */
static size_t reduce(struct hf_rbac_power *p, size_t n)
{
	bool everywhere[HF_RBAC_RISKS] = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct hf_rbac_power *before = kept ? &p[kept - 1] : NULL;
		if ((p[i].scope.len && everywhere[p[i].risk]) ||
		    (before && before->risk == p[i].risk && hf_sv_eq(before->scope, p[i].scope) &&
		     (!before->restricted || before->rule == p[i].rule)))
			continue;
		everywhere[p[i].risk] |= !p[i].scope.len && !p[i].restricted;
		p[kept++] = p[i];
	}
	return kept;
}

static const struct hf_rbac_power *find(const struct hf_rbac_power *p, size_t n, enum hf_rbac_risk risk, hf_sv scope)
{
	for (unsigned pass = 0; pass < 1 + (scope.len > 0); pass++) {
		size_t low = 0, high = n;
		hf_sv in = pass ? scope : HF_SV("");
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			int order = hf_sv_cmp(p[middle].scope, in);
			if (order < 0 || (!order && p[middle].risk < risk))
				low = middle + 1;
			else
				high = middle;
		}
		if (low < n && p[low].risk == risk && hf_sv_eq(p[low].scope, in) && !p[low].useless)
			return &p[low];
	}
	return NULL;
}

const struct hf_rbac_power *hf_rbac_has(const struct hf_rbac_powers *p, const struct hf_rbac_subject *s,
					enum hf_rbac_risk risk, hf_sv scope)
{
	return find(p->powers[s->number], p->powers_n[s->number], risk, scope);
}

/* A namespace within the scope whose claims may be an administrator's. */
static bool has_admin_access(const struct hf_rbac_model *m, hf_sv scope)
{
	for (size_t i = 0; i < m->objects->of_kind_n[HF_KUBE_NAMESPACE]; i++) {
		const struct hf_kube_object *o = m->objects->of_kind[HF_KUBE_NAMESPACE][i];
		if (hf_sv_eq(o->cluster, m->cluster) && (!scope.len || hf_sv_eq(scope, o->name)) &&
		    hf_sv_eq(hf_value_get_text(hf_value_get(o->metadata, HF_SV("labels")),
					       HF_SV("resource.kubernetes.io/admin-access")),
			     HF_SV("true")))
			return true;
	}
	return false;
}

/* Does the rule name a secret of the scope that holds the token of an account? */
static bool names_token(const struct weighing *g, const struct hf_rbac_power *p)
{
	for (size_t i = 0; i < p->rule->names.n; i++) {
		hf_sv name = p->rule->names.at[i];
		if (!hf_map_find(&g->token_secrets, name))
			continue;
		const struct hf_kube_object *o = p->scope.len ? hf_kube_find(g->model->objects, g->model->cluster,
									     HF_KUBE_SECRET, p->scope, name)
							      : NULL;
		if (!p->scope.len || hf_rbac_token_account(o).len)
			return true;
	}
	return false;
}

static bool is_in_place(const struct weighing *g, const struct hf_rbac_power *p)
{
	const struct hf_rbac_model *m = g->model;

	if (p->risk == HF_RBAC_NAMED_TOKENS)
		return names_token(g, p);
	if (p->risk == HF_RBAC_DEVICE_ADMIN)
		return has_admin_access(m, p->scope);
	for (size_t i = 0; i < HF_ARRAY_SIZE(places); i++) {
		hf_sv namespace = hf_sv_of(places[i].namespace), name = hf_sv_of(places[i].config_map);
		if (places[i].risk != p->risk)
			continue;
		if (p->scope.len && !hf_sv_eq(p->scope, namespace))
			return false;
		return !name.len || p->restricted ||
		       hf_kube_find(m->objects, m->cluster, HF_KUBE_CONFIG_MAP, namespace, name);
	}
	return true;
}

static void drop_useless(const struct weighing *g, struct hf_rbac_power *p, size_t n)
{
	for (unsigned pass = 0; pass < 2; pass++) /* a need may have needs itself */
		for (size_t i = 0; i < n; i++) {
			enum hf_rbac_risk needs = hf_rbac_risks[p[i].risk].needs;
			if (needs && !find(p, n, needs, p[i].scope) && !find(p, n, HF_RBAC_EVERYTHING, p[i].scope))
				p[i].useless = true;
		}
	for (size_t i = 0; i < n; i++) {
		/* Groups come with a user to act as. */
		if (p[i].risk == HF_RBAC_IMPERSONATE_GROUPS && !find(p, n, HF_RBAC_IMPERSONATE_USERS, HF_SV("")) &&
		    !find(p, n, HF_RBAC_IMPERSONATE_ACCOUNTS, HF_SV("")))
			p[i].useless = true;
		if (!is_in_place(g, &p[i]))
			p[i].useless = true;
	}
}

static bool weigh_subjects(struct weighing *g)
{
	const struct hf_rbac_power **lists_ =
		hf_arena_array(g->arena, const struct hf_rbac_power *, g->model->subjects_n);
	size_t *counts = hf_arena_array(g->arena, size_t, g->model->subjects_n);

	if (!lists_ || !counts)
		return false;
	for (size_t i = 0; i < g->model->subjects_n; i++) {
		const struct hf_rbac_subject *s = g->model->subjects[i];
		struct hf_rbac_power *all = hf_arena_array(g->arena, struct hf_rbac_power, add_powers(g, s, NULL));
		if (!all)
			return false;
		size_t n = add_powers(g, s, all);
		qsort(all, n, sizeof *all, by_scope);
		counts[i] = reduce(all, n);
		drop_useless(g, all, counts[i]);
		lists_[i] = all;
	}
	g->powers->powers = lists_;
	g->powers->powers_n = counts;
	return true;
}

hf_sv hf_rbac_token_account(const struct hf_kube_object *secret)
{
	if (!secret ||
	    !hf_sv_eq(hf_value_get_text(secret->root, HF_SV("type")), HF_SV("kubernetes.io/service-account-token")))
		return HF_SV("");
	return hf_value_get_text(hf_value_get(secret->metadata, HF_SV("annotations")),
				 HF_SV("kubernetes.io/service-account.name"));
}

const struct hf_rbac_powers *hf_rbac_powers(const struct hf_rbac_model *m, struct hf_arena *a)
{
	struct hf_rbac_powers *p = hf_arena_new(a, struct hf_rbac_powers);
	struct weighing *g = hf_arena_new(a, struct weighing);

	if (!p || !g)
		return NULL;
	p->model = m;
	g->powers = p;
	g->model = m;
	g->arena = a;
	g->worths = hf_arena_array(a, struct worth *, m->roles_n);
	g->worths_n = hf_arena_array(a, size_t, m->roles_n);
	if (!g->worths || !g->worths_n)
		return NULL;
	for (unsigned risk = HF_RBAC_NONE + 1; risk < HF_RBAC_RISKS; risk++)
		take_apart(&g->wanted[risk], &hf_rbac_risks[risk]);
	for (size_t i = 0; i < HF_ARRAY_SIZE(operators); i++)
		g->operators[i] = request_of(hf_sv_of(operators[i].resource));
	g->token_secrets = HF_MAP(a);
	for (size_t i = 0; i < m->objects->of_kind_n[HF_KUBE_SECRET]; i++) {
		const struct hf_kube_object *o = m->objects->of_kind[HF_KUBE_SECRET][i];
		if (hf_sv_eq(o->cluster, m->cluster) && hf_rbac_token_account(o).len)
			hf_map_put(&g->token_secrets, o->name);
	}
	for (size_t i = 0; i < m->roles_n && !a->over; i++)
		weigh_role(g, m->roles[i]);
	if (!weigh_subjects(g) || !rbac_find_ways(p, a))
		return NULL;
	return a->over ? NULL : p;
}
