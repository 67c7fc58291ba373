/* The tar reader: every member, contents of small ones. */
#include "format/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_in_closep) struct hf_in *in = hf_in_of_bytes((hf_sv){ (const char *)data, size });
	struct hf_tar *t = hf_tar_new(in);
	struct hf_tar_member m;
	struct hf_err err = { 0 };
	uint64_t sum = 0;

	while (hf_tar_next(t, &m, &err) == HF_OK && m.type) {
		hf_sv bytes;
		for (size_t i = 0; i < m.name.len; i++)
			sum += (uint8_t)m.name.ptr[i];
		for (size_t i = 0; i < m.head.len; i++)
			sum += (uint8_t)m.head.ptr[i];
		if (m.size < 1 << 20 && m.stored < 1 << 20 && hf_tar_content(t, &bytes, &err) == HF_OK &&
		    bytes.len != m.size)
			__builtin_trap();
	}
	hf_tar_free(t);
	return sum == UINT64_MAX;
}
