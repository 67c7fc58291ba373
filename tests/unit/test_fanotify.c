#include "unit.h"

#include <string.h>

#include "sensor/fanotify_record.h"

struct record {
	char bytes[1024];
	size_t n, begin;
};

static void add(struct record *r, uint64_t v, size_t size)
{
	memcpy(r->bytes + r->n, &v, size);
	r->n += size;
}

static void begin(struct record *r, uint64_t mask, int fd, int pid)
{
	r->begin = r->n;
	add(r, 0, 4);
	add(r, 3, 1);
	add(r, 0, 1);
	add(r, 24, 2);
	add(r, mask, 8);
	add(r, (uint32_t)fd, 4);
	add(r, (uint32_t)pid, 4);
}

/* An information record with a handle of 8 bytes, each @fill; padded to four. */
static void add_object(struct record *r, uint8_t type, char fill, const char *name)
{
	size_t at = r->n;

	add(r, type, 2);
	add(r, 0, 2);
	add(r, 0x1122334455667788, 8);
	add(r, 8, 4);
	add(r, 1, 4);
	memset(r->bytes + r->n, fill, 8);
	r->n += 8;
	if (name) {
		memcpy(r->bytes + r->n, name, strlen(name) + 1);
		r->n += strlen(name) + 1;
	}
	while ((r->n - at) % 4)
		r->bytes[r->n++] = 0;
	uint16_t size = (uint16_t)(r->n - at);
	memcpy(r->bytes + at + 2, &size, 2);
}

static void end(struct record *r)
{
	uint32_t size = (uint32_t)(r->n - r->begin);

	memcpy(r->bytes + r->begin, &size, 4);
}

HF_TEST(events_follow_each_other)
{
	struct record r = { 0 };
	struct hf_fanotify_event e;

	begin(&r, 0x20, 7, 100);
	end(&r);
	begin(&r, 0x100, -1, 101);
	add_object(&r, 2, 'a', "name");
	end(&r);
	begin(&r, 0x10000000, -1, 102);
	add_object(&r, 10, 'b', "old");
	add_object(&r, 12, 'c', "new");
	add(&r, 4, 2); /* a pidfd, which is not read */
	add(&r, 8, 2);
	add(&r, 5, 4);
	add_object(&r, 1, 'd', NULL);
	end(&r);

	hf_sv rest = { r.bytes, r.n };
	assert_int_equal(hf_fanotify_next(&rest, &e, NULL), 1);
	assert_int_equal(e.mask, 0x20);
	assert_int_equal(e.fd, 7);
	assert_int_equal(e.pid, 100);
	assert_int_equal(e.entry.handle.len, 0);
	assert_int_equal(hf_fanotify_next(&rest, &e, NULL), 1);
	assert_int_equal(e.fd, -1);
	assert_int_equal(e.entry.handle.len, 24);
	assert_memory_equal(e.entry.handle.ptr + 16, "aaaaaaaa", 8);
	assert_true(hf_sv_eq(e.entry.name, HF_SV("name")));
	assert_int_equal(hf_fanotify_next(&rest, &e, NULL), 1);
	assert_true(hf_sv_eq(e.old_entry.name, HF_SV("old")));
	assert_true(hf_sv_eq(e.new_entry.name, HF_SV("new")));
	assert_memory_equal(e.new_entry.handle.ptr + 16, "cccccccc", 8);
	assert_memory_equal(e.file.handle.ptr + 16, "dddddddd", 8);
	assert_int_equal(e.file.name.len, 0);
	assert_int_equal(hf_fanotify_next(&rest, &e, NULL), 0);
}

HF_TEST(what_is_cut_or_lies_is_refused)
{
	struct record r = { 0 };
	struct hf_fanotify_event e;
	hf_sv rest;

	begin(&r, 0x100, -1, 101);
	add_object(&r, 2, 'a', "name");
	end(&r);
	for (size_t n = 1; n < r.n; n++) {
		char cut[1024];
		memcpy(cut, r.bytes, n);
		rest = (hf_sv){ cut, n };
		assert_int_equal(hf_fanotify_next(&rest, &e, NULL), HF_E_FORMAT);
		assert_int_equal(rest.len, 0);
		uint32_t size = (uint32_t)n; /* a length that fits, over information that does not */
		memcpy(cut, &size, 4);
		rest = (hf_sv){ cut, n };
		if (n != 24)
			assert_int_equal(hf_fanotify_next(&rest, &e, NULL), HF_E_FORMAT);
	}
	r.bytes[4] = 2; /* another version */
	rest = (hf_sv){ r.bytes, r.n };
	assert_int_equal(hf_fanotify_next(&rest, &e, NULL), HF_E_FORMAT);
	r.bytes[4] = 3;
	r.bytes[24 + 12] = (char)200; /* a handle longer than its record */
	rest = (hf_sv){ r.bytes, r.n };
	assert_int_equal(hf_fanotify_next(&rest, &e, NULL), HF_E_FORMAT);
}

HF_TEST_MAIN(cmocka_unit_test(events_follow_each_other), cmocka_unit_test(what_is_cut_or_lies_is_refused))
