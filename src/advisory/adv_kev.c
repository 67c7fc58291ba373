/* CISA's catalog of known exploited vulnerabilities:
 * https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json and its schema beside it. */
#include "advisory/feed.h"

static int read_entry(struct hf_json *j, hf_sv path, struct hf_advisory_sink *out, struct hf_err *err)
{
	struct hf_kev kev = { 0 };
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("cveID")))
			kev.cve = hf_sv_trim(hf_json_string(j));
		else if (hf_sv_eq(key, HF_SV("dateAdded")))
			kev.date_added = hf_feed_date(hf_json_string(j));
		else if (hf_sv_eq(key, HF_SV("dueDate")))
			kev.due_date = hf_feed_date(hf_json_string(j));
		else if (hf_sv_eq(key, HF_SV("knownRansomwareCampaignUse")))
			kev.ransomware = hf_sv_eq_ascii(hf_json_string(j), HF_SV("Known"));
		else
			hf_json_skip(j);
	if (j->why)
		return HF_OK;
	if (!kev.cve.len)
		return hf_feed_malformed(out, path, HF_SV("an entry without a CVE"), err);
	return out->kev(out, &kev, err);
}

static int kev_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(a->cap);
	struct hf_json j = hf_json_of(bytes, &scratch);
	hf_sv key, date = { 0 };
	bool any = false;
	int all = HF_OK;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("dateReleased"))) {
			date = hf_feed_date(hf_json_string(&j));
			if (date.len)
				all = hf_feed_fold(all, out->dated(out, date, err));
		} else if (!hf_sv_eq(key, HF_SV("vulnerabilities"))) {
			hf_json_skip(&j);
		} else {
			any = true;
			hf_json_elements(&j) {
				all = hf_feed_fold(all, read_entry(&j, path, out, err));
				if (all >= 0 && scratch.over)
					all = hf_feed_broken(&j, &scratch, err);
				if (all < 0)
					return all;
				hf_arena_reset(&scratch);
			}
		}
		if (all < 0)
			return all;
	}
	if (!hf_json_end(&j) || scratch.over)
		return hf_feed_broken(&j, &scratch, err);
	return any ? all : hf_fail(err, HF_E_FORMAT, "has no vulnerabilities: not the catalog");
}

const struct hf_advisory_reader hf_advisory_reader_kev = {
	.name = "kev",
	.summary = "CISA's catalog of known exploited vulnerabilities",
	.wants = (const char *const[]){ "cisa/*.json", NULL },
	.absence = "not known to CISA to be exploited",
	.read = kev_read,
};
