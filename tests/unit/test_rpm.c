/* rpm's databases: real ones, one a backend, against what `rpm -qa` says of them; and the four readers on input that is
 * wrong. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "catalog/cataloger.h"
#include "format/json.h"
#include "format/rpmhdr.h"
#include "format/sqlite.h"
#include "lib/files.h"

struct list {
	struct hf_emit emit;
	struct hf_arena *a;
	HF_VEC(hf_sv) lines;
	size_t owned, unparsed;
};

static void add_line(struct list *l, hf_sv name, hf_sv version, hf_sv arch, hf_sv source, hf_sv vendor, hf_sv module)
{
	*hf_vec_push(l->a, &l->lines) =
		hf_arena_fmt(l->a, "%.*s %.*s %.*s %.*s|%.*s|%.*s", HF_SV_FMT(name), HF_SV_FMT(version),
			     HF_SV_FMT(arch), HF_SV_FMT(source), HF_SV_FMT(vendor), HF_SV_FMT(module));
}

static int on_package(struct hf_emit *e, const struct hf_package *p, struct hf_err *err)
{
	struct list *l = (struct list *)e;
	hf_sv epoch, version = p->version;

	(void)err;
	(void)hf_sv_cut(version, ':', &epoch, &version);
	hf_sv source_version = p->source_version.len ? p->source_version : version;
	hf_sv source = hf_arena_fmt(l->a, "%.*s-%.*s.src.rpm", HF_SV_FMT(p->source_name), HF_SV_FMT(source_version));
	add_line(l, p->name, p->version, p->arch, source, p->origin, p->module);
	return HF_OK;
}

static int on_owns(struct hf_emit *e, enum hf_package_type type, hf_sv name, hf_sv path, struct hf_err *err)
{
	(void)type;
	(void)name;
	(void)err;
	((struct list *)e)->owned += path.len && path.ptr[0] != '/';
	return HF_OK;
}

static int on_os(struct hf_emit *e, const struct hf_os *os, struct hf_err *err)
{
	(void)e;
	(void)os;
	(void)err;
	return HF_OK;
}

static int on_unparsed(struct hf_emit *e, hf_sv path, hf_sv reason, struct hf_err *err)
{
	(void)path;
	(void)err;
	((struct list *)e)->unparsed++;
	print_message("# unparsed: %.*s\n", HF_SV_FMT(reason));
	return HF_OK;
}

static int by_bytes(const void *a, const void *b)
{
	return hf_sv_cmp(*(const hf_sv *)a, *(const hf_sv *)b);
}

/* TRUTH: a list of objects, the fields of `rpm -qa --qf`. */
static void read_truth(struct list *l, hf_sv text)
{
	static const char *const names[] = { "name", "epoch",     "version", "release",
					     "arch", "sourcerpm", "vendor",  "modularitylabel" };
	struct hf_json j = hf_json_of(text, l->a);
	hf_sv key;

	for (hf_json_array(&j); hf_json_element(&j);) {
		hf_sv f[HF_ARRAY_SIZE(names)] = { 0 };
		for (hf_json_object(&j); hf_json_key(&j, &key);) {
			hf_sv value = hf_json_string(&j);
			for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
				if (hf_sv_eq(key, hf_sv_of(names[i])))
					f[i] = value;
		}
		if (hf_sv_eq(f[0], HF_SV("gpg-pubkey")))
			continue;
		bool has_epoch = f[1].len && !hf_sv_eq(f[1], HF_SV("0"));
		hf_sv version = hf_arena_fmt(l->a, "%.*s%s%.*s-%.*s", HF_SV_FMT(f[1]), has_epoch ? ":" : "",
					     HF_SV_FMT(f[2]), HF_SV_FMT(f[3]));
		add_line(l, f[0], version, f[4], f[5], f[6], f[7]);
	}
	assert_true(hf_json_end(&j));
}

static void compare_with_rpm(const char *name, const char *file_name)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(64 << 20), work = HF_ARENA(32 << 20);
	const char *root = getenv("HF_SOURCE_ROOT");
	char dir[4096], truth_name[256], path[256];
	struct hf_err err = { 0 };
	bool there;

	assert_non_null(root);
	snprintf(dir, sizeof dir, "%s/../shared/images/rpmdb", root);
	snprintf(truth_name, sizeof truth_name, "%s.truth.json", name);
	snprintf(path, sizeof path, "%s/%s", name, file_name);
	hf_cleanup(hf_buf_done) struct hf_buf truth = test_read(dir, truth_name, &there);
	if (!there) {
		print_message("# ../shared/images/rpmdb is not there\n");
		skip();
	}
	hf_cleanup(hf_buf_done) struct hf_buf bytes = test_read(dir, path, NULL);
	struct list want = { .a = &a }, got = { { on_package, on_owns, on_os, on_unparsed }, .a = &a };
	struct hf_file file = { .path = HF_SV("var/lib/rpm/x"), .bytes = hf_buf_view(&bytes) };
	read_truth(&want, hf_buf_view(&truth));
	assert_int_equal(hf_cataloger_rpm.parse(&file, &work, &got.emit, &err), HF_OK);
	assert_int_equal(got.unparsed, 0);
	assert_int_equal(got.lines.n, want.lines.n);
	assert_true(got.owned > got.lines.n);
	qsort(want.lines.at, want.lines.n, sizeof *want.lines.at, by_bytes);
	qsort(got.lines.at, got.lines.n, sizeof *got.lines.at, by_bytes);
	for (size_t i = 0; i < want.lines.n; i++)
		assert_string_equal(got.lines.at[i].ptr, want.lines.at[i].ptr);
	print_message("# %s: %zu packages, %zu paths\n", name, got.lines.n, got.owned);
}

HF_TEST(sqlite_database_of_mariner_as_rpm_says)
{
	compare_with_rpm("cbl-mariner-2.0-sqlite", "rpmdb.sqlite");
}

HF_TEST(ndb_database_of_sle_15_as_rpm_says)
{
	compare_with_rpm("sle15-bci-ndb", "Packages.db");
}

HF_TEST(bdb_database_of_sles_12_as_rpm_says)
{
	compare_with_rpm("sles12sp4-bdb", "Packages");
}

HF_TEST_MAIN(cmocka_unit_test(sqlite_database_of_mariner_as_rpm_says),
	     cmocka_unit_test(ndb_database_of_sle_15_as_rpm_says),
	     cmocka_unit_test(bdb_database_of_sles_12_as_rpm_says))
