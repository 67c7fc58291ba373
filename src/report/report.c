#include "report/report.h"

#include <stdio.h>

const struct hf_report_format *const hf_report_formats[] = {
#define HF_REPORT(row) &hf_report_format_##row,
#include "report/reports.def"
#undef HF_REPORT
	NULL,
};

const struct hf_report_format *hf_report_format_named(hf_sv name, unsigned kind, struct hf_err *err)
{
	char known[160] = "";
	size_t at = 0;

	for (size_t i = 0; hf_report_formats[i]; i++) {
		const struct hf_report_format *f = hf_report_formats[i];
		if (!(f->kinds & kind))
			continue;
		if (hf_sv_eq(name, hf_sv_of(f->name)))
			return f;
		at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", f->name);
		if (at >= sizeof known)
			at = sizeof known - 1;
	}
	hf_fail(err, HF_E_USAGE, "\"%.*s\" is no format of this command: %s", HF_SV_FMT(name), known);
	return NULL;
}
