/* What a mount table says of a container's root: the folders of its overlay file system. Pure.
 * Source: proc(5) "/proc/PID/mountinfo" (blanks and the like as \ooo); Documentation/filesystems/overlayfs.rst of Linux 6.x: options
 * lowerdir (top first, ':' between, "\:" a colon, behind "::" folders of data alone), lowerdir+ and datadir+ (one folder each),
 * upperdir, workdir, userxattr; the kernel prints ',' and '=' of a value as \054 and \075. */
#pragma once
#include "base/arena.h"

struct hf_overlay {
	hf_sv upper, work;   /* empty: mounted read-only */
	const hf_sv *lowers; /* top first; relative where the one who mounted it had gone to another folder */
	size_t lowers_n;
	size_t data_n;  /* folders of data alone, which lowers does not name */
	bool userxattr; /* its marks are user.overlay.*, else trusted.overlay.* */
	uint32_t major, minor;
};

/* The root of the mount namespace. All lives in @a.
 * @return HF_OK; HF_E_UNSUPPORTED its root is another kind of file system; HF_E_MISSING no root is listed; HF_E_FORMAT;
 *         HF_E_LIMIT more than HF_LAYERS_MAX folders, or the arena's cap. */
hf_nodiscard int hf_overlay_of_mountinfo(hf_sv mountinfo, struct hf_arena *a, struct hf_overlay *ret,
					 struct hf_err *err);

struct hf_mount {
	hf_sv point; /* absolute */
	hf_sv type;  /* "overlay", "tmpfs", "ext4" … */
	uint32_t major, minor;
};
/* The mount that shows @path (absolute, normalised) in that namespace: of those that hold it the deepest, of equals the last. */
bool hf_mount_of_path(hf_sv mountinfo, hf_sv path, struct hf_arena *a, struct hf_mount *ret);
/* The mount numbered @id (its first field; statx's stx_mnt_id). @ret->point is as it is written there, in @mountinfo. */
bool hf_mount_of_id(hf_sv mountinfo, uint64_t id, struct hf_mount *ret);
/* Folders where the file system @major:@minor is mounted: at most @max, how many it found. */
size_t hf_mounts_of_device(hf_sv mountinfo, uint32_t major, uint32_t minor, struct hf_arena *a, hf_sv *out, size_t max);

/* The file handle in the mark "overlay.origin" of a file that was copied up: what the file was copied from.
 * Layout (fs/overlayfs/overlayfs.h, struct ovl_fb): version 0, magic 0xfb, length of all, flags, handle type, uuid (16), handle.
 * False where it is none, or one of another byte order. */
struct hf_overlay_origin {
	int type;
	hf_sv handle;
};
bool hf_overlay_origin(hf_sv mark, struct hf_overlay_origin *ret);
