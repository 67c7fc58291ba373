/* hf_map: from strings to pointers, in an arena, iterated in the order of insertion so that output is stable. */
#pragma once
#include "base/arena.h"

struct hf_map_entry {
	hf_sv key; /* borrowed: the caller sees to it that it lives as long as the map */
	void *value;
	uint64_t hash;
};

struct hf_map {
	struct hf_arena *arena;
	struct hf_map_entry *entries; /* n of them, in order of insertion */
	size_t n, entries_slots;
	uint32_t *slots; /* index + 1 into entries, 0: free; a power of two */
	size_t slots_n;
};

#define HF_MAP(a) ((struct hf_map){ .arena = (a) })

/* The entry of @key, NULL where there is none. */
struct hf_map_entry *hf_map_find(const struct hf_map *m, hf_sv key);
/* The entry of @key, made with value NULL where there was none; NULL on the arena's cap. Entries move when the map grows. */
struct hf_map_entry *hf_map_put(struct hf_map *m, hf_sv key);
