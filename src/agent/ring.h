/* The last lines that went by, by their ids: bounded in number and in bytes, the oldest make room. */
#pragma once
#include "base/buffer.h"

struct hf_ring_line {
	size_t at, len; /* in the ring's bytes */
	uint64_t id_hash;
};

struct hf_ring {
	struct hf_ring_line *lines; /* lines_max of them, in turn from `first` */
	size_t lines_max, first, n;
	char *bytes; /* bytes_max of them, written round and round; no line goes over the end */
	size_t bytes_max, end;
};

void hf_ring_init(struct hf_ring *r, size_t lines_max, size_t bytes_max);
void hf_ring_done(struct hf_ring *r);
/* Keeps a copy; a line over bytes_max is not kept. */
void hf_ring_add(struct hf_ring *r, hf_sv id, hf_sv line);
/* Calls @visit with each line of that id, oldest first; @id empty: with all. */
void hf_ring_each(const struct hf_ring *r, hf_sv id, void (*visit)(void *ctx, hf_sv line), void *ctx);
