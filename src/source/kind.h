/* What a row of sources.def is, and what rows share. For source/ and layers/ only. */
#pragma once
#include <sys/stat.h>

#include "base/file.h"
#include "base/input.h"
#include "base/map.h"
#include "base/threads.h"
#include "codec/codec.h"
#include "source/source.h"

/* Where a layer's bytes are. */
struct hf_layer_ref {
	hf_sv name; /* in the store; empty: not to be had, `missing` says why */
	hf_sv missing;
};

/* A member of an archive: "blobs/sha256/…", "manifest.json". */
struct hf_store_member {
	uint64_t offset, size; /* in the (unwrapped) archive */
	hf_sv link;            /* a symlink's or hard link's target, resolved to a name; else empty */
	hf_sv bytes; /* of a small one in a wrapped archive, kept when the names were read; ptr is NULL: not kept */
};

struct hf_source {
	const struct hf_source_kind *kind;
	struct hf_arena arena;
	hf_sv path;        /* NUL-terminated */
	hf_sv tag, digest; /* what follows the path; both empty: whatever there is */
	struct hf_source_options options;
	int fd; /* file, or folder by O_PATH or O_RDONLY */
	struct stat st;
	const struct hf_codec *wrap; /* of the archive as a whole; NULL: plain */
	struct hf_map members;       /* of an archive: struct hf_store_member */
	struct hf_layer_ref *refs;   /* artifact.layers_n of them */
	struct hf_artifact artifact;
	HF_VEC(hf_sv) notes;
	/* By depth: 0 the archive's own wrapping, 1 a layer's. Who holds of 0 waits for 1, never the other way round.
	 */
	struct hf_budget *windows[2];
	struct hf_budget *spool;
	bool keeps_stream;       /* of a wrapped archive, between two blobs */
	struct hf_in *stream[2]; /* that stream: the archive's bytes, the decoder; NULL: none is open */
};

struct hf_source_kind {
	const char *name;
	bool is_tree;      /* layer 0 is the folder `fd` */
	bool skips_pseudo; /* a tree without the file systems that the kernel makes up */
	/* Whether a target without a prefix that stat(2) shows as @st is of this kind; @dir is open where it is a
	 * folder. */
	bool (*is_like)(const struct stat *st, int dir);
	/* Fills path, tag, digest, fd and st from what stands behind the prefix. */
	int (*open)(struct hf_source *s, hf_sv rest, struct hf_err *err);
	int (*read)(struct hf_source *s, struct hf_err *err);
};

#define HF_SOURCE(row) extern const struct hf_source_kind hf_source_kind_##row;
#include "source/sources.def"
#undef HF_SOURCE

/* Opens s->path and stats it. @flags beside O_CLOEXEC. */
int hf_source_open_path(struct hf_source *s, hf_sv path, int flags, struct hf_err *err);
/* Adds a sentence to the artifact's notes. */
void hf_source_note(struct hf_source *s, const char *fmt, ...) hf_printf(2, 3);
/* Bytes of a mapped window: all threads' together stay far under the goal for resident memory. */
size_t hf_source_window(const struct hf_source *s);

/* ---- the store: named files of an archive or of an OCI layout's folder ---- */

/* Reads the names of an archive's members. What was read before an error stays; the error becomes a note. */
int hf_store_read_names(struct hf_source *s, struct hf_err *err);
bool hf_store_has(const struct hf_source *s, hf_sv name);
/* A whole small file, in the source's arena. HF_E_MISSING, HF_E_LIMIT over HF_MANIFEST_SIZE_MAX, and what reading
 * gives. */
int hf_store_read(struct hf_source *s, hf_sv name, hf_sv *ret, struct hf_err *err);
/* Its size; false where it is not there. */
bool hf_store_size(const struct hf_source *s, hf_sv name, uint64_t *ret);

/* A file of the store as a stream. */
struct hf_blob {
	struct hf_in *in;
	struct hf_in *below[2];   /* what it stands on */
	int fd;                   /* -1: the source's own */
	struct hf_source *source; /* takes the stream below back; NULL: it is closed */
};
int hf_blob_open(struct hf_source *s, hf_sv name, struct hf_blob *ret, struct hf_err *err);
void hf_blob_close(struct hf_blob *b); /* for hf_cleanup */
/* Where a file of an archive begins; 0 where it is not there. */
uint64_t hf_store_offset(const struct hf_source *s, hf_sv name);
/* From now on (@keep) one thread alone opens blobs, one at a time: those that follow each other in a wrapped archive
 * share one pass over it. */
void hf_store_keep_stream(struct hf_source *s, bool keep);

/* ---- documents ---- */

/* An image's config (OCI image-spec v1.1 config.md; Docker image spec v1.2): artifact.config, history, created,
 * platform;
 * *@ret_diff_ids and their number. HF_E_FORMAT. */
int hf_image_read_config(struct hf_source *s, hf_sv json, const hf_sv **ret_diff_ids, size_t *ret_n,
			 struct hf_err *err);
/* Lays history and diff_ids over artifact.layers, which hold digest, media type and size. */
void hf_image_join_history(struct hf_source *s, const hf_sv *diff_ids, size_t diff_ids_n);
/* Room for n layers. HF_E_LIMIT. */
int hf_image_make_layers(struct hf_source *s, size_t n, struct hf_layer **ret, struct hf_err *err);
/* An OCI layout in the store, beginning at index.json. */
int hf_oci_read(struct hf_source *s, struct hf_err *err);
/* The digest of the manifest that index.json leads to and that has the config @config_digest; empty where none does.
 * HF_E_DIGEST only with `verify`; an index that cannot be read becomes a note. */
int hf_oci_find_manifest(struct hf_source *s, hf_sv config_digest, hf_sv *ret_digest, struct hf_err *err);
/* manifest.json, or without it `repositories`, of a docker-archive in the store. */
int hf_docker_read(struct hf_source *s, struct hf_err *err);
/* "blobs/sha256/…" of a digest; empty where it is none. */
hf_sv hf_oci_blob_name(struct hf_source *s, hf_sv digest);
