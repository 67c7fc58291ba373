/* What an artifact holds in the end: the catalogs of its layers laid over each other.
 *
 * Every layer is read by itself, several at once; then each file of a lower layer that an upper one hides is dropped, and
 * what remains is merged: packages with the same purl, owner and layer become one with several paths. What the layers
 * added, changed and removed falls out of the same data. */
#pragma once
#include "base/worker.h"
#include "model/os.h"
#include "model/package.h"
#include "model/report.h"

struct hf_source;

/* By purl, then the version before. */
struct hf_layer_changes {
	const struct hf_package_change *added;
	size_t added_n;
	const struct hf_package_change *changed;
	size_t changed_n;
	const struct hf_package_change *removed;
	size_t removed_n;
	uint64_t files_n, content_size, executables_n;
};

struct hf_inventory_unparsed {
	hf_sv path, reason;
	int32_t layer;
};

struct hf_inventory {
	struct hf_arena arena; /* owns all views below */
	struct hf_os os;       /* all empty: no release file was found */
	struct hf_package *packages;
	size_t packages_n; /* by purl, then path */
	struct hf_inventory_unparsed *unparsed;
	size_t unparsed_n; /* by layer, path, reason */
	struct hf_layer_changes *layers;
	size_t layers_n;
	uint64_t files_n, content_size, executables_n; /* sums over the layers */
	/* A distribution's package database was found and is visible; or was deleted by an upper layer, whose index stands in
	 * database_removed_in, and its packages were taken from below. */
	bool has_database;
	int32_t database_removed_in; /* -1: none was */
	hf_sv database_path;
};

struct hf_inventory_options {
	unsigned jobs;                  /* layers read at the same time; 0: 1 */
	const struct hf_worker *worker; /* NULL: none */
	bool each_path;                 /* do not merge: one package a path (for tests that compare with tools) */
};

/* Reads all layers of @source, which hf_source_read has read. *@ret is freed with hf_inventory_done in any case.
 * @return HF_OK; HF_PARTIAL something is in `unparsed`; negative with *err set. */
int hf_inventory_read(struct hf_source *source, const struct hf_inventory_options *options, struct hf_inventory *ret,
		      struct hf_err *err);
void hf_inventory_done(struct hf_inventory *inv);
