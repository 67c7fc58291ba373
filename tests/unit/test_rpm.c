/* rpm's databases: real ones, one a backend, against what `rpm -qa` says of them; and the four readers on input that is
 * wrong. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "catalog/cataloger.h"
#include "format/bdb.h"
#include "format/json.h"
#include "format/sqlite.h"
#include "lib/files.h"

struct list {
	struct hf_emit emit;
	struct hf_arena *a;
	HF_VEC(hf_sv) lines;
	size_t owned, owned_calls, unparsed;
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
	((struct list *)e)->owned_calls++;
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

/* A file of @pages pages of 512 bytes that begins as an SQLite database does. */
static struct hf_buf sqlite_file(size_t pages)
{
	struct hf_buf b = HF_BUF(1 << 20);
	char *room = hf_buf_room(&b, pages * 512);

	memset(room, 0, pages * 512);
	memcpy(room, "SQLite format 3", 16);
	room[16] = 2;
	room[59] = 1;
	b.len = pages * 512;
	return b;
}

static void put_page(struct hf_buf *b, uint32_t number, const char *bytes, size_t n)
{
	memcpy(b->ptr + (number - 1) * 512, bytes, n);
}

/* Rows, and pieces that could not be read, below page 2. */
static void count_rows(const struct hf_buf *b, size_t *ret_rows, size_t *ret_bad)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	struct hf_record row;
	struct hf_sqlite db;

	*ret_rows = *ret_bad = 0;
	assert_int_equal(hf_sqlite_open(&db, hf_buf_view(b), &a, NULL), HF_OK);
	struct hf_sqlite_rows rows = hf_sqlite_rows_of(&db, 2);
	while (hf_sqlite_next(&rows, &row))
		++*(row.why ? ret_bad : ret_rows);
}

HF_TEST(sqlite_headers_that_cannot_be_are_refused)
{
	static const struct {
		unsigned offset;
		char byte;
	} changes[] = { { 0, 's' }, { 16, 3 }, { 17, 1 }, { 16, 1 }, { 20, 33 }, { 59, 2 }, { 56, 1 } };

	for (size_t i = 0; i < HF_ARRAY_SIZE(changes); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
		hf_cleanup(hf_buf_done) struct hf_buf b = sqlite_file(1);
		struct hf_sqlite db;
		struct hf_err err;
		b.ptr[changes[i].offset] = changes[i].byte;
		assert_int_equal(hf_sqlite_open(&db, hf_buf_view(&b), &a, &err), HF_E_FORMAT);
	}
}

HF_TEST(sqlite_trees_that_turn_back_end)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = sqlite_file(3);
	size_t rows, bad;

	/* Page 2: an interior page with page 3 as its only cell's child and itself behind it. Page 3: a leaf with a
	 * row. */
	put_page(&b, 2, "\5\0\0\0\1\0\0\0\0\0\0\2\0\100", 14);
	memcpy(b.ptr + 512 + 64, "\0\0\0\3\1", 5);
	put_page(&b, 3, "\15\0\0\0\1\0\0\0\0\100", 10);
	memcpy(b.ptr + 1024 + 64, "\2\1\2\0", 4);
	count_rows(&b, &rows, &bad);
	assert_int_equal(rows, 1);
	assert_int_equal(bad, 1);
}

HF_TEST(sqlite_trees_deeper_than_the_limit_are_left)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = sqlite_file(40);
	size_t rows, bad;

	/* Each page is interior, without cells, and its right-most child is the next one; the last is a leaf. */
	for (uint32_t i = 2; i < 40; i++)
		put_page(&b, i, (char[]){ 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (char)(i + 1) }, 12);
	put_page(&b, 40, "\15\0\0\0\0", 5);
	count_rows(&b, &rows, &bad);
	assert_int_equal(rows, 0);
	assert_int_equal(bad, 1);
}

HF_TEST(sqlite_cells_share_no_bytes)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = sqlite_file(2);
	size_t rows, bad;

	/* A hundred pointers to the same cell of 102 bytes: five of those are more than a page. */
	put_page(&b, 2, "\15\0\0\0\144\0\0\0", 8);
	for (int i = 0; i < 100; i++)
		memcpy(b.ptr + 512 + 8 + 2 * i, "\1\100", 2);
	memcpy(b.ptr + 512 + 320, "\144\1", 2);
	count_rows(&b, &rows, &bad);
	assert_int_equal(rows, 5);
	assert_int_equal(bad, 1);
}

/* The metadata page of a Berkeley DB hash database without a page besides it. */
static int open_bdb(unsigned offset, char byte)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	char page[512] = { [12] = 0x61, [13] = 0x15, [14] = 6, [16] = 9, [21] = 2, [25] = 8 };
	struct hf_err err;
	struct hf_bdb db;

	page[offset] = byte;
	return hf_bdb_open(&db, (hf_sv){ page, sizeof page }, &a, &err);
}

HF_TEST(bdb_databases_of_other_kinds_are_refused)
{
	assert_int_equal(open_bdb(0, 0), HF_OK);
	assert_int_equal(open_bdb(12, 0x62), HF_E_FORMAT); /* b-tree */
	assert_int_equal(open_bdb(16, 3), HF_E_FORMAT);    /* version */
	assert_int_equal(open_bdb(21, 3), HF_E_FORMAT);    /* page size */
	assert_int_equal(open_bdb(22, 2), HF_E_FORMAT);
	assert_int_equal(open_bdb(24, 1), HF_E_FORMAT); /* encrypted */
	assert_int_equal(open_bdb(25, 9), HF_E_FORMAT); /* type */
	assert_int_equal(open_bdb(26, 1), HF_E_FORMAT); /* checksums */
	assert_int_equal(open_bdb(36, 2), HF_E_FORMAT); /* partitions */
}

static void add_be32(struct hf_buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		hf_buf_add_char(b, (char)(v >> shift));
}

static void add_le32(struct hf_buf *b, uint32_t v)
{
	for (int shift = 0; shift < 32; shift += 8)
		hf_buf_add_char(b, (char)(v >> shift));
}

static int parse(const struct hf_buf *b, struct list *l)
{
	hf_cleanup(hf_arena_done) struct hf_arena work = HF_ARENA(32 << 20);
	struct hf_file file = { .path = HF_SV("var/lib/rpm/x"), .bytes = hf_buf_view(b) };
	struct hf_err err;

	return hf_cataloger_rpm.parse(&file, &work, &l->emit, &err);
}

HF_TEST(files_that_are_no_rpm_database_are_refused)
{
	struct list got = { { on_package, on_owns, on_os, on_unparsed } };
	struct hf_buf b = HF_BUF(1024);

	assert_int_equal(parse(&b, &got), HF_E_FORMAT);
	hf_buf_add(&b, HF_SV("RpmP\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	assert_int_equal(parse(&b, &got), HF_E_FORMAT);
	b.ptr[4] = 0;
	assert_int_equal(parse(&b, &got), HF_OK);
	hf_buf_done(&b);
}

HF_TEST(complaints_about_one_database_are_few)
{
	struct list got = { { on_package, on_owns, on_os, on_unparsed } };
	struct hf_buf b = HF_BUF(1 << 20);

	hf_buf_add(&b, HF_SV("RpmP"));
	add_le32(&b, 0);
	add_le32(&b, 1);
	add_le32(&b, 1);
	for (int i = 0; i < 4096 - 16; i++)
		hf_buf_add_char(&b, 'x');
	assert_int_equal(parse(&b, &got), HF_PARTIAL);
	assert_int_equal(got.unparsed, 17);
	hf_buf_done(&b);
}

/* One header whose @files files, of one letter each, all lie in a directory with a name of 4000 bytes: in an ndb
 * database. */
static struct hf_buf database_of_long_paths(uint32_t files)
{
	static const uint32_t tags[][2] = {
		{ 1000, 6 }, { 1001, 6 }, { 1002, 6 }, { 1118, 8 }, { 1117, 8 }, { 1116, 4 }
	};
	struct hf_buf b = HF_BUF(8 << 20);
	const uint32_t data = 4 + 4001 + 3 + 2 * files + 4 * files, header = 8 + 16 * 6 + data,
		       blocks = (header + 28 + 15) / 16;
	const uint32_t offsets[] = { 0, 0, 0, 4, 4008, 4008 + 2 * files };

	hf_buf_add(&b, HF_SV("RpmP"));
	for (int i = 0; i < 7; i++)
		add_le32(&b, i == 2);
	for (uint32_t slot = 2; slot < 256; slot++) {
		hf_buf_add(&b, HF_SV("Slot"));
		add_le32(&b, slot == 2);
		add_le32(&b, slot == 2 ? 256 : 0);
		add_le32(&b, slot == 2 ? blocks : 0);
	}
	hf_buf_add(&b, HF_SV("BlbS"));
	add_le32(&b, 1);
	add_le32(&b, 0);
	add_le32(&b, header);
	add_be32(&b, 6);
	add_be32(&b, data);
	for (int i = 0; i < 6; i++) {
		add_be32(&b, tags[i][0]);
		add_be32(&b, tags[i][1]);
		add_be32(&b, offsets[i]);
		add_be32(&b, i < 4 ? 1 : files);
	}
	hf_buf_add(&b, HF_SV("pkg\0"));
	for (int i = 0; i < 4000; i++)
		hf_buf_add_char(&b, 'd');
	hf_buf_add(&b, HF_SV("\0\0\0\0"));
	for (uint32_t i = 0; i < files; i++)
		hf_buf_add(&b, HF_SV("f\0"));
	for (uint32_t i = 0; i < files; i++)
		add_be32(&b, 0);
	for (uint32_t i = 16 + header; i < blocks * 16 - 12; i++)
		hf_buf_add_char(&b, 0);
	add_le32(&b, 0);
	add_le32(&b, header);
	hf_buf_add(&b, HF_SV("BlbE"));
	b.ptr[12] = 1;
	return b;
}

HF_TEST(a_small_database_does_not_stand_for_gigabytes_of_paths)
{
	struct list got = { { on_package, on_owns, on_os, on_unparsed } };
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	hf_cleanup(hf_buf_done) struct hf_buf b = database_of_long_paths(100000);

	got.a = &a;
	assert_int_equal(parse(&b, &got), HF_PARTIAL);
	assert_int_equal(got.lines.n, 1);
	assert_int_equal(got.unparsed, 2); /* the checksum, and the paths */
	assert_in_range(got.owned_calls, 60000, 70000);
}

HF_TEST_MAIN(cmocka_unit_test(sqlite_database_of_mariner_as_rpm_says),
	     cmocka_unit_test(ndb_database_of_sle_15_as_rpm_says),
	     cmocka_unit_test(bdb_database_of_sles_12_as_rpm_says),
	     cmocka_unit_test(sqlite_headers_that_cannot_be_are_refused),
	     cmocka_unit_test(sqlite_trees_that_turn_back_end),
	     cmocka_unit_test(sqlite_trees_deeper_than_the_limit_are_left),
	     cmocka_unit_test(sqlite_cells_share_no_bytes), cmocka_unit_test(bdb_databases_of_other_kinds_are_refused),
	     cmocka_unit_test(files_that_are_no_rpm_database_are_refused),
	     cmocka_unit_test(complaints_about_one_database_are_few),
	     cmocka_unit_test(a_small_database_does_not_stand_for_gigabytes_of_paths))
