#include "unit.h"

#include "base/limits.h"
#include "format/zip.h"

/* Archives are made here field by field, so that each can be wrong in one place. */
struct entry {
	hf_sv name, data;
	uint64_t size; /* plain size where it differs from data.len (deflated) */
	uint32_t crc;
	uint16_t method, flags;
};

struct maker {
	hf_sv in_front; /* bytes before the archive that the offsets do not count */
	uint64_t base;  /* what offsets are counted from: in_front.len, or 0 after `zip -A` */
	bool zip64;
	hf_sv between; /* bytes between the directory and its end record */
	hf_sv comment;
	uint32_t count_add, size_add, offset_add;
};

static void le(struct hf_buf *b, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		hf_buf_add_char(b, (char)v);
}

static void add_local(struct hf_buf *b, const struct entry *e)
{
	hf_buf_add(b, HF_SV("PK\3\4"));
	le(b, 20, 2);
	le(b, e->flags, 2);
	le(b, e->method, 2);
	le(b, 0, 4);
	le(b, 0, 12); /* as with a data descriptor: the directory has the numbers */
	le(b, e->name.len, 2);
	le(b, 3, 2);
	hf_buf_add(b, e->name);
	hf_buf_add(b, HF_SV("xtr"));
	hf_buf_add(b, e->data);
}

static void add_central(struct hf_buf *b, const struct entry *e, uint64_t offset, bool zip64)
{
	uint64_t size = e->size ? e->size : e->data.len;

	hf_buf_add(b, HF_SV("PK\1\2\x14\3\x14\0"));
	le(b, e->flags, 2);
	le(b, e->method, 2);
	le(b, 0, 4);
	le(b, e->crc, 4);
	le(b, zip64 ? UINT32_MAX : e->data.len, 4);
	le(b, zip64 ? UINT32_MAX : size, 4);
	le(b, e->name.len, 2);
	le(b, zip64 ? 34 : 0, 2);
	le(b, 0, 6);
	le(b, UINT32_C(0100644) << 16, 4);
	le(b, zip64 ? UINT32_MAX : offset, 4);
	hf_buf_add(b, e->name);
	if (zip64) {
		hf_buf_add(b, HF_SV("\x99\x99\2\0..\1\0\x18\0"));
		le(b, size, 8);
		le(b, e->data.len, 8);
		le(b, offset, 8);
	}
}

static struct hf_buf make(const struct maker *m, const struct entry *entries, size_t n)
{
	struct hf_buf b = HF_BUF(1 << 20);
	uint64_t offsets[16];

	hf_buf_add(&b, m->in_front);
	for (size_t i = 0; i < n; i++) {
		offsets[i] = b.len - m->base;
		add_local(&b, &entries[i]);
	}
	uint64_t start = b.len;
	for (size_t i = 0; i < n; i++)
		add_central(&b, &entries[i], offsets[i], m->zip64);
	uint64_t size = b.len - start, end64 = b.len;
	hf_buf_add(&b, m->between);
	if (m->zip64) {
		hf_buf_add(&b, HF_SV("PK\6\6\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0"));
		le(&b, n, 8);
		le(&b, n, 8);
		le(&b, size, 8);
		le(&b, start - m->base, 8);
		hf_buf_add(&b, HF_SV("PK\6\7\0\0\0\0"));
		le(&b, end64 - m->base, 8);
		le(&b, 1, 4);
	}
	hf_buf_add(&b, HF_SV("PK\5\6\0\0\0\0"));
	le(&b, m->zip64 ? UINT16_MAX : n, 2);
	le(&b, m->zip64 ? UINT16_MAX : n + m->count_add, 2);
	le(&b, m->zip64 ? UINT32_MAX : size + m->size_add, 4);
	le(&b, m->zip64 ? UINT32_MAX : start - m->base + m->offset_add, 4);
	le(&b, m->comment.len, 2);
	hf_buf_add(&b, m->comment);
	assert_false(b.over);
	return b;
}

#define DEFLATED                                                                                                       \
	{                                                                                                              \
		HF_SV_INIT("b/deflated"), HF_SV_INIT("\xcb\xc8\xcf\x49\x49\x4b\x2c\x2e\x51\xc8\x18\x3a\x0c\x00"), 180, \
			0xa8f29ec9, 8, 0                                                                               \
	}
static const struct entry two[] = { { HF_SV_INIT("a.txt"), HF_SV_INIT("hello"), 0, 0, 0, 0 }, DEFLATED };

static void check_two(const struct maker *m)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = make(m, two, 2);
	hf_cleanup(hf_buf_done) struct hf_buf scratch = { 0 };
	struct hf_err err = { 0 };
	struct hf_zip_member member;
	struct hf_zip z;
	hf_sv content;

	assert_int_equal(hf_zip_open(&z, hf_buf_view(&b), &err), HF_OK);
	assert_int_equal(z.members_n, 2);
	assert_int_equal(z.base, m->base);
	assert_true(hf_sv_eq(z.comment, m->comment));
	assert_true(hf_zip_next(&z, &member));
	assert_true(hf_sv_eq(member.name, HF_SV("a.txt")));
	assert_int_equal(member.mode, 0100644);
	assert_int_equal(hf_zip_read(&z, &member, 5, &scratch, &content, &err), HF_OK);
	assert_true(hf_sv_eq(content, HF_SV("hello")));
	assert_true(content.ptr > b.ptr && content.ptr < b.ptr + b.len); /* no copy */
	assert_true(hf_zip_next(&z, &member));
	assert_int_equal(member.size, 180);
	assert_int_equal(hf_zip_read(&z, &member, 179, &scratch, &content, &err), HF_E_LIMIT);
	assert_int_equal(hf_zip_read(&z, &member, 180, &scratch, &content, &err), HF_OK);
	assert_true(content.len == 180 && hf_sv_ends(content, HF_SV("holdfast ")));
	assert_false(hf_zip_next(&z, &member));
	assert_null(z.why);
	hf_zip_rewind(&z);
	assert_true(hf_zip_next(&z, &member) && hf_sv_eq(member.name, HF_SV("a.txt")));
}

HF_TEST(plain_commented_and_prepended_archives_are_read)
{
	check_two(&(struct maker){ 0 });
	check_two(&(struct maker){ .comment = HF_SV("a comment") });
	check_two(&(struct maker){ .comment = HF_SV("PK\5\6 in a comment, which is long enough to be tried") });
	check_two(&(struct maker){ .in_front = HF_SV("#!/bin/sh\nexec java -jar $0\n"), .base = 28 });
	check_two(&(struct maker){ .in_front = HF_SV("#!/bin/sh\nexec java -jar $0\n") });
	check_two(&(struct maker){ .zip64 = true });
	check_two(&(struct maker){ .zip64 = true, .in_front = HF_SV("#!/bin/sh\n"), .base = 10 });
	check_two(&(struct maker){ .between = HF_SV("a signature block from elsewhere") });
}

static int open_made(const struct maker *m, const char **ret_why)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = make(m, two, 2);
	struct hf_zip_member member;
	struct hf_err err = { 0 };
	struct hf_zip z;

	int r = hf_zip_open(&z, hf_buf_view(&b), &err);
	assert_int_equal(r, err.code);
	while (r == HF_OK && hf_zip_next(&z, &member))
		;
	*ret_why = z.why;
	return r;
}

HF_TEST(an_end_record_that_lies_is_told)
{
	const char *why;

	assert_int_equal(open_made(&(struct maker){ .offset_add = 1 }, &why), HF_E_FORMAT);
	assert_int_equal(open_made(&(struct maker){ .size_add = 1 }, &why), HF_E_FORMAT);
	assert_int_equal(open_made(&(struct maker){ .size_add = 1 << 30 }, &why), HF_E_FORMAT);
	assert_int_equal(open_made(&(struct maker){ .count_add = 1 }, &why), HF_OK);
	assert_non_null(why);
}

HF_TEST(every_truncation_is_an_error)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = make(&(struct maker){ .comment = HF_SV("c") }, two, 2);
	struct hf_zip z;

	for (size_t n = 0; n < b.len; n++) {
		struct hf_err err = { 0 };
		assert_int_equal(hf_zip_open(&z, hf_sv_first(hf_buf_view(&b), n), &err), HF_E_FORMAT);
	}
}

/* Reads the only member of an archive made of @e. */
static int read_one(const struct entry *e, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = make(&(struct maker){ 0 }, e, 1);
	hf_cleanup(hf_buf_done) struct hf_buf scratch = { 0 };
	struct hf_zip_member member;
	struct hf_zip z;
	hf_sv content;

	*err = (struct hf_err){ 0 };
	assert_int_equal(hf_zip_open(&z, hf_buf_view(&b), err), HF_OK);
	assert_true(hf_zip_next(&z, &member));
	return hf_zip_read(&z, &member, HF_MIB(1), &scratch, &content, err);
}

HF_TEST(members_that_cannot_be_read_say_why)
{
	struct entry e = DEFLATED;
	struct hf_err err;

	assert_int_equal(read_one(&e, &err), HF_OK);
	e.crc++;
	assert_int_equal(read_one(&e, &err), HF_E_FORMAT);
	assert_non_null(strstr(err.msg, "CRC-32"));
	e.crc--;
	e.size++;
	assert_int_equal(read_one(&e, &err), HF_E_FORMAT);
	e.size -= 2;
	assert_int_equal(read_one(&e, &err), HF_E_FORMAT);
	e.size++;
	e.flags = 1;
	assert_int_equal(read_one(&e, &err), HF_E_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "encrypted"));
	e.flags = 0;
	e.method = 12;
	assert_int_equal(read_one(&e, &err), HF_E_UNSUPPORTED);
	e.method = 0;
	assert_int_equal(read_one(&e, &err), HF_E_FORMAT);
	e.method = 8;
	e.data.len--;
	assert_int_equal(read_one(&e, &err), HF_E_TRUNCATED);
}

HF_TEST(offsets_out_of_the_archive_are_refused)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = make(&(struct maker){ 0 }, two, 2);
	hf_cleanup(hf_buf_done) struct hf_buf scratch = { 0 };
	static const uint64_t offsets[] = { 1, 4096, UINT32_MAX, UINT64_MAX, UINT64_MAX - 29 };
	struct hf_zip_member member;
	struct hf_err err = { 0 };
	struct hf_zip z;
	hf_sv content;

	assert_int_equal(hf_zip_open(&z, hf_buf_view(&b), &err), HF_OK);
	assert_true(hf_zip_next(&z, &member));
	for (size_t i = 0; i < HF_ARRAY_SIZE(offsets); i++) {
		member.header = offsets[i];
		assert_int_equal(hf_zip_read(&z, &member, 5, &scratch, &content, &err), HF_E_FORMAT);
	}
	member.header = 0;
	member.packed = member.size = UINT64_MAX;
	assert_int_equal(hf_zip_read(&z, &member, UINT64_MAX, &scratch, &content, &err), HF_E_TRUNCATED);
}

HF_TEST(duplicates_and_odd_names_are_handed_out)
{
	static const struct entry odd[] = { { HF_SV_INIT("x") },      { HF_SV_INIT("x") },  { HF_SV_INIT("a\0b") },
					    { HF_SV_INIT("../x") },   { HF_SV_INIT("/x") }, { HF_SV_INIT("") },
					    { HF_SV_INIT("a/..b/c") } };
	static const bool flawed[] = { false, false, true, true, true, true, false };
	hf_cleanup(hf_buf_done) struct hf_buf b = make(&(struct maker){ 0 }, odd, HF_ARRAY_SIZE(odd));
	struct hf_zip_member member;
	struct hf_err err = { 0 };
	struct hf_zip z;
	size_t n = 0;

	assert_int_equal(hf_zip_open(&z, hf_buf_view(&b), &err), HF_OK);
	for (; hf_zip_next(&z, &member); n++) {
		assert_true(hf_sv_eq(member.name, odd[n].name));
		assert_int_equal(hf_zip_name_flaw(member.name) != NULL, flawed[n]);
	}
	assert_int_equal(n, HF_ARRAY_SIZE(odd));
	assert_null(z.why);
}

HF_TEST(an_empty_archive_and_a_split_one)
{
	struct hf_err err = { 0 };
	struct hf_zip_member member;
	struct hf_zip z;

	assert_int_equal(hf_zip_open(&z, HF_SV("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), &err), HF_OK);
	assert_false(hf_zip_next(&z, &member));
	assert_null(z.why);
	assert_int_equal(hf_zip_open(&z, HF_SV("PK\5\6\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), &err), HF_E_UNSUPPORTED);
}

HF_TEST_MAIN(cmocka_unit_test(plain_commented_and_prepended_archives_are_read),
	     cmocka_unit_test(an_end_record_that_lies_is_told), cmocka_unit_test(every_truncation_is_an_error),
	     cmocka_unit_test(members_that_cannot_be_read_say_why),
	     cmocka_unit_test(offsets_out_of_the_archive_are_refused),
	     cmocka_unit_test(duplicates_and_odd_names_are_handed_out),
	     cmocka_unit_test(an_empty_archive_and_a_split_one))
