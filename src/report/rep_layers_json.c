/* `layers --format json`: holdfast/layers/1. */
#include "report/common.h"

static void changes(struct hf_json_writer *w, const char *key, const struct hf_package_change *list, size_t n)
{
	hf_jw_key(w, key);
	hf_jw_array(w);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(w);
		hf_jw_kv_if(w, "purl", list[i].purl);
		hf_jw_kv_if(w, "before", list[i].before);
		hf_jw_kv_if(w, "after", list[i].after);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

/* What only reading the layer tells: not there where the report has no layers of its own. */
static void content(struct hf_json_writer *w, const struct hf_layer_report *l, bool judged)
{
	hf_jw_kv_uint(w, "files", l->files_n);
	hf_jw_kv_uint(w, "content_size", l->content_size);
	hf_jw_kv_uint(w, "hidden_size", l->hidden_size);
	hf_jw_kv_uint(w, "packages_added", l->added_n);
	hf_jw_kv_uint(w, "packages_changed", l->changed_n);
	hf_jw_kv_uint(w, "packages_removed", l->removed_n);
	hf_jw_key(w, "packages");
	hf_jw_object(w);
	changes(w, "added", l->added, l->added_n);
	changes(w, "changed", l->changed, l->changed_n);
	changes(w, "removed", l->removed, l->removed_n);
	hf_jw_object_end(w);
	hf_jw_kv_if(w, "patch_level", l->patch_level);
	if (judged)
		hf_jw_kv_uint(w, "fixable", l->fixable_n);
}

static int write_layers_json(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
			     struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = hf_report_arena();
	struct hf_json_writer w = hf_report_json(out);
	size_t n;
	const struct hf_layer_report *layers = hf_report_layers(&a, r, &n);

	(void)o;
	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/layers/1"));
	hf_report_json_target(&w, r);
	hf_report_json_os(&w, r);
	hf_jw_key(&w, "layers");
	hf_jw_array(&w);
	for (size_t i = 0; layers && i < n; i++) {
		hf_jw_object(&w);
		hf_report_json_layer(&w, &layers[i]);
		if (r->layers_n)
			content(&w, &layers[i], r->database.present);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_report_json_unparsed(&w, r);
	hf_jw_strings(&w, "notes", r->notes, r->notes_n);
	hf_jw_object_end(&w);
	return hf_report_json_finish(&w, out, err);
}

const struct hf_report_format hf_report_format_layers_json = {
	.name = "json",
	.summary = "holdfast/layers/1, each layer with what it changed",
	.kinds = HF_REPORT_LAYERS,
	.write = write_layers_json,
};
