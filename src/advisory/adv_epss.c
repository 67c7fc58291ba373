/* FIRST's EPSS scores: https://epss.cyentia.com/epss_scores-YYYY-MM-DD.csv.gz, given inflated.
 *
 * #model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000
 * cve,epss,percentile
 * CVE-1999-0001,0.03351,0.8765 */
#include <stdlib.h>

#include "advisory/feed.h"
#include "base/buffer.h"
#include "base/cursor.h"

/* A number from 0 to 1, as "0.5" or "1e-05". */
static bool probability(hf_sv s, float *ret)
{
	char text[32], *end;

	if (!s.len || s.len >= sizeof text || s.ptr[0] == '-' || s.ptr[0] == '+')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!s.ptr[i] || !strchr("0123456789.eE+-", s.ptr[i]))
			return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = 0;
	double v = strtod(text, &end);
	if (*end || end == text || !(v >= 0 && v <= 1))
		return false;
	*ret = (float)v;
	return true;
}

static int read_row(hf_sv path, uint32_t line_no, hf_sv line, struct hf_advisory_sink *out, struct hf_err *err)
{
	struct hf_epss epss = { 0 };
	hf_sv score, percentile, more;

	if (hf_sv_cut(line, ',', &epss.cve, &score) && hf_sv_cut(score, ',', &score, &percentile)) {
		hf_sv_cut(percentile, ',', &percentile, &more);
		if (hf_feed_cve_prefix(epss.cve).len == epss.cve.len && epss.cve.len &&
		    probability(score, &epss.score) && probability(percentile, &epss.percentile))
			return out->epss(out, &epss, err);
	}
	hf_cleanup(hf_buf_done) struct hf_buf where = HF_BUF(256);
	hf_buf_addf(&where, "%.*s:%u", HF_SV_FMT(hf_sv_first(hf_sv_basename(path), 128)), line_no);
	return hf_feed_malformed(out, hf_buf_view(&where), HF_SV("not a CVE with its two numbers"), err);
}

static int epss_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	struct hf_cur cur = hf_cur_of(bytes);
	bool header = false;
	int all = HF_OK;

	(void)a;
	for (hf_sv line; all >= 0 && hf_cur_line(&cur, &line);) {
		if (hf_sv_starts(line, HF_SV("#"))) {
			size_t at = hf_sv_find(line, HF_SV("score_date:"));
			hf_sv date = hf_feed_date(hf_sv_slice(line, at == SIZE_MAX ? line.len : at + 11, 10));
			if (date.len)
				all = hf_feed_fold(all, out->dated(out, date, err));
		} else if (hf_sv_starts(line, HF_SV("cve,"))) {
			header = true;
		} else if (!header && line.len) {
			return hf_fail(err, HF_E_FORMAT, "line %u: is not a table of EPSS scores", cur.line);
		} else if (line.len) {
			all = hf_feed_fold(all, read_row(path, cur.line, line, out, err));
		}
	}
	if (all >= 0 && !header)
		return hf_fail(err, HF_E_FORMAT, "is not a table of EPSS scores");
	return all;
}

const struct hf_advisory_reader hf_advisory_reader_epss = {
	.name = "epss",
	.summary = "FIRST's EPSS: how likely a flaw is to be exploited in the next 30 days",
	.wants = (const char *const[]){ "epss/*.csv", NULL },
	.absence = "not scored by FIRST",
	.read = epss_read,
};
