/* dpkg's order: deb-version(7) and lib/dpkg/parsehelp.c, version.c of dpkg 1.21; Debian Policy 5.6.12.
 * A version is [epoch:]upstream[-revision]. Epochs compare as numbers; then upstream, then revision (missing: "0"), each as
 * alternating runs of non-digits and digits, where '~' sorts before the end and letters before everything else.
 * What `dpkg --compare-versions` calls bad syntax, be it an error or a warning, is not a version. */
#include "version/digits.h"

struct parts {
	uint64_t epoch;
	hf_sv upstream, revision;
};

static bool all_of(hf_sv s, const char *others)
{
	for (size_t i = 0; i < s.len; i++)
		if (!hf_is_digit(s.ptr[i]) && !hf_is_letter(s.ptr[i]) && !(s.ptr[i] && strchr(others, s.ptr[i])))
			return false;
	return true;
}

/* What strtol takes, from 0 to INT_MAX. */
static bool parse_epoch(hf_sv s, uint64_t *ret)
{
	bool minus = hf_char_at(s, 0) == '-';

	if (minus || hf_char_at(s, 0) == '+')
		s = hf_sv_skip(s, 1);
	return hf_sv_to_u64(s, ret) && *ret <= (minus ? 0 : INT32_MAX);
}

static hf_sv without_blanks(hf_sv s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = hf_sv_skip(s, 1);
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool split(hf_sv v, struct parts *p)
{
	hf_sv epoch;

	*p = (struct parts){ .upstream = without_blanks(v) };
	if (hf_sv_cut(p->upstream, ':', &epoch, &p->upstream) && !parse_epoch(epoch, &p->epoch))
		return false;
	if (hf_sv_cut_last(p->upstream, '-', &p->upstream, &p->revision) && !p->revision.len)
		return false;
	return p->upstream.len && hf_is_digit(p->upstream.ptr[0]) && all_of(p->upstream, ".-+~:") &&
	       all_of(p->revision, ".+~");
}

static int weight(hf_sv s, size_t at)
{
	if (at >= s.len || hf_is_digit(s.ptr[at]))
		return 0;
	if (s.ptr[at] == '~')
		return -1;
	return hf_is_letter(s.ptr[at]) ? (unsigned char)s.ptr[at] : (unsigned char)s.ptr[at] + 256;
}

static int compare_part(hf_sv a, hf_sv b)
{
	size_t i = 0, j = 0;

	while (i < a.len || j < b.len) {
		while ((i < a.len && !hf_is_digit(a.ptr[i])) || (j < b.len && !hf_is_digit(b.ptr[j]))) {
			int d = weight(a, i) - weight(b, j);
			if (d)
				return d;
			i++;
			j++;
		}
		while (i < a.len && a.ptr[i] == '0')
			i++;
		while (j < b.len && b.ptr[j] == '0')
			j++;
		int first = 0;
		while (i < a.len && hf_is_digit(a.ptr[i]) && j < b.len && hf_is_digit(b.ptr[j])) {
			if (!first)
				first = a.ptr[i] - b.ptr[j];
			i++;
			j++;
		}
		if (i < a.len && hf_is_digit(a.ptr[i]))
			return 1;
		if (j < b.len && hf_is_digit(b.ptr[j]))
			return -1;
		if (first)
			return first;
	}
	return 0;
}

static enum hf_order deb_compare(hf_sv a, hf_sv b)
{
	struct parts x, y;

	if (!split(a, &x) || !split(b, &y))
		return HF_ORDER_UNKNOWN;
	int r = (x.epoch > y.epoch) - (x.epoch < y.epoch);
	if (!r)
		r = compare_part(x.upstream, y.upstream);
	if (!r)
		r = compare_part(x.revision, y.revision);
	return hf_order_of(r);
}

static bool deb_valid(hf_sv v)
{
	struct parts p;

	return split(v, &p);
}

const struct hf_version_scheme hf_version_scheme_deb = {
	.name = "deb",
	.summary = "dpkg: [epoch:]upstream[-revision], '~' before the end",
	.valid = deb_valid,
	.compare = deb_compare,
};
