#include "agent/numbers.h"

#include <stdlib.h>

#include "base/limits.h"

enum { RUNGS_MAX = 64 };

#define NAMES_BYTES_MAX HF_MIB(4)

struct hf_numbers {
	struct hf_sensor_rung rungs[RUNGS_MAX];
	struct hf_sink_hook hooks[RUNGS_MAX];
	struct hf_arena arena; /* of one gathering: containers may lose their names before the next one */
	HF_VEC(struct hf_sink_count) counts;
	struct hf_sink_numbers numbers;
};

struct hf_numbers *hf_numbers_new(void)
{
	struct hf_numbers *n = hf_calloc(1, sizeof *n);

	n->numbers.hooks_n = hf_sensor_probe(n->rungs, RUNGS_MAX);
	if (n->numbers.hooks_n > RUNGS_MAX)
		n->numbers.hooks_n = RUNGS_MAX;
	for (size_t i = 0; i < n->numbers.hooks_n; i++)
		n->hooks[i] = (struct hf_sink_hook){ .sees = hf_sv_of(n->rungs[i].sees),
						     .by = hf_sv_of(n->rungs[i].by),
						     .works = n->rungs[i].works };
	n->numbers.hooks = n->hooks;
	n->arena = HF_ARENA(NAMES_BYTES_MAX);
	return n;
}

void hf_numbers_free(struct hf_numbers *n)
{
	if (n)
		hf_arena_done(&n->arena);
	free(n);
}

static void account(void *ctx, enum hf_event_kind kind, const struct hf_container *container, uint64_t cgroup_id,
		    const struct hf_sensor_counts *c)
{
	struct hf_numbers *n = ctx;
	struct hf_sink_count *slot = hf_vec_push(&n->arena, &n->counts);
	hf_sv name = !container ? (hf_sv){ 0 } : container->name.len ? container->name : hf_sv_first(container->id, 12);

	(void)cgroup_id;
	if (!slot)
		return;
	*slot = (struct hf_sink_count){
		.kind = kind,
		.container = hf_arena_dup(&n->arena, name),
		.seen = c->seen,
		.known = c->known,
		.delivered = c->delivered,
		.dropped =
			c->dropped_ring + c->dropped_rate + c->dropped_map + c->dropped_unreadable + c->dropped_queue,
	};
}

const struct hf_sink_numbers *hf_numbers_gather(struct hf_numbers *n, struct hf_sensor *sensor,
						const struct hf_containers *containers, struct hf_seeder *seeder)
{
	struct hf_containers_count count = hf_containers_count(containers);

	hf_arena_reset(&n->arena);
	memset(&n->counts, 0, sizeof n->counts);
	hf_sensor_account(sensor, account, n);
	n->numbers.counts = n->counts.at;
	n->numbers.counts_n = n->counts.n;
	n->numbers.seeds_n = 0;
	n->numbers.seeds = seeder ? hf_seeder_states(seeder, &n->numbers.seeds_n) : NULL;
	n->numbers.containers = count.known;
	n->numbers.containers_pending = count.pending;
	n->numbers.containers_unresolved = count.unresolved;
	return &n->numbers;
}
