#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *hf_buf_room(struct hf_buf *b, size_t n)
{
	if (b->over || n > b->max - b->len) {
		b->over = true;
		return NULL;
	}
	if (n > b->size - b->len) {
		size_t size = b->size ? b->size : 256;
		while (size - b->len < n)
			size = size > b->max / 2 ? b->max : size * 2;
		b->ptr = hf_realloc(b->ptr, size);
		b->size = size;
	}
	return b->ptr + b->len;
}

void hf_buf_add(struct hf_buf *b, hf_sv s)
{
	char *p = s.len ? hf_buf_room(b, s.len) : NULL;

	if (!p)
		return;
	memcpy(p, s.ptr, s.len);
	b->len += s.len;
}

void hf_buf_add_char(struct hf_buf *b, char c)
{
	hf_buf_add(b, (hf_sv){ &c, 1 });
}

void hf_buf_addf(struct hf_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : hf_buf_room(b, (size_t)n + 1);
	if (!p)
		return;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void hf_buf_done(struct hf_buf *b)
{
	free(b->ptr);
	*b = HF_BUF(b->max);
}
