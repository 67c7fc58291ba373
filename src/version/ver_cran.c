/* R's order: numeric_version and package_version of R's base ("Writing R Extensions", section 1.1.1): numbers between '.' or '-',
 * which mean the same; lists compare number by number, a shorter one before its extension. */
#include "version/digits.h"

static bool is_separator(char c)
{
	return c == '.' || c == '-';
}

static bool cran_valid(hf_sv v)
{
	bool in_number = false;

	for (size_t i = 0; i < v.len; i++) {
		if (!hf_is_digit(v.ptr[i]) && !(in_number && is_separator(v.ptr[i])))
			return false;
		in_number = hf_is_digit(v.ptr[i]);
	}
	return in_number;
}

static bool next_number(hf_sv *rest, hf_sv *ret)
{
	*ret = hf_digits_at(*rest, 0);
	*rest = hf_sv_skip(*rest, ret->len + 1);
	return ret->len;
}

static enum hf_order cran_compare(hf_sv a, hf_sv b)
{
	if (!cran_valid(a) || !cran_valid(b))
		return HF_ORDER_UNKNOWN;
	for (;;) {
		hf_sv x, y;
		bool more = next_number(&a, &x), other_more = next_number(&b, &y);
		int r = more && other_more ? hf_digits_cmp(x, y) : (int)more - (int)other_more;
		if (r || !more)
			return hf_order_of(r);
	}
}

const struct hf_version_scheme hf_version_scheme_cran = {
	.name = "cran",
	.summary = "R: numbers between '.' or '-'",
	.valid = cran_valid,
	.compare = cran_compare,
};
