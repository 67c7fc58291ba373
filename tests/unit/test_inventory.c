/* Layers laid over each other: archives of a few entries, made here, read as an image is. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/limits.h"
#include "catalog/hidden.h"
#include "catalog/inventory.h"
#include "source/source.h"

/* ---- archives ---- */

struct entry {
	char type;               /* as in tar: '0' file, '1' hard link, '2' symlink, '5' folder; 0: end of the layer */
	const char *path, *text; /* content, or where a link leads */
};

static void add_member(struct hf_buf *tar, char type, const char *path, hf_sv content, const char *link)
{
	char h[512] = { 0 };
	unsigned sum = 0;
	static const char zeros[512];

	snprintf(h, 100, "%s", path);
	snprintf(h + 100, 8, "0000644");
	snprintf(h + 124, 12, "%011llo", (unsigned long long)content.len);
	h[156] = type;
	snprintf(h + 157, 100, "%s", link);
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	hf_buf_add(tar, (hf_sv){ h, sizeof h });
	hf_buf_add(tar, content);
	hf_buf_add(tar, (hf_sv){ zeros, (512 - content.len % 512) % 512 });
}

static void end_tar(struct hf_buf *tar)
{
	static const char zeros[1024];

	hf_buf_add(tar, (hf_sv){ zeros, sizeof zeros });
}

struct image {
	struct hf_buf tar, config, manifest;
	uint32_t layers;
};

static struct image new_image(void)
{
	struct image m = { HF_BUF(HF_MIB(256)), HF_BUF(1 << 20), HF_BUF(1 << 20), 0 };

	hf_buf_addf(&m.config,
		    "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	hf_buf_addf(&m.manifest, "[{\"Config\":\"config.json\",\"RepoTags\":[],\"Layers\":[");
	return m;
}

static void add_tar(struct image *m, const struct hf_buf *layer)
{
	char name[32];

	snprintf(name, sizeof name, "%u.tar", m->layers);
	add_member(&m->tar, '0', name, hf_buf_view(layer), "");
	hf_buf_addf(&m->config, "%s\"sha256:%064u\"", m->layers ? "," : "", m->layers);
	hf_buf_addf(&m->manifest, "%s\"%s\"", m->layers ? "," : "", name);
	m->layers++;
}

static void add_layer(struct image *m, const struct entry *entries)
{
	hf_cleanup(hf_buf_done) struct hf_buf layer = HF_BUF(HF_MIB(16));

	for (; entries->type; entries++) {
		bool link = entries->type == '1' || entries->type == '2';
		add_member(&layer, entries->type, entries->path,
			   link || !entries->text ? (hf_sv){ 0 } : hf_sv_of(entries->text), link ? entries->text : "");
	}
	end_tar(&layer);
	add_tar(m, &layer);
}
#define LAYER(m, ...) add_layer(m, (const struct entry[]){ __VA_ARGS__, { 0 } })

struct read {
	struct hf_source *source;
	struct hf_inventory inv;
	int result;
};

static struct read read_image(struct image *m)
{
	struct hf_source_options so = { .jobs = 2 };
	struct hf_inventory_options o = { .jobs = 2 };
	struct hf_err err = { 0 };
	char path[] = "/tmp/hf-image-XXXXXX";
	struct read r = { 0 };

	hf_buf_addf(&m->config, "]}}");
	hf_buf_addf(&m->manifest, "]}]");
	add_member(&m->tar, '0', "config.json", hf_buf_view(&m->config), "");
	add_member(&m->tar, '0', "manifest.json", hf_buf_view(&m->manifest), "");
	end_tar(&m->tar);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, m->tar.ptr, m->tar.len), (ssize_t)m->tar.len);
	close(fd);
	assert_int_equal(hf_source_open(hf_sv_of(path), &so, &r.source, &err), HF_OK);
	unlink(path);
	assert_int_equal(hf_source_read(r.source, &err), HF_OK);
	r.result = hf_inventory_read(r.source, &o, &r.inv, &err);
	hf_buf_done(&m->tar);
	hf_buf_done(&m->config);
	hf_buf_done(&m->manifest);
	return r;
}

static void done(struct read *r)
{
	hf_inventory_done(&r->inv);
	hf_source_close(r->source);
}

/* "name@version layer", one a line, in the inventory's order. */
static const char *packages(const struct read *r)
{
	static char text[1 << 16];
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < r->inv.packages_n && n < sizeof text - 256; i++) {
		const struct hf_package *p = &r->inv.packages[i];
		n += (size_t)snprintf(text + n, 256, "%.*s@%.*s %d%s\n", HF_SV_FMT(p->name), HF_SV_FMT(p->version),
				      p->layer, p->owned_by.len ? " owned" : "");
	}
	return text;
}

#define NPM(dir, name, version)                                                                                      \
	{                                                                                                            \
		'0', dir "node_modules/" name "/package.json", "{\"name\":\"" name "\",\"version\":\"" version "\"}" \
	}
#define JSON(name, version) "{\"name\":\"" name "\",\"version\":\"" version "\"}"
#define DEB(name, version) \
	"Package: " name "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " version "\n\n"
static const char status[] = "var/lib/dpkg/status";

/* ---- what is hidden ---- */

HF_TEST(the_upper_file_counts_and_the_lower_is_hidden)
{
	struct image m = new_image();
	LAYER(&m, NPM("", "a", "1.0.0"), NPM("", "b", "1.0.0"), NPM("", "c", "1.0.0"), NPM("deep/", "d", "1.0.0"),
	      NPM("", "e", "1.0.0"));
	LAYER(&m, NPM("", "a", "2.0.0"), { '0', "node_modules/.wh.b", "" }, { '0', "deep/.wh..wh..opq", "" },
	      NPM("deep/", "f", "1.0.0"), { '0', "node_modules/e", "a file in the place of the folder" });
	struct read r = read_image(&m);
	assert_string_equal(packages(&r), "a@2.0.0 1\nc@1.0.0 0\nf@1.0.0 1\n");
	assert_int_equal(r.inv.layers[1].added_n, 1);
	assert_int_equal(r.inv.layers[1].changed_n, 1);
	assert_int_equal(r.inv.layers[1].removed_n, 3);
	done(&r);
}

HF_TEST(names_that_look_like_whiteouts_hide_nothing_else)
{
	struct image m = new_image();
	LAYER(&m, NPM("", "a", "1.0.0"), NPM("", "ab", "1.0.0"), NPM("", "wh.a", "1.0.0"));
	LAYER(&m, { '0', "node_modules/.wh.A", "" }, { '0', "node_modules/wh.a", "" },
	      { '0', "node_modules/a/.wh.package", "" }, { '0', "node_modules/.wh..wh.ab", "" },
	      { '0', "other/.wh.a", "" });
	struct read r = read_image(&m);
	assert_string_equal(packages(&r), "a@1.0.0 0\nab@1.0.0 0\n");
	done(&r);
}

HF_TEST(a_whiteout_hides_only_what_lies_below_it)
{
	struct image m = new_image();
	LAYER(&m, NPM("", "a", "1.0.0"));
	LAYER(&m, { '0', ".wh.node_modules", "" }, NPM("", "a", "2.0.0"));
	LAYER(&m, NPM("", "b", "3.0.0"));
	struct read r = read_image(&m);
	assert_string_equal(packages(&r), "a@2.0.0 1\nb@3.0.0 2\n");
	done(&r);
}

HF_TEST(the_later_of_two_entries_with_one_name_counts)
{
	struct image m = new_image();
	LAYER(&m, NPM("", "a", "1.0.0"), NPM("./", "a", "2.0.0"), NPM("", "b", "1.0.0"),
	      { '5', "node_modules/b/package.json", NULL });
	struct read r = read_image(&m);
	assert_string_equal(packages(&r), "a@2.0.0 0\n");
	done(&r);
}

/* Asks the table of hidden paths and, layer by layer, the paths themselves. */
HF_TEST(the_table_of_hidden_paths_agrees_with_a_look_at_each_layer)
{
	enum { LAYERS = 6, PATHS = 400 };
	static const char *const parts[] = { "a", "b", "c", "dd" };
	struct hf_layer_catalog layers[LAYERS] = { 0 };
	char paths[PATHS][64];
	static bool has[LAYERS][PATHS][4];
	struct hf_hidden hidden = { 0 };
	uint32_t seed = 12345;
	size_t hidden_n = 0;

	for (size_t i = 0; i < PATHS; i++) {
		paths[i][0] = 0;
		for (size_t depth = 1 + i % 5, at = 0; depth; depth--, seed = seed * 1664525 + 1013904223)
			at += (size_t)snprintf(paths[i] + at, sizeof paths[i] - at, "%s%s", at ? "/" : "",
					       parts[seed >> 24 & 3]);
	}
	for (size_t n = 0; n < 120; n++) {
		seed = seed * 1664525 + 1013904223;
		size_t k = seed >> 8 & 7, i = (seed >> 12) % PATHS, kind = seed >> 30;
		if (k >= LAYERS)
			continue;
		hf_path_set_add(&layers[k].paths, hf_hash(hf_sv_of(paths[i])), (enum hf_path_kind)kind);
		for (size_t same = 0; same < PATHS; same++)
			has[k][same][kind] |= !strcmp(paths[same], paths[i]);
	}
	for (size_t i = 0; i < PATHS; i++)
		hf_hidden_ask(&hidden, hf_sv_of(paths[i]));
	hf_hidden_find(&hidden, layers, LAYERS);
	for (size_t i = 0; i < PATHS; i++)
		for (size_t k = 0; k < LAYERS; k++) {
			int32_t expected = -1;
			for (size_t above = k + 1; above < LAYERS && expected < 0; above++)
				for (size_t p = 0; p < PATHS; p++) {
					size_t len = strlen(paths[p]);
					bool is_parent = !strncmp(paths[i], paths[p], len) && paths[i][len] == '/';
					const bool *kinds = has[above][p];
					if ((!strcmp(paths[i], paths[p]) &&
					     (kinds[HF_PATH_FILE] || kinds[HF_PATH_DIR] || kinds[HF_PATH_WHITEOUT])) ||
					    (is_parent &&
					     (kinds[HF_PATH_FILE] || kinds[HF_PATH_WHITEOUT] || kinds[HF_PATH_OPAQUE])))
						expected = (int32_t)above;
				}
			hidden_n += expected >= 0;
			assert_int_equal(hf_hidden_at(&hidden, k, hf_sv_of(paths[i])), expected);
		}
	assert_in_range(hidden_n, 100, PATHS * LAYERS - 100);
	hf_hidden_done(&hidden);
	for (size_t k = 0; k < LAYERS; k++)
		hf_path_set_done(&layers[k].paths);
}

HF_TEST(a_set_of_paths_tells_kinds_apart)
{
	struct hf_path_set s = { 0 };

	assert_false(hf_path_set_has(&s, 1, HF_PATH_FILE));
	for (uint64_t i = 0; i < 5000; i++)
		hf_path_set_add(&s, i << 2, (enum hf_path_kind)(i & 3));
	hf_path_set_add(&s, 40, HF_PATH_OPAQUE);
	for (uint64_t i = 0; i < 5000; i++)
		for (unsigned kind = 0; kind < 4; kind++)
			assert_int_equal(hf_path_set_has(&s, i << 2, (enum hf_path_kind)kind),
					 kind == (i & 3) || (i == 10 && kind == HF_PATH_OPAQUE));
	hf_path_set_done(&s);
}

/* ---- links ---- */

HF_TEST(what_stands_behind_links_is_read_under_the_wanted_name)
{
	struct image m = new_image();
	LAYER(&m, { '0', "store/1", JSON("a", "1.0.0") }, { '1', "store/2", "store/1" },
	      { '1', "node_modules/a/package.json", "store/2" }, { '0', "store/b", JSON("b", "1.0.0") },
	      { '2', "links/1", "../store/b" });
	LAYER(&m, { '2', "links/2", "1" }, { '2', "node_modules/b/package.json", "/links/2" },
	      { '2', "node_modules/c/package.json", "../../../../store/none" },
	      { '2', "node_modules/x/package.json", "../a/package.json" });
	struct read r = read_image(&m);
	assert_int_equal(r.result, HF_OK);
	assert_int_equal(r.inv.packages[0].paths_n, 2);
	assert_string_equal(packages(&r), "a@1.0.0 0\nb@1.0.0 0\n");
	done(&r);
}

HF_TEST(a_link_above_what_it_leads_to_is_hidden_by_what_lies_above_itself)
{
	struct image m = new_image();
	LAYER(&m, { '0', "store/a", JSON("a", "1.0.0") }, { '0', "store/b", "not JSON" },
	      { '0', "store/c", "not JSON" });
	LAYER(&m, { '2', "node_modules/a/package.json", "/store/a" },
	      { '2', "node_modules/b/package.json", "/store/b" }, { '2', "node_modules/c/package.json", "/store/c" });
	LAYER(&m, { '0', "node_modules/a/.wh.package.json", "" }, { '0', "node_modules/b/.wh.package.json", "" });
	struct read r = read_image(&m);
	assert_string_equal(packages(&r), "");
	assert_int_equal(r.inv.unparsed_n, 1);
	assert_true(hf_sv_eq(r.inv.unparsed[0].path, HF_SV("node_modules/c/package.json")));
	done(&r);
}

HF_TEST(links_without_an_end_are_reported)
{
	struct image m = new_image();
	LAYER(&m, { '2', "node_modules/a/package.json", "/x" }, { '2', "x", "y" }, { '2', "y", "x" },
	      NPM("", "b", "1.0.0"), { '2', "node_modules/s/package.json", "package.json" },
	      { '1', "node_modules/h/package.json", "node_modules/h/package.json" });
	struct read r = read_image(&m);
	assert_int_equal(r.result, HF_PARTIAL);
	assert_string_equal(packages(&r), "b@1.0.0 0\n");
	assert_int_equal(r.inv.unparsed_n, 2);
	assert_true(hf_sv_eq(r.inv.unparsed[0].path, HF_SV("node_modules/a/package.json")));
	assert_true(hf_sv_eq(r.inv.unparsed[1].path, HF_SV("node_modules/h/package.json")));
	done(&r);
}

HF_TEST(of_a_file_with_a_thousand_names_some_are_read_and_the_rest_reported)
{
	hf_cleanup(hf_buf_done) struct hf_buf layer = HF_BUF(HF_MIB(16));
	struct image m = new_image();
	char path[64];

	add_member(&layer, '0', "store", HF_SV(JSON("a", "1.0.0")), "");
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof path, "%d/node_modules/a/package.json", i);
		add_member(&layer, i % 2 ? '1' : '2', path, (hf_sv){ 0 }, i % 2 ? "store" : "/store");
	}
	end_tar(&layer);
	add_tar(&m, &layer);
	struct read r = read_image(&m);
	assert_int_equal(r.result, HF_PARTIAL);
	assert_string_equal(packages(&r), "a@1.0.0 0\n");
	assert_int_equal(r.inv.packages[0].paths_n, HF_NAMES_OF_ONE_FILE_MAX);
	assert_int_equal(r.inv.unparsed_n, 1000 - HF_NAMES_OF_ONE_FILE_MAX);
	done(&r);
}

/* ---- databases, ownership, changes ---- */

HF_TEST(a_deleted_or_emptied_database_still_says_what_is_in_it)
{
	for (int emptied = 0; emptied < 2; emptied++) {
		struct image m = new_image();
		LAYER(&m, { '0', status, DEB("a", "1") DEB("b", "1") });
		LAYER(&m, { '0', status, DEB("a", "2") DEB("b", "1") });
		if (emptied)
			LAYER(&m, { '0', status, "" });
		else
			LAYER(&m, { '0', "var/lib/.wh.dpkg", "" });
		struct read r = read_image(&m);
		assert_string_equal(packages(&r), "a@2 1\nb@1 0\n");
		assert_int_equal(r.inv.database_removed_in, 2);
		done(&r);
	}
}

HF_TEST(ownership_comes_from_visible_databases_alone)
{
	struct image m = new_image();
	LAYER(&m, { '0', status, DEB("node-a", "1") }, NPM("usr/lib/", "a", "1.0.0"), NPM("usr/lib/", "b", "1.0.0"),
	      NPM("usr/lib/", "c", "1.0.0"), NPM("usr/local/lib/", "d", "1.0.0"),
	      { '0', "var/lib/dpkg/info/node-a.list",
		"/lib/node_modules/a/package.json\n/usr/lib/node_modules/a/package.json\n/usr/local/lib/node_modules/d/"
		"package.json\n" },
	      { '0', "var/lib/dpkg/info/gone.list", "/usr/lib/node_modules/b/package.json\n" },
	      { '0', "var/lib/dpkg/info/node-a.md5sums",
		"00000000000000000000000000000000  usr/lib/node_modules/c/package.json\n" });
	LAYER(&m, { '0', "var/lib/dpkg/info/.wh.node-a.md5sums", "" });
	struct read r = read_image(&m);
	assert_string_equal(packages(&r), "node-a@1 0\na@1.0.0 0 owned\nb@1.0.0 0\nc@1.0.0 0\nd@1.0.0 0\n");
	done(&r);
}

HF_TEST(packages_of_one_name_are_paired_by_version)
{
	struct image m = new_image();
	LAYER(&m, NPM("1/", "a", "1.0.0"), NPM("2/", "a", "2.0.0"), NPM("3/", "a", "3.0.0"), NPM("4/", "a", "3.0.0"));
	LAYER(&m, NPM("1/", "a", "3.0.0"), NPM("2/", "a", "4.0.0"), { '0', "3/.wh.node_modules", "" });
	struct read r = read_image(&m);
	const struct hf_layer_changes *l = &r.inv.layers[1];
	assert_int_equal(l->added_n, 0);
	assert_int_equal(l->changed_n, 1);
	assert_int_equal(l->removed_n, 1);
	assert_true(hf_sv_eq(l->changed[0].before, HF_SV("1.0.0")) && hf_sv_eq(l->changed[0].after, HF_SV("4.0.0")));
	assert_true(hf_sv_eq(l->removed[0].before, HF_SV("2.0.0")));
	done(&r);
}

HF_TEST_MAIN(cmocka_unit_test(the_upper_file_counts_and_the_lower_is_hidden),
	     cmocka_unit_test(names_that_look_like_whiteouts_hide_nothing_else),
	     cmocka_unit_test(a_whiteout_hides_only_what_lies_below_it),
	     cmocka_unit_test(the_later_of_two_entries_with_one_name_counts),
	     cmocka_unit_test(the_table_of_hidden_paths_agrees_with_a_look_at_each_layer),
	     cmocka_unit_test(a_set_of_paths_tells_kinds_apart),
	     cmocka_unit_test(what_stands_behind_links_is_read_under_the_wanted_name),
	     cmocka_unit_test(a_link_above_what_it_leads_to_is_hidden_by_what_lies_above_itself),
	     cmocka_unit_test(links_without_an_end_are_reported),
	     cmocka_unit_test(of_a_file_with_a_thousand_names_some_are_read_and_the_rest_reported),
	     cmocka_unit_test(a_deleted_or_emptied_database_still_says_what_is_in_it),
	     cmocka_unit_test(ownership_comes_from_visible_databases_alone),
	     cmocka_unit_test(packages_of_one_name_are_paired_by_version))
