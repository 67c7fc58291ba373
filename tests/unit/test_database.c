#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "advisory/database.h"
#include "advisory/database_build.h"
#include "advisory/name.h"
#include "lib/files.h"

static struct hf_buf build(size_t packages)
{
	char dir[] = "/tmp/holdfast-database-XXXXXX", file[64];
	struct hf_database_builder *b = hf_database_builder_new(NULL, NULL);
	struct hf_err err = { 0 };
	struct hf_buf text = HF_BUF(1 << 20);

	for (size_t i = 0; i < packages; i++) {
		text.len = 0;
		hf_buf_addf(&text,
			    "{\"id\":\"GHSA-%zu\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":[\"CVE-2024-%zu\"],"
			    "\"affected\":[{\"package\":{"
			    "\"ecosystem\":\"npm\",\"name\":\"p%zu\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{"
			    "\"introduced\":\"0\"},"
			    "{\"fixed\":\"%zu.0.0\"}]}]}]}",
			    i, 10000 + i, i, i + 1);
		assert_int_equal(
			hf_database_builder_file(b, HF_SV("osv/npm/all.zip!/x.json"), hf_buf_view(&text), &err), HF_OK);
	}
	assert_int_equal(hf_database_builder_file(b, HF_SV("osv/npm/all.zip!/bad.json"), HF_SV("{"), &err), HF_PARTIAL);
	assert_int_equal(hf_database_builder_totals(b).malformed, 1);
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/x", dir);
	assert_int_equal(hf_database_builder_write(b, file, HF_SV("2024-01-02T03:04:05Z"), false, &err), HF_OK);
	hf_database_builder_free(b);
	hf_buf_done(&text);
	struct hf_buf bytes = test_read(dir, "x", NULL);
	unlink(file);
	rmdir(dir);
	return bytes;
}

/* PyPI's records hold one of July 2027: it must not make the data look newer than it is. */
HF_TEST(a_record_of_the_future_makes_no_source_new)
{
	static const char *const days[] = { "2024-01-01", "2027-07-09" };
	char dir[] = "/tmp/holdfast-database-XXXXXX", file[64], text[128];
	struct hf_database_builder *b = hf_database_builder_new(NULL, NULL);
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	struct hf_err err = { 0 };

	hf_database_builder_today(b, HF_SV("2026-11-22T01:02:03Z"));
	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof text, "{\"id\":\"PYSEC-%zu\",\"modified\":\"%sT00:00:00Z\"}", i, days[i]);
		assert_int_equal(hf_database_builder_file(b, HF_SV("osv/PyPI/all.zip!/x.json"), hf_sv_of(text), &err),
				 HF_OK);
	}
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/x", dir);
	assert_int_equal(hf_database_builder_write(b, file, HF_SV("2026-11-22T01:02:03Z"), false, &err), HF_OK);
	hf_database_builder_free(b);
	assert_int_equal(hf_database_open(file, &db, &err), HF_OK);
	assert_true(hf_sv_eq(hf_database_info(db)->sources[0].newest, HF_SV("2024-01-01")));
	unlink(file);
	rmdir(dir);
}

HF_TEST(what_was_written_is_read_back)
{
	hf_cleanup(hf_buf_done) struct hf_buf bytes = build(500);
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	struct hf_err err = { 0 };
	char name[16];

	assert_int_equal(hf_database_of_bytes(hf_buf_view(&bytes), &db, &err), HF_OK);
	const struct hf_database_info *info = hf_database_info(db);
	assert_int_equal(info->sources_n, 1);
	assert_int_equal(info->sources[0].records, 500);
	assert_int_equal(info->sources[0].malformed, 1);
	for (size_t i = 0; i < 500; i++) {
		struct hf_affected_entry e;
		struct hf_range g;
		struct hf_record r;
		uint32_t n;
		char want[24];
		int len = snprintf(name, sizeof name, "p%zu", i);
		struct hf_entries it = hf_database_package(db, HF_SV("npm"), (hf_sv){ name, (size_t)len });
		assert_true(hf_entries_next(&it, &e));
		assert_true(hf_affected_entry_range(&e.ranges, &g));
		len = snprintf(want, sizeof want, "%zu.0.0", i + 1);
		assert_true(hf_sv_eq(g.fixed, (hf_sv){ want, (size_t)len }));
		assert_false(hf_entries_next(&it, &e));
		len = snprintf(want, sizeof want, "cve-2024-%zu", 10000 + i);
		struct hf_cur list = hf_database_records_of(db, (hf_sv){ want, (size_t)len });
		assert_true(hf_record_number(&list, &n));
		assert_true(hf_database_record(db, n, &r));
		len = snprintf(want, sizeof want, "GHSA-%zu", i);
		assert_true(hf_sv_eq(r.id, (hf_sv){ want, (size_t)len }));
	}
	struct hf_entries none = hf_database_package(db, HF_SV("npm"), HF_SV("p"));
	struct hf_affected_entry e;
	assert_false(hf_entries_next(&none, &e));
	assert_false(hf_database_damaged(db));
}

HF_TEST(the_same_input_gives_the_same_bytes)
{
	hf_cleanup(hf_buf_done) struct hf_buf one = build(300), two = build(300);

	assert_true(hf_sv_eq(hf_buf_view(&one), hf_buf_view(&two)));
}

/* Looks everything up that can be; only the sanitizers judge. */
static void walk(hf_sv bytes)
{
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	struct hf_err err = { 0 };
	struct hf_ecosystem_info info;
	struct hf_affected_entry e;
	struct hf_record r;
	char name[16];

	if (hf_database_of_bytes(bytes, &db, &err))
		return;
	hf_database_ecosystem(db, HF_SV("npm"), &info);
	for (size_t i = 0; i < 40; i++) {
		int len = snprintf(name, sizeof name, "p%zu", i);
		struct hf_entries it = hf_database_package(db, HF_SV("npm"), (hf_sv){ name, (size_t)len });
		while (hf_entries_next(&it, &e)) {
			struct hf_range g;
			while (hf_affected_entry_range(&e.ranges, &g))
				;
			hf_database_record(db, e.record, &r);
		}
	}
}

HF_TEST(damage_gives_fewer_answers_and_no_crash)
{
	hf_cleanup(hf_buf_done) struct hf_buf bytes = build(40);
	struct hf_database *db = NULL;
	struct hf_err err = { 0 };
	uint32_t seed = 1;

	for (size_t cut = 0; cut < bytes.len; cut += 997) {
		char *copy = test_exact_copy(hf_sv_first(hf_buf_view(&bytes), cut));
		assert_true(hf_database_of_bytes((hf_sv){ copy, cut }, &db, &err) < 0);
		free(copy);
	}
	for (int round = 0; round < 400; round++) {
		char *copy = test_exact_copy(hf_buf_view(&bytes));
		for (size_t i = 0; i < bytes.len / 200; i++) {
			seed = seed * 1664525u + 1013904223u;
			copy[seed % bytes.len] = (char)(seed >> 24);
		}
		memcpy(copy, bytes.ptr, round % 2 ? 8192 : 0);
		walk((hf_sv){ copy, bytes.len });
		free(copy);
	}
}

static void key_is(const char *ecosystem, const char *name, const char *want)
{
	char key[HF_DATABASE_KEY_MAX];
	size_t n = hf_package_key(hf_sv_of(ecosystem), hf_sv_of(name), key);

	assert_true(n == 2 + strlen(ecosystem) + strlen(want));
	assert_memory_equal(key + 2 + strlen(ecosystem), want, strlen(want));
}

HF_TEST(names_are_normalised_as_their_ecosystem_says)
{
	key_is("PyPI", "Foo_.-Bar", "foo-bar");
	key_is("npm", "Foo_Bar", "foo_bar");
	key_is("RubyGems", "Foo_Bar", "Foo_Bar");
	key_is("crates.io", "Foo_Bar", "foo-bar");
	key_is("Packagist", "Symfony/Http", "symfony/http");
	key_is("NuGet", "Newtonsoft.Json", "newtonsoft.json");
	key_is("Go", "github.com/BurntSushi/toml", "github.com/burntsushi/toml");
	key_is("Debian:12", "libFoo", "libFoo");
}

HF_TEST(names_of_any_length_are_no_danger)
{
	char key[HF_DATABASE_KEY_MAX], name[600];

	memset(name, 'x', sizeof name);
	assert_int_equal(hf_package_key(HF_SV("npm"), (hf_sv){ name, sizeof name }, key), 0);
	assert_int_equal(hf_package_key(HF_SV("npm"), (hf_sv){ 0 }, key), 0);
	assert_int_equal(hf_package_key(HF_SV("npm"), (hf_sv){ name, HF_DATABASE_KEY_MAX - 5 }, key),
			 HF_DATABASE_KEY_MAX);
}

HF_TEST_MAIN(cmocka_unit_test(what_was_written_is_read_back), cmocka_unit_test(the_same_input_gives_the_same_bytes),
	     cmocka_unit_test(a_record_of_the_future_makes_no_source_new),
	     cmocka_unit_test(damage_gives_fewer_answers_and_no_crash),
	     cmocka_unit_test(names_are_normalised_as_their_ecosystem_says),
	     cmocka_unit_test(names_of_any_length_are_no_danger))
