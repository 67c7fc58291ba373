/* run_report_cases ROW DIR [--update]: TAP, one test a file of DIR, whose name is that of a report of lib/reports.h and
 * whose bytes are what the row must make of it; written again by --update. Each is written twice, into memory and
 * through a descriptor: the bytes must be the same. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/reports.h"

static const struct hf_report_format *row_named(const char *name)
{
	static const char *const names[] = {
#define HF_REPORT(row) #row,
#include "report/reports.def"
#undef HF_REPORT
	};
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return hf_report_formats[i];
	return NULL;
}

static bool same_through_a_file(const struct hf_report_format *row, const struct test_report *t, hf_sv expect)
{
	FILE *f = tmpfile();
	struct hf_out out = hf_out_fd(fileno(f));
	bool ok = !row->write(&t->report, &t->options, &out, NULL);
	char *bytes = hf_malloc(expect.len + 1);

	rewind(f);
	ok = ok && fread(bytes, 1, expect.len + 1, f) == expect.len && hf_sv_eq((hf_sv){ bytes, expect.len }, expect);
	free(bytes);
	hf_out_done(&out);
	fclose(f);
	return ok;
}

static bool check(const struct hf_report_format *row, const char *dir, const char *name, bool update)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_memory(64 << 20);
	struct test_report t;

	if (!test_report_named(&a, name, &t) || row->write(&t.report, &t.options, &out, NULL))
		return false;
	if (update)
		test_write(dir, name, hf_buf_view(&out.buf));
	hf_cleanup(hf_buf_done) struct hf_buf expect = test_read(dir, name, NULL);
	bool ok = hf_sv_eq(hf_buf_view(&out.buf), hf_buf_view(&expect));
	if (!ok) {
		test_write("/tmp", "holdfast-report-got", hf_buf_view(&out.buf));
		printf("# diff %s/%s /tmp/holdfast-report-got\n", dir, name);
	}
	if (ok && !same_through_a_file(row, &t, hf_buf_view(&expect))) {
		printf("# other bytes through a descriptor\n");
		ok = false;
	}
	return ok;
}

int main(int argc, char **argv)
{
	const struct hf_report_format *row = argc >= 3 ? row_named(argv[1]) : NULL;
	int bad = 0;

	if (!row)
		return 2;
	struct test_files cases = test_names_in(argv[2], false);
	for (size_t i = 0; i < cases.n; i++) {
		bool ok = check(row, argv[2], cases.paths[i], argc > 3);
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, cases.paths[i]);
		bad += !ok;
	}
	printf("1..%zu\n", cases.n);
	bad += !cases.n;
	test_files_done(&cases);
	return bad != 0;
}
