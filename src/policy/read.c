#include "policy/policy.h"

struct reader {
	hf_sv file, text;
	struct hf_arena *arena;
	hf_policy_note *note;
	void *note_ctx;
	bool left_out;
};

static uint32_t line_of(const struct reader *r, const struct hf_value *v)
{
	uint32_t line, column;

	hf_text_position(r->text, v->offset, &line, &column);
	return line;
}

static void refuse(struct reader *r, const struct hf_value *at, const char *what, hf_sv word)
{
	r->left_out = true;
	r->note(r->note_ctx, r->file, line_of(r, at),
		hf_arena_fmt(r->arena, "%s%s%.*s%s", what, word.len ? " '" : "", HF_SV_FMT(word), word.len ? "'" : ""));
}

static size_t words(struct reader *r, const struct hf_value *list, const hf_sv **ret)
{
	size_t n = hf_value_count(list, HF_VALUE_ARRAY), kept = 0;
	hf_sv *out = hf_arena_array(r->arena, hf_sv, n + 1);

	*ret = out;
	if (hf_value_is(list, HF_VALUE_STRING) && out) {
		out[0] = hf_value_text(list);
		return 1;
	}
	for (size_t i = 0; out && i < n; i++)
		if (hf_value_text(&list->elements[i]).len)
			out[kept++] = hf_value_text(&list->elements[i]);
	return kept;
}

/* The place of a word in a list that ends with NULL; -1: not among them. An absent word is the first one. */
static int among(const struct hf_value *v, const char *const *list)
{
	if (!v)
		return 0;
	for (int i = 0; list[i]; i++)
		if (hf_sv_eq(hf_value_text(v), hf_sv_of(list[i])))
			return i;
	return -1;
}

static bool known_keys(struct reader *r, const struct hf_value *v, const char *const *known)
{
	hf_value_members(v, m)
	{
		size_t i = 0;
		while (known[i] && !hf_sv_eq(hf_member_key(m), hf_sv_of(known[i])))
			i++;
		if (!known[i]) {
			refuse(r, &m->value, "an unknown key", hf_member_key(m));
			return false;
		}
	}
	return true;
}

static bool read_match(struct reader *r, const struct hf_value *v, struct hf_policy *p)
{
	static const char *const known[] = { "kinds", "namespaces", "exclude_namespaces", "labels", NULL };
	const char *wrong;

	if (!known_keys(r, v, known))
		return false;
	p->kinds_n = words(r, hf_value_get(v, HF_SV("kinds")), &p->kinds);
	p->namespaces_n = words(r, hf_value_get(v, HF_SV("namespaces")), &p->namespaces);
	p->not_namespaces_n = words(r, hf_value_get(v, HF_SV("exclude_namespaces")), &p->not_namespaces);
	p->labels = hf_kube_selector(hf_value_get(v, HF_SV("labels")), HF_SELECTOR_FULL, r->arena, &wrong);
	if (wrong)
		refuse(r, hf_value_get(v, HF_SV("labels")), wrong, HF_SV(""));
	return !wrong;
}

static bool read_policy(struct reader *r, const struct hf_value *v, struct hf_policy *p)
{
	static const char *const known[] = { "id",         "title",   "severity",   "message",  "fix",
					     "references", "subject", "action",     "on_error", "match",
					     "deny",       "check",   "parameters", NULL };
	static const char *const subjects[] = { "object", "pod", "container", NULL };
	static const char *const actions[] = { "deny", "warn", "audit", NULL };
	static const char *const on_error[] = { "deny", "allow", NULL };
	static const char *const severities[] = { "medium", "low", "high", "critical", NULL };
	static const enum hf_severity severity_of[] = { HF_SEV_MEDIUM, HF_SEV_LOW, HF_SEV_HIGH, HF_SEV_CRITICAL };
	int subject = among(hf_value_get(v, HF_SV("subject")), subjects),
	    action = among(hf_value_get(v, HF_SV("action")), actions),
	    error = among(hf_value_get(v, HF_SV("on_error")), on_error),
	    severity = among(hf_value_get(v, HF_SV("severity")), severities);

	if (v->type != HF_VALUE_OBJECT || !known_keys(r, v, known))
		return false;
	*p = (struct hf_policy){ .id = hf_value_get_text(v, HF_SV("id")),
				 .title = hf_value_get_text(v, HF_SV("title")),
				 .message = hf_value_get_text(v, HF_SV("message")),
				 .fix = hf_value_get_text(v, HF_SV("fix")),
				 .program = hf_value_get_text(v, HF_SV("deny")),
				 .check = hf_value_get_text(v, HF_SV("check")),
				 .parameters = hf_value_get(v, HF_SV("parameters")),
				 .file = r->file,
				 .line = line_of(r, v) };
	if (!p->id.len)
		p->id = p->check;
	if (!p->id.len)
		refuse(r, v, "a policy without an id", HF_SV(""));
	else if (!p->program.len == !p->check.len)
		refuse(r, v, "wants one of `deny` (a jq program) and `check` (an id), policy", p->id);
	else if (subject < 0 || action < 0 || error < 0 || severity < 0)
		refuse(r, v,
		       "subject is object, pod or container; action deny, warn or audit; on_error deny or allow; "
		       "severity low to critical: policy",
		       p->id);
	else if (read_match(r, hf_value_get(v, HF_SV("match")), p)) {
		p->subject = (enum hf_policy_subject)subject;
		p->action = (enum hf_policy_action)action;
		p->allow_on_error = error == 1;
		p->severity = severity_of[severity];
		p->references_n = words(r, hf_value_get(v, HF_SV("references")), &p->references);
		return true;
	}
	return false;
}

static bool read_test(struct reader *r, const struct hf_value *v, struct hf_policy_test *t)
{
	static const char *const known[] = { "name", "policy", "object", "objects", "expect", "messages", NULL };
	static const char *const verdicts[] = { "pass", "fail", "not_applicable", "unknown", NULL };
	const struct hf_value *one = hf_value_get(v, HF_SV("object")), *many = hf_value_get(v, HF_SV("objects")),
			      *expect = hf_value_get(v, HF_SV("expect"));
	int verdict = among(expect, verdicts);

	if (v->type != HF_VALUE_OBJECT || !known_keys(r, v, known))
		return false;
	*t = (struct hf_policy_test){ .name = hf_value_get_text(v, HF_SV("name")),
				      .policy = hf_value_get_text(v, HF_SV("policy")),
				      .file = r->file,
				      .line = line_of(r, v),
				      .expected = (enum hf_policy_verdict)verdict };
	struct hf_value *list = hf_arena_new(r->arena, struct hf_value);
	if (!list)
		return false;
	if (hf_value_is(one, HF_VALUE_OBJECT))
		*list = (struct hf_value){ .type = HF_VALUE_ARRAY, .n = 1, .elements = one, .offset = one->offset };
	t->objects = hf_value_is(many, HF_VALUE_ARRAY) ? many : list;
	t->messages_n = words(r, hf_value_get(v, HF_SV("messages")), &t->messages);
	if (t->policy.len && expect && verdict >= 0 && hf_value_count(t->objects, HF_VALUE_ARRAY))
		return true;
	refuse(r, v, "a test wants policy, object or objects, and expect: pass, fail, not_applicable or unknown; test",
	       t->name);
	return false;
}

static bool repeated(const struct hf_policies *p, size_t n, const struct hf_policy *at, hf_sv id)
{
	for (size_t i = 0; i < p->n; i++)
		if (hf_sv_eq(p->at[i].id, id))
			return true;
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(at[i].id, id))
			return true;
	return false;
}

static void add_all(struct reader *r, struct hf_policies *into, const struct hf_value *policies,
		    const struct hf_value *tests)
{
	size_t n = into->n, tests_n = into->tests_n;
	struct hf_policy *at = hf_arena_array(r->arena, struct hf_policy, n + hf_value_count(policies, HF_VALUE_ARRAY));
	struct hf_policy_test *t =
		hf_arena_array(r->arena, struct hf_policy_test, tests_n + hf_value_count(tests, HF_VALUE_ARRAY));

	if (!at || !t)
		return;
	if (n)
		memcpy(at, into->at, n * sizeof *at);
	if (tests_n)
		memcpy(t, into->tests, tests_n * sizeof *t);
	hf_value_elements(policies, e)
	{
		if (!read_policy(r, e, &at[n]))
			continue;
		if (repeated(into, n, at, at[n].id))
			refuse(r, e, "an id that is there already:", at[n].id);
		else
			n++;
	}
	hf_value_elements(tests, e) tests_n += read_test(r, e, &t[tests_n]);
	*into = (struct hf_policies){ at, n, t, tests_n };
}

int hf_policies_read(struct hf_policies *into, hf_sv file, hf_sv text, struct hf_arena *a, hf_policy_note *note,
		     void *ctx, struct hf_err *err)
{
	static const char *const known[] = { "policies", "tests", NULL };
	struct reader r = { .file = file, .text = text, .arena = a, .note = note, .note_ctx = ctx };
	hf_sv rest = text, document;
	uint32_t line = 1, lines, column;

	while (hf_yaml_next_document(&rest, &document)) {
		struct hf_value *root = hf_arena_new(a, struct hf_value);
		if (!root)
			return hf_fail(err, HF_E_LIMIT, "%.*s: too large", HF_SV_FMT(file));
		int code = hf_value_of_yaml(document, (uint32_t)(document.ptr - text.ptr), line, a,
					    (struct hf_value_notes){ 0 }, root, err);
		if (code < 0)
			return hf_wrap(err, "%.*s", HF_SV_FMT(file));
		if (root->type != HF_VALUE_NULL && root->type != HF_VALUE_OBJECT)
			return hf_fail(err, HF_E_FORMAT, "%.*s: wants `policies:` and `tests:`", HF_SV_FMT(file));
		if (known_keys(&r, root, known))
			add_all(&r, into, hf_value_get(root, HF_SV("policies")), hf_value_get(root, HF_SV("tests")));
		hf_text_position(document, (uint32_t)document.len, &lines, &column);
		line += lines - 1;
	}
	return a->over ? hf_fail(err, HF_E_LIMIT, "%.*s: too large", HF_SV_FMT(file)) : r.left_out ? HF_PARTIAL : HF_OK;
}
