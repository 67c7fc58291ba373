/* The reader of block style in its parts: lines and containers (value_yaml_block.c), scalars and flow collections (value_yaml_flow.c). */
#pragma once
#include "format/value_internal.h"

struct hf_yaml_block {
	struct hf_value_builder b;
	const char *start, *p, *end;
	uint32_t base;
	bool odd; /* something that it leaves to libfyaml */
	bool better; /* something that libfyaml 0.7.12 reads wrongly: it takes the lines behind an empty block scalar for its
		      * text, and stumbles over blanks behind an empty element and over some plain scalars of several
		      * lines; and it wants brackets and quotes deeper than Kubernetes does */
};

enum hf_yaml_block_answer {
	HF_YAML_BLOCK_GAVE_UP = 0, /* nothing is known of it, and some memory of the arena is lost */
	HF_YAML_BLOCK_READ,
	HF_YAML_BLOCK_READ_BETTER, /* libfyaml may disagree, and is wrong */
};

/* Reads a document into *@ret. Of the notes without and texts count. */
enum hf_yaml_block_answer hf_value_of_yaml_block(hf_sv text, uint32_t base, struct hf_arena *, struct hf_value_notes,
						 struct hf_value *ret);

static inline bool hf_yaml_block_odd(struct hf_yaml_block *y)
{
	y->odd = true;
	return false;
}

/* The next line with something on it, past comments: its first byte that is no space, and that one's column (from 0). NULL at the end.
 * y->p stands at the begin of a line. */
const char *hf_yaml_block_line(struct hf_yaml_block *, uint32_t *ret_column);
/* Passes blanks and a comment to the begin of the next line. */
bool hf_yaml_block_end_line(struct hf_yaml_block *);
/* True where a key stands at @p, on this line. */
bool hf_yaml_block_is_key(const struct hf_yaml_block *, const char *p);
/* The key at *@p; *@p then stands behind its colon and the blanks there. */
bool hf_yaml_block_key(struct hf_yaml_block *, const char **p, hf_sv *ret);
/* Reads what stands at y->p into the value of child @child, in a container of column @indent, to the begin of another line. */
bool hf_yaml_block_value(struct hf_yaml_block *, uint32_t indent, size_t child);
/* The block scalar (| or >) whose indicator stands at y->p, to the begin of the line behind it. */
bool hf_yaml_block_text(struct hf_yaml_block *, uint32_t indent, struct hf_value *v);

/* hf_value_of_yaml, by libfyaml whatever stands in the text. */
int hf_value_of_yaml_library(hf_sv text, uint32_t base, uint32_t first_line, struct hf_arena *, struct hf_value_notes,
			     struct hf_value *ret, struct hf_err *);
