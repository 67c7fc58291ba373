/* Records of the Open Source Vulnerability format, of any ecosystem: one a file, or one a line (*.jsonl).
 * The record's shape is read by osv_record.c; what some databases say in their own way (severities, errata, modules,
 * channels) is put into the model's words by osv_dialect.c. docs/formats/osv.md names the versions and what is not read. */
#include "advisory/osv.h"
#include "base/cursor.h"

/* "osv/PyPI/all.zip!/X.json" is of osv/PyPI; what lies elsewhere is named by its first folder, or plainly "osv". */
static hf_sv source_of(hf_sv path)
{
	hf_sv first, rest;

	if (!hf_sv_cut(path, '/', &first, &rest))
		return HF_SV("osv");
	if (hf_sv_eq(first, HF_SV("landmarks")))
		return first;
	if (!hf_sv_eq(first, HF_SV("osv")) || hf_sv_index(rest, '/') == SIZE_MAX)
		return HF_SV("osv");
	return hf_sv_first(path, 4 + hf_sv_index(rest, '/'));
}

static int read_one(hf_sv path, hf_sv where, hf_sv text, size_t cap, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(cap);
	struct hf_osv_record rec = { .arena = &scratch };
	int r = hf_osv_parse(&rec, text, err);

	if (r < 0)
		return r;
	if (rec.adv.id.len) {
		rec.adv.source = source_of(path);
		r = hf_osv_normalise(&rec, err);
		if (r < 0)
			return r;
		r = out->advisory(out, &rec.adv, err);
		if (r < 0)
			return r;
	}
	if (!rec.complaints)
		return HF_OK;
	hf_sv why = hf_sv_of(rec.complaint);
	if (rec.complaints > 1)
		why = hf_arena_fmt(&scratch, "%s, and %u more", rec.complaint, rec.complaints - 1);
	return hf_feed_malformed(out, where, why.len ? why : hf_sv_of(rec.complaint), err);
}

static int read_lines(hf_sv path, hf_sv bytes, size_t cap, struct hf_advisory_sink *out, struct hf_err *err)
{
	struct hf_cur cur = hf_cur_of(bytes);
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(cap);
	int all = HF_OK;

	for (hf_sv line; all >= 0 && hf_cur_line(&cur, &line);) {
		struct hf_err bad = { 0 };
		if (!hf_sv_trim(line).len)
			continue;
		hf_arena_reset(&scratch);
		hf_sv where = hf_arena_fmt(&scratch, "%.*s:%u", HF_SV_FMT(path), cur.line);
		int r = read_one(path, where.len ? where : path, line, cap, out, &bad);
		if (r == HF_E_FORMAT)
			r = hf_feed_malformed(out, where.len ? where : path, hf_sv_of(bad.msg), err);
		else if (r < 0)
			r = hf_fail(err, r, "%s", bad.msg);
		all = hf_feed_fold(all, r);
	}
	return all;
}

static int osv_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	if (hf_sv_ends(path, HF_SV(".jsonl")))
		return read_lines(path, bytes, a->cap, out, err);
	return read_one(path, path, bytes, a->cap, out, err);
}

const struct hf_advisory_reader hf_advisory_reader_osv = {
	.name = "osv",
	.summary = "OSV records: the export of osv.dev by ecosystem, or any folder of them",
	.wants = (const char *const[]){ "**/*.json", "landmarks/*.jsonl", "osv/**/*.jsonl", "!alpine/**/*.json",
					"!wolfi/security.json", "!chainguard/security.json", "!debian/tracker.json",
					"!cve5/**/*.json", "!cisa/*.json", "!endoflife/*.json", "!csaf/**/*.json",
					"!distro-info/*.json", NULL },
	.absence =
		"every flaw that the ecosystem's database knows is listed; distributions' errata list fixed flaws only",
	.read = osv_read,
};
