#include "report/common.h"

struct hf_json_writer hf_report_json(struct hf_out *out)
{
	return (struct hf_json_writer){ .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };
}

int hf_report_json_finish(struct hf_json_writer *w, struct hf_out *out, struct hf_err *err)
{
	int r = hf_jw_finish(w, err);

	/* the output knows why, the writer only that */
	return out->sys_errno || !r ? hf_out_flush(out, err) : r;
}

void hf_report_json_target(struct hf_json_writer *w, const struct hf_scan_report *r)
{
	hf_jw_key(w, "target");
	hf_jw_object(w);
	if (r->artifact) {
		hf_jw_kv_if(w, "kind", r->artifact->kind);
		hf_jw_kv_if(w, "reference", r->artifact->reference);
		hf_jw_kv_if(w, "digest", r->artifact->digest);
		hf_jw_kv_if(w, "platform", r->artifact->platform);
	}
	hf_jw_object_end(w);
}

void hf_report_json_os(struct hf_json_writer *w, const struct hf_scan_report *r)
{
	const struct hf_os *os = &r->os;

	if (!os->id.len && !os->version_id.len && !os->codename.len && !os->name.len)
		return;
	hf_jw_key(w, "os");
	hf_jw_object(w);
	hf_jw_kv_if(w, "id", os->id);
	hf_jw_kv_if(w, "version", os->version_id);
	hf_jw_kv_if(w, "codename", os->codename);
	hf_jw_kv_if(w, "name", os->name);
	hf_jw_kv_if(w, "end_of_life", r->end_of_life);
	if (r->supported >= 0)
		hf_jw_kv_bool(w, "supported", r->supported);
	hf_jw_kv_if(w, "path", os->path);
	hf_jw_object_end(w);
}

static void json_source(struct hf_json_writer *w, const struct hf_package *p)
{
	bool distribution = hf_package_type_is_distribution(p->type);

	if (!distribution && !p->source_name.len)
		return;
	hf_jw_key(w, "source");
	hf_jw_object(w);
	hf_jw_kv_if(w, "name", p->source_name.len ? p->source_name : p->name);
	hf_jw_kv_if(w, "version", p->source_version.len ? p->source_version : p->version);
	hf_jw_object_end(w);
}

static void json_package(struct hf_json_writer *w, const struct hf_scan_report *r, const struct hf_package *p)
{
	size_t paths_n;
	const hf_sv *paths = hf_report_paths(p, &paths_n);

	hf_jw_object(w);
	hf_jw_kv_if(w, "purl", p->purl);
	hf_jw_kv(w, "type", hf_sv_of(hf_package_type_purl(p->type)));
	hf_jw_kv_if(w, "name", hf_report_name(p));
	hf_jw_kv_if(w, "version", p->version);
	hf_jw_kv_if(w, "arch", p->arch);
	json_source(w, p);
	if (p->licences_n)
		hf_jw_strings(w, "licences", p->licences, p->licences_n);
	hf_jw_kv_if(w, "layer", hf_report_diff_id(r, p->layer));
	if (paths_n)
		hf_jw_strings(w, "paths", paths, paths_n);
	if (p->line)
		hf_jw_kv_uint(w, "line", p->line);
	hf_jw_kv_if(w, "owned_by", p->owned_by);
	hf_jw_kv_bool(w, "declared_only", p->declared_only);
	if (p->is_main)
		hf_jw_kv_bool(w, "main", true);
	hf_jw_kv_if(w, "module", p->module);
	hf_jw_kv_if(w, "origin", p->origin);
	hf_jw_object_end(w);
}

void hf_report_json_packages(struct hf_json_writer *w, const struct hf_scan_report *r)
{
	hf_jw_key(w, "packages");
	hf_jw_array(w);
	for (size_t i = 0; i < r->packages_n; i++)
		json_package(w, r, &r->packages[i]);
	hf_jw_array_end(w);
}

void hf_report_json_unparsed(struct hf_json_writer *w, const struct hf_scan_report *r)
{
	hf_jw_key(w, "unparsed");
	hf_jw_array(w);
	for (size_t i = 0; i < r->unparsed_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "path", r->unparsed[i].path);
		hf_jw_kv_if(w, "layer", hf_report_diff_id(r, r->unparsed[i].layer));
		hf_jw_kv(w, "reason", r->unparsed[i].reason);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

void hf_report_json_layer(struct hf_json_writer *w, const struct hf_layer_report *l)
{
	hf_jw_kv_uint(w, "index", l->layer.index);
	hf_jw_kv_if(w, "digest", l->layer.digest);
	hf_jw_kv_if(w, "diff_id", l->layer.diff_id);
	hf_jw_kv_uint(w, "size", l->layer.size);
	hf_jw_kv_if(w, "created_by", l->layer.created_by);
	hf_jw_kv_if(w, "created", l->layer.created);
	if (l->role != HF_ROLE_UNKNOWN)
		hf_jw_kv(w, "role", hf_sv_of(hf_layer_role_name(l->role)));
	hf_jw_kv_if(w, "role_evidence", l->role_evidence);
}
