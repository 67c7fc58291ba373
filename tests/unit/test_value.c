#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "format/json_writer.h"
#include "format/texts.h"
#include "format/value_yaml_internal.h"

static struct hf_arena arena = { .cap = 1 << 24 };
static char notes[1024];

static void note(void *ctx, uint32_t offset, const char *what)
{
	size_t n = strlen(notes);

	(void)ctx, (void)what;
	snprintf(notes + n, sizeof notes - n, "%u ", offset);
}

static const char *json_of(const struct hf_value *v)
{
	struct hf_buf out = HF_BUF(1 << 20);
	struct hf_json_writer w = { .out = &out, .compact = true };

	hf_value_write_json(&w, v);
	hf_buf_add_char(&out, 0);
	hf_sv text = hf_arena_dup(&arena, hf_buf_view(&out));
	hf_buf_done(&out);
	return text.ptr;
}

/* As JSON, or the fault. */
static const char *yaml_sv(hf_sv text)
{
	struct hf_value v;
	struct hf_err err = { 0 };

	notes[0] = 0;
	hf_arena_reset(&arena);
	if (hf_value_of_yaml(text, 0, 1, &arena, (struct hf_value_notes){ .note = note }, &v, &err) < 0)
		return hf_arena_dup(&arena, hf_sv_of(err.msg)).ptr;
	return json_of(&v);
}

static const char *yaml(const char *text)
{
	return yaml_sv(hf_sv_of(text));
}

static const char *json(const char *text)
{
	struct hf_value v;
	struct hf_err err = { 0 };
	size_t used;

	notes[0] = 0;
	hf_arena_reset(&arena);
	if (hf_value_of_json(hf_sv_of(text), 0, &arena, (struct hf_value_notes){ .note = note }, &v, &used, &err) < 0)
		return hf_arena_dup(&arena, hf_sv_of(err.msg)).ptr;
	return json_of(&v);
}

/* As kubectl has it: nothing stands in a comment that it does not take for one. */
HF_TEST(all_line_breaks_of_yaml_1_1_end_a_line)
{
	static const char *const breaks[] = { "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(breaks); i++) {
		char text[80];
		snprintf(text, sizeof text, "a: # b%s  c: 1%s  d: 2\n  e: 3", breaks[i], breaks[i]);
		assert_string_equal(yaml(text), "{\"a\":{\"c\":1,\"d\":2,\"e\":3}}");
		assert_string_equal(notes, "6 ");
		snprintf(text, sizeof text, "# b%sc: \"x\"%sd: 1\n", breaks[i], breaks[i]);
		assert_string_equal(yaml(text), "{\"c\":\"x\",\"d\":1}");
	}
	assert_string_equal(yaml("a: \xe2\x80\xa6 \xc2\xa0 \xe2\x80\xaa # \xe2\x80\n"), "line 1, column 12: not UTF-8");
	assert_string_equal(yaml("a: \"\xe2\x80\xa6\" # \xc2\xa1\n"), "{\"a\":\"\xe2\x80\xa6\"}");
}

/* They are written so that no reader takes them for the end of a line. */
HF_TEST(line_separators_are_written_as_escapes)
{
	struct hf_buf out = HF_BUF(1 << 10);
	struct hf_json_writer w = { .out = &out, .compact = true };

	hf_jw_string(&w, HF_SV("a\xe2\x80\xa8"
			       "b\xe2\x80\xa9"
			       "c\xe2\x80\xa6\xe2\x80"));
	hf_buf_add_char(&out, 0);
	assert_string_equal(out.ptr, "\"a\\u2028b\\u2029c\xe2\x80\xa6\\ufffd\\ufffd\"");
	hf_buf_done(&out);
}

/* Each answer is that of sigs.k8s.io/yaml 1.6.0. */
HF_TEST(plain_scalars_are_those_of_yaml_1_1)
{
	assert_string_equal(yaml("[y, Yes, on, TRUE, n, No, off, False]"),
			    "[true,true,true,true,false,false,false,false]");
	assert_string_equal(yaml("[yES, 'yes', \"on\", !!str off]"), "[\"yES\",\"yes\",\"on\",\"off\"]");
	assert_string_equal(yaml("[0644, 0o17, 0x1F, 0b101, -0x10, 1_000, +5, -0, 089, 0b-101]"),
			    "[420,15,31,5,-16,1000,5,0,89,-5]");
	assert_string_equal(yaml("[1.50, 1e3, .5, 5., 1e21, 1e-7, -0.0, 1e400]"),
			    "[1.5,1000,0.5,5,1e+21,1e-7,-0,\"1e400\"]");
	assert_string_equal(yaml("[18446744073709551615, 18446744073709551616, -9223372036854775808]"),
			    "[18446744073709551615,18446744073709552000,-9223372036854775808]");
	assert_string_equal(yaml("[~, null, Null, nUll, '']"), "[null,null,null,\"nUll\",\"\"]");
	assert_string_equal(
		yaml("[2001-12-14, 2001-12-14T21:59:43Z, 12:30:45, 1.2.3, 0x, 1e, +, .]"),
		"[\"2001-12-14\",\"2001-12-14T21:59:43Z\",\"12:30:45\",\"1.2.3\",\"0x\",\"1e\",\"+\",\".\"]");
}

HF_TEST(tags_are_obeyed)
{
	assert_string_equal(yaml("[!!str 5, !!int '5', !!bool 'yes', !!float 3, !own 5, !!binary aGk=]"),
			    "[\"5\",5,true,3,\"5\",\"hi\"]");
	assert_string_equal(yaml("a: !!int x"), "line 1, column 10: what this tag does not fit");
	assert_string_equal(yaml("a: !!binary a.b"), "line 1, column 13: no base64");
	assert_string_equal(yaml("a: .inf"), "line 1, column 4: a number that JSON does not have");
}

HF_TEST(keys_become_strings)
{
	assert_string_equal(yaml("{1: a, yes: b, 0x10: c, 1.5: d, .inf: e}"),
			    "{\"1\":\"a\",\"true\":\"b\",\"16\":\"c\",\"1.5\":\"d\",\".inf\":\"e\"}");
	assert_string_equal(yaml("~: a"), "line 1, column 1: a key that is no string");
}

HF_TEST(merge_keys_override_what_stands_before_them)
{
	assert_string_equal(yaml("b: &b {x: 1, z: 2}\nc: {z: 3, <<: *b}\nd: {<<: *b, z: 3}\n"),
			    "{\"b\":{\"x\":1,\"z\":2},\"c\":{\"z\":2,\"x\":1},\"d\":{\"x\":1,\"z\":3}}");
	assert_string_equal(notes, "");
	assert_string_equal(yaml("{<<: [{a: 1, b: 1}, {b: 2, c: 2}]}"), "{\"b\":1,\"c\":2,\"a\":1}");
	assert_string_equal(yaml("{'<<': {a: 1}}"), "{\"<<\":{\"a\":1}}");
	assert_string_equal(yaml("<<: 5"), "line 1, column 5: nothing that can be merged");
}

HF_TEST(of_repeated_keys_the_last_one_counts_and_is_noted)
{
	assert_string_equal(yaml("a: 1\nb: 2\na: 3\n"), "{\"a\":3,\"b\":2}");
	assert_string_equal(notes, "10 ");
	assert_string_equal(json("{\"a\": 1, \"b\": 2, \"a\": 3}"), "{\"a\":3,\"b\":2}");
	assert_string_equal(notes, "17 ");
}

HF_TEST(many_keys_are_compared_through_a_table)
{
	struct hf_buf text = HF_BUF(1 << 22);

	hf_buf_add_char(&text, '{');
	for (unsigned i = 0; i < 20000; i++)
		hf_buf_addf(&text, "\"k%u\":%u,", i % 19999, i);
	hf_buf_add(&text, HF_SV("\"end\":1}"));
	hf_buf_add_char(&text, 0);
	const char *out = json(text.ptr);
	assert_true(strstr(out, "{\"k0\":19999,\"k1\":1,") == out);
	assert_int_equal(strtol(notes, NULL, 10) > 0, 1);
	text.len = 0;
	hf_buf_addf(&text, "[{");
	for (unsigned i = 0; i < 100; i++)
		hf_buf_addf(&text, "\"k%u\":1,", i);
	hf_buf_addf(&text, "\"k0\":2}");
	for (unsigned object = 0; object < 2; object++) {
		hf_buf_addf(&text, ",{");
		for (unsigned i = 0; i < 17; i++)
			hf_buf_addf(&text, "\"k%u\":%u,", i, object);
		hf_buf_addf(&text, "\"k16\":5}");
	}
	hf_buf_addf(&text, "]%c", 0);
	out = json(text.ptr);
	assert_non_null(strstr(out, "\"k99\":1},{\"k0\":0,"));
	assert_non_null(strstr(out, "\"k15\":0,\"k16\":5},{\"k0\":1,"));
	assert_non_null(strstr(out, "\"k15\":1,\"k16\":5}]"));
	hf_buf_done(&text);
}

static const char *block(const char *text)
{
	struct hf_value v;

	hf_arena_reset(&arena);
	return hf_value_of_yaml_block(hf_sv_of(text), 0, &arena, (struct hf_value_notes){ 0 }, &v) ? json_of(&v)
												   : "given up";
}

/* What kubectl, helm and kustomize print, and much of what people write: not left to libfyaml, which is slower. */
HF_TEST(block_style_is_read_at_once)
{
	assert_string_equal(block("# Source: x\n---\na:\n- b: 1\n  c:\n    - d\n- - e\n  -\n    f: g\n-\nh: {i: [j, "
				  "'k', \"l\"], m: {}}\n...\n"),
			    "{\"a\":[{\"b\":1,\"c\":[\"d\"]},[\"e\",{\"f\":\"g\"}],null],\"h\":{\"i\":[\"j\",\"k\","
			    "\"l\"],\"m\":{}}}");
	assert_string_equal(block("a: |\n  one\n   two\n\n  three\n\nb: >-\n  one\n  two\n\n  three\nc: |+\n  x\n\nd: "
				  "|2-\n   y\ne: |\nf: z\n"),
			    "{\"a\":\"one\\n two\\n\\nthree\\n\",\"b\":\"one two\\nthree\",\"c\":\"x\\n\\n\",\"d\":\" "
			    "y\",\"e\":\"\",\"f\":\"z\"}");
	assert_string_equal(block("a: one\n  two # c\nb: \"one\\\n  \\ two\n\n  \\u00e9\\\"\"\nc: 'it''s\n  so'\nd: "
				  "http://x:80/#y # c\n"),
			    "{\"a\":\"one two\",\"b\":\"one two\\né\\\"\",\"c\":\"it's so\",\"d\":\"http://x:80/#y\"}");
	assert_string_equal(
		block("a: >-\n  c\n\n   y\nb: >\n\n\n  one\n  two\n    three\n  four\n\n\n  five\nc: >+\n  one\n   \n  "
		      "two\n\n"),
		"{\"a\":\"c\\n\\n y\",\"b\":\"\\n\\none two\\n  three\\nfour\\n\\nfive\\n\",\"c\":\"one\\n "
		"\\ntwo\\n\\n\"}");
	assert_string_equal(block("yes: 0644\n8080: ~\n'true': on\n\"q\" : x\n"),
			    "given up"); /* a key twice, once it is read */
	assert_string_equal(block("yes: 0644\n8080: ~\n\"q\" : .5\n"), "{\"true\":420,\"8080\":null,\"q\":0.5}");
	assert_string_equal(block("a:\n  b: [\n    c,\n    {d: e,},\n  ]\n  f: \"g\nh\"\n"),
			    "{\"a\":{\"b\":[\"c\",{\"d\":\"e\"}],\"f\":\"g h\"}}");
	assert_string_equal(block("a:\n  b\n  c\nd:\n-\n  \"e\"\n- f\n"), "{\"a\":\"b c\",\"d\":[\"e\",\"f\"]}");
	assert_string_equal(block("a: [\n---\n]\n"), "given up");
	assert_string_equal(block("a: &x 1\nb: *x\n"), "given up");
	assert_string_equal(block("a: !!str 1\n"), "given up");
	assert_string_equal(block("a:\n\t- b\n"), "given up");
	assert_string_equal(block("a: b: c\n"), "given up");
	assert_string_equal(block("a: 1\n b: 2\n"), "given up");
}

HF_TEST(aliases_are_bounded)
{
	assert_string_equal(yaml("a: &a [1]\nb: [*a, *a]\n"), "{\"a\":[1],\"b\":[[1],[1]]}");
	char laughs[1024] = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
	for (unsigned i = 1; i < 9; i++)
		snprintf(laughs + strlen(laughs), sizeof laughs - strlen(laughs),
			 "a%u: &a%u [*a%u, *a%u, *a%u, *a%u, *a%u, *a%u, *a%u, *a%u]\n", i, i, i - 1, i - 1, i - 1,
			 i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_non_null(strstr(yaml(laughs), "aliases unfold to too much"));
	assert_non_null(strstr(yaml("a: &a [*a]"), "an alias for what it is in"));
}

/* Anchors are left to libfyaml; what it would read wrongly is refused. */
HF_TEST(what_the_library_misreads_is_refused)
{
	const char *folded = "folded text with empty lines beside deeper ones, which cannot be read here",
		   *quoted = "a line of a quoted text that ends in an escaped blank, which cannot be read here";

	assert_non_null(strstr(yaml("a: &x 1\nb: >-\n  c\n\n   y\n"), folded));
	assert_non_null(strstr(yaml("a: &x 1\nb: >-\n  c\n   y\n\n  c\n"), folded));
	assert_string_equal(yaml("a: &x 1\nb: >-\n  c\n   y\n  z\nd: |\n  c\n\n   y\n"),
			    "{\"a\":1,\"b\":\"c\\n y\\nz\",\"d\":\"c\\n\\n y\\n\"}");
	assert_non_null(strstr(yaml("{\"k\": \"Ve\n  t w\\  \n o\"}"), quoted));
	assert_non_null(strstr(yaml("{\"a\\ \n o\": 1}"), quoted));
	assert_string_equal(yaml("{k: &x \"a\\ b \\\\ \n o\"}"), "{\"k\":\"a b \\\\ o\"}");
}

HF_TEST(faults_have_places)
{
	struct hf_value v;
	struct hf_err err = { 0 };
	uint32_t fault = 0, line, column;
	hf_sv text = HF_SV("a: 1\nb: ü\nc: \"d\" e\n");

	assert_true(hf_value_of_yaml(text, 0, 1, &arena, (struct hf_value_notes){ .ret_fault = &fault }, &v, &err) < 0);
	assert_null(strstr(err.msg, "column"));
	hf_text_position(text, fault, &line, &column);
	assert_int_equal(line, 3);
	assert_non_null(strstr(yaml("a:\n  b: 1\n\tc: 2\n"), "line "));
	assert_string_equal(yaml_sv(HF_SV("a: \xff")), "line 1, column 4: not UTF-8");
	assert_string_equal(json("{\"a\": tru}"), "byte 9: has a word that is no value");
	assert_string_equal(json("{\"a\": [1, 2"), "byte 11: ends in the middle");
}

HF_TEST(lines_are_found_from_the_front_and_by_index)
{
	struct hf_buf text = HF_BUF(1 << 20);
	uint32_t line, column, line2, column2;

	hf_arena_reset(&arena);
	for (unsigned i = 0; i < 5000; i++)
		hf_buf_addf(&text, "%.*sé%*s\n", (int)(i % 7), "-------", i == 2500 ? 10000 : 0, i % 2 ? "" : "é");
	struct hf_lines lines = hf_lines_of(hf_buf_view(&text), &arena);
	assert_non_null(lines.before);
	for (uint32_t at = 0; at <= text.len; at += 61) {
		hf_text_position(hf_buf_view(&text), at, &line, &column);
		hf_lines_position(&lines, at, &line2, &column2);
		assert_int_equal(line, line2);
		assert_int_equal(column, column2);
		hf_lines_position(&lines, at, &line2, NULL);
		assert_int_equal(line, line2);
	}
	assert_non_null(lines.lengths);
	hf_lines_position(&lines, (uint32_t)text.len, &line, NULL);
	assert_int_equal(line, 5001);
	hf_lines_position(&lines, (uint32_t)text.len, &line, &column);
	assert_int_equal(line, 5001);
	assert_int_equal(column, 1);
	hf_text_position(HF_SV("äb"), 2, &line, &column);
	assert_int_equal(column, 2);
	hf_buf_done(&text);
}

static void give_back(hf_sv part)
{
	(void)part;
}

/* All texts of up to ten letters out of three, from one input: a copy is equal to what it stands for, and no view of the input. */
static void kept_texts_are_what_they_were(void **state)
{
	hf_cleanup(hf_buf_done) struct hf_buf input = HF_BUF(HF_MIB(2));
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(16));
	(void)state;

	for (unsigned n = 0; n < 59049; n++)
		for (unsigned k = 0, rest = n; k < 10; k++, rest /= 3)
			hf_buf_add_char(&input, "ab\377"[rest % 3]);
	hf_sv all = hf_buf_view(&input);
	struct hf_texts texts = hf_texts_of(all, give_back, &a);
	for (size_t at = 0; at < all.len; at += 10)
		for (size_t len = 1; len <= 10; len++) {
			hf_sv text = hf_sv_slice(all, at, len), kept = hf_texts_keep(&texts, text);
			assert_true(hf_sv_eq(kept, text));
			assert_true(kept.ptr < all.ptr || kept.ptr >= all.ptr + all.len);
		}
}

HF_TEST_MAIN(cmocka_unit_test(kept_texts_are_what_they_were), cmocka_unit_test(plain_scalars_are_those_of_yaml_1_1),
	     cmocka_unit_test(tags_are_obeyed), cmocka_unit_test(keys_become_strings),
	     cmocka_unit_test(merge_keys_override_what_stands_before_them),
	     cmocka_unit_test(of_repeated_keys_the_last_one_counts_and_is_noted),
	     cmocka_unit_test(all_line_breaks_of_yaml_1_1_end_a_line),
	     cmocka_unit_test(line_separators_are_written_as_escapes),
	     cmocka_unit_test(many_keys_are_compared_through_a_table), cmocka_unit_test(block_style_is_read_at_once),
	     cmocka_unit_test(aliases_are_bounded), cmocka_unit_test(faults_have_places),
	     cmocka_unit_test(what_the_library_misreads_is_refused),
	     cmocka_unit_test(lines_are_found_from_the_front_and_by_index))
