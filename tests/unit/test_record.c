#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sensor/record.h"

static struct hf_arena arena;
static struct hf_event e;
static char bytes[HF_RECORD_MAX];

static struct hf_record head(uint16_t kind, size_t size)
{
	return (struct hf_record){ .size = (uint32_t)size,
				   .kind = kind,
				   .ns = 500,
				   .cgroup_id = 7,
				   .start_ns = 200,
				   .pid = 40,
				   .tid = 41,
				   .parent_pid = 39,
				   .name = "0123456789abcdef",
				   .parent_name = "sh" };
}

/* An execution's record with its four texts; @x without head and lengths. */
static hf_sv execution(struct hf_record_exec x, hf_sv path, hf_sv script, hf_sv cwd, hf_sv arguments)
{
	const hf_sv texts[] = { path, script, cwd, arguments };
	size_t n = sizeof x;

	for (size_t i = 0; i < 4; i++) {
		memcpy(bytes + n, texts[i].len ? texts[i].ptr : "", texts[i].len);
		n += texts[i].len;
	}
	x.head = head(HF_EVENT_EXEC, n);
	x.path_length = (uint16_t)path.len;
	x.script_length = (uint16_t)script.len;
	x.cwd_length = (uint16_t)cwd.len;
	x.arguments_length = (uint16_t)arguments.len;
	memcpy(bytes, &x, sizeof x);
	return (hf_sv){ bytes, n };
}

static int parse(hf_sv record)
{
	hf_arena_done(&arena);
	arena = HF_ARENA(HF_MIB(1));
	memset(&e, 0, sizeof e);
	return hf_record_event(record, &arena, &e, NULL);
}

static bool is(enum hf_event_field field, hf_sv value)
{
	return hf_sv_eq(hf_event_string(&e, field), value);
}

HF_TEST(an_execution_has_its_texts_bytes_as_they_are)
{
	hf_sv r = execution(
		(struct hf_record_exec){ .flags = HF_EXEC_OVERLAY | HF_EXEC_UPPER, .stdin_is = 3, .stdout_is = 99 },
		HF_SV("/bin/\xff\n\x1b[2J"), HF_SV("./x"), HF_SV("/tmp"), HF_SV("sh\0\0-c\0\xc3\x28"));
	const struct hf_value *list = &e.values[HF_FIELD_PROCESS_ARGUMENTS];

	assert_int_equal(parse(r), 0);
	assert_int_equal(e.kind, HF_EVENT_EXEC);
	assert_true(is(HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/\xff\n\x1b[2J")));
	assert_true(is(HF_FIELD_PROCESS_SCRIPT, HF_SV("./x")));
	assert_true(is(HF_FIELD_PROCESS_CWD, HF_SV("/tmp")));
	assert_true(is(HF_FIELD_PROCESS_NAME, HF_SV("0123456789abcdef")));
	assert_true(is(HF_FIELD_PROCESS_STDIN, HF_SV("pipe")));
	assert_true(is(HF_FIELD_PROCESS_STDOUT, HF_SV("")));
	assert_true(hf_event_bool(&e, HF_FIELD_PROCESS_EXE_UPPER));
	assert_false(hf_event_bool(&e, HF_FIELD_PROCESS_EXE_TRUNCATED));
	assert_int_equal(list->n, 4);
	assert_true(hf_sv_eq(list->list[1], HF_SV("")));
	assert_true(hf_sv_eq(list->list[3], HF_SV("\xc3\x28")));
	assert_false(hf_event_has(&e, HF_FIELD_PROCESS_EXECUTION));
}

HF_TEST(what_the_kernel_cut_is_flagged)
{
	hf_sv r = execution((struct hf_record_exec){ .flags = HF_EXEC_PATH_TRUNCATED | HF_EXEC_CWD_TRUNCATED |
							      HF_EXEC_ARGUMENTS_TRUNCATED },
			    HF_SV("/end"), HF_SV(""), HF_SV("/cwd"), HF_SV("a\0b"));

	assert_int_equal(parse(r), 0);
	assert_true(hf_event_bool(&e, HF_FIELD_PROCESS_EXE_TRUNCATED));
	assert_true(hf_event_bool(&e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED));
	assert_false(hf_event_has(&e, HF_FIELD_PROCESS_CWD));
	r = execution((struct hf_record_exec){ .flags = HF_EXEC_ARGUMENTS_UNREADABLE }, HF_SV("/x"), HF_SV(""),
		      HF_SV(""), HF_SV(""));
	assert_int_equal(parse(r), 0);
	assert_true(hf_event_bool(&e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED));
	assert_false(hf_event_has(&e, HF_FIELD_PROCESS_ARGUMENTS));
}

/* All four texts at their longest are one record: a container cannot make one that is cut by the mask of its size. */
HF_TEST(the_longest_record_fits)
{
	_Static_assert(sizeof(struct hf_record_exec) + 3 * HF_RECORD_PATH_MAX + HF_RECORD_ARGUMENTS_MAX < HF_RECORD_MAX,
		       "");
	static char text[HF_RECORD_PATH_MAX];

	memset(text, 'a', sizeof text);
	hf_sv path = { text, sizeof text };
	assert_int_equal(parse(execution((struct hf_record_exec){ 0 }, path, hf_sv_first(path, HF_RECORD_PATH_MAX - 1),
					 path, hf_sv_first(path, HF_RECORD_ARGUMENTS_MAX))),
			 0);
	assert_int_equal(hf_event_string(&e, HF_FIELD_PROCESS_EXE_PATH).len, HF_RECORD_PATH_MAX);
}

HF_TEST(every_cut_of_a_record_is_refused)
{
	hf_sv r = execution((struct hf_record_exec){ 0 }, HF_SV("/bin/x"), HF_SV("s"), HF_SV("/"), HF_SV("x\0y"));

	for (size_t n = 0; n < r.len; n++) {
		char *copy = hf_malloc(n + 1); /* of exact size, for the address sanitizer */
		memcpy(copy, r.ptr, n);
		assert_true(parse((hf_sv){ copy, n }) < 0);
		if (n >= sizeof(struct hf_record)) {
			uint32_t size = (uint32_t)n;
			memcpy(copy, &size, sizeof size);
			assert_true(parse((hf_sv){ copy, n }) < 0);
		}
		free(copy);
	}
	struct hf_record h = head(HF_EVENT_KINDS, sizeof h);
	assert_true(parse((hf_sv){ (char *)&h, sizeof h }) < 0);
}

HF_TEST(an_end_has_a_code_or_a_signal)
{
	struct hf_record_exit x = { .head = head(HF_EVENT_EXIT, sizeof x), .status = 3 << 8 };
	hf_sv r = { (char *)&x, sizeof x };

	assert_int_equal(parse(r), 0);
	assert_int_equal(hf_event_uint(&e, HF_FIELD_EXIT_CODE), 3);
	assert_int_equal(hf_event_uint(&e, HF_FIELD_EXIT_DURATION_NS), 300);
	assert_false(hf_event_has(&e, HF_FIELD_EXIT_SIGNAL));
	x.status = 0x80 | 11; /* with a core */
	x.head.start_ns = 501;
	assert_int_equal(parse(r), 0);
	assert_int_equal(hf_event_uint(&e, HF_FIELD_EXIT_SIGNAL), 11);
	assert_false(hf_event_has(&e, HF_FIELD_EXIT_CODE));
	assert_false(hf_event_has(&e, HF_FIELD_EXIT_DURATION_NS));
}

HF_TEST(a_birth_has_the_cgroup_s_path_and_no_process)
{
	struct hf_record_cgroup x = { .head = head(HF_EVENT_CONTAINER_START, sizeof x + 5), .path_length = 5 };

	memcpy(bytes, &x, sizeof x);
	memcpy(bytes + sizeof x, "/d/\x1b\xff", 5);
	assert_int_equal(parse((hf_sv){ bytes, sizeof x + 5 }), 0);
	assert_true(is(HF_FIELD_CONTAINER_CGROUP, HF_SV("/d/\x1b\xff")));
	assert_false(hf_event_has(&e, HF_FIELD_PROCESS_PID));
	x.path_length = UINT32_MAX;
	memcpy(bytes, &x, sizeof x);
	assert_int_equal(parse((hf_sv){ bytes, sizeof x + 5 }), 0);
	assert_int_equal(hf_event_string(&e, HF_FIELD_CONTAINER_CGROUP).len, 5);
	assert_int_equal(hf_record_old_execution((hf_sv){ bytes, sizeof x + 5 }), 0);
}

HF_TEST_MAIN(cmocka_unit_test(an_execution_has_its_texts_bytes_as_they_are),
	     cmocka_unit_test(what_the_kernel_cut_is_flagged), cmocka_unit_test(the_longest_record_fits),
	     cmocka_unit_test(every_cut_of_a_record_is_refused), cmocka_unit_test(an_end_has_a_code_or_a_signal),
	     cmocka_unit_test(a_birth_has_the_cgroup_s_path_and_no_process))
