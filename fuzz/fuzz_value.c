/* Any bytes as YAML and as JSON: a tree or a reason, which has a place; what the reader of block style makes of a document is what
 * libfyaml's way makes of it, or it has given up; JSON that is written of a tree reads back as that tree. */
#include <stdlib.h>

#include "base/limits.h"
#include "format/json_writer.h"
#include "format/value_yaml_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_note(void *ctx, uint32_t offset, const char *what)
{
	(void)what;
	if (offset > *(size_t *)ctx)
		abort();
}

static void check(const struct hf_value *v, size_t size)
{
	if (v->offset > size)
		abort();
	hf_value_elements(v, e) check(e, size);
	hf_value_members(v, m)
	{
		if (m->offset > size)
			abort();
		check(&m->value, size);
	}
}

static void as_json(hf_sv text, const struct hf_value *was)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_MIB(64));
	struct hf_json_writer w = { .out = &out, .compact = true };
	struct hf_value v;
	size_t used;

	hf_value_write_json(&w, was);
	if (out.over)
		return;
	int r = hf_value_of_json(hf_buf_view(&out), 0, &a, (struct hf_value_notes){ 0 }, &v, &used, NULL);
	if (r == HF_E_LIMIT)
		return;
	if (r < 0 || used != out.len || (hf_sv_is_utf8(text) && !hf_value_eq(&v, was)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	hf_sv text = { (const char *)data, size };
	struct hf_value block, library, json;
	struct hf_err err = { 0 };
	uint32_t fault = UINT32_MAX;
	const struct hf_value_notes notes = { .ctx = &size, .note = no_note, .ret_fault = &fault };
	size_t used;

	enum hf_yaml_block_answer answer = hf_value_of_yaml_block(text, 0, &a, (struct hf_value_notes){ 0 }, &block);
	int r = hf_value_of_yaml_library(text, 0, 1, &a, notes, &library, &err);
	if (r && (!err.msg[0] || fault > size))
		abort();
	if (r != HF_E_LIMIT && answer == HF_YAML_BLOCK_READ && (r || !hf_value_eq(&block, &library)))
		abort();
	if (answer) {
		check(&block, size);
		as_json(text, &block);
	} else if (!r) {
		check(&library, size);
		as_json(text, &library);
	}
	r = hf_value_of_json(text, 0, &a, notes, &json, &used, &err);
	if (used > size || (r && fault > size))
		abort();
	if (!r) {
		check(&json, size);
		as_json(text, &json);
	}
	return 0;
}
