#include "unit.h"

#include "finding/gate.h"

static struct hf_vulnerability flaw(enum hf_severity severity)
{
	return (struct hf_vulnerability){
		.id = HF_SV("CVE-2024-0001"), .severity = severity, .epss = -1, .epss_percentile = -1
	};
}

static struct hf_gate_result judge(const char *rule, const struct hf_filter *filter, struct hf_vulnerability v)
{
	struct hf_gate g;
	struct hf_scan_report report = { .vulnerabilities = &v, .vulnerabilities_n = 1 };

	assert_int_equal(hf_gate_parse(hf_sv_of(rule), &g, NULL), HF_OK);
	return hf_gate_evaluate(&g, 1, filter, &report);
}

static const struct hf_filter all;

HF_TEST(rules_that_are_none_are_refused_by_name)
{
	static const char *const wrong[] = {
		"",         "hihg",     "epss",        "epss>=",         "epss>=1.5", "epss>=0x1", "epss>=-1",
		"epss>0.5", "fixable:", "fixable:bad", "config:unknown", "KEV ",      "unknown",   "kev:high"
	};
	struct hf_gate g;
	struct hf_err err = { 0 };

	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++)
		assert_int_equal(hf_gate_parse(hf_sv_of(wrong[i]), &g, &err), HF_E_USAGE);
	assert_int_equal(hf_gate_parse(HF_SV("hihg"), &g, &err), HF_E_USAGE);
	assert_non_null(strstr(err.msg, "hihg"));
}

HF_TEST(a_rule_is_read_from_its_view_alone)
{
	struct hf_gate g;

	assert_int_equal(hf_gate_parse(hf_sv_first(HF_SV("epss>=0.59"), 9), &g, NULL), HF_OK);
	assert_true(g.epss == 0.5);
}

HF_TEST(a_severity_gate_takes_that_and_worse)
{
	assert_true(judge("high", &all, flaw(HF_SEV_HIGH)).failed);
	assert_true(judge("high", &all, flaw(HF_SEV_CRITICAL)).failed);
	assert_false(judge("high", &all, flaw(HF_SEV_MEDIUM)).failed);
	assert_true(judge("low", &all, flaw(HF_SEV_NEGLIGIBLE)).failed);
	assert_false(judge("low", &all, flaw(HF_SEV_UNKNOWN)).failed);
}

HF_TEST(malware_without_a_severity_is_critical)
{
	struct hf_vulnerability v = flaw(HF_SEV_UNKNOWN);

	v.kind = HF_ADVISORY_MALICIOUS;
	assert_true(judge("critical", &all, v).failed);
}

HF_TEST(kev_epss_and_fixable)
{
	struct hf_vulnerability v = flaw(HF_SEV_MEDIUM);

	assert_false(judge("kev", &all, v).failed);
	assert_false(judge("epss>=0", &all, v).failed); /* no score is not known, not zero */
	assert_false(judge("fixable:medium", &all, v).failed);
	v.kev = true;
	v.epss = 0.97f;
	v.fixed = HF_SV("1.2");
	assert_true(judge("kev", &all, v).failed);
	assert_true(judge("epss>=0.97", &all, v).failed);
	assert_false(judge("epss>=0.98", &all, v).failed);
	assert_true(judge("fixable:medium", &all, v).failed);
	assert_true(judge("fixable", &all, v).failed);
	assert_false(judge("fixable:high", &all, v).failed);
}

HF_TEST(what_does_not_count_fails_no_gate)
{
	for (int i = 0; i < 5; i++) {
		struct hf_vulnerability v = flaw(HF_SEV_CRITICAL);
		struct hf_filter filter = { .show_informational = true };
		v.suppressed_by = i == 0 ? HF_SV("ignore file") : (hf_sv){ 0 };
		v.kernel_headers = i == 1;
		v.unimportant = i == 2;
		v.kind = i == 3 ? HF_ADVISORY_UNMAINTAINED : HF_ADVISORY_SECURITY;
		v.status = i == 4 ? HF_STATUS_NOT_AFFECTED : HF_STATUS_AFFECTED;
		assert_false(judge("low", &filter, v).failed);
	}
}

HF_TEST(what_is_not_shown_fails_no_gate)
{
	struct hf_filter filter = { .only_fixed = true };
	struct hf_vulnerability v = flaw(HF_SEV_CRITICAL);

	assert_false(judge("high", &filter, v).failed);
	v.fixed = HF_SV("2");
	assert_true(judge("high", &filter, v).failed);
	assert_int_equal(hf_filter_parse_severities(HF_SV("low, medium"), &filter.severities, NULL), HF_OK);
	assert_false(judge("low", &filter, v).failed);
	v.severity = HF_SEV_NEGLIGIBLE;
	assert_true(judge("low", &filter, v).failed);
}

HF_TEST(the_first_failing_gate_is_named_with_its_count)
{
	struct hf_vulnerability list[] = { flaw(HF_SEV_LOW), flaw(HF_SEV_HIGH), flaw(HF_SEV_CRITICAL) };
	struct hf_scan_report report = { .vulnerabilities = list, .vulnerabilities_n = 3 };
	struct hf_gate gates[2];

	list[1].id = HF_SV("CVE-2024-0002");
	assert_int_equal(hf_gate_parse(HF_SV("kev"), &gates[0], NULL), HF_OK);
	assert_int_equal(hf_gate_parse(HF_SV("high"), &gates[1], NULL), HF_OK);
	struct hf_gate_result r = hf_gate_evaluate(gates, 2, &all, &report);
	assert_true(r.failed);
	assert_int_equal(r.gate, 1);
	assert_int_equal(r.findings, 2);
	assert_true(hf_sv_eq(r.example, HF_SV("CVE-2024-0002")));
}

HF_TEST(config_rules_look_at_misconfigurations)
{
	struct hf_misconfiguration m = { .id = HF_SV("HF1001"), .severity = HF_SEV_MEDIUM };
	struct hf_scan_report report = { .misconfigurations = &m, .misconfigurations_n = 1 };
	struct hf_filter only_high = { .severities = 1u << HF_SEV_HIGH };
	struct hf_gate g;

	assert_int_equal(hf_gate_parse(HF_SV("config:high"), &g, NULL), HF_OK);
	assert_false(hf_gate_evaluate(&g, 1, &all, &report).failed);
	assert_int_equal(hf_gate_parse(HF_SV("config:medium"), &g, NULL), HF_OK);
	assert_true(hf_gate_evaluate(&g, 1, &all, &report).failed);
	assert_false(hf_gate_evaluate(&g, 1, &only_high, &report).failed);
	assert_int_equal(hf_gate_parse(HF_SV("medium"), &g, NULL), HF_OK);
	assert_false(hf_gate_evaluate(&g, 1, &all, &report).failed);
}

HF_TEST(a_list_of_severities_with_a_wrong_word_is_refused)
{
	uint32_t mask = 7;
	struct hf_err err = { 0 };

	assert_int_equal(hf_filter_parse_severities(HF_SV("high,sever"), &mask, &err), HF_E_USAGE);
	assert_non_null(strstr(err.msg, "sever"));
	assert_int_equal(mask, 7);
	assert_int_equal(hf_filter_parse_severities(HF_SV(""), &mask, &err), HF_E_USAGE);
	assert_int_equal(hf_filter_parse_severities(HF_SV("HIGH,unknown"), &mask, NULL), HF_OK);
	assert_int_equal(mask, 1u << HF_SEV_HIGH | 1u << HF_SEV_UNKNOWN);
}

HF_TEST_MAIN(cmocka_unit_test(rules_that_are_none_are_refused_by_name),
	     cmocka_unit_test(a_rule_is_read_from_its_view_alone),
	     cmocka_unit_test(a_severity_gate_takes_that_and_worse),
	     cmocka_unit_test(malware_without_a_severity_is_critical), cmocka_unit_test(kev_epss_and_fixable),
	     cmocka_unit_test(what_does_not_count_fails_no_gate), cmocka_unit_test(what_is_not_shown_fails_no_gate),
	     cmocka_unit_test(the_first_failing_gate_is_named_with_its_count),
	     cmocka_unit_test(config_rules_look_at_misconfigurations),
	     cmocka_unit_test(a_list_of_severities_with_a_wrong_word_is_refused))
