/* Private to catalog/: laying the catalogs of layers over each other. */
#pragma once
#include "catalog/hidden.h"
#include "catalog/inventory.h"
#include "catalog/layer_catalog.h"

struct composition {
	struct hf_inventory *inv;
	struct hf_layer_catalog *layers; /* bottom first */
	size_t n;
	struct hf_hidden hidden;
	int32_t **hidden_at; /* [layer][evidence]: the first layer above that hides it, -1: visible */
	const struct hf_inventory_options *options;
};

/* Nothing above hides it, and it did not come again in its layer. Once hidden_at is filled. */
bool hf_compose_is_visible(const struct composition *c, size_t layer, size_t evidence);
/* The file on disk: "app.war!/WEB-INF/lib/x.jar" lies in app.war. */
hf_sv hf_compose_outer_path(hf_sv path);
/* Reads what stands behind the layers' aliases, into the layers that hold it; aliases.c.
 * @return HF_OK; HF_PARTIAL something was not understood; negative: as hf_layer_fetch. */
int hf_compose_read_aliases(struct composition *c, struct hf_source *source,
			    const struct hf_layer_catalog_options *options, struct hf_err *err);
/* Sets owned_by of each language package whose file a visible database of a distribution's packages claims, outside of
 * /usr/local, /home, /root and /srv; owners.c. */
void hf_compose_owners(struct composition *c, struct hf_package *packages, size_t n);
/* Fills inv->layers from the databases and files of each layer; compose_changes.c. */
void hf_compose_changes(struct composition *c);
/* The key by which a package is the same over versions: type, name, architecture. In the inventory's arena. */
hf_sv hf_compose_identity(struct hf_arena *a, const struct hf_package *p, bool with_version);
