#include "base/map.h"

#include "base/hash.h"

static uint32_t *slot_of(const struct hf_map *m, hf_sv key, uint64_t hash)
{
	for (size_t i = (size_t)hash & (m->slots_n - 1);; i = (i + 1) & (m->slots_n - 1)) {
		uint32_t at = m->slots[i];
		if (!at || (m->entries[at - 1].hash == hash && hf_sv_eq(m->entries[at - 1].key, key)))
			return &m->slots[i];
	}
}

struct hf_map_entry *hf_map_find(const struct hf_map *m, hf_sv key)
{
	if (!m->n)
		return NULL;
	uint32_t at = *slot_of(m, key, hf_hash(key));
	return at ? &m->entries[at - 1] : NULL;
}

static bool grow(struct hf_map *m)
{
	size_t slots_n = m->slots_n ? m->slots_n * 2 : 16;
	uint32_t *slots = hf_arena_array(m->arena, uint32_t, slots_n);

	if (!slots || m->n >= UINT32_MAX / 2)
		return false;
	m->slots = slots;
	m->slots_n = slots_n;
	for (size_t i = 0; i < m->n; i++)
		*slot_of(m, m->entries[i].key, m->entries[i].hash) = (uint32_t)(i + 1);
	return true;
}

struct hf_map_entry *hf_map_put(struct hf_map *m, hf_sv key)
{
	if (m->n * 4 >= m->slots_n * 3 && !grow(m))
		return NULL;
	uint64_t hash = hf_hash(key);
	uint32_t *slot = slot_of(m, key, hash);
	if (*slot)
		return &m->entries[*slot - 1];
	struct hf_map_entry *e =
		hf_vec_push_(m->arena, (void **)&m->entries, &m->n, &m->entries_slots, sizeof *m->entries);
	if (!e)
		return NULL;
	*e = (struct hf_map_entry){ .key = key, .hash = hash };
	*slot = (uint32_t)m->n;
	return e;
}
