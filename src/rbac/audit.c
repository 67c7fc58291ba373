#include "rbac/audit.h"

struct needs {
	HF_VEC(struct hf_rbac_need) list;
};

struct subject_use {
	struct hf_rbac_subject_use *out;
	struct hf_rbac_rule_use *rules;
	struct needs needs;
};

struct holding {
	const struct hf_rbac_model *model;
	struct hf_rbac_audit *audit;
	struct subject_use **subjects; /* by number */
	struct needs *bindings;        /* by number */
	bool builtin;
	struct hf_arena *arena;
};

static struct subject_use *begin_subject(const struct hf_rbac_subject *s, bool builtin, struct hf_arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < s->bindings_n; i++)
		if (s->bindings[i]->role && (builtin || !s->bindings[i]->builtin))
			n += s->bindings[i]->role->rules_n;
	struct subject_use *u = n ? hf_arena_new(a, struct subject_use) : NULL;
	if (!u || !(u->rules = hf_arena_array(a, struct hf_rbac_rule_use, n)) ||
	    !(u->out = hf_arena_new(a, struct hf_rbac_subject_use)))
		return NULL;
	*u->out = (struct hf_rbac_subject_use){ .subject = s, .rules = u->rules, .rules_n = n };
	n = 0;
	for (size_t i = 0; i < s->bindings_n; i++)
		if (s->bindings[i]->role && (builtin || !s->bindings[i]->builtin))
			for (size_t r = 0; r < s->bindings[i]->role->rules_n; r++)
				u->rules[n++] = (struct hf_rbac_rule_use){ .binding = s->bindings[i],
									   .rule = s->bindings[i]->role->rules[r] };
	return u;
}

static void add_verb(struct hf_rbac_rule_use *r, hf_sv verb, struct hf_arena *a)
{
	for (size_t i = 0; i < r->verbs_n; i++)
		if (hf_sv_eq(r->verbs[i], verb))
			return;
	hf_sv *more = hf_arena_array(a, hf_sv, r->verbs_n + 1);
	if (!more)
		return;
	if (r->verbs_n)
		memcpy(more, r->verbs, r->verbs_n * sizeof *more);
	more[r->verbs_n++] = verb;
	r->verbs = more;
}

static bool allowed(const struct hf_rbac_binding *b, const struct hf_rbac_rule *rule, const struct hf_rbac_request *r)
{
	if (b->namespace.len && (r->url.len || !hf_sv_eq(b->namespace, r->namespace)))
		return false;
	return hf_rbac_rule_allows(rule, r);
}

static void need(struct holding *h, struct needs *to, const struct hf_rbac_use *use, const struct hf_rbac_subject *s,
		 bool named)
{
	struct hf_rbac_need *slot = hf_vec_push(h->arena, &to->list);

	if (slot)
		*slot = (struct hf_rbac_need){ use, s, named };
}

static void hold(struct holding *h, struct subject_use *u, const struct hf_rbac_use *use)
{
	const struct hf_rbac_subject *s = u->out->subject;
	bool any = false, whole = false;

	for (size_t i = 0, next; i < u->out->rules_n; i = next) {
		const struct hf_rbac_binding *b = u->rules[i].binding;
		bool here = false, whole_here = false;
		for (next = i; next < u->out->rules_n && u->rules[next].binding == b; next++) {
			struct hf_rbac_rule_use *r = &u->rules[next];
			if (!allowed(b, r->rule, &use->request))
				continue;
			r->count += use->count;
			if (hf_sv_cmp(use->last, r->last) > 0)
				r->last = use->last;
			add_verb(r, use->request.verb, h->arena);
			here = true;
			whole_here |= !r->rule->names.n;
		}
		if (here)
			need(h, &h->bindings[b->number], use, s, !whole_here);
		any |= here;
		whole |= whole_here;
	}
	if (any)
		need(h, &u->needs, use, s, !whole);
	u->out->count += any ? use->count : 0;
}

static bool is_builtin_right(const struct hf_rbac_subject *s, const struct hf_rbac_request *request)
{
	for (size_t i = 0; s && i < s->bindings_n; i++)
		for (size_t r = 0; s->bindings[i]->builtin && s->bindings[i]->role && r < s->bindings[i]->role->rules_n;
		     r++)
			if (allowed(s->bindings[i], s->bindings[i]->role->rules[r], request))
				return true;
	return false;
}

/* What the API server does itself, and nodes, is allowed by other authorizers too. */
static bool is_of_the_system(const struct hf_rbac_user *user)
{
	return hf_sv_eq(user->name, HF_SV("system:apiserver")) || hf_sv_starts(user->name, HF_SV("system:node:"));
}

static void hold_use(struct holding *h, const struct hf_rbac_use *use)
{
	/* An impersonation of groups that come of themselves was never asked for. */
	bool sure = !hf_sv_eq(use->request.verb, HF_SV("impersonate"));

	if (!hf_rbac_can(h->model, &use->user, &use->request, NULL)) {
		if (sure && !is_of_the_system(&use->user)) {
			h->audit->unexplained += use->count;
			if (!h->audit->first_unexplained)
				h->audit->first_unexplained = use;
		}
		return;
	}
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t g = 0; g <= use->user.groups_n; g++) {
			const struct hf_rbac_subject *s =
				hf_rbac_find_subject(h->model, g > 0, g ? use->user.groups[g - 1] : use->user.name);
			if (pass && s && h->subjects[s->number])
				hold(h, h->subjects[s->number], use);
			else if (!pass && !h->builtin && is_builtin_right(s, &use->request))
				return;
		}
}

static bool hold_all(struct holding *h)
{
	const struct hf_rbac_model *m = h->model;
	struct hf_rbac_subject_use *out = hf_arena_array(h->arena, struct hf_rbac_subject_use, m->subjects_n);
	struct hf_rbac_needs *bindings = hf_arena_array(h->arena, struct hf_rbac_needs, m->bindings_n);

	if (!out || !bindings)
		return false;
	for (size_t i = 0; i < m->subjects_n && !h->arena->over; i++)
		h->subjects[i] = begin_subject(m->subjects[i], h->builtin, h->arena);
	for (size_t i = 0; i < h->audit->log->uses_n && !h->arena->over; i++)
		hold_use(h, h->audit->log->uses[i]);
	for (size_t i = 0; i < m->subjects_n && !h->arena->over; i++) {
		if (!h->subjects[i])
			continue;
		h->subjects[i]->out->needs =
			(struct hf_rbac_needs){ h->subjects[i]->needs.list.at, h->subjects[i]->needs.list.n };
		out[h->audit->subjects_n++] = *h->subjects[i]->out;
	}
	for (size_t i = 0; i < m->bindings_n; i++)
		bindings[i] = (struct hf_rbac_needs){ h->bindings[i].list.at, h->bindings[i].list.n };
	h->audit->subjects = out;
	h->audit->bindings = bindings;
	return !h->arena->over;
}

const struct hf_rbac_audit *hf_rbac_audit(const struct hf_rbac_model *m, hf_sv log, bool builtin, struct hf_arena *a)
{
	struct hf_rbac_audit *audit = hf_arena_new(a, struct hf_rbac_audit);
	struct holding h = { .model = m, .audit = audit, .builtin = builtin, .arena = a };

	h.subjects = hf_arena_array(a, struct subject_use *, m->subjects_n);
	h.bindings = hf_arena_array(a, struct needs, m->bindings_n);
	if (!audit || !h.subjects || !h.bindings)
		return NULL;
	audit->model = m;
	audit->log = hf_rbac_read_log(m, log, a);
	return audit->log && hold_all(&h) ? audit : NULL;
}

const struct hf_rbac_use *hf_rbac_replay(const struct hf_rbac_log *log, const struct hf_rbac_model *before,
					 const struct hf_rbac_model *after)
{
	for (size_t i = 0; i < log->uses_n; i++) {
		const struct hf_rbac_use *use = log->uses[i];
		if (hf_rbac_can(before, &use->user, &use->request, NULL) &&
		    !hf_rbac_can(after, &use->user, &use->request, NULL))
			return use;
	}
	return NULL;
}
