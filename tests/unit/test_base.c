#include "unit.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/map.h"

HF_TEST(arena_cap_is_sticky_and_a_failure_is_null)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(4096);

	assert_non_null(hf_arena_alloc(&a, 4096, 1));
	assert_null(hf_arena_alloc(&a, 1, 1));
	assert_true(a.over);
	assert_null(hf_arena_alloc(&a, 0, 1));
}

HF_TEST(arena_checks_the_multiplication)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);

	assert_null(hf_arena_calloc(&a, SIZE_MAX / 2, 3, 8));
	assert_true(a.over);
}

HF_TEST(buffer_stops_at_its_maximum)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(4);

	hf_buf_add(&b, HF_SV("abc"));
	hf_buf_add(&b, HF_SV("de"));
	assert_true(b.over);
	assert_int_equal(b.len, 3);
}

HF_TEST(cursor_fails_past_the_end_and_stays_failed)
{
	struct hf_cur c = hf_cur_of(HF_SV("\x01\x02\x03"));

	assert_int_equal(hf_cur_u16le(&c), 0x0201);
	assert_int_equal(hf_cur_u32be(&c), 0);
	assert_true(c.failed);
	assert_int_equal(hf_cur_u8(&c), 0);
}

HF_TEST(cursor_lines_with_and_without_an_end)
{
	struct hf_cur c = hf_cur_of(HF_SV("a\r\n\nb"));
	hf_sv line;

	assert_true(hf_cur_line(&c, &line) && hf_sv_eq(line, HF_SV("a")));
	assert_true(hf_cur_line(&c, &line) && line.len == 0);
	assert_true(hf_cur_line(&c, &line) && hf_sv_eq(line, HF_SV("b")));
	assert_int_equal(c.line, 3);
	assert_false(hf_cur_line(&c, &line));
}

HF_TEST(numbers_that_do_not_fit_are_refused)
{
	uint64_t n = 7;

	assert_true(hf_sv_to_u64(HF_SV("18446744073709551615"), &n) && n == UINT64_MAX);
	assert_false(hf_sv_to_u64(HF_SV("18446744073709551616"), &n));
	assert_false(hf_sv_to_u64(HF_SV(""), &n));
	assert_false(hf_sv_to_u64(HF_SV("-1"), &n));
}

HF_TEST(utf8_without_surrogates_and_overlong_forms)
{
	assert_true(hf_sv_is_utf8(HF_SV("\xc3\xa9\xf0\x9f\x90\xb3")));
	assert_false(hf_sv_is_utf8(HF_SV("\xc0\xaf")));
	assert_false(hf_sv_is_utf8(HF_SV("\xed\xa0\x80")));
	assert_false(hf_sv_is_utf8(HF_SV("\xf4\x90\x80\x80")));
	assert_false(hf_sv_is_utf8(HF_SV("\xe2\x82")));
}

HF_TEST(messages_carry_context_and_no_control_bytes)
{
	struct hf_err err = { 0 };

	assert_int_equal(hf_fail(&err, HF_E_FORMAT, "bad \x1b[31m%s", "red\n"), HF_E_FORMAT);
	assert_int_equal(hf_wrap(&err, "layer %d", 3), HF_E_FORMAT);
	assert_string_equal(err.msg, "layer 3: bad \\x1b[31mred\\x0a");
	hf_fail(&err, HF_E_FORMAT, "%s", "a\u202eb\u2066c\u200fd\u061ce\u2028f–é");
	assert_string_equal(err.msg, "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x80\\x8fd\\xd8\\x9ce\\xe2\\x80\\xa8f–é");
}

HF_TEST(map_keeps_the_order_of_insertion)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	struct hf_map m = HF_MAP(&a);

	for (int i = 0; i < 1000; i++)
		hf_map_put(&m, hf_arena_fmt(&a, "key %d", i * 7919 % 1000))->value = &m;
	assert_int_equal(m.n, 1000);
	assert_true(hf_sv_eq(m.entries[1].key, HF_SV("key 919")));
	assert_non_null(hf_map_find(&m, HF_SV("key 999")));
	assert_null(hf_map_find(&m, HF_SV("key 1000")));
}

HF_TEST(paths_hash_alike_over_a_merged_usr)
{
	assert_true(hf_hash_path(HF_SV("usr/bin/x")) == hf_hash_path(HF_SV("bin/x")));
	assert_true(hf_hash_path(HF_SV("usr/binary/x")) != hf_hash_path(HF_SV("binary/x")));
	assert_true(hf_hash_path(HF_SV("usr/local/x")) != hf_hash_path(HF_SV("local/x")));
}

HF_TEST_MAIN(cmocka_unit_test(arena_cap_is_sticky_and_a_failure_is_null),
	     cmocka_unit_test(arena_checks_the_multiplication), cmocka_unit_test(buffer_stops_at_its_maximum),
	     cmocka_unit_test(cursor_fails_past_the_end_and_stays_failed),
	     cmocka_unit_test(cursor_lines_with_and_without_an_end),
	     cmocka_unit_test(numbers_that_do_not_fit_are_refused),
	     cmocka_unit_test(utf8_without_surrogates_and_overlong_forms),
	     cmocka_unit_test(messages_carry_context_and_no_control_bytes),
	     cmocka_unit_test(map_keeps_the_order_of_insertion), cmocka_unit_test(paths_hash_alike_over_a_merged_usr))
