#include "catalog/path_set.h"

#include <stdlib.h>

#include "base/hash.h"

static const uint64_t KIND_MASK = 3;

static uint64_t slot_value(uint64_t hash, enum hf_path_kind kind)
{
	uint64_t h = hash & ~KIND_MASK;

	return (h ? h : ~KIND_MASK) | (uint64_t)kind;
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
	insert(s, slot_value(hash, kind));
}

unsigned hf_path_set_kinds(const struct hf_path_set *s, uint64_t hash)
{
	uint64_t value = slot_value(hash, 0);
	unsigned kinds = 0;

	if (!s->n)
		return 0;
	for (size_t i = place(s, value); s->slots[i]; i = (i + 1) & (s->slots_n - 1))
		if ((s->slots[i] & ~KIND_MASK) == value)
			kinds |= 1u << (s->slots[i] & KIND_MASK);
	return kinds;
}

bool hf_path_set_hides(const struct hf_path_set *s, hf_sv path)
{
	const unsigned here = 1u << HF_PATH_FILE | 1u << HF_PATH_DIR | 1u << HF_PATH_WHITEOUT;
	const unsigned above = 1u << HF_PATH_FILE | 1u << HF_PATH_WHITEOUT | 1u << HF_PATH_OPAQUE;

	if (!s->n)
		return false;
	if (hf_path_set_kinds(s, hf_hash(path)) & here)
		return true;
	while (path.len) {
		path = hf_sv_dirname(path);
		if (hf_path_set_kinds(s, hf_hash(path)) & above)
			return true;
	}
	return false;
}

void hf_path_set_done(struct hf_path_set *s)
{
	free(s->slots);
	*s = (struct hf_path_set){ 0 };
}
