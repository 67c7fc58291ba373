/* Any bytes are events or are refused, in as many steps as there are bytes; what is handed out lies in them. */
#include <stdlib.h>

#include "sensor/fanotify_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct hf_fanotify_object *o, hf_sv whole)
{
	const hf_sv parts[] = { o->handle, o->name };

	for (size_t i = 0; i < HF_ARRAY_SIZE(parts); i++)
		if (parts[i].len && (parts[i].ptr < whole.ptr || parts[i].ptr + parts[i].len > whole.ptr + whole.len))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_sv bytes = { (const char *)data, size }, rest = bytes;
	struct hf_fanotify_event e;
	size_t n = 0;

	while (hf_fanotify_next(&rest, &e, NULL) > 0) {
		inside(&e.file, bytes);
		inside(&e.entry, bytes);
		inside(&e.old_entry, bytes);
		inside(&e.new_entry, bytes);
		if (++n > size)
			abort();
	}
	return 0;
}
