#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const int exit_statuses[] = {
#define HF_ERROR(name, meaning, exit_status) exit_status,
#include "base/errors.def"
#undef HF_ERROR
};

int hf_code_exit_status(int code)
{
	return code > HF_E_BASE_ && code < HF_E_END_ ? exit_statuses[code - HF_E_BASE_ - 1] : 2;
}

/* Characters that turn the direction of what stands around them, and the two separators of Unicode: U+061C, U+200E and F, U+2028 to
 * U+202E, U+2066 to U+2069 (Unicode 15, Bidi_Control). */
static bool turns_text(const unsigned char *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xd8 && p[1] == 0x9c;
	if (n != 3 || p[0] != 0xe2)
		return false;
	return p[1] == 0x80 ? (p[2] >= 0xa8 && p[2] <= 0xae) || p[2] == 0x8e || p[2] == 0x8f
			    : p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

/* Bytes of the printable character at @p (valid UTF-8, no control), 0 where it must be escaped. */
static size_t printable(const unsigned char *p, size_t left)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 0;
	if (p[0] < 0x80)
		return 1;
	for (size_t n = 2; n <= 4 && n <= left; n++)
		if (hf_sv_is_utf8((hf_sv){ (const char *)p, n }))
			return (p[0] == 0xc2 && p[1] < 0xa0) || turns_text(p, n) ? 0 : n;
	return 0;
}

size_t hf_escape_controls(char *out, size_t size, hf_sv s)
{
	size_t at = 0;

	if (!size)
		return 0;
	for (size_t i = 0; i < s.len;) {
		const unsigned char *p = (const unsigned char *)s.ptr + i;
		size_t n = printable(p, s.len - i);
		if (at + (n ? n : 4) >= size)
			break;
		if (n) {
			memcpy(out + at, p, n);
			at += n;
			i += n;
		} else {
			at += (size_t)snprintf(out + at, size - at, "\\x%02x", p[0]);
			i++;
		}
	}
	out[at] = 0;
	return at;
}

static hf_printf(2, 0) void write_message(struct hf_err *err, const char *prefix_fmt, va_list ap, const char *tail)
{
	char raw[sizeof err->msg];
	int n = vsnprintf(raw, sizeof raw, prefix_fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
	char clean[sizeof err->msg];
	size_t tail_len = strlen(tail);

	/* The reason stands at the end: what is too long loses its middle. */
	size_t room = sizeof clean - (tail_len < sizeof clean / 2 ? tail_len : sizeof clean / 2) - 2;
	size_t clean_len = hf_escape_controls(clean, room, (hf_sv){ raw, len });
	room = sizeof err->msg - clean_len - 3;
	tail += tail_len > room ? tail_len - room : 0;
	while (((unsigned char)tail[0] & 0xc0) == 0x80)
		tail++;
	if (snprintf(err->msg, sizeof err->msg, "%s%s%s", clean, tail[0] ? ": " : "", tail) < 0)
		err->msg[0] = 0;
}

int hf_fail(struct hf_err *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;
	va_list ap;
	va_start(ap, fmt);
	err->code = code;
	err->sys_errno = 0;
	write_message(err, fmt, ap, "");
	va_end(ap);
	return code;
}

int hf_fail_errno(struct hf_err *err, const char *fmt, ...)
{
	int saved = errno;
	int code = saved == ENOENT || saved == ENOTDIR ? HF_E_MISSING
		   : saved == EACCES || saved == EPERM ? HF_E_DENIED
						       : HF_E_IO;
	if (!err)
		return code;
	char why[128];
	va_list ap;
	va_start(ap, fmt);
	err->code = code;
	err->sys_errno = saved;
	write_message(err, fmt, ap, strerror_r(saved, why, sizeof why));
	va_end(ap);
	return code;
}

int hf_wrap(struct hf_err *err, const char *fmt, ...)
{
	if (!err)
		return HF_E_IO;
	char tail[sizeof err->msg];
	va_list ap;
	memcpy(tail, err->msg, sizeof tail);
	va_start(ap, fmt);
	write_message(err, fmt, ap, tail);
	va_end(ap);
	return err->code;
}

static const char *out_of_memory = "holdfast: out of memory\n";

void hf_out_of_memory_says(const char *line)
{
	out_of_memory = line;
}

static void *or_abort(void *p)
{
	if (!p) {
		fputs(out_of_memory, stderr);
		abort();
	}
	return p;
}

void *hf_malloc(size_t n)
{
	return or_abort(malloc(n ? n : 1));
}

void *hf_calloc(size_t n, size_t size)
{
	return or_abort(calloc(n ? n : 1, size ? size : 1));
}

void *hf_realloc(void *p, size_t n)
{
	return or_abort(realloc(p, n ? n : 1));
}
