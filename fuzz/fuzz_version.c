/* One harness for the table of version schemes, compiled once a row with -DROW=<row>. The input is three versions with
 * newlines between them: the order of two must be the mirror of the order the other way round, a version equals itself, and where
 * the scheme is a total order, a <= b <= c means a <= c. */
#include <stdlib.h>

#include "version/version.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_version_scheme *const s = &JOIN(hf_version_scheme_, ROW);

static enum hf_order order(hf_sv a, hf_sv b)
{
	bool known = s->valid(a) && s->valid(b);
	enum hf_order there = s->compare(a, b), back = s->compare(b, a);

	if (known == (there == HF_ORDER_UNKNOWN) || (known ? (int)there != -(int)back : back != HF_ORDER_UNKNOWN))
		abort();
	if (s->valid(a) && s->compare(a, a) != HF_ORDER_EQUAL)
		abort();
	return there;
}

static bool at_most(enum hf_order o)
{
	return o == HF_ORDER_LESS || o == HF_ORDER_EQUAL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_sv a, b, c = { 0 };

	if (!hf_sv_cut((hf_sv){ (const char *)data, size }, '\n', &a, &b))
		return 0;
	hf_sv_cut(b, '\n', &b, &c);
	enum hf_order ab = order(a, b), bc = order(b, c), ac = order(a, c);
	if (s->not_total || !at_most(ab) || !at_most(bc))
		return 0;
	if (!at_most(ac) || (ac == HF_ORDER_EQUAL) != (ab == HF_ORDER_EQUAL && bc == HF_ORDER_EQUAL))
		abort();
	return 0;
}
