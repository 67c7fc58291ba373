#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"
#include "lib/files.h"

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static int fresh(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/hf-output-XXXXXX");
	return !mkdtemp(dir);
}

static int sweep(void **state)
{
	(void)state;
	struct test_files f = test_files_below(dir);
	for (size_t i = 0; i < f.n; i++)
		unlink(in_dir(f.paths[i]));
	test_files_done(&f);
	unlink(in_dir("link"));
	return rmdir(dir);
}

static void put(struct hf_output *o, hf_sv bytes)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(o->fd);

	hf_out_add(&out, bytes);
	assert_int_equal(hf_out_flush(&out, NULL), HF_OK);
}

static void assert_holds(const char *name, hf_sv bytes)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = test_read(dir, name, NULL);

	assert_true(hf_sv_eq(hf_buf_view(&b), bytes));
}

static size_t files_there(void)
{
	struct test_files f = test_files_below(dir);
	size_t n = f.n;

	test_files_done(&f);
	return n;
}

HF_TEST(a_file_appears_only_when_it_is_whole)
{
	struct hf_output o;

	assert_int_equal(hf_output_open(&o, in_dir("a.json"), NULL), HF_OK);
	put(&o, HF_SV("{}\n"));
	assert_int_not_equal(access(in_dir("a.json"), F_OK), 0);
	assert_int_equal(hf_output_commit(&o, NULL), HF_OK);
	assert_holds("a.json", HF_SV("{}\n"));
	assert_int_equal(files_there(), 1);
}

HF_TEST(an_aborted_output_leaves_the_old_file)
{
	struct hf_output o;

	test_write(dir, "a", HF_SV("old"));
	assert_int_equal(hf_output_open(&o, in_dir("a"), NULL), HF_OK);
	put(&o, HF_SV("new"));
	hf_output_abort(&o);
	hf_output_abort(&o);
	assert_holds("a", HF_SV("old"));
	assert_int_equal(files_there(), 1);
}

HF_TEST(a_replaced_file_keeps_its_mode_and_a_link_stays_a_link)
{
	struct hf_output o;
	struct stat st;

	test_write(dir, "a", HF_SV("old"));
	assert_int_equal(chmod(in_dir("a"), 0640), 0);
	assert_int_equal(symlink("a", in_dir("link")), 0);
	assert_int_equal(hf_output_open(&o, in_dir("link"), NULL), HF_OK);
	put(&o, HF_SV("new"));
	assert_int_equal(hf_output_commit(&o, NULL), HF_OK);
	assert_holds("a", HF_SV("new"));
	assert_int_equal(lstat(in_dir("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(in_dir("a"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

HF_TEST(a_folder_that_is_not_there_and_a_folder_are_refused)
{
	struct hf_output o;
	struct hf_err err = { 0 };

	assert_int_equal(hf_output_open(&o, in_dir("none/a"), &err), HF_E_MISSING);
	assert_int_equal(o.fd, -1);
	assert_int_equal(hf_output_open(&o, dir, &err), HF_E_IO);
}

HF_TEST(devices_are_written_straight_and_a_full_one_is_an_error)
{
	struct hf_output o;
	struct hf_err err = { 0 };

	assert_int_equal(hf_output_open(&o, "/dev/full", NULL), HF_OK);
	struct hf_out out = hf_out_fd(o.fd);
	for (int i = 0; i < 100000; i++)
		hf_out_addf(&out, "%d\n", i);
	assert_int_equal(hf_out_flush(&out, &err), HF_E_IO);
	assert_non_null(strstr(err.msg, "No space"));
	hf_out_done(&out);
	hf_output_abort(&o);
}

HF_TEST(memory_has_a_maximum)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_memory(4);

	hf_out_add(&out, HF_SV("1234"));
	assert_int_equal(hf_out_flush(&out, NULL), HF_OK);
	hf_out_add(&out, HF_SV("5"));
	assert_int_equal(hf_out_flush(&out, NULL), HF_E_LIMIT);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, fresh, sweep)
HF_TEST_MAIN(WITH_DIR(a_file_appears_only_when_it_is_whole), WITH_DIR(an_aborted_output_leaves_the_old_file),
	     WITH_DIR(a_replaced_file_keeps_its_mode_and_a_link_stays_a_link),
	     WITH_DIR(a_folder_that_is_not_there_and_a_folder_are_refused),
	     cmocka_unit_test(devices_are_written_straight_and_a_full_one_is_an_error),
	     cmocka_unit_test(memory_has_a_maximum))
