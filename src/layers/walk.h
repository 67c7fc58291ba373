/* What the walks of tars and of folders share. For layers/ only. */
#pragma once
#include "layers/layers.h"
#include "layers/path.h"
#include "source/kind.h"

struct walk {
	struct hf_source *source;
	struct hf_layer_visitor *v;
	struct hf_map only; /* names of a fetch */
	bool is_fetch;
	bool partial;
	uint64_t entries;
};

/* Hands an unparsed entry on; HF_OK, or the visitor's code. */
int walk_unparsed(struct walk *w, hf_sv path, const char *reason, struct hf_err *err);
/* Counts an entry: HF_E_LIMIT past HF_FILES_MAX. */
int walk_count(struct walk *w, struct hf_err *err);

int walk_tree(struct walk *w, struct hf_err *err);
/* The @n paths of a folder, without looking at others. */
int walk_tree_paths(struct walk *w, const hf_sv *paths, size_t n, struct hf_err *err);
