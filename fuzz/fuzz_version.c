/* One harness for the table of version schemes, compiled once a row with -DROW=<row>. The input is two versions with a
 * newline between them: their order must be the mirror of the order the other way round, and a version equals itself. */
#include <stdlib.h>

#include "version/version.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hf_version_scheme *s = &JOIN(hf_version_scheme_, ROW);
	hf_sv a, b;

	if (!hf_sv_cut((hf_sv){ (const char *)data, size }, '\n', &a, &b))
		return 0;
	bool known = s->valid(a) && s->valid(b);
	enum hf_order there = s->compare(a, b), back = s->compare(b, a);
	if (known == (there == HF_ORDER_UNKNOWN) || (known ? (int)there != -(int)back : back != HF_ORDER_UNKNOWN))
		abort();
	if (s->valid(a) && s->compare(a, a) != HF_ORDER_EQUAL)
		abort();
	return 0;
}
