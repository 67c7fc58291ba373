#include "unit.h"

#include "report/licence.h"

HF_TEST(identifiers_are_found_without_regard_to_case)
{
	assert_true(hf_sv_eq(hf_licence_id(HF_SV("mit")), HF_SV("MIT")));
	assert_true(hf_sv_eq(hf_licence_id(HF_SV("0bsd")), HF_SV("0BSD")));
	assert_true(hf_sv_eq(hf_licence_id(HF_SV("ZPL-2.1")), HF_SV("ZPL-2.1")));
	/* deprecated, still an identifier */
	assert_true(hf_sv_eq(hf_licence_id(HF_SV("gpl-2.0+")), HF_SV("GPL-2.0+")));
	assert_true(hf_sv_eq(hf_licence_exception(HF_SV("classpath-exception-2.0")), HF_SV("Classpath-exception-2.0")));
	assert_int_equal(hf_licence_id(HF_SV("BSD")).len, 0);
	assert_int_equal(hf_licence_id(HF_SV("")).len, 0);
	assert_int_equal(hf_licence_id(HF_SV("Classpath-exception-2.0")).len, 0);
}

HF_TEST(every_identifier_of_the_list_is_found)
{
	static const char *const all[] = {
#define HF_SPDX_LICENCE(id) id,
#define HF_SPDX_EXCEPTION(id)
#include "report/spdx_ids.def"
#undef HF_SPDX_LICENCE
#undef HF_SPDX_EXCEPTION
	};
	for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++)
		assert_true(hf_sv_eq(hf_licence_id(hf_sv_of(all[i])), hf_sv_of(all[i])));
}

/* SPDX 2.3, annex D */
HF_TEST(expressions_are_valid_or_not)
{
	static const char *const cases[][2] = {
		{ "MIT", "MIT" },
		{ " mit  or\tapache-2.0 ", "MIT OR Apache-2.0" },
		{ "(MIT)", "(MIT)" },
		{ "( MIT AND (BSD-3-Clause OR ISC ) )", "(MIT AND (BSD-3-Clause OR ISC))" },
		{ "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0" },
		{ "Apache-2.0+", "Apache-2.0+" },
		{ "GPL-2.0+ OR MIT", "GPL-2.0+ OR MIT" },
		{ "MIT AND", "" },
		{ "AND MIT", "" },
		{ "MIT MIT", "" },
		{ "MIT OR OR ISC", "" },
		{ "(MIT", "" },
		{ "MIT)", "" },
		{ "()", "" },
		{ "", "" },
		{ "MIT WITH ISC", "" },
		{ "MIT WITH (Classpath-exception-2.0)", "" },
		{ "(MIT) WITH Classpath-exception-2.0", "" },
		{ "GPL-2.0-only WITH Classpath-exception-2.0 WITH LLVM-exception", "" },
		{ "Classpath-exception-2.0", "" },
		{ "LicenseRef-ours", "" },
		{ "BSD, see LICENSE", "" },
		{ "MIT/Apache-2.0", "" },
		{ "MIT +", "" },
		{ "MIT++", "" },
		{ "Apache License 2.0", "" },
	};
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		hf_sv got = hf_licence_expression(&a, hf_sv_of(cases[i][0]));
		if (!hf_sv_eq(got, hf_sv_of(cases[i][1])))
			fail_msg("%s gives \"%.*s\"", cases[i][0], HF_SV_FMT(got));
	}
}

HF_TEST(long_and_deep_expressions_are_refused)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	static char deep[1000], broad[4096];

	memset(deep, '(', 100);
	memcpy(deep + 100, "MIT", 3);
	memset(deep + 103, ')', 100);
	assert_int_equal(hf_licence_expression(&a, (hf_sv){ deep, 203 }).len, 0);
	assert_int_not_equal(hf_licence_expression(&a, (hf_sv){ deep + 40, 123 }).len, 0);
	for (size_t i = 0; i < 4096; i += 8)
		memcpy(broad + i, "MIT OR\n ", 8);
	memcpy(broad + 4088, "MIT     ", 8);
	assert_int_not_equal(hf_licence_expression(&a, (hf_sv){ broad, 4096 }).len, 0);
}

HF_TEST(compound_is_more_than_one_identifier)
{
	assert_false(hf_licence_is_compound(HF_SV("GPL-2.0+")));
	assert_true(hf_licence_is_compound(HF_SV("Apache-2.0+")));
	assert_true(hf_licence_is_compound(HF_SV("(MIT)")));
	assert_true(hf_licence_is_compound(HF_SV("MIT OR ISC")));
}

HF_TEST_MAIN(cmocka_unit_test(identifiers_are_found_without_regard_to_case),
	     cmocka_unit_test(every_identifier_of_the_list_is_found), cmocka_unit_test(expressions_are_valid_or_not),
	     cmocka_unit_test(long_and_deep_expressions_are_refused),
	     cmocka_unit_test(compound_is_more_than_one_identifier))
