#include "agent/ring.h"

#include <stdlib.h>

#include "base/hash.h"

void hf_ring_init(struct hf_ring *r, size_t lines_max, size_t bytes_max)
{
	*r = (struct hf_ring){ .lines = hf_calloc(lines_max, sizeof *r->lines),
			       .lines_max = lines_max,
			       .bytes = hf_calloc(1, bytes_max), /* takes memory as far as it was written */
			       .bytes_max = bytes_max };
}

static void drop_oldest(struct hf_ring *r)
{
	r->first = (r->first + 1) % r->lines_max;
	r->n--;
}

void hf_ring_done(struct hf_ring *r)
{
	free(r->lines);
	free(r->bytes);
	*r = (struct hf_ring){ 0 };
}

/* Where @len bytes have room once the oldest lines are gone that stand there. */
static size_t make_room(struct hf_ring *r, size_t len)
{
	size_t at = r->end;

	if (len > r->bytes_max - at) { /* the oldest stand behind the end, if the ring went round before */
		while (r->n && r->lines[r->first].at >= r->end)
			drop_oldest(r);
		at = 0;
	}
	while (r->n && r->lines[r->first].at < at + len && r->lines[r->first].at + r->lines[r->first].len > at)
		drop_oldest(r);
	if (r->n == r->lines_max)
		drop_oldest(r);
	return at;
}

void hf_ring_add(struct hf_ring *r, hf_sv id, hf_sv line)
{
	if (!line.len || line.len > r->bytes_max)
		return;
	size_t at = make_room(r, line.len);
	memcpy(r->bytes + at, line.ptr, line.len);
	r->end = at + line.len;
	r->lines[(r->first + r->n++) % r->lines_max] = (struct hf_ring_line){ at, line.len, hf_hash(id) };
}

void hf_ring_each(const struct hf_ring *r, hf_sv id, void (*visit)(void *ctx, hf_sv line), void *ctx)
{
	uint64_t hash = hf_hash(id);

	for (size_t i = 0; i < r->n; i++) {
		const struct hf_ring_line *line = &r->lines[(r->first + i) % r->lines_max];
		if (!id.len || line->id_hash == hash)
			visit(ctx, (hf_sv){ r->bytes + line->at, line->len });
	}
}
