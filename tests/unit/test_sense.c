#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "sensor/known.h"
#include "sensor/namespaces.h"
#include "sensor/perf_record.h"

/* A record as the kernel lays it out, field by field. */
struct record {
	char bytes[512];
	size_t n;
};

static void add(struct record *r, uint64_t v, size_t size)
{
	memcpy(r->bytes + r->n, &v, size);
	r->n += size;
}

static struct record record_begin(uint32_t type, uint16_t misc)
{
	struct record r = { 0 };

	add(&r, type, 4);
	add(&r, misc, 2);
	add(&r, 0, 2);
	return r;
}

/* Strings of perf are padded with NULs to eight bytes. */
static void add_string(struct record *r, const char *s)
{
	size_t n = strlen(s) + 1;

	memcpy(r->bytes + r->n, s, n);
	r->n += (n + 7) / 8 * 8;
}

static hf_sv record_end(struct record *r, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	add(r, pid, 4);
	add(r, tid, 4);
	add(r, time_ns, 8);
	uint16_t size = (uint16_t)r->n;
	memcpy(r->bytes + 6, &size, 2);
	return (hf_sv){ r->bytes, r->n };
}

HF_TEST(a_mapping_has_its_file_and_its_path)
{
	struct record r = record_begin(10, 2);
	struct hf_perf_record got;

	add(&r, 41, 4);
	add(&r, 42, 4);
	add(&r, 0x7f0000001000, 8);
	add(&r, 0x2000, 8);
	add(&r, 0x1000, 8);
	add(&r, 0xfd, 4);
	add(&r, 3, 4);
	add(&r, 123456, 8);
	add(&r, 7, 8);
	add(&r, 5, 4);
	add(&r, 2, 4);
	add_string(&r, "/usr/lib/libx.so");
	assert_int_equal(hf_perf_decode(record_end(&r, 41, 42, 99), &got, NULL), 0);
	assert_int_equal(got.type, HF_PERF_MMAP2);
	assert_int_equal(got.mmap.pid, 41);
	assert_int_equal(got.mmap.tid, 42);
	assert_int_equal(got.mmap.address, 0x7f0000001000);
	assert_int_equal(got.mmap.length, 0x2000);
	assert_true(got.mmap.has_inode);
	assert_int_equal(got.mmap.major, 0xfd);
	assert_int_equal(got.mmap.minor, 3);
	assert_int_equal(got.mmap.inode, 123456);
	assert_int_equal(got.mmap.generation, 7);
	assert_int_equal(got.mmap.protection, 5);
	assert_true(hf_sv_eq(got.mmap.path, HF_SV("/usr/lib/libx.so")));
	assert_int_equal(got.time_ns, 99);
	assert_int_equal(got.current_tid, 42);
}

HF_TEST(a_mapping_with_a_build_id_has_no_inode)
{
	struct record r = record_begin(10, 2 | 1 << 14);
	struct hf_perf_record got;

	add(&r, 1, 4);
	add(&r, 1, 4);
	for (int i = 0; i < 3; i++)
		add(&r, 0, 8);
	add(&r, 3, 1); /* bytes of the id */
	add(&r, 0, 3);
	add(&r, 0xccbbaa, 8);
	add(&r, 0, 8);
	add(&r, 0, 4);
	add(&r, 5, 4);
	add(&r, 2, 4);
	add_string(&r, "/a");
	assert_int_equal(hf_perf_decode(record_end(&r, 1, 1, 1), &got, NULL), 0);
	assert_false(got.mmap.has_inode);
	assert_int_equal(got.mmap.build_id_n, 3);
	assert_memory_equal(got.mmap.build_id, "\xaa\xbb\xcc", 3);
}

HF_TEST(the_other_records)
{
	struct hf_perf_record got;
	struct record r = record_begin(16, 0);

	add(&r, 5, 4);
	add(&r, 6, 4);
	add(&r, 7, 8);
	for (uint64_t i = 0; i < 7; i++) {
		add(&r, 4, 8);
		add(&r, 4026531835 + i, 8);
	}
	assert_int_equal(hf_perf_decode(record_end(&r, 5, 5, 1), &got, NULL), 0);
	assert_int_equal(got.namespaces.tid, 6);
	assert_int_equal(got.namespaces.inode[HF_NAMESPACE_NETWORK], 4026531835);
	assert_int_equal(got.namespaces.inode[HF_NAMESPACE_CGROUP], 4026531841);
	assert_int_equal(got.current_tid, 5);

	r = record_begin(2, 0);
	add(&r, 77, 8);
	add(&r, 1234, 8);
	assert_int_equal(hf_perf_decode(record_end(&r, 0, 0, 1), &got, NULL), 0);
	assert_int_equal(got.lost, 1234);

	r = record_begin(19, 0);
	add(&r, 4711, 8);
	add_string(&r, "/docker/abc");
	assert_int_equal(hf_perf_decode(record_end(&r, 0, 0, 1), &got, NULL), 0);
	assert_int_equal(got.cgroup.id, 4711);
	assert_true(hf_sv_eq(got.cgroup.path, HF_SV("/docker/abc")));

	r = record_begin(18, 0);
	add(&r, 1, 2);
	add(&r, 0, 2);
	add(&r, 55, 4);
	add(&r, 0x0706050403020100, 8);
	assert_int_equal(hf_perf_decode(record_end(&r, 0, 0, 1), &got, NULL), 0);
	assert_int_equal(got.bpf.id, 55);
	assert_false(got.bpf.unload);
	hf_sv name = { 0 };
	assert_true(hf_perf_bpf_name(HF_SV("bpf_prog_0001020304050607_probe"), got.bpf.tag, &name));
	assert_true(hf_sv_eq(name, HF_SV("probe")));
	assert_true(hf_perf_bpf_name(HF_SV("bpf_prog_0001020304050607"), got.bpf.tag, &name));
	assert_int_equal(name.len, 0);
	assert_false(hf_perf_bpf_name(HF_SV("bpf_prog_0001020304050608_probe"), got.bpf.tag, &name));

	r = record_begin(9, 0); /* a sample: not asked for */
	add(&r, 0, 8);
	assert_int_equal(hf_perf_decode(record_end(&r, 0, 0, 1), &got, NULL), 1);
}

HF_TEST(a_record_cut_at_any_place_is_refused)
{
	struct record r = record_begin(10, 2);
	struct hf_perf_record got;

	for (int i = 0; i < 8; i++)
		add(&r, 1, 8);
	add_string(&r, "/usr/lib/libx.so");
	hf_sv whole = record_end(&r, 1, 1, 1);
	for (size_t n = 0; n < whole.len; n++) {
		char cut[512];
		memcpy(cut, whole.ptr, n);
		assert_int_equal(hf_perf_decode((hf_sv){ cut, n }, &got, NULL), HF_E_FORMAT);
		if (n < 8)
			continue;
		uint16_t size = (uint16_t)n; /* a header that lies */
		memcpy(cut + 6, &size, 2);
		if (n < 24 + 64 + 1)
			assert_int_equal(hf_perf_decode((hf_sv){ cut, n }, &got, NULL), HF_E_FORMAT);
		else
			assert_true(hf_perf_decode((hf_sv){ cut, n }, &got, NULL) <= 0);
	}
}

HF_TEST(names_of_mappings)
{
	static const struct {
		const char *name;
		enum hf_perf_mapping_kind mapping;
		bool deleted;
		const char *path;
	} cases[] = {
		{ "/usr/lib/x.so", HF_MAPPING_FILE, false, "/usr/lib/x.so" },
		{ "/tmp/x (deleted)", HF_MAPPING_FILE, true, "/tmp/x" },
		{ "/memfd:payload (deleted)", HF_MAPPING_MEMORY, true, "/memfd:payload" },
		{ "/memfd:payload", HF_MAPPING_FILE, false, "/memfd:payload" },
		{ "/SYSV00000000 (deleted)", HF_MAPPING_MEMORY, true, "/SYSV00000000" },
		{ "/dev/zero (deleted)", HF_MAPPING_NONE, true, "/dev/zero" },
		{ "//anon", HF_MAPPING_NONE, false, "//anon" },
		{ "[vdso]", HF_MAPPING_NONE, false, "[vdso]" },
		{ "", HF_MAPPING_NONE, false, "" },
		{ "//toolong", HF_MAPPING_NO_PATH, false, "//toolong" },
		{ "//enomem", HF_MAPPING_NO_PATH, false, "//enomem" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		hf_sv path = hf_sv_of(cases[i].name);
		bool deleted;
		enum hf_perf_mapping_kind mapping = hf_perf_mapping_of(&path, &deleted);
		if (mapping != cases[i].mapping || deleted != cases[i].deleted ||
		    !hf_sv_eq(path, hf_sv_of(cases[i].path)))
			fail_msg("%s", cases[i].name);
	}
}

HF_TEST(what_is_known_is_known_for_each_cgroup_until_it_is_forgotten)
{
	struct hf_known k;

	hf_known_init(&k, 1024);
	assert_false(hf_known_seen(&k, 1, HF_SV("/a")));
	assert_true(hf_known_seen(&k, 1, HF_SV("/a")));
	assert_false(hf_known_seen(&k, 2, HF_SV("/a")));
	assert_false(hf_known_seen(&k, 1, HF_SV("/b")));
	hf_known_forget(&k, 1);
	assert_false(hf_known_seen(&k, 1, HF_SV("/a")));
	assert_true(hf_known_seen(&k, 1, HF_SV("/a")));
	assert_true(hf_known_seen(&k, 2, HF_SV("/a")));
	hf_known_done(&k);
}

HF_TEST(a_set_that_is_too_small_repeats_itself_and_keeps_what_is_asked_for)
{
	struct hf_known k;
	char name[16];

	hf_known_init(&k, 64);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert_false(hf_known_seen(&k, 1, hf_sv_of(name)));
		if (i)
			assert_true(hf_known_seen(&k, 1, HF_SV("0")));
	}
	assert_true(k.evicted >= 10000 - 64);
	hf_known_done(&k);
}

HF_TEST(namespaces_of_tasks)
{
	struct hf_namespace_table t;
	struct hf_namespace_set a = { { 1, 2, 3, 4, 5, 6, 7 } }, b = { { 1, 2, 3, 4, 5, 60, 0 } };
	hf_sv names[HF_NAMESPACES];

	hf_namespace_table_init(&t, 64);
	assert_null(hf_namespace_table_find(&t, 0));
	assert_null(hf_namespace_table_find(&t, 9));
	hf_namespace_table_put(&t, 9, &a);
	hf_namespace_table_put(&t, 9 + 16, &b); /* the same bucket */
	assert_memory_equal(hf_namespace_table_find(&t, 9), &a, sizeof a);
	assert_memory_equal(hf_namespace_table_find(&t, 25), &b, sizeof b);
	for (uint32_t i = 2; i < 40; i++) {
		assert_non_null(hf_namespace_table_find(&t, 9));
		hf_namespace_table_put(&t, 9 + 16 * i, &b);
	}
	assert_non_null(hf_namespace_table_find(&t, 9));
	assert_null(hf_namespace_table_find(&t, 25));
	hf_namespace_table_clear(&t);
	assert_null(hf_namespace_table_find(&t, 9));
	hf_namespace_table_done(&t);

	uint32_t changed = hf_namespaces_changed(&a, &b);
	assert_int_equal(changed, 1u << HF_NAMESPACE_MOUNT);
	assert_int_equal(hf_namespaces_same(&a, &b), 0x1f);
	assert_int_equal(hf_namespace_names(changed | 1u << HF_NAMESPACE_NETWORK, names), 2);
	assert_true(hf_sv_eq(names[0], HF_SV("mount")));
	assert_true(hf_sv_eq(names[1], HF_SV("network")));
}

HF_TEST_MAIN(cmocka_unit_test(a_mapping_has_its_file_and_its_path),
	     cmocka_unit_test(a_mapping_with_a_build_id_has_no_inode), cmocka_unit_test(the_other_records),
	     cmocka_unit_test(a_record_cut_at_any_place_is_refused), cmocka_unit_test(names_of_mappings),
	     cmocka_unit_test(what_is_known_is_known_for_each_cgroup_until_it_is_forgotten),
	     cmocka_unit_test(a_set_that_is_too_small_repeats_itself_and_keeps_what_is_asked_for),
	     cmocka_unit_test(namespaces_of_tasks))
