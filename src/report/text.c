#include "report/text.h"

#include <stdarg.h>
#include <stdio.h>

struct hf_text hf_text_of(const struct hf_report_options *o, struct hf_out *out)
{
	return (struct hf_text){
		.out = out, .colour = o->colour, .width = o->width >= 40 ? o->width : 80, .indent = 0
	};
}

/* One character of @s, escaped where it must be: its length in the input, and what to print. */
static size_t next_character(hf_sv s, char out[8], size_t *ret_len, size_t *ret_columns)
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > s.len || !hf_sv_is_utf8(hf_sv_first(s, n)))
		n = 1;
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned code = n == 3 ? (unsigned)(p[0] & 0xf) << 12 | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f) : 0;
	/* marks, embeddings, overrides and isolates of direction, and line separators: they let a name look like
	 * another */
	if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069) || code == 0xfeff) {
		*ret_len = (size_t)snprintf(out, 8, "\\u%04x", code);
		*ret_columns = *ret_len;
		return n;
	}
	*ret_len = hf_escape_controls(out, 8, hf_sv_first(s, n == 1 || n > 2 || c != 0xc2 || p[1] >= 0xa0 ? n : 1));
	*ret_columns = out[0] == '\\' ? *ret_len : 1;
	return n == 2 && c == 0xc2 && p[1] < 0xa0 ? 1 : n;
}

size_t hf_text_columns(hf_sv s)
{
	size_t total = 0, len, columns;
	char one[8];

	while (s.len) {
		s = hf_sv_skip(s, next_character(s, one, &len, &columns));
		total += columns;
	}
	return total;
}

void hf_text_put_cut(struct hf_text *t, hf_sv s, size_t limit)
{
	size_t len, columns, used = 0;
	char one[8];

	while (s.len) {
		size_t n = next_character(s, one, &len, &columns);
		bool last = n == s.len;
		if (used + columns + (last ? 0 : 3) > limit &&
		    hf_text_columns(hf_sv_first(s, 4 * limit + 4)) + used > limit) {
			hf_out_add(t->out, HF_SV("..."));
			t->column += 3;
			return;
		}
		hf_out_add(t->out, (hf_sv){ one, len });
		t->column += (uint32_t)columns;
		used += columns;
		s = hf_sv_skip(s, n);
	}
}

void hf_text_put(struct hf_text *t, hf_sv s)
{
	size_t len, columns;
	char one[8];

	while (s.len) {
		s = hf_sv_skip(s, next_character(s, one, &len, &columns));
		hf_out_add(t->out, (hf_sv){ one, len });
		t->column += (uint32_t)columns;
	}
}

void hf_text_putf(struct hf_text *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0)
		hf_text_put(t, (hf_sv){ text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 });
}

static void style_on(struct hf_text *t, enum hf_text_style style)
{
	static const char *const codes[] = { "",         "\033[1m",  "\033[2m",  "\033[31m",
					     "\033[33m", "\033[32m", "\033[36m", "\033[1;31m" };

	if (t->colour && style != HF_STYLE_PLAIN)
		hf_out_add(t->out, hf_sv_of(codes[style]));
}

static void style_off(struct hf_text *t, enum hf_text_style style)
{
	if (t->colour && style != HF_STYLE_PLAIN)
		hf_out_add(t->out, HF_SV("\033[0m"));
}

void hf_text_styled(struct hf_text *t, enum hf_text_style style, hf_sv s)
{
	style_on(t, style);
	hf_text_put(t, s);
	style_off(t, style);
}

void hf_text_to(struct hf_text *t, uint32_t column)
{
	do {
		hf_out_add(t->out, HF_SV(" "));
		t->column++;
	} while (t->column < column);
}

void hf_text_newline(struct hf_text *t)
{
	hf_out_add(t->out, HF_SV("\n"));
	t->column = 0;
}

void hf_text_word(struct hf_text *t, enum hf_text_style style, hf_sv s)
{
	bool fits = t->column + 1 + hf_text_columns(s) <= t->width;

	if (!fits && t->column > t->indent)
		hf_text_newline(t);
	if (t->column < t->indent)
		hf_text_to(t, t->indent);
	else if (t->column > t->indent)
		hf_text_to(t, 0);
	hf_text_styled(t, style, s);
}

void hf_text_sentence(struct hf_text *t, uint32_t indent, hf_sv s)
{
	uint32_t before = t->indent;
	hf_sv word;

	t->indent = indent;
	for (hf_sv rest = s; rest.ptr && hf_sv_next(&rest, ' ', &word);)
		if (word.len)
			hf_text_word(t, HF_STYLE_PLAIN, word);
	t->indent = before;
	hf_text_newline(t);
}

enum hf_text_style hf_text_severity_style(enum hf_severity s)
{
	static const enum hf_text_style styles[HF_SEV_MAX] = { HF_STYLE_DIM,    HF_STYLE_DIM, HF_STYLE_CYAN,
							       HF_STYLE_YELLOW, HF_STYLE_RED, HF_STYLE_ALARM };

	return s < HF_SEV_MAX ? styles[s] : HF_STYLE_PLAIN;
}

hf_sv hf_text_count(struct hf_arena *a, uint64_t n)
{
	char digits[24], text[32];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	return hf_arena_dup(a, (hf_sv){ text, at });
}

hf_sv hf_text_size(struct hf_arena *a, uint64_t n)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)n;
	size_t unit = 0;

	for (; v >= 999.95 && unit + 1 < HF_ARRAY_SIZE(units); unit++)
		v /= 1000;
	return unit ? hf_arena_fmt(a, "%.1f %s", v, units[unit]) : hf_arena_fmt(a, "%llu B", (unsigned long long)n);
}
