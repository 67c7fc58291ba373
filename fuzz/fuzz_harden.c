/* The first line is the grant, the rest the trace. What is written must never hold a line that the names in it made. */
#include <stdlib.h>

#include "lib/harden.h"

#define NAME_(row) hf_hardening_##row
#define NAME(row)  NAME_(row)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_sv input = { (const char *)data, size }, grant = input, trace = { 0 };
	struct hf_buf out = HF_BUF(1 << 20);
	struct test_harden h;
	struct hf_difference difference;
	struct hf_err err = { 0 };

	hf_sv_cut(input, '\n', &grant, &trace);
	if (test_harden_init(&h, trace, grant, 1 << 20) == HF_OK) {
		if (NAME(ROW).write(&h.plan, &out, &err) == HF_OK) {
			if (!hf_sv_is_utf8(hf_buf_view(&out)))
				abort();
			for (size_t i = 0; i < out.len; i++) {
				unsigned char c = (unsigned char)out.ptr[i];
				if ((c < 0x20 && c != '\n') || c == 0x7f ||
				    (c == 0xc2 && (unsigned char)out.ptr[i + 1] < 0xa0))
					abort();
			}
		}
		out.len = 0;
		if (hf_difference(&h.plan, &difference, &err) == HF_OK)
			hf_difference_table(&difference, &out);
	}
	hf_buf_done(&out);
	test_harden_done(&h);
	return 0;
}
