/* CycloneDX 1.6 JSON (ECMA-424, first edition): from `sbom`; from `scan` with the vulnerabilities beside. */
#include "report/common.h"

#include <stdio.h>

#include "base/map.h"
#include "report/licence.h"

struct bom {
	struct hf_json_writer w;
	const struct hf_scan_report *r;
	const struct hf_report_options *o;
	struct hf_arena arena;
	struct hf_map taken; /* bom-refs in use */
	hf_sv *refs;         /* one a package */
	hf_sv root_ref, os_ref;
};

/* A reference that no other component has: the purl, and where several places give the same one, the purl and the
 * place. */
static hf_sv unique_ref(struct bom *b, hf_sv wish, hf_sv path)
{
	/* a bom-ref may not look like a BOM link, and may not be empty */
	hf_sv ref = wish.len && !hf_sv_starts(wish, HF_SV("urn:cdx:"))
			    ? wish
			    : hf_arena_concat(&b->arena, HF_SV("package:"), wish);

	if (hf_map_find(&b->taken, ref) && path.len)
		ref = hf_arena_fmt(&b->arena, "%.*s#%.*s", HF_SV_FMT(ref), HF_SV_FMT(path));
	if (hf_map_find(&b->taken, ref) || !hf_sv_is_utf8(ref))
		ref = hf_arena_fmt(&b->arena, "package:%zu", b->taken.n);
	hf_map_put(&b->taken, ref);
	return ref;
}

static void name_refs(struct bom *b)
{
	b->root_ref = HF_SV("holdfast:target");
	b->os_ref = HF_SV("holdfast:operating-system");
	hf_map_put(&b->taken, b->root_ref);
	hf_map_put(&b->taken, b->os_ref);
	b->refs = hf_arena_array(&b->arena, hf_sv, b->r->packages_n);
	for (size_t i = 0; b->refs && i < b->r->packages_n; i++)
		b->refs[i] = unique_ref(b, b->r->packages[i].purl, b->r->packages[i].path);
}

static bool has_os(const struct hf_scan_report *r)
{
	return r->os.id.len || r->os.name.len;
}

static void property(struct bom *b, const char *name, hf_sv value)
{
	if (!value.len)
		return;
	hf_jw_object(&b->w);
	hf_jw_kv(&b->w, "name", hf_sv_of(name));
	hf_jw_kv(&b->w, "value", value);
	hf_jw_object_end(&b->w);
}

/* The schema takes a list of identifiers and names, or one expression. */
static void licences(struct bom *b, const struct hf_package *p)
{
	struct hf_json_writer *w = &b->w;
	hf_sv whole = { 0 };
	bool compound = false, valid = p->licences_n > 0;

	if (!p->licences_n)
		return;
	for (size_t i = 0; i < p->licences_n && valid; i++) {
		hf_sv e = hf_licence_expression(&b->arena, p->licences[i]);
		valid = e.len != 0;
		bool one = hf_licence_is_compound(e);
		compound |= one;
		if (one && p->licences_n > 1)
			e = hf_arena_fmt(&b->arena, "(%.*s)", HF_SV_FMT(e));
		whole = i ? hf_arena_fmt(&b->arena, "%.*s AND %.*s", HF_SV_FMT(whole), HF_SV_FMT(e)) : e;
	}
	hf_jw_key(w, "licenses");
	hf_jw_array(w);
	if (valid && compound) {
		hf_jw_object(w);
		hf_jw_kv(w, "expression", whole);
		hf_jw_kv(w, "acknowledgement", HF_SV("declared"));
		hf_jw_object_end(w);
	}
	for (size_t i = 0; i < p->licences_n && !(valid && compound); i++) {
		hf_sv id = hf_licence_id(p->licences[i]);
		hf_jw_object(w);
		hf_jw_key(w, "license");
		hf_jw_object(w);
		hf_jw_kv(w, id.len ? "id" : "name", id.len ? id : p->licences[i]);
		hf_jw_kv(w, "acknowledgement", HF_SV("declared"));
		hf_jw_object_end(w);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void occurrences(struct bom *b, const struct hf_package *p)
{
	size_t n;
	const hf_sv *paths = hf_report_paths(p, &n);

	if (!n)
		return;
	hf_jw_key(&b->w, "evidence");
	hf_jw_object(&b->w);
	hf_jw_key(&b->w, "occurrences");
	hf_jw_array(&b->w);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(&b->w);
		hf_jw_kv(&b->w, "location", paths[i]);
		if (p->line && hf_sv_eq(paths[i], p->path))
			hf_jw_kv_uint(&b->w, "line", p->line);
		hf_jw_object_end(&b->w);
	}
	hf_jw_array_end(&b->w);
	hf_jw_object_end(&b->w);
}

/* npm's scope, Maven's group, Composer's vendor stand in a field of their own. */
static void split_group(const struct hf_package *p, hf_sv *ret_group, hf_sv *ret_name)
{
	char separator = p->type == HF_PKG_MAVEN ? ':' : '/';
	bool grouped = p->type == HF_PKG_MAVEN || p->type == HF_PKG_COMPOSER ||
		       (p->type == HF_PKG_NPM && hf_sv_starts(p->name, HF_SV("@")));

	*ret_group = (hf_sv){ 0 };
	*ret_name = p->name;
	if (grouped)
		hf_sv_cut(p->name, separator, ret_group, ret_name);
}

static void component(struct bom *b, const struct hf_package *p, hf_sv ref)
{
	struct hf_json_writer *w = &b->w;
	hf_sv group, name;

	split_group(p, &group, &name);
	hf_jw_object(w);
	hf_jw_kv(w, "type", p->is_main ? HF_SV("application") : HF_SV("library"));
	hf_jw_kv(w, "bom-ref", ref);
	hf_jw_kv_if(w, "group", group);
	hf_jw_kv(w, "name", name);
	hf_jw_kv_if(w, "version", p->version);
	if (p->declared_only)
		hf_jw_kv(w, "scope", HF_SV("optional"));
	licences(b, p);
	hf_jw_kv_if(w, "purl", p->purl);
	occurrences(b, p);
	hf_jw_key(w, "properties");
	hf_jw_array(w);
	property(b, "holdfast:layer:diff_id", hf_report_diff_id(b->r, p->layer));
	property(b, "holdfast:source:name", p->source_name);
	property(b, "holdfast:source:version", p->source_version);
	property(b, "holdfast:owned_by", p->owned_by);
	property(b, "holdfast:origin", p->origin);
	property(b, "holdfast:module", p->module);
	if (p->declared_only)
		property(b, "holdfast:declared_only", HF_SV("true"));
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void os_component(struct bom *b)
{
	const struct hf_os *os = &b->r->os;

	hf_jw_object(&b->w);
	hf_jw_kv(&b->w, "type", HF_SV("operating-system"));
	hf_jw_kv(&b->w, "bom-ref", b->os_ref);
	hf_jw_kv(&b->w, "name", os->id.len ? os->id : os->name);
	hf_jw_kv_if(&b->w, "version", os->version_id);
	hf_jw_kv_if(&b->w, "description", os->name);
	hf_jw_object_end(&b->w);
}

static void target_component(struct bom *b)
{
	const struct hf_artifact *t = b->r->artifact;
	struct hf_json_writer *w = &b->w;
	bool host = t && hf_sv_eq(t->kind, HF_SV("host"));

	hf_jw_key(w, "component");
	hf_jw_object(w);
	hf_jw_kv(w, "type", t && t->is_image ? HF_SV("container") : host ? HF_SV("device") : HF_SV("file"));
	hf_jw_kv(w, "bom-ref", b->root_ref);
	hf_jw_kv(w, "name", t && t->reference.len ? t->reference : t && t->kind.len ? t->kind : HF_SV("target"));
	if (t && t->is_image) {
		hf_jw_kv_if(w, "version", t->digest.len ? t->digest : t->image_id);
		hf_jw_key(w, "properties");
		hf_jw_array(w);
		property(b, "holdfast:image:id", t->image_id);
		property(b, "holdfast:image:platform", t->platform);
		for (size_t i = 0; i < t->layers_n; i++)
			property(b, "holdfast:image:diff_id", t->layers[i].diff_id);
		hf_jw_array_end(w);
	}
	hf_jw_object_end(w);
}

static void metadata(struct bom *b)
{
	struct hf_json_writer *w = &b->w;
	char time[HF_REPORT_TIME_SIZE];

	hf_jw_key(w, "metadata");
	hf_jw_object(w);
	if (b->o->source_date_epoch >= 0) {
		hf_report_time(time, b->o->source_date_epoch);
		hf_jw_kv(w, "timestamp", hf_sv_of(time));
	}
	hf_jw_key(w, "tools");
	hf_jw_object(w);
	hf_jw_key(w, "components");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_kv(w, "type", HF_SV("application"));
	hf_jw_kv(w, "name", HF_SV("holdfast"));
	hf_jw_kv(w, "version", hf_sv_of(hf_report_version(b->o)));
	hf_jw_object_end(w);
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	target_component(b);
	hf_jw_object_end(w);
}

/* What the packages need of each other is not known, so only the root has an entry, and the rest is left open. */
static void dependencies(struct bom *b)
{
	struct hf_json_writer *w = &b->w;

	hf_jw_key(w, "dependencies");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_kv(w, "ref", b->root_ref);
	hf_jw_key(w, "dependsOn");
	hf_jw_array(w);
	if (has_os(b->r))
		hf_jw_string(w, b->os_ref);
	for (size_t i = 0; i < b->r->packages_n; i++)
		hf_jw_string(w, b->refs[i]);
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	hf_jw_array_end(w);
	hf_jw_key(w, "compositions");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_kv(w, "aggregate", b->r->unparsed_n ? HF_SV("incomplete") : HF_SV("unknown"));
	hf_jw_strings(w, "assemblies", &b->root_ref, 1);
	hf_jw_object_end(w);
	hf_jw_array_end(w);
}

static const char *method_of(hf_sv vector)
{
	static const struct {
		hf_sv prefix;
		const char *method;
	} methods[] = {
		{ HF_SV_INIT("CVSS:4"), "CVSSv4" },
		{ HF_SV_INIT("CVSS:3.1"), "CVSSv31" },
		{ HF_SV_INIT("CVSS:3.0"), "CVSSv3" },
		{ HF_SV_INIT("AV:"), "CVSSv2" },
	};
	for (size_t i = 0; i < HF_ARRAY_SIZE(methods); i++)
		if (hf_sv_starts(vector, methods[i].prefix))
			return methods[i].method;
	return "other";
}

static void source(struct bom *b, const char *key, hf_sv name, hf_sv url)
{
	hf_jw_key(&b->w, key);
	hf_jw_object(&b->w);
	hf_jw_kv_if(&b->w, "name", name);
	hf_jw_kv_if(&b->w, "url", url);
	hf_jw_object_end(&b->w);
}

static void ratings(struct bom *b, const struct hf_vulnerability *v)
{
	/* "negligible" has no word of its own in the format */
	const char *word = hf_severity_name(hf_finding_severity(v));
	struct hf_json_writer *w = &b->w;

	hf_jw_key(w, "ratings");
	hf_jw_array(w);
	hf_jw_object(w);
	if (v->severity_source.len)
		source(b, "source", v->severity_source, (hf_sv){ 0 });
	hf_jw_kv(w, "severity", hf_sv_of(word));
	hf_jw_object_end(w);
	for (size_t i = 0; i < v->cvss_n; i++) {
		hf_jw_object(w);
		if (v->cvss[i].source.len)
			source(b, "source", v->cvss[i].source, (hf_sv){ 0 });
		if (v->cvss[i].score >= 0) {
			hf_jw_key(w, "score");
			hf_jw_fixed(w, v->cvss[i].score, 1);
		}
		hf_jw_kv(w, "method", hf_sv_of(method_of(v->cvss[i].vector)));
		hf_jw_kv(w, "vector", v->cvss[i].vector);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void flaw_properties(struct bom *b, const struct hf_vulnerability *v)
{
	hf_jw_key(&b->w, "properties");
	hf_jw_array(&b->w);
	property(b, "holdfast:status", hf_sv_of(hf_status_name(v->status)));
	property(b, "holdfast:class", hf_sv_of(hf_finding_class(v)));
	property(b, "holdfast:fixed", v->fixed);
	property(b, "holdfast:rule", v->rule);
	if (v->kev)
		property(b, "holdfast:kev", HF_SV("true"));
	if (v->epss >= 0)
		property(b, "holdfast:epss", hf_arena_fmt(&b->arena, "%.5f", (double)v->epss));
	hf_jw_array_end(&b->w);
}

static void vulnerability(struct bom *b, const struct hf_vulnerability *v)
{
	struct hf_json_writer *w = &b->w;

	hf_jw_object(w);
	/* no two entries of the list may be equal */
	hf_jw_kv(w, "bom-ref", hf_arena_fmt(&b->arena, "vulnerability:%zu", (size_t)(v - b->r->vulnerabilities)));
	hf_jw_kv(w, "id", v->id);
	if (v->advisory_source.len || v->advisory_url.len)
		source(b, "source", v->advisory_source, v->advisory_url);
	hf_jw_key(w, "references");
	hf_jw_array(w);
	for (size_t i = 0; i < v->aliases_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "id", v->aliases[i]);
		source(b, "source", v->advisory_source, (hf_sv){ 0 });
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	ratings(b, v);
	hf_jw_kv_if(w, "description", v->title);
	if (v->fixed.len)
		hf_jw_kv(w, "recommendation", hf_arena_fmt(&b->arena, "Upgrade to %.*s.", HF_SV_FMT(v->fixed)));
	if (v->suppressed_by.len || v->status == HF_STATUS_NOT_AFFECTED || v->status == HF_STATUS_UNDER_INVESTIGATION) {
		hf_jw_key(w, "analysis");
		hf_jw_object(w);
		hf_jw_kv(w, "state",
			 v->status == HF_STATUS_UNDER_INVESTIGATION ? HF_SV("in_triage") : HF_SV("not_affected"));
		hf_jw_kv_if(w, "detail", v->suppressed_why);
		hf_jw_object_end(w);
	}
	hf_jw_key(w, "affects");
	hf_jw_array(w);
	if (v->package < b->r->packages_n) {
		hf_jw_object(w);
		hf_jw_kv(w, "ref", b->refs[v->package]);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	flaw_properties(b, v);
	hf_jw_object_end(w);
}

static void body(struct bom *b)
{
	struct hf_json_writer *w = &b->w;
	const struct hf_scan_report *r = b->r;
	char uuid[HF_REPORT_UUID_SIZE];

	hf_jw_object(w);
	hf_jw_kv(w, "$schema", HF_SV("http://cyclonedx.org/schema/bom-1.6.schema.json"));
	hf_jw_kv(w, "bomFormat", HF_SV("CycloneDX"));
	hf_jw_kv(w, "specVersion", HF_SV("1.6"));
	hf_report_uuid(uuid, r);
	hf_jw_kv(w, "serialNumber", hf_arena_fmt(&b->arena, "urn:uuid:%s", uuid));
	hf_jw_kv_uint(w, "version", 1);
	metadata(b);
	hf_jw_key(w, "components");
	hf_jw_array(w);
	if (has_os(r))
		os_component(b);
	for (size_t i = 0; i < r->packages_n; i++)
		component(b, &r->packages[i], b->refs[i]);
	hf_jw_array_end(w);
	dependencies(b);
	/* without a database nothing was compared, and a list would say that nothing is wrong */
	if (r->database.present) {
		hf_jw_key(w, "vulnerabilities");
		hf_jw_array(w);
		for (size_t i = 0; i < r->vulnerabilities_n; i++)
			if (hf_filter_shows(&b->o->filter, &r->vulnerabilities[i]))
				vulnerability(b, &r->vulnerabilities[i]);
		hf_jw_array_end(w);
	}
	hf_jw_object_end(w);
}

static int write_cyclonedx(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
			   struct hf_err *err)
{
	struct bom b = { .w = hf_report_json(out), .r = r, .o = o, .arena = hf_report_arena() };

	b.taken = HF_MAP(&b.arena);
	name_refs(&b);
	if (b.refs)
		body(&b);
	bool over = b.arena.over;
	hf_arena_done(&b.arena);
	if (over)
		return hf_fail(err, HF_E_LIMIT, "the report needs more memory than it may have");
	return hf_report_json_finish(&b.w, out, err);
}

const struct hf_report_format hf_report_format_cyclonedx = {
	.name = "cyclonedx",
	.summary = "CycloneDX 1.6 JSON; from scan with its vulnerabilities",
	.kinds = HF_REPORT_SCAN | HF_REPORT_SBOM,
	.write = write_cyclonedx,
};
