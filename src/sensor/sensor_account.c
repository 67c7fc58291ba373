/* Counts by kind and container, and what was lost. */
#include "sensor/sensor_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { GONE_AFTER_NS = 2000000000 };

void hf_sensor_count(struct hf_sensor *s, uint32_t kind, uint64_t cgroup_id, size_t offset_of_count, uint64_t n)
{
	struct hf_pair_counts *p = hf_counts_at(&s->counts, cgroup_id, kind);
	struct hf_sensor_counts *c = p ? &p->counts : &s->unplaced_counts[kind];

	*(uint64_t *)((char *)c + offset_of_count) += n;
}

static uint64_t dropped(const struct hf_sensor_counts *c)
{
	return c->dropped_ring + c->dropped_rate + c->dropped_map + c->dropped_unreadable + c->dropped_queue;
}

static struct hf_sensor_counts of_kernel(const struct hf_kernel_counts *c)
{
	return (struct hf_sensor_counts){ .seen = c->seen,
					  .known = c->known,
					  .delivered = c->delivered,
					  .dropped_ring = c->dropped[HF_DROP_RING],
					  .dropped_rate = c->dropped[HF_DROP_RATE],
					  .dropped_map = c->dropped[HF_DROP_MAP],
					  .dropped_unreadable = c->dropped[HF_DROP_UNREADABLE] };
}

struct account {
	struct hf_sensor *s;
	hf_sensor_account_fn *visit;
	void *ctx;
	struct hf_sensor_counts elsewhere[HF_EVENT_KINDS];
};

static void visit_kernel(void *ctx, uint32_t kind, uint64_t cgroup_id, const struct hf_kernel_counts *c)
{
	struct account *a = ctx;
	struct hf_sensor_counts counts = of_kernel(c);

	if (kind >= HF_EVENT_KINDS || (hf_sensor_ignored(a->s, cgroup_id) && !a->s->options.host))
		return;
	if (!cgroup_id)
		hf_sensor_counts_add(&a->elsewhere[kind], &counts);
	else
		a->visit(a->ctx, kind, hf_containers_find(a->s->containers, cgroup_id), cgroup_id, &counts);
}

static void account(struct hf_sensor *s, bool with_gone, hf_sensor_account_fn *visit, void *ctx)
{
	struct account a = { .s = s, .visit = visit, .ctx = ctx };

	if (s->perf)
		hf_perf_settle(s->perf);
	memcpy(a.elsewhere, s->unplaced_counts, sizeof a.elsewhere);
	for (unsigned kind = 0; with_gone && kind < HF_EVENT_KINDS; kind++)
		hf_sensor_counts_add(&a.elsewhere[kind], &s->gone_counts[kind]);
	hf_kernel_account(s->kernel, visit_kernel, &a);
	for (size_t i = 0; i < HF_COUNTS_SLOTS; i++) {
		const struct hf_pair_counts *p = &s->counts.slots[i];

		if (!p->kind || !p->counts.seen)
			continue;
		if (!p->cgroup_id)
			hf_sensor_counts_add(&a.elsewhere[p->kind - 1], &p->counts);
		else
			visit(ctx, p->kind - 1, hf_containers_find(s->containers, p->cgroup_id), p->cgroup_id,
			      &p->counts);
	}
	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
		struct hf_sensor_counts *c = &a.elsewhere[kind];
		uint64_t unwanted = s->unwanted[kind] < c->delivered ? s->unwanted[kind] : c->delivered;

		c->seen -= unwanted;
		c->delivered -= unwanted;
		if (c->seen)
			visit(ctx, kind, NULL, 0, c);
	}
}

void hf_sensor_account(struct hf_sensor *s, hf_sensor_account_fn *visit, void *ctx)
{
	account(s, true, visit, ctx);
}

struct sweep {
	struct hf_sensor *s;
	uint64_t before_ns;
};

static int by_id(const void *a, const void *b)
{
	const struct hf_gone *x = a, *y = b;

	return (x->cgroup_id > y->cgroup_id) - (x->cgroup_id < y->cgroup_id);
}

static bool is_over(const void *ctx, uint64_t cgroup_id)
{
	const struct sweep *w = ctx;
	const struct hf_gone *g =
		bsearch(&(struct hf_gone){ cgroup_id, 0 }, w->s->gone, w->s->gone_n, sizeof *g, by_id);

	return g && g->since_ns <= w->before_ns;
}

static void fold(void *ctx, uint32_t kind, uint64_t cgroup_id, const struct hf_kernel_counts *c)
{
	struct sweep *w = ctx;
	struct hf_sensor_counts counts = of_kernel(c);

	if (kind < HF_EVENT_KINDS && cgroup_id && is_over(w, cgroup_id))
		hf_sensor_counts_add(&w->s->gone_counts[kind], &counts);
}

struct report {
	struct hf_sensor *s;
	const struct sweep *over; /* only these containers */
	bool all;
	struct hf_err *err;
	int code;
};

static void reasons(struct hf_sensor *s, const struct hf_sensor_counts *c, struct hf_event *e)
{
	const struct {
		const char *name;
		uint64_t n;
	} all[] = { { "ring_full", c->dropped_ring },
		    { "rate_limit", c->dropped_rate },
		    { "map_full", c->dropped_map },
		    { "unreadable", c->dropped_unreadable },
		    { "queue_full", c->dropped_queue } };
	hf_sv *list = hf_arena_array(&s->arena, hf_sv, HF_ARRAY_SIZE(all));
	size_t n = 0;

	for (size_t i = 0; list && i < HF_ARRAY_SIZE(all); i++)
		if (all[i].n)
			list[n++] = hf_arena_fmt(&s->arena, "%s=%" PRIu64, all[i].name, all[i].n);
	if (n)
		hf_event_set_list(e, HF_FIELD_LOSS_REASONS, list, n);
}

static void report_pair(void *ctx, enum hf_event_kind kind, const struct hf_container *container, uint64_t cgroup_id,
			const struct hf_sensor_counts *c)
{
	struct report *r = ctx;
	struct hf_sensor *s = r->s;
	uint64_t lost = dropped(c);
	struct hf_pair_counts *before = lost ? hf_counts_at(&s->reported, cgroup_id, kind) : NULL;

	/* Without a place to remember it by, it is told at the end, not each second. */
	if (r->over && (!cgroup_id || !is_over(r->over, cgroup_id)))
		return;
	if (r->code < 0 || (!r->all && (!lost || !before || before->reported_dropped >= lost)))
		return;
	if (before)
		before->reported_dropped = lost;
	hf_arena_reset(&s->arena);
	memset(&s->event, 0, sizeof s->event);
	s->event.kind = HF_EVENT_LOSS;
	if (cgroup_id)
		hf_event_set_uint(&s->event, HF_FIELD_CONTAINER_CGROUP_ID, cgroup_id);
	if (container)
		hf_container_describe(container, &s->event);
	hf_event_set_string(&s->event, HF_FIELD_LOSS_KIND, hf_sv_of(hf_event_kind_name(kind)));
	hf_event_set_uint(&s->event, HF_FIELD_LOSS_SEEN, c->seen);
	hf_event_set_uint(&s->event, HF_FIELD_LOSS_KNOWN, c->known);
	hf_event_set_uint(&s->event, HF_FIELD_LOSS_DELIVERED, c->delivered);
	hf_event_set_uint(&s->event, HF_FIELD_LOSS_DROPPED, lost);
	reasons(s, c, &s->event);
	hf_sensor_stamp(s, &s->event);
	r->code = s->sink->take(s->sink->ctx, &s->event, r->err);
}

int hf_sensor_sweep(struct hf_sensor *s, uint64_t now_ns, bool all, struct hf_err *err)
{
	struct sweep w = { s, all ? UINT64_MAX : now_ns - GONE_AFTER_NS };
	struct report r = { .s = s, .over = &w, .all = true, .err = err };
	size_t kept = 0, over = 0;

	for (size_t i = 0; i < s->gone_n; i++)
		over += s->gone[i].since_ns <= w.before_ns;
	if (!over)
		return 0;
	qsort(s->gone, s->gone_n, sizeof *s->gone, by_id);
	if (s->sink) /* the last word about each; from here on they are one sum */
		account(s, false, report_pair, &r);
	hf_kernel_account(s->kernel, fold, &w);
	hf_counts_fold(&s->counts, is_over, &w, s->gone_counts);
	hf_counts_fold(&s->reported, is_over, &w, NULL);
	for (size_t i = 0; i < s->gone_n; i++)
		if (s->gone[i].since_ns <= w.before_ns)
			hf_kernel_forget(s->kernel, s->gone[i].cgroup_id);
		else
			s->gone[kept++] = s->gone[i];
	s->gone_n = kept;
	return r.code;
}

int hf_sensor_report(struct hf_sensor *s, bool all, const struct hf_event_sink *sink, struct hf_err *err)
{
	struct report r = { .s = s, .all = all, .err = err };

	s->sink = sink;
	if (all)
		r.code = hf_sensor_sweep(s, 0, true, err);
	account(s, false, report_pair, &r);
	return r.code;
}

static void sum_lost(void *ctx, enum hf_event_kind kind, const struct hf_container *container, uint64_t cgroup_id,
		     const struct hf_sensor_counts *c)
{
	uint64_t *sum = ctx;

	(void)kind;
	(void)container;
	(void)cgroup_id;
	*sum += dropped(c);
}

uint64_t hf_sensor_lost(struct hf_sensor *s)
{
	uint64_t sum = 0;

	account(s, true, sum_lost, &sum);
	return sum;
}
