/* Any bytes are a record or are refused; what is handed out lies in them. */
#include <stdlib.h>

#include "sensor/perf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(hf_sv part, hf_sv whole)
{
	if (part.len && (part.ptr < whole.ptr || part.ptr + part.len > whole.ptr + whole.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_sv bytes = { (const char *)data, size }, name = { 0 };
	struct hf_perf_record r;
	bool deleted;

	if (hf_perf_decode(bytes, &r, NULL) != 0)
		return 0;
	if (r.type == HF_PERF_MMAP2) {
		hf_perf_mapping_of(&r.mmap.path, &deleted);
		inside(r.mmap.path, bytes);
	} else if (r.type == HF_PERF_KSYMBOL) {
		if (hf_perf_bpf_name(r.ksymbol.name, (const uint8_t *)"\0\1\2\3\4\5\6\7", &name))
			inside(name, bytes);
	} else if (r.type == HF_PERF_CGROUP) {
		inside(r.cgroup.path, bytes);
	}
	return 0;
}
