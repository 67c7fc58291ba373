/* Which layer hides what of the layers below it: all questions first, then one pass over the paths of all layers, then the
 * answers. Private to catalog/. */
#pragma once
#include "catalog/layer_catalog.h"

struct hidden_node {
	uint64_t hash;
	uint32_t hits; /* index + 1 of the lowest layer's hit; each leads to one of the same layer or above, 0: none */
	bool is_used;
};

struct hidden_hit {
	int32_t layer;
	enum hf_path_kind kind;
	uint32_t next;
};

/* Zero is empty. */
struct hf_hidden {
	struct hidden_node *nodes; /* paths that were asked about and their parents; a power of two */
	size_t nodes_n, used;
	struct hidden_hit *hits;
	size_t hits_n, hits_slots;
};

/* Announces a question about @path. */
void hf_hidden_ask(struct hf_hidden *h, hf_sv path);
/* Looks for all that was asked in the @n layers, bottom first. More may be asked afterwards, then this is called again. */
void hf_hidden_find(struct hf_hidden *h, const struct hf_layer_catalog *layers, size_t n);
/* The lowest layer above @layer that hides @path, which was asked about; -1 where none does. */
int32_t hf_hidden_at(const struct hf_hidden *h, size_t layer, hf_sv path);
/* The layer that gives @path, which was asked about, as a visible file or link; -1 where none can. The lowest layer is the
 * answer where no other has it: its paths are not kept. */
int32_t hf_hidden_holder(const struct hf_hidden *h, hf_sv path);
void hf_hidden_done(struct hf_hidden *h);
