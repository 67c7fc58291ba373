/* A record of executions, ends and cgroups; its front is made to fit, so that what stands behind it is reached. Anything is an event or is
 * refused. */
#include <stdlib.h>

#include "base/limits.h"
#include "sensor/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_event e = { 0 };
	struct hf_record head = { .start_ns = 1, .ns = 2, .pid = 3 };

	if (!size || size > HF_RECORD_MAX)
		return 0;
	size_t n = sizeof head + size - 1;
	char *bytes = hf_malloc(n);
	head.kind = data[0] % HF_RECORD_KINDS;
	head.size = (uint32_t)n;
	memcpy(bytes, &head, sizeof head);
	memcpy(bytes + sizeof head, data + 1, size - 1);
	hf_sv record = { bytes, n };
	int code = hf_record_event(record, &a, &e, NULL);
	if (code >= 0 && (uint32_t)e.kind != head.kind)
		abort();
	if (hf_record_cgroup_path(record).len > n)
		abort();
	(void)hf_record_old_execution(record);
	free(bytes);
	return 0;
}
