/* A root file system to read from: what an image holds, whoever has the bytes. The functions that judge images know no file
 * system, only this; live_root.h gives one for a running container or a folder. */
#pragma once
#include "base/error.h"
#include "base/limits.h"

enum hf_root_type { HF_ROOT_FILE, HF_ROOT_DIR, HF_ROOT_SYMLINK, HF_ROOT_OTHER };

struct hf_root_entry {
	enum hf_root_type type;
	uint32_t mode; /* permission bits */
	uint64_t size;
	hf_sv link; /* a symlink's target; lives until the next call of look */
};

struct hf_root_file {
	hf_sv bytes;
	void *handle; /* the root's own */
};

/* Paths are relative to the root and normalised (no leading '/', no ".", "..", "//"; "" is the root), and none of their folders
 * is a symlink: hf_root_resolve makes such paths. Errors: HF_E_MISSING there is none; HF_E_UNSUPPORTED it cannot be said what is
 * there; HF_E_LIMIT, HF_E_IO, HF_E_DENIED. */
struct hf_root {
	int (*look)(void *ctx, hf_sv path, struct hf_root_entry *ret, struct hf_err *err);
	/* The content of a regular file, to be given back by close. */
	int (*open)(void *ctx, hf_sv path, struct hf_root_file *ret, struct hf_err *err);
	void (*close)(void *ctx, struct hf_root_file *file);
	/* Each name in a folder, in no order; a code of @name that is not 0 ends it and is returned. NULL: folders cannot be listed. */
	int (*list)(void *ctx, hf_sv path, int (*name)(void *arg, hf_sv name), void *arg, struct hf_err *err);
	void *ctx;
};

/* Follows every symlink of @path (absolute or relative to the root: both begin at the root), none of which leaves the root: "..",
 * as in chroot(2), stays in it. *@ret, in @out, is the path of what is really there.
 * @return HF_OK; HF_E_MISSING; HF_E_LIMIT more than HF_SYMLINKS_MAX links or a path over HF_PATH_MAX; what look returned. */
hf_nodiscard int hf_root_resolve(const struct hf_root *root, hf_sv path, char out[HF_PATH_MAX], hf_sv *ret,
				 struct hf_root_entry *ret_entry, struct hf_err *err);
