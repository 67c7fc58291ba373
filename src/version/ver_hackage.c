/* Haskell's order: Distribution.Version of Cabal (the Package Versioning Policy, https://pvp.haskell.org): numbers between dots,
 * without leading zeros and of at most nine digits each; lists compare number by number, a shorter one before its extension. */
#include "version/digits.h"

enum { NUMBER_LENGTH_MAX = 9 };

static bool hackage_valid(hf_sv v)
{
	hf_sv field;

	if (!v.len)
		return false;
	while (v.ptr && hf_sv_next(&v, '.', &field))
		if (!hf_digits_all(field) || field.len > NUMBER_LENGTH_MAX || (field.len > 1 && field.ptr[0] == '0'))
			return false;
	return true;
}

static enum hf_order hackage_compare(hf_sv a, hf_sv b)
{
	if (!hackage_valid(a) || !hackage_valid(b))
		return HF_ORDER_UNKNOWN;
	for (;;) {
		hf_sv x, y;
		bool more = a.ptr && hf_sv_next(&a, '.', &x), other_more = b.ptr && hf_sv_next(&b, '.', &y);
		int r = more && other_more ? hf_digits_cmp(x, y) : (int)more - (int)other_more;
		if (r || !more)
			return hf_order_of(r);
	}
}

const struct hf_version_scheme hf_version_scheme_hackage = {
	.name = "hackage",
	.summary = "Haskell: numbers between dots",
	.valid = hackage_valid,
	.compare = hackage_compare,
};
