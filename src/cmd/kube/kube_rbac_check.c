/* kube rbac, without a question: what is wrong with the roles and bindings. */
#include "cmd/kube/kube_rbac.h"

#include "cmd/kube/kube_items.h"

static hf_sv scope_text(struct hf_arena *a, const struct hf_rbac_finding *f)
{
	if (!f->power)
		return HF_SV("");
	if (!f->power->scope.len)
		return hf_rbac_risks[f->power->risk].reach == HF_RBAC_REACH_ANY ? HF_SV(", in all namespaces")
										: HF_SV("");
	return hf_arena_concat(a, HF_SV(" in "), f->power->scope);
}

/* The names that a right is restricted to; whose operator it is. */
static hf_sv detail_of(const struct rbac_writer *w, const struct hf_rbac_finding *f)
{
	hf_sv text = f->detail;

	if (f->power && f->power->what)
		text = hf_sv_of(f->power->what);
	if (!f->power || !f->power->restricted)
		return text;
	text = HF_SV("only");
	for (size_t i = 0; i < f->power->rule->names.n && i < 8; i++)
		text = hf_arena_fmt(w->arena, "%.*s%s %.*s", HF_SV_FMT(text), i ? "," : "",
				    HF_SV_FMT(f->power->rule->names.at[i]));
	if (f->power->rule->names.n > 8)
		text = hf_arena_concat(w->arena, text, HF_SV(" …"));
	return text;
}

static void print_origin(struct rbac_writer *w, const struct hf_rbac_finding *f)
{
	struct hf_arena *a = w->arena;
	const char *indent = "          ";
	hf_sv place = f->object ? rbac_place(w, f->object, NULL) : HF_SV("");

	if (f->power) {
		const struct hf_rbac_rule *r = f->power->rule;
		hf_sv binding = hf_rbac_binding_text(f->binding, a), role = hf_rbac_role_text(f->binding->role, a),
		      from = hf_rbac_role_text(r->role, a), rule = rbac_rule_text(w, r),
		      rule_at = rbac_place(w, r->role->object, r->value);
		rbac_print_line(w, indent,
				hf_arena_fmt(a, "by %.*s (%.*s) of %.*s", HF_SV_FMT(binding), HF_SV_FMT(place),
					     HF_SV_FMT(role)));
		rbac_print_line(w, indent,
				hf_arena_fmt(a, "rule %u of %.*s (%.*s): %.*s", r->index + 1, HF_SV_FMT(from),
					     HF_SV_FMT(rule_at), HF_SV_FMT(rule)));
		return;
	}
	if (f->object && (!f->binding || f->object != f->binding->object))
		rbac_print_line(w, indent, hf_arena_fmt(a, "at %.*s", HF_SV_FMT(place)));
	if (f->binding) {
		hf_sv binding = hf_rbac_binding_text(f->binding, a),
		      binding_at = rbac_place(w, f->binding->object, NULL);
		rbac_print_line(w, indent,
				hf_arena_fmt(a, "by %.*s (%.*s)", HF_SV_FMT(binding), HF_SV_FMT(binding_at)));
	}
}

static hf_sv fix_of(const struct rbac_writer *w, const struct hf_rbac_finding *f)
{
	const struct hf_rbac_power *p = f->power;

	if (f->kind == HF_RBAC_FINDING_BECOMES_ADMIN)
		p = w->powers->ways[f->subject->number].power;
	return p ? hf_rbac_smallest_change(p, w->arena) : hf_sv_of(hf_rbac_row_of(f).fix);
}

static void print_finding(struct rbac_writer *w, const struct hf_rbac_finding *f)
{
	const struct hf_rbac_subject *becomes = f->kind == HF_RBAC_FINDING_BECOMES_ADMIN ? f->subject : NULL;
	struct hf_rbac_finding_row row = hf_rbac_row_of(f);
	hf_sv scope = scope_text(w->arena, f), detail = detail_of(w, f);
	hf_sv who =
		f->subject ? hf_rbac_subject_text(f->subject, w->arena) : hf_rbac_binding_text(f->binding, w->arena);
	size_t n = 0;

	rbac_print_line(w, "",
			hf_arena_fmt(w->arena, "%-8s  HF-RBAC-%03u  %.*s: %s%.*s%s%.*s%s",
				     hf_severity_name(f->severity), row.number, HF_SV_FMT(who), row.title,
				     HF_SV_FMT(scope), detail.len ? " (" : "", HF_SV_FMT(detail),
				     detail.len ? ")" : ""));
	if (becomes) {
		const struct hf_rbac_step *steps = hf_rbac_steps(w->powers, becomes, w->arena, &n);
		for (size_t i = 0; i < n; i++)
			rbac_print_line(w, "          ",
					hf_arena_fmt(w->arena, "%zu. %.*s", i + 1, HF_SV_FMT(steps[i].text)));
		if (becomes->kind == HF_RBAC_ACCOUNT) {
			const hf_sv *holders = hf_rbac_holders(w->powers, becomes, w->arena, &n);
			for (size_t i = 0; i < n && i < 5; i++)
				rbac_print_line(w, "          held by ", holders[i]);
		}
	}
	for (size_t i = 0; i < f->steps_n; i++)
		rbac_print_line(w, "          ", hf_arena_fmt(w->arena, "%zu. %.*s", i + 1, HF_SV_FMT(f->steps[i])));
	print_origin(w, f);
	rbac_print_line(w, "          fix: ", fix_of(w, f));
}

static void json_path(struct rbac_writer *w, const struct hf_rbac_subject *s)
{
	size_t n;
	const struct hf_rbac_step *steps = hf_rbac_steps(w->powers, s, w->arena, &n);

	hf_jw_key(w->json, "path");
	hf_jw_array(w->json);
	for (size_t i = 0; i < n; i++) {
		const struct hf_rbac_way *way = steps[i].way;
		hf_jw_object(w->json);
		hf_jw_kv(w->json, "step", steps[i].text);
		rbac_json_subject(w->json, "subject", steps[i].subject);
		if (way->power) {
			struct hf_rbac_grant g = { NULL, way->power->binding, way->power->rule };
			hf_jw_kv(w->json, "id",
				 hf_arena_fmt(w->arena, "HF-RBAC-%03u", hf_rbac_risks[way->power->risk].number));
			hf_jw_kv_if(w->json, "namespace", way->power->scope);
			rbac_json_grant(w, "granted_by", &g);
		}
		if (way->by_node)
			hf_jw_kv_bool(w->json, "takes_node", true);
		if (way->next)
			rbac_json_subject(w->json, "becomes", way->next);
		hf_jw_object_end(w->json);
	}
	hf_jw_array_end(w->json);
}

static void json_references(struct hf_json_writer *j, const char *list)
{
	hf_sv rest = hf_sv_of(list), one;

	hf_jw_key(j, "references");
	hf_jw_array(j);
	while (list[0] && hf_sv_next(&rest, ' ', &one))
		hf_jw_string(j, one);
	hf_jw_array_end(j);
}

static void json_finding(struct rbac_writer *w, const struct hf_rbac_finding *f)
{
	struct hf_rbac_finding_row row = hf_rbac_row_of(f);
	struct hf_rbac_grant g = { NULL, f->binding, f->power ? f->power->rule : NULL };

	hf_jw_object(w->json);
	kube_item_begin_json(w->run, w->out);
	hf_jw_kv(w->json, "id", hf_arena_fmt(w->arena, "HF-RBAC-%03u", row.number));
	hf_jw_kv(w->json, "title", hf_sv_of(row.title));
	hf_jw_kv(w->json, "severity", hf_sv_of(hf_severity_name(f->severity)));
	if (f->subject)
		rbac_json_subject(w->json, "subject", f->subject);
	if (f->power)
		hf_jw_kv_if(w->json, "namespace", f->power->scope);
	hf_jw_kv_if(w->json, "detail", detail_of(w, f));
	hf_jw_kv(w->json, "why", hf_sv_of(row.why));
	if (f->kind == HF_RBAC_FINDING_BECOMES_ADMIN)
		json_path(w, f->subject);
	if (f->steps_n) {
		hf_jw_key(w->json, "path");
		hf_jw_array(w->json);
		for (size_t i = 0; i < f->steps_n; i++) {
			hf_jw_object(w->json);
			hf_jw_kv(w->json, "step", f->steps[i]);
			hf_jw_object_end(w->json);
		}
		hf_jw_array_end(w->json);
	}
	if (f->binding)
		rbac_json_grant(w, "granted_by", &g);
	if (f->object) {
		hf_jw_kv(w->json, "source", f->object->source->name);
		if (!hf_kube_is_live(f->object) && !hf_sv_eq(f->object->source->name, HF_SV("built in")))
			hf_jw_kv_uint(w->json, "line", hf_kube_line(f->object, NULL));
	}
	if (f->subject && f->subject->kind == HF_RBAC_ACCOUNT) {
		size_t n;
		const hf_sv *holders = hf_rbac_holders(w->powers, f->subject, w->arena, &n);
		if (n)
			hf_jw_strings(w->json, "workloads", holders, n);
	}
	hf_jw_kv(w->json, "fix", fix_of(w, f));
	json_references(w->json, row.references);
	hf_jw_object_end(w->json);
	kube_item_end(w->run, w->out);
}

static int summary(struct rbac_writer *w, const size_t *counts, size_t shown)
{
	static const enum hf_severity order[] = { HF_SEV_CRITICAL, HF_SEV_HIGH, HF_SEV_MEDIUM, HF_SEV_LOW };
	bool failed = false;

	for (unsigned s = 0; s < HF_SEV_MAX; s++)
		failed |= counts[s] && (w->ask->fails & (1u << s));
	if (w->json) {
		hf_jw_key(w->json, "summary");
		hf_jw_object(w->json);
		for (size_t i = 0; i < HF_ARRAY_SIZE(order); i++)
			hf_jw_kv_uint(w->json, hf_severity_name(order[i]), counts[order[i]]);
		hf_jw_object_end(w->json);
	} else {
		hf_out_addf(w->out, "%s%zu finding%s", shown ? "\n" : "", HF_COUNTED(shown));
		for (size_t i = 0; i < HF_ARRAY_SIZE(order) && shown; i++)
			hf_out_addf(w->out, "%s %zu %s", i ? "," : ":", counts[order[i]], hf_severity_name(order[i]));
		hf_out_add(w->out, HF_SV("\n"));
	}
	return failed ? KUBE_GATE_FAILED : 0;
}

int rbac_check(struct rbac_writer *w, struct hf_err *err)
{
	size_t n, shown = 0, counts[HF_SEV_MAX] = { 0 };

	w->powers = hf_rbac_powers(w->model, w->arena);
	const struct hf_rbac_finding *all = w->powers ? hf_rbac_findings(w->powers, w->ask->all, w->arena, &n) : NULL;
	if (!w->powers)
		return hf_fail(err, HF_E_LIMIT, "the roles need more memory than is allowed");
	if (w->json) {
		hf_jw_kv_bool(w->json, "defaults_added", w->model->defaults_added);
		hf_jw_key(w->json, "findings");
		hf_jw_array(w->json);
	}
	for (size_t i = 0; i < n; i++) {
		if (w->ask->shows && !(w->ask->shows & (1u << all[i].severity)))
			continue;
		counts[all[i].severity]++;
		shown++;
		if (w->json) {
			json_finding(w, &all[i]);
			continue;
		}
		kube_item_begin(w->run, w->out);
		print_finding(w, &all[i]);
		kube_item_end(w->run, w->out);
	}
	if (w->json)
		hf_jw_array_end(w->json);
	return summary(w, counts, shown);
}
