/* Which findings are shown, and which of those fail a gate: --severity, --only-fixed, --fail-on of cli.md.
 *
 * Only what is shown can fail a gate, and of that only what counts (hf_finding_counts). */
#pragma once
#include "model/report.h"

/* What is shown. All zero: everything but informational records. */
struct hf_filter {
	uint32_t severities;     /* bit 1u << enum hf_severity; 0: all */
	bool only_fixed;         /* only flaws for which a fixed version is known */
	bool show_informational; /* also records that are no flaw: unmaintained, notices */
};

/* Reads a list like "high,critical,unknown" (spellings of hf_severity_of). "low" takes negligible in.
 * HF_E_USAGE names the word that is none. */
hf_nodiscard int hf_filter_parse_severities(hf_sv list, uint32_t *ret_severities, struct hf_err *err);
bool hf_filter_shows(const struct hf_filter *filter, const struct hf_vulnerability *v);
/* The same for a misconfiguration: by severity alone. */
bool hf_filter_shows_config(const struct hf_filter *filter, const struct hf_misconfiguration *m);

/* The severity to count and to compare with: negligible is low; malware of which nobody said how bad is critical. */
enum hf_severity hf_finding_severity(const struct hf_vulnerability *v);
/* True where a fixed version is known. */
bool hf_finding_fixable(const struct hf_vulnerability *v);
/* Its class: "suppressed", "not_affected", "informational", "kernel_headers", "unimportant", "malicious", and for all
 * others "vulnerability". Only the last two count for totals and gates. */
const char *hf_finding_class(const struct hf_vulnerability *v);
bool hf_finding_counts(const struct hf_vulnerability *v);

enum hf_gate_kind {
	HF_GATE_SEVERITY = 0, /* a flaw at least this bad */
	HF_GATE_FIXABLE,      /* the same, with a fix known; severity UNKNOWN: any flaw with a fix */
	HF_GATE_KEV,          /* a flaw on CISA's list of exploited ones */
	HF_GATE_EPSS,         /* a flaw with at least this EPSS score */
	HF_GATE_CONFIG,       /* a misconfiguration at least this bad; UNKNOWN: any */
	HF_GATE_SECRET,       /* a secret */
};

struct hf_gate {
	enum hf_gate_kind kind;
	enum hf_severity severity;
	double epss;
	hf_sv text; /* as it was given; borrowed */
};

/* One RULE of --fail-on. HF_E_USAGE says what is wrong with it. */
hf_nodiscard int hf_gate_parse(hf_sv rule, struct hf_gate *ret, struct hf_err *err);

struct hf_gate_result {
	bool failed;
	size_t gate;       /* the first gate that failed, in the order given */
	uint64_t findings; /* how many findings fail that one */
	hf_sv example;     /* id of the first of them; borrowed from the report */
};
struct hf_gate_result hf_gate_evaluate(const struct hf_gate *gates, size_t n, const struct hf_filter *filter,
				       const struct hf_scan_report *report);
