#include "catalog/path_set.h"

#include <stdlib.h>

#include "base/hash.h"

static const uint64_t KIND_MASK = 3;

uint64_t hf_path_set_key(uint64_t hash_or_slot)
{
	uint64_t h = hash_or_slot & ~KIND_MASK;

	return h ? h : ~KIND_MASK; /* a slot of 0 is free */
}

enum hf_path_kind hf_path_set_kind(uint64_t slot)
{
	return (enum hf_path_kind)(slot & KIND_MASK);
}

/* The lowest bits hold the kind, so the place comes from the others. */
static size_t place(const struct hf_path_set *s, uint64_t value)
{
	return (size_t)(value >> 2) & (s->slots_n - 1);
}

static void insert(struct hf_path_set *s, uint64_t value)
{
	size_t i = place(s, value);

	while (s->slots[i] && s->slots[i] != value)
		i = (i + 1) & (s->slots_n - 1);
	s->n += !s->slots[i];
	s->slots[i] = value;
}

void hf_path_set_add(struct hf_path_set *s, uint64_t hash, enum hf_path_kind kind)
{
	if (s->n * 4 >= s->slots_n * 3) {
		struct hf_path_set larger = { .slots_n = s->slots_n ? s->slots_n * 2 : 1024 };
		larger.slots = hf_calloc(larger.slots_n, sizeof *larger.slots);
		for (size_t i = 0; i < s->slots_n; i++)
			if (s->slots[i])
				insert(&larger, s->slots[i]);
		free(s->slots);
		*s = larger;
	}
	insert(s, hf_path_set_key(hash) | (uint64_t)kind);
}

bool hf_path_set_has(const struct hf_path_set *s, uint64_t hash, enum hf_path_kind kind)
{
	uint64_t value = hf_path_set_key(hash) | (uint64_t)kind;

	if (!s->n)
		return false;
	for (size_t i = place(s, value); s->slots[i]; i = (i + 1) & (s->slots_n - 1))
		if (s->slots[i] == value)
			return true;
	return false;
}

void hf_path_set_done(struct hf_path_set *s)
{
	free(s->slots);
	*s = (struct hf_path_set){ 0 };
}
