#include <stdlib.h>

#include "base/limits.h"
#include "format/json.h"
#include "format/value_internal.h"

/* An object or array that is being read. */
struct frame {
	struct hf_value_child self; /* what it is to the container around it */
	size_t first;               /* its first child in the builder */
};

struct reader {
	struct hf_json j;
	struct hf_value_builder b;
	uint32_t base;
	struct frame *stack;
	size_t depth, slots;
	struct hf_value root;
};

static struct hf_value scalar(struct reader *r, enum hf_json_type type, uint32_t offset)
{
	struct hf_value v = { .offset = offset };

	if (type == HF_JSON_BOOL) {
		v.type = HF_VALUE_BOOL;
		v.boolean = hf_json_bool(&r->j, false);
		return v;
	}
	hf_sv text = hf_json_text(&r->j);
	if (type == HF_JSON_STRING || type == HF_JSON_NUMBER)
		hf_value_set_text(&v, type == HF_JSON_STRING ? HF_VALUE_STRING : HF_VALUE_NUMBER, text, r->b.arena);
	return v;
}

/* Children move while they are gathered, so a container goes to its parent when it is closed. */
static void adopt(struct reader *r, const struct hf_value_child *m)
{
	if (r->depth)
		*hf_value_builder_child(&r->b) = *m;
	else
		r->root = m->value;
}

static bool open_container(struct reader *r, struct hf_value_child m, enum hf_json_type type)
{
	if (!(type == HF_JSON_OBJECT ? hf_json_object(&r->j) : hf_json_array(&r->j)))
		return false;
	if (r->depth == r->slots) {
		r->slots = r->slots ? 2 * r->slots : 32;
		r->stack = hf_realloc(r->stack, r->slots * sizeof *r->stack);
	}
	m.value.type = type == HF_JSON_OBJECT ? HF_VALUE_OBJECT : HF_VALUE_ARRAY;
	r->stack[r->depth++] = (struct frame){ m, r->b.n };
	return true;
}

static void close_container(struct reader *r)
{
	struct frame done = r->stack[--r->depth];

	if (done.self.value.type == HF_VALUE_OBJECT)
		hf_value_builder_object(&r->b, done.first, &done.self.value);
	else
		hf_value_builder_array(&r->b, done.first, &done.self.value);
	adopt(r, &done.self);
}

/* True where another member or element follows, whose key is then in *@m. */
static bool next(struct reader *r, struct hf_value_child *m)
{
	if (r->stack[r->depth - 1].self.value.type != HF_VALUE_OBJECT)
		return hf_json_element(&r->j);
	if (!hf_json_key(&r->j, &m->key))
		return false;
	/* Behind the colon, near enough for a message, where the key has escapes. */
	size_t at = (uintptr_t)m->key.ptr - (uintptr_t)r->j.text.ptr;
	m->offset = r->base + (uint32_t)(at <= r->j.at && at ? at - 1 : r->j.at);
	return true;
}

static void build(struct reader *r)
{
	do {
		struct hf_value_child m = { 0 };
		if (r->depth && !next(r, &m)) {
			if (r->j.why)
				return;
			close_container(r);
			continue;
		}
		enum hf_json_type type = hf_json_peek(&r->j);
		m.value.offset = r->base + (uint32_t)r->j.at;
		if (type == HF_JSON_ARRAY && r->b.notes.without.len && hf_sv_eq(m.key, r->b.notes.without)) {
			hf_json_skip(&r->j);
			continue;
		}
		if (type == HF_JSON_OBJECT || type == HF_JSON_ARRAY) {
			if (!open_container(r, m, type))
				return;
			continue;
		}
		m.value = scalar(r, type, m.value.offset);
		adopt(r, &m);
	} while (r->depth && !r->j.why && !r->b.arena->over);
}

int hf_value_of_json(hf_sv text, uint32_t base, struct hf_arena *a, struct hf_value_notes notes, struct hf_value *ret,
		     size_t *ret_used, struct hf_err *err)
{
	struct reader r = { .j = hf_json_of(text, a), .b = { .arena = a, .notes = notes }, .base = base };
	int code = HF_OK;

	build(&r);
	const char *why = r.j.why ? r.j.why : a->over ? "too large" : NULL;
	if (why && notes.ret_fault)
		*notes.ret_fault = base + (uint32_t)r.j.at;
	if (why)
		code = notes.ret_fault
			       ? hf_fail(err, a->over ? HF_E_LIMIT : HF_E_FORMAT, "%s", why)
			       : hf_fail(err, a->over ? HF_E_LIMIT : HF_E_FORMAT, "byte %zu: %s", base + r.j.at, why);
	*ret = r.root;
	hf_json_peek(&r.j); /* passes blanks */
	*ret_used = r.j.at;
	hf_value_builder_done(&r.b);
	free(r.stack);
	return code;
}
