/* kube rbac audit: what was granted against what was used. */

#include "base/limits.h"
#include "cmd/kube/kube_rbac.h"
#include "cmd/log.h"
#include "format/yaml.h"
#include "rbac/audit.h"

enum { RARE_MAX = 2, WINDOW_DAYS_MIN = 7 };

/* ---- audit: what the log is worth ---- */

/* Requests that a policy of the input does not log; what is not logged looks unused. */
static size_t rules_that_log_nothing(const struct rbac_writer *w)
{
	const struct hf_kube_objects *set = w->model->objects;
	size_t n = 0;

	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_AUDIT_POLICY]; i++)
		hf_value_elements(hf_value_get(set->of_kind[HF_KUBE_AUDIT_POLICY][i]->root, HF_SV("rules")), e) n +=
			hf_sv_eq(hf_value_get_text(e, HF_SV("level")), HF_SV("None"));
	return n;
}

static void say(struct rbac_writer *w, hf_sv text)
{
	log_at(LOG_WARNING, hf_sv_of(w->ask->audit_log), 0, 0, "%.*s", HF_SV_FMT(text));
}

static void say_count(struct rbac_writer *w, uint64_t n, const char *text)
{
	if (n)
		say(w, hf_arena_fmt(w->arena, "%llu %s", (unsigned long long)n, text));
}

static void say_window(struct rbac_writer *w, const struct hf_rbac_log *log)
{
	int64_t days = hf_rbac_days_between(log->first, log->last);

	if (days < 0)
		say(w, HF_SV("the events say no time: how long the log is, is not known"));
	else if (days < WINDOW_DAYS_MIN)
		say(w,
		    hf_arena_fmt(
			    w->arena,
			    "from %.*s to %.*s, events on %zu days: what is done once a week or a month is not in it",
			    HF_SV_FMT(log->first), HF_SV_FMT(log->last), log->days));
	else if ((int64_t)log->days < days)
		say(w,
		    hf_arena_fmt(w->arena, "from %.*s to %.*s there are events on %zu days alone: parts may be missing",
				 HF_SV_FMT(log->first), HF_SV_FMT(log->last), log->days));
}

static void say_log(struct rbac_writer *w, const struct hf_rbac_audit *audit)
{
	const struct hf_rbac_log *log = audit->log;

	if (log->unreadable)
		say(w, hf_arena_fmt(w->arena, "%llu entries are no events, the first is at byte %llu",
				    (unsigned long long)log->unreadable, (unsigned long long)log->unreadable_byte));
	say_window(w, log);
	say_count(w, log->truncated, "events were cut by the API server");
	say_count(w, log->unanswered, "requests have no answer in the log: they do not count");
	say_count(w, log->other, "requests were allowed by something else than RBAC");
	say_count(w, rules_that_log_nothing(w),
		  "rules of the audit policy log nothing: what they are for looks unused");
	if (!audit->unexplained)
		return;
	const struct hf_rbac_use *use = audit->first_unexplained;
	say(w,
	    hf_arena_fmt(w->arena,
			 "%llu requests were allowed that nothing in the input allows, the first: %.*s %.*s %.*s%.*s",
			 (unsigned long long)audit->unexplained, HF_SV_FMT(use->user.name),
			 HF_SV_FMT(use->request.verb), HF_SV_FMT(use->request.resource), HF_SV_FMT(use->request.url)));
}

static void json_log(struct rbac_writer *w, const struct hf_rbac_audit *audit)
{
	const struct hf_rbac_log *log = audit->log;
	int64_t days = hf_rbac_days_between(log->first, log->last);

	hf_jw_kv_uint(w->json, "events", log->events);
	hf_jw_kv_uint(w->json, "denied", log->denied);
	hf_jw_key(w->json, "log");
	hf_jw_object(w->json);
	hf_jw_kv_if(w->json, "first", log->first);
	hf_jw_kv_if(w->json, "last", log->last);
	if (days >= 0)
		hf_jw_kv_uint(w->json, "days", (uint64_t)days);
	hf_jw_kv_uint(w->json, "days_with_events", log->days);
	hf_jw_kv_bool(w->json, "short", days < WINDOW_DAYS_MIN);
	hf_jw_kv_uint(w->json, "unreadable", log->unreadable);
	hf_jw_kv_uint(w->json, "truncated", log->truncated);
	hf_jw_kv_uint(w->json, "unanswered", log->unanswered);
	hf_jw_kv_uint(w->json, "not_by_rbac", log->other);
	hf_jw_kv_uint(w->json, "unexplained", audit->unexplained);
	hf_jw_kv_uint(w->json, "policy_rules_that_log_nothing", rules_that_log_nothing(w));
	hf_jw_object_end(w->json);
}

/* ---- audit: as a table ---- */

static hf_sv joined(struct hf_arena *a, const hf_sv *list, size_t n)
{
	hf_sv all = HF_SV("");

	for (size_t i = 0; i < n && i < 16; i++)
		all = hf_arena_fmt(a, "%.*s%s%.*s", HF_SV_FMT(all), i ? "," : "", HF_SV_FMT(list[i]));
	return n > 16 ? hf_arena_concat(a, all, HF_SV(",…")) : all;
}

static bool is_narrower(const struct hf_rbac_rule_use *r)
{
	if (!r->count)
		return true;
	for (size_t i = 0; i < r->rule->verbs.n; i++) {
		bool used = false;
		for (size_t v = 0; v < r->verbs_n && !used; v++)
			used = hf_sv_eq(r->verbs[v], r->rule->verbs.at[i]);
		if (!used)
			return true;
	}
	return false;
}

/* What was used once or twice may be needed again later than the log tells. */
static void print_rare(struct rbac_writer *w, const struct hf_rbac_rule_use *r)
{
	if (!r->count || r->count > RARE_MAX)
		return;
	hf_sv when =
		r->last.len ? hf_arena_concat(w->arena, HF_SV(", the last on "), hf_sv_first(r->last, 10)) : HF_SV("");
	rbac_print_line(
		w, "    ",
		hf_arena_fmt(w->arena, "rarely: %llu requests%.*s", (unsigned long long)r->count, HF_SV_FMT(when)));
}

static void print_subject(struct rbac_writer *w, const struct hf_rbac_subject_use *s)
{
	struct hf_arena *a = w->arena;
	hf_sv who = hf_rbac_subject_text(s->subject, a);
	size_t used = 0;

	for (size_t i = 0; i < s->rules_n; i++)
		used += s->rules[i].count > 0;
	rbac_print_line(w, "",
			hf_arena_fmt(a, "%.*s: %zu of %zu rules used, by %llu requests", HF_SV_FMT(who), used,
				     s->rules_n, (unsigned long long)s->count));
	for (size_t i = 0; i < s->rules_n; i++) {
		const struct hf_rbac_rule_use *r = &s->rules[i];
		if (!is_narrower(r))
			continue;
		hf_sv rule = rbac_rule_text(w, r->rule), role = hf_rbac_role_text(r->rule->role, a),
		      binding = hf_rbac_binding_text(r->binding, a), verbs = joined(a, r->verbs, r->verbs_n),
		      place = rbac_place(w, r->rule->role->object, r->rule->value);
		rbac_print_line(w, "  ",
				hf_arena_fmt(a, "%s%.*s%s: %.*s", r->count ? "only " : "never", HF_SV_FMT(verbs),
					     " used", HF_SV_FMT(rule)));
		rbac_print_line(w, "    ",
				hf_arena_fmt(a, "rule %u of %.*s (%.*s), by %.*s", r->rule->index + 1, HF_SV_FMT(role),
					     HF_SV_FMT(place), HF_SV_FMT(binding)));
		print_rare(w, r);
	}
}

/* ---- audit: as roles that hold what was used ---- */

static void yaml_list(struct hf_buf *b, const char *key, const hf_sv *list, size_t n)
{
	hf_buf_addf(b, "%s: [", key);
	for (size_t i = 0; i < n; i++) {
		hf_buf_add(b, hf_sv_of(i ? ", " : ""));
		/* Brackets and commas would end the list. */
		if (hf_sv_index(list[i], ',') == SIZE_MAX && hf_sv_index(list[i], ']') == SIZE_MAX &&
		    hf_sv_index(list[i], '[') == SIZE_MAX && hf_sv_index(list[i], '{') == SIZE_MAX &&
		    hf_sv_index(list[i], '}') == SIZE_MAX && list[i].len) {
			hf_yaml_write_scalar(b, list[i]);
		} else {
			struct hf_json_writer j = { .out = b, .compact = true };
			hf_jw_string(&j, list[i]);
		}
	}
	hf_buf_add(b, HF_SV("]\n"));
}

/* Names of objects have lower case letters, digits, '-' and '.'; what a subject's name has else becomes a dash. */
static hf_sv name_of(struct hf_arena *a, const struct hf_rbac_subject *s)
{
	hf_sv from = s->kind == HF_RBAC_ACCOUNT ? s->account : s->name;
	hf_sv name = hf_arena_fmt(a, "%.*s-used", HF_SV_FMT(hf_sv_first(from, 200)));

	for (size_t i = 0; i < name.len; i++) {
		char *c = (char *)name.ptr + i;
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '.' || *c == '-'))
			*c = '-';
	}
	return name;
}

static void yaml_head(struct hf_buf *b, const char *kind, hf_sv namespace, hf_sv name)
{
	hf_buf_addf(b, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s%s\nmetadata:\n  name: ",
		    namespace.len ? "" : "Cluster", kind);
	hf_yaml_write_scalar(b, name);
	if (namespace.len) {
		hf_buf_add(b, HF_SV("\n  namespace: "));
		hf_yaml_write_scalar(b, namespace);
	}
	hf_buf_add(b, HF_SV("\n"));
}

static void yaml_role(struct rbac_writer *w, const struct hf_rbac_subject_use *s, hf_sv namespace)
{
	static const char *const kinds[] = { "User", "Group", "ServiceAccount" };
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_MIB(16));
	hf_sv name = name_of(w->arena, s->subject);
	size_t n;
	const struct hf_rbac_narrow_rule *rules = hf_rbac_narrow(s->needs, &namespace, w->arena, &n);

	if (!n)
		return;
	yaml_head(&b, "Role", namespace, name);
	hf_buf_add(&b, HF_SV("rules:\n"));
	for (size_t i = 0; i < n; i++) {
		if (!rules[i].urls)
			yaml_list(&b, "- apiGroups", &rules[i].group, 1);
		yaml_list(&b, rules[i].urls ? "- nonResourceURLs" : "  resources", rules[i].resources,
			  rules[i].resources_n);
		if (rules[i].names.n)
			yaml_list(&b, "  resourceNames", rules[i].names.at, rules[i].names.n);
		yaml_list(&b, "  verbs", rules[i].verbs, rules[i].verbs_n);
	}
	yaml_head(&b, "RoleBinding", namespace, name);
	hf_buf_addf(&b, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %sRole\n  name: ",
		    namespace.len ? "" : "Cluster");
	hf_yaml_write_scalar(&b, name);
	hf_buf_addf(&b, "\nsubjects:\n- kind: %s\n  name: ", kinds[s->subject->kind]);
	hf_yaml_write_scalar(&b, s->subject->kind == HF_RBAC_ACCOUNT ? s->subject->account : s->subject->name);
	hf_buf_add(&b, s->subject->kind == HF_RBAC_ACCOUNT ? HF_SV("\n  namespace: ")
							   : HF_SV("\n  apiGroup: rbac.authorization.k8s.io"));
	if (s->subject->kind == HF_RBAC_ACCOUNT)
		hf_yaml_write_scalar(&b, s->subject->namespace);
	hf_buf_add(&b, HF_SV("\n"));
	hf_out_add(w->out, hf_buf_view(&b));
}

/* Each namespace that it was used in, once; the empty one for what is for no one namespace. */
static const hf_sv *namespaces_of(struct rbac_writer *w, const struct hf_rbac_subject_use *s, size_t *ret_n)
{
	struct hf_map seen = HF_MAP(w->arena);
	hf_sv *all;

	for (size_t i = 0; i < s->needs.n; i++)
		hf_map_put(&seen, s->needs.at[i].use->request.namespace);
	all = hf_arena_array(w->arena, hf_sv, seen.n);
	*ret_n = all ? seen.n : 0;
	for (size_t i = 0; all && i < seen.n; i++)
		all[i] = seen.entries[i].key;
	return all;
}

static void yaml_subject(struct rbac_writer *w, const struct hf_rbac_subject_use *s)
{
	size_t n;
	const hf_sv *namespaces = namespaces_of(w, s, &n);

	for (size_t i = 0; i < n; i++)
		yaml_role(w, s, namespaces[i]);
}

/* ---- audit: as JSON ---- */

static void json_narrow(struct rbac_writer *w, const struct hf_rbac_subject_use *s, hf_sv namespace)
{
	size_t n;
	const struct hf_rbac_narrow_rule *rules = hf_rbac_narrow(s->needs, &namespace, w->arena, &n);

	hf_jw_object(w->json);
	hf_jw_kv_if(w->json, "namespace", namespace);
	hf_jw_key(w->json, "rules");
	hf_jw_array(w->json);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(w->json);
		if (!rules[i].urls)
			hf_jw_strings(w->json, "api_groups", &rules[i].group, 1);
		hf_jw_strings(w->json, rules[i].urls ? "non_resource_urls" : "resources", rules[i].resources,
			      rules[i].resources_n);
		if (rules[i].names.n)
			hf_jw_strings(w->json, "resource_names", rules[i].names.at, rules[i].names.n);
		hf_jw_strings(w->json, "verbs", rules[i].verbs, rules[i].verbs_n);
		hf_jw_object_end(w->json);
	}
	hf_jw_array_end(w->json);
	hf_jw_object_end(w->json);
}

static void json_subject(struct rbac_writer *w, const struct hf_rbac_subject_use *s)
{
	size_t n;
	const hf_sv *namespaces = namespaces_of(w, s, &n);

	hf_jw_object(w->json);
	rbac_json_subject(w->json, "subject", s->subject);
	hf_jw_kv_uint(w->json, "requests", s->count);
	hf_jw_key(w->json, "granted");
	hf_jw_array(w->json);
	for (size_t i = 0; i < s->rules_n; i++) {
		const struct hf_rbac_rule_use *r = &s->rules[i];
		struct hf_rbac_grant g = { NULL, r->binding, r->rule };
		hf_jw_object(w->json);
		rbac_json_grant(w, "granted_by", &g);
		hf_jw_kv_uint(w->json, "requests", r->count);
		hf_jw_kv_if(w->json, "last", r->last);
		hf_jw_strings(w->json, "used_verbs", r->verbs, r->verbs_n);
		hf_jw_object_end(w->json);
	}
	hf_jw_array_end(w->json);
	hf_jw_key(w->json, "used");
	hf_jw_array(w->json);
	for (size_t i = 0; i < n; i++)
		json_narrow(w, s, namespaces[i]);
	hf_jw_array_end(w->json);
	hf_jw_object_end(w->json);
}

int rbac_audit(struct rbac_writer *w, struct hf_err *err)
{
	const struct hf_rbac_audit *audit = hf_rbac_audit(w->model, w->run->file_texts[0], w->ask->all, w->arena);

	if (!audit)
		return hf_fail(err, HF_E_LIMIT, "the audit log needs more memory than is allowed");
	say_log(w, audit);
	if (w->ask->patch || w->ask->apply) {
		int r = rbac_patch(w, audit, err);
		return r < 0 ? r : r | (audit->log->unreadable ? KUBE_PARTIAL : 0);
	}
	if (w->json) {
		json_log(w, audit);
		hf_jw_key(w->json, "subjects");
		hf_jw_array(w->json);
	}
	for (size_t i = 0; i < audit->subjects_n; i++) {
		if (w->json)
			json_subject(w, &audit->subjects[i]);
		else if (w->ask->yaml)
			yaml_subject(w, &audit->subjects[i]);
		else
			print_subject(w, &audit->subjects[i]);
	}
	int r = 0;
	if (w->json) {
		hf_jw_array_end(w->json);
		r = rbac_patch(w, audit, err);
	}
	return r < 0 ? r : r | (audit->log->unreadable ? KUBE_PARTIAL : 0);
}
