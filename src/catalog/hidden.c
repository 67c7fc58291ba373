/* Which layer hides what of the layers below it. The paths that are asked about are few beside all paths of all layers, so
 * they are put into one table first, with their parents; then one pass over the layers' sets of paths says where each of
 * them comes again. So the cost is that of all paths once, and not of every question times every layer. */
#include "catalog/hidden.h"

#include <stdlib.h>

#include "base/hash.h"

static size_t node_of(const struct hf_hidden *h, uint64_t hash)
{
	size_t i = (size_t)(hash >> 2) & (h->nodes_n - 1);

	while (h->nodes[i].is_used && h->nodes[i].hash != hash)
		i = (i + 1) & (h->nodes_n - 1);
	return i;
}

static void grow(struct hf_hidden *h)
{
	struct hf_hidden larger = { .nodes_n = h->nodes_n ? h->nodes_n * 2 : 1024 };

	larger.nodes = hf_calloc(larger.nodes_n, sizeof *larger.nodes);
	for (size_t i = 0; i < h->nodes_n; i++)
		if (h->nodes[i].is_used)
			larger.nodes[node_of(&larger, h->nodes[i].hash)] = h->nodes[i];
	free(h->nodes);
	h->nodes = larger.nodes;
	h->nodes_n = larger.nodes_n;
}

void hf_hidden_ask(struct hf_hidden *h, hf_sv path)
{
	for (;; path = hf_sv_dirname(path)) {
		if (h->used * 4 >= h->nodes_n * 3)
			grow(h);
		uint64_t hash = hf_path_set_key(hf_hash(path));
		struct hidden_node *node = &h->nodes[node_of(h, hash)];
		if (node->is_used) /* and so are its parents */
			return;
		*node = (struct hidden_node){ .hash = hash, .is_used = true };
		h->used++;
		if (!path.len)
			return;
	}
}

static void note(struct hf_hidden *h, size_t node, int32_t layer, enum hf_path_kind kind)
{
	if (h->hits_n == h->hits_slots) {
		h->hits_slots = h->hits_slots ? h->hits_slots * 2 : 1024;
		h->hits = hf_realloc(h->hits, h->hits_slots * sizeof *h->hits);
	}
	h->hits[h->hits_n++] = (struct hidden_hit){ layer, kind, h->nodes[node].hits };
	h->nodes[node].hits = (uint32_t)h->hits_n;
}

void hf_hidden_find(struct hf_hidden *h, const struct hf_layer_catalog *layers, size_t n)
{
	h->hits_n = 0;
	for (size_t i = 0; i < h->nodes_n; i++)
		h->nodes[i].hits = 0;
	/* From the top down, each in front of the last one: so each list ends with the topmost layer. */
	for (size_t k = n; k-- > 0 && h->used;)
		for (size_t i = 0; i < layers[k].paths.slots_n; i++) {
			uint64_t slot = layers[k].paths.slots[i];
			size_t node = slot ? node_of(h, hf_path_set_key(slot)) : 0;
			if (slot && h->nodes[node].is_used)
				note(h, node, (int32_t)k, hf_path_set_kind(slot));
		}
}

/* The lowest layer above @layer that has @path as one of @kinds. */
static int32_t first_above(const struct hf_hidden *h, int32_t layer, hf_sv path, unsigned kinds)
{
	if (!h->hits_n)
		return INT32_MAX;
	const struct hidden_node *node = &h->nodes[node_of(h, hf_path_set_key(hf_hash(path)))];
	for (uint32_t at = node->hits; at; at = h->hits[at - 1].next)
		if (h->hits[at - 1].layer > layer && (kinds >> h->hits[at - 1].kind & 1))
			return h->hits[at - 1].layer;
	return INT32_MAX;
}

int32_t hf_hidden_at(const struct hf_hidden *h, size_t layer, hf_sv path)
{
	int32_t lowest = first_above(h, (int32_t)layer, path, HF_PATH_HIDES_ITSELF);

	while (path.len) {
		path = hf_sv_dirname(path);
		int32_t at = first_above(h, (int32_t)layer, path, HF_PATH_HIDES_BELOW);
		lowest = at < lowest ? at : lowest;
	}
	return lowest == INT32_MAX ? -1 : lowest;
}

int32_t hf_hidden_holder(const struct hf_hidden *h, hf_sv path)
{
	int32_t top = 0;

	if (!h->hits_n)
		return 0;
	const struct hidden_node *node = &h->nodes[node_of(h, hf_path_set_key(hf_hash(path)))];
	for (uint32_t at = node->hits; at; at = h->hits[at - 1].next)
		if (h->hits[at - 1].kind == HF_PATH_FILE)
			top = h->hits[at - 1].layer;
	return hf_hidden_at(h, (size_t)top, path) < 0 ? top : -1;
}

void hf_hidden_done(struct hf_hidden *h)
{
	free(h->nodes);
	free(h->hits);
	*h = (struct hf_hidden){ 0 };
}
