/* One rpm header: all strings and numbers of a few tags. */
#include <stdlib.h>

#include "base/cursor.h"
#include "format/rpmhdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_rpmhdr_value v[] = { { HF_RPMTAG_NAME },       { HF_RPMTAG_EPOCH },    { HF_RPMTAG_BASENAMES },
				       { HF_RPMTAG_DIRINDEXES }, { HF_RPMTAG_DIRNAMES }, { 100 } };
	const char *why = NULL;
	uint32_t number;

	int r = hf_rpmhdr_read((hf_sv){ (const char *)data, size }, v, HF_ARRAY_SIZE(v), &why);
	if ((r != 0) != (why != NULL))
		abort();
	for (size_t k = 0; r >= 0 && k < HF_ARRAY_SIZE(v); k++) {
		struct hf_cur c = hf_cur_of(v[k].data);
		for (uint32_t i = 0; hf_rpmhdr_is_strings(&v[k]) && i < v[k].count && !c.failed; i++)
			(void)hf_sv_is_utf8(hf_cur_cstr(&c));
		for (uint32_t i = 0; hf_rpmhdr_u32(&v[k], i, &number); i++)
			if (i >= v[k].count)
				abort();
	}
	return 0;
}
