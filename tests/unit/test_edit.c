#include "unit.h"

#include "base/buffer.h"
#include "check/edit.h"
#include "check/secret_shape.h"
#include "check/text_diff.h"

static struct hf_arena arena = { .cap = 1 << 24 };

static void edits_to(hf_sv text, const char *pointer, const char *json, const char *wanted)
{
	struct hf_edit edit = { hf_sv_of(pointer), hf_sv_of(json) };
	struct hf_err err = { 0 };
	hf_sv got = { 0 };
	bool is_json = text.ptr[0] == '{';

	hf_arena_reset(&arena);
	int r = hf_edit(text, is_json, &edit, 1, &arena, &got, &err);
	if (!wanted) {
		assert_int_equal(r, HF_E_UNSUPPORTED);
		return;
	}
	assert_int_equal(r, HF_OK);
	assert_string_equal(got.ptr, wanted);
}

static void scalars_are_replaced_where_they_stand(void **state)
{
	(void)state;
	edits_to(HF_SV("a: true # why\nb: 1\n"), "/a", "false", "a: false # why\nb: 1\n");
	edits_to(HF_SV("a: \"x # y\"\n"), "/a", "\"no\"", "a: \"no\"\n");
	edits_to(HF_SV("a: 'it''s'   # c"), "/a", "7", "a: 7   # c");
	edits_to(HF_SV("a: {b: x, c: y}\n"), "/a/b", "\"z\"", "a: {b: z, c: y}\n");
	edits_to(HF_SV("a:\nb: 1\n"), "/a", "true", "a: true\nb: 1\n");
	edits_to(HF_SV("a: ~\n"), "/a/b", "true", "a: {b: true}\n");
	edits_to(HF_SV("a: null # c\n"), "/a", "{\"b\":[]}", "a: {b: []} # c\n");
	edits_to(HF_SV("\"a\": x\r\nb: y\r\n"), "/a", "true", "\"a\": true\r\nb: y\r\n");
}

static void members_are_put_behind_the_others(void **state)
{
	(void)state;
	edits_to(HF_SV("a:\n  b: 1\n# c\nd: 2\n"), "/a/e", "true", "a:\n  b: 1\n  e: true\n# c\nd: 2\n");
	edits_to(HF_SV("a:\n- x: 1\n  y: 2\n- x: 3"), "/a/1/z", "\"s\"", "a:\n- x: 1\n  y: 2\n- x: 3\n  z: s");
	edits_to(HF_SV("a: 1\n\n...\n"), "/b/c", "1", "a: 1\nb:\n  c: 1\n\n...\n");
	edits_to(HF_SV("a:\n- 1\n- 2\n\n# c\n"), "/b", "true", "a:\n- 1\n- 2\nb: true\n\n# c\n");
	edits_to(HF_SV("a: |\n  x\n\n  y\n"), "/b", "true", "a: |\n  x\n\n  y\nb: true\n");
	edits_to(HF_SV("a: {}\n"), "/a/b~1c", "\"on\"", "a: {b/c: \"on\"}\n");
	edits_to(HF_SV("{\"a\": {\"b\": 1}}"), "/a/c", "{\"d\":true}", "{\"a\": {\"b\": 1, \"c\": {\"d\": true}}}");
	edits_to(HF_SV("{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"), "/a/c", "2",
		 "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": 2\n  }\n}\n");
	edits_to(HF_SV("{\"a\": []}"), "/b", "1", "{\"a\": [], \"b\": 1}");
}

static void members_are_taken_out_with_their_lines(void **state)
{
	(void)state;
	edits_to(HF_SV("a: 1\nb:\n- x\n- y\nc: 3\n"), "/b", NULL, "a: 1\nc: 3\n");
	edits_to(HF_SV("a: 1\nb: |\n  x\n  y\n"), "/b", NULL, "a: 1\n");
	edits_to(HF_SV("a:\n- x: 1 # c\n  y: 2\n"), "/a/0/x", NULL, "a:\n- y: 2\n");
	edits_to(HF_SV("a: {x: 1, w: [2, 3], z: 4}\n"), "/a/w", NULL, "a: {x: 1, z: 4}\n");
	edits_to(HF_SV("a: {x: 1, w: 2}\n"), "/a/w", NULL, "a: {x: 1}\n");
	edits_to(HF_SV("{\"x\": 1}"), "/x", NULL, "{}");
	edits_to(HF_SV("a: 1\n"), "/b/c", NULL, "a: 1\n");
}

static void collections_give_way(void **state)
{
	(void)state;
	edits_to(HF_SV("a:\n  b:\n  - x\n  - y\n  c: 1\n"), "/a/b", "[\"z\"]", "a:\n  b: [z]\n  c: 1\n");
	edits_to(HF_SV("a: [x,\n  y]\nb: 1\n"), "/a", "[]", "a: []\nb: 1\n");
}

static void elements_are_taken_out_of_lists(void **state)
{
	(void)state;
	edits_to(HF_SV("a:\n- x # of x\n# of y\n- y\n- z\n"), "/a/0", NULL, "a:\n# of y\n- y\n- z\n");
	edits_to(HF_SV("a:\n- x\n# of y\n- y # too\n# last\nb: 1\n"), "/a/1", NULL, "a:\n- x\n# last\nb: 1\n");
	edits_to(HF_SV("a:\n  - k: 1\n    l:\n    - 2\n  - k: 3\n"), "/a/0", NULL, "a:\n  - k: 3\n");
	edits_to(HF_SV("a:\n- x: |\n    - no\n\n    - end\n- y\n"), "/a/0", NULL, "a:\n- y\n");
	edits_to(HF_SV("a: # why\n- x\nb: 1\n"), "/a/0", NULL, "a: [] # why\nb: 1\n");
	edits_to(HF_SV("a:\n- b:\n  - x\n  c: 1\n"), "/a/0/b/0", NULL, "a:\n- b: []\n  c: 1\n");
	edits_to(HF_SV("a: [x, 'y', z] # c\n"), "/a/1", NULL, "a: [x, z] # c\n");
	edits_to(HF_SV("a: [x, y, z]\n"), "/a/2", NULL, "a: [x, y]\n");
	edits_to(HF_SV("a: [ x ]\n"), "/a/0", NULL, "a: [  ]\n");
	edits_to(HF_SV("{\n  \"a\": [\n    \"x\",\n    {\"y\": 1}\n  ]\n}"), "/a/1", NULL,
		 "{\n  \"a\": [\n    \"x\"\n  ]\n}");
	edits_to(HF_SV("a: [x, # of x\n  y]\n"), "/a/0", NULL, NULL);
	edits_to(HF_SV("a:\n-\n  x\n- y\n"), "/a/0", NULL, NULL);
	edits_to(HF_SV("a:\n- - x\n"), "/a/0/0", NULL, NULL);
	edits_to(HF_SV("a: [1]\n"), "/a/1", NULL, NULL);
	edits_to(HF_SV("a:\n- &x 1\n- *x\n"), "/a/0", NULL, NULL);
}

static void elements_are_put_behind_the_others(void **state)
{
	(void)state;
	edits_to(HF_SV("a:\n- x # of x\n# of b\nb: 1\n"), "/a/-", "\"w\"", "a:\n- x # of x\n- w\n# of b\nb: 1\n");
	edits_to(HF_SV("a:\n  b:\n    - k: 1\n      l: 2"), "/a/b/-", "{\"k\":3}",
		 "a:\n  b:\n    - k: 1\n      l: 2\n    - {k: 3}");
	edits_to(HF_SV("a: [x]\n"), "/a/-", "\"w\"", "a: [x, w]\n");
	edits_to(HF_SV("a: []\n"), "/a/-", "\"w\"", "a: [w]\n");
	edits_to(HF_SV("{\"a\": [\n  1\n]}"), "/a/-", "2", "{\"a\": [\n  1,\n  2\n]}");
	edits_to(HF_SV("a: [1, 2]\n"), "/a/0", "3", NULL);
	edits_to(HF_SV("a: [1, 2]\n"), "/a/-", NULL, NULL);
}

static void what_cannot_be_proved_is_refused(void **state)
{
	(void)state;
	edits_to(HF_SV("a: &x {b: 1}\nc: *x\n"), "/c/b", "2", NULL);
	edits_to(HF_SV("a: &x\n  b: 1\nc: *x\n"), "/a/b", "2", NULL);
	edits_to(HF_SV("a:\n- x # keep\n- y\n"), "/a", "[]", NULL);
	edits_to(HF_SV("a: |\n  x\n"), "/a", "1", NULL);
	edits_to(HF_SV("a:\n  b: 1\n"), "/a/b", NULL, NULL);
	edits_to(HF_SV("a: 1\n"), "/a/b", "3", NULL);
	edits_to(HF_SV("a: x\n  y\nb: 1\n"), "/a", "3", NULL);
}

static void other_documents_stay(void **state)
{
	hf_sv text = HF_SV("# top\n---\na: 1\n---\nb: 2\n"), out;
	const hf_sv *documents;
	hf_sv after[8] = { 0 };
	struct hf_err err = { 0 };
	size_t n;
	bool json;

	(void)state;
	hf_arena_reset(&arena);
	assert_int_equal(hf_edit_documents(text, &arena, &documents, &n, &json, &err), HF_OK);
	assert_true(n >= 2 && n <= HF_ARRAY_SIZE(after) && !json);
	after[n - 1] = HF_SV("---\nb: 3\n");
	if (!hf_sv_starts(documents[n - 1], HF_SV("---")))
		after[n - 1] = HF_SV("b: 3\n");
	assert_int_equal(hf_edit_join(text, documents, after, n, &arena, &out, &err), HF_OK);
	assert_string_equal(out.ptr, "# top\n---\na: 1\n---\nb: 3\n");
	after[n - 1] = HF_SV("b: 3\n---\nc: 4\n");
	assert_int_equal(hf_edit_join(text, documents, after, n, &arena, &out, &err), HF_E_UNSUPPORTED);
}

static void differences(void **state)
{
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(4096);

	(void)state;
	hf_arena_reset(&arena);
	hf_text_diff(&out, HF_SV("f"), HF_SV("a\nb\n"), HF_SV("a\nb\n"), &arena);
	assert_int_equal(out.len, 0);
	hf_text_diff(&out, HF_SV("f"), HF_SV("1\n2\n3\n4\n5\n6\n"), HF_SV("1\n2\n3\n4\nfive\n6"), &arena);
	hf_buf_add_char(&out, 0);
	assert_string_equal(
		out.ptr,
		"--- f\n+++ f\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n-6\n+five\n+6\n\\ No newline at end of file\n");
}

static void secrets_are_known_by_name_and_shape(void **state)
{
	static const char *const secret[] = { "DB_PASSWORD", "apiToken", "--client-secret", "API_KEY_PROD",
					      "PASSWORD1" };
	static const char *const other[] = { "TOKEN_URL", "SECRET_NAME", "MAX_TOKENS", "KEY", "existingSecret", "" };

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(secret); i++)
		assert_true(hf_secret_name(hf_sv_of(secret[i])));
	for (size_t i = 0; i < HF_ARRAY_SIZE(other); i++)
		assert_false(hf_secret_name(hf_sv_of(other[i])));
	assert_false(hf_secret_value(HF_SV("$(PASSWORD)")));
	assert_false(hf_secret_value(HF_SV("/run/secrets/x")));
	assert_false(hf_secret_value(HF_SV("true")));
	assert_true(hf_secret_value(HF_SV("'made up'")));
	assert_null(hf_secret_shape(HF_SV("https://a.test:8443/x@y")));
	assert_null(hf_secret_shape(HF_SV("https://user:$PASS@a.test/")));
	assert_non_null(hf_secret_shape(HF_SV("https://user:word@a.test/")));
}

HF_TEST_MAIN(cmocka_unit_test(scalars_are_replaced_where_they_stand),
	     cmocka_unit_test(members_are_put_behind_the_others),
	     cmocka_unit_test(members_are_taken_out_with_their_lines), cmocka_unit_test(collections_give_way),
	     cmocka_unit_test(elements_are_taken_out_of_lists), cmocka_unit_test(elements_are_put_behind_the_others),
	     cmocka_unit_test(what_cannot_be_proved_is_refused), cmocka_unit_test(other_documents_stay),
	     cmocka_unit_test(differences), cmocka_unit_test(secrets_are_known_by_name_and_shape))
