#include "unit.h"

#include "match/cvss.h"

/* In tenths, so that equality is exact. */
static int score(const char *vector)
{
	double s = hf_cvss_base_score(hf_sv_of(vector));

	return s < 0 ? -1 : (int)(s * 10 + 0.5);
}

/* The three worked examples of the v2 guide, section 3.3. */
HF_TEST(version_2_as_the_guides_examples)
{
	assert_int_equal(score("AV:N/AC:L/Au:N/C:N/I:N/A:C"), 78);
	assert_int_equal(score("AV:N/AC:L/Au:N/C:C/I:C/A:C"), 100);
	assert_int_equal(score("(AV:L/AC:H/Au:N/C:C/I:C/A:C)"), 62);
	assert_int_equal(score("AV:N/AC:L/Au:N/C:N/I:N/A:N"), 0);
}

/* From FIRST's document of examples for v3.1. */
HF_TEST(version_3_as_the_examples)
{
	assert_int_equal(score("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N"), 64);
	assert_int_equal(score("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N"), 31);
	assert_int_equal(score("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H"), 99);
	assert_int_equal(score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), 98);
	assert_int_equal(score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"), 75);
	assert_int_equal(score("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"), 78);
	assert_int_equal(score("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N"), 0);
}

/* From FIRST's document of examples for v4.0. */
HF_TEST(version_4_as_the_examples)
{
	assert_int_equal(score("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), 73);
	assert_int_equal(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"), 100);
	assert_int_equal(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), 93);
	assert_int_equal(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N"), 88);
	assert_int_equal(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"), 0);
	assert_int_equal(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U"), 93);
}

HF_TEST(what_is_no_vector_has_no_score)
{
	assert_int_equal(score(""), -1);
	assert_int_equal(score("high"), -1);
	assert_int_equal(score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H"), -1);
	assert_int_equal(score("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), -1);
	assert_int_equal(score("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), -1);
	assert_int_equal(score("CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), -1);
	assert_int_equal(score("CVSS:4.0/AV:N"), -1);
	assert_int_equal(score("("), -1);
}

HF_TEST_MAIN(cmocka_unit_test(version_2_as_the_guides_examples), cmocka_unit_test(version_3_as_the_examples),
	     cmocka_unit_test(version_4_as_the_examples), cmocka_unit_test(what_is_no_vector_has_no_score))
