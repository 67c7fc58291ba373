#include "rbac/federation.h"

#include <stdlib.h>

const struct hf_rbac_finding_row hf_rbac_finding_rows[HF_RBAC_FINDING_KINDS] = {
	[HF_RBAC_FINDING_BECOMES_ADMIN] = { 101, HF_SEV_CRITICAL, "can become cluster-admin",
					    "Its rights, and those of whom it can act as by them, end in all rights.",
					    "break the first step of the path that nobody needs",
					    "CIS-5.1.1 NSA-rbac MITRE-T1078 MITRE-T1098.006" },
	[HF_RBAC_FINDING_ANONYMOUS] = { 102, HF_SEV_HIGH, "who is not authenticated has rights",
					"Whoever reaches the API server has them, without any credential.",
					"bind who needs it by name", "CIS-1.2.1 NSA-rbac MITRE-T1190" },
	[HF_RBAC_FINDING_EVERYBODY] = { 103, HF_SEV_MEDIUM, "everybody has rights",
					"Each user, or each pod with a token, has them: the least of all programs in "
					"the cluster too.",
					"bind who needs it by name", "NSA-rbac MITRE-T1078" },
	[HF_RBAC_FINDING_DEFAULT_ACCOUNT] = { 104, HF_SEV_MEDIUM, "the account that pods have unasked has rights",
					      "Each pod of the namespace that names no account runs with them.",
					      "bind an account of its own, which the pods that need it name",
					      "CIS-5.1.5 NSA-rbac C-0189" },
	[HF_RBAC_FINDING_UNUSED_ACCOUNT] = { 105, HF_SEV_LOW, "no pod uses the account",
					     "An account with rights that nobody misses can be used without being "
					     "noticed.",
					     "remove its bindings, or the account", "NSA-rbac MITRE-T1078" },
	[HF_RBAC_FINDING_TOKEN_NOT_NEEDED] = { 106, HF_SEV_LOW, "a token is mounted that gives nothing",
					       "The account has no rights but everybody's, so the pods do not use its "
					       "token; a thief may.",
					       "set automountServiceAccountToken: false",
					       "CIS-5.1.6 NSA-token MITRE-T1528 C-0034" },
	[HF_RBAC_FINDING_NO_ROLE] = { 107, HF_SEV_LOW, "a binding names a role that is not there",
				      "Whoever makes a role of that name gives it to the binding's subjects, unseen.",
				      "remove the binding", "MITRE-T1098.006" },
	[HF_RBAC_FINDING_NO_ACCOUNT] = { 108, HF_SEV_LOW, "a binding names an account that is not there",
					 "Whoever makes an account of that name has its rights.", "remove the subject",
					 "MITRE-T1098.006" },
	[HF_RBAC_FINDING_MASTERS] = { 109, HF_SEV_MEDIUM, "a binding names the group system:masters",
				      "Its members may do everything without any binding, and nothing can take it from "
				      "them.",
				      "remove the subject, and give nobody certificates of that group", "CIS-5.1.7" },
	[HF_RBAC_FINDING_TOKEN_SECRET] = { 110, HF_SEV_MEDIUM, "an account has a token that never expires",
					   "A token in a secret works until the secret is removed, from anywhere.",
					   "request tokens for a time instead (kubectl create token)",
					   "CIS-5.1.2 CIS-5.1.6 MITRE-T1528" },
	[HF_RBAC_FINDING_CROSSES] = { 111, HF_SEV_HIGH, "takes the credential of another cluster",
				      "Whoever has it acts in the other cluster, with the rights that it has there.",
				      "let the program that uses the secret alone read it, in a namespace of its own",
				      "CIS-5.1.2 NSA-rbac MITRE-T1552.007 MITRE-T1550.001" },
};

struct gathering {
	const struct hf_rbac_powers *p;
	const struct hf_rbac_model *m;
	struct hf_arena *arena;
	bool builtin;
	bool bindings_known; /* manifests of applications without one binding say nothing of what their accounts may do */
	HF_VEC(struct hf_rbac_finding) findings;
};

struct hf_rbac_finding_row hf_rbac_row_of(const struct hf_rbac_finding *f)
{
	if (f->kind != HF_RBAC_FINDING_RIGHT)
		return hf_rbac_finding_rows[f->kind];
	const struct hf_rbac_risk_row *r = &hf_rbac_risks[f->power->risk];
	return (struct hf_rbac_finding_row){ r->number, f->severity, r->title, r->why, r->fix, r->references };
}

static struct hf_rbac_finding *add(struct gathering *g, enum hf_rbac_finding_kind kind, const struct hf_rbac_subject *s)
{
	struct hf_rbac_finding *f = hf_vec_push(g->arena, &g->findings);

	if (f)
		*f = (struct hf_rbac_finding){ .kind = kind,
					       .severity = hf_rbac_finding_rows[kind].severity,
					       .subject = s };
	return f;
}

/* A right to act as whom one names is worth what they have, which the way to cluster-admin tells. */
static enum hf_severity severity_of(const struct hf_rbac_power *p)
{
	const struct hf_rbac_risk_row *row = &hf_rbac_risks[p->risk];
	enum hf_severity s = p->scope.len ? row->namespace_severity : row->cluster_severity;

	if (p->scope.len && hf_sv_eq(p->scope, HF_SV("kube-system")) && s != HF_SEV_UNKNOWN)
		s = row->cluster_severity > s ? row->cluster_severity : s;
	if (p->restricted && row->names == HF_RBAC_NAMES_CHOSEN && s > HF_SEV_MEDIUM &&
	    (p->risk == HF_RBAC_IMPERSONATE_USERS || p->risk == HF_RBAC_IMPERSONATE_ACCOUNTS ||
	     p->risk == HF_RBAC_MAKE_TOKENS || p->risk == HF_RBAC_BIND))
		s = HF_SEV_MEDIUM;
	return s;
}

static void add_rights(struct gathering *g, const struct hf_rbac_subject *s)
{
	for (size_t i = 0; i < g->p->powers_n[s->number]; i++) {
		const struct hf_rbac_power *p = &g->p->powers[s->number][i];
		enum hf_severity severity = severity_of(p);
		if (p->useless || severity == HF_SEV_UNKNOWN || (p->binding->builtin && !g->builtin))
			continue;
		/* Who may do everything there may do this too. */
		if (p->risk != HF_RBAC_EVERYTHING && hf_rbac_has(g->p, s, HF_RBAC_EVERYTHING, p->scope))
			continue;
		struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_RIGHT, s);
		if (!f)
			return;
		enum hf_rbac_level level = hf_rbac_risks[p->risk].gain == HF_RBAC_GAIN_PODS && p->scope.len
						   ? hf_rbac_level_of(g->m, p->scope)
						   : HF_RBAC_LEVEL_UNKNOWN;
		f->severity = level == HF_RBAC_LEVEL_OPEN && severity < HF_SEV_HIGH ? HF_SEV_HIGH : severity;
		if (level == HF_RBAC_LEVEL_OPEN)
			f->detail = HF_SV("no level of Pod Security keeps them off the node");
		f->power = p;
		f->binding = p->binding;
		f->object = p->binding->object;
	}
}

static void add_way(struct gathering *g, const struct hf_rbac_subject *s)
{
	const struct hf_rbac_way *way = &g->p->ways[s->number];

	if (!way->steps || !way->power || (way->power->binding->builtin && !g->builtin) ||
	    (way->power->risk == HF_RBAC_EVERYTHING && !way->power->scope.len))
		return;
	struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_BECOMES_ADMIN, s);
	if (!f)
		return;
	f->binding = way->power->binding;
	f->object = f->binding->object;
}

/* The first binding to a role that is there, and that the API server has not made itself. */
static const struct hf_rbac_binding *own_binding(const struct gathering *g, const struct hf_rbac_subject *s)
{
	for (size_t i = 0; i < s->bindings_n; i++)
		if (s->bindings[i]->role && (!s->bindings[i]->builtin || g->builtin))
			return s->bindings[i];
	return NULL;
}

static void add_named(struct gathering *g, enum hf_rbac_finding_kind kind, const struct hf_rbac_subject *s,
		      const struct hf_rbac_binding *b)
{
	struct hf_rbac_finding *f = add(g, kind, s);

	if (!f)
		return;
	f->binding = b;
	f->object = b->object;
}

static void add_special(struct gathering *g, const struct hf_rbac_subject *s)
{
	const struct hf_rbac_binding *b = own_binding(g, s);

	if (!b)
		return;
	if (hf_sv_eq(s->name, HF_SV("system:anonymous")) || hf_sv_eq(s->name, HF_SV("system:unauthenticated")))
		add_named(g, HF_RBAC_FINDING_ANONYMOUS, s, b);
	if (hf_sv_eq(s->name, HF_SV("system:authenticated")) || hf_sv_eq(s->name, HF_SV("system:serviceaccounts")))
		add_named(g, HF_RBAC_FINDING_EVERYBODY, s, b);
	if (hf_sv_eq(s->name, HF_SV("system:masters")) && s->kind == HF_RBAC_GROUP)
		add_named(g, HF_RBAC_FINDING_MASTERS, s, b);
	if (s->kind == HF_RBAC_ACCOUNT && hf_sv_eq(s->account, HF_SV("default")))
		add_named(g, HF_RBAC_FINDING_DEFAULT_ACCOUNT, s, b);
}

/* Do groups that the account is in have rights that not every cluster gives them? */
static bool has_own_rights(const struct gathering *g, const struct hf_rbac_subject *s)
{
	struct hf_rbac_user user = hf_rbac_user_of(s->name, NULL, 0, g->arena);

	/* One to a role that is not in the input may give some. */
	if (s->bindings_n)
		return true;
	for (size_t i = 0; i < user.groups_n; i++) {
		const struct hf_rbac_subject *group = hf_rbac_find_subject(g->m, true, user.groups[i]);
		for (size_t b = 0; group && b < group->bindings_n; b++)
			if (!group->bindings[b]->builtin)
				return true;
	}
	return false;
}

static bool has_bindings(const struct hf_rbac_model *m)
{
	bool any = !m->defaults_added && m->bindings_n;

	for (size_t i = 0; i < m->bindings_n && !any; i++)
		any = !m->bindings[i]->builtin;
	return any;
}

static void add_account(struct gathering *g, const struct hf_rbac_subject *s)
{
	const struct hf_rbac_binding *b = own_binding(g, s);
	size_t holders;

	if (s->kind != HF_RBAC_ACCOUNT)
		return;
	if (g->p->has_token_secret[s->number]) {
		struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_TOKEN_SECRET, s);
		if (f)
			f->object = s->object;
	}
	if (hf_rbac_is_unused(g->p, s)) {
		struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_UNUSED_ACCOUNT, s);
		if (f) {
			f->object = s->object;
			f->binding = b;
			f->severity = b ? HF_SEV_MEDIUM : HF_SEV_LOW;
		}
	}
	if (!g->p->pods_n[s->number] || has_own_rights(g, s) || !g->bindings_known)
		return;
	const hf_sv *names = hf_rbac_holders(g->p, s, g->arena, &holders);
	if (!holders)
		return;
	struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_TOKEN_NOT_NEEDED, s);
	if (!f)
		return;
	f->object = s->object;
	f->detail =
		holders > 1 ? hf_arena_fmt(g->arena, "%.*s and %zu more", HF_SV_FMT(names[0]), holders - 1) : names[0];
}

/* Accounts can only be missed where those of the namespace are in the input. */
static bool accounts_known(struct hf_map *namespaces, hf_sv namespace)
{
	return hf_map_find(namespaces, namespace) != NULL;
}

static void add_bindings(struct gathering *g)
{
	struct hf_map known = HF_MAP(g->arena);

	for (size_t i = 0; i < g->m->subjects_n; i++)
		if (g->m->subjects[i]->object)
			hf_map_put(&known, g->m->subjects[i]->namespace);
	for (size_t i = 0; i < g->m->bindings_n; i++) {
		const struct hf_rbac_binding *b = g->m->bindings[i];
		if (b->builtin && !g->builtin)
			continue;
		if (!b->role) {
			struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_NO_ROLE, NULL);
			if (!f)
				return;
			f->binding = b;
			f->object = b->object;
			f->detail =
				hf_arena_fmt(g->arena, "%.*s %.*s", HF_SV_FMT(b->role_kind), HF_SV_FMT(b->role_name));
		}
		for (size_t s = 0; s < b->subjects_n; s++)
			if (b->subjects[s]->kind == HF_RBAC_ACCOUNT && !b->subjects[s]->object &&
			    !hf_sv_eq(b->subjects[s]->account, HF_SV("default")) &&
			    accounts_known(&known, b->subjects[s]->namespace))
				add_named(g, HF_RBAC_FINDING_NO_ACCOUNT, b->subjects[s], b);
	}
}

/* From the right that takes the credential to what it is worth there. */
static const hf_sv *crossing_steps(struct gathering *g, const struct hf_rbac_credential *c,
				   const struct hf_rbac_worth *w, const struct hf_rbac_grant *taken,
				   const struct hf_rbac_power *pods, size_t *ret_n)
{
	struct hf_arena *a = g->arena;
	hf_sv *steps = hf_arena_array(a, hf_sv, w->steps_n + 2), who = hf_rbac_subject_text(taken->subject, a),
	      binding = hf_rbac_binding_text(taken->binding, a);
	const struct hf_kube_object *from = taken->binding->object, *at = c->secret ? c->secret : c->by;
	hf_sv where = c->cluster.len  ? c->cluster
		      : c->server.len ? c->server
				      : HF_SV("another cluster, which is not in the input");

	if (!steps)
		return NULL;
	hf_sv right = pods ? hf_sv_of(hf_rbac_risks[pods->risk].title) : HF_SV("reads secrets");
	steps[0] = hf_arena_fmt(a, "%.*s %.*s in %.*s%s, by %.*s (%.*s:%u)", HF_SV_FMT(who), HF_SV_FMT(right),
				HF_SV_FMT(c->namespace), pods ? ", which mount the secret" : "", HF_SV_FMT(binding),
				HF_SV_FMT(from->source->name), hf_kube_line(from, NULL));
	steps[1] = hf_arena_fmt(a, "secret %.*s/%.*s (%.*s:%u) is what %s acts with in %.*s", HF_SV_FMT(c->namespace),
				HF_SV_FMT(c->name), HF_SV_FMT(at->source->name), hf_kube_line(at, NULL), c->program,
				HF_SV_FMT(where));
	for (size_t i = 0; i < w->steps_n; i++)
		steps[2 + i] = hf_arena_fmt(a, "there %.*s", HF_SV_FMT(w->steps[i]));
	*ret_n = 2 + w->steps_n;
	return steps;
}

static void add_crossings(struct gathering *g)
{
	struct hf_map powers = HF_MAP(g->arena);
	size_t n;
	const struct hf_rbac_credential *all = hf_rbac_credentials(g->m->objects, g->m->cluster, g->arena, &n);

	for (size_t i = 0; i < n && !g->arena->over; i++) {
		const struct hf_rbac_worth *w = hf_rbac_worth_of(g->m->objects, &all[i], &powers, g->arena);
		for (size_t s = 0; w && s < g->m->subjects_n; s++) {
			const struct hf_rbac_power *pods;
			struct hf_rbac_grant taken = hf_rbac_takes(g->p, g->m->subjects[s], &all[i], &pods);
			if (!taken.binding || hf_rbac_is_system(taken.subject))
				continue;
			struct hf_rbac_finding *f = add(g, HF_RBAC_FINDING_CROSSES, taken.subject);
			if (!f)
				return;
			f->severity = w->everything ? HF_SEV_CRITICAL : w->known ? HF_SEV_MEDIUM : HF_SEV_HIGH;
			f->binding = taken.binding;
			f->object = taken.binding->object;
			f->detail = hf_arena_fmt(g->arena, "%s%s%.*s, %.*s", all[i].program,
						 all[i].cluster.len ? " in " : "", HF_SV_FMT(all[i].cluster),
						 HF_SV_FMT(w->text));
			f->steps = crossing_steps(g, &all[i], w, &taken, pods, &f->steps_n);
		}
	}
}

static int by_severity(const void *a, const void *b)
{
	const struct hf_rbac_finding *left = a, *right = b;
	unsigned left_number = hf_rbac_row_of(left).number, right_number = hf_rbac_row_of(right).number;

	if (left->severity != right->severity)
		return left->severity > right->severity ? -1 : 1;
	if (left_number != right_number)
		return left_number < right_number ? -1 : 1;
	int order = hf_sv_cmp(left->subject ? left->subject->name : HF_SV(""),
			      right->subject ? right->subject->name : HF_SV(""));
	if (!order && left->power && right->power)
		order = hf_sv_cmp(left->power->scope, right->power->scope);
	if (!order && left->power && right->power && left->power->rule->number != right->power->rule->number)
		order = left->power->rule->number < right->power->rule->number ? -1 : 1;
	if (!order && left->binding && right->binding && left->binding->number != right->binding->number)
		order = left->binding->number < right->binding->number ? -1 : 1;
	return order;
}

const struct hf_rbac_finding *hf_rbac_findings(const struct hf_rbac_powers *p, bool builtin, struct hf_arena *a,
					       size_t *ret_n)
{
	struct gathering g = {
		.p = p, .m = p->model, .arena = a, .builtin = builtin, .bindings_known = has_bindings(p->model)
	};

	for (size_t i = 0; i < g.m->subjects_n && !a->over; i++) {
		const struct hf_rbac_subject *s = g.m->subjects[i];
		add_rights(&g, s);
		add_way(&g, s);
		add_special(&g, s);
		add_account(&g, s);
	}
	add_bindings(&g);
	add_crossings(&g);
	if (g.findings.n)
		qsort(g.findings.at, g.findings.n, sizeof *g.findings.at, by_severity);
	*ret_n = g.findings.n;
	return g.findings.at;
}
