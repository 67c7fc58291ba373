/* kube rbac audit and unused: what is granted and not needed. */

#include "base/limits.h"
#include "cmd/kube_rbac.h"
#include "cmd/log.h"
#include "format/yaml.h"
#include "rbac/audit.h"

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
	const struct hf_rbac_narrow_rule *rules = hf_rbac_narrow(s, namespace, w->arena, &n);

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

	for (size_t i = 0; i < s->needs_n; i++)
		hf_map_put(&seen, s->needs[i].use->request.namespace);
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
	const struct hf_rbac_narrow_rule *rules = hf_rbac_narrow(s, namespace, w->arena, &n);

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
	if (audit->unreadable)
		log_at(LOG_WARNING, hf_sv_of(w->ask->audit_log), 0, 0,
		       "%llu entries are no events, the first is at byte %llu", (unsigned long long)audit->unreadable,
		       (unsigned long long)audit->unreadable_byte);
	if (w->json) {
		hf_jw_kv_uint(w->json, "events", audit->events);
		hf_jw_kv_uint(w->json, "denied", audit->denied);
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
	if (w->json)
		hf_jw_array_end(w->json);
	return audit->unreadable ? KUBE_PARTIAL : 0;
}

/* ---- unused: what the objects alone tell ---- */

static void print_unused(struct rbac_writer *w, hf_sv what, const struct hf_kube_object *o, const char *why)
{
	hf_sv place = rbac_place(w, o, NULL);

	if (w->json) {
		hf_jw_object(w->json);
		hf_jw_kv(w->json, "kind", o->kind_name);
		hf_jw_kv_if(w->json, "namespace", o->namespace);
		hf_jw_kv(w->json, "name", o->name);
		hf_jw_kv(w->json, "why", hf_sv_of(why));
		hf_jw_kv(w->json, "source", o->source->name);
		if (!hf_kube_is_live(o))
			hf_jw_kv_uint(w->json, "line", hf_kube_line(o, NULL));
		hf_jw_object_end(w->json);
		return;
	}
	rbac_print_line(w, "", hf_arena_fmt(w->arena, "%.*s (%.*s): %s", HF_SV_FMT(what), HF_SV_FMT(place), why));
}

static void unused_roles(struct rbac_writer *w)
{
	const struct hf_rbac_model *m = w->model;
	bool *bound = hf_arena_array(w->arena, bool, m->roles_n),
	     *gathered = hf_arena_array(w->arena, bool, m->roles_n);

	if (!bound || !gathered)
		return;
	for (size_t i = 0; i < m->bindings_n; i++)
		if (m->bindings[i]->role && m->bindings[i]->subjects_n)
			bound[m->bindings[i]->role->number] = true;
	for (size_t i = 0; i < m->roles_n; i++)
		for (size_t r = 0; (bound[i] || m->roles[i]->builtin) && r < m->roles[i]->rules_n; r++)
			gathered[m->roles[i]->rules[r]->role->number] = true;
	for (size_t i = 0; i < m->roles_n; i++)
		if (!bound[i] && !gathered[i] && (!m->roles[i]->builtin || w->ask->all))
			print_unused(w, hf_rbac_role_text(m->roles[i], w->arena), m->roles[i]->object,
				     "nobody is bound to it");
}

int rbac_unused(struct rbac_writer *w, struct hf_err *err)
{
	const struct hf_rbac_model *m = w->model;

	w->powers = hf_rbac_powers(m, w->arena);
	if (!w->powers)
		return hf_fail(err, HF_E_LIMIT, "the roles need more memory than is allowed");
	if (w->json) {
		hf_jw_key(w->json, "unused");
		hf_jw_array(w->json);
	}
	unused_roles(w);
	for (size_t i = 0; i < m->bindings_n; i++) {
		const struct hf_rbac_binding *b = m->bindings[i];
		const char *why = !b->role            ? "its role is not there"
				  : !b->subjects_n    ? "it names nobody"
				  : !b->role->rules_n ? "its role holds nothing"
						      : NULL;
		if (why && (!b->builtin || w->ask->all))
			print_unused(w, hf_rbac_binding_text(b, w->arena), b->object, why);
	}
	for (size_t i = 0; i < m->subjects_n && m->pods_n; i++) {
		const struct hf_rbac_subject *s = m->subjects[i];
		if (s->kind == HF_RBAC_ACCOUNT && s->object && !w->powers->pods_n[i] &&
		    !w->powers->has_token_secret[i] && !hf_sv_eq(s->account, HF_SV("default")))
			print_unused(w, hf_rbac_subject_text(s, w->arena), s->object, "no pod runs as it");
	}
	if (w->json)
		hf_jw_array_end(w->json);
	return 0;
}
