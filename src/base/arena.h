/* hf_arena: memory that is freed all at once, with a hard cap.
 *
 * Chunks double from 4 KiB to 1 MiB. When the cap is reached, allocation gives NULL (or an empty view) and the sticky
 * `over` is set: a parser checks it once a record and returns HF_E_LIMIT. malloc itself failing aborts.
 * One arena belongs to one thread. No pointer into it outlives hf_arena_done. */
#pragma once
#include "base/error.h"

struct hf_arena_chunk;

struct hf_arena {
	struct hf_arena_chunk *head;
	size_t total; /* bytes taken from malloc, never over cap */
	size_t cap;
	bool over;
};

#define HF_ARENA(cap_bytes) ((struct hf_arena){ .cap = (cap_bytes) })

/* Zeroed memory, or NULL with a->over set. @align is a power of two up to 16. @n may be 0 (a valid pointer). */
void *hf_arena_alloc(struct hf_arena *a, size_t n, size_t align);
/* Zeroed array with a checked multiply. */
void *hf_arena_calloc(struct hf_arena *a, size_t count, size_t size, size_t align);
#define hf_arena_new(a, type)      ((type *)hf_arena_alloc((a), sizeof(type), _Alignof(type)))
#define hf_arena_array(a, type, n) ((type *)hf_arena_calloc((a), (n), sizeof(type), _Alignof(type)))
/* A copy, with a NUL behind it that the view does not count; the empty view on the cap. */
hf_sv hf_arena_dup(struct hf_arena *a, hf_sv s);
hf_sv hf_arena_fmt(struct hf_arena *a, const char *fmt, ...) hf_printf(2, 3);
/* A copy with control bytes escaped, as hf_escape_controls does: for what reaches a terminal. */
hf_sv hf_arena_printable(struct hf_arena *a, hf_sv s);
/* a + b in one copy. */
hf_sv hf_arena_concat(struct hf_arena *a, hf_sv left, hf_sv right);
/* Frees all and leaves an empty arena with the same cap. */
void hf_arena_reset(struct hf_arena *a);
/* Frees all. The arena may be used again only after it was set anew. Fit for hf_cleanup. */
void hf_arena_done(struct hf_arena *a);

/* A growable array in an arena: HF_VEC(struct x) list = { 0 }; struct x *p = hf_vec_push(a, &list);
 * The push gives a zeroed slot or NULL with a->over set. Old storage stays in the arena when it grows, so earlier
 * pointers into the array stay readable but no longer belong to it. */
#define HF_VEC(type)          \
	struct {              \
		type *at;     \
		size_t n;     \
		size_t slots; \
	}
#define hf_vec_push(a, v) \
	((__typeof__((v)->at))hf_vec_push_((a), (void **)&(v)->at, &(v)->n, &(v)->slots, sizeof(*(v)->at)))
void *hf_vec_push_(struct hf_arena *a, void **at, size_t *n, size_t *slots, size_t size);
