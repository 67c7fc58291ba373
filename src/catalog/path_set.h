/* The paths of one layer, as keyed hashes: enough to say what the layer hides of those below it, in 8 bytes a path. */
#pragma once
#include "base/arena.h"

enum hf_path_kind {
	HF_PATH_FILE = 0,     /* anything that is no folder */
	HF_PATH_DIR = 1,
	HF_PATH_WHITEOUT = 2, /* lower layers no longer show it */
	HF_PATH_OPAQUE = 3,   /* lower layers no longer show what is in it */
};

struct hf_path_set {
	uint64_t *slots; /* hash with the kind in its two lowest bits; 0: free. A power of two. */
	size_t slots_n, n;
};

void hf_path_set_add(struct hf_path_set *s, uint64_t hash, enum hf_path_kind kind);
/* Bit 1 << kind for each kind under which the hash is there. */
unsigned hf_path_set_kinds(const struct hf_path_set *s, uint64_t hash);
/* True where a layer with these paths hides @path of a lower layer: it has the path itself or a whiteout of it, or a
 * whiteout, an opaque mark or something that is no folder in the place of one of its parents. */
bool hf_path_set_hides(const struct hf_path_set *s, hf_sv path);
void hf_path_set_done(struct hf_path_set *s);
