/* The first line is a pointer, the second a JSON value (empty: remove), the rest a manifest: an edit is refused, or what it makes reads back
 * with that value at that place, and the other documents are as they were. */
#include <stdlib.h>

#include "check/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_tree(hf_sv text, bool json, struct hf_arena *a, struct hf_value *ret)
{
	size_t used;

	return json ? hf_value_of_json(text, 0, a, (struct hf_value_notes){ 0 }, ret, &used, NULL)
		    : hf_value_of_yaml(text, 0, 1, a, (struct hf_value_notes){ 0 }, ret, NULL);
}

/* Pointers without escapes alone: what they name must be there, or be gone. */
static void look(const struct hf_value *at, hf_sv pointer, bool there)
{
	hf_sv rest = hf_sv_skip(pointer, 1), token;

	if (hf_sv_index(pointer, '~') != SIZE_MAX)
		return;
	while (at && hf_sv_next(&rest, '/', &token)) {
		uint64_t index;
		const struct hf_value *next = NULL;
		if (at->type == HF_VALUE_ARRAY && hf_sv_to_u64(token, &index) && index < at->n)
			next = &at->elements[index];
		hf_value_members(at, m) next = hf_sv_eq(hf_member_key(m), token) ? &m->value : next;
		at = next;
	}
	if (there && !at)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(32 << 20);
	hf_sv pointer, json_value, text, out, whole, rest = { (const char *)data, size };
	struct hf_err err = { 0 };
	const hf_sv *documents;
	struct hf_value tree;
	size_t n;
	bool json;

	if (size > 20000 || !hf_sv_cut(rest, '\n', &pointer, &rest) || !hf_sv_cut(rest, '\n', &json_value, &text))
		return 0;
	struct hf_edit edit = { pointer, json_value };
	if (hf_edit_documents(text, &a, &documents, &n, &json, &err) < 0 || n > 100)
		return 0;
	for (size_t i = 0; i < n; i++) {
		hf_sv after[100] = { 0 };
		if (hf_edit(documents[i], json, &edit, 1, &a, &out, &err) < 0)
			continue;
		if (read_tree(out, json, &a, &tree) < 0)
			abort();
		look(&tree, pointer, json_value.len > 0);
		after[i] = out;
		if (hf_edit_join(text, documents, after, n, &a, &whole, &err) < 0)
			continue;
		if (whole.len != text.len - documents[i].len + out.len)
			abort();
	}
	return 0;
}
