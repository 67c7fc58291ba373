/* The files of one layer, in the order in which they stand there, to a visitor.
 *
 * A layer is a tar, plain or wrapped in gzip or zstd (the magic decides, not the media type), or a folder.
 * Plain tars in files are mapped in windows and hopped over from header to header; only wanted contents are touched.
 * Whiteouts: OCI image-spec v1.1 layer.md "Whiteouts". Tar: docs/formats/tar.md. */
#pragma once
#include "format/elf.h"
#include "format/zip_sieve.h"
#include "source/source.h"

enum hf_entry_type {
	HF_ENTRY_FILE = 0,
	HF_ENTRY_DIR,
	HF_ENTRY_SYMLINK,
	HF_ENTRY_HARDLINK, /* `link` is the path of an earlier entry of the same layer, normalised; the consumer follows
			      it */
	HF_ENTRY_DEVICE,   /* device, FIFO, socket: has no content */
	HF_ENTRY_WHITEOUT, /* "a/.wh.b": `path` is "a/b", which lower layers no longer show, nor what is below it */
	HF_ENTRY_OPAQUE,   /* "a/.wh..wh..opq": `path` is "a", whose lower content is hidden ("" is the root) */
	HF_ENTRY_MAX,
};

/* Views are borrowed for the call. */
struct hf_entry {
	hf_sv path; /* relative to the root, normalised: no leading or trailing '/', no ".", "..", "//"; "" is the root
		       itself */
	enum hf_entry_type type;
	uint32_t mode; /* permission bits, 07777 */
	uint64_t size; /* of the content; 0 for all but files */
	int64_t mtime; /* seconds since 1970 */
	hf_sv link;    /* symlink: the target as it stands; hard link: see there */
	hf_sv head; /* the content's first bytes: at least 16 where the file has them; in a folder for executables alone
		     */
};

/* What is needed of a file's content: ranges, ascending and apart, or members of a zip archive. */
struct hf_parts {
	struct hf_span held[HF_ELF_PARTS_MAX];
	size_t held_n;
	enum hf_zip_want (*member)(hf_sv name); /* NULL: the ranges count */
};

/* Each function returns HF_OK or a negative code, which ends the walk and is passed on. */
struct hf_layer_visitor {
	/* Every entry, in order; a path may come several times, the later one counts. Sets *@ret_wants_content (false
	 * before the call) for a file whose content is wanted. ".wh..wh.plnk", ".wh..wh.aufs" and other ".wh..wh."
	 * names but the opaque mark are aufs's own and are not delivered. */
	int (*entry)(struct hf_layer_visitor *v, const struct hf_entry *entry, bool *ret_wants_content,
		     struct hf_err *err);
	/* Right behind the entry that wanted it: the whole content, possibly a view of a mapped file. */
	int (*content)(struct hf_layer_visitor *v, const struct hf_entry *entry, hf_sv bytes, struct hf_err *err);
	/* @path could not be read or was passed over; "" is the layer itself. The walk ends with HF_PARTIAL. May come
	 * in place of `content` for an entry that wanted it, and after it where a file shrank while it was read. */
	int (*unparsed)(struct hf_layer_visitor *v, hf_sv path, hf_sv reason, struct hf_err *err);
	/* NULL, or asked before `content` for a file that is too large to be held whole and is not mapped: what of it is
	 * needed? @head are its first HF_ELF_HEAD bytes. The bytes that `content` then gets are as long as the file,
	 * and zero where nothing was needed. False: all of it. */
	bool (*parts)(struct hf_layer_visitor *v, const struct hf_entry *entry, hf_sv head, struct hf_parts *ret);
};

/* Calls @task for each layer, with its number: on at most @jobs threads from the top layer down; where the archive is
 * wrapped as a whole, on the caller's thread in the order in which the layers lie there, so that walks (one a task) go
 * over it in one pass. Codes are passed on as by hf_threads_run. */
hf_nodiscard int hf_layers_run(struct hf_source *s, unsigned jobs,
			       int (*task)(void *ctx, size_t layer, struct hf_err *err), void *ctx, struct hf_err *err);

/* Walks layer @layer of hf_source_artifact(s)->layers. Different layers (and the same one) may be walked by several
 * threads at the same time, each with a visitor of its own.
 * @return HF_OK; HF_PARTIAL something was passed to `unparsed` (a missing or foreign layer, one that ends early, a
 * broken header, a file over HF_FILE_SPOOL_MAX in a compressed layer): what came before counts; HF_E_DIGEST only with
 *         `verify`, known once the layer was read to its end: what the visitor got is void; a visitor's code; HF_E_LIMIT more than HF_FILES_MAX entries. */
hf_nodiscard int hf_layer_walk(struct hf_source *s, uint32_t layer, struct hf_layer_visitor *v, struct hf_err *err);

/* The same, but only the @n entries named @paths (normalised) reach `entry`; each duplicate of a name does. For
 * contents that turn out to be wanted after the walk: targets of hard links and symlinks. */
hf_nodiscard int hf_layer_fetch(struct hf_source *s, uint32_t layer, const hf_sv *paths, size_t n,
				struct hf_layer_visitor *v, struct hf_err *err);
