#include "agent/ring.h"

#include <stdlib.h>

#include "base/hash.h"

void hf_ring_init(struct hf_ring *r, size_t lines_max, size_t bytes_max)
{
	*r = (struct hf_ring){ .lines = hf_calloc(lines_max, sizeof *r->lines),
			       .lines_max = lines_max,
			       .bytes_max = bytes_max };
}

static void drop_oldest(struct hf_ring *r)
{
	struct hf_ring_line *line = &r->lines[r->first];

	r->bytes -= line->len;
	free(line->bytes);
	r->first = (r->first + 1) % r->lines_max;
	r->n--;
}

void hf_ring_done(struct hf_ring *r)
{
	while (r->n)
		drop_oldest(r);
	free(r->lines);
	*r = (struct hf_ring){ 0 };
}

void hf_ring_add(struct hf_ring *r, hf_sv id, hf_sv line)
{
	if (!line.len || line.len > r->bytes_max)
		return;
	while (r->n == r->lines_max || r->bytes + line.len > r->bytes_max)
		drop_oldest(r);
	struct hf_ring_line *slot = &r->lines[(r->first + r->n++) % r->lines_max];
	*slot = (struct hf_ring_line){ hf_malloc(line.len), line.len, hf_hash(id) };
	memcpy(slot->bytes, line.ptr, line.len);
	r->bytes += line.len;
}

void hf_ring_each(const struct hf_ring *r, hf_sv id, void (*visit)(void *ctx, hf_sv line), void *ctx)
{
	uint64_t hash = hf_hash(id);

	for (size_t i = 0; i < r->n; i++) {
		const struct hf_ring_line *line = &r->lines[(r->first + i) % r->lines_max];
		if (!id.len || line->id_hash == hash)
			visit(ctx, (hf_sv){ line->bytes, line->len });
	}
}
