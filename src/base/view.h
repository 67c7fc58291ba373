/* hf_sv: a borrowed run of bytes, passed by value.
 * A view never owns and is not NUL-terminated; it lives as long as what it was cut from. The empty view may have a
 * NULL pointer. All functions accept any bytes, NUL included; "ASCII" in a name means that only A-Z and a-z fold. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define hf_nodiscard         __attribute__((warn_unused_result))
#define hf_printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define hf_cleanup(fn)       __attribute__((cleanup(fn)))
/* For room on the stack that is written before it is read, where clearing it (-ftrivial-auto-var-init) can be measured. */
#define hf_uninitialized __attribute__((uninitialized))
#define HF_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* For "%zu word%s". */
#define HF_COUNTED(n) (size_t)(n), (n) == 1 ? "" : "s"

typedef struct hf_sv {
	const char *ptr;
	size_t len;
} hf_sv;

/* A view of a string literal, at compile time. */
#define HF_SV(lit) ((hf_sv){ "" lit, sizeof(lit) - 1 })
/* The same where a constant initialiser is wanted. */
#define HF_SV_INIT(lit)                 \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}
/* The two arguments of a "%.*s". The bytes are not escaped: for messages use hf_sv_printable first where they come
 * from input and go to a terminal. */
#define HF_SV_FMT(s) (int)(s).len, (s).ptr

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline hf_sv hf_sv_of(const char *s)
{
	return (hf_sv){ s, s ? strlen(s) : 0 };
}

static inline bool hf_sv_eq(hf_sv a, hf_sv b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool hf_sv_starts(hf_sv s, hf_sv prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool hf_sv_ends(hf_sv s, hf_sv suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* What is left after the first @n bytes; empty where there are fewer. */
static inline hf_sv hf_sv_skip(hf_sv s, size_t n)
{
	return n < s.len ? (hf_sv){ s.ptr + n, s.len - n } : (hf_sv){ s.ptr ? s.ptr + s.len : NULL, 0 };
}

/* The first @n bytes, or all of them where there are fewer. */
static inline hf_sv hf_sv_first(hf_sv s, size_t n)
{
	return (hf_sv){ s.ptr, n < s.len ? n : s.len };
}

/* Bytes [at, at+n), cut to what is there: never reads outside of @s. */
static inline hf_sv hf_sv_slice(hf_sv s, size_t at, size_t n)
{
	return hf_sv_first(hf_sv_skip(s, at), n);
}

/* Order of bytes, a proper prefix first: <0, 0, >0. */
int hf_sv_cmp(hf_sv a, hf_sv b);
/* Equal when ASCII letters are folded. */
bool hf_sv_eq_ascii(hf_sv a, hf_sv b);
/* Position of @c, or of @needle, or SIZE_MAX. An empty needle is found at 0. */
size_t hf_sv_index(hf_sv s, char c);
size_t hf_sv_last_index(hf_sv s, char c);
size_t hf_sv_find(hf_sv s, hf_sv needle);
/* Splits at the first (or last) @c. False, and nothing written, where there is none. @left and @right may alias @s. */
bool hf_sv_cut(hf_sv s, char c, hf_sv *ret_left, hf_sv *ret_right);
bool hf_sv_cut_last(hf_sv s, char c, hf_sv *ret_left, hf_sv *ret_right);
/* Without leading and trailing space, tab, CR, LF, VT, FF. */
hf_sv hf_sv_trim(hf_sv s);
/* What stands after the last '/', the whole where there is none. */
hf_sv hf_sv_basename(hf_sv path);
/* What stands before the last '/', empty where there is none. */
hf_sv hf_sv_dirname(hf_sv path);
/* Decimal digits alone, at least one, that fit: true and *@ret written. No sign, no blanks. */
bool hf_sv_to_u64(hf_sv s, uint64_t *ret);
/* Takes the next field that ends at @c (or at the end) off the front of *@rest; false once *@rest is used up.
 * "a,,b" gives "a", "", "b"; "a," gives "a", "". Start with rest->ptr not NULL; the function sets it to NULL at the end. */
bool hf_sv_next(hf_sv *rest, char c, hf_sv *ret_field);
/* Valid UTF-8 by RFC 3629 (no surrogates, no overlong forms). */
bool hf_sv_is_utf8(hf_sv s);
