#include <stdlib.h>

#include "base/hash.h"
#include "format/texts.h"
#include "format/value_internal.h"

void hf_value_builder_grow(struct hf_value_builder *b)
{
	b->slots = b->slots ? 2 * b->slots : 256;
	b->children = hf_realloc(b->children, b->slots * sizeof *b->children);
}

void hf_value_builder_done(struct hf_value_builder *b)
{
	free(b->children);
	free(b->table);
	b->children = NULL;
	b->table = NULL;
	b->n = b->slots = b->table_slots = b->table_room = 0;
}

/* Few keys are compared with each other, many go through a table. */
enum { FEW = 16 };

/* Of a table that an object with more keys has left behind, only the front is used: clearing takes as long as the keys at hand are many. */
static void clear_table(struct hf_value_builder *b, size_t n)
{
	size_t want = 64;

	while (want < 2 * n)
		want *= 2;
	if (want > b->table_room) {
		b->table = hf_realloc(b->table, want * sizeof *b->table);
		b->table_room = want;
	}
	b->table_slots = want;
	memset(b->table, 0, want * sizeof *b->table);
}

/* The index of @key among the first @kept; @kept where it is new. */
static size_t find(struct hf_value_builder *b, const struct hf_value_child *m, size_t kept, hf_sv key, bool table)
{
	size_t k = 0;

	if (!table) {
		while (k < kept && !hf_sv_eq(m[k].key, key))
			k++;
		return k;
	}
	for (k = hf_hash(key) & (b->table_slots - 1); b->table[k]; k = (k + 1) & (b->table_slots - 1))
		if (hf_sv_eq(m[b->table[k] - 1].key, key))
			return b->table[k] - 1;
	b->table[k] = (uint32_t)kept + 1;
	return kept;
}

static size_t without_repeated(struct hf_value_builder *b, struct hf_value_child *m, size_t n)
{
	bool table = n > FEW;
	size_t kept = 0;

	if (table)
		clear_table(b, n);
	for (size_t i = 0; i < n; i++) {
		if (m[i].value.type == HF_VALUE_ARRAY && b->notes.without.len && hf_sv_eq(m[i].key, b->notes.without))
			continue;
		size_t k = find(b, m, kept, m[i].key, table);
		if (k < kept && !m[k].merged && !m[i].merged && b->notes.note)
			b->notes.note(b->notes.ctx, m[i].offset, "a key that stands here twice: the last one counts");
		if (k != i)
			m[k] = m[i];
		kept += k == kept;
	}
	return kept;
}

/* Children are kept when they move to the arena, those of the containers around them later. */
static void keep_texts(struct hf_value_builder *b, struct hf_value_child *m, size_t n)
{
	struct hf_texts *t = b->notes.texts;

	for (size_t i = 0; t && i < n; i++) {
		m[i].key = hf_texts_keep(t, m[i].key);
		if (m[i].value.type == HF_VALUE_STRING || m[i].value.type == HF_VALUE_NUMBER)
			m[i].value.text = hf_texts_keep(t, (hf_sv){ m[i].value.text, m[i].value.n }).ptr;
	}
	if (t && n)
		hf_texts_passed(t, m[n - 1].value.offset);
}

void hf_value_builder_object(struct hf_value_builder *b, size_t first, struct hf_value *v)
{
	struct hf_value_child *from = b->n > first ? b->children + first : NULL;
	size_t n = without_repeated(b, from, b->n - first);
	keep_texts(b, from, n);
	struct hf_member *m = hf_arena_array(b->arena, struct hf_member, n);

	for (size_t i = 0; m && i < n; i++)
		m[i] = hf_member_of(from[i].key, from[i].value, from[i].offset);
	b->arena->over |= n > HF_VALUE_N_MAX;
	v->type = HF_VALUE_OBJECT;
	v->members = m;
	v->n = m ? n & HF_VALUE_N_MAX : 0;
	b->n = first;
}

void hf_value_builder_array(struct hf_value_builder *b, size_t first, struct hf_value *v)
{
	struct hf_value_child *from = b->n > first ? b->children + first : NULL;
	size_t n = b->n - first;
	keep_texts(b, from, n);
	struct hf_value *e = hf_arena_array(b->arena, struct hf_value, n);

	for (size_t i = 0; e && i < n; i++)
		e[i] = from[i].value;
	b->arena->over |= n > HF_VALUE_N_MAX;
	v->type = HF_VALUE_ARRAY;
	v->elements = e;
	v->n = e ? n & HF_VALUE_N_MAX : 0;
	b->n = first;
}
