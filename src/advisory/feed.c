#include "advisory/feed.h"

enum hf_severity hf_feed_severity(hf_sv word)
{
	static const struct {
		hf_sv word;
		enum hf_severity severity;
	} words[] = {
		{ HF_SV_INIT("negligible"), HF_SEV_NEGLIGIBLE },
		{ HF_SV_INIT("unimportant"), HF_SEV_NEGLIGIBLE },
		{ HF_SV_INIT("low"), HF_SEV_LOW },
		{ HF_SV_INIT("medium"), HF_SEV_MEDIUM },
		{ HF_SV_INIT("moderate"), HF_SEV_MEDIUM },
		{ HF_SV_INIT("high"), HF_SEV_HIGH },
		{ HF_SV_INIT("important"), HF_SEV_HIGH },
		{ HF_SV_INIT("critical"), HF_SEV_CRITICAL },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq_ascii(word, words[i].word))
			return words[i].severity;
	return HF_SEV_UNKNOWN;
}

hf_sv hf_feed_date(hf_sv date)
{
	uint64_t year;

	if (date.len < 10 || !hf_sv_to_u64(hf_sv_first(date, 4), &year) || year < 1970)
		return (hf_sv){ 0 };
	return date;
}

hf_sv hf_feed_one_line(hf_sv text, size_t max)
{
	text = hf_sv_trim(text);
	text = hf_sv_first(text, hf_sv_index(text, '\n'));
	if (text.len > max) {
		text.len = max;
		while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	return hf_sv_trim(text);
}

static size_t digits(hf_sv s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
		n++;
	return n;
}

hf_sv hf_feed_cve_prefix(hf_sv s)
{
	if (!hf_sv_starts(s, HF_SV("CVE-")) || digits(hf_sv_skip(s, 4)) != 4 || s.len < 10 || s.ptr[8] != '-')
		return (hf_sv){ 0 };
	size_t n = digits(hf_sv_skip(s, 9));
	return n < 4 ? (hf_sv){ 0 } : hf_sv_first(s, 9 + n);
}

bool hf_feed_add_once(struct hf_arena *a, hf_sv_vec *list, hf_sv s)
{
	if (!s.len)
		return true;
	for (size_t i = 0; i < list->n; i++)
		if (hf_sv_eq(list->at[i], s))
			return true;
	hf_sv *slot = hf_vec_push(a, list);
	if (slot)
		*slot = s;
	return slot;
}

int hf_feed_malformed(struct hf_advisory_sink *out, hf_sv where, hf_sv why, struct hf_err *err)
{
	int r = out->malformed(out, where, why, err);

	return r < 0 ? r : HF_PARTIAL;
}

int hf_feed_broken(const struct hf_json *j, const struct hf_arena *scratch, struct hf_err *err)
{
	if (scratch->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j->at, j->why ? j->why : "is not of this format");
}
