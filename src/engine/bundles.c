#include "engine/bundles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "engine/bundle.h"

enum { PATH_SIZE = 1024, NAMESPACES_MAX = 64 };

#define CONTAINERD "/run/containerd/io.containerd.runtime.v2.task"

int hf_bundles_read_file(const char *folder, const char *name, struct hf_buf *out, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = -1;
	char path[2 * PATH_SIZE];
	struct stat st;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return hf_fail(err, HF_E_LIMIT, "%s: too long", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st))
		return hf_fail_errno(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return hf_fail(err, HF_E_UNSUPPORTED, "%s: no regular file", path);
	int code = hf_fd_read_all(fd, 0, out, err);
	return code < 0 ? hf_wrap(err, "%s", path) : HF_OK;
}

static int read_bundle(const char *folder, struct hf_arena *a, struct hf_container *ret, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf bytes = HF_BUF(HF_ENGINE_ANSWER_MAX);

	int code = hf_bundles_read_file(folder, "config.json", &bytes, err);
	/* Strings without escapes are views of the text: it stays in the arena. */
	hf_sv text = code < 0 ? (hf_sv){ 0 } : hf_arena_dup(a, hf_buf_view(&bytes));
	if (code < 0)
		return code;
	code = hf_bundle_parse(text, a, ret, err);
	return code < 0 ? hf_wrap(err, "%s", folder) : HF_OK;
}

/* Names of podman and CRI-O stand in a list beside the bundles. */
static void read_names(const char *folder, hf_sv id, struct hf_arena *a, struct hf_container *ret)
{
	static const char *const lists[] = { "containers.json", "volatile-containers.json" };
	bool found = false;

	for (size_t i = 0; i < HF_ARRAY_SIZE(lists) && !found; i++) {
		hf_cleanup(hf_buf_done) struct hf_buf bytes = HF_BUF(HF_ENGINE_ANSWER_MAX);
		struct hf_err ignored = { 0 };
		if (hf_bundles_read_file(folder, lists[i], &bytes, &ignored) >= 0 &&
		    hf_storage_containers_parse(hf_arena_dup(a, hf_buf_view(&bytes)), id, a, &found, ret, &ignored) < 0)
			found = false;
	}
}

/* FOLDER/ID/config.json, or as containers/storage lays it out FOLDER/ID/userdata/config.json with its lists in @lists. */
static int try_folder(const char *folder, const char *lists, hf_sv id, struct hf_arena *a, struct hf_container *ret,
		      struct hf_err *err)
{
	char path[PATH_SIZE];

	if ((size_t)snprintf(path, sizeof path, "%s/%.*s/userdata", folder, HF_SV_FMT(id)) >= sizeof path)
		return hf_fail(err, HF_E_LIMIT, "%s: too long", folder);
	int code = read_bundle(path, a, ret, err);
	if (code != HF_E_MISSING) {
		if (code >= 0)
			read_names(lists, id, a, ret);
		return code;
	}
	snprintf(path, sizeof path, "%s/%.*s", folder, HF_SV_FMT(id));
	return read_bundle(path, a, ret, err);
}

/* A folder a namespace. Docker's own, moby, holds no names. */
static int try_containerd(hf_sv id, struct hf_arena *a, struct hf_container *ret, struct hf_err *err)
{
	int code = hf_fail(err, HF_E_MISSING, "no bundle");
	DIR *dir = opendir(CONTAINERD);
	char folder[PATH_SIZE];
	size_t seen = 0;

	for (struct dirent *e; dir && code == HF_E_MISSING && seen < NAMESPACES_MAX && (e = readdir(dir)); seen++) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "moby"))
			continue;
		snprintf(folder, sizeof folder, "%s/%s", CONTAINERD, e->d_name);
		code = try_folder(folder, folder, id, a, ret, err);
		if (code >= 0 && hf_sv_eq(ret->engine, HF_SV("unknown")))
			ret->engine = HF_SV("containerd");
	}
	if (dir)
		closedir(dir);
	return code;
}

int hf_bundles_find(const char *more, hf_sv id, struct hf_arena *a, struct hf_container *ret, struct hf_err *err)
{
	static const struct {
		const char *folder, *lists;
	} storage[] = {
		{ "/run/containers/storage/overlay-containers", "/var/lib/containers/storage/overlay-containers" },
		{ "/var/lib/containers/storage/overlay-containers", "/var/lib/containers/storage/overlay-containers" },
	};
	hf_sv rest = hf_sv_of(more), folder;
	int code = HF_E_MISSING;
	char path[PATH_SIZE];

	while (code == HF_E_MISSING && rest.ptr && hf_sv_next(&rest, ':', &folder)) {
		if (!folder.len || folder.len >= sizeof path)
			continue;
		snprintf(path, sizeof path, "%.*s", HF_SV_FMT(folder));
		code = try_folder(path, path, id, a, ret, err);
	}
	if (code == HF_E_MISSING)
		code = try_containerd(id, a, ret, err);
	for (size_t i = 0; i < HF_ARRAY_SIZE(storage) && code == HF_E_MISSING; i++)
		code = try_folder(storage[i].folder, storage[i].lists, id, a, ret, err);
	return code == HF_E_MISSING ? hf_fail(err, HF_E_MISSING, "no bundle of it") : code;
}
