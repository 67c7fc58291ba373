/* The paths of one layer, as keyed hashes: enough to say what the layer hides of those below it, in 8 bytes a path. */
#pragma once
#include "base/arena.h"

enum hf_path_kind {
	HF_PATH_FILE = 0, /* anything that is no folder */
	HF_PATH_DIR = 1,
	HF_PATH_WHITEOUT = 2, /* lower layers no longer show it */
	HF_PATH_OPAQUE = 3,   /* lower layers no longer show what is in it */
};

/* Bits 1 << kind: what hides the same path of lower layers, and what hides all below it. */
enum {
	HF_PATH_HIDES_ITSELF = 1 << HF_PATH_FILE | 1 << HF_PATH_DIR | 1 << HF_PATH_WHITEOUT,
	HF_PATH_HIDES_BELOW = 1 << HF_PATH_FILE | 1 << HF_PATH_WHITEOUT | 1 << HF_PATH_OPAQUE,
};

struct hf_path_set {
	uint64_t *slots; /* hash with the kind in its two lowest bits; 0: free. A power of two. */
	size_t slots_n, n;
};

void hf_path_set_add(struct hf_path_set *s, uint64_t hash, enum hf_path_kind kind);
bool hf_path_set_has(const struct hf_path_set *s, uint64_t hash, enum hf_path_kind kind);
/* What of a hash, or of a slot, says which path it is; and the kind in a slot. */
uint64_t hf_path_set_key(uint64_t hash_or_slot);
enum hf_path_kind hf_path_set_kind(uint64_t slot);
void hf_path_set_done(struct hf_path_set *s);
