/* Private to catalog/: laying the catalogs of layers over each other. */
#pragma once
#include "catalog/inventory.h"
#include "catalog/layer_catalog.h"

struct composition {
	struct hf_inventory *inv;
	struct hf_layer_catalog *layers; /* bottom first */
	size_t n;
	int32_t **hidden_at; /* [layer][evidence]: the first layer above that hides it, -1: visible */
	const struct hf_inventory_options *options;
};

/* The first layer above @layer that hides @path, -1 where none does. */
int32_t hf_compose_hidden_at(const struct composition *c, size_t layer, hf_sv path);
/* Fills inv->layers from the databases and files of each layer; compose_changes.c. */
void hf_compose_changes(struct composition *c);
/* The key by which a package is the same over versions: type, name, architecture. In the inventory's arena. */
hf_sv hf_compose_identity(struct hf_arena *a, const struct hf_package *p, bool with_version);
