#include "base/view.h"

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

int hf_sv_cmp(hf_sv a, hf_sv b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = n ? memcmp(a.ptr, b.ptr, n) : 0;

	if (r)
		return r;
	return (a.len > b.len) - (a.len < b.len);
}

bool hf_sv_eq_ascii(hf_sv a, hf_sv b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold((unsigned char)a.ptr[i]) != fold((unsigned char)b.ptr[i]))
			return false;
	return true;
}

size_t hf_sv_index(hf_sv s, char c)
{
	const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return p ? (size_t)(p - s.ptr) : SIZE_MAX;
}

size_t hf_sv_last_index(hf_sv s, char c)
{
	const char *p = s.len ? memrchr(s.ptr, c, s.len) : NULL;

	return p ? (size_t)(p - s.ptr) : SIZE_MAX;
}

size_t hf_sv_find(hf_sv s, hf_sv needle)
{
	if (!needle.len)
		return 0;
	const char *p = s.len >= needle.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;

	return p ? (size_t)(p - s.ptr) : SIZE_MAX;
}

static bool split_at(hf_sv s, size_t at, hf_sv *ret_left, hf_sv *ret_right)
{
	if (at == SIZE_MAX)
		return false;
	*ret_left = (hf_sv){ s.ptr, at };
	*ret_right = (hf_sv){ s.ptr + at + 1, s.len - at - 1 };
	return true;
}

bool hf_sv_cut(hf_sv s, char c, hf_sv *ret_left, hf_sv *ret_right)
{
	return split_at(s, hf_sv_index(s, c), ret_left, ret_right);
}

bool hf_sv_cut_last(hf_sv s, char c, hf_sv *ret_left, hf_sv *ret_right)
{
	return split_at(s, hf_sv_last_index(s, c), ret_left, ret_right);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

hf_sv hf_sv_trim(hf_sv s)
{
	while (s.len && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

hf_sv hf_sv_basename(hf_sv path)
{
	size_t at = hf_sv_last_index(path, '/');

	return at == SIZE_MAX ? path : hf_sv_skip(path, at + 1);
}

hf_sv hf_sv_dirname(hf_sv path)
{
	size_t at = hf_sv_last_index(path, '/');

	return at == SIZE_MAX ? (hf_sv){ path.ptr, 0 } : hf_sv_first(path, at);
}

bool hf_sv_to_u64(hf_sv s, uint64_t *ret)
{
	uint64_t n = 0;

	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n))
			return false;
	}
	*ret = n;
	return true;
}

bool hf_sv_next(hf_sv *rest, char c, hf_sv *ret_field)
{
	if (!rest->ptr)
		return false;
	if (!hf_sv_cut(*rest, c, ret_field, rest)) {
		*ret_field = *rest;
		*rest = (hf_sv){ 0 };
	}
	return true;
}

/* Length of the valid sequence at @p, 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n <= 1)
		return n;
	if (n > left)
		return 0;
	uint32_t code = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

bool hf_sv_is_utf8(hf_sv s)
{
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_sequence((const unsigned char *)s.ptr + i, s.len - i);
		if (!n)
			return false;
		i += n;
	}
	return true;
}
