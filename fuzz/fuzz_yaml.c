/* Any bytes: a tree within its limits or a reason; each scalar written and read again is the same string. */
#include <stdlib.h>

#include "base/limits.h"
#include "format/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(hf_sv text)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_MIB(8));
	struct hf_yaml_document *documents;
	struct hf_err err = { 0 };
	size_t n;
	hf_sv s;

	hf_yaml_write_scalar(&b, text);
	if (hf_yaml_parse(hf_buf_view(&b), &a, &documents, &n, &err) || n != 1 ||
	    !hf_yaml_string(documents[0].root, &s) || (hf_sv_is_utf8(text) && !hf_sv_eq(s, text)))
		abort();
}

static uint64_t visit(const struct hf_yaml_node *n, uint32_t depth)
{
	uint64_t seen = 1;

	if (depth > HF_YAML_DEPTH_MAX || !n->line || !n->column)
		abort();
	if (n->type == HF_YAML_SEQUENCE)
		for (size_t i = 0; i < n->n; i++)
			seen += visit(n->elements[i], depth + 1);
	if (n->type == HF_YAML_MAPPING)
		for (size_t i = 0; i < n->n; i++)
			seen += visit(n->pairs[i].key, depth + 1) + visit(n->pairs[i].value, depth + 1);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	hf_sv text = { (const char *)data, size };
	struct hf_yaml_document *documents;
	struct hf_err err = { 0 };
	size_t n;

	write_and_read(hf_sv_first(text, 64));
	int ret = hf_yaml_parse(text, &a, &documents, &n, &err);
	if (ret && !err.msg[0])
		abort();
	for (size_t i = 0; !ret && i < n; i++)
		if (documents[i].root && visit(documents[i].root, 1) > 2 * size + 2 * HF_YAML_ALIASED_MAX)
			abort();
	return 0;
}
