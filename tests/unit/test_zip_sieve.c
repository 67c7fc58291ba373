#include "unit.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "format/zip_sieve.h"

struct kept {
	hf_sv all;
	char *marks; /* of each byte: kept */
	uint64_t next;
};

static enum hf_zip_want want(hf_sv name)
{
	return hf_sv_ends(name, HF_SV(".jar"))  ? HF_ZIP_KEEP_ARCHIVE
	       : hf_sv_starts(name, HF_SV("w")) ? HF_ZIP_KEEP
						: HF_ZIP_PASS;
}

static bool keep(void *ctx, uint64_t offset, hf_sv bytes)
{
	struct kept *k = ctx;

	assert_true(offset >= k->next && offset + bytes.len <= k->all.len);
	assert_memory_equal(bytes.ptr, k->all.ptr + offset, bytes.len);
	memset(k->marks + offset, 'k', bytes.len);
	k->next = offset + bytes.len;
	return true;
}

static void le(struct hf_buf *b, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hf_buf_add_char(b, (char)(v >> 8 * i));
}

static void local(struct hf_buf *b, const char *name, unsigned flags, unsigned method, uint64_t packed, hf_sv extra)
{
	hf_buf_add(b, HF_SV("PK\3\4"));
	le(b, 20, 2);
	le(b, flags, 2);
	le(b, method, 2);
	le(b, 0, 8);
	le(b, packed, 4);
	le(b, packed, 4);
	le(b, strlen(name), 2);
	le(b, extra.len, 2);
	hf_buf_add(b, hf_sv_of(name));
	hf_buf_add(b, extra);
}

/* "hello", by a block with fixed codes (RFC 1951 section 3.2.6). */
#define DEFLATED  HF_SV("\xcb\x48\xcd\xc9\xc9\x07\x00")
#define DIRECTORY HF_SV("PK\1\2 and what else the end of an archive holds, more than thirty bytes")

/* Each '-' stands for bytes that are passed over. */
static void expect(struct hf_buf *b, struct hf_buf *marks, char mark)
{
	while (marks->len < b->len)
		hf_buf_add_char(marks, mark);
}

static void check(const struct hf_buf *b, const struct hf_buf *marks)
{
	char *is = hf_malloc(b->len);

	for (size_t step = 1; step <= b->len; step += 1 + step / 9) {
		struct kept k = { .all = hf_buf_view(b), .marks = is };
		struct hf_zip_sieve *s = hf_zip_sieve_new(want, keep, &k);
		memset(is, '-', b->len);
		for (hf_sv rest = k.all; rest.len; rest = hf_sv_skip(rest, step))
			assert_true(hf_zip_sieve_feed(s, hf_sv_first(rest, step)));
		hf_zip_sieve_free(s);
		assert_memory_equal(is, marks->ptr, b->len);
	}
	free(is);
}

static void add_descriptor(struct hf_buf *b, bool with_signature, size_t size)
{
	if (with_signature)
		hf_buf_add(b, HF_SV("PK\7\x08"));
	le(b, 0x3610a686, 4);
	le(b, DEFLATED.len, size);
	le(b, 5, size);
}

HF_TEST(wanted_members_and_the_directory_are_kept)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(1 << 20), marks = HF_BUF(1 << 20);

	local(&b, "class", 0, 0, 300, HF_SV("extra"));
	for (int i = 0; i < 300; i++)
		hf_buf_add_char(&b, (char)i);
	local(&b, "empty", 0, 0, 0, HF_SV(""));
	expect(&b, &marks, '-');
	local(&b, "wanted", 0, 8, DEFLATED.len, HF_SV("x"));
	hf_buf_add(&b, DEFLATED);
	expect(&b, &marks, 'k');
	local(&b, "wide", 0, 0, UINT32_MAX, HF_SV("\1\0\x10\0\3\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"));
	hf_buf_add(&b, HF_SV("abc"));
	expect(&b, &marks, 'k');
	local(&b, "class", 0, 0, 3, HF_SV(""));
	hf_buf_add(&b, HF_SV("abc"));
	expect(&b, &marks, '-');
	hf_buf_add(&b, DIRECTORY);
	expect(&b, &marks, 'k');
	check(&b, &marks);
	hf_buf_done(&marks);
}

HF_TEST(members_without_a_size_are_inflated_to_their_end)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(1 << 20), marks = HF_BUF(1 << 20);

	for (int i = 0; i < 8; i++) {
		local(&b, i & 1 ? "wanted" : "class", 1 << 3, 8, 0, HF_SV(""));
		hf_buf_add(&b, DEFLATED);
		add_descriptor(&b, i & 2, i & 4 ? 8 : 4);
		expect(&b, &marks, i & 1 ? 'k' : '-');
	}
	hf_buf_add(&b, DIRECTORY);
	expect(&b, &marks, 'k');
	check(&b, &marks);
	hf_buf_done(&marks);
}

HF_TEST(stored_archives_are_gone_through)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(1 << 20), marks = HF_BUF(1 << 20);
	hf_cleanup(hf_buf_done) struct hf_buf inner = HF_BUF(1 << 20), inner_marks = HF_BUF(1 << 20);

	local(&inner, "class", 0, 0, 5, HF_SV(""));
	hf_buf_add(&inner, HF_SV("12345"));
	expect(&inner, &inner_marks, '-');
	local(&inner, "wanted", 0, 0, 5, HF_SV(""));
	hf_buf_add(&inner, HF_SV("12345"));
	hf_buf_add(&inner, DIRECTORY);
	expect(&inner, &inner_marks, 'k');
	for (int i = 0; i < 2; i++) {
		local(&b, "lib/a.jar", 0, 0, inner.len, HF_SV("x"));
		expect(&b, &marks, 'k');
		hf_buf_add(&b, hf_buf_view(&inner));
		hf_buf_add(&marks, hf_buf_view(&inner_marks));
		local(&b, "class", 0, 0, 1, HF_SV(""));
		hf_buf_add_char(&b, 'x');
		expect(&b, &marks, '-');
	}
	hf_buf_add(&b, DIRECTORY);
	expect(&b, &marks, 'k');
	check(&b, &marks);
	hf_buf_done(&marks);
	hf_buf_done(&inner_marks);
}

HF_TEST(what_is_not_understood_is_kept_to_the_end)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(1 << 20), marks = HF_BUF(1 << 20);

	local(&b, "class", 0, 0, 5, HF_SV(""));
	hf_buf_add(&b, HF_SV("12345"));
	expect(&b, &marks, '-');
	hf_buf_add(&b, HF_SV("not a header, whatever it is"));
	local(&b, "class", 0, 0, 5, HF_SV(""));
	expect(&b, &marks, 'k');
	check(&b, &marks);
	b.len = marks.len = 0;
	local(&b, "class", 1 << 3, 0, 0, HF_SV("")); /* stored, of unknown size */
	hf_buf_add(&b, HF_SV("12345"));
	expect(&b, &marks, 'k');
	check(&b, &marks);
	hf_buf_done(&marks);
}

HF_TEST_MAIN(cmocka_unit_test(wanted_members_and_the_directory_are_kept),
	     cmocka_unit_test(members_without_a_size_are_inflated_to_their_end),
	     cmocka_unit_test(stored_archives_are_gone_through),
	     cmocka_unit_test(what_is_not_understood_is_kept_to_the_end))
