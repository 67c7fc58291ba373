/* The product tree of a CSAF document: what a product id stands for. Used by adv_csaf.c alone. */
#pragma once
#include "advisory/feed.h"
#include "base/map.h"

struct hf_csaf_product {
	hf_sv cpe, purl;
	/* of a relationship: the ids of the component and of what it is a component of; empty: a plain product */
	hf_sv part, whole;
	enum hf_severity severity; /* of the flaw in this product; filled in and emptied for each vulnerability */
	uint8_t remedy;            /* enum hf_csaf_remedy, the same */
};

enum hf_csaf_remedy { HF_CSAF_NO_REMEDY = 0, HF_CSAF_NOT_PLANNED, HF_CSAF_DEFERRED };

struct hf_csaf_tree {
	struct hf_arena *arena;
	struct hf_map products; /* id -> struct hf_csaf_product */
	struct hf_map groups;   /* id -> hf_sv, the JSON of its product_ids */
	const char *complaint;
};

/* An rpm in a product, as the model names them. */
struct hf_csaf_rpm {
	hf_sv ecosystem; /* "Red Hat:enterprise_linux:9::baseos" */
	hf_sv package, version, module;
	bool binary;
};

/* Reads product_tree into @tree, whose arena is set. What cannot be used is told by tree->complaint and j->why. */
void hf_csaf_read_tree(struct hf_csaf_tree *tree, struct hf_json *j);
/* The product of an id, NULL where the tree has none. */
struct hf_csaf_product *hf_csaf_find(const struct hf_csaf_tree *tree, hf_sv id);
/* What a product id of a status list stands for. False where it is no rpm of a Red Hat product (containers, other formats,
 * whole products), which is no failure; *@ret_unknown where the tree does not know it. */
bool hf_csaf_resolve(const struct hf_csaf_tree *tree, hf_sv id, struct hf_csaf_rpm *ret, bool *ret_unknown);
