#include "unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/limits.h"
#include "trace/trace.h"

static uint64_t state;

static uint64_t number(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static hf_sv random_string(struct hf_arena *a)
{
	static const char *const parts[] = { "/usr/bin/", "a",        "\"",      "\\",       "\n",       "\x1b[31m",
					     "\x7f",      "\xc3\xa9", "\xff",    "\xe2\x82", "\xc2\x9b", " ",
					     "{",         "}",        "_base64", "" };
	char text[96];
	size_t n = 0, wanted = number(8);

	for (size_t i = 0; i < wanted; i++) {
		hf_sv part = hf_sv_of(parts[number(HF_ARRAY_SIZE(parts))]);
		memcpy(text + n, part.ptr, part.len);
		n += part.len;
	}
	if (!number(4))
		text[n++] = 0;
	return hf_arena_dup(a, (hf_sv){ text, n });
}

static const hf_sv *random_list(struct hf_arena *a, size_t n)
{
	hf_sv *list = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; i < n; i++)
		list[i] = random_string(a);
	return list;
}

static void set_random(struct hf_arena *a, struct hf_event *e, enum hf_event_field f)
{
	size_t n = number(4);

	switch (hf_event_fields[f].type) {
	case HF_VALUE_STRING:
		hf_event_set_string(e, f, random_string(a));
		return;
	case HF_VALUE_UINT:
		hf_event_set_uint(e, f, number(2) ? UINT64_MAX - number(3) : number(70000));
		return;
	case HF_VALUE_INT:
		hf_event_set_int(e, f, number(2) ? INT64_MIN + (int64_t)number(3) : (int64_t)number(70000));
		return;
	case HF_VALUE_BOOL:
		hf_event_set_bool(e, f, number(2));
		return;
	case HF_VALUE_LIST:
		hf_event_set_list(e, f, random_list(a, n), n);
		return;
	case HF_VALUE_MAP:
		hf_event_set_map(e, f, random_list(a, 2 * n), n);
		return;
	case HF_VALUE_TREE: {
		struct hf_ancestor *tree = hf_arena_array(a, struct hf_ancestor, n);
		for (size_t i = 0; i < n; i++) {
			tree[i].pid = number(3);
			tree[i].execution = number(3);
			tree[i].path = number(3) ? random_string(a) : (hf_sv){ 0 };
			tree[i].arguments_n = number(3);
			tree[i].arguments = tree[i].arguments_n ? random_list(a, tree[i].arguments_n) : NULL;
		}
		hf_event_set_tree(e, f, tree, n);
		return;
	}
	case HF_VALUE_NONE:
	default:
		fail_msg("%s has no type", hf_event_fields[f].name);
	}
}

static bool same_views(const hf_sv *a, const hf_sv *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!hf_sv_eq(a[i], b[i]))
			return false;
	return true;
}

static bool same_value(const struct hf_value *a, const struct hf_value *b)
{
	if (a->type != b->type || a->n != b->n)
		return false;
	switch ((enum hf_value_type)a->type) {
	case HF_VALUE_NONE:
		return true;
	case HF_VALUE_STRING:
		return hf_sv_eq(a->string, b->string);
	case HF_VALUE_UINT:
	case HF_VALUE_INT:
		return a->uint == b->uint;
	case HF_VALUE_BOOL:
		return a->boolean == b->boolean;
	case HF_VALUE_LIST:
		return same_views(a->list, b->list, a->n);
	case HF_VALUE_MAP:
		return same_views(a->list, b->list, 2 * (size_t)a->n);
	case HF_VALUE_TREE:
		for (size_t i = 0; i < a->n; i++)
			if (a->tree[i].pid != b->tree[i].pid || a->tree[i].execution != b->tree[i].execution ||
			    !hf_sv_eq(a->tree[i].path, b->tree[i].path) ||
			    a->tree[i].arguments_n != b->tree[i].arguments_n ||
			    !same_views(a->tree[i].arguments, b->tree[i].arguments, a->tree[i].arguments_n))
				return false;
		return true;
	default:
		return false;
	}
}

HF_TEST(what_is_written_reads_as_the_same_event)
{
	state = 88172645463325252;
	for (int round = 0; round < 3000; round++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
		hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1));
		struct hf_event e = { .kind = (enum hf_event_kind)number(HF_EVENT_KINDS) }, back;
		struct hf_err err = { 0 };
		size_t unknown = 7, one_in = 1 + number(40);

		for (int f = HF_FIELD_ID; f < HF_EVENT_FIELDS; f++)
			if (f != HF_FIELD_KIND && !number(one_in))
				set_random(&a, &e, (enum hf_event_field)f);
		hf_trace_write(&line, &e);
		assert_false(line.over);
		assert_true(hf_sv_is_utf8(hf_buf_view(&line)));
		assert_int_equal(hf_sv_index(hf_buf_view(&line), '\n'), line.len - 1);
		if (hf_trace_read(hf_buf_view(&line), &a, &back, &unknown, &err) < 0)
			fail_msg("%s: %.*s", err.msg, HF_SV_FMT(hf_buf_view(&line)));
		assert_int_equal(unknown, 0);
		assert_int_equal(back.kind, e.kind);
		for (int f = 0; f < HF_EVENT_FIELDS; f++)
			if (!same_value(&e.values[f], &back.values[f]))
				fail_msg("%s: %.*s", hf_event_fields[f].name, HF_SV_FMT(hf_buf_view(&line)));
	}
}

static void writes(const struct hf_event *e, const char *wanted)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1));

	hf_trace_write(&line, e);
	hf_buf_add_char(&line, 0);
	assert_string_equal(line.ptr, wanted);
}

HF_TEST(names_nest_and_absent_fields_are_not_written)
{
	struct hf_event e = { .kind = HF_EVENT_EXIT };
	const hf_sv labels[] = { HF_SV_INIT("app"), HF_SV_INIT("web\n") };

	writes(&e, "{\"schema\":\"holdfast/event/1\",\"kind\":\"exit\"}\n");
	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, HF_SV("ab"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_POD_UID, HF_SV("u"));
	hf_event_set_map(&e, HF_FIELD_CONTAINER_LABELS, labels, 1);
	hf_event_set_uint(&e, HF_FIELD_EXIT_CODE, 0);
	writes(&e, "{\"schema\":\"holdfast/event/"
		   "1\",\"kind\":\"exit\",\"container\":{\"id\":\"ab\",\"pod\":{\"uid\":\"u\"},"
		   "\"labels\":{\"app\":\"web\\n\"}},\"exit\":{\"code\":0}}\n");
}

HF_TEST(bytes_that_are_no_text_stand_beside)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };
	const hf_sv arguments[] = { HF_SV_INIT("a"), HF_SV_INIT("\xff") };
	const struct hf_ancestor tree[] = { { .pid = 1, .path = HF_SV_INIT("/\xfe") }, { 0 } };

	hf_event_set_string(&e, HF_FIELD_PROCESS_CWD, HF_SV("/\xc3"));
	hf_event_set_list(&e, HF_FIELD_PROCESS_ARGUMENTS, arguments, 2);
	hf_event_set_tree(&e, HF_FIELD_PROCESS_ANCESTORS, tree, 2);
	writes(&e, "{\"schema\":\"holdfast/event/1\",\"kind\":\"exec\",\"process\":{"
		   "\"arguments\":[\"a\",\"\\ufffd\"],\"arguments_base64\":[null,\"/w==\"],"
		   "\"working_directory\":\"/\\ufffd\",\"working_directory_base64\":\"L8M=\","
		   "\"ancestors\":[{\"pid\":1,\"path\":\"/\\ufffd\",\"path_base64\":\"L/4=\"},{}]}}\n");
}

static int reads(const char *line, struct hf_arena *a, struct hf_event *e, size_t *unknown)
{
	struct hf_err err = { 0 };
	int code = hf_trace_read(hf_sv_of(line), a, e, unknown, &err);

	assert_true(code == 0 || err.msg[0]);
	return code;
}

HF_TEST(what_a_later_version_adds_is_passed_over_and_counted)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_event e;
	size_t unknown = 0;

	assert_int_equal(reads("{\"process\":{\"colour\":{\"a\":[1]},\"pid\":7},\"kind\":\"exec\",\"x\":null,"
			       "\"exit\":null,\"process_base64\":1,\"kind_base64\":2}",
			       &a, &e, &unknown),
			 0);
	assert_int_equal(unknown, 4);
	assert_int_equal(hf_event_uint(&e, HF_FIELD_PROCESS_PID), 7);
}

HF_TEST(what_is_no_event_is_refused)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"kind\":\"exec\"",
		"{\"kind\":\"exec\"}{}",
		"{\"kind\":\"dance\"}",
		"{\"kind\":7}",
		"{\"kind\":\"exec\",\"schema\":\"holdfast/event/2\"}",
		"{\"kind\":\"exec\",\"process\":7}",
		"{\"kind\":\"exec\",\"process\":{\"pid\":\"7\"}}",
		"{\"kind\":\"exec\",\"process\":{\"pid\":-7}}",
		"{\"kind\":\"exec\",\"process\":{\"pid\":1e3}}",
		"{\"kind\":\"exec\",\"process\":{\"pid\":18446744073709551616}}",
		"{\"kind\":\"exec\",\"process\":{\"executable\":{\"modified_ns\":9223372036854775808}}}",
		"{\"kind\":\"exec\",\"process\":{\"executable\":{\"modified_ns\":-9223372036854775809}}}",
		"{\"kind\":\"exec\",\"process\":{\"terminal\":1}}",
		"{\"kind\":\"exec\",\"process\":{\"arguments\":\"a\"}}",
		"{\"kind\":\"exec\",\"process\":{\"arguments\":[1]}}",
		"{\"kind\":\"exec\",\"process\":{\"arguments\":[\"a\"],\"arguments_base64\":[]}}",
		"{\"kind\":\"exec\",\"process\":{\"arguments\":[\"a\"],\"arguments_base64\":[\"====\"]}}",
		"{\"kind\":\"exec\",\"process\":{\"name\":\"a\",\"name_base64\":\"a\"}}",
		"{\"kind\":\"exec\",\"process\":{\"ancestors\":{}}}",
		"{\"kind\":\"exec\",\"process\":{\"ancestors\":[{\"pid\":\"1\"}]}}",
		"{\"kind\":\"exec\",\"container\":{\"labels\":{\"a\":1}}}",
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_event e;
		if (reads(bad[i], &a, &e, NULL) != HF_E_FORMAT)
			fail_msg("%s was taken", bad[i]);
	}
}

HF_TEST(a_small_arena_is_a_limit)
{
	static const char line[] =
		"{\"kind\":\"exec\",\"process\":{\"name\":\"\\n\",\"arguments\":[\"a\",\"b\"],\"ancestors\":[{"
		"\"arguments\":[\"x\"]}]},\"container\":{\"labels\":{\"a\":\"b\"}}}";
	bool done = false;

	for (size_t cap = 0; !done; cap += 64) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(cap);
		struct hf_event e;
		int code = reads(line, &a, &e, NULL);
		done = code == 0;
		assert_true(done || code == HF_E_LIMIT);
		assert_true(cap < HF_MIB(1));
	}
}

HF_TEST(base64_is_that_of_the_rfc)
{
	static const struct {
		const char *plain, *text;
	} cases[] = { { "", "" },
		      { "f", "Zg==" },
		      { "fo", "Zm8=" },
		      { "foo", "Zm9v" },
		      { "foob", "Zm9vYg==" },
		      { "fooba", "Zm9vYmE=" },
		      { "foobar", "Zm9vYmFy" } };
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(64);
		hf_base64_add(&out, hf_sv_of(cases[i].plain));
		assert_true(hf_sv_eq(hf_buf_view(&out), hf_sv_of(cases[i].text)));
		hf_sv back = hf_base64_decode(&a, hf_sv_of(cases[i].text));
		assert_true(back.ptr && hf_sv_eq(back, hf_sv_of(cases[i].plain)));
	}
	assert_null(hf_base64_decode(&a, HF_SV("Zg=")).ptr);
	assert_null(hf_base64_decode(&a, HF_SV("Z===")).ptr);
	assert_null(hf_base64_decode(&a, HF_SV("Zg==Zg==")).ptr);
	assert_null(hf_base64_decode(&a, HF_SV("Z\n==")).ptr);
}

HF_TEST_MAIN(cmocka_unit_test(what_is_written_reads_as_the_same_event),
	     cmocka_unit_test(names_nest_and_absent_fields_are_not_written),
	     cmocka_unit_test(bytes_that_are_no_text_stand_beside),
	     cmocka_unit_test(what_a_later_version_adds_is_passed_over_and_counted),
	     cmocka_unit_test(what_is_no_event_is_refused), cmocka_unit_test(a_small_arena_is_a_limit),
	     cmocka_unit_test(base64_is_that_of_the_rfc))
