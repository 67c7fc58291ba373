/* A CVE record, JSON 5.x (https://github.com/CVEProject/cve-schema), as cvelistV5 and CISA's vulnrichment publish it: what
 * the numbering authority (containers.cna) and others (containers.adp, CISA's among them) say of the flaw itself. */
#include "advisory/feed.h"

enum { TITLE_MAX = 240 };

struct record {
	struct hf_arena *arena;
	struct hf_cve cve;
	hf_sv description;
	HF_VEC(struct hf_cvss) cvss;
	const char *complaint;
};

static void read_metadata(struct record *rec, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("cveId")))
			rec->cve.cve = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("state")))
			rec->cve.rejected = hf_sv_eq(hf_json_string(j), HF_SV("REJECTED"));
		else if (hf_sv_eq(key, HF_SV("datePublished")))
			rec->cve.published = hf_feed_date(hf_json_string(j));
		else if (hf_sv_eq(key, HF_SV("dateUpdated")))
			rec->cve.modified = hf_feed_date(hf_json_string(j));
		else
			hf_json_skip(j);
}

static bool is_vector(hf_sv version, hf_sv vector)
{
	if (hf_sv_eq(version, HF_SV("cvssV2_0")))
		return hf_sv_starts(vector, HF_SV("AV:"));
	if (hf_sv_eq(version, HF_SV("cvssV3_0")))
		return hf_sv_starts(vector, HF_SV("CVSS:3.0/"));
	if (hf_sv_eq(version, HF_SV("cvssV3_1")))
		return hf_sv_starts(vector, HF_SV("CVSS:3.1/"));
	return hf_sv_starts(vector, HF_SV("CVSS:4.0/"));
}

/* Who scored is known to the caller alone. */
static void read_metrics(struct record *rec, struct hf_json *j)
{
	hf_sv version, key;

	hf_json_elements(j)
		hf_json_members(j, &version) {
			if (!hf_sv_starts(version, HF_SV("cvssV"))) {
				hf_json_skip(j);
				continue;
			}
			hf_sv vector = { 0 };
			hf_json_members(j, &key)
				if (hf_sv_eq(key, HF_SV("vectorString")))
					vector = hf_json_string(j);
				else
					hf_json_skip(j);
			if (!is_vector(version, vector)) {
				rec->complaint = "a metric without a vector of its version";
				continue;
			}
			struct hf_cvss *slot = hf_vec_push(rec->arena, &rec->cvss);
			if (slot)
				slot->vector = vector;
		}
}

static hf_sv read_short_name(struct hf_json *j)
{
	hf_sv key, name = { 0 };

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("shortName")))
			name = hf_json_string(j);
		else
			hf_json_skip(j);
	return name;
}

/* The English text of a list of { lang, value }, else the first. */
static hf_sv read_text(struct hf_json *j)
{
	hf_sv key, best = { 0 };
	bool english = false;

	hf_json_elements(j) {
		hf_sv lang = { 0 }, value = { 0 };
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("lang")))
				lang = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("value")))
				value = hf_json_string(j);
			else
				hf_json_skip(j);
		if (!best.len || (!english && hf_sv_starts(lang, HF_SV("en")))) {
			best = value;
			english = hf_sv_starts(lang, HF_SV("en"));
		}
	}
	return best;
}

static void read_container(struct record *rec, struct hf_json *j, bool cna)
{
	size_t from = rec->cvss.n;
	hf_sv key, who = { 0 };

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("metrics")))
			read_metrics(rec, j);
		else if (hf_sv_eq(key, HF_SV("providerMetadata")))
			who = read_short_name(j);
		else if (cna && hf_sv_eq(key, HF_SV("title")))
			rec->cve.title = hf_json_string(j);
		else if (cna && (hf_sv_eq(key, HF_SV("descriptions")) || hf_sv_eq(key, HF_SV("rejectedReasons"))))
			rec->description = read_text(j);
		else
			hf_json_skip(j);
	if (cna)
		who = HF_SV("cna");
	else if (hf_sv_eq(who, HF_SV("CISA-ADP")))
		who = HF_SV("cisa-adp");
	for (size_t i = from; i < rec->cvss.n; i++)
		rec->cvss.at[i].source = who;
}

static int cve5_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(a->cap);
	struct record rec = { .arena = &scratch };
	struct hf_json j = hf_json_of(bytes, &scratch);
	hf_sv key;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("cveMetadata"))) {
			read_metadata(&rec, &j);
			continue;
		}
		if (!hf_sv_eq(key, HF_SV("containers"))) {
			hf_json_skip(&j);
			continue;
		}
		hf_json_members(&j, &key)
			if (hf_sv_eq(key, HF_SV("cna")))
				read_container(&rec, &j, true);
			else if (!hf_sv_eq(key, HF_SV("adp")))
				hf_json_skip(&j);
			else
				hf_json_elements(&j)
					read_container(&rec, &j, false);
	}
	if (!hf_json_end(&j) || scratch.over)
		return hf_feed_broken(&j, &scratch, err);
	if (!rec.cve.cve.len || hf_feed_cve_prefix(rec.cve.cve).len != rec.cve.cve.len)
		return hf_fail(err, HF_E_FORMAT, "is not a CVE record");
	rec.cve.title = hf_feed_one_line(rec.cve.title.len ? rec.cve.title : rec.description, TITLE_MAX);
	rec.cve.cvss = rec.cvss.at;
	rec.cve.cvss_n = rec.cvss.n;
	int r = out->cve(out, &rec.cve, err);
	if (r < 0 || !rec.complaint)
		return r;
	return hf_feed_malformed(out, path, hf_sv_of(rec.complaint), err);
}

const struct hf_advisory_reader hf_advisory_reader_cve5 = {
	.name = "cve5",
	.summary = "CVE records (cvelistV5), with CISA's scores",
	.wants = (const char *const[]){ "cve5/**/*.json", NULL },
	.absence = "says nothing of packages: titles and scores of flaws alone",
	.read = cve5_read,
};
