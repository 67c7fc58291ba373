#include "cmd/db_search.h"

#include <unistd.h>

#include "advisory/name.h"
#include "base/limits.h"
#include "base/output.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "cmd/purl_operand.h"
#include "format/json_writer.h"
#include "match/distro.h"

static int finish(struct hf_json_writer *w, struct hf_out *out, int status)
{
	struct hf_err err = { 0 };

	if (hf_jw_finish(w, &err) < 0 || hf_out_flush(out, &err) < 0) {
		log_error("standard output: %s", err.msg);
		status = 2;
	}
	hf_out_done(out);
	return status;
}

static void add_escaped(struct hf_out *out, hf_sv s)
{
	char text[1024];

	hf_out_add(out, (hf_sv){ text, hf_escape_controls(text, sizeof text, s) });
}

static int end(struct hf_out *out, int status)
{
	struct hf_err err = { 0 };

	if (hf_out_flush(out, &err) < 0) {
		log_error("standard output: %s", err.msg);
		status = 2;
	}
	hf_out_done(out);
	return status;
}

static void status_json(const struct hf_database *db, struct hf_json_writer *w)
{
	const struct hf_database_info *info = hf_database_info(db);
	uint64_t records = 0, malformed = 0;

	hf_jw_object(w);
	hf_jw_kv(w, "schema", HF_SV("holdfast/db-status/1"));
	hf_jw_kv_if(w, "built", info->built);
	hf_jw_kv_bool(w, "landmarks_only", info->landmarks_only);
	hf_jw_kv_uint(w, "size", hf_database_size(db));
	hf_jw_key(w, "sources");
	hf_jw_array(w);
	for (size_t i = 0; i < info->sources_n; i++) {
		const struct hf_database_source *s = &info->sources[i];
		if (!s->records && !s->malformed) /* left out by --only */
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "name", s->name);
		hf_jw_kv_if(w, "newest", s->newest);
		hf_jw_kv_uint(w, "records", s->records);
		hf_jw_kv_uint(w, "malformed", s->malformed);
		hf_jw_kv_if(w, "absence", s->absence);
		hf_jw_object_end(w);
		records += s->records;
		malformed += s->malformed;
	}
	hf_jw_array_end(w);
	hf_jw_kv_uint(w, "records", records);
	hf_jw_kv_uint(w, "malformed", malformed);
	hf_jw_object_end(w);
}

int hf_db_print_status(const struct hf_database *db, bool json)
{
	const struct hf_database_info *info = hf_database_info(db);
	struct hf_out out = hf_out_fd(STDOUT_FILENO);

	if (json) {
		struct hf_json_writer w = { .out = &out.buf, .flush = hf_out_sink(&out), .flush_ctx = &out };
		status_json(db, &w);
		return finish(&w, &out, 0);
	}
	hf_out_addf(&out, "built %.*s, %.1f MB%s\n\n", HF_SV_FMT(info->built.len ? info->built : HF_SV("in")),
		    (double)hf_database_size(db) / 1e6,
		    info->landmarks_only ? "; this is only the small set of landmarks that is built into the program: "
					   "make a real one with 'holdfast db build --from DIR'"
					 : "");
	hf_out_addf(&out, "%-20s %-11s %9s %9s  %s\n", "SOURCE", "NEWEST", "RECORDS", "MALFORMED",
		    "WHAT NO RECORD MEANS");
	for (size_t i = 0; i < info->sources_n; i++) {
		const struct hf_database_source *s = &info->sources[i];
		char name[64];
		if (!s->records && !s->malformed)
			continue;
		hf_escape_controls(name, sizeof name, s->name);
		hf_out_addf(&out, "%-20s %-11.*s %9llu %9llu  ", name, HF_SV_FMT(s->newest),
			    (unsigned long long)s->records, (unsigned long long)s->malformed);
		add_escaped(&out, s->absence);
		hf_out_add(&out, HF_SV("\n"));
	}
	return end(&out, 0);
}

/* Which entries of a record's package to show: all of one record, or all of a package. */
static void ranges_json(struct hf_json_writer *w, const struct hf_affected_entry *e)
{
	struct hf_cur ranges = e->ranges, versions = e->versions, arches = e->arches;
	struct hf_range g;
	hf_sv text;

	hf_jw_key(w, "ranges");
	hf_jw_array(w);
	while (hf_affected_entry_range(&ranges, &g)) {
		hf_jw_object(w);
		hf_jw_kv(w, "introduced", g.introduced.len ? g.introduced : HF_SV("0"));
		hf_jw_kv_if(w, "fixed", g.fixed);
		hf_jw_kv_if(w, "last_affected", g.last_affected);
		hf_jw_kv_if(w, "limit", g.limit);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	if (hf_cur_left(&versions)) {
		hf_jw_key(w, "versions");
		hf_jw_array(w);
		while (hf_affected_entry_text(&versions, &text))
			hf_jw_string(w, text);
		hf_jw_array_end(w);
	}
	if (hf_cur_left(&arches)) {
		hf_jw_key(w, "arches");
		hf_jw_array(w);
		while (hf_affected_entry_text(&arches, &text))
			hf_jw_string(w, text);
		hf_jw_array_end(w);
	}
}

static const char *state_name(enum hf_advisory_state state)
{
	static const char *const names[HF_STATE_MAX] = { "ranges",       "not_affected", "open",
							 "will_not_fix", "deferred",     "investigating" };

	return state < HF_STATE_MAX ? names[state] : "unknown";
}

static void entry_json(struct hf_json_writer *w, hf_sv ecosystem, hf_sv package, const struct hf_affected_entry *e)
{
	hf_jw_object(w);
	hf_jw_kv(w, "ecosystem", ecosystem);
	hf_jw_kv(w, "package", package);
	hf_jw_kv(w, "state", hf_sv_of(state_name(e->state)));
	if (e->severity)
		hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(e->severity)));
	hf_jw_kv_if(w, "module", e->module);
	hf_jw_kv_if(w, "channel", e->channel);
	if (e->unimportant)
		hf_jw_kv_bool(w, "unimportant", true);
	if (e->git_only)
		hf_jw_kv_bool(w, "commits_only", true);
	ranges_json(w, e);
	hf_jw_object_end(w);
}

static void texts_json(struct hf_json_writer *w, const char *key, struct hf_cur list)
{
	hf_sv text;

	if (!hf_cur_left(&list))
		return;
	hf_jw_key(w, key);
	hf_jw_array(w);
	while (hf_affected_entry_text(&list, &text))
		hf_jw_string(w, text);
	hf_jw_array_end(w);
}

static void flaw_json(const struct hf_database *db, struct hf_json_writer *w, hf_sv cve)
{
	struct hf_flaw f;
	struct hf_cvss c;
	float score, percentile;

	if (hf_database_epss(db, cve, &score, &percentile)) {
		hf_jw_key(w, "epss");
		hf_jw_fixed(w, (double)score, 5);
		hf_jw_key(w, "epss_percentile");
		hf_jw_fixed(w, (double)percentile, 5);
	}
	if (!hf_database_flaw(db, cve, &f))
		return;
	hf_jw_kv_if(w, "title", f.title);
	if (f.rejected)
		hf_jw_kv_bool(w, "rejected", true);
	if (f.kev) {
		hf_jw_kv_bool(w, "kev", true);
		hf_jw_kv_if(w, "kev_added", f.kev_added);
		hf_jw_kv_bool(w, "kev_ransomware", f.kev_ransomware);
	}
	hf_jw_key(w, "cvss");
	hf_jw_array(w);
	while (hf_record_cvss(&f.cvss, &c)) {
		hf_jw_object(w);
		hf_jw_kv(w, "source", c.source);
		hf_jw_kv(w, "vector", c.vector);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

/* @only_package empty: all packages of the record. */
static void record_json(const struct hf_database *db, uint32_t n, hf_sv only_ecosystem, hf_sv only_package,
			struct hf_json_writer *w)
{
	struct hf_record r;
	hf_sv ecosystem, package;

	if (!hf_database_record(db, n, &r))
		return;
	hf_jw_object(w);
	hf_jw_kv(w, "id", r.id);
	hf_jw_kv(w, "source", r.source);
	texts_json(w, "aliases", r.aliases);
	texts_json(w, "upstream", r.upstream);
	texts_json(w, "mentions", r.mentions);
	hf_jw_kv_if(w, "summary", r.summary);
	hf_jw_kv_if(w, "url", r.url);
	hf_jw_kv_if(w, "published", r.published);
	hf_jw_kv_if(w, "modified", r.modified);
	hf_jw_kv_if(w, "withdrawn", r.withdrawn);
	if (r.severity)
		hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(r.severity)));
	hf_jw_key(w, "affected");
	hf_jw_array(w);
	for (size_t i = 0; hf_record_package(db, n, i, &ecosystem, &package); i++) {
		if (only_package.len && (!hf_sv_eq(package, only_package) || !hf_sv_eq(ecosystem, only_ecosystem)))
			continue;
		struct hf_entries it = hf_database_package(db, ecosystem, package);
		struct hf_affected_entry e;
		while (hf_entries_next(&it, &e))
			if (e.record == n)
				entry_json(w, ecosystem, package, &e);
	}
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void range_text(struct hf_out *out, const struct hf_affected_entry *e)
{
	struct hf_cur ranges = e->ranges, versions = e->versions;
	struct hf_range g;
	hf_sv text;
	size_t n = 0;

	if (e->state != HF_STATE_RANGES)
		hf_out_addf(out, "  %s", state_name(e->state));
	while (hf_affected_entry_range(&ranges, &g)) {
		hf_out_add(out, HF_SV("  >= "));
		add_escaped(out, g.introduced.len ? g.introduced : HF_SV("0"));
		if (g.fixed.len || g.last_affected.len || g.limit.len)
			hf_out_add(out, g.fixed.len           ? HF_SV(", fixed ")
					: g.last_affected.len ? HF_SV(", <= ")
							      : HF_SV(", < "));
		add_escaped(out, g.fixed.len ? g.fixed : g.last_affected.len ? g.last_affected : g.limit);
	}
	while (hf_affected_entry_text(&versions, &text) && n++ < 8) {
		hf_out_add(out, HF_SV("  = "));
		add_escaped(out, text);
	}
	if (hf_cur_left(&versions))
		hf_out_add(out, HF_SV("  …"));
	if (e->git_only)
		hf_out_add(out, HF_SV("  commits only"));
	hf_out_add(out, HF_SV("\n"));
}

static void texts(struct hf_out *out, const char *label, struct hf_cur list)
{
	hf_sv text;

	if (!hf_cur_left(&list))
		return;
	hf_out_addf(out, "  %s", label);
	while (hf_affected_entry_text(&list, &text)) {
		hf_out_add(out, HF_SV(" "));
		add_escaped(out, text);
	}
	hf_out_add(out, HF_SV("\n"));
}

static void record_text(const struct hf_database *db, uint32_t n, hf_sv only_ecosystem, hf_sv only_package,
			struct hf_out *out)
{
	struct hf_record r;
	hf_sv ecosystem, package;

	if (!hf_database_record(db, n, &r))
		return;
	add_escaped(out, r.id);
	hf_out_add(out, HF_SV("  "));
	add_escaped(out, r.source);
	if (r.withdrawn.len)
		hf_out_addf(out, "  withdrawn %.*s", HF_SV_FMT(hf_sv_first(r.withdrawn, 10)));
	hf_out_add(out, HF_SV("\n  "));
	add_escaped(out, r.summary.len ? r.summary : HF_SV("(no summary)"));
	hf_out_add(out, HF_SV("\n"));
	texts(out, "aliases", r.aliases);
	texts(out, "fixes", r.upstream);
	if (r.url.len) {
		hf_out_add(out, HF_SV("  "));
		add_escaped(out, r.url);
		hf_out_add(out, HF_SV("\n"));
	}
	for (size_t i = 0; hf_record_package(db, n, i, &ecosystem, &package); i++) {
		if (only_package.len && (!hf_sv_eq(package, only_package) || !hf_sv_eq(ecosystem, only_ecosystem)))
			continue;
		struct hf_entries it = hf_database_package(db, ecosystem, package);
		struct hf_affected_entry e;
		while (hf_entries_next(&it, &e)) {
			if (e.record != n)
				continue;
			hf_out_add(out, HF_SV("    "));
			add_escaped(out, ecosystem);
			hf_out_add(out, HF_SV(" "));
			add_escaped(out, package);
			range_text(out, &e);
		}
	}
}

struct found {
	uint32_t *at;
	size_t n;
	hf_sv ecosystem, package;
};

static void add_found(struct hf_arena *a, struct found *f, uint32_t n, size_t *slots)
{
	for (size_t i = f->n; i-- > 0;)
		if (f->at[i] == n)
			return;
	uint32_t *at = hf_vec_push_(a, (void **)&f->at, &f->n, slots, sizeof *f->at);
	if (at)
		*at = n;
}

static int find(const struct hf_database *db, hf_sv what, struct hf_arena *a, struct found *f)
{
	size_t slots = 0;
	struct hf_affected_entry e;
	uint32_t n;

	if (!hf_sv_starts(what, HF_SV("pkg:"))) {
		struct hf_cur list = hf_database_records_of(db, what);
		while (hf_record_number(&list, &n))
			add_found(a, f, n, &slots);
		return 0;
	}
	struct hf_purl_operand operand;
	struct hf_distro distro;
	struct hf_err err = { 0 };
	if (hf_purl_operand(what, (hf_sv){ 0 }, (hf_sv){ 0 }, a, &operand, &err) < 0)
		return hf_command_fail(&err);
	const struct hf_package *p = &operand.package;
	hf_distro_of(&operand.os, a, &distro);
	hf_sv language = hf_sv_of(hf_package_type_ecosystem(p->type));
	hf_sv ecosystem = language.len ? language : distro.ecosystem;
	hf_sv name = !language.len && p->source_name.len ? p->source_name : p->name;
	char key[HF_DATABASE_KEY_MAX];
	size_t len = hf_package_key(ecosystem, name, key);
	if (!len || !hf_sv_cut(hf_sv_skip(hf_arena_dup(a, (hf_sv){ key, len }), 1), '\0', &f->ecosystem, &f->package))
		return 0;
	struct hf_entries it = hf_database_package(db, ecosystem, name);
	while (hf_entries_next(&it, &e))
		add_found(a, f, e.record, &slots);
	return 0;
}

int hf_db_print_search(const struct hf_database *db, hf_sv what, bool json)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	struct hf_out out = hf_out_fd(STDOUT_FILENO);
	struct found f = { 0 };

	int r = find(db, what, &a, &f);
	if (r)
		return r;
	if (!json) {
		for (size_t i = 0; i < f.n; i++)
			record_text(db, f.at[i], f.ecosystem, f.package, &out);
		if (!f.n)
			log_note("db search: nothing is known of %.*s", HF_SV_FMT(what));
		return end(&out, 0);
	}
	struct hf_json_writer w = { .out = &out.buf, .flush = hf_out_sink(&out), .flush_ctx = &out };
	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/db-search/1"));
	hf_jw_kv(&w, "query", what);
	flaw_json(db, &w, what);
	hf_jw_key(&w, "records");
	hf_jw_array(&w);
	for (size_t i = 0; i < f.n; i++)
		record_json(db, f.at[i], f.ecosystem, f.package, &w);
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	return finish(&w, &out, 0);
}
