#include "finding/gate.h"

#include <stdlib.h>

int hf_filter_parse_severities(hf_sv list, uint32_t *ret_severities, struct hf_err *err)
{
	uint32_t mask = 0;

	if (!list.len)
		return hf_fail(err, HF_E_USAGE, "no severity was named: low, medium, high, critical or unknown");
	for (hf_sv word; hf_sv_next(&list, ',', &word);) {
		word = hf_sv_trim(word);
		enum hf_severity s = hf_severity_of(word);
		if (s == HF_SEV_UNKNOWN && !hf_sv_eq_ascii(word, HF_SV("unknown")))
			return hf_fail(err, HF_E_USAGE,
				       "\"%.*s\" is no severity: low, medium, high, critical or unknown",
				       HF_SV_FMT(word));
		mask |= 1u << s;
		if (s == HF_SEV_LOW)
			mask |= 1u << HF_SEV_NEGLIGIBLE;
	}
	*ret_severities = mask;
	return HF_OK;
}

static bool informational(const struct hf_vulnerability *v)
{
	return v->kind != HF_ADVISORY_SECURITY && v->kind != HF_ADVISORY_MALICIOUS;
}

bool hf_filter_shows(const struct hf_filter *filter, const struct hf_vulnerability *v)
{
	uint32_t bits = 1u << v->severity | 1u << hf_finding_severity(v);

	if (informational(v) && !filter->show_informational)
		return false;
	if (filter->only_fixed && !hf_finding_fixable(v))
		return false;
	return !filter->severities || (filter->severities & bits);
}

bool hf_filter_shows_config(const struct hf_filter *filter, const struct hf_misconfiguration *m)
{
	return !filter->severities || (filter->severities & 1u << m->severity);
}

enum hf_severity hf_finding_severity(const struct hf_vulnerability *v)
{
	if (v->severity == HF_SEV_NEGLIGIBLE)
		return HF_SEV_LOW;
	if (v->severity == HF_SEV_UNKNOWN && v->kind == HF_ADVISORY_MALICIOUS)
		return HF_SEV_CRITICAL;
	return v->severity;
}

bool hf_finding_fixable(const struct hf_vulnerability *v)
{
	return v->fixed.len || v->status == HF_STATUS_FIXED_AVAILABLE;
}

const char *hf_finding_class(const struct hf_vulnerability *v)
{
	if (v->suppressed_by.len)
		return "suppressed";
	if (v->status == HF_STATUS_NOT_AFFECTED)
		return "not_affected";
	if (informational(v))
		return "informational";
	if (v->kernel_headers)
		return "kernel_headers";
	if (v->unimportant)
		return "unimportant";
	return v->kind == HF_ADVISORY_MALICIOUS ? "malicious" : "vulnerability";
}

bool hf_finding_counts(const struct hf_vulnerability *v)
{
	return !v->suppressed_by.len && v->status != HF_STATUS_NOT_AFFECTED && !informational(v) &&
	       !v->kernel_headers && !v->unimportant;
}

static int parse_severity(hf_sv word, enum hf_severity *ret)
{
	*ret = hf_severity_of(word);
	return *ret >= HF_SEV_LOW ? HF_OK : HF_E_USAGE;
}

/* A decimal fraction from 0 to 1, in plain digits. */
static bool parse_share(hf_sv s, double *ret)
{
	char text[24];

	if (!s.len || s.len >= sizeof text)
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = 0;
	if (strspn(text, "0123456789.") < s.len)
		return false;
	char *end;
	*ret = strtod(text, &end);
	return !*end && end != text && *ret <= 1;
}

/* "NAME" or "NAME:SEVERITY" */
static bool parse_with_severity(hf_sv rule, hf_sv name, enum hf_severity *ret)
{
	hf_sv left, right;

	*ret = HF_SEV_UNKNOWN;
	if (hf_sv_eq(rule, name))
		return true;
	return hf_sv_cut(rule, ':', &left, &right) && hf_sv_eq(left, name) && !parse_severity(right, ret);
}

int hf_gate_parse(hf_sv rule, struct hf_gate *ret, struct hf_err *err)
{
	struct hf_gate g = { .text = rule };

	if (!parse_severity(rule, &g.severity))
		g.kind = HF_GATE_SEVERITY;
	else if (hf_sv_eq(rule, HF_SV("kev")))
		g.kind = HF_GATE_KEV;
	else if (hf_sv_eq(rule, HF_SV("secret")))
		g.kind = HF_GATE_SECRET;
	else if (hf_sv_starts(rule, HF_SV("epss>=")) && parse_share(hf_sv_skip(rule, 6), &g.epss))
		g.kind = HF_GATE_EPSS;
	else if (parse_with_severity(rule, HF_SV("fixable"), &g.severity))
		g.kind = HF_GATE_FIXABLE;
	else if (parse_with_severity(rule, HF_SV("config"), &g.severity))
		g.kind = HF_GATE_CONFIG;
	else
		return hf_fail(err, HF_E_USAGE,
			       "\"%.*s\" is no rule: low, medium, high, critical, kev, epss>=0.5, fixable:high, secret "
			       "or config:high",
			       HF_SV_FMT(rule));
	*ret = g;
	return HF_OK;
}

static bool fails(const struct hf_gate *g, const struct hf_vulnerability *v)
{
	switch (g->kind) {
	case HF_GATE_SEVERITY:
		return hf_finding_severity(v) >= g->severity;
	case HF_GATE_FIXABLE:
		return hf_finding_fixable(v) && hf_finding_severity(v) >= g->severity;
	case HF_GATE_KEV:
		return v->kev;
	case HF_GATE_EPSS:
		/* scores are kept as float: 0.97 as float is below 0.97 as double */
		return v->epss >= 0 && v->epss >= (float)g->epss;
	case HF_GATE_CONFIG:
	case HF_GATE_SECRET:
		return false;
	}
	return false;
}

static void note(struct hf_gate_result *r, hf_sv id)
{
	if (!r->findings++)
		r->example = id;
}

struct hf_gate_result hf_gate_evaluate(const struct hf_gate *gates, size_t n, const struct hf_filter *filter,
				       const struct hf_scan_report *report)
{
	for (size_t i = 0; i < n; i++) {
		struct hf_gate_result r = { .gate = i };
		for (size_t k = 0; k < report->vulnerabilities_n; k++) {
			const struct hf_vulnerability *v = &report->vulnerabilities[k];
			if (hf_filter_shows(filter, v) && hf_finding_counts(v) && fails(&gates[i], v))
				note(&r, v->id);
		}
		for (size_t k = 0; gates[i].kind == HF_GATE_CONFIG && k < report->misconfigurations_n; k++)
			if (hf_filter_shows_config(filter, &report->misconfigurations[k]) &&
			    report->misconfigurations[k].severity >= gates[i].severity)
				note(&r, report->misconfigurations[k].id);
		r.failed = r.findings > 0;
		if (r.failed)
			return r;
	}
	return (struct hf_gate_result){ 0 };
}
