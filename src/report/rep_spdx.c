/* SPDX 2.3 JSON (ISO/IEC 5962's successor; spdx.github.io/spdx-spec/v2.3). */
#include "report/common.h"

#include <stdio.h>

#include "base/map.h"
#include "report/licence.h"

enum { PATHS_SHOWN = 8 };

struct spdx {
	struct hf_json_writer w;
	const struct hf_scan_report *r;
	const struct hf_report_options *o;
	struct hf_arena arena;
	struct hf_map extracted; /* text of a licence that the list does not have -> nothing */
	struct hf_map taken;     /* SPDXIDs in use */
	hf_sv *ids;              /* SPDXID, one a package */
};

static void licence_ref(char out[64], hf_sv text)
{
	char id[HF_REPORT_ID_SIZE];

	hf_report_id(id, &text, 1);
	snprintf(out, 64, "LicenseRef-holdfast-%.16s", id);
}

/* Letters, digits, '.' and '-' alone are allowed. */
static hf_sv package_id(struct spdx *s, const struct hf_package *p, size_t index)
{
	char name[64], hash[HF_REPORT_ID_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < p->name.len && n + 1 < sizeof name; i++) {
		char c = p->name.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
		if (plain || (n && name[n - 1] != '-'))
			name[n++] = plain ? c : '-';
	}
	name[n] = 0;
	hf_sv parts[] = { p->purl, p->path, p->name, p->version, p->arch };
	hf_report_id(hash, parts, HF_ARRAY_SIZE(parts));
	hf_sv id = hf_arena_fmt(&s->arena, "SPDXRef-Package-%s-%s-%.16s", hf_package_type_purl(p->type), name, hash);
	/* the same package in the same place twice: only its place in the list tells them apart */
	if (hf_map_find(&s->taken, id))
		id = hf_arena_fmt(&s->arena, "%.*s-%zu", HF_SV_FMT(id), index);
	hf_map_put(&s->taken, id);
	return id;
}

/* All that is declared holds at once. What is no expression of the list gets a reference of its own. */
static hf_sv declared(struct spdx *s, const struct hf_package *p)
{
	hf_sv whole = { 0 };

	for (size_t i = 0; i < p->licences_n; i++) {
		hf_sv text = hf_sv_trim(p->licences[i]), e = hf_licence_expression(&s->arena, text);
		if (!text.len)
			continue;
		if (!e.len) {
			char ref[64];
			licence_ref(ref, text);
			hf_map_put(&s->extracted, text);
			e = hf_arena_dup(&s->arena, hf_sv_of(ref));
		} else if (p->licences_n > 1 && hf_licence_is_compound(e)) {
			e = hf_arena_fmt(&s->arena, "(%.*s)", HF_SV_FMT(e));
		}
		whole = whole.len ? hf_arena_fmt(&s->arena, "%.*s AND %.*s", HF_SV_FMT(whole), HF_SV_FMT(e)) : e;
	}
	return whole.len ? whole : HF_SV("NOASSERTION");
}

/* What the format demands of every package and nobody here knows. */
static void unknowns(struct hf_json_writer *w, hf_sv licence)
{
	hf_jw_kv(w, "downloadLocation", HF_SV("NOASSERTION"));
	hf_jw_kv_bool(w, "filesAnalyzed", false);
	hf_jw_kv(w, "licenseConcluded", HF_SV("NOASSERTION"));
	hf_jw_kv(w, "licenseDeclared", licence);
	hf_jw_kv(w, "copyrightText", HF_SV("NOASSERTION"));
}

static void source_info(struct spdx *s, const struct hf_package *p)
{
	size_t n;
	const hf_sv *paths = hf_report_paths(p, &n);
	hf_sv layer = hf_report_diff_id(s->r, p->layer), text = { 0 };

	for (size_t i = 0; i < n && i < PATHS_SHOWN; i++)
		text = hf_arena_fmt(&s->arena, "%.*s%s/%.*s", HF_SV_FMT(text), i ? ", " : "found in ",
				    HF_SV_FMT(paths[i]));
	if (n > PATHS_SHOWN)
		text = hf_arena_fmt(&s->arena, "%.*s and %zu more places", HF_SV_FMT(text), n - PATHS_SHOWN);
	if (layer.len)
		text = hf_arena_fmt(&s->arena, "%.*s%slayer %.*s", HF_SV_FMT(text), text.len ? " of " : "found in ",
				    HF_SV_FMT(layer));
	hf_jw_kv_if(&s->w, "sourceInfo", text);
}

static void package(struct spdx *s, const struct hf_package *p, hf_sv id)
{
	struct hf_json_writer *w = &s->w;

	hf_jw_object(w);
	hf_jw_kv(w, "SPDXID", id);
	hf_jw_kv(w, "name", p->name.len ? hf_report_name(p) : HF_SV("unknown"));
	hf_jw_kv_if(w, "versionInfo", p->version);
	unknowns(w, declared(s, p));
	hf_jw_kv(w, "primaryPackagePurpose", p->is_main ? HF_SV("APPLICATION") : HF_SV("LIBRARY"));
	source_info(s, p);
	if (p->purl.len) {
		hf_jw_key(w, "externalRefs");
		hf_jw_array(w);
		hf_jw_object(w);
		hf_jw_kv(w, "referenceCategory", HF_SV("PACKAGE-MANAGER"));
		hf_jw_kv(w, "referenceType", HF_SV("purl"));
		hf_jw_kv(w, "referenceLocator", p->purl);
		hf_jw_object_end(w);
		hf_jw_array_end(w);
	}
	hf_jw_object_end(w);
}

static hf_sv target_name(const struct hf_scan_report *r)
{
	const struct hf_artifact *t = r->artifact;

	return t && t->reference.len ? t->reference : t && t->kind.len ? t->kind : HF_SV("target");
}

static bool has_os(const struct hf_scan_report *r)
{
	return r->os.id.len || r->os.name.len;
}

static void root_packages(struct spdx *s)
{
	const struct hf_artifact *t = s->r->artifact;
	const struct hf_os *os = &s->r->os;
	struct hf_json_writer *w = &s->w;

	hf_jw_object(w);
	hf_jw_kv(w, "SPDXID", HF_SV("SPDXRef-Target"));
	hf_jw_kv(w, "name", target_name(s->r));
	if (t)
		hf_jw_kv_if(w, "versionInfo", t->digest.len ? t->digest : t->image_id);
	unknowns(w, HF_SV("NOASSERTION"));
	hf_jw_kv(w, "primaryPackagePurpose", t && t->is_image ? HF_SV("CONTAINER") : HF_SV("OTHER"));
	hf_jw_object_end(w);
	if (!has_os(s->r))
		return;
	hf_jw_object(w);
	hf_jw_kv(w, "SPDXID", HF_SV("SPDXRef-OperatingSystem"));
	hf_jw_kv(w, "name", os->id.len ? os->id : os->name);
	hf_jw_kv_if(w, "versionInfo", os->version_id);
	unknowns(w, HF_SV("NOASSERTION"));
	hf_jw_kv(w, "primaryPackagePurpose", HF_SV("OPERATING_SYSTEM"));
	hf_jw_object_end(w);
}

static void relationship(struct spdx *s, hf_sv from, const char *type, hf_sv to)
{
	hf_jw_object(&s->w);
	hf_jw_kv(&s->w, "spdxElementId", from);
	hf_jw_kv(&s->w, "relationshipType", hf_sv_of(type));
	hf_jw_kv(&s->w, "relatedSpdxElement", to);
	hf_jw_object_end(&s->w);
}

static void relationships(struct spdx *s)
{
	const hf_sv target = HF_SV("SPDXRef-Target");

	hf_jw_key(&s->w, "relationships");
	hf_jw_array(&s->w);
	relationship(s, HF_SV("SPDXRef-DOCUMENT"), "DESCRIBES", target);
	if (has_os(s->r))
		relationship(s, target, "CONTAINS", HF_SV("SPDXRef-OperatingSystem"));
	for (size_t i = 0; i < s->r->packages_n; i++)
		relationship(s, target, "CONTAINS", s->ids[i]);
	hf_jw_array_end(&s->w);
}

static void extracted(struct spdx *s)
{
	if (!s->extracted.n)
		return;
	hf_jw_key(&s->w, "hasExtractedLicensingInfos");
	hf_jw_array(&s->w);
	for (size_t i = 0; i < s->extracted.n; i++) {
		char ref[64];
		licence_ref(ref, s->extracted.entries[i].key);
		hf_jw_object(&s->w);
		hf_jw_kv(&s->w, "licenseId", hf_sv_of(ref));
		hf_jw_kv(&s->w, "name", s->extracted.entries[i].key);
		hf_jw_kv(&s->w, "extractedText", s->extracted.entries[i].key);
		hf_jw_kv(&s->w, "comment", HF_SV("As the package declares it; the text itself was not read."));
		hf_jw_object_end(&s->w);
	}
	hf_jw_array_end(&s->w);
}

static void creation_info(struct spdx *s)
{
	char time[HF_REPORT_TIME_SIZE];
	struct hf_json_writer *w = &s->w;
	hf_sv creator = hf_arena_fmt(&s->arena, "Tool: holdfast-%s", hf_report_version(s->o));

	hf_report_time(time, s->o->source_date_epoch >= 0 ? s->o->source_date_epoch : s->o->now);
	hf_jw_key(w, "creationInfo");
	hf_jw_object(w);
	hf_jw_kv(w, "created", hf_sv_of(time));
	hf_jw_strings(w, "creators", &creator, 1);
	hf_jw_kv(w, "licenseListVersion", HF_SV("3.28"));
	hf_jw_object_end(w);
}

static void body(struct spdx *s)
{
	struct hf_json_writer *w = &s->w;
	char uuid[HF_REPORT_UUID_SIZE];

	hf_jw_object(w);
	hf_jw_kv(w, "spdxVersion", HF_SV("SPDX-2.3"));
	hf_jw_kv(w, "dataLicense", HF_SV("CC0-1.0"));
	hf_jw_kv(w, "SPDXID", HF_SV("SPDXRef-DOCUMENT"));
	hf_jw_kv(w, "name", target_name(s->r));
	hf_report_uuid(uuid, s->r);
	hf_jw_kv(w, "documentNamespace", hf_arena_fmt(&s->arena, "https://spdx.org/spdxdocs/holdfast-%s", uuid));
	creation_info(s);
	hf_jw_key(w, "packages");
	hf_jw_array(w);
	root_packages(s);
	for (size_t i = 0; i < s->r->packages_n; i++)
		package(s, &s->r->packages[i], s->ids[i]);
	hf_jw_array_end(w);
	relationships(s);
	extracted(s);
	hf_jw_object_end(w);
}

static int write_spdx(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
		      struct hf_err *err)
{
	struct spdx s = { .w = hf_report_json(out), .r = r, .o = o, .arena = hf_report_arena() };

	s.extracted = HF_MAP(&s.arena);
	s.taken = HF_MAP(&s.arena);
	s.ids = hf_arena_array(&s.arena, hf_sv, r->packages_n);
	for (size_t i = 0; s.ids && i < r->packages_n; i++)
		s.ids[i] = package_id(&s, &r->packages[i], i);
	if (s.ids)
		body(&s);
	bool over = s.arena.over;
	hf_arena_done(&s.arena);
	if (over)
		return hf_fail(err, HF_E_LIMIT, "the report needs more memory than it may have");
	return hf_report_json_finish(&s.w, out, err);
}

const struct hf_report_format hf_report_format_spdx = {
	.name = "spdx",
	.summary = "SPDX 2.3 JSON",
	.kinds = HF_REPORT_SCAN | HF_REPORT_SBOM,
	.write = write_spdx,
};
