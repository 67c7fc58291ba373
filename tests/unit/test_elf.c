#include "unit.h"

#include "base/buffer.h"
#include "format/elf.h"

/* A file of one loaded segment at 0x1000, one note segment in it, and the sections "", ".data", ".bss", names: fields
 * by the ABI, of either class and byte order. */
enum { ADDRESS = 0x1000, HEADER_64 = 64, HEADER_32 = 52 };

struct maker {
	bool is_64, big;
	bool escaped; /* numbers of sections and segments stand in section 0 */
	struct hf_buf b;
};

static void put(struct maker *m, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hf_buf_add_char(&m->b, (char)(v >> 8 * (m->big ? n - 1 - i : i)));
}

static void word(struct maker *m, uint64_t v)
{
	put(m, v, m->is_64 ? 8 : 4);
}

static void section(struct maker *m, uint32_t name, uint32_t type, uint64_t at, uint64_t size, uint32_t link,
		    uint32_t info)
{
	put(m, name, 4);
	put(m, type, 4);
	word(m, 0);
	word(m, type == 1 ? ADDRESS : 0);
	word(m, at);
	word(m, size);
	put(m, link, 4);
	put(m, info, 4);
	word(m, 1);
	word(m, 0);
}

static void segment(struct maker *m, uint32_t type, uint64_t at, uint64_t size)
{
	put(m, type, 4);
	if (m->is_64)
		put(m, 6, 4);
	word(m, at);
	word(m, ADDRESS);
	word(m, ADDRESS);
	word(m, size);
	word(m, size + 100);
	if (!m->is_64)
		put(m, 6, 4);
	word(m, 4);
}

static const char names[] = "\0.data\0.bss\0.names";

static void make(struct maker *m)
{
	uint64_t header = m->is_64 ? HEADER_64 : HEADER_32, segment_size = m->is_64 ? 56 : 32;
	uint64_t data = header + 2 * segment_size, names_at = data + 24, sections = names_at + sizeof names;

	m->b = HF_BUF(1 << 16);
	hf_buf_add(&m->b, HF_SV("\177ELF"));
	put(m, m->is_64 ? 2 : 1, 1);
	put(m, m->big ? 2 : 1, 1);
	put(m, 1, 1);
	hf_buf_add(&m->b, HF_SV("\0\0\0\0\0\0\0\0\0"));
	put(m, 2, 2);
	put(m, 62, 2);
	put(m, 1, 4);
	word(m, 0);
	word(m, header);
	word(m, sections);
	put(m, 0, 4);
	put(m, header, 2);
	put(m, segment_size, 2);
	put(m, m->escaped ? 0xffff : 2, 2);
	put(m, m->is_64 ? 64 : 40, 2);
	put(m, m->escaped ? 0 : 4, 2);
	put(m, m->escaped ? 0xffff : 3, 2);
	segment(m, HF_ELF_SEGMENT_LOAD, data, 24);
	segment(m, HF_ELF_SEGMENT_NOTE, data, 24);
	put(m, 4, 4);
	put(m, 5, 4);
	put(m, HF_ELF_NOTE_BUILD_ID, 4);
	hf_buf_add(&m->b, HF_SV("GNU\0\1\2\3\4\5..."));
	hf_buf_add(&m->b, (hf_sv){ names, sizeof names });
	section(m, 0, 0, 0, m->escaped ? 4 : 0, m->escaped ? 3 : 0, m->escaped ? 2 : 0);
	section(m, 1, 1, data, 24, 0, 0);
	section(m, 7, 8, data, UINT32_MAX, 0, 0);
	section(m, 12, 3, names_at, sizeof names, 0, 0);
}

static void check(struct maker m)
{
	struct hf_elf_section s;
	struct hf_elf_segment segment_0;
	struct hf_err err = { 0 };
	struct hf_elf e;

	make(&m);
	assert_int_equal(hf_elf_open(&e, hf_buf_view(&m.b), &err), HF_OK);
	assert_int_equal(e.sections_n, 4);
	assert_int_equal(e.segments_n, 2);
	assert_int_equal(e.machine, 62);
	assert_true(hf_elf_find_section(&e, HF_SV(".data"), &s));
	assert_int_equal(s.content.len, 24);
	assert_int_equal(s.address, ADDRESS);
	assert_true(hf_elf_find_section(&e, HF_SV(".bss"), &s));
	assert_int_equal(s.content.len, 0);
	assert_false(hf_elf_find_section(&e, HF_SV(".dat"), &s));
	assert_false(hf_elf_find_section(&e, HF_SV("data1"), &s));
	assert_true(hf_elf_segment_at(&e, 0, &segment_0));
	assert_int_equal(segment_0.memory_size, 124);
	assert_int_equal(segment_0.flags & HF_ELF_SEGMENT_WRITABLE, HF_ELF_SEGMENT_WRITABLE);
	assert_false(hf_elf_segment_at(&e, 2, &segment_0));
	assert_true(hf_sv_eq(hf_elf_at_address(&e, ADDRESS + 16, 5), HF_SV("\1\2\3\4\5")));
	assert_int_equal(hf_elf_at_address(&e, ADDRESS + 16, 9).len, 0);
	assert_int_equal(hf_elf_at_address(&e, ADDRESS - 1, 1).len, 0);
	assert_int_equal(hf_elf_at_address(&e, ADDRESS + 1, UINT64_MAX).len, 0);
	assert_true(hf_sv_eq(hf_elf_find_note(&e, HF_SV("GNU"), HF_ELF_NOTE_BUILD_ID), HF_SV("\1\2\3\4\5")));
	assert_int_equal(hf_elf_find_note(&e, HF_SV("GNU"), 1).len, 0);
	assert_int_equal(hf_elf_find_note(&e, HF_SV("GN"), HF_ELF_NOTE_BUILD_ID).len, 0);
	hf_buf_done(&m.b);
}

HF_TEST(both_classes_and_byte_orders_are_read)
{
	for (unsigned i = 0; i < 8; i++)
		check((struct maker){ .is_64 = i & 1, .big = i & 2, .escaped = i & 4 });
}

HF_TEST(a_cut_file_keeps_what_is_there)
{
	struct maker m = { .is_64 = true };
	struct hf_elf_section s;
	struct hf_elf e;

	make(&m);
	for (size_t n = 0; n < m.b.len; n++) {
		struct hf_err err = { 0 };
		int r = hf_elf_open(&e, hf_sv_first(hf_buf_view(&m.b), n), &err);
		assert_int_equal(r, n < HEADER_64 ? HF_E_FORMAT : HF_OK);
		assert_int_equal(r, err.code);
		if (r == HF_OK)
			assert_false(hf_elf_find_section(&e, HF_SV(".data"), &s));
		if (r == HF_OK && n >= HEADER_64 + 2 * 56 + 24)
			assert_int_equal(hf_elf_at_address(&e, ADDRESS, 24).len, 24);
	}
	hf_buf_done(&m.b);
}

HF_TEST(what_is_not_elf_is_refused)
{
	static const hf_sv bad[] = { HF_SV_INIT(""),
				     HF_SV_INIT("#!/bin/sh"),
				     HF_SV_INIT("\177ELF"),
				     HF_SV_INIT("\177ELF\3\1\1"),
				     HF_SV_INIT("\177ELF\2\0\1"),
				     HF_SV_INIT("\177ELF\2\1\2") };
	struct hf_elf e;

	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		struct hf_err err = { 0 };
		assert_int_equal(hf_elf_open(&e, bad[i], &err), HF_E_FORMAT);
	}
}

HF_TEST_MAIN(cmocka_unit_test(both_classes_and_byte_orders_are_read), cmocka_unit_test(a_cut_file_keeps_what_is_there),
	     cmocka_unit_test(what_is_not_elf_is_refused))
