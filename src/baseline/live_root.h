/* The files of an image under a running container, or of a folder: the layers of its overlay file system laid over each other as
 * the kernel does it (whiteouts, opaque folders), read from the layers' own folders, so that nothing a container does to its
 * writable layer is seen, and no process of it is needed once the mount table was read.
 *
 * Needs the right to read the engine's folders, and CAP_SYS_ADMIN for the marks "trusted.overlay.*". No path leads out of a layer:
 * openat2(2) with RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS. Any thread may use one, one at a time. */
#pragma once
#include "base/buffer.h"
#include "baseline/overlay.h"
#include "baseline/root.h"

struct hf_live_root;

enum hf_live_view {
	HF_LIVE_IMAGE, /* the lower layers alone: what the image holds */
	HF_LIVE_MERGED /* with the writable layer: what the container sees where nothing else is mounted */
};

/* /proc/@pid/mountinfo, whole, appended to @out. */
hf_nodiscard int hf_live_mountinfo(uint64_t pid, struct hf_buf *out, struct hf_err *err);
/* The root of the namespace that @mountinfo describes; its process need not live any more.
 * @return HF_OK; HF_E_UNSUPPORTED not overlay, or its folders cannot be told; HF_E_MISSING a folder is gone; HF_E_DENIED … */
hf_nodiscard int hf_live_root_open(hf_sv mountinfo, struct hf_live_root **ret, struct hf_err *err);
/* One folder, as if it were an image of one layer. */
hf_nodiscard int hf_live_root_open_folder(const char *path, struct hf_live_root **ret, struct hf_err *err);
void hf_live_root_close(struct hf_live_root *root); /* NULL is fine */
/* Borrows @root. */
struct hf_root hf_live_root_view(struct hf_live_root *root, enum hf_live_view view);

/* A descriptor (O_RDONLY) of the regular file at @path (resolved) in the image, or in the writable layer alone.
 * @return the descriptor, to be closed; HF_E_MISSING; HF_E_UNSUPPORTED what is there is no regular file, or its content or place
 *         cannot be told from the marks; HF_E_IO … */
hf_nodiscard int hf_live_root_open_image(struct hf_live_root *root, hf_sv path, struct hf_err *err);
hf_nodiscard int hf_live_root_open_upper(struct hf_live_root *root, hf_sv path, struct hf_err *err);
/* What a file of the writable layer was copied from, under whatever name the image holds it: by the kernel's mark of a copy-up,
 * which nobody in a container can set. A descriptor; HF_E_MISSING where there is no mark or its file is gone. */
hf_nodiscard int hf_live_root_open_origin(struct hf_live_root *root, int upper_file, struct hf_err *err);
/* True where only the owner, mode or times of @upper_file were written: its bytes are still the image's (mark "overlay.metacopy"). */
bool hf_live_root_is_metacopy(const struct hf_live_root *root, int upper_file);
