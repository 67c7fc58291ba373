/* dpkg's order: deb-version(7) of dpkg 1.21; Debian Policy 5.6.12.
 * A version is [epoch:]upstream[-revision]. Epochs compare as numbers; then upstream, then revision (missing: "0"), each as
 * alternating runs of non-digits and digits, where '~' sorts before the end and letters before everything else. */
#include "version/version.h"

struct parts {
	uint64_t epoch;
	hf_sv upstream, revision;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_of(hf_sv s, const char *others)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.ptr[i]) && !is_letter(s.ptr[i]) && !(s.ptr[i] && strchr(others, s.ptr[i])))
			return false;
	return true;
}

static bool split(hf_sv v, struct parts *p)
{
	hf_sv epoch;

	*p = (struct parts){ .upstream = hf_sv_trim(v) };
	if (hf_sv_cut(p->upstream, ':', &epoch, &p->upstream) && (!hf_sv_to_u64(epoch, &p->epoch) || p->epoch > INT32_MAX))
		return false;
	if (hf_sv_cut_last(p->upstream, '-', &p->upstream, &p->revision) && !p->revision.len)
		return false;
	return p->upstream.len && is_digit(p->upstream.ptr[0]) && all_of(p->upstream, ".-+~:") && all_of(p->revision, ".+~");
}

static int weight(hf_sv s, size_t at)
{
	if (at >= s.len || is_digit(s.ptr[at]))
		return 0;
	if (s.ptr[at] == '~')
		return -1;
	return is_letter(s.ptr[at]) ? (unsigned char)s.ptr[at] : (unsigned char)s.ptr[at] + 256;
}

static int compare_part(hf_sv a, hf_sv b)
{
	size_t i = 0, j = 0;

	while (i < a.len || j < b.len) {
		while ((i < a.len && !is_digit(a.ptr[i])) || (j < b.len && !is_digit(b.ptr[j]))) {
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
		while (i < a.len && is_digit(a.ptr[i]) && j < b.len && is_digit(b.ptr[j])) {
			if (!first)
				first = a.ptr[i] - b.ptr[j];
			i++;
			j++;
		}
		if (i < a.len && is_digit(a.ptr[i]))
			return 1;
		if (j < b.len && is_digit(b.ptr[j]))
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
	return r < 0 ? HF_ORDER_LESS : r > 0 ? HF_ORDER_GREATER : HF_ORDER_EQUAL;
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
