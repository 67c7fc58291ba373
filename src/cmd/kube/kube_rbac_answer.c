/* kube rbac can, who-can and list. */

#include "cmd/kube/kube_rbac.h"
#include "cmd/log.h"
#include "rbac/resource.h"

static struct hf_rbac_request request_of(const struct rbac_writer *w, bool tell)
{
	const struct rbac_ask *ask = w->ask;
	struct hf_rbac_request r = { .verb = hf_sv_of(ask->words[0]), .name = HF_SV("") };
	bool name_taken;
	enum hf_rbac_scope scope =
		hf_rbac_parse_resource(w->model->objects, hf_sv_of(ask->words[1]), w->arena, &r, &name_taken);
	char word[300];

	hf_escape_controls(word, sizeof word, hf_sv_of(ask->words[1]));
	if (ask->subresource)
		r.subresource = hf_sv_of(ask->subresource);
	else if (name_taken &&
		 (ask->words_n > 2 || ask->name)) /* two things behind the resource: this is not the name */
		r.subresource = r.name;
	if (ask->words_n > 2 || ask->name)
		r.name = hf_sv_of(ask->name ? ask->name : ask->words[2]);
	if (scope == HF_RBAC_SCOPE_UNKNOWN && tell)
		log_note("no resource %s is known: taken as it is written, in the group \"%.*s\"", word,
			 HF_SV_FMT(r.group));
	if (ask->namespace && !ask->all_namespaces) {
		r.namespace = hf_sv_of(ask->namespace);
		if (scope == HF_RBAC_SCOPE_CLUSTER && !r.url.len && tell)
			log_note("%s has no namespaces: -n is asked for all the same, as kubectl does", word);
	} else if (!ask->all_namespaces && scope != HF_RBAC_SCOPE_CLUSTER) {
		r.namespace = HF_SV("default");
	}
	return r;
}

static struct hf_rbac_user user_of(const struct rbac_writer *w)
{
	const struct rbac_ask *ask = w->ask;

	if (ask->exact_groups)
		return (struct hf_rbac_user){ hf_sv_of(ask->as), ask->groups, ask->groups_n };
	return hf_rbac_user_of(hf_sv_of(ask->as), ask->groups, ask->groups_n, w->arena);
}

static void json_request(struct hf_json_writer *j, const struct hf_rbac_request *r)
{
	hf_jw_key(j, "request");
	hf_jw_object(j);
	hf_jw_kv(j, "verb", r->verb);
	if (r->url.len) {
		hf_jw_kv(j, "path", r->url);
	} else {
		hf_jw_kv(j, "group", r->group);
		hf_jw_kv(j, "resource", r->resource);
		hf_jw_kv_if(j, "subresource", r->subresource);
		hf_jw_kv_if(j, "name", r->name);
		hf_jw_kv_if(j, "namespace", r->namespace);
	}
	hf_jw_object_end(j);
}

/* A binding to a role that is not in the input may be what would allow it. */
static void tell_missing(struct rbac_writer *w, const struct hf_rbac_user *user, const struct hf_rbac_request *r)
{
	for (size_t g = 0; g <= user->groups_n; g++) {
		const struct hf_rbac_subject *s =
			hf_rbac_find_subject(w->model, g > 0, g ? user->groups[g - 1] : user->name);
		for (size_t i = 0; s && i < s->bindings_n; i++) {
			const struct hf_rbac_binding *b = s->bindings[i];
			if (b->role || (b->namespace.len && !hf_sv_eq(b->namespace, r->namespace)))
				continue;
			hf_sv binding = hf_rbac_binding_text(b, w->arena);
			hf_sv text = hf_arena_fmt(w->arena, "%.*s names the %.*s %.*s, which is not there",
						  HF_SV_FMT(binding), HF_SV_FMT(b->role_kind), HF_SV_FMT(b->role_name));
			log_note("%.*s", HF_SV_FMT(text));
		}
	}
}

static void print_grant(struct rbac_writer *w, const struct hf_rbac_grant *g)
{
	struct hf_arena *a = w->arena;

	if (!g->binding) {
		rbac_print_line(w, "  ", HF_SV("members of system:masters may do everything, without any binding"));
		return;
	}
	hf_sv binding = hf_rbac_binding_text(g->binding, a), subject = hf_rbac_subject_text(g->subject, a),
	      role = hf_rbac_role_text(g->binding->role, a), rule = rbac_rule_text(w, g->rule);
	hf_sv binding_at = rbac_place(w, g->binding->object, NULL),
	      rule_at = rbac_place(w, g->rule->role->object, g->rule->value);
	rbac_print_line(w, "  ",
			hf_arena_fmt(a, "by %.*s (%.*s) to %.*s", HF_SV_FMT(binding), HF_SV_FMT(binding_at),
				     HF_SV_FMT(subject)));
	rbac_print_line(w, "  ",
			hf_arena_fmt(a, "of %.*s, rule %u (%.*s): %.*s", HF_SV_FMT(role), g->rule->index + 1,
				     HF_SV_FMT(rule_at), HF_SV_FMT(rule)));
}

int rbac_can(struct rbac_writer *w, struct hf_err *err)
{
	struct hf_rbac_request r = request_of(w, log_shows(LOG_NOTE));
	struct hf_rbac_user user = user_of(w);
	struct hf_rbac_grant g = { 0 };
	bool yes = hf_rbac_can(w->model, &user, &r, &g);

	(void)err;
	if (!yes)
		tell_missing(w, &user, &r);
	if (yes && g.rule && g.rule->names.n && !r.subresource.len && hf_sv_eq(r.verb, HF_SV("create")))
		log_note("a request that creates carries no name: rules with resourceNames never allow it");
	if (w->json) {
		hf_jw_kv_bool(w->json, "allowed", yes);
		hf_jw_kv_if(w->json, "user", user.name);
		hf_jw_strings(w->json, "groups", user.groups, user.groups_n);
		json_request(w->json, &r);
		if (yes)
			rbac_json_grant(w, "granted_by", &g);
		return yes ? 0 : KUBE_GATE_FAILED;
	}
	hf_out_add(w->out, yes ? HF_SV("yes\n") : HF_SV("no\n"));
	if (yes)
		print_grant(w, &g);
	return yes ? 0 : KUBE_GATE_FAILED;
}

static bool is_builtin(const struct hf_rbac_grant *g)
{
	return !g->binding || g->binding->builtin;
}

int rbac_who_can(struct rbac_writer *w, struct hf_err *err)
{
	struct hf_rbac_request r = request_of(w, true);
	struct rbac_table t = { .arena = w->arena, .indent = "", .columns = 4 };
	size_t n, shown = 0;
	const struct hf_rbac_grant *grants = hf_rbac_who_can(w->model, &r, w->arena, &n);

	(void)err;
	if (w->json) {
		json_request(w->json, &r);
		hf_jw_key(w->json, "who");
		hf_jw_array(w->json);
	}
	static const hf_sv head[] = { HF_SV_INIT("SUBJECT"), HF_SV_INIT("BINDING"), HF_SV_INIT("ROLE"),
				      HF_SV_INIT("WHERE") };
	for (size_t c = 0; c < t.columns; c++)
		rbac_table_add(&t, head[c]);
	/* What every cluster has comes behind what its owners have made. */
	for (unsigned builtin = 0; builtin < 2; builtin++)
		for (size_t i = 0; i < n; i++) {
			const struct hf_rbac_grant *g = &grants[i];
			if (is_builtin(g) != builtin)
				continue;
			shown++;
			if (w->json) {
				hf_jw_object(w->json);
				rbac_json_subject(w->json, "subject", g->subject);
				rbac_json_grant(w, "granted_by", g);
				hf_jw_kv_bool(w->json, "built_in", builtin);
				hf_jw_object_end(w->json);
				continue;
			}
			rbac_table_add(&t, hf_rbac_subject_text(g->subject, w->arena));
			rbac_table_add(&t, g->binding ? hf_rbac_binding_text(g->binding, w->arena) : HF_SV("-"));
			rbac_table_add(&t, g->binding ? hf_rbac_role_text(g->binding->role, w->arena) : HF_SV("-"));
			rbac_table_add(&t, g->binding ? rbac_place(w, g->binding->object, NULL) : HF_SV("built in"));
		}
	if (w->json)
		hf_jw_array_end(w->json);
	else if (shown)
		rbac_table_print(&t, w->out);
	else
		hf_out_add(w->out, HF_SV("nobody\n"));
	return 0;
}

/* A user asked for has its groups' rights too. */
static bool wanted(const struct rbac_writer *w, const struct hf_rbac_user *user, const struct hf_rbac_subject *s)
{
	if (!w->ask->as && !w->ask->groups_n)
		return s->bindings_n > 0;
	if (s->kind != HF_RBAC_GROUP)
		return hf_sv_eq(s->name, user->name);
	for (size_t i = 0; i < user->groups_n; i++)
		if (hf_sv_eq(user->groups[i], s->name))
			return true;
	return false;
}

static void list_binding(struct rbac_writer *w, const struct hf_rbac_binding *b)
{
	struct hf_arena *a = w->arena;
	hf_sv binding = hf_rbac_binding_text(b, a), place = rbac_place(w, b->object, NULL);
	hf_sv where = b->namespace.len ? hf_arena_concat(a, HF_SV("in "), b->namespace) : HF_SV("everywhere");

	if (!b->role) {
		rbac_print_line(w, "  ",
				hf_arena_fmt(a, "%.*s: nothing, since there is no %.*s %.*s; by %.*s (%.*s)",
					     HF_SV_FMT(where), HF_SV_FMT(b->role_kind), HF_SV_FMT(b->role_name),
					     HF_SV_FMT(binding), HF_SV_FMT(place)));
		return;
	}
	hf_sv role = hf_rbac_role_text(b->role, a);
	rbac_print_line(w, "  ",
			hf_arena_fmt(a, "%.*s: %.*s, by %.*s (%.*s)", HF_SV_FMT(where), HF_SV_FMT(role),
				     HF_SV_FMT(binding), HF_SV_FMT(place)));
	for (size_t r = 0; r < b->role->rules_n; r++)
		rbac_print_line(w, "    ", rbac_rule_text(w, b->role->rules[r]));
}

static void list_binding_json(struct rbac_writer *w, const struct hf_rbac_binding *b)
{
	for (size_t r = 0; r < (b->role ? b->role->rules_n : 1); r++) {
		struct hf_rbac_grant g = { NULL, b, b->role ? b->role->rules[r] : NULL };
		hf_jw_object(w->json);
		hf_jw_kv_if(w->json, "namespace", b->namespace);
		rbac_json_grant(w, "granted_by", &g);
		hf_jw_object_end(w->json);
	}
}

static bool list_subject(struct rbac_writer *w, const struct hf_rbac_subject *s, bool builtins)
{
	bool any = false;

	for (size_t i = 0; i < s->bindings_n; i++) {
		const struct hf_rbac_binding *b = s->bindings[i];
		if ((b->builtin && !builtins) ||
		    (w->ask->namespace && b->namespace.len && !hf_sv_eq(b->namespace, hf_sv_of(w->ask->namespace))))
			continue;
		if (!any && w->json) {
			hf_jw_object(w->json);
			rbac_json_subject(w->json, "subject", s);
			hf_jw_key(w->json, "rights");
			hf_jw_array(w->json);
		} else if (!any) {
			rbac_print_line(w, "", hf_rbac_subject_text(s, w->arena));
		}
		any = true;
		if (w->json)
			list_binding_json(w, b);
		else
			list_binding(w, b);
	}
	if (any && w->json) {
		hf_jw_array_end(w->json);
		hf_jw_object_end(w->json);
	}
	return any;
}

int rbac_list(struct rbac_writer *w, struct hf_err *err)
{
	struct hf_rbac_user user = user_of(w);
	bool asked = w->ask->as || w->ask->groups_n, any = false;

	(void)err;
	if (w->json) {
		hf_jw_key(w->json, "subjects");
		hf_jw_array(w->json);
	}
	for (size_t i = 0; i < w->model->subjects_n; i++)
		if (wanted(w, &user, w->model->subjects[i]))
			any |= list_subject(w, w->model->subjects[i], w->ask->all || asked);
	if (w->json)
		hf_jw_array_end(w->json);
	else if (!any)
		hf_out_add(w->out, HF_SV("nobody has any rights\n"));
	return 0;
}
