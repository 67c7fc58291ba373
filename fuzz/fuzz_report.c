/* One harness for the table of reports, compiled once a row with -DROW=<row>. The input's lines become the strings of a
 * report: what is written must be UTF-8 without control bytes, the same twice, and, for JSON, a document that reads. */
#include <stdlib.h>

#include "format/json.h"
#include "lib/reports.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(hf_sv text, bool json)
{
	if (!hf_sv_is_utf8(text) || !text.len)
		abort();
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if ((c < 0x20 && c != '\n') || c == 0x7f)
			abort();
		if (c == 0xc2 && (unsigned char)text.ptr[i + 1] < 0xa0)
			abort();
	}
	if (json && text.ptr[0] != '{')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hf_report_format *row = &JOIN(hf_report_format_, ROW);
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
	hf_sv strings[64], rest = { (const char *)data, size };
	size_t n = 0;

	if (size > 8192 || !size)
		return 0;
	while (n < HF_ARRAY_SIZE(strings) && hf_sv_next(&rest, '\n', &strings[n]))
		n++;
	struct hf_scan_report report = test_report_of_strings(&a, strings, n);
	struct hf_report_options options = { .source_date_epoch = -1, .verbose = data[0] & 1, .width = data[0] };
	struct hf_out one = hf_out_memory(64 << 20), two = hf_out_memory(64 << 20);
	if (row->write(&report, &options, &one, NULL) || row->write(&report, &options, &two, NULL) ||
	    !hf_sv_eq(hf_buf_view(&one.buf), hf_buf_view(&two.buf)))
		abort();
	check(hf_buf_view(&one.buf), strcmp(row->name, "table") != 0);
	hf_out_done(&one);
	hf_out_done(&two);
	return 0;
}
