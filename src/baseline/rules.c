#include "baseline/rules.h"

#include <stdlib.h>

#include "base/limits.h"
#include "baseline/notes.h"

static const char *const severities[] = { "low", "medium", "high", "critical" };

const char *hf_alert_severity_name(enum hf_alert_severity s)
{
	return (unsigned)s < HF_ARRAY_SIZE(severities) ? severities[s] : "unknown";
}

bool hf_alert_severity_of(hf_sv name, enum hf_alert_severity *ret)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(severities); i++)
		if (hf_sv_eq(name, hf_sv_of(severities[i]))) {
			*ret = i;
			return true;
		}
	return false;
}

/* A rule as it stands in a file, before lists and macros are all known. */
struct loader {
	struct hf_rules *rules;
	struct hf_map drafts; /* id -> struct draft */
	struct note_context notes;
	bool builtin; /* the source that is read */
};

struct draft {
	const struct hf_yaml_node *node;
	hf_sv file;
	bool builtin;
};

static bool is_name(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", s.ptr[i]) || !s.ptr[i])
			return false;
	return s.len && s.len <= 64;
}

/* Lists and macros may name no field, or the field could not be written any more. */
static struct hf_map_entry *name_slot(struct loader *l, struct hf_map *map, const struct hf_yaml_pair *pair,
				      const char *what)
{
	enum hf_event_field field;
	hf_sv name;

	if (!hf_yaml_string(pair->key, &name) || !is_name(name) || hf_event_field_of(name, &field) ||
	    hf_sv_eq(name, HF_SV("program"))) {
		note_error(&l->notes, pair->key->line,
			   "a %s is called by lower case letters, digits, '_' and '-', and not as a field", what);
		return NULL;
	}
	if (hf_map_find(map, name))
		note_shadowed(&l->notes, pair->key->line, "%s %.*s replaces one of that name before it", what,
			      HF_SV_FMT(name));
	return hf_map_put(map, hf_arena_dup(&l->rules->arena, name));
}

static void read_lists(struct loader *l, const struct hf_yaml_node *node)
{
	for (size_t i = 0; node && node->type == HF_YAML_MAPPING && i < node->n; i++) {
		struct hf_condition_list *list = hf_arena_new(&l->rules->arena, struct hf_condition_list);
		if (!list)
			return;
		if (!note_strings_of(&l->rules->arena, node->pairs[i].value, &list->at, &list->n)) {
			note_error(&l->notes, node->pairs[i].key->line, "a list is a sequence of strings");
			continue;
		}
		struct hf_map_entry *slot = name_slot(l, &l->rules->lists, &node->pairs[i], "list");
		if (slot)
			slot->value = list;
	}
}

static void read_macros(struct loader *l, const struct hf_yaml_node *node)
{
	for (size_t i = 0; node && node->type == HF_YAML_MAPPING && i < node->n; i++) {
		struct hf_condition_macro *m = hf_arena_new(&l->rules->arena, struct hf_condition_macro);
		if (!m)
			return;
		if (!hf_yaml_string(node->pairs[i].value, &m->text)) {
			note_error(&l->notes, node->pairs[i].key->line, "a macro is a condition");
			continue;
		}
		struct hf_map_entry *slot = name_slot(l, &l->rules->macros, &node->pairs[i], "macro");
		if (slot)
			slot->value = m;
	}
}

static void read_drafts(struct loader *l, const struct hf_yaml_node *node)
{
	for (size_t i = 0; node && node->type == HF_YAML_SEQUENCE && i < node->n; i++) {
		const struct hf_yaml_node *rule = node->elements[i];
		struct draft *d = hf_arena_new(&l->rules->arena, struct draft);
		hf_sv id;

		if (!d)
			return;
		if (rule->type != HF_YAML_MAPPING || !hf_yaml_string(hf_yaml_get(rule, HF_SV("id")), &id) ||
		    !is_name(id)) {
			note_error(&l->notes, rule->line,
				   "a rule is a mapping with an id of lower case letters, digits, '_' and '-'");
			continue;
		}
		*d = (struct draft){ rule, l->notes.file, l->builtin };
		struct hf_map_entry *slot = hf_map_put(&l->drafts, id);
		if (!slot)
			return;
		const struct draft *before = slot->value;
		if (before)
			note_shadowed(&l->notes, rule->line, "rule %.*s replaces the one of %.*s, line %u",
				      HF_SV_FMT(id), HF_SV_FMT(before->file), before->node->line);
		slot->value = d;
	}
}

static void read_document(void *ctx, const struct hf_yaml_node *root)
{
	struct loader *l = ctx;

	read_lists(l, hf_yaml_get(root, HF_SV("lists")));
	read_macros(l, hf_yaml_get(root, HF_SV("macros")));
	read_drafts(l, hf_yaml_get(root, HF_SV("rules")));
}

static bool read_kinds(struct loader *l, const struct hf_yaml_node *rule, struct hf_rule *r)
{
	const hf_sv *names;
	size_t n;

	if (!note_strings_of(&l->rules->arena, hf_yaml_get(rule, HF_SV("kinds")), &names, &n) || !n) {
		note_error(&l->notes, rule->line, "rule %.*s: kinds is a list of kinds of events", HF_SV_FMT(r->id));
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		enum hf_event_kind kind;
		if (!hf_event_kind_of(names[i], &kind) || kind == HF_EVENT_ALERT || kind == HF_EVENT_DENIAL) {
			note_error(&l->notes, rule->line, "rule %.*s: '%.*s' is no kind of event that rules see",
				   HF_SV_FMT(r->id), HF_SV_FMT(names[i]));
			return false;
		}
		r->kinds |= UINT64_C(1) << kind;
	}
	return true;
}

static bool read_exception_fields(struct loader *l, const struct hf_yaml_node *rule, struct hf_rule *r)
{
	const struct hf_yaml_node *node = hf_yaml_get(rule, HF_SV("exceptions"));
	const hf_sv *names = NULL;
	size_t n = 0;

	if (!node)
		return true;
	if (!note_strings_of(&l->rules->arena, node, &names, &n)) {
		note_error(&l->notes, node->line, "rule %.*s: exceptions is a list of fields", HF_SV_FMT(r->id));
		return false;
	}
	enum hf_event_field *fields = hf_arena_array(&l->rules->arena, enum hf_event_field, n);
	for (size_t i = 0; fields && i < n; i++)
		if (!hf_event_field_of(names[i], &fields[i])) {
			const char *near = hf_nearest_field(names[i]);
			note_error(&l->notes, node->line, "rule %.*s: exceptions: '%.*s' is no field%s%s",
				   HF_SV_FMT(r->id), HF_SV_FMT(names[i]), near ? "; nearest is " : "",
				   near ? near : "");
			return false;
		}
	r->exception_fields = fields;
	r->exception_fields_n = n;
	return fields;
}

static bool read_text(struct loader *l, const struct hf_yaml_node *rule, const char *key, hf_sv *ret)
{
	hf_sv id = { 0 };

	if (hf_yaml_string(hf_yaml_get(rule, hf_sv_of(key)), ret) && ret->len) {
		*ret = hf_sv_trim(*ret);
		return true;
	}
	hf_yaml_string(hf_yaml_get(rule, HF_SV("id")), &id);
	note_error(&l->notes, rule->line, "rule %.*s has no %s", HF_SV_FMT(id), key);
	return false;
}

static bool read_condition(struct loader *l, const struct hf_yaml_node *rule, struct hf_rule *r)
{
	const struct hf_condition_names names = { &l->rules->lists, &l->rules->macros };
	const struct hf_yaml_node *node = hf_yaml_get(rule, HF_SV("condition"));
	struct hf_err err = { 0 };

	if (!read_text(l, rule, "condition", &r->condition_text))
		return false;
	if (hf_condition_compile(r->condition_text, &names, HF_CONDITION_ALERTS, &l->rules->arena, &r->condition,
				 &err)) {
		note_error(&l->notes, node->line, "rule %.*s: condition, %s", HF_SV_FMT(r->id), err.msg);
		return false;
	}
	return true;
}

/* False, and told, where anything is wrong: a rule of which half is understood is none. */
static bool read_rule(struct loader *l, const struct draft *d, hf_sv id, struct hf_rule *r)
{
	static const char *const keys[] = { "id",    "title",     "description", "severity", "family",  "tags",
					    "kinds", "condition", "exceptions",  "next",     "enabled", NULL };
	const struct hf_yaml_node *rule = d->node, *enabled = hf_yaml_get(rule, HF_SV("enabled")),
				  *tags = hf_yaml_get(rule, HF_SV("tags"));
	size_t errors = l->notes.errors;
	hf_sv severity = { 0 };

	l->notes.file = d->file;
	*r = (struct hf_rule){
		.id = id, .family = id, .enabled = true, .builtin = d->builtin, .file = d->file, .line = rule->line
	};
	note_unknown_keys(&l->notes, rule, keys, "a rule");
	if (enabled && !hf_yaml_bool(enabled, &r->enabled))
		note_error(&l->notes, enabled->line, "rule %.*s: enabled is true or false", HF_SV_FMT(id));
	if (!r->enabled && !hf_yaml_get(rule, HF_SV("condition"))) {
		r->title = id;
		return l->notes.errors == errors;
	}
	read_text(l, rule, "title", &r->title);
	read_text(l, rule, "description", &r->description);
	if (read_text(l, rule, "severity", &severity) && !hf_alert_severity_of(severity, &r->severity))
		note_error(&l->notes, rule->line, "rule %.*s: severity is low, medium, high or critical, not '%.*s'",
			   HF_SV_FMT(id), HF_SV_FMT(severity));
	hf_yaml_string(hf_yaml_get(rule, HF_SV("family")), &r->family);
	hf_yaml_string(hf_yaml_get(rule, HF_SV("next")), &r->next);
	r->next = hf_sv_trim(r->next);
	if (tags && !note_strings_of(&l->rules->arena, tags, &r->tags, &r->tags_n))
		note_error(&l->notes, tags->line, "rule %.*s: tags is a list of strings", HF_SV_FMT(id));
	read_kinds(l, rule, r);
	read_exception_fields(l, rule, r);
	read_condition(l, rule, r);
	return l->notes.errors == errors;
}

static void index_kinds(struct hf_rules *rules)
{
	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
		const struct hf_rule **list = hf_arena_array(&rules->arena, const struct hf_rule *, rules->n);
		size_t n = 0;

		for (size_t i = 0; list && i < rules->n; i++)
			if (rules->at[i].enabled && rules->at[i].kinds >> kind & 1)
				list[n++] = &rules->at[i];
		rules->by_kind[kind].at = list;
		rules->by_kind[kind].n = n;
	}
}

struct watch_list {
	struct hf_arena *arena;
	HF_VEC(struct hf_watched_path) list;
	uint32_t operations;
};

static void add_watch(void *ctx, enum hf_watch_shape shape, hf_sv path)
{
	struct watch_list *w = ctx;

	for (size_t i = 0; i < w->list.n; i++)
		if (w->list.at[i].shape == shape && hf_sv_eq(w->list.at[i].path, path)) {
			w->list.at[i].operations |= w->operations;
			return;
		}
	struct hf_watched_path *p = hf_vec_push(w->arena, &w->list);
	if (p)
		*p = (struct hf_watched_path){ shape, path, w->operations };
}

static void index_watches(struct hf_rules *rules)
{
	static const char *const operations[] = { "open", "write", "create", "rename", "delete", "attributes" };
	struct watch_list w = { .arena = &rules->arena };

	for (size_t i = 0; i < rules->by_kind[HF_EVENT_FILE].n; i++) {
		const struct hf_condition *c = rules->by_kind[HF_EVENT_FILE].at[i]->condition;

		w.operations = 0;
		for (size_t k = 0; k < HF_ARRAY_SIZE(operations); k++)
			if (hf_condition_admits(c, HF_FIELD_FILE_OPERATION, hf_sv_of(operations[k])))
				w.operations |= 1u << k;
		hf_condition_paths(c, HF_FIELD_FILE_PATH, add_watch, &w);
	}
	rules->watched = w.list.at;
	rules->watched_n = w.list.n;
}

const struct hf_watched_path *hf_rules_watched_paths(const struct hf_rules *rules, size_t *ret_n)
{
	*ret_n = rules->watched_n;
	return rules->watched;
}

int hf_rules_load(const struct hf_rules_source *sources, size_t n, struct hf_rules_notes notes, struct hf_rules **ret,
		  struct hf_err *err)
{
	static const char *const keys[] = { "lists", "macros", "rules", NULL };
	static const struct note_shape shape = { "a file of rules", "a mapping of lists, macros and rules", keys };
	struct hf_rules *rules = hf_calloc(1, sizeof *rules);
	struct hf_arena *a = &rules->arena;
	struct loader l = { .rules = rules, .drafts = HF_MAP(a), .notes = { .to = notes } };

	*a = HF_ARENA(HF_RULES_ARENA_MAX);
	rules->lists = HF_MAP(a);
	rules->macros = HF_MAP(a);
	for (size_t i = 0; i < n; i++) {
		l.builtin = sources[i].builtin;
		note_documents_of(&l.notes, &sources[i], a, &shape, read_document, &l);
	}
	struct hf_rule *list = hf_arena_array(a, struct hf_rule, l.drafts.n);
	for (size_t i = 0; list && i < l.drafts.n; i++)
		if (read_rule(&l, l.drafts.entries[i].value, l.drafts.entries[i].key, &list[rules->n]))
			rules->n++;
	rules->at = list;
	index_kinds(rules);
	index_watches(rules);
	if (a->over) {
		hf_rules_free(rules);
		return hf_fail(err, HF_E_LIMIT, "the rules need more than %llu MiB",
			       (unsigned long long)HF_RULES_ARENA_MAX >> 20);
	}
	*ret = rules;
	return l.notes.errors ? HF_PARTIAL : HF_OK;
}

void hf_rules_free(struct hf_rules *rules)
{
	if (!rules)
		return;
	hf_arena_done(&rules->arena);
	hf_arena_done(&rules->texts);
	free(rules);
}

const struct hf_rule *hf_rules_find(const struct hf_rules *rules, hf_sv id)
{
	for (size_t i = 0; i < rules->n; i++)
		if (hf_sv_eq(rules->at[i].id, id))
			return &rules->at[i];
	return NULL;
}

int hf_rules_evaluate(const struct hf_rules *rules, const struct hf_event *e, const struct hf_event_sink *alerts,
		      struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf reason = HF_BUF(HF_KIB(8));
	int r = 0;

	for (size_t i = 0; (unsigned)e->kind < HF_EVENT_KINDS && i < rules->by_kind[e->kind].n && !r; i++) {
		const struct hf_rule *rule = rules->by_kind[e->kind].at[i];
		if (!hf_condition_holds(rule->condition, e))
			continue;
		struct hf_event alert = *e;
		reason.len = 0;
		hf_condition_explain(rule->condition, e, &reason);
		alert.kind = HF_EVENT_ALERT;
		alert.values[HF_FIELD_KIND] = alert.values[HF_FIELD_ID] = (struct hf_value){ 0 };
		hf_event_set_string(&alert, HF_FIELD_ALERT_RULE, rule->id);
		hf_event_set_string(&alert, HF_FIELD_ALERT_TITLE, rule->title);
		hf_event_set_string(&alert, HF_FIELD_ALERT_SEVERITY, hf_sv_of(hf_alert_severity_name(rule->severity)));
		hf_event_set_string(&alert, HF_FIELD_ALERT_REASON,
				    reason.len ? hf_buf_view(&reason) : hf_sv_of(hf_event_kind_name(e->kind)));
		hf_event_set_list(&alert, HF_FIELD_ALERT_TAGS, rule->tags, rule->tags_n);
		alert.values[HF_FIELD_ALERT_EVENT] = e->values[HF_FIELD_ID];
		hf_event_set_string(&alert, HF_FIELD_ALERT_EVENT_KIND, hf_sv_of(hf_event_kind_name(e->kind)));
		r = alerts->take(alerts->ctx, &alert, err);
	}
	return r;
}
