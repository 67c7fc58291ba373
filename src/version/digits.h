/* Runs of decimal digits, compared as numbers of any length: what all schemes of versions share. */
#pragma once
#include "version/version.h"

static inline bool hf_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool hf_is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool hf_is_letter(char c)
{
	return hf_is_lower(c) || (c >= 'A' && c <= 'Z');
}

static inline char hf_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* The byte at @at, NUL past the end. */
static inline char hf_char_at(hf_sv s, size_t at)
{
	return at < s.len ? s.ptr[at] : '\0';
}

/* The run of digits that begins at @at, may be empty. */
static inline hf_sv hf_digits_at(hf_sv s, size_t at)
{
	size_t end = at;

	while (end < s.len && hf_is_digit(s.ptr[end]))
		end++;
	return hf_sv_slice(s, at, end - at);
}

static inline bool hf_digits_all(hf_sv s)
{
	return s.len && hf_digits_at(s, 0).len == s.len;
}

/* Without leading zeros; zero is the empty view. */
static inline hf_sv hf_digits_bare(hf_sv digits)
{
	size_t zeros = 0;

	while (zeros < digits.len && digits.ptr[zeros] == '0')
		zeros++;
	return hf_sv_skip(digits, zeros);
}

/* Order of two runs of digits as numbers; the empty run is zero. */
static inline int hf_digits_cmp(hf_sv a, hf_sv b)
{
	a = hf_digits_bare(a);
	b = hf_digits_bare(b);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return hf_sv_cmp(a, b);
}

static inline enum hf_order hf_order_of(int r)
{
	return r < 0 ? HF_ORDER_LESS : r > 0 ? HF_ORDER_GREATER : HF_ORDER_EQUAL;
}
