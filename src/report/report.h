/* From a finished scan to bytes. A row is rep_<row>.c and a line in reports.def.
 *
 * A report decides nothing and asks nothing: no clock, no terminal, no file. What the world has to say stands in the
 * options. The same report and options give the same bytes. Strings of the report are untrusted: no control byte of
 * theirs, and no invalid UTF-8, reaches the output. */
#pragma once
#include "base/output.h"
#include "finding/gate.h"

enum {
	HF_REPORT_SCAN = 1 << 0,
	HF_REPORT_SBOM = 1 << 1,
	HF_REPORT_LAYERS = 1 << 2,
};

struct hf_report_options {
	struct hf_filter filter;
	bool colour;               /* a terminal that wants it: the caller looked at isatty and NO_COLOR */
	bool verbose;              /* every finding, every file that was not read */
	uint32_t width;            /* columns; 0: 80 */
	int64_t source_date_epoch; /* seconds; negative: not set */
	int64_t now; /* seconds: for formats that demand a time stamp, where source_date_epoch is not set */
	const char *tool_version; /* NULL: HF_VERSION */
};

struct hf_report_format {
	const char *name;    /* what --format calls it */
	const char *summary; /* one line */
	unsigned kinds;      /* which commands offer it: HF_REPORT_SCAN | … */
	/* HF_OK; HF_E_IO or HF_E_LIMIT from the output. Flushes @out. */
	int (*write)(const struct hf_scan_report *report, const struct hf_report_options *options, struct hf_out *out,
		     struct hf_err *err);
};

#define HF_REPORT(row) extern const struct hf_report_format hf_report_format_##row;
#include "report/reports.def"
#undef HF_REPORT

extern const struct hf_report_format *const hf_report_formats[]; /* NULL-ended, in the order of the table */

/* The format that a command of @kind calls @name; NULL with *err set (HF_E_USAGE, naming those that there are). */
const struct hf_report_format *hf_report_format_named(hf_sv name, unsigned kind, struct hf_err *err);
