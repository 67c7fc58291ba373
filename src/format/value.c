#include "format/value.h"

#include <errno.h>
#include <stdlib.h>

#include "format/json_writer.h"

const struct hf_value *hf_value_get(const struct hf_value *v, hf_sv key)
{
	hf_value_members(v, m)
	{
		if (hf_sv_eq(hf_member_key(m), key))
			return m->value.type == HF_VALUE_NULL ? NULL : &m->value;
	}
	return NULL;
}

const struct hf_value *hf_value_at(const struct hf_value *v, const char *path)
{
	hf_sv rest = hf_sv_of(path), key;

	while (v && hf_sv_next(&rest, '.', &key))
		v = hf_value_get(v, key);
	return v;
}

size_t hf_value_count(const struct hf_value *v, enum hf_value_type type)
{
	return hf_value_is(v, type) ? v->n : 0;
}

bool hf_value_true(const struct hf_value *v)
{
	return hf_value_is(v, HF_VALUE_BOOL) && v->boolean;
}

bool hf_value_int(const struct hf_value *v, int64_t *ret)
{
	char text[40], *end;

	if (!hf_value_is(v, HF_VALUE_NUMBER) || !v->n || v->n >= sizeof text)
		return false;
	memcpy(text, v->text, v->n);
	text[v->n] = 0;
	if (!strpbrk(text, ".eE")) {
		errno = 0;
		*ret = strtoll(text, &end, 10);
		return !errno && !*end;
	}
	double d = strtod(text, &end);
	if (*end || !(d > -9e15 && d < 9e15) || d != (double)(int64_t)d)
		return false;
	*ret = (int64_t)d;
	return true;
}

static bool objects_eq(const struct hf_value *a, const struct hf_value *b)
{
	hf_value_members(a, m)
	{
		bool found = false;
		hf_value_members(b, o) if (hf_sv_eq(hf_member_key(m), hf_member_key(o)))
		{
			if (!hf_value_eq(&m->value, &o->value))
				return false;
			found = true;
			break;
		}
		if (!found)
			return false;
	}
	return true;
}

/* As deep as the readers let a tree become. */
bool hf_value_eq(const struct hf_value *a, const struct hf_value *b)
{
	if (!a || !b)
		return a == b;
	if (a->type != b->type)
		return false;
	switch ((enum hf_value_type)a->type) {
	case HF_VALUE_NULL:
		return true;
	case HF_VALUE_BOOL:
		return a->boolean == b->boolean;
	case HF_VALUE_NUMBER:
	case HF_VALUE_STRING:
		return hf_sv_eq((hf_sv){ a->text, a->n }, (hf_sv){ b->text, b->n });
	case HF_VALUE_ARRAY:
		if (a->n != b->n)
			return false;
		for (size_t i = 0; i < a->n; i++)
			if (!hf_value_eq(&a->elements[i], &b->elements[i]))
				return false;
		return true;
	case HF_VALUE_OBJECT:
		return a->n == b->n && objects_eq(a, b);
	}
	return false;
}

void hf_value_write_json(struct hf_json_writer *w, const struct hf_value *v)
{
	switch ((enum hf_value_type)v->type) {
	case HF_VALUE_NULL:
		hf_jw_literal(w, HF_SV("null"));
		break;
	case HF_VALUE_BOOL:
		hf_jw_bool(w, v->boolean);
		break;
	case HF_VALUE_NUMBER:
		hf_jw_literal(w, (hf_sv){ v->text, v->n });
		break;
	case HF_VALUE_STRING:
		hf_jw_string(w, hf_value_text(v));
		break;
	case HF_VALUE_ARRAY:
		hf_jw_array(w);
		hf_value_elements(v, e) hf_value_write_json(w, e);
		hf_jw_array_end(w);
		break;
	case HF_VALUE_OBJECT:
		hf_jw_object(w);
		hf_value_members(v, m)
		{
			hf_jw_key_sv(w, hf_member_key(m));
			hf_value_write_json(w, &m->value);
		}
		hf_jw_object_end(w);
		break;
	}
}

enum { LINES_BLOCK = 4096 };

static uint32_t breaks_in(hf_sv s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '\n';
	return n;
}

static uint32_t continued_in(hf_sv s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) == 0x80;
	return n;
}

/* Moves the mark from @from to @to. */
static void move(hf_sv text, size_t from, size_t to, struct hf_lines_mark *m)
{
	hf_sv passed = hf_sv_slice(text, from, to - from);
	const char *last = passed.len ? memrchr(passed.ptr, '\n', passed.len) : NULL;

	m->breaks += breaks_in(passed);
	if (last) {
		m->start = (uint32_t)(last + 1 - text.ptr);
		m->continued = 0;
		passed = hf_sv_slice(text, m->start, to - m->start);
	}
	m->continued += continued_in(passed);
}

/* Lines so short that their lengths would take more than a quarter of the text are counted each time. */
static uint8_t *room_for_lengths(hf_sv text, size_t breaks, struct hf_arena *a)
{
	size_t n = breaks + 1 + (text.len / UINT8_MAX + 1) * sizeof(uint32_t);

	return n <= text.len / 4 + 64 ? hf_arena_array(a, uint8_t, n) : NULL;
}

static uint32_t add_length(uint8_t *lengths, uint32_t at, size_t length)
{
	const uint32_t whole = (uint32_t)length;

	lengths[at++] = length < UINT8_MAX ? (uint8_t)length : UINT8_MAX;
	if (length < UINT8_MAX)
		return at;
	memcpy(lengths + at, &whole, sizeof whole);
	return at + (uint32_t)sizeof whole;
}

/* The lengths of all lines (the end counts as a break), and where those of the lines stand that blocks begin on. */
static void measure(hf_sv text, uint8_t *lengths, struct hf_lines_mark *before, size_t blocks)
{
	uint32_t at = 0;
	size_t start = 0, block = 0;

	while (start <= text.len) {
		const char *end = start < text.len ? memchr(text.ptr + start, '\n', text.len - start) : NULL;
		size_t next = end ? (size_t)(end + 1 - text.ptr) : text.len + 1;
		for (; block < blocks && block * LINES_BLOCK < next; block++)
			before[block].length = at;
		at = add_length(lengths, at, next - start);
		start = next;
	}
}

struct hf_lines hf_lines_of(hf_sv text, struct hf_arena *a)
{
	size_t blocks = text.len / LINES_BLOCK + 1;
	struct hf_lines_mark *before = hf_arena_array(a, struct hf_lines_mark, blocks);

	for (size_t i = 1; before && i < blocks; i++) {
		before[i] = before[i - 1];
		move(text, (i - 1) * LINES_BLOCK, i * LINES_BLOCK, &before[i]);
	}
	uint32_t breaks =
		before ? before[blocks - 1].breaks + breaks_in(hf_sv_skip(text, (blocks - 1) * LINES_BLOCK)) : 0;
	uint8_t *lengths = before ? room_for_lengths(text, breaks, a) : NULL;
	if (lengths)
		measure(text, lengths, before, blocks);
	return (struct hf_lines){ text, before, lengths };
}

static uint32_t line_by_length(const struct hf_lines *l, size_t offset)
{
	const struct hf_lines_mark *m = &l->before[offset / LINES_BLOCK];
	const uint8_t *length = l->lengths + m->length;
	uint32_t line = 1 + m->breaks;

	for (size_t start = m->start;; line++) {
		uint32_t whole = *length++;
		if (whole == UINT8_MAX) {
			memcpy(&whole, length, sizeof whole);
			length += sizeof whole;
		}
		start += whole;
		if (start > offset)
			return line;
	}
}

void hf_lines_position(const struct hf_lines *l, uint32_t offset, uint32_t *ret_line, uint32_t *ret_column)
{
	size_t end = offset < l->text.len ? offset : l->text.len,
	       from = l->before ? end & ~(size_t)(LINES_BLOCK - 1) : 0;
	struct hf_lines_mark m = l->before ? l->before[end / LINES_BLOCK] : (struct hf_lines_mark){ 0 };

	if (l->lengths && !ret_column) {
		*ret_line = line_by_length(l, end);
		return;
	}
	move(l->text, from, end, &m);
	*ret_line = 1 + m.breaks;
	if (ret_column)
		*ret_column = 1 + (uint32_t)end - m.start - m.continued;
}

void hf_text_position(hf_sv text, uint32_t offset, uint32_t *ret_line, uint32_t *ret_column)
{
	hf_lines_position(&(struct hf_lines){ .text = text }, offset, ret_line, ret_column);
}
