#include "unit.h"

#include <stdlib.h>

#include "base/limits.h"
#include "format/yaml.h"

struct read {
	struct hf_arena a;
	struct hf_yaml_document *documents;
	size_t n;
	struct hf_err err;
	int ret;
};

static void read_done(struct read *r)
{
	hf_arena_done(&r->a);
}

static struct read read_view(hf_sv text)
{
	struct read r = { .a = HF_ARENA(HF_PARSE_ARENA_MAX) };

	r.ret = hf_yaml_parse(text, &r.a, &r.documents, &r.n, &r.err);
	return r;
}

static struct read read_text(const char *text)
{
	return read_view(hf_sv_of(text));
}

HF_TEST(the_tree_has_places_and_types)
{
	hf_cleanup(read_done) struct read r = read_text("# a comment\n"
							"name: web\n"
							"ports: [80, 0x1bb, \"22\"]\n"
							"deep:\n"
							"  on: true\n"
							"  off: !!str true\n"
							"  none: ~\n"
							"  missing:\n"
							"  text: |\n"
							"    two\n"
							"    lines\n");
	hf_sv s;
	uint64_t u;
	bool b;

	assert_int_equal(r.ret, 0);
	assert_int_equal(r.n, 1);
	const struct hf_yaml_node *root = r.documents[0].root;
	assert_int_equal(root->type, HF_YAML_MAPPING);
	assert_int_equal(root->n, 3);
	assert_int_equal(root->line, 2);
	const struct hf_yaml_node *ports = hf_yaml_get(root, HF_SV("ports"));
	assert_int_equal(ports->type, HF_YAML_SEQUENCE);
	assert_int_equal(ports->n, 3);
	assert_int_equal(ports->elements[1]->line, 3);
	assert_int_equal(ports->elements[1]->column, 13);
	assert_true(hf_yaml_uint(ports->elements[0], &u));
	assert_int_equal(u, 80);
	assert_true(hf_yaml_uint(ports->elements[1], &u));
	assert_int_equal(u, 443);
	assert_false(hf_yaml_uint(ports->elements[2], &u));
	const struct hf_yaml_node *deep = hf_yaml_get(root, HF_SV("deep"));
	assert_true(hf_yaml_bool(hf_yaml_get(deep, HF_SV("on")), &b));
	assert_true(b);
	assert_false(hf_yaml_bool(hf_yaml_get(deep, HF_SV("off")), &b));
	assert_true(hf_yaml_string(hf_yaml_get(deep, HF_SV("off")), &s));
	assert_true(hf_sv_eq(s, HF_SV("true")));
	assert_true(hf_yaml_null(hf_yaml_get(deep, HF_SV("none"))));
	assert_true(hf_yaml_null(hf_yaml_get(deep, HF_SV("missing"))));
	assert_true(hf_yaml_null(hf_yaml_get(deep, HF_SV("not there"))));
	assert_false(hf_yaml_string(hf_yaml_get(deep, HF_SV("none")), &s));
	assert_true(hf_yaml_string(hf_yaml_get(deep, HF_SV("text")), &s));
	assert_true(hf_sv_eq(s, HF_SV("two\nlines\n")));
	assert_null(hf_yaml_get(ports, HF_SV("name")));
}

HF_TEST(streams_hold_several_documents)
{
	hf_cleanup(read_done) struct read r = read_text("---\na: 1\n---\n---\n# nothing\n...\n---\n- b\n");
	hf_cleanup(read_done) struct read none = read_text("");
	hf_cleanup(read_done) struct read comment = read_text("# nothing\n");

	assert_int_equal(r.ret, 0);
	assert_int_equal(r.n, 4);
	assert_int_equal(r.documents[0].root->type, HF_YAML_MAPPING);
	assert_null(r.documents[1].root);
	assert_null(r.documents[2].root);
	assert_int_equal(r.documents[3].root->type, HF_YAML_SEQUENCE);
	assert_int_equal(none.ret, 0);
	assert_int_equal(none.n, 0);
	assert_int_equal(comment.ret, 0);
}

HF_TEST(an_alias_is_its_node)
{
	hf_cleanup(read_done) struct read r = read_text("a: &x {k: v}\nb: *x\nc: &x 1\nd: *x\n");

	assert_int_equal(r.ret, 0);
	const struct hf_yaml_node *root = r.documents[0].root;
	assert_ptr_equal(hf_yaml_get(root, HF_SV("a")), hf_yaml_get(root, HF_SV("b")));
	assert_ptr_equal(hf_yaml_get(root, HF_SV("c")), hf_yaml_get(root, HF_SV("d")));
}

static const struct {
	const char *text;
	hf_sv is;
} quoted[] = {
	{ "''", HF_SV_INIT("") },
	{ "''''", HF_SV_INIT("'") },
	{ "[a, 'b']", HF_SV_INIT("b") },
	{ "[a, 'it''s', x]", HF_SV_INIT("x") },
	{ "''''''''''''''''''''''''''''''''''''''''''", HF_SV_INIT("''''''''''''''''''''") },
	{ "'one \n  two\t\n\n  three'", HF_SV_INIT("one two\nthree") },
	{ "' a\r\n \r\n b '", HF_SV_INIT(" a\nb ") },
	{ "'\n  a\n'", HF_SV_INIT(" a ") },
	{ "\"a\\n\\x41\\u00fc\"", HF_SV_INIT("a\nA\xc3\xbc") },
	{ ">\n a\n b\n\n c\n", HF_SV_INIT("a b\nc\n") },
	{ "|-\n  a\n   b\n\n", HF_SV_INIT("a\n b") },
};

/* YAML 1.2.2, 7.3.2 and 6.5. */
HF_TEST(quotes_and_lines_are_folded)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(quoted); i++) {
		hf_cleanup(read_done) struct read r = read_text(quoted[i].text);
		hf_sv s;
		assert_int_equal(r.ret, 0);
		const struct hf_yaml_node *n = r.documents[0].root;
		if (n->type == HF_YAML_SEQUENCE)
			n = n->elements[n->n - 1];
		assert_true(hf_yaml_string(n, &s));
		if (!hf_sv_eq(s, quoted[i].is))
			fail_msg("%s: '%.*s'", quoted[i].text, HF_SV_FMT(s));
	}
}

static const struct {
	const char *text;
	uint32_t line, column;
} wrong[] = {
	{ "a: 1\nb: 2\na: 3\n", 3, 1 },
	{ "{a: 1, 'a': 2}", 1, 8 },
	{ "a: *nobody\n", 1, 4 },
	{ "a: &a [1, *a]\n", 1, 11 },
	{ "---\na: &x 1\n---\nb: *x\n", 4, 4 },
	{ "a:\n\tb: 1\n", 2, 1 },
	{ "? [a, b]\n: 1\n", 1, 0 },
	{ "a: [1, 2\n", 0, 0 },
	{ "a: 'b\n", 0, 0 },
	{ "a: b: c\n", 1, 0 },
	{ "a: \x01\n", 1, 0 },
	{ "a: \"\\q\"\n", 1, 0 },
	{ "a: \xff\n", 1, 1 },
	{ "- a\nb: 1\n", 2, 0 },
	{ "%YAML 3.0\n---\na\n", 1, 0 },
};

HF_TEST(errors_say_where)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++) {
		hf_cleanup(read_done) struct read r = read_text(wrong[i].text);
		unsigned line = 0, column = 0;
		if (r.ret != HF_E_FORMAT)
			fail_msg("'%s' was taken: %d", wrong[i].text, r.ret);
		char *end = r.err.msg;
		bool placed = !strncmp(end, "line ", 5);
		if (placed)
			line = (unsigned)strtoul(end + 5, &end, 10);
		placed = placed && !strncmp(end, ", column ", 9);
		if (placed)
			column = (unsigned)strtoul(end + 9, &end, 10);
		if (!placed || !line || !column || *end != ':')
			fail_msg("'%s': %s", wrong[i].text, r.err.msg);
		if ((wrong[i].line && wrong[i].line != line) || (wrong[i].column && wrong[i].column != column))
			fail_msg("'%s': %s", wrong[i].text, r.err.msg);
	}
}

HF_TEST(many_keys_are_told_apart)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_MIB(1));

	for (int i = 0; i < 1000; i++)
		hf_buf_addf(&b, "key%d: %d\n", i, i);
	hf_cleanup(read_done) struct read all = read_view(hf_buf_view(&b));
	assert_int_equal(all.ret, 0);
	assert_int_equal(all.documents[0].root->n, 1000);
	hf_buf_addf(&b, "key500: again\n");
	hf_cleanup(read_done) struct read twice = read_view(hf_buf_view(&b));
	assert_int_equal(twice.ret, HF_E_FORMAT);
	assert_non_null(strstr(twice.err.msg, "line 1001"));
	assert_non_null(strstr(twice.err.msg, "key500"));
}

static int deep(size_t levels, const char *open, const char *close)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_MIB(16));

	for (size_t i = 0; i < levels; i++)
		hf_buf_add(&b, hf_sv_of(open));
	hf_buf_add(&b, HF_SV("1"));
	for (size_t i = 0; i < levels; i++)
		hf_buf_add(&b, hf_sv_of(close));
	hf_cleanup(read_done) struct read r = read_view(hf_buf_view(&b));
	return r.ret;
}

HF_TEST(depth_is_bounded)
{
	assert_int_equal(deep(HF_YAML_DEPTH_MAX - 1, "[", "]"), 0);
	assert_int_equal(deep(HF_YAML_DEPTH_MAX + 1, "[", "]"), HF_E_LIMIT);
	assert_int_equal(deep(100000, "[", "]"), HF_E_LIMIT);
	assert_int_equal(deep(100000, "{a: ", "}"), HF_E_LIMIT);
	assert_int_equal(deep(100000, "- ", ""), HF_E_LIMIT);
}

HF_TEST(a_line_and_directives_are_bounded)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1)), directives = HF_BUF(HF_MIB(1));

	hf_buf_add(&line, HF_SV("["));
	for (size_t i = 0; i <= HF_YAML_LINE_INDICATORS_MAX; i++)
		hf_buf_add(&line, HF_SV("a,"));
	hf_cleanup(read_done) struct read one = read_view(hf_buf_view(&line));
	assert_int_equal(one.ret, HF_E_LIMIT);
	for (size_t i = 0; i <= HF_YAML_DIRECTIVES_MAX; i++)
		hf_buf_addf(&directives, "%%TAG !a%zu! tag:x\n", i);
	hf_buf_add(&directives, HF_SV("--- a\n"));
	hf_cleanup(read_done) struct read many = read_view(hf_buf_view(&directives));
	assert_int_equal(many.ret, HF_E_LIMIT);
}

HF_TEST(aliases_unfold_to_a_bounded_tree)
{
	hf_cleanup(hf_buf_done) struct hf_buf laughs = HF_BUF(HF_MIB(1)), chain = HF_BUF(HF_MIB(1));

	hf_buf_addf(&laughs, "- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 9; i++)
		hf_buf_addf(&laughs, "- &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i - 1, i - 1,
			    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	hf_cleanup(read_done) struct read r = read_view(hf_buf_view(&laughs));
	assert_int_equal(r.ret, HF_E_LIMIT);

	hf_buf_addf(&chain, "- &a0 [x]\n");
	for (int i = 1; i < 200; i++)
		hf_buf_addf(&chain, "- &a%d [*a%d]\n", i, i - 1);
	hf_cleanup(read_done) struct read c = read_view(hf_buf_view(&chain));
	assert_int_equal(c.ret, HF_E_LIMIT);
}

HF_TEST(an_arena_that_is_full_is_a_limit)
{
	for (size_t cap = 0; cap < 100000; cap += 500) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(cap);
		struct hf_yaml_document *documents;
		struct hf_err err = { 0 };
		size_t n;
		int ret = hf_yaml_parse(HF_SV("a: &x [1, 'it''s', \"\\t\"]\nb: {c: *x, !!str d: !t e}\n"), &a,
					&documents, &n, &err);
		if (ret == 0)
			return;
		assert_int_equal(ret, HF_E_LIMIT);
	}
	fail_msg("100 kB do not hold two lines");
}

static const struct {
	hf_sv text;
	const char *written;
} scalars[] = {
	{ HF_SV_INIT("/usr/bin/env"), "/usr/bin/env" },
	{ HF_SV_INIT("sha256:ab"), "sha256:ab" },
	{ HF_SV_INIT("two words"), "two words" },
	{ HF_SV_INIT(""), "\"\"" },
	{ HF_SV_INIT("true"), "\"true\"" },
	{ HF_SV_INIT("No"), "\"No\"" },
	{ HF_SV_INIT("12"), "\"12\"" },
	{ HF_SV_INIT(".inf"), "\".inf\"" },
	{ HF_SV_INIT("a: b"), "\"a: b\"" },
	{ HF_SV_INIT("a:"), "\"a:\"" },
	{ HF_SV_INIT("a #b"), "\"a #b\"" },
	{ HF_SV_INIT("a "), "\"a \"" },
	{ HF_SV_INIT("- a"), "\"- a\"" },
	{ HF_SV_INIT("*x"), "\"*x\"" },
	{ HF_SV_INIT("say \"hi\"\\\n\t"), "\"say \\\"hi\\\"\\\\\\n\\t\"" },
	{ HF_SV_INIT("\0\x1b"), "\"\\x00\\x1b\"" },
	{ HF_SV_INIT("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"" },
	{ HF_SV_INIT("\xe2\x80\xaegnp"), "\"\\u202egnp\"" },
	{ HF_SV_INIT("a\xff"), "\"a\\ufffd\"" },
};

HF_TEST(what_is_written_reads_back)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(scalars); i++) {
		hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_MIB(1));
		hf_sv s;
		hf_yaml_write_scalar(&b, scalars[i].text);
		assert_true(hf_sv_eq(hf_buf_view(&b), hf_sv_of(scalars[i].written)));
		hf_cleanup(read_done) struct read r = read_view(hf_buf_view(&b));
		assert_int_equal(r.ret, 0);
		assert_true(hf_yaml_string(r.documents[0].root, &s));
		if (hf_sv_is_utf8(scalars[i].text))
			assert_true(hf_sv_eq(s, scalars[i].text));
	}
}

HF_TEST_MAIN(cmocka_unit_test(the_tree_has_places_and_types), cmocka_unit_test(streams_hold_several_documents),
	     cmocka_unit_test(an_alias_is_its_node), cmocka_unit_test(quotes_and_lines_are_folded),
	     cmocka_unit_test(a_line_and_directives_are_bounded), cmocka_unit_test(errors_say_where),
	     cmocka_unit_test(many_keys_are_told_apart), cmocka_unit_test(depth_is_bounded),
	     cmocka_unit_test(aliases_unfold_to_a_bounded_tree), cmocka_unit_test(an_arena_that_is_full_is_a_limit),
	     cmocka_unit_test(what_is_written_reads_back))
