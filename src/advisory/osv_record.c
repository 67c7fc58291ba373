/* The shape of an OSV record: https://ossf.github.io/osv-schema/ version 1.7. */
#include "advisory/osv.h"

enum { SUMMARY_MAX = 240 };

void hf_osv_complain(struct hf_osv_record *rec, const char *what)
{
	if (!rec->complaints++)
		rec->complaint = what;
}

bool hf_osv_enter_list(struct hf_osv_record *rec, struct hf_json *j, const char *complaint)
{
	enum hf_json_type type = hf_json_peek(j);

	if (type != HF_JSON_ARRAY && type != HF_JSON_NULL)
		hf_osv_complain(rec, complaint);
	return hf_json_array(j);
}

static hf_sv text_of(struct hf_osv_record *rec, struct hf_json *j, const char *complaint)
{
	enum hf_json_type type = hf_json_peek(j);

	if (type != HF_JSON_STRING && type != HF_JSON_NULL)
		hf_osv_complain(rec, complaint);
	return hf_json_string(j);
}

static void read_ids(struct hf_osv_record *rec, struct hf_json *j, hf_sv_vec *ids)
{
	if (!hf_osv_enter_list(rec, j, "a list of ids is not a list"))
		return;
	while (hf_json_element(j)) {
		hf_sv id = hf_sv_trim(hf_json_string(j));
		if (!id.len)
			hf_osv_complain(rec, "an id in a list is not a string");
		else
			hf_feed_add_once(rec->arena, ids, id);
	}
}

static bool is_cvss(hf_sv type, hf_sv score)
{
	if (hf_sv_eq(type, HF_SV("CVSS_V3")))
		return hf_sv_starts(score, HF_SV("CVSS:3.0/")) || hf_sv_starts(score, HF_SV("CVSS:3.1/"));
	if (hf_sv_eq(type, HF_SV("CVSS_V4")))
		return hf_sv_starts(score, HF_SV("CVSS:4.0/"));
	return hf_sv_eq(type, HF_SV("CVSS_V2")) &&
	       (hf_sv_starts(score, HF_SV("AV:")) || hf_sv_starts(score, HF_SV("CVSS:2")));
}

/* A `severity` list, of the record or (@entry) of one affected package. Vectors of both go to the record. */
static void read_severities(struct hf_osv_record *rec, struct hf_json *j, struct hf_affected *entry)
{
	if (!hf_osv_enter_list(rec, j, "severity is not a list"))
		return;
	while (hf_json_element(j)) {
		hf_sv key, type = { 0 }, score = { 0 };
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("type")))
				type = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("score")))
				score = hf_json_string(j);
			else
				hf_json_skip(j);
		if (hf_sv_eq(type, HF_SV("Ubuntu"))) {
			if (entry)
				entry->severity = hf_feed_severity(score);
			else
				rec->word = score;
			continue;
		}
		if (!is_cvss(type, score)) {
			hf_osv_complain(rec, "a severity is not a vector of its type");
			continue;
		}
		bool there = false;
		for (size_t i = 0; i < rec->cvss.n && !there; i++)
			there = hf_sv_eq(rec->cvss.at[i].vector, score);
		struct hf_cvss *slot = there ? NULL : hf_vec_push(rec->arena, &rec->cvss);
		if (slot)
			slot->vector = score;
	}
}

static void read_package(struct hf_osv_record *rec, struct hf_json *j, struct hf_osv_entry *e)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("ecosystem")))
			e->affected.ecosystem = text_of(rec, j, "an ecosystem is not a string");
		else if (hf_sv_eq(key, HF_SV("name")))
			e->affected.package = text_of(rec, j, "a package's name is not a string");
		else if (hf_sv_eq(key, HF_SV("purl")))
			e->purl = hf_json_string(j);
		else
			hf_json_skip(j);
}

/* ecosystem_specific and database_specific: no schema of OSV's; these keys are in use by the databases named. */
static void read_entry_extra(struct hf_osv_record *rec, struct hf_json *j, struct hf_affected *e)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("urgency"))) { /* Debian */
			hf_sv word = hf_json_string(j);
			e->severity = hf_feed_severity(word);
			e->unimportant = hf_sv_eq(word, HF_SV("unimportant"));
			if (hf_sv_eq(word, HF_SV("end-of-life")))
				e->state = HF_STATE_WILL_NOT_FIX;
		} else if (hf_sv_eq(key, HF_SV("ubuntu_priority")) || hf_sv_eq(key, HF_SV("severity"))) {
			enum hf_severity s = hf_feed_severity(hf_json_string(j));
			e->severity = s ? s : e->severity;
		} else if (hf_sv_eq(key, HF_SV("informational"))) { /* RustSec */
			hf_sv word = hf_json_string(j);
			rec->unmaintained |= hf_sv_eq(word, HF_SV("unmaintained"));
			rec->notice |= word.len && !hf_sv_eq(word, HF_SV("unmaintained"));
		} else if (hf_sv_eq(key, HF_SV("categories"))) { /* RustSec */
			hf_json_elements(j)
				rec->malicious |= hf_sv_eq(hf_json_string(j), HF_SV("malicious"));
		} else {
			hf_json_skip(j);
		}
	}
}

static void read_versions(struct hf_osv_record *rec, struct hf_json *j, hf_sv_vec *versions)
{
	if (!hf_osv_enter_list(rec, j, "versions is not a list"))
		return;
	while (hf_json_element(j)) {
		hf_sv v = hf_json_string(j), *slot = v.len ? hf_vec_push(rec->arena, versions) : NULL;
		if (slot)
			*slot = v;
		else if (!v.len)
			hf_osv_complain(rec, "a version in a list is not a string");
	}
}

static bool starts_nowhere(const hf_range_vec *ranges)
{
	for (size_t i = 0; i < ranges->n; i++)
		if (!hf_sv_eq(ranges->at[i].introduced, HF_SV("0")) || !hf_sv_eq(ranges->at[i].fixed, HF_SV("0")))
			return false;
	return ranges->n;
}

static void read_entry(struct hf_osv_record *rec, struct hf_json *j)
{
	struct hf_osv_entry e = { 0 };
	hf_range_vec ranges = { 0 };
	hf_sv_vec versions = { 0 };
	hf_sv key, raw = { 0 };
	bool git = false;

	if (hf_json_peek(j) != HF_JSON_OBJECT) {
		hf_osv_complain(rec, "an affected entry is not an object");
		hf_json_skip(j);
		return;
	}
	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("package")))
			read_package(rec, j, &e);
		else if (hf_sv_eq(key, HF_SV("severity")))
			read_severities(rec, j, &e.affected);
		else if (hf_sv_eq(key, HF_SV("versions")))
			read_versions(rec, j, &versions);
		else if (hf_sv_eq(key, HF_SV("ecosystem_specific")) || hf_sv_eq(key, HF_SV("database_specific")))
			read_entry_extra(rec, j, &e.affected);
		else if (hf_sv_eq(key, HF_SV("ranges")))
			raw = hf_json_raw(j);
		else
			hf_json_skip(j);
	hf_osv_read_ranges(rec, raw, e.affected.ecosystem, &ranges);
	for (size_t i = 0; i < ranges.n; i++)
		git |= ranges.at[i].kind == HF_RANGE_GIT;
	if (!e.affected.package.len || !e.affected.ecosystem.len) {
		if (!git) /* a repository alone may be named by its commits */
			hf_osv_complain(rec, "an affected entry names no package");
		return;
	}
	if (!ranges.n && !versions.n)
		hf_osv_complain(rec, "an affected entry has neither ranges nor versions");
	e.never_affected = starts_nowhere(&ranges) && !versions.n;
	e.affected.ranges = ranges.at;
	e.affected.ranges_n = ranges.n;
	e.affected.versions = versions.at;
	e.affected.versions_n = versions.n;
	struct hf_osv_entry *slot = hf_vec_push(rec->arena, &rec->entries);
	if (slot)
		*slot = e;
}

static void read_references(struct hf_osv_record *rec, struct hf_json *j)
{
	if (!hf_osv_enter_list(rec, j, "references is not a list"))
		return;
	while (hf_json_element(j)) {
		hf_sv key, type = { 0 }, url = { 0 };
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("type")))
				type = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("url")))
				url = hf_json_string(j);
			else
				hf_json_skip(j);
		bool advisory = hf_sv_eq(type, HF_SV("ADVISORY"));
		if (!rec->reference.len ? advisory || hf_sv_eq(type, HF_SV("WEB"))
					: advisory && !rec->reference_is_advisory) {
			rec->reference = url;
			rec->reference_is_advisory = advisory;
		}
	}
}

static void read_extra(struct hf_osv_record *rec, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("severity"))) { /* GitHub, Bitnami */
			hf_sv word = hf_json_string(j);
			rec->word = rec->word.len ? rec->word : word;
		} else if (hf_sv_eq(key, HF_SV("url"))) { /* Go */
			rec->adv.url = hf_json_string(j);
		} else {
			rec->malicious |= hf_sv_eq(key, HF_SV("malicious-packages-origins"));
			hf_json_skip(j);
		}
	}
}

/* True where the key is one of OSV's. */
static bool read_field(struct hf_osv_record *rec, struct hf_json *j, hf_sv key)
{
	struct hf_advisory *adv = &rec->adv;

	if (hf_sv_eq(key, HF_SV("id")))
		adv->id = hf_sv_trim(hf_json_string(j));
	else if (hf_sv_eq(key, HF_SV("modified")))
		adv->modified = hf_feed_date(text_of(rec, j, "modified is not a date"));
	else if (hf_sv_eq(key, HF_SV("published")))
		adv->published = hf_feed_date(text_of(rec, j, "published is not a date"));
	else if (hf_sv_eq(key, HF_SV("withdrawn")))
		adv->withdrawn = text_of(rec, j, "withdrawn is not a date");
	else if (hf_sv_eq(key, HF_SV("aliases")))
		read_ids(rec, j, &rec->aliases);
	else if (hf_sv_eq(key, HF_SV("upstream")))
		read_ids(rec, j, &rec->upstream);
	else if (hf_sv_eq(key, HF_SV("related")))
		read_ids(rec, j, &rec->related);
	else if (hf_sv_eq(key, HF_SV("summary")))
		adv->summary = hf_feed_one_line(hf_json_string(j), SUMMARY_MAX);
	else if (hf_sv_eq(key, HF_SV("details")))
		rec->details = hf_feed_one_line(hf_json_string(j), SUMMARY_MAX);
	else if (hf_sv_eq(key, HF_SV("severity")))
		read_severities(rec, j, NULL);
	else if (hf_sv_eq(key, HF_SV("references")))
		read_references(rec, j);
	else if (hf_sv_eq(key, HF_SV("database_specific")))
		read_extra(rec, j);
	else if (!hf_sv_eq(key, HF_SV("affected")))
		return false;
	else if (hf_osv_enter_list(rec, j, "affected is not a list"))
		while (hf_json_element(j))
			read_entry(rec, j);
	return true;
}

int hf_osv_parse(struct hf_osv_record *rec, hf_sv text, struct hf_err *err)
{
	struct hf_json j = hf_json_of(text, rec->arena);
	unsigned known = 0;
	hf_sv key;

	if (hf_json_peek(&j) != HF_JSON_OBJECT)
		return hf_fail(err, HF_E_FORMAT, "is not an OSV record");
	hf_json_members(&j, &key)
		if (read_field(rec, &j, key))
			known++;
		else
			hf_json_skip(&j);
	if (!hf_json_end(&j) || rec->arena->over)
		return hf_feed_broken(&j, rec->arena, err);
	if (!known || (!rec->adv.id.len && !rec->entries.n))
		return hf_fail(err, HF_E_FORMAT, "is not an OSV record");
	if (!rec->adv.id.len)
		hf_osv_complain(rec, "the record has no id");
	return HF_OK;
}
