/* A pull reader of tar archives: v7, ustar, pax (x), GNU (L, K, S) and star, as container engines read them. Formats
 * and what is not read: docs/formats/tar.md. Pure: bytes come from an hf_in.
 *
 *     struct hf_tar *t = hf_tar_new(in);
 *     while ((r = hf_tar_next(t, &member, err)) == HF_OK && member.type)
 *             …; */
#pragma once
#include "base/input.h"

enum {
	HF_TAR_EXTENSION_MAX = 1 << 20, /* a pax header or a long name, whole */
	HF_TAR_SPARSE_MAX = 1 << 16,    /* pieces of one sparse file */
};

/* Views live until the next call with the same reader. */
struct hf_tar_member {
	char type;  /* '0' file, '1' hard link, '2' symlink, '3' '4' device, '5' folder, '6' FIFO, others as they stand;
		       0: the end */
	hf_sv name; /* as it stands: may be absolute, hold "..", end in '/'; never a NUL */
	hf_sv link;
	uint32_t mode;
	int64_t mtime;
	uint64_t size;   /* of the content; of a sparse file with its holes */
	uint64_t stored; /* bytes in the archive */
	uint64_t offset; /* of these in the stream */
	bool sparse;
	hf_sv head; /* the content's first bytes, at least 64 where it has them (of a sparse file with its holes) */
};

struct hf_tar;

/* @in is borrowed and stands at the archive's first byte. */
struct hf_tar *hf_tar_new(struct hf_in *in);
void hf_tar_free(struct hf_tar *t);

/* The next member; extension headers are taken into it. The end (two blocks of zeros, or where the bytes end between
 * members) is HF_OK with type 0.
 * @return HF_OK; HF_E_FORMAT a checksum, number or extension record that is none, or a lone block of zeros; HF_E_LIMIT
 * an extension over its maximum; HF_E_TRUNCATED; the stream's own code. The message names the offset. All of these end
 *         the reading: what follows such a header can't be found. */
hf_nodiscard int hf_tar_next(struct hf_tar *t, struct hf_tar_member *ret, struct hf_err *err);
/* The content of the member that hf_tar_next gave last, whole: the stream's own bytes; of a sparse file a copy. The
 * caller sees to it that member.size is bearable. May be called once a member. HF_E_TRUNCATED, HF_E_FORMAT (a sparse
 * map that is none). */
hf_nodiscard int hf_tar_content(struct hf_tar *t, hf_sv *ret, struct hf_err *err);
/* The same piece by piece, of a member that is not sparse: a view that is good until the next call, empty at the end.
 * HF_E_TRUNCATED, the stream's own code. */
hf_nodiscard int hf_tar_content_piece(struct hf_tar *t, hf_sv *ret, struct hf_err *err);
