/* Reports of scans, made by hand, for the tests and fuzzing of what writes them. */
#pragma once
#include "report/report.h"

struct test_report {
	const char *name;
	struct hf_scan_report report;
	struct hf_report_options options;
};

/* The fixture of this name ("empty", "minimal", "rich", "hostile", "no-database", …), in @a; false where there is none.
 */
bool test_report_named(struct hf_arena *a, const char *name, struct test_report *ret);
extern const char *const test_report_names[]; /* NULL-ended */
/* A report with every field filled from these strings in turn, and every number and choice from their bytes. */
struct hf_scan_report test_report_of_strings(struct hf_arena *a, const hf_sv *strings, size_t n);
