/* Scalars by the rules of go.yaml.in/yaml/v2, which Kubernetes uses: YAML 1.1 without numbers of base 60. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "format/value.h"
#include "format/yaml.h"

struct converter {
	hf_sv input;
	struct hf_arena *arena;
	uint32_t base;
	const uint32_t *lines; /* offsets of their begins */
	size_t lines_n;
	size_t nodes;
};

static bool is_word(hf_sv s, const char *const *words)
{
	for (; *words; words++)
		if (hf_sv_eq(s, hf_sv_of(*words)))
			return true;
	return false;
}

/* "-0x1f", "0b1", "0o17", "017", "1_000" as strconv.ParseInt reads them with base 0. */
static bool whole_number(struct converter *c, hf_sv s, hf_sv *ret)
{
	char digits[72];
	size_t n = 0;
	bool negative = false;

	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
		negative = s.ptr[0] == '-';
		s = hf_sv_skip(s, 1);
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '_')
			continue;
		if (n + 1 >= sizeof digits)
			return false;
		digits[n++] = s.ptr[i];
	}
	digits[n] = 0;
	if (!n || digits[0] < '0' || digits[0] > '9')
		return false;
	int base = 10, skip = 0;
	if (digits[0] == '0' && n > 1) {
		char x = (char)(digits[1] | 0x20);
		base = x == 'x' ? 16 : x == 'b' ? 2 : 8;
		skip = x == 'x' || x == 'b' || x == 'o' ? 2 : 1;
	}
	char *end;
	errno = 0;
	unsigned long long v = strtoull(digits + skip, &end, base);
	if (*end || end == digits + skip || errno || (skip && (digits[skip] == '-' || digits[skip] == '+')) ||
	    (negative && v > (1ULL << 63)))
		return false;
	*ret = hf_arena_fmt(c->arena, "%s%llu", negative && v ? "-" : "", v);
	return true;
}

/* [-+]? (\.[0-9]+ | [0-9]+(\.[0-9]*)?) ([eE][-+]?[0-9]+)? */
static bool looks_like_float(hf_sv s)
{
	size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'), whole = 0, part = 0, exponent = 0;

	for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
		whole++;
	if (at < s.len && s.ptr[at] == '.')
		for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
			part++;
	if (!whole && !part)
		return false;
	if (at < s.len && (s.ptr[at] | 0x20) == 'e') {
		at++;
		at += at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+');
		for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
			exponent++;
		if (!exponent)
			return false;
	}
	return at == s.len;
}

static bool is_number_in_json(hf_sv s)
{
	size_t at = s.len && s.ptr[0] == '-';

	return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9' &&
	       !(s.ptr[at] == '0' && at + 1 < s.len && s.ptr[at + 1] >= '0' && s.ptr[at + 1] <= '9') &&
	       s.ptr[s.len - 1] != '.' && hf_sv_find(s, HF_SV(".e")) == SIZE_MAX &&
	       hf_sv_find(s, HF_SV(".E")) == SIZE_MAX;
}

/* The reader's own copies go when it is done. */
static hf_sv kept(struct converter *c, hf_sv s)
{
	return (uintptr_t)s.ptr - (uintptr_t)c->input.ptr < c->input.len || !s.len ? s : hf_arena_dup(c->arena, s);
}

static void resolve(struct converter *c, const struct hf_yaml_node *n, struct hf_value *v)
{
	static const char *const yes[] = {
		"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL
	};
	static const char *const no[] = { "n",     "N",     "no",  "No",  "NO",  "false",
					  "False", "FALSE", "off", "Off", "OFF", NULL };
	static const char *const null[] = { "", "~", "null", "Null", "NULL", NULL };
	bool plain = n->plain && (!n->tag.len || !hf_sv_eq(n->tag, HF_SV("!!str")));
	hf_sv text = n->text;

	if (n->tag.len && !n->plain)
		plain = hf_sv_eq(n->tag, HF_SV("!!int")) || hf_sv_eq(n->tag, HF_SV("!!float")) ||
			hf_sv_eq(n->tag, HF_SV("!!bool")) || hf_sv_eq(n->tag, HF_SV("!!null"));
	v->type = HF_VALUE_STRING;
	if (plain && is_word(text, null)) {
		v->type = HF_VALUE_NULL;
		return;
	}
	if (plain && (is_word(text, yes) || is_word(text, no))) {
		v->type = HF_VALUE_BOOL;
		v->boolean = is_word(text, yes);
		return;
	}
	hf_sv whole;
	if (plain && whole_number(c, text, &whole)) {
		v->type = HF_VALUE_NUMBER;
		text = whole;
	} else if (plain && looks_like_float(text)) {
		v->type = HF_VALUE_NUMBER;
		if (!is_number_in_json(text)) {
			char copy[64];
			snprintf(copy, sizeof copy, "%.*s", (int)(text.len < 60 ? text.len : 60), text.ptr);
			text = hf_arena_fmt(c->arena, "%.17g", strtod(copy, NULL));
		}
	}
	text = kept(c, text);
	v->text = text.ptr;
	v->n = text.len;
}

static void convert(struct converter *c, const struct hf_yaml_node *n, struct hf_value *v);

static hf_sv key_text(struct converter *c, const struct hf_yaml_node *n)
{
	struct hf_value v = { 0 };

	resolve(c, n, &v);
	if (v.type == HF_VALUE_BOOL)
		return v.boolean ? HF_SV("true") : HF_SV("false");
	return v.type == HF_VALUE_NULL ? HF_SV("null") : (hf_sv){ v.text, v.n };
}

static bool is_merge(const struct hf_yaml_node *key)
{
	return (key->plain && hf_sv_eq(key->text, HF_SV("<<")) && !key->tag.len) ||
	       hf_sv_eq(key->tag, HF_SV("!!merge"));
}

static bool has_key(const struct hf_member *m, size_t n, hf_sv key)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(m[i].key, key))
			return true;
	return false;
}

static uint32_t offset_of(const struct converter *c, const struct hf_yaml_node *n)
{
	return c->base + (n->line && n->line <= c->lines_n ? c->lines[n->line - 1] + n->column - 1 : 0);
}

/* Pairs of @n that are not there yet, then those that it merges. */
static void add_pairs(struct converter *c, const struct hf_yaml_node *n, struct hf_member *m, size_t *count,
		      size_t slots)
{
	for (size_t i = 0; i < n->n && *count < slots; i++) {
		const struct hf_yaml_pair *p = &n->pairs[i];
		if (is_merge(p->key))
			continue;
		hf_sv key = key_text(c, p->key);
		if (has_key(m, *count, key))
			continue;
		m[*count].key = key;
		m[*count].offset = offset_of(c, p->key);
		convert(c, p->value, &m[(*count)++].value);
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct hf_yaml_node *from = n->pairs[i].value;
		if (!is_merge(n->pairs[i].key))
			continue;
		if (from->type == HF_YAML_MAPPING)
			add_pairs(c, from, m, count, slots);
		for (size_t k = 0; from->type == HF_YAML_SEQUENCE && k < from->n; k++)
			if (from->elements[k]->type == HF_YAML_MAPPING)
				add_pairs(c, from->elements[k], m, count, slots);
	}
}

static size_t pairs_with_merged(const struct hf_yaml_node *n)
{
	size_t sum = n->type == HF_YAML_MAPPING ? n->n : 0;

	for (size_t i = 0; n->type == HF_YAML_MAPPING && i < n->n; i++) {
		const struct hf_yaml_node *from = n->pairs[i].value;
		if (!is_merge(n->pairs[i].key))
			continue;
		sum += pairs_with_merged(from);
		for (size_t k = 0; from->type == HF_YAML_SEQUENCE && k < from->n; k++)
			sum += pairs_with_merged(from->elements[k]);
	}
	return sum;
}

static void convert(struct converter *c, const struct hf_yaml_node *n, struct hf_value *v)
{
	*v = (struct hf_value){ .offset = offset_of(c, n) };
	if (c->arena->over || ++c->nodes > HF_YAML_NODES_MAX) {
		c->arena->over = true;
		return;
	}
	if (n->type == HF_YAML_SCALAR) {
		resolve(c, n, v);
	} else if (n->type == HF_YAML_SEQUENCE) {
		struct hf_value *e = hf_arena_array(c->arena, struct hf_value, n->n);
		v->type = HF_VALUE_ARRAY;
		v->elements = e;
		v->n = e ? n->n : 0;
		for (size_t i = 0; i < v->n; i++)
			convert(c, n->elements[i], &e[i]);
	} else {
		size_t slots = pairs_with_merged(n), count = 0;
		struct hf_member *m = hf_arena_array(c->arena, struct hf_member, slots);
		v->type = HF_VALUE_OBJECT;
		v->members = m;
		if (m)
			add_pairs(c, n, m, &count, slots);
		v->n = count;
	}
}

int hf_value_of_yaml(hf_sv text, uint32_t base, uint32_t first_line, struct hf_arena *a, struct hf_value_notes notes,
		     struct hf_value *ret, struct hf_err *err)
{
	struct hf_yaml_document *documents;
	struct hf_arena scratch = HF_ARENA(a->cap);
	size_t n;

	(void)notes;
	(void)first_line;
	*ret = (struct hf_value){ .offset = base };
	int r = hf_yaml_parse(text, &scratch, &documents, &n, err);
	if (!r && n > 1)
		r = hf_fail(err, HF_E_FORMAT, "more than one document");
	if (!r && n && documents[0].root) {
		HF_VEC(uint32_t) lines = { 0 };
		for (size_t i = 0; i < text.len; i++)
			if (!i || text.ptr[i - 1] == '\n') {
				uint32_t *slot = hf_vec_push(&scratch, &lines);
				if (slot)
					*slot = (uint32_t)i;
			}
		struct converter c = { .input = text, .arena = a, .base = base, .lines = lines.at, .lines_n = lines.n };
		convert(&c, documents[0].root, ret);
		if (a->over)
			r = hf_fail(err, HF_E_LIMIT, "too large");
	}
	hf_arena_done(&scratch);
	return r;
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
