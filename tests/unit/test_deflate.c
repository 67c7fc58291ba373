#include "unit.h"

#include "codec/deflate.h"

/* "holdfast " twenty times, by zlib 1.2.13 at level 9, raw and wrapped. */
#define RAW  HF_SV("\xcb\xc8\xcf\x49\x49\x4b\x2c\x2e\x51\xc8\x18\x3a\x0c\x00")
#define ZLIB HF_SV("\x78\xda\xcb\xc8\xcf\x49\x49\x4b\x2c\x2e\x51\xc8\x18\x3a\x0c\x00\x87\xce\x45\x25")
enum { PLAIN_SIZE = 180 };

static int inflate_raw(hf_sv in, size_t max, struct hf_buf *out, struct hf_err *err)
{
	*out = HF_BUF(max);
	return hf_inflate(HF_DEFLATE_RAW, in, 0, out, err);
}

HF_TEST(raw_and_zlib_give_the_text)
{
	struct hf_err err = { 0 };
	hf_cleanup(hf_buf_done) struct hf_buf a = { 0 };
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(4096);

	assert_int_equal(inflate_raw(RAW, 4096, &a, &err), HF_OK);
	assert_int_equal(hf_inflate(HF_DEFLATE_ZLIB, ZLIB, PLAIN_SIZE, &b, &err), HF_OK);
	assert_int_equal(a.len, PLAIN_SIZE);
	assert_true(hf_sv_eq(hf_buf_view(&a), hf_buf_view(&b)));
	assert_true(hf_sv_starts(hf_buf_view(&a), HF_SV("holdfast holdfast ")));
	assert_int_equal(hf_crc32(hf_buf_view(&a)), 0xa8f29ec9);
}

HF_TEST(what_stood_in_the_buffer_stays)
{
	struct hf_err err = { 0 };
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(4096);

	hf_buf_add(&b, HF_SV("x"));
	assert_int_equal(hf_inflate(HF_DEFLATE_RAW, RAW, 0, &b, &err), HF_OK);
	assert_int_equal(b.len, 1 + PLAIN_SIZE);
	assert_int_equal(hf_inflate(HF_DEFLATE_RAW, hf_sv_first(RAW, 5), 0, &b, &err), HF_E_TRUNCATED);
	assert_int_equal(b.len, 1 + PLAIN_SIZE);
}

HF_TEST(the_limit_is_exact)
{
	struct hf_err err = { 0 };
	struct hf_buf b;

	assert_int_equal(inflate_raw(RAW, PLAIN_SIZE, &b, &err), HF_OK);
	hf_buf_done(&b);
	assert_int_equal(inflate_raw(RAW, PLAIN_SIZE - 1, &b, &err), HF_E_LIMIT);
	assert_int_equal(b.len, 0);
	hf_buf_done(&b);
}

HF_TEST(memory_of_the_caller_is_not_moved)
{
	struct hf_err err = { 0 };
	char memory[PLAIN_SIZE];
	struct hf_buf b = { .ptr = memory, .size = sizeof memory, .max = sizeof memory };

	assert_int_equal(hf_inflate(HF_DEFLATE_RAW, RAW, PLAIN_SIZE, &b, &err), HF_OK);
	assert_ptr_equal(b.ptr, memory);
	assert_memory_equal(memory + PLAIN_SIZE - 9, "holdfast ", 9);
}

HF_TEST(every_truncation_is_told)
{
	for (size_t n = 0; n < RAW.len; n++) {
		struct hf_err err = { 0 };
		struct hf_buf b;
		assert_int_equal(inflate_raw(hf_sv_first(RAW, n), 4096, &b, &err), HF_E_TRUNCATED);
		hf_buf_done(&b);
	}
	for (size_t n = 0; n < ZLIB.len; n++) {
		struct hf_err err = { 0 };
		hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(4096);
		assert_int_equal(hf_inflate(HF_DEFLATE_ZLIB, hf_sv_first(ZLIB, n), 0, &b, &err), HF_E_TRUNCATED);
	}
}

HF_TEST(broken_streams_are_refused)
{
	/* Block type 3; a distance before the beginning; a zlib header that fails its check; a preset dictionary. */
	static const struct {
		enum hf_deflate_wrapper wrapper;
		hf_sv in;
		int code;
	} bad[] = {
		{ HF_DEFLATE_RAW, HF_SV_INIT("\x07\x00\x00\x00"), HF_E_FORMAT },
		{ HF_DEFLATE_RAW, HF_SV_INIT("\x63\x00\x12\x00\x00\x00"), HF_E_FORMAT },
		{ HF_DEFLATE_ZLIB, HF_SV_INIT("\x78\x02\x03\x00\x00\x00\x00\x01"), HF_E_FORMAT },
		{ HF_DEFLATE_ZLIB, HF_SV_INIT("\x78\xbb\x00\x00\x00\x01\x03\x00\x00\x00\x00\x01"), HF_E_UNSUPPORTED },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		struct hf_err err = { 0 };
		hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(4096);
		assert_int_equal(hf_inflate(bad[i].wrapper, bad[i].in, 0, &b, &err), bad[i].code);
		assert_int_equal(err.code, bad[i].code);
	}
}

HF_TEST(a_wrong_adler_is_told)
{
	struct hf_err err = { 0 };
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(4096);
	char copy[64];

	memcpy(copy, ZLIB.ptr, ZLIB.len);
	copy[ZLIB.len - 1] ^= 1;
	assert_int_equal(hf_inflate(HF_DEFLATE_ZLIB, (hf_sv){ copy, ZLIB.len }, 0, &b, &err), HF_E_FORMAT);
	assert_non_null(strstr(err.msg, "Adler"));
}

HF_TEST_MAIN(cmocka_unit_test(raw_and_zlib_give_the_text), cmocka_unit_test(what_stood_in_the_buffer_stays),
	     cmocka_unit_test(the_limit_is_exact), cmocka_unit_test(memory_of_the_caller_is_not_moved),
	     cmocka_unit_test(every_truncation_is_told), cmocka_unit_test(broken_streams_are_refused),
	     cmocka_unit_test(a_wrong_adler_is_told))
