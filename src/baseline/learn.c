#include "baseline/learn.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/moment.h"
#include "baseline/observe.h"

enum { WORKLOADS_MAX = 4096 };
enum { WINDOW_ARENA_MAX = 4 << 20, CONTAINER_ARENA_MAX = 16 << 20 };

enum taint { CLEAN, BY_LOSS, BY_ALERT };

struct window {
	int64_t index;
	bool used;
	enum taint taint;
	struct hf_arena arena;
	struct hf_profile profile;
};

struct container {
	char *id;
	struct workload *workload;
	struct hf_arena arena;
	struct hf_profile profile;
	struct window windows[HF_LEARN_HELD]; /* by index % HF_LEARN_HELD */
	int64_t newest, last_loss, tainted_from, tainted_until;
	enum taint taint; /* of the windows from tainted_from to tainted_until, also those that are yet to come */
	uint64_t dropped[HF_EVENT_KINDS];
	uint64_t heard; /* running number of its last event */
	bool learned;   /* some window was clean */
};

struct workload {
	struct hf_arena arena;
	struct hf_profile profile;
};

struct hf_learn {
	struct hf_learn_options options;
	struct hf_learn_count count;
	struct container **containers;
	size_t containers_n;
	struct workload **workloads;
	const struct hf_profile **profiles;
	size_t workloads_n;
	uint64_t dropped[HF_EVENT_KINDS]; /* of losses without a container */
	int64_t last_loss;                /* the window of the last one */
	uint32_t parts;
	uint64_t used; /* bytes of all arenas */
};

struct hf_learn *hf_learn_new(const struct hf_learn_options *options)
{
	struct hf_learn *l = hf_calloc(1, sizeof *l);

	if (options)
		l->options = *options;
	if (!l->options.memory_max)
		l->options.memory_max = HF_MIB(256);
	if (!l->options.containers_max)
		l->options.containers_max = 1024;
	l->parts = l->options.parts;
	l->containers = hf_calloc(l->options.containers_max, sizeof(struct container *));
	return l;
}

static void window_end(struct hf_learn *l, struct window *w)
{
	l->used -= w->arena.total;
	hf_arena_done(&w->arena);
	w->used = false;
}

/* Takes a window that can no longer turn out to be unclean into the container's profile, or counts it as discarded. */
static void window_close(struct hf_learn *l, struct container *c, struct window *w)
{
	struct hf_profile *p = &c->profile;
	size_t before = c->arena.total;
	struct hf_err err = { 0 };

	if (!w->used)
		return;
	if (w->taint == BY_LOSS) {
		l->count.discarded_loss++;
		p->discarded_loss++;
	} else if (w->taint == BY_ALERT) {
		l->count.discarded_alert++;
		p->discarded_alert++;
	} else {
		w->profile.windows = 1;
		w->profile.replicas = 1;
		if (hf_profile_merge(p, &w->profile, true, &err))
			l->count.refused++;
		l->count.windows++;
		c->learned = true;
	}
	l->used += c->arena.total - before;
	window_end(l, w);
}

static void container_close(struct hf_learn *l, size_t at)
{
	struct container *c = l->containers[at];
	struct workload *w = c->workload;
	struct hf_err err = { 0 };

	for (int64_t i = c->newest - HF_LEARN_HELD + 1; i <= c->newest; i++) {
		struct window *window = &c->windows[(uint64_t)i % HF_LEARN_HELD];
		if (window->used && window->index == i)
			window_close(l, c, window);
	}
	size_t before = w->arena.total;
	c->profile.replicas = c->learned;
	if (hf_profile_merge(&w->profile, &c->profile, false, &err))
		l->count.refused++;
	l->used += w->arena.total - before;
	l->used -= c->arena.total;
	hf_arena_done(&c->arena);
	free(c->id);
	free(c);
	l->containers[at] = l->containers[--l->containers_n];
}

static void close_oldest(struct hf_learn *l)
{
	size_t oldest = 0;

	for (size_t i = 1; i < l->containers_n; i++)
		if (l->containers[i]->heard < l->containers[oldest]->heard)
			oldest = i;
	container_close(l, oldest);
	l->count.closed_early++;
}

static struct workload *workload_of(struct hf_learn *l, const struct hf_event *e, hf_sv owner)
{
	hf_sv image = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST);

	for (size_t i = 0; i < l->workloads_n; i++)
		if (hf_sv_eq(l->workloads[i]->profile.image_digest, image) &&
		    hf_sv_eq(l->workloads[i]->profile.owner, owner))
			return l->workloads[i];
	if (l->used > l->options.memory_max || l->workloads_n == WORKLOADS_MAX)
		return NULL;
	struct workload *w = hf_calloc(1, sizeof *w);
	w->arena = HF_ARENA(HF_PROFILE_ARENA_MAX);
	hf_profile_init(&w->profile, &w->arena, image, hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME), owner);
	l->used += w->arena.total;
	l->workloads = hf_realloc(l->workloads, (l->workloads_n + 1) * sizeof(struct workload *));
	l->profiles = hf_realloc(l->profiles, (l->workloads_n + 1) * sizeof(struct hf_profile *));
	l->profiles[l->workloads_n] = &w->profile;
	l->workloads[l->workloads_n++] = w;
	return w;
}

/* An id with another image or owner is another container, whatever a trace says of ids. */
static bool is_it(const struct container *c, const struct hf_event *e, hf_sv owner)
{
	hf_sv image = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST);

	return hf_sv_eq(hf_sv_of(c->id), hf_event_string(e, HF_FIELD_CONTAINER_ID)) &&
	       (!image.len || (hf_sv_eq(c->profile.image_digest, image) && hf_sv_eq(c->profile.owner, owner)));
}

static struct container *container_find(struct hf_learn *l, const struct hf_event *e, hf_sv owner)
{
	for (size_t i = 0; i < l->containers_n; i++)
		if (is_it(l->containers[i], e, owner)) {
			struct container *c = l->containers[i];
			/* the next event is likely to be its own again */
			l->containers[i] = l->containers[i / 2];
			l->containers[i / 2] = c;
			return c;
		}
	return NULL;
}

static struct container *container_of(struct hf_learn *l, const struct hf_event *e)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_MIB(1));
	hf_sv id = hf_event_string(e, HF_FIELD_CONTAINER_ID), owner = hf_profile_owner(e, &scratch);
	struct container *c = container_find(l, e, owner);

	if (c || !hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST).len)
		return c;
	while (l->containers_n && (l->containers_n == l->options.containers_max || l->used > l->options.memory_max))
		close_oldest(l);
	struct workload *w = workload_of(l, e, owner);
	if (!w) {
		l->count.refused++;
		return NULL;
	}
	c = hf_calloc(1, sizeof *c);
	c->id = hf_calloc(1, id.len + 1);
	if (id.len)
		memcpy(c->id, id.ptr, id.len);
	c->workload = w;
	c->arena = HF_ARENA(CONTAINER_ARENA_MAX);
	c->newest = c->tainted_until = INT64_MIN;
	hf_profile_init(&c->profile, &c->arena, c->workload->profile.image_digest, c->workload->profile.image_name,
			c->workload->profile.owner);
	l->used += c->arena.total;
	l->count.containers++;
	l->containers[l->containers_n++] = c;
	return c;
}

static int64_t window_index(const struct hf_event *e)
{
	return (int64_t)(hf_event_uint(e, HF_FIELD_MONOTONIC_NS) / 1000000000u / HF_LEARN_WINDOW_S);
}

static void advance(struct hf_learn *l, struct container *c, int64_t index)
{
	if (c->newest == INT64_MIN)
		c->last_loss = index;
	if (index <= c->newest)
		return;
	c->newest = index;
	for (size_t i = 0; i < HF_LEARN_HELD; i++)
		if (c->windows[i].used && c->windows[i].index <= index - HF_LEARN_HELD)
			window_close(l, c, &c->windows[i]);
}

static void taint(struct hf_learn *l, struct container *c, int64_t from, int64_t to, enum taint why)
{
	advance(l, c, to - 1);
	for (size_t i = 0; i < HF_LEARN_HELD; i++)
		if (c->windows[i].used && c->windows[i].index >= from && c->windows[i].index <= to)
			c->windows[i].taint = why;
	if (c->tainted_until == INT64_MIN || from > c->tainted_until + 1)
		c->tainted_from = from;
	if (to > c->tainted_until)
		c->tainted_until = to;
	c->taint = why;
}

static void take_alert(struct hf_learn *l, const struct hf_event *e)
{
	struct container *c = container_of(l, e);
	int64_t index = window_index(e);

	if (c && !hf_event_has(e, HF_FIELD_ALERT_EXCEPTION))
		taint(l, c, index - 1, index + 1, BY_ALERT);
}

static void take_loss(struct hf_learn *l, const struct hf_event *e)
{
	uint64_t dropped = hf_event_uint(e, HF_FIELD_LOSS_DROPPED);
	enum hf_event_kind kind = HF_EVENT_LOSS;
	int64_t index = window_index(e);
	bool all = !hf_event_has(e, HF_FIELD_CONTAINER_ID);
	struct container *c = all ? NULL : container_of(l, e);

	hf_event_kind_of(hf_event_string(e, HF_FIELD_LOSS_KIND), &kind);
	if (!all && !c)
		return;
	uint64_t *before = all ? &l->dropped[kind] : &c->dropped[kind];
	bool grew = dropped > *before;
	*before = dropped;
	for (size_t i = 0; i < l->containers_n; i++)
		if (grew && (all || l->containers[i] == c))
			taint(l, l->containers[i], all ? l->last_loss : c->last_loss, index + 1, BY_LOSS);
	if (all)
		l->last_loss = index;
	else
		c->last_loss = index;
}

static struct window *window_of(struct hf_learn *l, struct container *c, int64_t index)
{
	struct window *w = &c->windows[(uint64_t)index % HF_LEARN_HELD];

	advance(l, c, index);
	if (w->used && w->index == index)
		return w;
	if (w->used || index <= c->newest - HF_LEARN_HELD)
		return NULL;
	*w = (struct window){
		.index = index,
		.used = true,
		.taint = index <= c->tainted_until && index >= c->tainted_from ? c->taint : CLEAN,
		.arena = HF_ARENA(WINDOW_ARENA_MAX),
	};
	hf_profile_init(&w->profile, &w->arena, c->profile.image_digest, c->profile.image_name, c->profile.owner);
	l->used += w->arena.total;
	return w;
}

static void learn_one(struct hf_profile *p, const struct hf_observation *o, const struct hf_sighting *seen)
{
	struct hf_profile_entry *entry;

	if (o->unknowable)
		return;
	entry = hf_profile_add(p, o->part, o->object, o->details[0], seen);
	if (!entry)
		return;
	entry->seen.replicas = 1; /* a window is of one container, however often it does it */
	if (o->details[1].len) {
		const struct hf_sighting nothing = { 0 };
		hf_profile_add(p, o->part, o->object, o->details[1], &nothing);
	}
	if (o->part == HF_PROFILE_EXECUTABLES && o->arguments && !o->arguments_cut)
		hf_profile_add_arguments(p, entry, o->arguments, o->arguments_n);
}

static void take_observations(struct hf_learn *l, const struct hf_event *e)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_MIB(4));
	struct hf_observations seen = hf_observe(e, &scratch);
	struct hf_sighting sighting = { .origin = HF_ORIGIN_LEARNED, .replicas = 1, .count = 1 };
	struct container *c = seen.n ? container_of(l, e) : NULL;

	if (!seen.n)
		return;
	if (!c) {
		l->count.without_image += !hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST).len;
		return;
	}
	struct window *w = window_of(l, c, window_index(e));
	if (!w) {
		l->count.late++;
		return;
	}
	c->heard = l->count.events;
	if (hf_moment_parse(hf_event_string(e, HF_FIELD_TIME), &sighting.first_s))
		sighting.last_s = sighting.first_s;
	size_t before = w->arena.total;
	for (size_t i = 0; i < seen.n; i++)
		learn_one(&w->profile, &seen.at[i], &sighting);
	l->used += w->arena.total - before;
	l->count.observations += seen.n;
	if (sighting.first_s && (!w->profile.first_s || sighting.first_s < w->profile.first_s))
		w->profile.first_s = sighting.first_s;
	if (sighting.last_s > w->profile.last_s)
		w->profile.last_s = sighting.last_s;
	if (w->arena.over) { /* half a window is none */
		l->count.refused++;
		w->taint = BY_LOSS;
	}
	while (l->used > l->options.memory_max && l->containers_n)
		close_oldest(l);
}

void hf_learn_take(struct hf_learn *l, const struct hf_event *e)
{
	l->count.events++;
	if (e->kind == HF_EVENT_ALERT)
		take_alert(l, e);
	else if (e->kind == HF_EVENT_LOSS)
		take_loss(l, e);
	else if (hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		l->count.setup++;
	else {
		if (hf_event_has(e, HF_FIELD_CONTAINER_ID))
			l->parts |= hf_observe_parts(e->kind);
		take_observations(l, e);
	}
}

int hf_learn_sink(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	(void)err;
	hf_learn_take(ctx, e);
	return 0;
}

const struct hf_profile *const *hf_learn_finish(struct hf_learn *l, size_t *ret_n)
{
	while (l->containers_n)
		container_close(l, 0);
	for (size_t i = 0; i < l->workloads_n; i++)
		for (unsigned part = 0; part < HF_PROFILE_PARTS; part++)
			if (l->parts & 1u << part && l->workloads[i]->profile.windows)
				hf_profile_cover(&l->workloads[i]->profile, part);
	*ret_n = l->workloads_n;
	return l->profiles;
}

struct hf_learn_count hf_learn_count(const struct hf_learn *l)
{
	struct hf_learn_count count = l->count;

	count.memory = l->used;
	return count;
}

void hf_learn_free(struct hf_learn *l)
{
	if (!l)
		return;
	while (l->containers_n)
		container_close(l, 0);
	for (size_t i = 0; i < l->workloads_n; i++) {
		hf_arena_done(&l->workloads[i]->arena);
		free(l->workloads[i]);
	}
	free(l->workloads);
	free(l->profiles);
	free(l->containers);
	free(l);
}
