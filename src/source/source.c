#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "source/kind.h"

static const struct hf_source_kind *const kinds[] = {
#define HF_SOURCE(row) &hf_source_kind_##row,
#include "source/sources.def"
#undef HF_SOURCE
};

/* Prefixes of cli.md that are not read, and what to do instead. */
static const struct {
	hf_sv prefix;
	const char *instead;
} elsewhere[] = {
	{ HF_SV_INIT("docker"), "write the image with `docker save -o FILE IMAGE` and scan archive:FILE" },
	{ HF_SV_INIT("podman"), "write the image with `podman save -o FILE IMAGE` and scan archive:FILE" },
	{ HF_SV_INIT("containerd"), "write the image with `ctr images export FILE IMAGE` and scan archive:FILE" },
	{ HF_SV_INIT("registry"), "copy the image with `skopeo copy docker://IMAGE oci:DIR` and scan oci:DIR" },
	{ HF_SV_INIT("sbom"), "scan the image or folder that the SBOM was made from" },
	{ HF_SV_INIT("container"), "scan the container's image, or its mounted file system as dir:PATH" },
};

int hf_source_open_path(struct hf_source *s, hf_sv path, int flags, struct hf_err *err)
{
	s->path = hf_arena_dup(&s->arena, path);
	s->fd = open(s->path.ptr, flags | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &s->st))
		return hf_fail_errno(err, "%s", s->path.ptr);
	return HF_OK;
}

void hf_source_note(struct hf_source *s, const char *fmt, ...)
{
	char text[600], clean[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t n = hf_escape_controls(clean, sizeof clean, hf_sv_of(text));
	hf_sv *note = hf_vec_push(&s->arena, &s->notes);
	if (note)
		*note = hf_arena_dup(&s->arena, (hf_sv){ clean, n });
	s->artifact.notes = s->notes.at;
	s->artifact.notes_n = s->notes.n;
}

size_t hf_source_window(const struct hf_source *s)
{
	size_t jobs = s->options.jobs ? s->options.jobs : 1;
	size_t window = (size_t)HF_MIB(32) / jobs;

	return window > HF_MIB(16) ? HF_MIB(16) : window < HF_MIB(1) / 2 ? HF_MIB(1) / 2 : window;
}

static const struct hf_source_kind *kind_named(hf_sv name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++)
		if (hf_sv_eq(name, hf_sv_of(kinds[i]->name)))
			return kinds[i];
	return NULL;
}

/* A target without prefix: whatever exists under that name, with ":tag" or "@digest" behind it for images. */
static const struct hf_source_kind *kind_like(struct hf_source *s, hf_sv target)
{
	hf_sv path = target, rest;
	struct stat st;

	while (stat(hf_arena_dup(&s->arena, path).ptr, &st))
		if (!hf_sv_cut_last(path, path.len && memchr(path.ptr, '@', path.len) ? '@' : ':', &path, &rest) ||
		    !path.len)
			return NULL;
	hf_cleanup(hf_fd_close) int dir =
		S_ISDIR(st.st_mode) ? open(hf_arena_dup(&s->arena, path).ptr, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++)
		if (kinds[i]->is_like && kinds[i]->is_like(&st, dir))
			return kinds[i];
	return NULL;
}

static int open_kind(struct hf_source *s, hf_sv target, struct hf_err *err)
{
	hf_sv prefix, rest;
	bool has_prefix = hf_sv_cut(target, ':', &prefix, &rest);

	if (!target.len)
		return hf_fail(err, HF_E_USAGE, "a target is missing");
	if (memchr(target.ptr, 0, target.len))
		return hf_fail(err, HF_E_USAGE, "a target with a NUL in it");
	s->kind = has_prefix ? kind_named(prefix) : NULL;
	if (s->kind) {
		s->artifact.kind = hf_sv_of(s->kind->name);
		s->artifact.reference = hf_arena_dup(&s->arena, rest);
		return s->kind->open(s, rest, err);
	}
	s->kind = kind_like(s, target);
	if (s->kind) {
		s->artifact.kind = hf_sv_of(s->kind->name);
		s->artifact.reference = hf_arena_dup(&s->arena, target);
		return s->kind->open(s, target, err);
	}
	for (size_t i = 0; has_prefix && i < HF_ARRAY_SIZE(elsewhere); i++)
		if (hf_sv_eq(prefix, elsewhere[i].prefix))
			return hf_fail(err, HF_E_UNSUPPORTED, "%.*s: targets of this kind are not read yet; %s",
				       HF_SV_FMT(target), elsewhere[i].instead);
	return hf_fail(err, HF_E_MISSING,
		       "%.*s: no such file or folder, and images are not fetched: give archive:FILE, oci:DIR, dir:PATH "
		       "or host:",
		       HF_SV_FMT(target));
}

static int check_platform(hf_sv platform, struct hf_err *err)
{
	hf_sv part, rest = platform;
	size_t n = 0;

	while (platform.len && hf_sv_next(&rest, '/', &part)) {
		n++;
		if (!part.len || n > 3)
			n = 4;
	}
	if (platform.len && (n < 2 || n > 3))
		return hf_fail(err, HF_E_USAGE, "'%.*s' is no platform: os/arch[/variant] is, as linux/arm64",
			       HF_SV_FMT(platform));
	return HF_OK;
}

int hf_source_open(hf_sv target, const struct hf_source_options *options, struct hf_source **ret, struct hf_err *err)
{
	struct hf_source *s = hf_calloc(1, sizeof *s);

	s->arena = HF_ARENA(HF_MIB(64));
	s->fd = -1;
	s->options = *options;
	s->options.platform = hf_arena_dup(&s->arena, options->platform);
	s->members = HF_MAP(&s->arena);
	int r = check_platform(options->platform, err);
	if (!r)
		r = open_kind(s, target, err);
	if (r) {
		hf_source_close(s);
		return r;
	}
	s->windows[0] = hf_budget_new(HF_ZSTD_WINDOWS_TOTAL_MAX);
	s->windows[1] = hf_budget_new(HF_ZSTD_WINDOWS_TOTAL_MAX);
	s->spool = hf_budget_new(HF_SPOOL_TOTAL_MAX);
	*ret = s;
	return HF_OK;
}

int hf_source_read(struct hf_source *s, struct hf_err *err)
{
	int r = s->kind->read(s, err);

	if (r >= 0 && s->arena.over)
		r = hf_fail(err, HF_E_LIMIT, "its description takes too much memory");
	if (r < 0)
		return hf_wrap(err, "%s", s->path.ptr ? s->path.ptr : s->kind->name);
	return HF_OK;
}

const struct hf_artifact *hf_source_artifact(const struct hf_source *s)
{
	return &s->artifact;
}

size_t hf_source_grants(const struct hf_source *s, int *fds, size_t max)
{
	if (s->fd < 0)
		return 0;
	if (max)
		fds[0] = s->fd;
	return 1;
}

void hf_source_close(struct hf_source *s)
{
	if (!s)
		return;
	hf_store_keep_stream(s, false);
	hf_fd_close(&s->fd);
	hf_budget_free(s->windows[0]);
	hf_budget_free(s->windows[1]);
	hf_budget_free(s->spool);
	hf_arena_done(&s->arena);
	free(s);
}
