/* write_reports DIR: every report of lib/reports.h by every row, as DIR/<row>.<report>, for checks by other tools. */
#include <stdio.h>

#include "lib/files.h"
#include "lib/reports.h"

int main(int argc, char **argv)
{
	static const char *const rows[] = {
#define HF_REPORT(row) #row,
#include "report/reports.def"
#undef HF_REPORT
	};
	for (size_t i = 0; argc == 2 && i < HF_ARRAY_SIZE(rows); i++)
		for (size_t k = 0; test_report_names[k]; k++) {
			hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
			hf_cleanup(hf_out_done) struct hf_out out = hf_out_memory(64 << 20);
			struct test_report t;
			char name[80];
			if (!test_report_named(&a, test_report_names[k], &t) ||
			    hf_report_formats[i]->write(&t.report, &t.options, &out, NULL))
				return 1;
			snprintf(name, sizeof name, "%s.%s", rows[i], test_report_names[k]);
			test_write(argv[1], name, hf_buf_view(&out.buf));
		}
	return argc != 2;
}
