/* Where things stand in the text of a manifest, by indentation and brackets. What these say is a guess, which the reader then proves. */
#pragma once
#include "base/buffer.h"
#include "format/value.h"

/* The offset behind a scalar or a flow collection; SIZE_MAX: not found, or a block scalar. */
size_t hf_text_value_end(hf_sv text, size_t at, bool in_flow);
/* The offset of the bracket that closes the one at @at; SIZE_MAX. */
size_t hf_text_closing(hf_sv text, size_t at);
/* Behind the lines of the block collection whose first key or dash is at @at. */
size_t hf_text_block_end(hf_sv text, size_t at);
/* Behind the lines of the member whose key is at @at, in a block mapping. */
size_t hf_text_member_end(hf_sv text, size_t at, bool is_array);
size_t hf_text_line_start(hf_sv text, size_t at);
/* Only blanks stand before @at in its line. */
bool hf_text_begins_line(hf_sv text, size_t at);
/* The value in flow style: JSON, or as people write it in YAML. */
void hf_text_flow(struct hf_buf *, const struct hf_value *, bool json);
void hf_text_key(struct hf_buf *, hf_sv key, bool json);
/* "key: value" in block style at @indent, without a line break at its end. */
void hf_text_block(struct hf_buf *, hf_sv key, const struct hf_value *, size_t indent);
