/* hf_buf: bytes that grow on the heap, up to a maximum given at creation. Past the maximum nothing more is added and
 * `over` is set, sticky; a writer checks once at the end. Maxima stand in base/limits.h. */
#pragma once
#include "base/error.h"

struct hf_buf {
	char *ptr;
	size_t len, size, max;
	bool over;
};

#define HF_BUF(max_bytes) ((struct hf_buf){ .max = (max_bytes) })

void hf_buf_add(struct hf_buf *b, hf_sv s);
void hf_buf_add_char(struct hf_buf *b, char c);
void hf_buf_addf(struct hf_buf *b, const char *fmt, ...) hf_printf(2, 3);
/* Room for @n more bytes, to be filled by the caller, who then raises b->len; NULL with `over` set past the maximum. */
char *hf_buf_room(struct hf_buf *b, size_t n);
static inline hf_sv hf_buf_view(const struct hf_buf *b)
{
	return (hf_sv){ b->ptr, b->len };
}
/* Frees the storage; fit for hf_cleanup. */
void hf_buf_done(struct hf_buf *b);
