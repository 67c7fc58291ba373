/* What the readers of format/value.h share. */
#pragma once
#include "format/value.h"

/* Containers while they are read: the children of all open ones stand one after the other and go to the arena when theirs is closed. */
struct hf_value_builder {
	struct hf_arena *arena;
	struct hf_value_notes notes;
	struct hf_member *children; /* elements have no key */
	size_t n, slots;
	uint32_t *table;                /* of keys, by their hashes */
	size_t table_slots, table_room; /* in use (a power of two); allocated */
};

/* In the type of a child: its key came by a merge, and may repeat another. */
#define HF_VALUE_MERGED 0x80

void hf_value_builder_grow(struct hf_value_builder *);
static inline struct hf_member *hf_value_builder_child(struct hf_value_builder *b)
{
	if (b->n == b->slots)
		hf_value_builder_grow(b);
	return &b->children[b->n++];
}
/* Makes the children from @first on the members (elements) of *@v. Of members with one key the last one stays, where the first one
 * stood, and is noted; those that notes.without says go. */
void hf_value_builder_object(struct hf_value_builder *, size_t first, struct hf_value *v);
void hf_value_builder_array(struct hf_value_builder *, size_t first, struct hf_value *v);
void hf_value_builder_done(struct hf_value_builder *);

enum hf_scalar_kind {
	HF_SCALAR_STRING,
	HF_SCALAR_NULL,
	HF_SCALAR_BOOL,
	HF_SCALAR_INT,
	HF_SCALAR_FLOAT,
	HF_SCALAR_NOT_FINITE, /* .inf, .nan: nothing that JSON has */
};

/* What a plain scalar is, by go.yaml.in/yaml/v2 (resolve.go); type, boolean, text and n of *@v are set (of what is not finite: the
 * string). Numbers are written as Go's encoding/json does. */
enum hf_scalar_kind hf_value_of_plain(hf_sv text, struct hf_arena *, struct hf_value *v);
