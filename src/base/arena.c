#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define HF_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HF_ASAN 1
#endif
#endif
#ifdef HF_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n)   __asan_poison_memory_region((p), (n))
#define unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define poison(p, n)   ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20 };

struct hf_arena_chunk {
	struct hf_arena_chunk *next;
	size_t size, used;
	_Alignas(16) unsigned char data[];
};

static struct hf_arena_chunk *grow(struct hf_arena *a, size_t n)
{
	size_t left = a->cap - a->total;
	size_t want = a->head ? a->head->size * 2 : CHUNK_MIN;

	if (want > CHUNK_MAX)
		want = CHUNK_MAX;
	if (want < n)
		want = n;
	if (want > left)
		want = left >= n ? left : n;
	if (a->over || want > left) {
		a->over = true;
		return NULL;
	}
	struct hf_arena_chunk *c = hf_malloc(sizeof *c + want);
	*c = (struct hf_arena_chunk){ .size = want };
	poison(c->data, want);
	a->total += want;
	/* A large single piece goes behind the head, so that the head's free space is not lost. */
	if (a->head && n > CHUNK_MAX / 2 && a->head->size - a->head->used > want - n) {
		c->next = a->head->next;
		a->head->next = c;
	} else {
		c->next = a->head;
		a->head = c;
	}
	return c;
}

void *hf_arena_alloc(struct hf_arena *a, size_t n, size_t align)
{
	struct hf_arena_chunk *c = a->head;
	size_t at = c ? (c->used + align - 1) & ~(align - 1) : 0;

	if (a->over)
		return NULL;
	if (!c || at > c->size || n > c->size - at) {
		c = grow(a, n);
		if (!c)
			return NULL;
		at = 0;
	}
	unpoison(c->data + at, n);
	c->used = at + n;
	return memset(c->data + at, 0, n);
}

void *hf_arena_calloc(struct hf_arena *a, size_t count, size_t size, size_t align)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n)) {
		a->over = true;
		return NULL;
	}
	return hf_arena_alloc(a, n, align);
}

hf_sv hf_arena_printable(struct hf_arena *a, hf_sv s)
{
	size_t size = 4 * s.len + 1;
	char *copy = hf_arena_alloc(a, size, 1);

	return copy ? (hf_sv){ copy, hf_escape_controls(copy, size, s) } : (hf_sv){ "", 0 };
}

hf_sv hf_arena_concat(struct hf_arena *a, hf_sv left, hf_sv right)
{
	char *p = hf_arena_alloc(a, left.len + right.len + 1, 1);

	if (!p)
		return (hf_sv){ 0 };
	if (left.len)
		memcpy(p, left.ptr, left.len);
	if (right.len)
		memcpy(p + left.len, right.ptr, right.len);
	return (hf_sv){ p, left.len + right.len };
}

hf_sv hf_arena_dup(struct hf_arena *a, hf_sv s)
{
	return hf_arena_concat(a, s, (hf_sv){ 0 });
}

hf_sv hf_arena_fmt(struct hf_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : hf_arena_alloc(a, (size_t)n + 1, 1);
	if (!p)
		return (hf_sv){ 0 };
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (hf_sv){ p, (size_t)n };
}

void hf_arena_reset(struct hf_arena *a)
{
	for (struct hf_arena_chunk *c = a->head, *next; c; c = next) {
		next = c->next;
		unpoison(c->data, c->size);
		free(c);
	}
	*a = HF_ARENA(a->cap);
}

void hf_arena_done(struct hf_arena *a)
{
	hf_arena_reset(a);
	a->cap = 0;
}

void *hf_vec_push_(struct hf_arena *a, void **at, size_t *n, size_t *slots, size_t size)
{
	if (*n == *slots) {
		size_t more = *slots ? *slots * 2 : 8;
		unsigned char *p = hf_arena_calloc(a, more, size, 16);
		if (!p)
			return NULL;
		if (*n)
			memcpy(p, *at, *n * size);
		*at = p;
		*slots = more;
	}
	return memset((unsigned char *)*at + (*n)++ * size, 0, size);
}
