/* A record of the kernel's side; its front is made to fit, so that what stands behind it is reached. Anything is an event or is refused. */
#include <stdlib.h>

#include "base/limits.h"
#include "bpf/object.h"
#include "sensor/object_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_event e = { 0 };
	struct hf_record head = { 0 };

	if (!size || size > HF_KIB(4))
		return 0;
	size_t n = sizeof head + size - 1;
	char *record = hf_malloc(n);
	head.kind = data[0] % HF_RECORD_KINDS;
	head.size = (uint32_t)n;
	memcpy(record, &head, sizeof head);
	memcpy(record + sizeof head, data + 1, size - 1);
	int code = hf_object_event((hf_sv){ record, n }, NULL, &a, &e, NULL);
	if (code >= 0 && (uint32_t)e.kind != head.kind)
		abort();
	free(record);
	return 0;
}
