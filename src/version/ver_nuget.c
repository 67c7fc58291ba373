/* NuGet's order: NuGetVersion and VersionComparer of NuGet.Versioning 6
 * (https://learn.microsoft.com/nuget/concepts/package-versioning). One to four numbers of 32 bits, with leading zeros allowed,
 * then labels as in Semantic Versioning but compared without case, and numbers only where they fit 32 bits. */
#include "version/digits.h"

struct nuget {
	hf_sv numbers[4];
	hf_sv labels;
	bool has_labels;
};

static bool fits_int32(hf_sv digits)
{
	uint64_t n;

	digits = hf_digits_bare(digits);
	return !digits.len || (digits.len <= 10 && hf_sv_to_u64(digits, &n) && n <= INT32_MAX);
}

static bool are_labels(hf_sv s)
{
	for (hf_sv field; s.ptr && hf_sv_next(&s, '.', &field);) {
		if (!field.len)
			return false;
		for (size_t i = 0; i < field.len; i++)
			if (!hf_is_digit(field.ptr[i]) && !hf_is_letter(field.ptr[i]) && field.ptr[i] != '-')
				return false;
	}
	return true;
}

static bool parse(hf_sv v, struct nuget *ret)
{
	hf_sv metadata, field;
	size_t n = 0;

	*ret = (struct nuget){ 0 };
	v = hf_sv_trim(v);
	if (hf_sv_cut(v, '+', &v, &metadata) && (!metadata.len || !are_labels(metadata)))
		return false;
	ret->has_labels = hf_sv_cut(v, '-', &v, &ret->labels);
	if (!v.len || (ret->has_labels && (!ret->labels.len || !are_labels(ret->labels))))
		return false;
	while (v.ptr && hf_sv_next(&v, '.', &field)) {
		if (n == HF_ARRAY_SIZE(ret->numbers) || !hf_digits_all(field) || !fits_int32(field))
			return false;
		ret->numbers[n++] = field;
	}
	return true;
}

static bool label_number(hf_sv label, int64_t *ret)
{
	bool minus = hf_char_at(label, 0) == '-';
	hf_sv digits = hf_digits_bare(hf_sv_skip(label, minus));
	uint64_t n = 0;

	if (!hf_digits_all(hf_sv_skip(label, minus)) || digits.len > 10 || (digits.len && !hf_sv_to_u64(digits, &n)))
		return false;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return *ret >= INT32_MIN && *ret <= INT32_MAX;
}

static int compare_ignoring_case(hf_sv a, hf_sv b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		int d = hf_ascii_lower(a.ptr[i]) - hf_ascii_lower(b.ptr[i]);
		if (d)
			return d;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int compare_labels(hf_sv a, hf_sv b)
{
	hf_sv x, y;

	for (;;) {
		bool more = a.ptr && hf_sv_next(&a, '.', &x);
		bool other_more = b.ptr && hf_sv_next(&b, '.', &y);
		if (!more || !other_more)
			return (int)more - (int)other_more;
		int64_t m, n;
		bool number = label_number(x, &m), other_number = label_number(y, &n);
		if (number != other_number)
			return number ? -1 : 1;
		int r = number ? (m > n) - (m < n) : compare_ignoring_case(x, y);
		if (r)
			return r;
	}
}

static enum hf_order nuget_compare(hf_sv a, hf_sv b)
{
	struct nuget x, y;
	int r = 0;

	if (!parse(a, &x) || !parse(b, &y))
		return HF_ORDER_UNKNOWN;
	for (size_t i = 0; i < HF_ARRAY_SIZE(x.numbers) && !r; i++)
		r = hf_digits_cmp(x.numbers[i], y.numbers[i]);
	if (!r)
		r = (int)y.has_labels - (int)x.has_labels;
	if (!r && x.has_labels)
		r = compare_labels(x.labels, y.labels);
	return hf_order_of(r);
}

static bool nuget_valid(hf_sv v)
{
	struct nuget n;

	return parse(v, &n);
}

const struct hf_version_scheme hf_version_scheme_nuget = {
	.name = "nuget",
	.summary = "NuGet: one to four numbers, labels without case",
	.valid = nuget_valid,
	.compare = nuget_compare,
};
