#include "baseline/exceptions.h"

#include <stdlib.h>

#include "base/limits.h"
#include "baseline/judge.h"
#include "baseline/notes.h"

struct hf_exceptions {
	struct hf_arena arena;
	struct hf_exception *at;
	size_t n;
	const struct hf_rules *rules;
	char today[11]; /* empty: nothing expires */
	struct hf_event_sink shown, hidden;
};

const char *hf_exception_state_name(enum hf_exception_state state)
{
	static const char *const names[] = { "active", "unused", "expired", "dead" };

	return (unsigned)state < HF_ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* Of the rules, or of profiles. */
static bool is_rule(const struct hf_rules *rules, hf_sv id)
{
	enum hf_profile_part part;

	return hf_rules_find(rules, id) || hf_profile_rule_part(id, &part);
}

static bool is_date(hf_sv s)
{
	uint64_t year, month, day;

	return s.len == 10 && s.ptr[4] == '-' && s.ptr[7] == '-' && hf_sv_to_u64(hf_sv_first(s, 4), &year) &&
	       hf_sv_to_u64(hf_sv_slice(s, 5, 2), &month) && hf_sv_to_u64(hf_sv_slice(s, 8, 2), &day) && month >= 1 &&
	       month <= 12 && day >= 1 && day <= 31;
}

struct loader {
	struct hf_exceptions *made;
	HF_VEC(struct hf_exception) list;
	struct note_context notes;
};

static bool read_text(struct loader *l, const struct hf_yaml_node *node, const char *key, hf_sv *ret)
{
	if (hf_yaml_string(hf_yaml_get(node, hf_sv_of(key)), ret) && hf_sv_trim(*ret).len) {
		*ret = hf_sv_trim(*ret);
		return true;
	}
	note_error(&l->notes, node->line, "an exception wants %s", key);
	return false;
}

static void read_match(struct loader *l, const struct hf_yaml_node *node, struct hf_exception *x)
{
	const struct hf_rules *rules = l->made->rules;
	const struct hf_condition_names names = { &rules->lists, &rules->macros };
	struct hf_err err = { 0 };

	if (!read_text(l, node, "match", &x->match_text))
		return;
	if (hf_condition_compile(x->match_text, &names, HF_CONDITION_EXCEPTS, &l->made->arena, &x->match, &err))
		note_error(&l->notes, node->line, "exception %.*s: match, %s", HF_SV_FMT(x->id), err.msg);
	else if (hf_condition_is_vague(x->match))
		note_error(&l->notes, node->line,
			   "exception %.*s: match says only what is not, and so would hide nearly everything",
			   HF_SV_FMT(x->id));
}

static void read_exception(struct loader *l, const struct hf_yaml_node *node)
{
	static const char *const keys[] = { "id", "owner", "why", "expires", "rules", "match", NULL };
	struct hf_exception x = { .file = l->notes.file, .line = node->line };
	size_t errors = l->notes.errors;

	if (node->type != HF_YAML_MAPPING) {
		note_error(&l->notes, node->line,
			   "an exception is a mapping of id, owner, why, expires, rules and match");
		return;
	}
	note_unknown_keys(&l->notes, node, keys, "an exception");
	read_text(l, node, "id", &x.id);
	read_text(l, node, "owner", &x.owner);
	read_text(l, node, "why", &x.why);
	if (read_text(l, node, "expires", &x.expires) && !is_date(x.expires))
		note_error(&l->notes, node->line, "exception %.*s: expires is a day as 2026-12-31", HF_SV_FMT(x.id));
	if (!note_strings_of(&l->made->arena, hf_yaml_get(node, HF_SV("rules")), &x.rules, &x.rules_n) || !x.rules_n)
		note_error(&l->notes, node->line, "exception %.*s: rules is a list of ids of rules", HF_SV_FMT(x.id));
	read_match(l, node, &x);
	for (size_t i = 0; i < l->list.n; i++)
		if (hf_sv_eq(l->list.at[i].id, x.id))
			note_error(&l->notes, node->line, "exception %.*s stands in line %u of %.*s already",
				   HF_SV_FMT(x.id), l->list.at[i].line, HF_SV_FMT(l->list.at[i].file));
	if (l->notes.errors != errors)
		return;
	for (size_t i = 0; i < x.rules_n; i++)
		if (!is_rule(l->made->rules, x.rules[i]))
			note_lint(&l->notes, node->line, "exception %.*s names the rule %.*s, which is not there",
				  HF_SV_FMT(x.id), HF_SV_FMT(x.rules[i]));
	struct hf_exception *slot = hf_vec_push(&l->made->arena, &l->list);
	if (slot)
		*slot = x;
}

static void read_document(void *ctx, const struct hf_yaml_node *root)
{
	struct loader *l = ctx;
	const struct hf_yaml_node *list = hf_yaml_get(root, HF_SV("exceptions"));

	if (list && list->type != HF_YAML_SEQUENCE && !hf_yaml_null(list))
		note_error(&l->notes, list->line, "exceptions is a list");
	for (size_t k = 0; list && list->type == HF_YAML_SEQUENCE && k < list->n; k++)
		read_exception(l, list->elements[k]);
}

int hf_exceptions_load(const struct hf_rules_source *sources, size_t n, const struct hf_rules *rules,
		       struct hf_rules_notes notes, struct hf_exceptions **ret, struct hf_err *err)
{
	static const char *const keys[] = { "exceptions", NULL };
	static const struct note_shape shape = { "a file of exceptions", "a mapping with the key exceptions", keys };
	struct hf_exceptions *made = hf_calloc(1, sizeof *made);
	struct loader l = { .made = made, .notes = { .to = notes } };

	made->arena = HF_ARENA(HF_RULES_ARENA_MAX);
	made->rules = rules;
	for (size_t i = 0; i < n; i++)
		note_documents_of(&l.notes, &sources[i], &made->arena, &shape, read_document, &l);
	made->at = l.list.at;
	made->n = l.list.n;
	if (made->arena.over) {
		hf_exceptions_free(made);
		return hf_fail(err, HF_E_LIMIT, "the exceptions need more than %llu MiB",
			       (unsigned long long)HF_RULES_ARENA_MAX >> 20);
	}
	*ret = made;
	return l.notes.errors ? HF_PARTIAL : HF_OK;
}

void hf_exceptions_free(struct hf_exceptions *x)
{
	if (!x)
		return;
	hf_arena_done(&x->arena);
	free(x);
}

const struct hf_exception *hf_exceptions_list(const struct hf_exceptions *x, size_t *ret_n)
{
	*ret_n = x->n;
	return x->at;
}

void hf_exceptions_today(struct hf_exceptions *x, hf_sv today)
{
	size_t n = is_date(hf_sv_first(today, 10)) ? 10 : 0;

	if (n)
		memcpy(x->today, today.ptr, n);
	x->today[n] = '\0';
}

hf_sv hf_exceptions_day(const struct hf_exceptions *x)
{
	return hf_sv_of(x->today);
}

static bool is_expired(const struct hf_exception *x, hf_sv today)
{
	return today.len && hf_sv_cmp(x->expires, today) < 0;
}

enum hf_exception_state hf_exception_state(const struct hf_exceptions *all, const struct hf_exception *x, hf_sv today)
{
	bool known = false;

	for (size_t i = 0; i < x->rules_n; i++)
		known |= is_rule(all->rules, x->rules[i]);
	if (!known)
		return HF_EXCEPTION_DEAD;
	if (is_expired(x, today))
		return HF_EXCEPTION_EXPIRED;
	return x->hits ? HF_EXCEPTION_ACTIVE : HF_EXCEPTION_UNUSED;
}

static bool hides(const struct hf_exception *x, const struct hf_event *alert)
{
	hf_sv rule = hf_event_string(alert, HF_FIELD_ALERT_RULE);
	struct hf_event event;
	enum hf_event_kind kind;

	for (size_t i = 0; i < x->rules_n; i++) {
		if (!hf_sv_eq(x->rules[i], rule))
			continue;
		/* The condition is about the event, whose kind the alert keeps apart. */
		event = *alert;
		if (hf_event_kind_of(hf_event_string(alert, HF_FIELD_ALERT_EVENT_KIND), &kind))
			event.kind = kind;
		return hf_condition_evaluate(x->match, &event) == HF_TRUTH_TRUE;
	}
	return false;
}

static int take(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	struct hf_exceptions *all = ctx;

	for (size_t i = 0; alert->kind == HF_EVENT_ALERT && i < all->n; i++) {
		struct hf_exception *x = &all->at[i];
		if (is_expired(x, hf_sv_of(all->today)) || !hides(x, alert))
			continue;
		x->hits++;
		x->last_hit_ns = hf_event_uint(alert, HF_FIELD_MONOTONIC_NS);
		if (!all->hidden.take)
			return 0;
		struct hf_event copy = *alert;
		hf_event_set_string(&copy, HF_FIELD_ALERT_EXCEPTION, x->id);
		return all->hidden.take(all->hidden.ctx, &copy, err);
	}
	return all->shown.take(all->shown.ctx, alert, err);
}

struct hf_event_sink hf_exceptions_sink(struct hf_exceptions *x, struct hf_event_sink shown,
					struct hf_event_sink hidden)
{
	x->shown = shown;
	x->hidden = hidden;
	return (struct hf_event_sink){ take, x };
}

void hf_exception_replay(const struct hf_exception *x, const struct hf_event *alert, struct hf_would_hide *total)
{
	if (alert->kind != HF_EVENT_ALERT || !hides(x, alert))
		return;
	total->alerts++;
	total->critical += hf_sv_eq(hf_event_string(alert, HF_FIELD_ALERT_SEVERITY), HF_SV("critical"));
	for (size_t i = 0; i < x->rules_n; i++) {
		if (!hf_sv_eq(x->rules[i], hf_event_string(alert, HF_FIELD_ALERT_RULE)))
			continue;
		size_t k = 0;
		while (k < total->rules_n && !hf_sv_eq(total->rules[k], x->rules[i]))
			k++;
		if (k == total->rules_n && k < HF_ARRAY_SIZE(total->rules))
			total->rules[total->rules_n++] = x->rules[i];
	}
}

bool hf_would_hide_warns(const struct hf_exception *x, const struct hf_would_hide *total, struct hf_buf *ret)
{
	bool many = total->rules_n > 1, critical = total->critical && x->rules_n > 1;

	if (many) {
		hf_buf_addf(ret, "it hides alerts of %zu rules:", total->rules_n);
		for (size_t i = 0; i < total->rules_n; i++)
			hf_buf_addf(ret, " %.*s", HF_SV_FMT(total->rules[i]));
	}
	if (critical)
		hf_buf_addf(ret, "%sit hides %llu critical alerts without being made for their rule alone",
			    many ? "; " : "", (unsigned long long)total->critical);
	return many || critical;
}

static void add_quoted(struct hf_buf *out, hf_sv s)
{
	hf_buf_add_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '"' || c == '\\')
			hf_buf_add_char(out, '\\');
		if (c == '\n')
			hf_buf_add(out, HF_SV("\\n"));
		else
			hf_buf_add_char(out, c);
	}
	hf_buf_add_char(out, '"');
}

static bool is_truncated(const struct hf_event *e, enum hf_event_field f)
{
	return (f == HF_FIELD_MAP_PATH && hf_event_bool(e, HF_FIELD_MAP_TRUNCATED)) ||
	       (f == HF_FIELD_PROCESS_EXE_PATH && hf_event_bool(e, HF_FIELD_PROCESS_EXE_TRUNCATED)) ||
	       (f == HF_FIELD_FILE_PATH && hf_event_bool(e, HF_FIELD_FILE_TRUNCATED)) ||
	       (f == HF_FIELD_PROCESS_ARGUMENTS && hf_event_bool(e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED));
}

/* One test that the event's value passes; false where there is no value, or none that a condition can name. */
static bool add_test(struct hf_buf *out, const struct hf_event *e, enum hf_event_field f)
{
	const struct hf_value *v = &e->values[f];
	const char *name = hf_event_fields[f].name, *and = out->len ? " and " : "";

	if (v->type == HF_VALUE_UINT) {
		hf_buf_addf(out, "%s%s = %llu", and, name, (unsigned long long)v->uint);
		return true;
	}
	if (v->type == HF_VALUE_BOOL) {
		hf_buf_addf(out, "%s%s = %s", and, name, v->boolean ? "true" : "false");
		return true;
	}
	if (v->type == HF_VALUE_STRING && v->string.len && hf_sv_is_utf8(v->string)) {
		hf_buf_addf(out, "%s%s = ", and, name);
		add_quoted(out, v->string);
		return true;
	}
	if (v->type != HF_VALUE_LIST || !v->n)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (!v->list[i].len || !hf_sv_is_utf8(v->list[i]))
			return false;
	hf_buf_addf(out, "%s%s all in (", and, name);
	for (size_t i = 0; i < v->n; i++) {
		hf_buf_add(out, i ? HF_SV(", ") : HF_SV(""));
		add_quoted(out, v->list[i]);
	}
	hf_buf_add_char(out, ')');
	return true;
}

static void add_key(struct hf_buf *out, const char *key, hf_sv value)
{
	hf_buf_addf(out, "    %s: ", key);
	hf_yaml_write_scalar(out, value);
	hf_buf_add_char(out, '\n');
}

static size_t fields_of(const struct hf_rules *rules, const struct hf_event *alert, enum hf_event_field *own,
			const enum hf_event_field **ret)
{
	hf_sv id = hf_event_string(alert, HF_FIELD_ALERT_RULE);
	const struct hf_rule *rule = hf_rules_find(rules, id);
	enum hf_profile_part part;

	*ret = rule ? rule->exception_fields : own;
	if (rule)
		return rule->exception_fields_n;
	return hf_profile_rule_part(id, &part) ? hf_profile_alert_fields(part, alert, own) : 0;
}

/* Adds the test of a field, unless the rule's own fields did. */
static bool add_narrowing(struct hf_buf *match, const struct hf_event *alert, enum hf_event_field f,
			  const enum hf_event_field *fields, size_t fields_n)
{
	for (size_t i = 0; i < fields_n; i++)
		if (fields[i] == f)
			return hf_event_has(alert, f);
	return hf_event_has(alert, f) && !is_truncated(alert, f) && add_test(match, alert, f);
}

int hf_exception_suggest(const struct hf_rules *rules, const struct hf_event *alert, hf_sv owner, hf_sv why,
			 hf_sv expires, struct hf_buf *out, struct hf_err *err)
{
	hf_sv id = hf_event_string(alert, HF_FIELD_ALERT_RULE),
	      image = hf_event_string(alert, HF_FIELD_CONTAINER_IMAGE_NAME);
	enum hf_event_field own[HF_PROFILE_ALERT_FIELDS_MAX];
	const enum hf_event_field *fields;
	size_t fields_n = fields_of(rules, alert, own, &fields);
	hf_cleanup(hf_buf_done) struct hf_buf match = HF_BUF(HF_CONDITION_SIZE_MAX), name = HF_BUF(512);

	if (!is_rule(rules, id))
		return hf_fail(err, HF_E_MISSING, "no rule is called '%.*s'", HF_SV_FMT(id));
	for (size_t i = 0; i < fields_n; i++) {
		enum hf_event_field f = fields[i];
		if (is_truncated(alert, f))
			return hf_fail(err, HF_E_UNSUPPORTED, "%s was truncated, and no exception matches what was",
				       hf_event_fields[f].name);
		add_test(&match, alert, f);
	}
	/* Without these it would hide what other programs do, and in every image. */
	if (match.len && !add_narrowing(&match, alert, HF_FIELD_CONTAINER_IMAGE_NAME, fields, fields_n) &&
	    add_narrowing(&match, alert, HF_FIELD_CONTAINER_NAME, fields, fields_n))
		image = hf_event_string(alert, HF_FIELD_CONTAINER_NAME);
	if (match.len)
		add_narrowing(&match, alert, HF_FIELD_PROCESS_EXE_PATH, fields, fields_n);
	if (!match.len || match.over)
		return hf_fail(err, HF_E_UNSUPPORTED,
			       "the event has none of the fields that exceptions of %.*s are made of", HF_SV_FMT(id));
	hf_buf_addf(&name, "%.*s in %.*s", HF_SV_FMT(id), HF_SV_FMT(image.len ? image : HF_SV("any image")));
	hf_buf_add(out, HF_SV("  - id: "));
	hf_yaml_write_scalar(out, hf_buf_view(&name));
	hf_buf_add_char(out, '\n');
	add_key(out, "owner", owner);
	add_key(out, "why", why);
	add_key(out, "expires", expires);
	hf_buf_addf(out, "    rules: [%.*s]\n", HF_SV_FMT(id));
	add_key(out, "match", hf_buf_view(&match));
	return HF_OK;
}
