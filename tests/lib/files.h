/* What case runners and replays share: whole files and sorted folders. Test code: a failure ends the program. */
#pragma once
#include "base/buffer.h"

/* Every regular file below @dir, sorted by path, relative to it. */
struct test_files {
	char **paths;
	size_t n;
};
struct test_files test_files_below(const char *dir);
/* Names of the folders (or of the files) right in @dir, sorted. */
struct test_files test_names_in(const char *dir, bool folders);
void test_files_done(struct test_files *f);
/* The whole of DIR/NAME; *@ret_there says whether it exists, where that is asked; else a missing file ends the program. */
struct hf_buf test_read(const char *dir, const char *name, bool *ret_there);
void test_write(const char *dir, const char *name, hf_sv bytes);
/* A copy in memory of exactly that size, so that a sanitizer sees each byte read past its end. free() it. */
char *test_exact_copy(hf_sv s);
