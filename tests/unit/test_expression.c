#include "unit.h"

#include "policy/expression.h"

static bool gather(void *ctx, jv v)
{
	*(jv *)ctx = jv_array_append(*(jv *)ctx, v);
	return true;
}

/* The values as a JSON list; "jq" where jq is to be asked, "unread" where the program is not understood. */
static const char *answer(const char *program, const char *input)
{
	static char text[4096];
	struct hf_expressions *e = hf_expression_read(hf_sv_of(program));
	jv values = jv_array(), subject = jv_parse(input);
	const jv variables[HF_EXPRESSION_OWN_SLOTS] = {
		subject, jv_null(), jv_null(), jv_null(), jv_string("given"),
	};

	strcpy(text, "unread");
	if (e && hf_expression_run(e, subject, variables, &values, gather)) {
		values = jv_dump_string(values, 0);
		snprintf(text, sizeof text, "%s", jv_string_value(values));
	} else if (e) {
		strcpy(text, "jq");
	}
	jv_free(values);
	jv_free(subject);
	jv_free(variables[HF_EXPRESSION_OWN_SLOTS - 1]);
	hf_expression_free(e);
	return text;
}

/* Expected values are those of jq 1.6 (fuzz/fuzz_expression.c holds random programs beside it). */
static const struct {
	const char *program, *input, *answer;
} rows[] = {
	{ ".a.b", "{\"a\":{\"b\":1}}", "[1]" },
	{ ".a.b", "{}", "[null]" },
	{ ".a.b", "{\"a\":1}", "jq" },
	{ ".a.b?", "{\"a\":1}", "[]" },
	{ ".a.b.c?", "{\"a\":1}", "jq" },
	{ "(.a.b.c)?", "{\"a\":1}", "[]" },
	{ "(.a, .b.c, 1)?", "{\"a\":1,\"b\":2}", "[1]" },
	{ ".[0], .[7]", "[1,2]", "[1,null]" },
	{ ".[]", "{\"b\":1,\"a\":2}", "[1,2]" },
	{ "(1, 2) + (10, 20)", "null", "[11,12,21,22]" },
	{ "(true, false) and (true, false)", "null", "[true,false,false]" },
	{ "\"\\(1, 2)-\\(3, 4)\"", "null", "[\"1-3\",\"2-3\",\"1-4\",\"2-4\"]" },
	{ ".a // \"none\"", "{\"a\":false}", "[\"none\"]" },
	{ "(.[] // 9)", "[null,1,false,2]", "[1,2]" },
	{ "select(.a == 1 and (.b | not)) | \"is \\(.a)\"", "{\"a\":1}", "[\"is 1\"]" },
	{ "[.[] | select(. > 1)] | length > 1", "[1,2,3]", "[true]" },
	{ "map(.x) | any(. == 2)", "[{\"x\":1},{\"x\":2}]", "[true]" },
	{ "all(.[]; . != 0)", "[1,0]", "[false]" },
	{ ".x as $y | if $y == 1 then \"one\" elif $y then \"more\" else empty end", "{\"x\":2}", "[\"more\"]" },
	{ "{message: \"m\", path: .p}", "{\"p\":\".spec\"}", "[{\"message\":\"m\",\"path\":\".spec\"}]" },
	{ "$parameters", "null", "[\"given\"]" },
	{ ".a | IN(\"x\", \"y\")", "{\"a\":\"y\"}", "[true]" },
	{ "test(\"^a\\\\.b$\")", "\"a.b\\n\"", "[true]" },
	{ "test(\"^a\\\\.b$\")", "\"a.b\\n\\n\"", "[false]" },
	{ "test(\"^b\")", "\"a\\nb\"", "[false]" },
	{ ".a == \"x\" or .a == \"y\" and false # so is jq's order\n", "{\"a\":\"y\"}", "[false]" },
	/* What is well formed and not known is jq's, where it is come to. */
	{ "select(.a) | ascii_downcase", "{}", "[]" },
	{ "select(.a) | ascii_downcase", "{\"a\":1}", "jq" },
	{ "any(.[]; .a)", "[{\"a\":1},1]", "jq" },
	{ "length", "-1", "jq" },
	{ "any(.[]; .[]) | not", "[[true,true]]", "jq" },
	{ "all(.[]; .a?) | not", "[{\"a\":true}]", "jq" },
	/* What could be read in two ways is not read. */
	{ "def f: 1; f", "null", "unread" },
	{ ".a?//1", "null", "unread" },
	{ ".a |= 1", "null", "unread" },
	{ ". # one\r, 2", "null", "unread" },
	{ ". # one \\\n, 2", "null", "unread" },
	{ "1.5", "null", "unread" },
	{ "$__want", "null", "unread" },
	{ "reduce .[] as $x (0; . + $x)", "[1]", "unread" },
	{ ".a.", "null", "unread" },
	{ "(.a", "null", "unread" },
};

HF_TEST(answers_are_jqs_or_none)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++)
		if (strcmp(answer(rows[i].program, rows[i].input), rows[i].answer) != 0)
			fail_msg("%s of %s: %s", rows[i].program, rows[i].input,
				 answer(rows[i].program, rows[i].input));
}

HF_TEST(what_takes_very_long_is_left_to_jq)
{
	char list[4096] = "[0";

	for (size_t i = 0; i < 1000; i++)
		strcat(list, ",0");
	strcat(list, "]");
	assert_string_equal(answer(". as $l | all(.[]; . == 0 and ($l | all(.[]; . == 0)))", list), "jq");
	assert_string_equal(answer(". as $l | all(.[]; . == 0)", list), "[true]");
}

HF_TEST(depth_is_bounded)
{
	static char text[20000];

	for (size_t i = 0; i < 9000; i++)
		text[i] = '(';
	assert_string_equal(answer(text, "1"), "unread");
	memset(text, 0, sizeof text);
	for (size_t i = 0; i < 4000; i++)
		memcpy(text + 2 * i, i ? "+1" : " 1", 2);
	assert_string_equal(answer(text, "1"), "unread");
}

HF_TEST_MAIN(cmocka_unit_test(answers_are_jqs_or_none), cmocka_unit_test(what_takes_very_long_is_left_to_jq),
	     cmocka_unit_test(depth_is_bounded))
