#include "sensor/counts.h"

#include <stdlib.h>

#include "base/error.h"

/* How far a pair may stand from its place. A table this full that it does not do is as good as full. */
enum { REACH = 256 };

void hf_counts_init(struct hf_counts *t)
{
	*t = (struct hf_counts){ .slots = hf_calloc(HF_COUNTS_SLOTS, sizeof *t->slots) };
}

void hf_counts_done(struct hf_counts *t)
{
	free(t->slots);
	*t = (struct hf_counts){ 0 };
}

static size_t place(uint64_t cgroup_id, uint32_t kind)
{
	uint64_t hash = cgroup_id * UINT64_C(0x9e3779b97f4a7c15) + kind * UINT64_C(0xc2b2ae3d27d4eb4f);

	return (size_t)(hash >> 40) % HF_COUNTS_SLOTS;
}

struct hf_pair_counts *hf_counts_at(struct hf_counts *t, uint64_t cgroup_id, uint32_t kind)
{
	size_t at = place(cgroup_id, kind);

	for (size_t i = 0; i < REACH; i++) {
		struct hf_pair_counts *p = &t->slots[(at + i) % HF_COUNTS_SLOTS];

		if (!p->kind) {
			*p = (struct hf_pair_counts){ .cgroup_id = cgroup_id, .kind = kind + 1 };
			t->n++;
		}
		if (p->kind == kind + 1 && p->cgroup_id == cgroup_id)
			return p;
	}
	t->refused++;
	return NULL;
}

/* Closes the gap, so that no pair behind it is out of reach and none has to be kept as a grave. */
static void take_out(struct hf_counts *t, size_t gap)
{
	for (size_t i = 1; i < HF_COUNTS_SLOTS; i++) {
		size_t at = (gap + i) % HF_COUNTS_SLOTS;
		const struct hf_pair_counts *p = &t->slots[at];

		if (!p->kind)
			break;
		size_t home = place(p->cgroup_id, p->kind - 1);
		if ((at - home) % HF_COUNTS_SLOTS < i)
			continue;
		t->slots[gap] = *p;
		gap = at;
		i = 0;
	}
	t->slots[gap] = (struct hf_pair_counts){ 0 };
	t->n--;
}

void hf_counts_fold(struct hf_counts *t, hf_counts_over_fn *is_over, const void *ctx, struct hf_sensor_counts *into)
{
	for (size_t i = 0; i < HF_COUNTS_SLOTS;) {
		const struct hf_pair_counts *p = &t->slots[i];

		if (!p->kind || !p->cgroup_id || !is_over(ctx, p->cgroup_id)) {
			i++;
			continue;
		}
		if (into)
			hf_sensor_counts_add(&into[p->kind - 1], &p->counts);
		take_out(t, i); /* another one may stand here now */
	}
}

void hf_sensor_counts_add(struct hf_sensor_counts *to, const struct hf_sensor_counts *c)
{
	to->seen += c->seen;
	to->known += c->known;
	to->delivered += c->delivered;
	to->dropped_ring += c->dropped_ring;
	to->dropped_rate += c->dropped_rate;
	to->dropped_map += c->dropped_map;
	to->dropped_unreadable += c->dropped_unreadable;
	to->dropped_queue += c->dropped_queue;
}
