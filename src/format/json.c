#include "format/json.h"

#include "base/limits.h"

static void fail(struct hf_json *j, const char *why)
{
	if (!j->why)
		j->why = why;
}

static int peek_byte(struct hf_json *j)
{
	const char *p = j->text.ptr;
	size_t at = j->at;

	while (at < j->text.len && (p[at] == ' ' || p[at] == '\n' || p[at] == '\t' || p[at] == '\r'))
		at++;
	j->at = at;
	return at < j->text.len && !j->why ? (unsigned char)p[at] : -1;
}

enum hf_json_type hf_json_peek(struct hf_json *j)
{
	int c = peek_byte(j);

	switch (c) {
	case '{':
		return HF_JSON_OBJECT;
	case '[':
		return HF_JSON_ARRAY;
	case '"':
		return HF_JSON_STRING;
	case 't':
	case 'f':
		return HF_JSON_BOOL;
	case 'n':
		return HF_JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? HF_JSON_NUMBER : HF_JSON_NONE;
	}
}

/* The value that must stand here, or a failure. */
static enum hf_json_type need_value(struct hf_json *j)
{
	enum hf_json_type type = hf_json_peek(j);

	if (type == HF_JSON_NONE)
		fail(j, j->at >= j->text.len ? "ends in the middle" : "a value was expected");
	return type;
}

static bool enter(struct hf_json *j, enum hf_json_type type)
{
	if (need_value(j) != type) {
		hf_json_skip(j);
		return false;
	}
	if (j->depth >= HF_JSON_DEPTH_MAX) {
		fail(j, "is nested too deeply");
		return false;
	}
	j->at++;
	j->depth++;
	j->first = true;
	return true;
}

bool hf_json_object(struct hf_json *j)
{
	return enter(j, HF_JSON_OBJECT);
}

bool hf_json_array(struct hf_json *j)
{
	return enter(j, HF_JSON_ARRAY);
}

/* Stands behind '[' or an element: true where another one follows, after its comma. */
static bool another(struct hf_json *j, char closing)
{
	int c = peek_byte(j);

	if (j->why || !j->depth)
		return false;
	if (c == closing) {
		j->at++;
		j->depth--;
		j->first = false;
		return false;
	}
	if (!j->first) {
		if (c != ',') {
			fail(j, c < 0 ? "ends in the middle" : "a comma or a closing bracket was expected");
			return false;
		}
		j->at++;
	}
	j->first = false;
	return true;
}

bool hf_json_element(struct hf_json *j)
{
	return another(j, ']') && need_value(j) != HF_JSON_NONE;
}

static int hex4(hf_sv s, size_t at)
{
	int v = 0;

	if (s.len < 4 || at > s.len - 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		char c = s.ptr[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Reads \uXXXX whose X stand at *@at, and the second half of a pair; moves *@at behind it. -1: not hexadecimal. */
static int64_t escaped_code(hf_sv raw, size_t *at)
{
	int code = hex4(raw, *at);

	if (code < 0)
		return -1;
	*at += 4;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code < 0xdc00 && hf_sv_starts(hf_sv_skip(raw, *at), HF_SV("\\u"))) {
		int low = hex4(raw, *at + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*at += 6;
			return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return 0xfffd;
}

static hf_sv unescape(struct hf_json *j, hf_sv raw)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char *out = hf_arena_alloc(j->arena, raw.len + 1, 1);
	size_t n = 0;

	if (!out) {
		fail(j, "needs more memory than is allowed");
		return (hf_sv){ 0 };
	}
	for (size_t i = 0; i < raw.len;) {
		if (raw.ptr[i] != '\\') {
			out[n++] = raw.ptr[i++];
			continue;
		}
		char c = i + 1 < raw.len ? raw.ptr[i + 1] : 0;
		const char *known = c ? strchr(from, c) : NULL;
		i += 2;
		if (known) {
			out[n++] = to[known - from];
			continue;
		}
		int64_t code = c == 'u' ? escaped_code(raw, &i) : -1;
		if (code < 0) {
			fail(j, "has an unknown escape");
			return (hf_sv){ 0 };
		}
		n += put_utf8(out + n, (uint32_t)code);
	}
	return (hf_sv){ out, n };
}

/* j->at stands on the opening quote: the bytes up to the closing one, and whether there are escapes. */
static hf_sv string_raw(struct hf_json *j, bool *ret_escapes)
{
	const char *p = j->text.ptr;
	size_t start = j->at + 1, at = start;

	*ret_escapes = false;
	for (; at < j->text.len; at++) {
		unsigned char c = (unsigned char)p[at];
		if (c == '"') {
			j->at = at + 1;
			return (hf_sv){ p + start, at - start };
		}
		if (c == '\\') {
			*ret_escapes = true;
			at++;
		} else if (c < 0x20) {
			break;
		}
	}
	fail(j, at >= j->text.len ? "ends in a string" : "has a control byte in a string");
	return (hf_sv){ 0 };
}

static hf_sv take_string(struct hf_json *j)
{
	bool escapes;
	hf_sv raw = string_raw(j, &escapes);

	return escapes && !j->why ? unescape(j, raw) : raw;
}

bool hf_json_key(struct hf_json *j, hf_sv *ret_key)
{
	if (!another(j, '}'))
		return false;
	if (peek_byte(j) != '"') {
		fail(j, "a key was expected");
		return false;
	}
	*ret_key = take_string(j);
	if (peek_byte(j) != ':') {
		fail(j, "a colon was expected");
		return false;
	}
	j->at++;
	return need_value(j) != HF_JSON_NONE;
}

hf_sv hf_json_string(struct hf_json *j)
{
	if (need_value(j) == HF_JSON_STRING)
		return take_string(j);
	hf_json_skip(j);
	return (hf_sv){ 0 };
}

/* A number or a literal: everything up to the next delimiter, checked against the grammar. */
static hf_sv scalar(struct hf_json *j)
{
	size_t at = j->at;

	while (at < j->text.len && !memchr(" \t\r\n,]}:\"[{", j->text.ptr[at], 11))
		at++;
	hf_sv s = { j->text.ptr + j->at, at - j->at };
	j->at = at;
	return s;
}

static size_t digits(hf_sv s, size_t at)
{
	size_t n = 0;

	while (at + n < s.len && s.ptr[at + n] >= '0' && s.ptr[at + n] <= '9')
		n++;
	return n;
}

static bool is_number(hf_sv s)
{
	size_t at = s.len && s.ptr[0] == '-', n = digits(s, at);

	if (!n || (n > 1 && s.ptr[at] == '0'))
		return false;
	at += n;
	if (at < s.len && s.ptr[at] == '.') {
		n = digits(s, ++at);
		if (!n)
			return false;
		at += n;
	}
	if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
		at++;
		if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-'))
			at++;
		n = digits(s, at);
		if (!n)
			return false;
		at += n;
	}
	return at == s.len;
}

static hf_sv take_scalar(struct hf_json *j)
{
	hf_sv s = scalar(j);

	if (!is_number(s) && !hf_sv_eq(s, HF_SV("true")) && !hf_sv_eq(s, HF_SV("false")) &&
	    !hf_sv_eq(s, HF_SV("null"))) {
		fail(j, "has a word that is no value");
		return (hf_sv){ 0 };
	}
	return s;
}

bool hf_json_bool(struct hf_json *j, bool otherwise)
{
	if (need_value(j) != HF_JSON_BOOL) {
		hf_json_skip(j);
		return otherwise;
	}
	return hf_sv_eq(take_scalar(j), HF_SV("true"));
}

hf_sv hf_json_text(struct hf_json *j)
{
	switch (need_value(j)) {
	case HF_JSON_STRING:
		return take_string(j);
	case HF_JSON_NUMBER:
	case HF_JSON_BOOL:
		return take_scalar(j);
	case HF_JSON_NONE:
	case HF_JSON_NULL:
	case HF_JSON_OBJECT:
	case HF_JSON_ARRAY:
	default:
		hf_json_skip(j);
		return (hf_sv){ 0 };
	}
}

/* Bytes at which a skip must look: quotes and brackets. */
static inline bool is_structural(unsigned char c)
{
	return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}';
}

static void skip_container(struct hf_json *j)
{
	const char *p = j->text.ptr;
	uint64_t is_object[HF_JSON_DEPTH_MAX / 64 + 1] = { 0 };
	uint32_t depth = 0;
	bool escapes;

	for (;;) {
		while (j->at < j->text.len && !is_structural((unsigned char)p[j->at]))
			j->at++;
		if (j->at >= j->text.len) {
			fail(j, "ends in the middle");
			return;
		}
		char c = p[j->at];
		if (c == '"') {
			string_raw(j, &escapes);
			if (j->why)
				return;
			continue;
		}
		j->at++;
		if (c == '{' || c == '[') {
			if (j->depth + depth >= HF_JSON_DEPTH_MAX) {
				fail(j, "is nested too deeply");
				return;
			}
			uint64_t bit = UINT64_C(1) << (depth % 64);
			is_object[depth / 64] = c == '{' ? is_object[depth / 64] | bit : is_object[depth / 64] & ~bit;
			depth++;
			continue;
		}
		depth--;
		if ((is_object[depth / 64] >> (depth % 64) & 1) != (c == '}')) {
			fail(j, "has brackets that do not match");
			return;
		}
		if (!depth)
			return;
	}
}

void hf_json_skip(struct hf_json *j)
{
	bool escapes;

	switch (need_value(j)) {
	case HF_JSON_OBJECT:
	case HF_JSON_ARRAY:
		skip_container(j);
		break;
	case HF_JSON_STRING:
		string_raw(j, &escapes);
		break;
	case HF_JSON_NUMBER:
	case HF_JSON_BOOL:
	case HF_JSON_NULL:
		take_scalar(j);
		break;
	case HF_JSON_NONE:
	default:
		break;
	}
}

hf_sv hf_json_raw(struct hf_json *j)
{
	need_value(j);
	size_t start = j->at;

	hf_json_skip(j);
	return j->why ? (hf_sv){ 0 } : (hf_sv){ j->text.ptr + start, j->at - start };
}

bool hf_json_end(struct hf_json *j)
{
	if (peek_byte(j) >= 0)
		fail(j, "has more than one value");
	else if (j->depth)
		fail(j, "ends in the middle");
	return !j->why;
}
