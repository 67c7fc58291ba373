#include "cmd/kube/kube_rbac.h"

#include "base/limits.h"
#include "kube/place.h"

hf_sv rbac_place(struct rbac_writer *w, const struct hf_kube_object *o, const struct hf_value *v)
{
	if (hf_sv_eq(o->source->name, HF_SV("built in")))
		return o->source->name;
	char place[900];

	if (hf_kube_is_live(o))
		return hf_arena_dup(w->arena, hf_sv_of(hf_kube_place(o, 0, place, sizeof place)));
	return hf_arena_fmt(w->arena, "%.*s:%u", HF_SV_FMT(o->source->name), hf_kube_line(o, v));
}

static void add_list(struct hf_buf *b, const char *before, struct hf_rbac_list list)
{
	for (size_t i = 0; i < list.n && !b->over; i++) {
		hf_buf_add(b, hf_sv_of(i ? "," : before));
		hf_buf_add(b, list.at[i]);
	}
}

static hf_sv rule_text(struct hf_arena *a, const struct hf_rbac_rule *r)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_KIB(4));

	add_list(&b, "", r->verbs);
	for (size_t i = 0; i < r->resources.n && !b.over; i++) {
		hf_buf_add(&b, hf_sv_of(i ? "," : " "));
		hf_buf_add(&b, r->resources.at[i]);
		/* One group that is not the core's stands beside each resource, as with kubectl. */
		if (r->groups.n == 1 && r->groups.at[0].len && !hf_sv_eq(r->groups.at[0], HF_SV("*")))
			hf_buf_addf(&b, ".%.*s", HF_SV_FMT(r->groups.at[0]));
	}
	if (r->groups.n > 1 || (r->groups.n == 1 && hf_sv_eq(r->groups.at[0], HF_SV("*")))) {
		hf_buf_add(&b, HF_SV(" of groups "));
		for (size_t i = 0; i < r->groups.n && !b.over; i++)
			hf_buf_addf(&b, "%s%.*s", i ? "," : "",
				    HF_SV_FMT(r->groups.at[i].len ? r->groups.at[i] : HF_SV("\"\"")));
	}
	if (r->names.n) {
		add_list(&b, " (", r->names);
		hf_buf_add_char(&b, ')');
	}
	add_list(&b, " ", r->urls);
	hf_sv text = hf_arena_dup(a, hf_buf_view(&b));
	return b.over ? hf_arena_concat(a, text, HF_SV("…")) : text;
}

hf_sv rbac_rule_text(struct rbac_writer *w, const struct hf_rbac_rule *r)
{
	if (!w->rule_texts || w->rule_texts_of != w->model) {
		w->rule_texts = hf_arena_array(w->arena, hf_sv, w->model->rules_n);
		w->rule_texts_of = w->model;
	}
	if (!w->rule_texts)
		return HF_SV("");
	if (!w->rule_texts[r->number].len)
		w->rule_texts[r->number] = rule_text(w->arena, r);
	return w->rule_texts[r->number];
}

void rbac_table_add(struct rbac_table *t, hf_sv cell)
{
	hf_sv *slot = hf_vec_push(t->arena, &t->cells);

	if (slot)
		*slot = hf_arena_printable(t->arena, cell);
}

static size_t width(hf_sv s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += (s.ptr[i] & 0xc0) != 0x80;
	return n;
}

void rbac_table_print(struct rbac_table *t, struct hf_out *out)
{
	size_t *widths = hf_arena_array(t->arena, size_t, t->columns);

	for (size_t i = 0; widths && i < t->cells.n; i++)
		if (width(t->cells.at[i]) > widths[i % t->columns])
			widths[i % t->columns] = width(t->cells.at[i]);
	for (size_t i = 0; widths && i < t->cells.n; i++) {
		bool last = i % t->columns == t->columns - 1;
		if (i % t->columns == 0)
			hf_out_add(out, hf_sv_of(t->indent));
		hf_out_add(out, t->cells.at[i]);
		if (last)
			hf_out_add(out, HF_SV("\n"));
		else
			hf_out_addf(out, "%*s", (int)(widths[i % t->columns] - width(t->cells.at[i]) + 2), "");
	}
	t->cells.n = 0;
}

void rbac_json_subject(struct hf_json_writer *w, const char *key, const struct hf_rbac_subject *s)
{
	static const char *const kinds[] = { "User", "Group", "ServiceAccount" };

	if (key)
		hf_jw_key(w, key);
	hf_jw_object(w);
	hf_jw_kv(w, "kind", hf_sv_of(kinds[s->kind]));
	hf_jw_kv_if(w, "namespace", s->namespace);
	hf_jw_kv(w, "name", s->kind == HF_RBAC_ACCOUNT ? s->account : s->name);
	hf_jw_object_end(w);
}

static void json_object(struct rbac_writer *w, const char *key, const char *kind, const struct hf_kube_object *o)
{
	hf_jw_key(w->json, key);
	hf_jw_object(w->json);
	hf_jw_kv(w->json, "kind", hf_sv_of(kind));
	hf_jw_kv_if(w->json, "namespace", o->namespace);
	hf_jw_kv(w->json, "name", o->name);
	hf_jw_kv(w->json, "source", o->source->name);
	if (!hf_kube_is_live(o) && !hf_sv_eq(o->source->name, HF_SV("built in")))
		hf_jw_kv_uint(w->json, "line", hf_kube_line(o, NULL));
	hf_jw_object_end(w->json);
}

void rbac_json_grant(struct rbac_writer *w, const char *key, const struct hf_rbac_grant *g)
{
	const struct hf_rbac_binding *b = g->binding;

	hf_jw_key(w->json, key);
	hf_jw_object(w->json);
	if (g->subject)
		rbac_json_subject(w->json, "subject", g->subject);
	if (b) {
		json_object(w, "binding", b->namespace.len ? "RoleBinding" : "ClusterRoleBinding", b->object);
		if (b->role)
			json_object(w, "role", b->role->namespace.len ? "Role" : "ClusterRole", b->role->object);
	}
	if (g->rule) {
		hf_jw_key(w->json, "rule");
		hf_jw_object(w->json);
		hf_jw_kv_uint(w->json, "index", g->rule->index);
		if (b && g->rule->role != b->role) {
			hf_jw_kv(w->json, "from", g->rule->role->name);
		}
		hf_jw_strings(w->json, "verbs", g->rule->verbs.at, g->rule->verbs.n);
		if (g->rule->groups.n)
			hf_jw_strings(w->json, "api_groups", g->rule->groups.at, g->rule->groups.n);
		if (g->rule->resources.n)
			hf_jw_strings(w->json, "resources", g->rule->resources.at, g->rule->resources.n);
		if (g->rule->names.n)
			hf_jw_strings(w->json, "resource_names", g->rule->names.at, g->rule->names.n);
		if (g->rule->urls.n)
			hf_jw_strings(w->json, "non_resource_urls", g->rule->urls.at, g->rule->urls.n);
		hf_jw_object_end(w->json);
	}
	hf_jw_object_end(w->json);
}

void rbac_print_line(struct rbac_writer *w, const char *indent, hf_sv text)
{
	char small[4096];
	hf_sv escaped = { small, 0 };

	if (4 * text.len < sizeof small)
		escaped.len = hf_escape_controls(small, sizeof small, text);
	else
		escaped = hf_arena_printable(w->arena, text);
	hf_out_addf(w->out, "%s%.*s\n", indent, HF_SV_FMT(escaped));
}
