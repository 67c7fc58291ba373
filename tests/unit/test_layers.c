#include "unit.h"

#include "layers/path.h"

static const char *normal(const char *name)
{
	static char text[HF_PATH_MAX + 1], out[HF_PATH_MAX];
	hf_sv path;

	if (hf_path_normalise(hf_sv_of(name), out, &path))
		return NULL;
	memcpy(text, path.ptr, path.len);
	text[path.len] = 0;
	return text;
}

HF_TEST(names_become_paths_below_the_root)
{
	assert_string_equal(normal("./a//b/./c/"), "a/b/c");
	assert_string_equal(normal("/etc/passwd"), "etc/passwd");
	assert_string_equal(normal("a/b/../../c"), "c");
	assert_string_equal(normal("a/.."), "");
	assert_string_equal(normal("."), "");
	assert_string_equal(normal("a/...b/..c"), "a/...b/..c");
}

HF_TEST(names_that_leave_the_root_are_refused)
{
	char out[HF_PATH_MAX];
	hf_sv path;

	assert_null(normal("../a"));
	assert_null(normal("a/../../b"));
	assert_null(normal("/.."));
	assert_int_equal(hf_path_normalise(HF_SV("a/../.."), out, &path), HF_PATH_OUTSIDE);
}

HF_TEST(names_have_a_limit_of_length_and_depth)
{
	static char name[65536], out[HF_PATH_MAX];
	hf_sv path;

	memset(name, 'x', sizeof name);
	assert_int_equal(hf_path_normalise((hf_sv){ name, 65536 }, out, &path), HF_PATH_TOO_LONG);
	assert_int_equal(hf_path_normalise((hf_sv){ name, HF_PATH_MAX - 1 }, out, &path), HF_PATH_FINE);
	assert_int_equal(hf_path_normalise((hf_sv){ name, HF_PATH_MAX }, out, &path), HF_PATH_TOO_LONG);
	for (size_t i = 1; i < sizeof name; i += 2)
		name[i] = '/';
	assert_int_equal(hf_path_normalise((hf_sv){ name, 512 }, out, &path), HF_PATH_FINE);
	assert_int_equal(hf_path_normalise((hf_sv){ name, 514 }, out, &path), HF_PATH_TOO_DEEP);
}

HF_TEST_MAIN(cmocka_unit_test(names_become_paths_below_the_root),
	     cmocka_unit_test(names_that_leave_the_root_are_refused),
	     cmocka_unit_test(names_have_a_limit_of_length_and_depth))
