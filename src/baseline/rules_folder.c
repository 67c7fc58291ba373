#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "baseline/rules.h"

/* Made at build time of data/rules by tools/embed-files.sh. */
struct embedded {
	const char *name, *begin, *end;
};
extern const struct embedded hf_rules_embedded[], hf_rules_embedded_end[];

enum { SOURCES_MAX = 256 };

/* The files that are in the program. */
static const struct hf_rules_source *builtin_files(size_t *ret_n)
{
	static _Thread_local struct hf_rules_source sources[SOURCES_MAX];
	size_t n = (size_t)(hf_rules_embedded_end - hf_rules_embedded);

	for (size_t i = 0; i < n && i < SOURCES_MAX; i++) {
		const struct embedded *e = &hf_rules_embedded[i];
		sources[i] =
			(struct hf_rules_source){ hf_sv_of(e->name), { e->begin, (size_t)(e->end - e->begin) }, true };
	}
	*ret_n = n < SOURCES_MAX ? n : SOURCES_MAX;
	return sources;
}

static int is_rules_file(const struct dirent *d)
{
	hf_sv name = hf_sv_of(d->d_name);

	return name.len && name.ptr[0] != '.' && (hf_sv_ends(name, HF_SV(".yaml")) || hf_sv_ends(name, HF_SV(".yml")));
}

static int read_file(int dir, const char *folder, const char *name, struct hf_arena *a, struct hf_rules_source *ret,
		     struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_RULES_FILE_MAX);
	hf_cleanup(hf_fd_close) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return hf_fail_errno(err, "%s/%s", folder, name);
	if (hf_fd_read_all(fd, 0, &text, err))
		return hf_wrap(err, "%s/%s", folder, name);
	*ret = (struct hf_rules_source){ hf_arena_fmt(a, "%s/%s", folder, name), hf_arena_dup(a, hf_buf_view(&text)),
					 false };
	return HF_OK;
}

static int read_folder(const char *folder, struct hf_arena *a, struct hf_rules_source *sources, size_t *n,
		       struct hf_err *err)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_rules_file, alphasort), r = HF_OK;

	if (count < 0)
		return hf_fail_errno(err, "%s", folder);
	hf_cleanup(hf_fd_close) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		r = hf_fail_errno(err, "%s", folder);
	for (int i = 0; i < count; i++) {
		if (!r && *n >= SOURCES_MAX)
			r = hf_fail(err, HF_E_LIMIT, "%s: more than %d files of rules", folder, SOURCES_MAX);
		if (!r)
			r = read_file(dir, folder, names[i]->d_name, a, &sources[*n], err);
		if (!r)
			++*n;
		free(names[i]);
	}
	free(names);
	return r;
}

int hf_rules_load_folder(const char *folder, struct hf_rules_notes notes, struct hf_rules **ret, struct hf_err *err)
{
	struct hf_rules_source sources[SOURCES_MAX];
	struct hf_arena texts = HF_ARENA(HF_RULES_ARENA_MAX);
	size_t n;
	const struct hf_rules_source *builtin = builtin_files(&n);

	memcpy(sources, builtin, n * sizeof *sources);
	int r = folder ? read_folder(folder, &texts, sources, &n, err) : HF_OK;
	if (!r && texts.over)
		r = hf_fail(err, HF_E_LIMIT, "%s: the rules are too large", folder);
	r = r ? r : hf_rules_load(sources, n, notes, ret, err);
	if (r < 0)
		hf_arena_done(&texts);
	else
		(*ret)->texts = texts;
	return r;
}
