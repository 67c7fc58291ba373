/* `scan --format json`: holdfast/scan/1. Every key is explained in docs/formats/scan-json.md. */
#include "report/common.h"

/* A source of KEV data was loaded: only then is "not on the list" known. */
static bool knows_kev(const struct hf_scan_report *r)
{
	for (size_t i = 0; i < r->database.sources_n; i++)
		if (hf_sv_find(r->database.sources[i].name, HF_SV("kev")) != SIZE_MAX && r->database.sources[i].records)
			return true;
	return false;
}

static void database(struct hf_json_writer *w, const struct hf_database_info *d)
{
	if (!d->present)
		return;
	hf_jw_key(w, "database");
	hf_jw_object(w);
	hf_jw_kv_if(w, "built", d->built);
	hf_jw_kv_bool(w, "landmarks_only", d->landmarks_only);
	hf_jw_key(w, "sources");
	hf_jw_array(w);
	for (size_t i = 0; i < d->sources_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "name", d->sources[i].name);
		hf_jw_kv_if(w, "newest", d->sources[i].newest);
		hf_jw_kv_uint(w, "records", d->sources[i].records);
		hf_jw_kv_uint(w, "malformed", d->sources[i].malformed);
		hf_jw_kv_if(w, "absence", d->sources[i].absence);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void config(struct hf_json_writer *w, const struct hf_image_config *c)
{
	hf_sv name, value;

	hf_jw_key(w, "config");
	hf_jw_object(w);
	hf_jw_kv(w, "user", c->user);
	hf_jw_strings(w, "entrypoint", c->entrypoint, c->entrypoint_n);
	hf_jw_strings(w, "cmd", c->cmd, c->cmd_n);
	hf_jw_key(w, "env_names");
	hf_jw_array(w);
	for (size_t i = 0; i < c->env_n; i++)
		hf_jw_string(w, hf_sv_cut(c->env[i], '=', &name, &value) ? name : c->env[i]);
	hf_jw_array_end(w);
	hf_jw_strings(w, "exposed_ports", c->exposed_ports, c->exposed_ports_n);
	hf_jw_key(w, "labels");
	hf_jw_object(w);
	for (size_t i = 0; i < c->labels_n; i++) {
		bool cut = hf_sv_cut(c->labels[i], '=', &name, &value);
		hf_jw_key_sv(w, cut ? name : c->labels[i]);
		hf_jw_string(w, cut ? value : HF_SV(""));
	}
	hf_jw_object_end(w);
	hf_jw_kv(w, "healthcheck", c->healthcheck);
	hf_jw_kv_if(w, "working_dir", c->working_dir);
	hf_jw_strings(w, "volumes", c->volumes, c->volumes_n);
	hf_jw_object_end(w);
}

static void image(struct hf_json_writer *w, const struct hf_scan_report *r, struct hf_arena *a)
{
	size_t n;

	if (!r->artifact || !r->artifact->is_image)
		return;
	hf_jw_key(w, "image");
	hf_jw_object(w);
	hf_jw_kv_if(w, "id", r->artifact->image_id);
	hf_jw_kv_if(w, "created", r->artifact->created);
	config(w, &r->artifact->config);
	if (r->base_name.len || r->base_layers) {
		hf_jw_key(w, "base");
		hf_jw_object(w);
		hf_jw_kv_if(w, "name", r->base_name);
		hf_jw_kv_uint(w, "layers", r->base_layers);
		hf_jw_kv_if(w, "evidence", r->base_evidence);
		hf_jw_object_end(w);
	}
	hf_jw_key(w, "layers");
	hf_jw_array(w);
	const struct hf_layer_report *layers = hf_report_layers(a, r, &n);
	for (size_t i = 0; layers && i < n; i++) {
		hf_jw_object(w);
		hf_report_json_layer(w, &layers[i]);
		if (r->layers_n) {
			hf_jw_kv_uint(w, "packages_added", layers[i].added_n);
			hf_jw_kv_uint(w, "packages_changed", layers[i].changed_n);
			hf_jw_kv_uint(w, "packages_removed", layers[i].removed_n);
			hf_jw_kv_if(w, "patch_level", layers[i].patch_level);
			hf_jw_kv_uint(w, "fixable", layers[i].fixable_n);
		}
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void number(struct hf_json_writer *w, const char *key, double v, int decimals)
{
	if (!(v >= 0))
		return;
	hf_jw_key(w, key);
	hf_jw_fixed(w, v, decimals);
}

static void ratings(struct hf_json_writer *w, const struct hf_vulnerability *v, bool kev_known)
{
	hf_jw_key(w, "cvss");
	hf_jw_array(w);
	for (size_t i = 0; i < v->cvss_n; i++) {
		hf_jw_object(w);
		hf_jw_kv_if(w, "source", v->cvss[i].source);
		hf_jw_kv(w, "vector", v->cvss[i].vector);
		number(w, "score", v->cvss[i].score, 1);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	number(w, "epss", (double)v->epss, 5);
	number(w, "epss_percentile", (double)v->epss_percentile, 5);
	if (v->kev || kev_known)
		hf_jw_kv_bool(w, "kev", v->kev);
	if (v->kev) {
		hf_jw_kv_if(w, "kev_added", v->kev_added);
		hf_jw_kv_bool(w, "kev_ransomware", v->kev_ransomware);
	}
}

static void vulnerability(struct hf_json_writer *w, const struct hf_scan_report *r, const struct hf_vulnerability *v,
			  bool kev_known)
{
	const struct hf_package *p = hf_report_package(r, v->package);
	size_t paths_n = 0;
	const hf_sv *paths = p ? hf_report_paths(p, &paths_n) : NULL;

	hf_jw_object(w);
	hf_jw_kv(w, "id", v->id);
	hf_jw_strings(w, "aliases", v->aliases, v->aliases_n);
	hf_jw_kv_if(w, "purl", p ? p->purl : (hf_sv){ 0 });
	hf_jw_kv_if(w, "installed", v->installed);
	hf_jw_kv_if(w, "fixed", v->fixed);
	hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(v->severity)));
	hf_jw_kv_if(w, "severity_source", v->severity_source);
	ratings(w, v, kev_known);
	hf_jw_kv(w, "status", hf_sv_of(hf_status_name(v->status)));
	hf_jw_kv(w, "class", hf_sv_of(hf_finding_class(v)));
	hf_jw_kv_if(w, "title", v->title);
	hf_jw_kv_if(w, "rule", v->rule);
	hf_jw_kv_if(w, "channel", v->channel);
	hf_jw_kv_if(w, "layer", p ? hf_report_diff_id(r, p->layer) : (hf_sv){ 0 });
	if (paths_n)
		hf_jw_strings(w, "paths", paths, paths_n);
	hf_jw_key(w, "advisory");
	hf_jw_object(w);
	hf_jw_kv_if(w, "id", v->advisory_id);
	hf_jw_kv_if(w, "source", v->advisory_source);
	hf_jw_kv_if(w, "url", v->advisory_url);
	hf_jw_kv_if(w, "modified", v->advisory_modified);
	hf_jw_object_end(w);
	if (v->suppressed_by.len) {
		hf_jw_key(w, "suppressed");
		hf_jw_object(w);
		hf_jw_kv(w, "by", v->suppressed_by);
		hf_jw_kv_if(w, "why", v->suppressed_why);
		hf_jw_kv_if(w, "until", v->suppressed_until);
		hf_jw_object_end(w);
	}
	hf_jw_object_end(w);
}

static void vulnerabilities(struct hf_json_writer *w, const struct hf_scan_report *r, const struct hf_filter *filter)
{
	bool kev_known = knows_kev(r);

	hf_jw_key(w, "vulnerabilities");
	hf_jw_array(w);
	for (size_t i = 0; i < r->vulnerabilities_n; i++)
		if (hf_filter_shows(filter, &r->vulnerabilities[i]))
			vulnerability(w, r, &r->vulnerabilities[i], kev_known);
	hf_jw_array_end(w);
}

static void misconfigurations(struct hf_json_writer *w, const struct hf_scan_report *r, const struct hf_filter *filter)
{
	hf_jw_key(w, "misconfigurations");
	hf_jw_array(w);
	for (size_t i = 0; i < r->misconfigurations_n; i++) {
		const struct hf_misconfiguration *m = &r->misconfigurations[i];
		if (!hf_filter_shows_config(filter, m))
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "id", m->id);
		hf_jw_kv(w, "title", m->title);
		hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(m->severity)));
		hf_jw_kv_if(w, "path", m->path);
		if (m->line)
			hf_jw_kv_uint(w, "line", m->line);
		hf_jw_kv_if(w, "message", m->message);
		hf_jw_kv_if(w, "fix", m->fix);
		hf_jw_strings(w, "references", m->references, m->references_n);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void cannot_tell(struct hf_json_writer *w, const struct hf_scan_report *r)
{
	hf_jw_key(w, "cannot_tell");
	hf_jw_array(w);
	for (size_t i = 0; i < r->undecided_n; i++) {
		const struct hf_undecided *u = &r->undecided[i];
		const struct hf_package *p = hf_report_package(r, u->package);
		hf_jw_object(w);
		hf_jw_kv_if(w, "purl", p ? p->purl : (hf_sv){ 0 });
		hf_jw_kv(w, "code", u->code);
		hf_jw_kv_if(w, "reason", u->reason);
		hf_jw_kv_if(w, "advisory", u->advisory_id);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void summary_of_flaws(struct hf_json_writer *w, const struct hf_report_totals *t)
{
	hf_jw_key(w, "vulnerabilities");
	hf_jw_object(w);
	hf_jw_kv_uint(w, "critical", t->by_severity[HF_SEV_CRITICAL]);
	hf_jw_kv_uint(w, "high", t->by_severity[HF_SEV_HIGH]);
	hf_jw_kv_uint(w, "medium", t->by_severity[HF_SEV_MEDIUM]);
	hf_jw_kv_uint(w, "low", t->by_severity[HF_SEV_LOW]);
	hf_jw_kv_uint(w, "unknown", t->by_severity[HF_SEV_UNKNOWN]);
	hf_jw_object_end(w);
	hf_jw_kv_uint(w, "fixable", t->fixable);
	hf_jw_kv_uint(w, "kev", t->kev);
	hf_jw_kv_uint(w, "kernel_headers", t->kernel_headers);
	hf_jw_kv_uint(w, "unimportant", t->unimportant);
	hf_jw_kv_uint(w, "suppressed", t->suppressed);
	hf_jw_kv_uint(w, "filtered", t->filtered);
}

static void summary(struct hf_json_writer *w, const struct hf_scan_report *r, const struct hf_filter *filter)
{
	struct hf_report_totals t = hf_report_totals(r, filter);

	hf_jw_key(w, "summary");
	hf_jw_object(w);
	hf_jw_kv_uint(w, "packages", r->packages_n);
	if (r->database.present)
		summary_of_flaws(w, &t);
	hf_jw_kv_uint(w, "cannot_tell", r->undecided_n);
	hf_jw_kv_uint(w, "misconfigurations", r->misconfigurations_n);
	hf_jw_kv_uint(w, "unparsed", r->unparsed_n);
	hf_jw_kv_uint(w, "files", r->files_n);
	hf_jw_kv_uint(w, "content_size", r->content_size);
	hf_jw_object_end(w);
}

static int write_json(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
		      struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = hf_report_arena();
	struct hf_json_writer w = hf_report_json(out);

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/scan/1"));
	hf_report_json_target(&w, r);
	database(&w, &r->database);
	hf_report_json_os(&w, r);
	image(&w, r, &a);
	hf_report_json_packages(&w, r);
	/* without a database nothing was compared: an empty list would say "none" */
	if (r->database.present)
		vulnerabilities(&w, r, &o->filter);
	misconfigurations(&w, r, &o->filter);
	cannot_tell(&w, r);
	hf_report_json_unparsed(&w, r);
	hf_jw_strings(&w, "notes", r->notes, r->notes_n);
	summary(&w, r, &o->filter);
	hf_jw_object_end(&w);
	return hf_report_json_finish(&w, out, err);
}

const struct hf_report_format hf_report_format_json = {
	.name = "json",
	.summary = "holdfast/scan/1, everything that was found",
	.kinds = HF_REPORT_SCAN,
	.write = write_json,
};
