/* What tar.c and tar_ext.c share. */
#pragma once
#include "base/buffer.h"
#include "format/tar.h"

struct tar_piece {
	uint64_t at, len; /* in the whole file */
};

/* What extension headers say of the member that follows. Empty or unset: nothing. */
struct tar_ext {
	struct hf_buf name, link; /* set where has_name, has_link */
	bool has_name, has_link, has_size, has_mtime;
	uint64_t size;
	int64_t mtime;
	bool is_sparse, has_real_size, pieces_due; /* pieces_due: the offset came, its length not yet */
	uint64_t real_size, sparse_major;
	struct hf_buf sparse_name;
};

struct hf_tar {
	struct hf_in *in;
	struct tar_ext ext;
	struct hf_tar_member now;
	uint64_t left; /* of `stored` and its padding: to be passed over before the next header */
	struct tar_piece *pieces;
	size_t pieces_n, pieces_slots;
	char *spool; /* a sparse file put together */
	char head[64];
	char fields[2 * 256 + 2]; /* names of a plain header, since the stream's bytes move */
};

/* Pax records. HF_E_FORMAT, HF_E_LIMIT. */
int tar_read_pax(struct hf_tar *t, hf_sv records, struct hf_err *err);
int tar_add_piece(struct hf_tar *t, uint64_t at, uint64_t len, struct hf_err *err);
/* The map that stands in front of the data (GNU.sparse 1.0): taken off t->left and the member's `stored`. */
int tar_read_sparse_1_0(struct hf_tar *t, struct hf_err *err);
/* Ascending, apart, within the size, and as long together as what is stored. */
int tar_check_pieces(struct hf_tar *t, struct hf_err *err);
/* Copies [0, n) of the sparse file whose stored bytes start at @stored (of which there are @stored_n) to zeroed @out.
 */
void tar_place_pieces(const struct hf_tar *t, const char *stored, size_t stored_n, char *out, size_t n);
