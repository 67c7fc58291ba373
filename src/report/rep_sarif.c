/* SARIF 2.1.0 (OASIS, errata 01), as code hosts read it: a rule an advisory, a result a flaw in a package. */
#include "report/common.h"

#include <stdio.h>

#include "base/map.h"

struct sarif {
	struct hf_json_writer w;
	const struct hf_scan_report *r;
	const struct hf_report_options *o;
	struct hf_arena arena;
	struct hf_map rules; /* id -> index + 1 in .value */
};

static const char *level_of(enum hf_severity s, bool counts)
{
	if (!counts || s <= HF_SEV_LOW)
		return "note";
	return s == HF_SEV_MEDIUM ? "warning" : "error";
}

/* Code hosts sort by this number; where nobody scored, the middle of the severity's band of CVSS 3.1. */
static double security_severity(const struct hf_vulnerability *v)
{
	static const double bands[HF_SEV_MAX] = { 0, 2, 2, 5.5, 8, 9.5 };
	double best = -1;

	for (size_t i = 0; i < v->cvss_n; i++)
		if (v->cvss[i].score > best)
			best = v->cvss[i].score;
	return best >= 0 ? best : bands[hf_finding_severity(v)];
}

/* RFC 3986: what is not unreserved or '/' is escaped, so that any path is a valid relative reference. */
static void put_uri(struct sarif *s, hf_sv path)
{
	struct hf_buf b = HF_BUF(3 * path.len + 8);

	while (hf_sv_starts(path, HF_SV("/")))
		path = hf_sv_skip(path, 1);
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    strchr("-._~/", c ? c : '%'))
			hf_buf_add_char(&b, (char)c);
		else
			hf_buf_addf(&b, "%%%02X", c);
	}
	hf_jw_kv(&s->w, "uri", hf_buf_view(&b));
	hf_buf_done(&b);
}

static void message(struct sarif *s, const char *key, hf_sv text)
{
	hf_jw_key(&s->w, key);
	hf_jw_object(&s->w);
	hf_jw_kv(&s->w, "text", text);
	hf_jw_object_end(&s->w);
}

static void rule_properties(struct sarif *s, double score, const char *tag)
{
	char text[16];

	hf_jw_key(&s->w, "properties");
	hf_jw_object(&s->w);
	snprintf(text, sizeof text, "%.1f", score);
	hf_jw_kv(&s->w, "security-severity", hf_sv_of(text));
	hf_jw_key(&s->w, "tags");
	hf_jw_array(&s->w);
	hf_jw_string(&s->w, HF_SV("security"));
	hf_jw_string(&s->w, hf_sv_of(tag));
	hf_jw_array_end(&s->w);
	hf_jw_object_end(&s->w);
}

static bool new_rule(struct sarif *s, hf_sv id)
{
	struct hf_map_entry *e = hf_map_put(&s->rules, id);

	if (!e || e->value)
		return false;
	e->value = (void *)(uintptr_t)s->rules.n;
	return true;
}

static void rule_of_flaw(struct sarif *s, const struct hf_vulnerability *v)
{
	struct hf_json_writer *w = &s->w;

	if (!hf_filter_shows(&s->o->filter, v) || !new_rule(s, v->id))
		return;
	hf_jw_object(w);
	hf_jw_kv(w, "id", v->id);
	hf_jw_kv(w, "name", HF_SV("VulnerablePackage"));
	message(s, "shortDescription", v->title.len ? v->title : v->id);
	message(s, "fullDescription", v->title.len ? v->title : v->id);
	if (hf_sv_starts(v->advisory_url, HF_SV("https://")) || hf_sv_starts(v->advisory_url, HF_SV("http://"))) {
		hf_jw_key(w, "help");
		hf_jw_object(w);
		hf_jw_kv(w, "text",
			 hf_arena_fmt(&s->arena, "%.*s: %.*s", HF_SV_FMT(v->id), HF_SV_FMT(v->advisory_url)));
		hf_jw_object_end(w);
	} else {
		message(s, "help",
			hf_arena_fmt(&s->arena, "%.*s, from %.*s", HF_SV_FMT(v->id), HF_SV_FMT(v->advisory_source)));
	}
	rule_properties(s, security_severity(v), "vulnerability");
	hf_jw_object_end(w);
}

static void rule_of_config(struct sarif *s, const struct hf_misconfiguration *m)
{
	static const double bands[HF_SEV_MAX] = { 0, 2, 2, 5.5, 8, 9.5 };

	if (!hf_filter_shows_config(&s->o->filter, m) || !new_rule(s, m->id))
		return;
	hf_jw_object(&s->w);
	hf_jw_kv(&s->w, "id", m->id);
	hf_jw_kv(&s->w, "name", HF_SV("Misconfiguration"));
	message(s, "shortDescription", m->title.len ? m->title : m->id);
	hf_sv what = m->why.len ? m->why : m->message;
	message(s, "fullDescription", what.len ? what : m->title.len ? m->title : m->id);
	message(s, "help", m->fix.len ? m->fix : m->title.len ? m->title : m->id);
	rule_properties(s, bands[m->severity], "misconfiguration");
	hf_jw_object_end(&s->w);
}

static void tool(struct sarif *s)
{
	struct hf_json_writer *w = &s->w;

	hf_jw_key(w, "tool");
	hf_jw_object(w);
	hf_jw_key(w, "driver");
	hf_jw_object(w);
	hf_jw_kv(w, "name", HF_SV("holdfast"));
	hf_jw_kv(w, "version", hf_sv_of(hf_report_version(s->o)));
	hf_jw_key(w, "rules");
	hf_jw_array(w);
	for (size_t i = 0; i < s->r->vulnerabilities_n; i++)
		rule_of_flaw(s, &s->r->vulnerabilities[i]);
	for (size_t i = 0; i < s->r->misconfigurations_n; i++)
		rule_of_config(s, &s->r->misconfigurations[i]);
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	hf_jw_object_end(w);
}

static void location(struct sarif *s, hf_sv path, uint32_t line, hf_sv purl)
{
	struct hf_json_writer *w = &s->w;

	hf_jw_key(w, "locations");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_key(w, "physicalLocation");
	hf_jw_object(w);
	hf_jw_key(w, "artifactLocation");
	hf_jw_object(w);
	/* code hosts refuse a result without a place: what belongs to the image as a whole stands at its root */
	put_uri(s, path.len ? path : HF_SV("."));
	hf_jw_kv(w, "uriBaseId", HF_SV("ROOT"));
	hf_jw_object_end(w);
	if (path.len) {
		hf_jw_key(w, "region");
		hf_jw_object(w);
		hf_jw_kv_uint(w, "startLine", line ? line : 1);
		hf_jw_object_end(w);
	}
	hf_jw_object_end(w);
	if (purl.len) {
		hf_jw_key(w, "logicalLocations");
		hf_jw_array(w);
		hf_jw_object(w);
		hf_jw_kv(w, "fullyQualifiedName", purl);
		hf_jw_kv(w, "kind", HF_SV("package"));
		hf_jw_object_end(w);
		hf_jw_array_end(w);
	}
	hf_jw_object_end(w);
	hf_jw_array_end(w);
}

/* The start of a result, with its identity from run to run: the flaw, the package without its version, the place. */
static void result_begin(struct sarif *s, hf_sv id, const char *level, hf_sv what, hf_sv path)
{
	struct hf_map_entry *e = hf_map_find(&s->rules, id);
	char print[HF_REPORT_ID_SIZE];
	hf_sv parts[] = { id, what, path };

	hf_jw_object(&s->w);
	hf_jw_kv(&s->w, "ruleId", id);
	if (e && e->value)
		hf_jw_kv_uint(&s->w, "ruleIndex", (uint64_t)(uintptr_t)e->value - 1);
	hf_jw_kv(&s->w, "level", hf_sv_of(level));
	hf_report_id(print, parts, HF_ARRAY_SIZE(parts));
	hf_jw_key(&s->w, "partialFingerprints");
	hf_jw_object(&s->w);
	hf_jw_kv(&s->w, "holdfastFinding/v1", hf_sv_of(print));
	hf_jw_object_end(&s->w);
}

static hf_sv flaw_text(struct sarif *s, const struct hf_vulnerability *v, const struct hf_package *p)
{
	hf_sv name = p ? hf_report_name(p) : HF_SV("a package");

	if (v->fixed.len)
		return hf_arena_fmt(&s->arena, "%.*s %.*s has %.*s (%s). Fixed in %.*s.", HF_SV_FMT(name),
				    HF_SV_FMT(v->installed), HF_SV_FMT(v->id), hf_severity_name(v->severity),
				    HF_SV_FMT(v->fixed));
	return hf_arena_fmt(&s->arena, "%.*s %.*s has %.*s (%s). No fixed version is known: %s.", HF_SV_FMT(name),
			    HF_SV_FMT(v->installed), HF_SV_FMT(v->id), hf_severity_name(v->severity),
			    hf_status_name(v->status));
}

static void result_of_flaw(struct sarif *s, const struct hf_vulnerability *v)
{
	const struct hf_package *p = hf_report_package(s->r, v->package);
	struct hf_json_writer *w = &s->w;

	if (!hf_filter_shows(&s->o->filter, v))
		return;
	hf_sv path = p ? p->path : (hf_sv){ 0 }, purl = p ? p->purl : (hf_sv){ 0 };
	result_begin(s, v->id, level_of(hf_finding_severity(v), hf_finding_counts(v)), p ? p->name : purl, path);
	message(s, "message", flaw_text(s, v, p));
	location(s, path, p ? p->line : 0, purl);
	hf_jw_key(w, "suppressions");
	hf_jw_array(w);
	if (v->suppressed_by.len) {
		hf_jw_object(w);
		hf_jw_kv(w, "kind", HF_SV("external"));
		hf_jw_kv(w, "justification", v->suppressed_why.len ? v->suppressed_why : v->suppressed_by);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_key(w, "properties");
	hf_jw_object(w);
	hf_jw_kv_if(w, "installed", v->installed);
	hf_jw_kv_if(w, "fixed", v->fixed);
	hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(v->severity)));
	hf_jw_kv_if(w, "severitySource", v->severity_source);
	hf_jw_kv(w, "status", hf_sv_of(hf_status_name(v->status)));
	hf_jw_kv(w, "class", hf_sv_of(hf_finding_class(v)));
	if (v->kev)
		hf_jw_kv_bool(w, "kev", true);
	if (v->epss >= 0) {
		hf_jw_key(w, "epss");
		hf_jw_fixed(w, (double)v->epss, 5);
	}
	hf_jw_kv_if(w, "advisory", v->advisory_id);
	hf_jw_kv_if(w, "rule", v->rule);
	hf_jw_kv_if(w, "layer", p ? hf_report_diff_id(s->r, p->layer) : (hf_sv){ 0 });
	hf_jw_object_end(w);
	hf_jw_object_end(w);
}

static void result_of_config(struct sarif *s, const struct hf_misconfiguration *m)
{
	struct hf_json_writer *w = &s->w;

	if (!hf_filter_shows_config(&s->o->filter, m))
		return;
	result_begin(s, m->id, level_of(m->severity, true), m->message, m->path);
	message(s, "message", m->message.len ? m->message : m->title.len ? m->title : m->id);
	location(s, m->path, m->line, (hf_sv){ 0 });
	if (m->baseline)
		hf_jw_kv(w, "baselineState", hf_sv_of(m->baseline));
	if (m->made_from.len) {
		hf_jw_key(w, "properties");
		hf_jw_object(w);
		hf_jw_kv(w, "template", m->made_from);
		hf_jw_object_end(w);
	}
	hf_jw_object_end(w);
}

static void results(struct sarif *s)
{
	hf_jw_key(&s->w, "results");
	hf_jw_array(&s->w);
	for (size_t i = 0; i < s->r->vulnerabilities_n; i++)
		result_of_flaw(s, &s->r->vulnerabilities[i]);
	for (size_t i = 0; i < s->r->misconfigurations_n; i++)
		result_of_config(s, &s->r->misconfigurations[i]);
	hf_jw_array_end(&s->w);
}

static void notification(struct sarif *s, const char *level, hf_sv text)
{
	hf_jw_object(&s->w);
	hf_jw_kv(&s->w, "level", hf_sv_of(level));
	message(s, "message", text);
	hf_jw_object_end(&s->w);
}

/* What limits the answer: what was not read, what has no verdict, notes. */
static void invocation(struct sarif *s)
{
	const struct hf_scan_report *r = s->r;
	struct hf_json_writer *w = &s->w;

	hf_jw_key(w, "invocations");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_kv_bool(w, "executionSuccessful", true);
	hf_jw_key(w, "toolExecutionNotifications");
	hf_jw_array(w);
	for (size_t i = 0; i < r->notes_n; i++)
		notification(s, "note", r->notes[i]);
	for (size_t i = 0; i < r->undecided_n; i++) {
		const struct hf_package *p = hf_report_package(r, r->undecided[i].package);
		notification(s, "warning",
			     hf_arena_fmt(&s->arena, "no verdict for %.*s: %.*s",
					  HF_SV_FMT(p ? p->purl : HF_SV("the system")),
					  HF_SV_FMT(r->undecided[i].reason)));
	}
	for (size_t i = 0; i < r->unparsed_n; i++)
		notification(s, "warning",
			     hf_arena_fmt(&s->arena, "not read: %.*s: %.*s", HF_SV_FMT(r->unparsed[i].path),
					  HF_SV_FMT(r->unparsed[i].reason)));
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	hf_jw_array_end(w);
}

static int write_sarif(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
		       struct hf_err *err)
{
	struct sarif s = { .w = hf_report_json(out), .r = r, .o = o, .arena = hf_report_arena() };
	struct hf_json_writer *w = &s.w;

	s.rules = HF_MAP(&s.arena);
	hf_jw_object(w);
	hf_jw_kv(w, "$schema", HF_SV("https://json.schemastore.org/sarif-2.1.0.json"));
	hf_jw_kv(w, "version", HF_SV("2.1.0"));
	hf_jw_key(w, "runs");
	hf_jw_array(w);
	hf_jw_object(w);
	tool(&s);
	invocation(&s);
	hf_jw_key(w, "originalUriBaseIds");
	hf_jw_object(w);
	hf_jw_key(w, "ROOT");
	hf_jw_object(w);
	message(&s, "description", HF_SV("The root of the scanned file system"));
	hf_jw_object_end(w);
	hf_jw_object_end(w);
	results(&s);
	hf_jw_key(w, "properties");
	hf_jw_object(w);
	hf_report_json_target(w, r);
	hf_jw_object_end(w);
	hf_jw_object_end(w);
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	bool over = s.arena.over;
	hf_arena_done(&s.arena);
	if (over)
		return hf_fail(err, HF_E_LIMIT, "the report needs more memory than it may have");
	return hf_report_json_finish(w, out, err);
}

const struct hf_report_format hf_report_format_sarif = {
	.name = "sarif",
	.summary = "SARIF 2.1.0, for code hosts and editors",
	.kinds = HF_REPORT_SCAN,
	.write = write_sarif,
};
