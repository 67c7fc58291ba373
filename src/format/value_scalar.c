/* Plain scalars by the rules of go.yaml.in/yaml/v2 2.4.2 (resolve.go): YAML 1.1 without numbers of base 60. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/value_internal.h"

static bool is_word(hf_sv s, const char *const *words)
{
	for (; *words; words++)
		if (hf_sv_eq(s, hf_sv_of(*words)))
			return true;
	return false;
}

static bool digits_value(hf_sv s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned c = (unsigned char)s.ptr[i], letter = c | 0x20;
		unsigned d = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 99;
		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return s.len > 0;
}

/* "-0x1f", "0b1", "0o17", "017" as strconv.ParseInt, then ParseUint read them with base 0. */
static bool whole_number(hf_sv s, bool *ret_negative, uint64_t *ret)
{
	bool sign = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
	unsigned base = 10;

	*ret_negative = sign && s.ptr[0] == '-';
	s = hf_sv_skip(s, sign);
	if (s.len > 1 && s.ptr[0] == '0') {
		char x = (char)(s.ptr[1] | 0x20);
		base = x == 'x' ? 16 : x == 'b' ? 2 : 8;
		/* v2 tries the digits of 0b again, on their own, and so takes a sign there. */
		if (!sign && s.ptr[1] == 'b' && s.len > 2 && (s.ptr[2] == '-' || s.ptr[2] == '+')) {
			sign = true;
			*ret_negative = s.ptr[2] == '-';
			s = hf_sv_skip(s, 1);
		}
		s = hf_sv_skip(s, x == 'x' || x == 'b' || x == 'o' ? 2 : 1);
	}
	return digits_value(s, base, ret) && (!sign || *ret <= (uint64_t)INT64_MAX + *ret_negative);
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

/* The shortest digits that read back as the same number; an exponent below 1e-6 and from 1e21 on, as ECMAScript writes it. */
static hf_sv float_text(double d, struct hf_arena *a)
{
	char text[40];
	int precision = 1;

	do
		snprintf(text, sizeof text, "%.*e", precision - 1, d);
	while (strtod(text, NULL) != d && precision++ < 17);
	char *e = strchr(text, 'e');
	long exponent = strtol(e + 1, NULL, 10);
	if (d != 0 && (exponent < -6 || exponent >= 21))
		return hf_arena_fmt(a, "%.*se%c%ld", (int)(e - text), text, exponent < 0 ? '-' : '+', labs(exponent));
	long decimals = precision - 1 - exponent;
	if (decimals >= 0)
		return hf_arena_fmt(a, "%.*f", (int)decimals, d);
	/* Behind the digits that count stand noughts, not what the binary number is. */
	char *point = strchr(text, '.');
	if (point)
		memmove(point, point + 1, strlen(point));
	e = strchr(text, 'e');
	return hf_arena_fmt(a, "%.*s%0*d", (int)(e - text), text, (int)-decimals, 0);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_decimal(hf_sv s)
{
	if (!s.len || s.len > 18 || (s.ptr[0] == '0' && s.len > 1))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

static enum hf_scalar_kind set_text(struct hf_value *v, enum hf_value_type type, hf_sv s, struct hf_arena *a,
				    enum hf_scalar_kind kind)
{
	hf_value_set_text(v, type, s, a);
	return kind;
}

/* Begins with a digit, a sign or a point. */
static enum hf_scalar_kind number(hf_sv text, struct hf_arena *a, struct hf_value *v)
{
	static const char *const odd[] = { ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF", "+.inf",
					   "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL };
	char plain[128];
	bool negative;
	uint64_t whole;

	if (is_decimal(text))
		return set_text(v, HF_VALUE_NUMBER, text, a, HF_SCALAR_INT);
	if (is_word(text, odd))
		return set_text(v, HF_VALUE_STRING, text, a, HF_SCALAR_NOT_FINITE);
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		/* Go's floats have it between digits alone; v2 takes it out of all else. */
		if (text.ptr[i] == '_' && (text.ptr[0] != '.' || (i + 1 < text.len && is_digit(text.ptr[i - 1]) &&
								  is_digit(text.ptr[i + 1]))))
			continue;
		if (n + 1 >= sizeof plain)
			return set_text(v, HF_VALUE_STRING, text, a, HF_SCALAR_STRING);
		plain[n++] = text.ptr[i];
	}
	plain[n] = 0;
	hf_sv s = { plain, n };
	if (text.ptr[0] != '.' && whole_number(s, &negative, &whole)) {
		s = hf_arena_fmt(a, "%s%llu", negative && whole ? "-" : "", (unsigned long long)whole);
		return set_text(v, HF_VALUE_NUMBER, s, a, HF_SCALAR_INT);
	}
	double d = looks_like_float(s) ? strtod(plain, NULL) : INFINITY;
	if (!isfinite(d))
		return set_text(v, HF_VALUE_STRING, text, a, HF_SCALAR_STRING);
	return set_text(v, HF_VALUE_NUMBER, float_text(d, a), a, HF_SCALAR_FLOAT);
}

#define WORD(a, b, c, d, e) \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | (uint64_t)(e) << 32)

/* "yes", "Yes" and "YES", but not "yES". */
static bool is_cased(hf_sv s)
{
	bool upper = s.ptr[0]<'a', second = s.len> 1 && s.ptr[1] < 'a';

	for (size_t i = 2; i < s.len; i++)
		if ((s.ptr[i] < 'a') != second)
			return false;
	return upper || !second;
}

/* Of one to five bytes. */
static enum hf_scalar_kind word(hf_sv s, struct hf_value *v)
{
	uint64_t w = 0;

	if (s.len == 1 && s.ptr[0] == '~')
		return HF_SCALAR_NULL;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char letter = (unsigned char)(s.ptr[i] | 0x20);
		if (letter < 'a' || letter > 'z' || !(s.ptr[i] & 0x40))
			return HF_SCALAR_STRING;
		w |= (uint64_t)letter << (8 * i);
	}
	switch (w) {
	case WORD('n', 'u', 'l', 'l', 0):
		return is_cased(s) ? HF_SCALAR_NULL : HF_SCALAR_STRING;
	case WORD('y', 0, 0, 0, 0):
	case WORD('o', 'n', 0, 0, 0):
	case WORD('y', 'e', 's', 0, 0):
	case WORD('t', 'r', 'u', 'e', 0):
		v->boolean = true;
		return is_cased(s) ? HF_SCALAR_BOOL : HF_SCALAR_STRING;
	case WORD('n', 0, 0, 0, 0):
	case WORD('n', 'o', 0, 0, 0):
	case WORD('o', 'f', 'f', 0, 0):
	case WORD('f', 'a', 'l', 's', 'e'):
		v->boolean = false;
		return is_cased(s) ? HF_SCALAR_BOOL : HF_SCALAR_STRING;
	default:
		return HF_SCALAR_STRING;
	}
}

enum hf_scalar_kind hf_value_of_plain(hf_sv text, struct hf_arena *a, struct hf_value *v)
{
	/* What may be more than a string, by its first byte. */
	static const char classes[256] = {
		['0' ... '9'] = 'd', ['+'] = 'd', ['-'] = 'd', ['.'] = 'd', ['y'] = 'w',
		['Y'] = 'w',         ['n'] = 'w', ['N'] = 'w', ['t'] = 'w', ['T'] = 'w',
		['f'] = 'w',         ['F'] = 'w', ['o'] = 'w', ['O'] = 'w', ['~'] = 'w',
	};
	char class = text.len ? classes[(unsigned char)text.ptr[0]] : 0;

	if (!text.len) {
		v->type = HF_VALUE_NULL;
		return HF_SCALAR_NULL;
	}
	if (class == 'd')
		return number(text, a, v);
	enum hf_scalar_kind kind = class && text.len <= 5 ? word(text, v) : HF_SCALAR_STRING;
	if (kind == HF_SCALAR_STRING)
		return set_text(v, HF_VALUE_STRING, text, a, kind);
	v->type = kind == HF_SCALAR_BOOL ? HF_VALUE_BOOL : HF_VALUE_NULL;
	return kind;
}
