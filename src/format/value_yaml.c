/* Documents by libfyaml, made into what sigs.k8s.io/yaml 1.6 makes of them (decode.go of go.yaml.in/yaml/v2 2.4.2). */
#include "format/value_yaml_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "format/yaml.h"

struct converter {
	struct hf_value_builder b;
	hf_sv input;
	uint32_t base;
	size_t nodes;
	const char *why; /* NULL while all is well */
	uint32_t why_at;
};

static void refuse(struct converter *c, const struct hf_yaml_node *n, const char *why)
{
	if (c->why)
		return;
	c->why = why;
	c->why_at = n->offset;
}

/* The reader's own copies go when it is done. */
static hf_sv kept(struct converter *c, hf_sv s)
{
	return (uintptr_t)s.ptr - (uintptr_t)c->input.ptr < c->input.len || !s.len ? s : hf_arena_dup(c->b.arena, s);
}

static void set_string(struct converter *c, hf_sv text, struct hf_value *v)
{
	text = kept(c, text);
	hf_value_set_text(v, HF_VALUE_STRING, text.len ? text : HF_SV(""), c->b.arena);
}

/* A tag of YAML's own that says another type than the text has is a fault; all other tags leave a string. */
static bool fits_tag(hf_sv tag, enum hf_scalar_kind kind)
{
	if (hf_sv_eq(tag, HF_SV("!!null")))
		return kind == HF_SCALAR_NULL;
	if (hf_sv_eq(tag, HF_SV("!!bool")))
		return kind == HF_SCALAR_BOOL;
	if (hf_sv_eq(tag, HF_SV("!!int")))
		return kind == HF_SCALAR_INT;
	if (hf_sv_eq(tag, HF_SV("!!float")))
		return kind == HF_SCALAR_INT || kind == HF_SCALAR_FLOAT || kind == HF_SCALAR_NOT_FINITE;
	return kind == HF_SCALAR_STRING; /* !!timestamp */
}

static size_t sextet(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (size_t)(p - alphabet) : 64;
}

/* Base64 with line breaks in it, as encoding/base64 takes it; what is no UTF-8 then becomes U+FFFD, as encoding/json writes it. */
static bool binary(struct converter *c, hf_sv text, struct hf_value *v)
{
	hf_cleanup(hf_buf_done) struct hf_buf bytes = HF_BUF(text.len + 1), out = HF_BUF(3 * text.len + 1);
	uint32_t bits = 0;
	size_t n = 0, padding = 0;

	for (size_t i = 0; i < text.len; i++) {
		size_t d = sextet(text.ptr[i]);
		if (text.ptr[i] == '\n' || text.ptr[i] == '\r')
			continue;
		padding += text.ptr[i] == '=';
		if ((d == 64 && text.ptr[i] != '=') || (d < 64 && padding))
			return false;
		bits = bits << 6 | (uint32_t)(d & 63);
		if (++n % 4 == 0)
			for (int shift = 16; shift >= 0; shift -= 8)
				hf_buf_add_char(&bytes, (char)(bits >> shift));
	}
	if (n % 4 || padding > 2)
		return false;
	bytes.len -= padding;
	for (hf_sv rest = hf_buf_view(&bytes); rest.len;) {
		size_t len = 1;
		while (len < 4 && len < rest.len && !hf_sv_is_utf8(hf_sv_first(rest, len)))
			len++;
		bool good = hf_sv_is_utf8(hf_sv_first(rest, len));
		hf_buf_add(&out, good ? hf_sv_first(rest, len) : HF_SV("\xef\xbf\xbd"));
		rest = hf_sv_skip(rest, good ? len : 1);
	}
	set_string(c, hf_arena_dup(c->b.arena, hf_buf_view(&out)), v);
	return true;
}

static enum hf_scalar_kind resolve(struct converter *c, const struct hf_yaml_node *n, struct hf_value *v)
{
	static const hf_sv typed[] = { HF_SV_INIT("!!null"), HF_SV_INIT("!!bool"), HF_SV_INIT("!!int"),
				       HF_SV_INIT("!!float"), HF_SV_INIT("!!timestamp") };
	enum hf_scalar_kind kind = HF_SCALAR_STRING;
	bool known = false;

	for (size_t i = 0; i < HF_ARRAY_SIZE(typed); i++)
		known |= hf_sv_eq(n->tag, typed[i]);
	if (known || (n->plain && !n->tag.len))
		kind = hf_value_of_plain(n->text, c->b.arena, v);
	if (known && !fits_tag(n->tag, kind))
		refuse(c, n, "what this tag does not fit");
	if (hf_sv_eq(n->tag, HF_SV("!!binary")) && !binary(c, n->text, v))
		refuse(c, n, "no base64");
	else if (kind == HF_SCALAR_NOT_FINITE)
		set_string(c, n->text, v);
	else if (kind == HF_SCALAR_STRING && !hf_sv_eq(n->tag, HF_SV("!!binary")))
		set_string(c, n->text, v);
	else if (kind == HF_SCALAR_INT || kind == HF_SCALAR_FLOAT)
		v->text = kept(c, (hf_sv){ v->text, v->n }).ptr;
	return kind;
}

/* sigs.k8s.io/yaml writes such a key with the digits of a float32, by strconv's format g. */
static hf_sv float_key(struct converter *c, hf_sv number)
{
	char copy[64], text[64];
	int precision = 1;

	snprintf(copy, sizeof copy, "%.*s", (int)(number.len < 60 ? number.len : 60), number.ptr);
	float f = (float)strtod(copy, NULL);
	if (f - f != 0)
		return f > 0 ? HF_SV(".inf") : HF_SV("-.inf");
	do
		snprintf(text, sizeof text, "%.*e", precision - 1, (double)f);
	while (strtof(text, NULL) != f && precision++ < 9);
	long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 6)
		return hf_arena_dup(c->b.arena, hf_sv_of(text));
	long decimals = precision - 1 - exponent;
	return hf_arena_fmt(c->b.arena, "%.*f", decimals > 0 ? (int)decimals : 0, (double)f);
}

static hf_sv key_text(struct converter *c, const struct hf_yaml_node *n)
{
	struct hf_value v = { 0 };
	enum hf_scalar_kind kind = resolve(c, n, &v);

	if (kind == HF_SCALAR_BOOL)
		return v.boolean ? HF_SV("true") : HF_SV("false");
	/* No larger number fits into the int that v2 makes a key of. */
	if (kind == HF_SCALAR_NULL || (kind == HF_SCALAR_INT && v.n >= 19 && v.text[0] != '-' &&
				       hf_sv_cmp((hf_sv){ v.text, v.n }, HF_SV("9223372036854775807")) > 0))
		refuse(c, n, "a key that is no string");
	if (kind == HF_SCALAR_FLOAT)
		return float_key(c, (hf_sv){ v.text, v.n });
	if (kind == HF_SCALAR_NOT_FINITE)
		return hf_sv_index(n->text, 'n') < 2 || hf_sv_index(n->text, 'N') < 2 ? HF_SV(".nan")
		       : n->text.ptr[0] == '-'                                        ? HF_SV("-.inf")
										      : HF_SV(".inf");
	return v.n ? (hf_sv){ v.text, v.n } : HF_SV("");
}

static bool is_merge(const struct hf_yaml_node *key)
{
	return key->type == HF_YAML_SCALAR && hf_sv_eq(key->text, HF_SV("<<")) &&
	       (key->tag.len ? hf_sv_eq(key->tag, HF_SV("!!merge")) : key->plain);
}

static void convert(struct converter *c, const struct hf_yaml_node *n, struct hf_value *v);

static void add_pairs(struct converter *c, const struct hf_yaml_node *n, bool merged);

static void merge(struct converter *c, const struct hf_yaml_node *from)
{
	if (from->type == HF_YAML_MAPPING) {
		add_pairs(c, from, true);
		return;
	}
	if (from->type != HF_YAML_SEQUENCE)
		refuse(c, from, "nothing that can be merged");
	/* Of several the first one counts. */
	for (size_t k = from->type == HF_YAML_SEQUENCE ? from->n : 0; k-- > 0;) {
		if (from->elements[k]->type != HF_YAML_MAPPING)
			refuse(c, from->elements[k], "nothing that can be merged");
		else
			add_pairs(c, from->elements[k], true);
	}
}

static void add_pairs(struct converter *c, const struct hf_yaml_node *n, bool merged)
{
	for (size_t i = 0; i < n->n && !c->why && !c->b.arena->over; i++) {
		const struct hf_yaml_pair *p = &n->pairs[i];
		if (is_merge(p->key)) {
			merge(c, p->value);
			continue;
		}
		struct hf_value_child m = { key_text(c, p->key), c->base + p->key->offset, merged, { 0 } };
		convert(c, p->value, &m.value);
		*hf_value_builder_child(&c->b) = m;
	}
}

static void convert(struct converter *c, const struct hf_yaml_node *n, struct hf_value *v)
{
	size_t first = c->b.n;

	*v = (struct hf_value){ .offset = c->base + n->offset };
	if (c->b.arena->over || ++c->nodes > HF_YAML_NODES_MAX) {
		c->b.arena->over = true;
		return;
	}
	if (n->type == HF_YAML_SCALAR) {
		if (resolve(c, n, v) == HF_SCALAR_NOT_FINITE)
			refuse(c, n, "a number that JSON does not have");
	} else if (n->type == HF_YAML_SEQUENCE) {
		for (size_t i = 0; i < n->n && !c->why; i++) {
			struct hf_value_child m = { 0 };
			convert(c, n->elements[i], &m.value);
			*hf_value_builder_child(&c->b) = m;
		}
		hf_value_builder_array(&c->b, first, v);
	} else {
		add_pairs(c, n, false);
		hf_value_builder_object(&c->b, first, v);
	}
}

static uint32_t offset_of_line(hf_sv text, uint32_t line, uint32_t column)
{
	size_t at = 0;

	for (; line > 1; line--) {
		size_t end = hf_sv_index(hf_sv_skip(text, at), '\n');
		if (end == SIZE_MAX)
			return (uint32_t)text.len;
		at += end + 1;
	}
	for (; column > 1 && at < text.len && text.ptr[at] != '\n'; column--)
		for (at++; at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80;)
			at++;
	return (uint32_t)at;
}

/* The first byte that belongs to no character; the end where all do. */
static uint32_t offset_of_no_utf8(hf_sv text)
{
	for (hf_sv rest = text;;) {
		size_t n = 1;
		while (n <= 4 && n <= rest.len && !hf_sv_is_utf8(hf_sv_first(rest, n)))
			n++;
		if (n > 4 || n > rest.len)
			return (uint32_t)(text.len - rest.len);
		rest = hf_sv_skip(rest, n);
	}
}

/* Puts what is known of the place of a fault where the caller wants it. */
static int fault(const struct converter *c, uint32_t first_line, uint32_t offset, int code, const char *why,
		 struct hf_err *err)
{
	uint32_t line, column;
	char copy[sizeof err->msg];

	snprintf(copy, sizeof copy, "%s", why);
	if (c->b.notes.ret_fault) {
		*c->b.notes.ret_fault = c->base + offset;
		return hf_fail(err, code, "%s", copy);
	}
	hf_text_position(c->input, offset, &line, &column);
	return hf_fail(err, code, "line %u, column %u: %s", line + first_line - 1, column, copy);
}

/* NEL, LS and PS end a line to YAML 1.1, which kubectl reads, and with it a comment: what stands behind them must not be hidden here. As line
 * feeds behind blanks, so that offsets stay. */
static hf_sv with_all_breaks(hf_sv text, uint32_t base, struct hf_value_notes notes, struct hf_arena *a)
{
	char *copy = NULL;

	for (size_t i = 0; i + 1 < text.len; i++) {
		const unsigned char *p = (const unsigned char *)text.ptr + i;
		bool next_line = p[0] == 0xc2 && p[1] == 0x85;
		bool separator = i + 2 < text.len && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
		size_t n = next_line ? 2 : 3;
		if (!next_line && !separator)
			continue;
		if (!copy) {
			copy = hf_arena_alloc(a, text.len, 1);
			if (!copy)
				return text;
			memcpy(copy, text.ptr, text.len);
			if (notes.note)
				notes.note(notes.ctx, base + (uint32_t)i,
					   "a character that ends the line to kubectl, and to few editors");
		}
		memset(copy + i, ' ', n - 1);
		copy[i + n - 1] = '\n';
		i += n - 1;
	}
	return copy ? (hf_sv){ copy, text.len } : text;
}

int hf_value_of_yaml_library(hf_sv text, uint32_t base, uint32_t first_line, struct hf_arena *a,
			     struct hf_value_notes notes, struct hf_value *ret, struct hf_err *err)
{
	struct hf_yaml_document *documents;
	struct hf_arena scratch = HF_ARENA(a->cap);
	text = with_all_breaks(text, base, notes, a);
	struct converter c = { .b = { .arena = a, .notes = notes }, .input = text, .base = base };
	struct hf_err why = { 0 };
	uint32_t line = 1, column = 1;
	int used = 0;
	size_t n;

	*ret = (struct hf_value){ .offset = base };
	int r = hf_yaml_parse_repeated(text, &scratch, &documents, &n, &why);
	if (r < 0 && !hf_sv_is_utf8(text))
		r = fault(&c, first_line, offset_of_no_utf8(text), r, "not UTF-8", err);
	else if (r < 0 && sscanf(why.msg, "line %u, column %u: %n", &line, &column, &used) == 2)
		r = fault(&c, first_line, offset_of_line(text, line, column), r, why.msg + used, err);
	else if (r < 0)
		r = fault(&c, first_line, 0, r, why.msg, err);
	else if (n > 1)
		r = fault(&c, first_line, 0, HF_E_FORMAT, "more than one document", err);
	else if (n && documents[0].root) {
		convert(&c, documents[0].root, ret);
		if (a->over)
			r = fault(&c, first_line, 0, HF_E_LIMIT, "too large", err);
		else if (c.why)
			r = fault(&c, first_line, c.why_at, HF_E_FORMAT, c.why, err);
	}
	hf_value_builder_done(&c.b);
	hf_arena_done(&scratch);
	return r;
}

int hf_value_of_yaml(hf_sv text, uint32_t base, uint32_t first_line, struct hf_arena *a, struct hf_value_notes notes,
		     struct hf_value *ret, struct hf_err *err)
{
	if (hf_value_of_yaml_block(text, base, a, notes, ret))
		return HF_OK;
	return hf_value_of_yaml_library(text, base, first_line, a, notes, ret, err);
}

static bool is_marker(hf_sv line)
{
	return hf_sv_starts(line, HF_SV("---")) && (line.len == 3 || memchr(" \t\r\n", line.ptr[3], 4));
}

bool hf_yaml_next_document(hf_sv *rest, hf_sv *ret_document)
{
	size_t at = 0;
	bool content = false;

	if (!rest->len)
		return false;
	while (at < rest->len) {
		hf_sv tail = hf_sv_skip(*rest, at);
		size_t end = hf_sv_index(tail, '\n');
		hf_sv line = hf_sv_first(tail, end == SIZE_MAX ? tail.len : end + 1);
		if (is_marker(line) && content)
			break;
		content |= is_marker(line) || (hf_sv_trim(line).len && line.ptr[0] != '%' && line.ptr[0] != '#');
		at += line.len;
	}
	*ret_document = hf_sv_first(*rest, at);
	*rest = hf_sv_skip(*rest, at);
	return true;
}
