#include "format/json_writer.h"

#include <stdio.h>

enum { FLUSH_AT = 64 << 10 };

static void flush_if_large(struct hf_json_writer *w, size_t at_least)
{
	if (!w->flush || w->out->len < at_least)
		return;
	if (w->flush(w->flush_ctx, hf_buf_view(w->out)))
		w->failed = true;
	w->out->len = 0;
}

static void newline(struct hf_json_writer *w)
{
	size_t n = 1 + 2 * (size_t)w->depth;
	char *p = w->compact ? NULL : hf_buf_room(w->out, n);

	if (!p)
		return;
	p[0] = '\n';
	memset(p + 1, ' ', n - 1);
	w->out->len += n;
}

/* What stands before a value or a key. */
static void separate(struct hf_json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (!w->depth)
		return;
	if (!w->first)
		hf_buf_add_char(w->out, ',');
	w->first = false;
	newline(w);
	flush_if_large(w, FLUSH_AT);
}

static void open_with(struct hf_json_writer *w, char c)
{
	separate(w);
	hf_buf_add_char(w->out, c);
	w->depth++;
	w->first = true;
}

static void close_with(struct hf_json_writer *w, char c)
{
	w->depth--;
	if (!w->first)
		newline(w);
	w->first = false;
	hf_buf_add_char(w->out, c);
}

void hf_jw_object(struct hf_json_writer *w)
{
	open_with(w, '{');
}

void hf_jw_object_end(struct hf_json_writer *w)
{
	close_with(w, '}');
}

void hf_jw_array(struct hf_json_writer *w)
{
	open_with(w, '[');
}

void hf_jw_array_end(struct hf_json_writer *w)
{
	close_with(w, ']');
}

/* Bytes of the character at @s that may be written as they are; 0: needs an escape of *@ret_code, for *@ret_used bytes. */
static size_t plain(hf_sv s, unsigned *ret_code, size_t *ret_used)
{
	unsigned char c = (unsigned char)s.ptr[0];

	*ret_used = 1;
	*ret_code = c;
	if (c < 0x80)
		return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
	for (size_t n = 2; n <= 4 && n <= s.len; n++) {
		if (!hf_sv_is_utf8(hf_sv_first(s, n)))
			continue;
		if (c == 0xc2 && (unsigned char)s.ptr[1] < 0xa0) {
			*ret_code = (unsigned char)s.ptr[1];
			*ret_used = 2;
			return 0;
		}
		/* Ends of lines to YAML 1.1, which is JSON's readers' too: kubectl's is one. */
		if (c == 0xe2 && (unsigned char)s.ptr[1] == 0x80 && ((unsigned char)s.ptr[2] & 0xfe) == 0xa8) {
			*ret_code = 0x2000 | ((unsigned char)s.ptr[2] & 0x3f);
			*ret_used = 3;
			return 0;
		}
		return n;
	}
	*ret_code = 0xfffd;
	return 0;
}

static void escaped(struct hf_buf *out, unsigned code)
{
	static const char letters[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
	const char *at = code && code < 0x80 ? strchr(letters, (int)code) : NULL;

	if (at)
		hf_buf_addf(out, "\\%c", names[at - letters]);
	else
		hf_buf_addf(out, "\\u%04x", code);
}

/* How many bytes from the front are ASCII that needs no escape: nearly always all of them. */
static size_t plain_ascii(hf_sv s)
{
	size_t n = 0;

	while (n < s.len) {
		unsigned char c = (unsigned char)s.ptr[n];
		if ((unsigned char)(c - 0x20) > 0x5e || c == '"' || c == '\\')
			break;
		n++;
	}
	return n;
}

static void string(struct hf_buf *out, hf_sv s)
{
	unsigned code;
	size_t used;

	hf_buf_add_char(out, '"');
	while (s.len) {
		size_t run = plain_ascii(s), n;
		while (run < s.len && (n = plain(hf_sv_skip(s, run), &code, &used)))
			run += n;
		hf_buf_add(out, hf_sv_first(s, run));
		s = hf_sv_skip(s, run);
		if (s.len) {
			escaped(out, code);
			s = hf_sv_skip(s, used);
		}
	}
	hf_buf_add_char(out, '"');
}

void hf_jw_key_sv(struct hf_json_writer *w, hf_sv key)
{
	separate(w);
	string(w->out, key);
	hf_buf_add(w->out, w->compact ? HF_SV(":") : HF_SV(": "));
	w->after_key = true;
}

void hf_jw_key(struct hf_json_writer *w, const char *key)
{
	hf_jw_key_sv(w, hf_sv_of(key));
}

void hf_jw_string(struct hf_json_writer *w, hf_sv s)
{
	separate(w);
	string(w->out, s);
}

void hf_jw_uint(struct hf_json_writer *w, uint64_t v)
{
	separate(w);
	hf_buf_addf(w->out, "%llu", (unsigned long long)v);
}

void hf_jw_fixed(struct hf_json_writer *w, double v, int decimals)
{
	char text[400];
	int n = snprintf(text, sizeof text, "%.*f", decimals, v);

	separate(w);
	while (decimals > 0 && n > 1 && text[n - 1] == '0')
		n--;
	if (decimals > 0 && n > 1 && text[n - 1] == '.')
		n--;
	hf_buf_add(w->out, (hf_sv){ text, (size_t)n });
}

void hf_jw_bool(struct hf_json_writer *w, bool v)
{
	separate(w);
	hf_buf_add(w->out, v ? HF_SV("true") : HF_SV("false"));
}

void hf_jw_literal(struct hf_json_writer *w, hf_sv json)
{
	separate(w);
	hf_buf_add(w->out, json);
}

void hf_jw_kv(struct hf_json_writer *w, const char *key, hf_sv value)
{
	hf_jw_key(w, key);
	hf_jw_string(w, value);
}

void hf_jw_kv_if(struct hf_json_writer *w, const char *key, hf_sv value)
{
	if (value.len)
		hf_jw_kv(w, key, value);
}

void hf_jw_kv_uint(struct hf_json_writer *w, const char *key, uint64_t value)
{
	hf_jw_key(w, key);
	hf_jw_uint(w, value);
}

void hf_jw_kv_bool(struct hf_json_writer *w, const char *key, bool value)
{
	hf_jw_key(w, key);
	hf_jw_bool(w, value);
}

void hf_jw_strings(struct hf_json_writer *w, const char *key, const hf_sv *list, size_t n)
{
	hf_jw_key(w, key);
	hf_jw_array(w);
	for (size_t i = 0; i < n; i++)
		hf_jw_string(w, list[i]);
	hf_jw_array_end(w);
}

int hf_jw_finish(struct hf_json_writer *w, struct hf_err *err)
{
	hf_buf_add_char(w->out, '\n');
	flush_if_large(w, 1);
	if (w->out->over)
		return hf_fail(err, HF_E_LIMIT, "the output is larger than %zu bytes", w->out->max);
	if (w->failed)
		return hf_fail(err, HF_E_IO, "the output could not be written");
	return HF_OK;
}
