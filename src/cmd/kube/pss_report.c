#include "cmd/kube/pss_report.h"

#include <stdio.h>

#include "cmd/kube/kube_items.h"
#include "format/json_writer.h"

enum { FIELDS_SHOWN = 12, TEXT_SHOWN = 1024 };

static void add_text(struct hf_out *out, hf_sv s)
{
	char text[TEXT_SHOWN];

	hf_out_add(out, (hf_sv){ text, hf_escape_controls(text, sizeof text, s) });
}

static void add_value(struct hf_out *out, const struct hf_value *v)
{
	switch ((enum hf_value_type)v->type) {
	case HF_VALUE_NULL:
		hf_out_addf(out, "null");
		return;
	case HF_VALUE_BOOL:
		hf_out_addf(out, v->boolean ? "true" : "false");
		return;
	case HF_VALUE_NUMBER:
		add_text(out, hf_sv_first((hf_sv){ v->text, v->n }, 40));
		return;
	case HF_VALUE_STRING:
		hf_out_addf(out, "\"");
		add_text(out, hf_sv_first((hf_sv){ v->text, v->n }, 80));
		hf_out_addf(out, v->n > 80 ? "…\"" : "\"");
		return;
	case HF_VALUE_ARRAY:
		hf_out_addf(out, v->n ? "[…]" : "[]");
		return;
	case HF_VALUE_OBJECT:
		hf_out_addf(out, v->n ? "{…}" : "{}");
		return;
	}
}

static void add_field(struct hf_out *out, const struct hf_kube_object *o, const struct hf_pss_field *f)
{
	add_text(out, f->path);
	if (!f->value) {
		hf_out_addf(out, " is not set");
	} else if (f->why == HF_PSS_MISSING) {
		hf_out_addf(out, " does not suffice");
	} else if (f->value->type != HF_VALUE_OBJECT) {
		hf_out_addf(out, " is ");
		add_value(out, f->value);
	}
	if (f->why == HF_PSS_UNREADABLE)
		hf_out_addf(out, ", not of its type");
	if (f->container.len) {
		hf_out_addf(out, ", container ");
		add_text(out, f->container);
	}
	if (!hf_kube_is_live(o)) {
		char place[900];
		hf_kube_place(o, hf_kube_line(o, f->near), place, sizeof place);
		hf_out_addf(out, " (%s)", place);
	}
}

static void explain(struct hf_out *out, const struct pss_verdict *v, struct hf_arena *a)
{
	const struct hf_pss_finding *list;
	size_t n = hf_pss_evaluate(v->pod, v->pods_n, &v->policy, a, &list);

	for (size_t i = 0; i < n; i++) {
		hf_out_addf(out, "    %s: %s: ", list[i].control->id, list[i].control->what);
		size_t shown = list[i].n < FIELDS_SHOWN ? list[i].n : FIELDS_SHOWN;
		for (size_t f = 0; f < shown; f++) {
			hf_out_addf(out, f ? "; " : "");
			add_field(out, v->pod->object, &list[i].fields[f]);
		}
		if (list[i].n + list[i].left_off > shown)
			hf_out_addf(out, "; and %zu more", list[i].n + list[i].left_off - shown);
		hf_out_addf(out, ". To pass: %s.\n", list[i].control->fix);
	}
}

void pss_report_line(struct hf_out *out, const struct pss_verdict *v, bool several, bool explained, struct hf_arena *a)
{
	const struct hf_kube_object *o = v->pod->object;
	char separator = ' ';

	hf_out_addf(out, v->failed ? "fail " : "pass ");
	if (several && o->cluster.len) {
		add_text(out, o->cluster);
		hf_out_addf(out, "/");
	}
	add_text(out, o->namespace);
	hf_out_addf(out, "/");
	add_text(out, o->kind_name);
	hf_out_addf(out, "/");
	add_text(out, o->name);
	for (unsigned c = 0; c < HF_PSS_CONTROLS; c++)
		if (v->failed & (UINT32_C(1) << c)) {
			hf_out_addf(out, "%c%s", separator, hf_pss_controls[c]->id);
			separator = ',';
		}
	hf_out_addf(out, "\n");
	if (explained && v->exempt)
		hf_out_addf(out, "    exempt by its %s\n", v->exempt);
	if (explained && v->failed)
		explain(out, v, a);
}

static void json_field(struct hf_json_writer *w, const struct hf_kube_object *o, const struct hf_pss_field *f)
{
	static const char *const why[] = {
		[HF_PSS_FORBIDDEN] = "forbidden", [HF_PSS_MISSING] = "missing", [HF_PSS_UNREADABLE] = "unreadable"
	};

	hf_jw_object(w);
	hf_jw_kv(w, "path", f->path);
	if (!hf_kube_is_live(o))
		hf_jw_kv_uint(w, "line", hf_kube_line(o, f->near));
	hf_jw_kv_if(w, "container", f->container);
	hf_jw_kv(w, "state", hf_sv_of(f->value || f->why != HF_PSS_FORBIDDEN ? why[f->why] : "missing"));
	if (f->value && f->value->type != HF_VALUE_OBJECT && f->value->type != HF_VALUE_ARRAY) {
		hf_jw_key(w, "value");
		hf_value_write_json(w, f->value);
	}
	hf_jw_object_end(w);
}

static void json_finding(struct hf_json_writer *w, const struct hf_kube_object *o, const struct hf_pss_finding *f)
{
	hf_jw_object(w);
	hf_jw_kv(w, "id", hf_sv_of(f->control->id));
	hf_jw_kv(w, "level", hf_sv_of(hf_pss_level_name(f->control->level)));
	hf_jw_kv(w, "reason", hf_sv_of(f->control->what));
	hf_jw_key(w, "fields");
	hf_jw_array(w);
	for (size_t i = 0; i < f->n; i++)
		json_field(w, o, &f->fields[i]);
	hf_jw_array_end(w);
	if (f->left_off)
		hf_jw_kv_uint(w, "fields_left_off", f->left_off);
	hf_jw_kv(w, "fix", hf_sv_of(f->control->fix));
	hf_jw_object_end(w);
}

static void json_document(struct hf_json_writer *w, const struct kube_run *k, struct hf_out *out,
			  const struct pss_verdict *v, struct hf_arena *a)
{
	const struct hf_kube_object *o = v->pod->object;
	const struct hf_pss_finding *list;
	char version[24];
	size_t n = v->exempt ? 0 : hf_pss_evaluate(v->pod, v->pods_n, &v->policy, a, &list);

	hf_jw_object(w);
	kube_item_begin_json(k, out);
	hf_jw_key(w, "object");
	hf_jw_object(w);
	hf_jw_kv(w, "api_version", o->api_version);
	hf_jw_kv(w, "kind", o->kind_name);
	hf_jw_kv_if(w, "cluster", o->cluster);
	hf_jw_kv(w, "namespace", o->namespace);
	hf_jw_kv(w, "name", o->name);
	hf_jw_kv(w, "path", o->source->name);
	if (!hf_kube_is_live(o))
		hf_jw_kv_uint(w, "line", hf_kube_line(o, NULL));
	hf_jw_object_end(w);
	hf_jw_kv(w, "level", hf_sv_of(hf_pss_level_name(v->policy.level)));
	hf_jw_kv(w, "version", hf_pss_version_text(v->policy.minor, version));
	hf_jw_kv_bool(w, "allowed", !v->failed);
	hf_jw_kv_if(w, "exempt", hf_sv_of(v->exempt));
	hf_jw_key(w, "controls");
	hf_jw_array(w);
	for (size_t i = 0; i < n; i++)
		json_finding(w, o, &list[i]);
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	kube_item_end(k, out);
}

static void json_unparsed(struct hf_json_writer *w, const struct hf_kube_objects *set)
{
	hf_jw_key(w, "unparsed");
	hf_jw_array(w);
	for (size_t i = 0; i < set->notes_n; i++) {
		if (set->notes[i].kind == HF_KUBE_NOTE_REPEATED_OBJECT)
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "path", set->notes[i].source);
		if (set->notes[i].line)
			hf_jw_kv_uint(w, "line", set->notes[i].line);
		hf_jw_kv(w, "reason", set->notes[i].text);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

int pss_report_json(const struct kube_run *k, struct hf_out *out, const struct pss_verdict *verdicts, size_t n,
		    const char *mode, const struct hf_kube_objects *set, struct hf_arena *a, struct hf_err *err)
{
	struct hf_json_writer w = {
		.out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out, .compact = k->items != NULL
	};
	size_t failed = 0;

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/pss/1"));
	hf_jw_kv_if(&w, "mode", hf_sv_of(mode));
	hf_jw_key(&w, "documents");
	hf_jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		json_document(&w, k, out, &verdicts[i], a);
		failed += verdicts[i].failed != 0;
	}
	hf_jw_array_end(&w);
	json_unparsed(&w, set);
	hf_jw_key(&w, "summary");
	hf_jw_object(&w);
	hf_jw_kv_uint(&w, "objects", n);
	hf_jw_kv_uint(&w, "passed", n - failed);
	hf_jw_kv_uint(&w, "failed", failed);
	hf_jw_object_end(&w);
	hf_jw_object_end(&w);
	return hf_jw_finish(&w, err);
}
