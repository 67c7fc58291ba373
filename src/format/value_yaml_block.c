/* The block style that kubectl, helm and kustomize print, straight into a tree: docs/decisions/manifest-reader.md says why. Whatever
 * is unusual (anchors, tags, directives, tabs and all that is no YAML) makes it give up, and libfyaml reads the document instead.
 * Source: YAML 1.2.2, chapters 6 to 8; where versions and readers differ it gives up. */
#include "format/value_yaml_internal.h"

#include <stdlib.h>

#include "base/limits.h"

struct frame {
	uint8_t type;    /* HF_VALUE_OBJECT or HF_VALUE_ARRAY */
	uint32_t indent; /* column of its keys or dashes, from 0 */
	uint32_t offset;
	size_t first; /* its first child in the builder; what stands before it is the child that it becomes */
};

struct block_reader {
	struct hf_yaml_block y;
	struct frame stack[HF_YAML_DEPTH_MAX];
	size_t depth;
	bool pending; /* the last child has no value yet */
};

enum { USUAL, WIDE, UNUSUAL };

/* What bytes are in the text: controls but line feed and tab are for libfyaml to refuse, as is what is no UTF-8, and the line breaks
 * that YAML 1.1 knows beside. */
static bool is_usual(hf_sv s)
{
	static const unsigned char classes[256] = {
		[0 ... 8] = UNUSUAL,
		[0xb ... 0x1f] = UNUSUAL,
		[0x7f] = UNUSUAL,
		[0x80 ... 0xff] = WIDE,
	};
	unsigned char seen = 0;

	for (size_t i = 0; i < s.len; i++)
		seen |= classes[(unsigned char)s.ptr[i]];
	if (!(seen & WIDE) || seen & UNUSUAL)
		return !(seen & UNUSUAL);
	if (!hf_sv_is_utf8(s))
		return false;
	for (size_t i = 0; i + 2 < s.len; i++) {
		const unsigned char *p = (const unsigned char *)s.ptr + i;
		if ((p[0] == 0xc2 && p[1] <= 0xa0) ||
		    (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) ||
		    (p[0] == 0xef && ((p[1] == 0xbb && p[2] == 0xbf) || (p[1] == 0xbf && p[2] >= 0xbe))))
			return false;
	}
	return true;
}

static bool push(struct block_reader *r, uint8_t type, uint32_t indent, const char *at)
{
	if (r->depth == HF_YAML_DEPTH_MAX - 1)
		return hf_yaml_block_odd(&r->y);
	r->stack[r->depth++] = (struct frame){ type, indent, r->y.base + (uint32_t)(at - r->y.start), r->y.b.n };
	return true;
}

static void pop(struct block_reader *r)
{
	const struct frame *f = &r->stack[--r->depth];
	struct hf_value v = { .offset = f->offset };

	if (f->type == HF_VALUE_OBJECT)
		hf_value_builder_object(&r->y.b, f->first, &v);
	else
		hf_value_builder_array(&r->y.b, f->first, &v);
	r->y.b.children[f->first - 1].value = v;
}

static bool is_dash(const struct block_reader *r, const char *p)
{
	return *p == '-' && (p + 1 == r->y.end || p[1] == ' ' || p[1] == '\n');
}

/* Passes the lines of a sequence that nobody wants. */
static void pass_sequence(struct block_reader *r, uint32_t indent)
{
	struct hf_yaml_block *y = &r->y;
	uint32_t column;

	for (const char *p;
	     (p = hf_yaml_block_line(y, &column)) && column >= indent && (column > indent || is_dash(r, p));) {
		p = memchr(p, '\n', (size_t)(y->end - p));
		y->p = p ? p + 1 : y->end;
	}
	y->b.n--;
	r->pending = false;
}

/* Stands in a new entry of the innermost container, at @p in column @column: reads to the end of what stands on this line. */
static bool entry(struct block_reader *r, const char *p, uint32_t column)
{
	struct hf_yaml_block *y = &r->y;

	for (;;) {
		struct frame *f = &r->stack[r->depth - 1];
		struct hf_value_child *m = hf_value_builder_child(&y->b);
		*m = (struct hf_value_child){ .value.offset = y->base + (uint32_t)(p - y->start) };
		uint32_t inner = column;
		if (f->type == HF_VALUE_ARRAY) {
			const char *dash = p++;
			while (p < y->end && *p == ' ')
				p++;
			inner = column + (uint32_t)(p - dash);
		} else {
			m->offset = m->value.offset;
			if (!hf_yaml_block_key(y, &p, &m->key))
				return false;
		}
		y->p = p;
		if (p == y->end || *p == '\n' || *p == '#') {
			r->pending = true;
			y->better |= f->type == HF_VALUE_ARRAY;
			return hf_yaml_block_end_line(y);
		}
		if (f->type == HF_VALUE_ARRAY && is_dash(r, p)) {
			if (!push(r, HF_VALUE_ARRAY, inner, p))
				return false;
		} else if (f->type == HF_VALUE_ARRAY && hf_yaml_block_is_key(y, p)) {
			if (!push(r, HF_VALUE_OBJECT, inner, p))
				return false;
		} else {
			return hf_yaml_block_value(y, f->indent, y->b.n - 1);
		}
		column = inner;
	}
}

static bool is_unwanted(const struct block_reader *r)
{
	const struct hf_yaml_block *y = &r->y;

	return y->b.notes.without.len && hf_sv_eq(y->b.children[y->b.n - 1].key, y->b.notes.without);
}

/* Takes a line at column @column into the container that it belongs to, which is opened or found among the open ones. */
static bool line(struct block_reader *r, const char *p, uint32_t column)
{
	bool dash = is_dash(r, p);
	struct frame *top = r->depth ? &r->stack[r->depth - 1] : NULL;

	if (!top)
		return push(r, dash ? HF_VALUE_ARRAY : HF_VALUE_OBJECT, column, p) && entry(r, p, column);
	if (r->pending) {
		bool below = column > top->indent || (column == top->indent && dash && top->type == HF_VALUE_OBJECT);
		if (below && dash && top->type == HF_VALUE_OBJECT && is_unwanted(r)) {
			pass_sequence(r, column);
			return true;
		}
		r->pending = false;
		if (below && !dash && !hf_yaml_block_is_key(&r->y, p)) {
			r->y.p = p;
			return *p == '|' || *p == '>' ? hf_yaml_block_odd(&r->y)
						      : hf_yaml_block_value(&r->y, top->indent, r->y.b.n - 1);
		}
		if (below)
			return push(r, dash ? HF_VALUE_ARRAY : HF_VALUE_OBJECT, column, p) && entry(r, p, column);
	}
	while (r->depth > 1 &&
	       (column < top->indent || (column == top->indent && top->type == HF_VALUE_ARRAY && !dash))) {
		pop(r);
		top = &r->stack[r->depth - 1];
	}
	if (column != top->indent || dash != (top->type == HF_VALUE_ARRAY))
		return hf_yaml_block_odd(&r->y);
	return entry(r, p, column);
}

/* Nothing but blanks and comments, or the mark of the document's begin, which may stand at its front. */
static bool begin(struct block_reader *r)
{
	struct hf_yaml_block *y = &r->y;
	uint32_t column;
	const char *p = hf_yaml_block_line(y, &column);

	if (!p || *p == '%')
		return !p || hf_yaml_block_odd(y);
	if (column == 0 && y->end - p >= 3 && !memcmp(p, "---", 3)) {
		y->p = p + 3;
		return hf_yaml_block_end_line(y);
	}
	return true;
}

static bool read_lines(struct block_reader *r)
{
	struct hf_yaml_block *y = &r->y;
	uint32_t column;

	if (!begin(r))
		return false;
	for (const char *p; !y->odd && (p = hf_yaml_block_line(y, &column));) {
		if (column == 0 && y->end - p >= 3 && !memcmp(p, "...", 3)) {
			y->p = p + 3;
			if (!hf_yaml_block_end_line(y) || hf_yaml_block_line(y, &column))
				return hf_yaml_block_odd(y);
			break;
		}
		if (column == 0 && y->end - p >= 3 && !memcmp(p, "---", 3))
			return hf_yaml_block_odd(y);
		if (!line(r, p, column))
			return false;
		if (y->b.arena->over)
			return hf_yaml_block_odd(y);
	}
	while (!y->odd && r->depth)
		pop(r);
	return !y->odd;
}

static void repeated(void *ctx, uint32_t offset, const char *what)
{
	(void)offset, (void)what;
	*(bool *)ctx = true;
}

enum hf_yaml_block_answer hf_value_of_yaml_block(hf_sv text, uint32_t base, struct hf_arena *a,
						 struct hf_value_notes notes, struct hf_value *ret)
{
	static const struct hf_value_child nothing;
	enum hf_yaml_block_answer answer = HF_YAML_BLOCK_GAVE_UP;

	if (!is_usual(text))
		return HF_YAML_BLOCK_GAVE_UP;
	struct block_reader *r = hf_malloc(sizeof *r);
	r->y = (struct hf_yaml_block){
		.start = text.ptr, .p = text.ptr, .end = text.ptr + text.len, .base = base, .b.arena = a
	};
	/* libfyaml's way has the note. */
	r->y.b.notes = (struct hf_value_notes){
		.ctx = &r->y.odd, .note = repeated, .without = notes.without, .texts = notes.texts
	};
	r->depth = 0;
	r->pending = false;
	*hf_value_builder_child(&r->y.b) = nothing;
	r->y.b.children[0].value.offset = base;
	if (!text.len || read_lines(r)) {
		*ret = r->y.b.children[0].value;
		answer = r->y.better ? HF_YAML_BLOCK_READ_BETTER : HF_YAML_BLOCK_READ;
	}
	hf_value_builder_done(&r->y.b);
	free(r);
	return answer;
}
