/* Walks the directory of the input and reads every member. */
#include <stdlib.h>

#include "format/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_buf_done) struct hf_buf scratch = { 0 };
	struct hf_zip_member m;
	struct hf_err err = { 0 };
	struct hf_zip z;
	uint64_t sum = 0;
	unsigned n = 0;

	if (hf_zip_open(&z, (hf_sv){ (const char *)data, size }, &err) < 0)
		return 0;
	while (hf_zip_next(&z, &m) && n++ < 64) {
		hf_sv content;
		(void)hf_zip_name_flaw(m.name);
		if (hf_zip_read(&z, &m, 1 << 16, &scratch, &content, &err) < 0)
			continue;
		if (content.len != m.size)
			abort();
		for (size_t i = 0; i < content.len; i++)
			sum += (unsigned char)content.ptr[i];
	}
	return sum == UINT64_MAX;
}
