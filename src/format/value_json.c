#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "format/json.h"
#include "format/value.h"

/* An object or array that is being read. */
struct frame {
	struct hf_value *value;
	size_t first; /* its first child in reader.children */
};

struct reader {
	struct hf_json j;
	struct hf_arena *arena;
	struct hf_value_notes notes;
	uint32_t base;
	struct frame stack[HF_JSON_DEPTH_MAX + 1];
	size_t depth;
	struct hf_member *children; /* of all open containers, one after the other; elements have no key */
	size_t children_n, children_slots;
	struct hf_value root;
};

static struct hf_member *child(struct reader *r)
{
	if (r->children_n == r->children_slots) {
		r->children_slots = r->children_slots ? 2 * r->children_slots : 64;
		r->children = hf_realloc(r->children, r->children_slots * sizeof *r->children);
	}
	struct hf_member *m = &r->children[r->children_n++];
	*m = (struct hf_member){ 0 };
	return m;
}

/* The last of several members with one key stays, where the first one stood. */
static size_t without_repeated(struct reader *r, struct hf_member *m, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < kept && !hf_sv_eq(m[k].key, m[i].key))
			k++;
		if (k < kept && r->notes.note)
			r->notes.note(r->notes.ctx, m[i].offset, "a key that stands here twice: the last one counts");
		m[k] = m[i];
		kept += k == kept;
	}
	return kept;
}

static void close_container(struct reader *r)
{
	struct frame *f = &r->stack[--r->depth];
	struct hf_member *from = r->children + f->first;
	size_t n = r->children_n - f->first;

	if (f->value->type == HF_VALUE_OBJECT) {
		n = without_repeated(r, from, n);
		struct hf_member *m = hf_arena_array(r->arena, struct hf_member, n);
		if (m && n)
			memcpy(m, from, n * sizeof *m);
		f->value->members = m;
		f->value->n = m ? n : 0;
	} else {
		struct hf_value *e = hf_arena_array(r->arena, struct hf_value, n);
		for (size_t i = 0; e && i < n; i++)
			e[i] = from[i].value;
		f->value->elements = e;
		f->value->n = e ? n : 0;
	}
	r->children_n = f->first;
}

/* A copy of the frame's value goes to its parent when it is closed: children move while they are gathered. */
static void adopt(struct reader *r, struct hf_value v, hf_sv key, uint32_t key_offset)
{
	if (!r->depth) {
		r->root = v;
		return;
	}
	struct hf_member *m = child(r);
	m->value = v;
	m->key = key;
	m->offset = key_offset;
}

static struct hf_value scalar(struct reader *r, enum hf_json_type type, uint32_t offset)
{
	struct hf_value v = { .offset = offset };

	if (type == HF_JSON_BOOL) {
		v.type = HF_VALUE_BOOL;
		v.boolean = hf_json_bool(&r->j, false);
		return v;
	}
	v.type = type == HF_JSON_STRING ? HF_VALUE_STRING : type == HF_JSON_NUMBER ? HF_VALUE_NUMBER : HF_VALUE_NULL;
	hf_sv text = hf_json_text(&r->j);
	if (v.type == HF_VALUE_NULL)
		return v;
	v.text = text.ptr;
	v.n = text.len;
	return v;
}

struct open_container {
	struct hf_value value;
	hf_sv key;
	uint32_t key_offset;
};

static void build(struct reader *r, struct open_container *open)
{
	hf_sv key = { 0 };
	uint32_t key_offset = 0;

	for (;;) {
		if (r->depth) {
			struct open_container *top = &open[r->depth - 1];
			bool object = top->value.type == HF_VALUE_OBJECT;
			bool more = object ? hf_json_key(&r->j, &key) : hf_json_element(&r->j);
			if (!more) {
				struct open_container done = *top;
				r->stack[r->depth - 1].value = &done.value;
				close_container(r);
				adopt(r, done.value, done.key, done.key_offset);
				if (!r->depth || r->j.why)
					return;
				continue;
			}
			/* Behind the colon: near enough for a message where the key has escapes. */
			key_offset = object ? r->base + (uint32_t)(r->j.at > key.len ? key.ptr - r->j.text.ptr : 0) : 0;
			if (object && (key.ptr < r->j.text.ptr || key.ptr >= r->j.text.ptr + r->j.text.len))
				key_offset = r->base + (uint32_t)r->j.at;
		}
		enum hf_json_type type = hf_json_peek(&r->j);
		uint32_t offset = r->base + (uint32_t)r->j.at;
		if (type == HF_JSON_OBJECT || type == HF_JSON_ARRAY) {
			if (!(type == HF_JSON_OBJECT ? hf_json_object(&r->j) : hf_json_array(&r->j)))
				return;
			open[r->depth] = (struct open_container){
				.value = { .type = type == HF_JSON_OBJECT ? HF_VALUE_OBJECT : HF_VALUE_ARRAY,
					   .offset = offset },
				.key = key,
				.key_offset = key_offset,
			};
			r->stack[r->depth++].first = r->children_n;
			continue;
		}
		adopt(r, scalar(r, type, offset), key, key_offset);
		if (!r->depth || r->j.why)
			return;
	}
}

int hf_value_of_json(hf_sv text, uint32_t base, struct hf_arena *a, struct hf_value_notes notes, struct hf_value *ret,
		     size_t *ret_used, struct hf_err *err)
{
	struct reader *r = hf_calloc(1, sizeof *r);
	struct open_container *open = hf_calloc(HF_JSON_DEPTH_MAX + 1, sizeof *open);
	int code = HF_OK;

	*r = (struct reader){ .j = hf_json_of(text, a), .arena = a, .notes = notes, .base = base };
	build(r, open);
	if (r->j.why)
		code = hf_fail(err, a->over ? HF_E_LIMIT : HF_E_FORMAT, "byte %zu: %s", base + r->j.at, r->j.why);
	else if (a->over)
		code = hf_fail(err, HF_E_LIMIT, "byte %zu: too large", base + r->j.at);
	*ret = r->root;
	hf_json_peek(&r->j); /* passes blanks */
	*ret_used = r->j.at;
	free(r->children);
	free(open);
	free(r);
	return code;
}
