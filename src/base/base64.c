#include "base/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hf_base64_add(struct hf_buf *out, hf_sv bytes)
{
	size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
	char *p = groups > SIZE_MAX / 4 ? NULL : hf_buf_room(out, 4 * groups);

	for (size_t i = 0; p && i < bytes.len; i += 3, p += 4) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)bytes.ptr[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			p[k] = k <= n ? letters[v >> (18 - 6 * k) & 63] : '=';
		out->len += 4;
	}
}

static int value_of(char c)
{
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (int)(at - letters) : -1;
}

hf_sv hf_base64_decode(struct hf_arena *a, hf_sv text)
{
	size_t padding = hf_sv_ends(text, HF_SV("==")) ? 2 : hf_sv_ends(text, HF_SV("=")) ? 1 : 0;
	char *out = text.len % 4 ? NULL : hf_arena_alloc(a, text.len / 4 * 3 + 1, 1);
	size_t n = 0;

	if (!out)
		return (hf_sv){ 0 };
	for (size_t i = 0; i < text.len; i += 4) {
		size_t used = i + 4 == text.len ? 4 - padding : 4;
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k < used ? value_of(text.ptr[i + k]) : 0;
			if (d < 0)
				return (hf_sv){ 0 };
			v = v << 6 | (uint32_t)d;
		}
		for (size_t k = 0; k + 1 < used; k++)
			out[n++] = (char)(v >> (16 - 8 * k) & 0xff);
	}
	return (hf_sv){ out, n };
}
