#include "rbac/audit.h"

#include <stdlib.h>

#include "base/limits.h"

struct reading {
	const struct hf_rbac_model *model;
	struct hf_arena *arena;
	struct hf_rbac_audit *audit;
	struct hf_map uses; /* by all that tells them apart -> struct hf_rbac_use */
};

/* What stands before the query of a request's URI. */
static hf_sv path_of(hf_sv uri)
{
	hf_sv path, query;

	return hf_sv_cut(uri, '?', &path, &query) ? path : uri;
}

static void add_groups(hf_sv key, struct hf_rbac_use *use, struct hf_arena *a)
{
	/* The groups are the last of the key, each behind a separator. */
	HF_VEC(hf_sv) groups = { 0 };
	hf_sv one;

	while (key.len && hf_sv_next(&key, '\x1f', &one)) {
		hf_sv *slot = one.len ? hf_vec_push(a, &groups) : NULL;
		if (slot)
			*slot = one;
	}
	use->user.groups = groups.at;
	use->user.groups_n = groups.n;
}

enum { KEY_PARTS = 7 };

static void add_use(struct reading *r, hf_sv key)
{
	struct hf_map_entry *e = hf_map_find(&r->uses, key);

	if (e) {
		((struct hf_rbac_use *)e->value)->count++;
		return;
	}
	struct hf_rbac_use *use = hf_arena_new(r->arena, struct hf_rbac_use);
	key = hf_arena_dup(r->arena, key);
	if (!use || !key.len || !(e = hf_map_put(&r->uses, key)))
		return;
	e->value = use;
	hf_sv parts[KEY_PARTS], rest = key;
	for (size_t i = 0; i < KEY_PARTS; i++)
		if (!hf_sv_next(&rest, '\x1f', &parts[i]))
			parts[i] = HF_SV("");
	use->user.name = parts[0];
	use->request = (struct hf_rbac_request){ .verb = parts[1],
						 .group = parts[2],
						 .resource = parts[3],
						 .subresource = parts[4],
						 .namespace = parts[5],
						 .url = parts[6] };
	use->count = 1;
	add_groups(rest.ptr ? rest : HF_SV(""), use, r->arena);
}

/* An event of a request that the API server let through. */
static void read_event(struct reading *r, const struct hf_value *event, struct hf_buf *key)
{
	const struct hf_value *ref = hf_value_get(event, HF_SV("objectRef"));
	const struct hf_value *user = hf_value_get(event, HF_SV("impersonatedUser"));
	hf_sv stage = hf_value_get_text(event, HF_SV("stage"));
	hf_sv decision =
		hf_value_get_text(hf_value_get(event, HF_SV("annotations")), HF_SV("authorization.k8s.io/decision"));
	int64_t code = 0;

	if (!user)
		user = hf_value_get(event, HF_SV("user"));
	if (!hf_value_get_text(user, HF_SV("username")).len || !hf_value_get_text(event, HF_SV("verb")).len) {
		r->audit->unreadable++;
		return;
	}
	/* Each request has several stages: the last one tells. */
	if (stage.len && !hf_sv_eq(stage, HF_SV("ResponseComplete")) && !hf_sv_eq(stage, HF_SV("Panic")))
		return;
	r->audit->events++;
	hf_value_int(hf_value_at(event, "responseStatus.code"), &code);
	if (hf_sv_eq(decision, HF_SV("forbid")) || (!decision.len && (code == 401 || code == 403))) {
		r->audit->denied++;
		return;
	}
	const hf_sv parts[KEY_PARTS] = {
		hf_value_get_text(user, HF_SV("username")),
		hf_value_get_text(event, HF_SV("verb")),
		hf_value_get_text(ref, HF_SV("apiGroup")),
		hf_value_get_text(ref, HF_SV("resource")),
		hf_value_get_text(ref, HF_SV("subresource")),
		hf_value_get_text(ref, HF_SV("namespace")),
		ref ? HF_SV("") : path_of(hf_value_get_text(event, HF_SV("requestURI"))),
	};
	key->len = 0;
	for (size_t i = 0; i < KEY_PARTS; i++) {
		if (parts[i].len && memchr(parts[i].ptr, '\x1f', parts[i].len))
			return;
		hf_buf_add(key, parts[i]);
		hf_buf_add_char(key, '\x1f');
	}
	hf_value_elements(hf_value_get(user, HF_SV("groups")), e)
	{
		hf_buf_add(key, hf_value_text(e));
		hf_buf_add_char(key, '\x1f');
	}
	if (!key->over)
		add_use(r, hf_buf_view(key));
}

/* JSON values one behind the other; what cannot be read is passed over to the end of its line. */
static void read_log(struct reading *r, hf_sv log)
{
	struct hf_arena scratch = HF_ARENA(HF_MIB(512));
	hf_cleanup(hf_buf_done) struct hf_buf key = HF_BUF(HF_KIB(64));

	for (size_t at = 0, used = 0; at < log.len && !r->arena->over;) {
		struct hf_value v = { 0 };
		struct hf_err err = { 0 };
		hf_sv rest = hf_sv_skip(log, at);
		if (hf_value_of_json(rest, 0, &scratch, (struct hf_value_notes){ 0 }, &v, &used, &err) < 0) {
			if (!r->audit->unreadable++)
				r->audit->unreadable_byte = at;
			size_t line = hf_sv_index(rest, '\n');
			used = line == SIZE_MAX ? rest.len : line + 1;
		} else if (hf_value_is(hf_value_get(&v, HF_SV("items")), HF_VALUE_ARRAY)) {
			hf_value_elements(hf_value_get(&v, HF_SV("items")), e) read_event(r, e, &key);
		} else {
			read_event(r, &v, &key);
		}
		at += used ? used : 1;
		hf_arena_reset(&scratch);
	}
	hf_arena_done(&scratch);
}

struct subject_use {
	struct hf_rbac_subject_use *out;
	struct hf_rbac_rule_use *rules;
	HF_VEC(struct hf_rbac_need) needs;
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

/* A rule with names is taken to have been asked for one of them: the log's names are not kept. */
static bool allowed(const struct hf_rbac_binding *b, const struct hf_rbac_rule *rule,
		    const struct hf_rbac_request *request)
{
	struct hf_rbac_request r = *request;

	if (b->namespace.len && (r.url.len || !hf_sv_eq(b->namespace, r.namespace)))
		return false;
	if (rule->names.n)
		r.name = rule->names.at[0];
	return hf_rbac_rule_allows(rule, &r);
}

static void hold(struct subject_use *u, const struct hf_rbac_use *use, struct hf_arena *a)
{
	const struct hf_rbac_rule *named = NULL;
	bool any = false, whole = false;

	for (size_t i = 0; i < u->out->rules_n; i++) {
		struct hf_rbac_rule_use *r = &u->rules[i];
		if (!allowed(r->binding, r->rule, &use->request))
			continue;
		r->count += use->count;
		add_verb(r, use->request.verb, a);
		any = true;
		whole |= !r->rule->names.n;
		if (!named && r->rule->names.n)
			named = r->rule;
	}
	struct hf_rbac_need *slot = any ? hf_vec_push(a, &u->needs) : NULL;
	if (slot)
		*slot = (struct hf_rbac_need){ use, whole ? NULL : named };
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

static void hold_use(const struct hf_rbac_model *m, struct subject_use **subjects, const struct hf_rbac_use *use,
		     bool builtin, struct hf_arena *a)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t g = 0; g <= use->user.groups_n; g++) {
			const struct hf_rbac_subject *s =
				hf_rbac_find_subject(m, g > 0, g ? use->user.groups[g - 1] : use->user.name);
			if (pass && s && subjects[s->number])
				hold(subjects[s->number], use, a);
			else if (!pass && !builtin && is_builtin_right(s, &use->request))
				return;
		}
}

const struct hf_rbac_audit *hf_rbac_audit(const struct hf_rbac_model *m, hf_sv log, bool builtin, struct hf_arena *a)
{
	struct hf_rbac_audit *audit = hf_arena_new(a, struct hf_rbac_audit);
	struct subject_use **subjects = hf_arena_array(a, struct subject_use *, m->subjects_n);
	struct hf_rbac_subject_use *out = hf_arena_array(a, struct hf_rbac_subject_use, m->subjects_n);
	struct reading r = { .model = m, .arena = a, .audit = audit, .uses = HF_MAP(a) };

	if (!audit || !subjects || !out)
		return NULL;
	read_log(&r, log);
	for (size_t i = 0; i < m->subjects_n && !a->over; i++)
		subjects[i] = begin_subject(m->subjects[i], builtin, a);
	for (size_t i = 0; i < r.uses.n && !a->over; i++)
		hold_use(m, subjects, r.uses.entries[i].value, builtin, a);
	for (size_t i = 0; i < m->subjects_n && !a->over; i++) {
		if (!subjects[i])
			continue;
		subjects[i]->out->needs = subjects[i]->needs.at;
		subjects[i]->out->needs_n = subjects[i]->needs.n;
		out[audit->subjects_n++] = *subjects[i]->out;
	}
	audit->subjects = out;
	return a->over ? NULL : audit;
}
