#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void die(const char *what, const char *name)
{
	perror(name);
	fprintf(stderr, "%s failed\n", what);
	exit(2);
}

static void add(struct test_files *f, const char *path)
{
	f->paths = hf_realloc(f->paths, (f->n + 1) * sizeof *f->paths);
	f->paths[f->n] = strdup(path);
	if (!f->paths[f->n++])
		abort();
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void walk(struct test_files *f, const char *dir, const char *below)
{
	char path[4096], full[8192];
	DIR *d = opendir(dir);

	if (!d)
		die("opendir", dir);
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof path, "%s%s%s", below, below[0] ? "/" : "", e->d_name);
		snprintf(full, sizeof full, "%s/%s", dir, e->d_name);
		if (lstat(full, &st))
			die("lstat", full);
		if (S_ISDIR(st.st_mode))
			walk(f, full, path);
		else if (S_ISREG(st.st_mode))
			add(f, path);
	}
	closedir(d);
}

struct test_files test_files_below(const char *dir)
{
	struct test_files f = { 0 };

	walk(&f, dir, "");
	if (f.n)
		qsort(f.paths, f.n, sizeof *f.paths, by_name);
	return f;
}

struct test_files test_names_in(const char *dir, bool folders)
{
	struct test_files f = { 0 };
	DIR *d = opendir(dir);

	if (!d)
		die("opendir", dir);
	for (struct dirent *e; (e = readdir(d));) {
		char full[8192];
		struct stat st;
		snprintf(full, sizeof full, "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.' && !stat(full, &st) && S_ISDIR(st.st_mode) == folders)
			add(&f, e->d_name);
	}
	closedir(d);
	if (f.n)
		qsort(f.paths, f.n, sizeof *f.paths, by_name);
	return f;
}

void test_files_done(struct test_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->paths[i]);
	free(f->paths);
	*f = (struct test_files){ 0 };
}

struct hf_buf test_read(const char *dir, const char *name, bool *ret_there)
{
	char path[8192];
	struct hf_buf b = HF_BUF(256 << 20);

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (ret_there)
		*ret_there = f != NULL;
	if (!f) {
		if (ret_there)
			return b;
		die("fopen", path);
	}
	for (size_t n = 1; n;) {
		char *room = hf_buf_room(&b, 64 << 10);
		if (!room)
			die("reading all", path);
		n = fread(room, 1, 64 << 10, f);
		b.len += n;
	}
	fclose(f);
	return b;
}

void test_write(const char *dir, const char *name, hf_sv bytes)
{
	char path[8192];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (!f || (bytes.len && fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len) || fclose(f))
		die("fopen", path);
}

char *test_exact_copy(hf_sv s)
{
	char *p = malloc(s.len ? s.len : 1);

	if (!p)
		abort();
	if (s.len)
		memcpy(p, s.ptr, s.len);
	return p;
}
