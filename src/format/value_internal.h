/* What the readers of format/value.h share. */
#pragma once
#include "format/value.h"

/* A member or an element of a container that is open. */
struct hf_value_child {
	hf_sv key;       /* elements have none */
	uint32_t offset; /* of the key */
	bool merged;     /* the key came by a merge, and may repeat another */
	struct hf_value value;
};

/* Containers while they are read: the children of all open ones stand one after the other and go to the arena when theirs is closed. */
struct hf_value_builder {
	struct hf_arena *arena;
	struct hf_value_notes notes;
	struct hf_value_child *children;
	size_t n, slots;
	uint32_t *table;                /* of keys, by their hashes */
	size_t table_slots, table_room; /* in use (a power of two); allocated */
};

void hf_value_builder_grow(struct hf_value_builder *);
static inline struct hf_value_child *hf_value_builder_child(struct hf_value_builder *b)
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

/* The text of a string or a number; on the arena's cap, so to say, where it is too long. */
static inline void hf_value_set_text(struct hf_value *v, enum hf_value_type type, hf_sv text, struct hf_arena *a)
{
	a->over |= text.len > HF_VALUE_N_MAX;
	v->type = type;
	v->text = text.ptr;
	v->n = text.len & HF_VALUE_N_MAX;
}

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
