#include "unit.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "baseline/overlay.h"
#include "baseline/root.h"

#define HOST          "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
#define ROOT(options) "620 500 0:52 / / rw,relatime master:3 shared:9 - overlay overlay rw," options "\n"
#define REST          "621 620 0:60 / /proc rw - proc proc rw\n622 620 0:61 / /dev/shm rw - tmpfs shm rw\n"

static struct hf_overlay overlay_of(struct hf_arena *a, hf_sv text)
{
	struct hf_overlay o;
	struct hf_err err = { 0 };

	assert_int_equal(hf_overlay_of_mountinfo(text, a, &o, &err), HF_OK);
	return o;
}

static void is(hf_sv got, const char *wanted)
{
	assert_int_equal(got.len, strlen(wanted));
	assert_memory_equal(got.ptr, wanted, got.len);
}

HF_TEST(folders_of_docker)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_overlay o =
		overlay_of(&a, HF_SV(HOST ROOT("lowerdir=/d/l/AA:/d/l/BB,upperdir=/d/9/diff,workdir=/d/9/work") REST));

	assert_int_equal(o.lowers_n, 2);
	is(o.lowers[0], "/d/l/AA");
	is(o.lowers[1], "/d/l/BB");
	is(o.upper, "/d/9/diff");
	is(o.work, "/d/9/work");
	assert_int_equal(o.minor, 52);
	assert_false(o.userxattr);
	hf_arena_done(&a);
}

HF_TEST(escapes_of_kernel_and_of_overlay)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_overlay o = overlay_of(
		&a,
		HF_SV(ROOT("lowerdir=/a\\040b\\054c\\075d:/with\\134:colon:/last,upperdir=/u\\134\\134p,userxattr")));

	assert_int_equal(o.lowers_n, 3);
	is(o.lowers[0], "/a b,c=d");
	is(o.lowers[1], "/with:colon");
	is(o.lowers[2], "/last");
	is(o.upper, "/u\\p");
	assert_true(o.userxattr);
	hf_arena_done(&a);
}

HF_TEST(folders_named_one_by_one_and_of_data_alone)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_overlay o = overlay_of(&a, HF_SV(ROOT("lowerdir+=/a:b,lowerdir+=/c,datadir+=/e")));

	assert_int_equal(o.lowers_n, 2);
	is(o.lowers[0], "/a:b");
	assert_int_equal(o.data_n, 1);
	o = overlay_of(&a, HF_SV(ROOT("lowerdir=/a:/b::/c::/d")));
	assert_int_equal(o.lowers_n, 2);
	assert_int_equal(o.data_n, 2);
	assert_int_equal(o.upper.len, 0);
	hf_arena_done(&a);
}

HF_TEST(roots_that_are_none)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_overlay o;
	struct hf_err err = { 0 };

	assert_int_equal(hf_overlay_of_mountinfo(HF_SV(HOST), &a, &o, &err), HF_E_UNSUPPORTED);
	assert_int_equal(hf_overlay_of_mountinfo(HF_SV(REST), &a, &o, &err), HF_E_MISSING);
	assert_int_equal(hf_overlay_of_mountinfo((hf_sv){ 0 }, &a, &o, &err), HF_E_MISSING);
	assert_int_equal(hf_overlay_of_mountinfo(HF_SV(ROOT("upperdir=/u")), &a, &o, &err), HF_E_FORMAT);
	/* The last one covers those before it. */
	assert_int_equal(hf_overlay_of_mountinfo(HF_SV(ROOT("lowerdir=/a") HOST), &a, &o, &err), HF_E_UNSUPPORTED);
	hf_arena_done(&a);
}

HF_TEST(many_folders_are_a_limit)
{
	struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_buf b = HF_BUF(HF_MIB(1));
	struct hf_overlay o;
	struct hf_err err = { 0 };

	hf_buf_add(&b, HF_SV("620 500 0:52 / / rw - overlay overlay lowerdir=/0"));
	for (int i = 1; i < HF_LAYERS_MAX; i++)
		hf_buf_addf(&b, ":/%d", i);
	o = overlay_of(&a, hf_buf_view(&b));
	assert_int_equal(o.lowers_n, HF_LAYERS_MAX);
	is(o.lowers[HF_LAYERS_MAX - 1], "/511");
	hf_buf_add(&b, HF_SV(":/one/more"));
	assert_int_equal(hf_overlay_of_mountinfo(hf_buf_view(&b), &a, &o, &err), HF_E_LIMIT);
	hf_buf_done(&b);
	hf_arena_done(&a);
}

HF_TEST(mount_of_a_path)
{
	const hf_sv text = HF_SV(ROOT("lowerdir=/a") REST "623 620 254:0 /x /data\\040b rw - ext4 /dev/vda rw\n"
							  "624 620 254:0 /y /dev rw - ext4 /dev/vda rw\n");
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_mount m;

	assert_true(hf_mount_of_path(text, HF_SV("/bin/sh"), &a, &m));
	is(m.type, "overlay");
	assert_true(hf_mount_of_path(text, HF_SV("/dev/shm/x"), &a, &m));
	is(m.type, "tmpfs");
	assert_true(hf_mount_of_path(text, HF_SV("/dev/shmx"), &a, &m));
	is(m.point, "/dev");
	assert_true(hf_mount_of_path(text, HF_SV("/data b/c"), &a, &m));
	is(m.point, "/data b");
	assert_false(hf_mount_of_path(HF_SV(REST), HF_SV("/bin/sh"), &a, &m));
	hf_arena_done(&a);
}

HF_TEST(origin_of_a_copy)
{
	/* As ext4 on x86-64 writes it: inode 0x9a44c1, generation 0x9871862e. */
	static const char mark[] = "\x00\xfb\x1d\x00\x01"
				   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\xc1\x44\x9a\x00\x2e\x86\x71\x98";
	struct hf_overlay_origin o;

	assert_true(hf_overlay_origin((hf_sv){ mark, 29 }, &o));
	assert_int_equal(o.type, 1);
	assert_int_equal(o.handle.len, 8);
	assert_false(hf_overlay_origin((hf_sv){ mark, 28 }, &o));
	assert_false(hf_overlay_origin((hf_sv){ mark, 21 }, &o));
	assert_false(hf_overlay_origin((hf_sv){ 0 }, &o));
}

/* A root of folders "", d, d/e; a file d/f and d/e/f; links by name. */
static int look(void *ctx, hf_sv path, struct hf_root_entry *ret, struct hf_err *err)
{
	static const struct {
		const char *path, *link;
		enum hf_root_type type;
	} all[] = { { "d", NULL, HF_ROOT_DIR },           { "d/e", NULL, HF_ROOT_DIR },
		    { "d/f", NULL, HF_ROOT_FILE },        { "d/e/f", NULL, HF_ROOT_FILE },
		    { "abs", "/d/e", HF_ROOT_SYMLINK },   { "d/up", "../../../d/f", HF_ROOT_SYMLINK },
		    { "loop", "loop", HF_ROOT_SYMLINK },  { "d/e/here", "f", HF_ROOT_SYMLINK },
		    { "slash", "d/f/", HF_ROOT_SYMLINK }, { "chain", "abs/here", HF_ROOT_SYMLINK } };

	(void)ctx;
	for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++) {
		if (!hf_sv_eq(path, hf_sv_of(all[i].path)))
			continue;
		*ret = (struct hf_root_entry){ .type = all[i].type, .link = hf_sv_of(all[i].link) };
		return HF_OK;
	}
	return hf_fail(err, HF_E_MISSING, "not there");
}

HF_TEST(links_are_followed_within_the_root)
{
	static const struct {
		const char *path, *real;
		int code;
	} cases[] = { { "/d/f", "d/f", HF_OK },
		      { "d//e/./f", "d/e/f", HF_OK },
		      { "/abs/f", "d/e/f", HF_OK },
		      { "/d/up", "d/f", HF_OK },
		      { "/../../d/f", "d/f", HF_OK },
		      { "/chain", "d/e/f", HF_OK },
		      { "/", "", HF_OK },
		      { "", "", HF_OK },
		      { "/d/e/", "d/e", HF_OK },
		      { "/loop", NULL, HF_E_LIMIT },
		      { "/none", NULL, HF_E_MISSING },
		      { "/d/f/x", NULL, HF_E_MISSING },
		      { "/d/f/", NULL, HF_E_MISSING },
		      { "/slash", NULL, HF_E_MISSING },
		      { "/d/f/../f", NULL, HF_E_MISSING },
		      { "/d/e/../f", "d/f", HF_OK } };
	struct hf_root root = { .look = look };
	struct hf_root_entry e;
	struct hf_err err = { 0 };
	char out[HF_PATH_MAX];
	hf_sv real;

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		assert_int_equal(hf_root_resolve(&root, hf_sv_of(cases[i].path), out, &real, &e, &err), cases[i].code);
		if (!cases[i].code)
			is(real, cases[i].real);
	}
}

HF_TEST_MAIN(cmocka_unit_test(folders_of_docker), cmocka_unit_test(escapes_of_kernel_and_of_overlay),
	     cmocka_unit_test(folders_named_one_by_one_and_of_data_alone), cmocka_unit_test(roots_that_are_none),
	     cmocka_unit_test(many_folders_are_a_limit), cmocka_unit_test(mount_of_a_path),
	     cmocka_unit_test(origin_of_a_copy), cmocka_unit_test(links_are_followed_within_the_root))
