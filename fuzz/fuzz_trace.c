/* A line that reads as an event is written as a line that reads as the same event and is written as the same line. What is shown of it to
 * people has no control bytes, whatever it says. */
#include <stdlib.h>

#include "base/limits.h"
#include "sink/render.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct hf_event *e)
{
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_MIB(1));

	hf_render_what(e, &out);
	hf_buf_add_char(&out, ' ');
	hf_render_container(e, &out);
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.ptr[i] < 0x20 || out.ptr[i] == 0x7f)
			abort();
	hf_render_tree(e, &out);
	if (!out.over && !hf_sv_is_utf8(hf_buf_view(&out)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	hf_cleanup(hf_buf_done) struct hf_buf first = HF_BUF(HF_MIB(8)), second = HF_BUF(HF_MIB(8));
	struct hf_err err = { 0 };
	struct hf_event e, again;
	size_t unknown;

	if (hf_trace_read((hf_sv){ (const char *)data, size }, &a, &e, &unknown, &err) < 0) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	hf_trace_write(&first, &e);
	show(&e);
	hf_arena_reset(&a);
	if (hf_trace_read(hf_buf_view(&first), &a, &again, &unknown, &err) < 0) {
		if (!a.over)
			abort();
		return 0;
	}
	hf_trace_write(&second, &again);
	if (unknown || first.over || !hf_sv_eq(hf_buf_view(&first), hf_buf_view(&second)))
		abort();
	return 0;
}
