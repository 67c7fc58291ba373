/* From a filled event to one that is handed out: number, time, process tree, container; held until the container has a name. */
#include "sensor/sensor_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"

enum { CLOCK_JUMP_NS = 1000000000 };

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t hf_sensor_now_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

int hf_sensor_clock(struct hf_sensor *s, uint64_t now_ns, struct hf_err *err)
{
	int64_t offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC), moved = offset - s->clock_offset_ns;
	bool first = !s->clock_read_ns;
	char text[160];

	s->clock_read_ns = now_ns;
	s->clock_offset_ns = offset;
	if (first || (moved < CLOCK_JUMP_NS && moved > -CLOCK_JUMP_NS) || !s->sink)
		return 0;
	snprintf(text, sizeof text,
		 "the wall clock was moved by %" PRId64 " ms; monotonic_ns keeps the order of events", moved / 1000000);
	return hf_sensor_health(s, "clock", "degraded", text, s->sink, err);
}

void hf_sensor_stamp(struct hf_sensor *s, struct hf_event *e)
{
	uint64_t at = hf_event_uint(e, HF_FIELD_MONOTONIC_NS);
	int64_t wall = (int64_t)(at ? at : hf_sensor_now_ns()) + s->clock_offset_ns;
	time_t seconds = (time_t)(wall / 1000000000);
	struct tm tm;

	if (!at)
		hf_event_set_uint(e, HF_FIELD_MONOTONIC_NS, (uint64_t)(wall - s->clock_offset_ns));
	int n = snprintf(s->id, sizeof s->id, "%" PRIx64 "-%" PRIu64, s->started_s, ++s->sequence);
	hf_event_set_string(e, HF_FIELD_ID, (hf_sv){ s->id, (size_t)n });
	gmtime_r(&seconds, &tm);
	size_t m = strftime(s->time, sizeof s->time, "%Y-%m-%dT%H:%M:%S", &tm);
	m += (size_t)snprintf(s->time + m, sizeof s->time - m, ".%09" PRId64 "Z", wall % 1000000000);
	hf_event_set_string(e, HF_FIELD_TIME, (hf_sv){ s->time, m });
}

bool hf_sensor_ignored(const struct hf_sensor *s, uint64_t cgroup_id)
{
	return cgroup_id && s->ignored[cgroup_id % HF_IGNORED_SLOTS] == cgroup_id;
}

static int out(struct hf_sensor *s, struct hf_event *e, const struct hf_container *c, struct hf_err *err)
{
	if (c)
		hf_container_describe(c, e);
	hf_sensor_stamp(s, e);
	return s->sink->take(s->sink->ctx, e, err);
}

static bool hold(struct hf_sensor *s, uint64_t cgroup_id)
{
	struct hf_held *h;

	if (s->held_n >= HF_HELD_MAX) {
		s->held_refused++;
		return false;
	}
	h = hf_calloc(1, sizeof *h);
	h->arena = HF_ARENA(HF_KIB(64));
	h->cgroup_id = cgroup_id;
	h->event = hf_event_copy(&h->arena, &s->event);
	if (!h->event) {
		hf_arena_done(&h->arena);
		free(h);
		s->held_refused++;
		return false;
	}
	if (s->held_last)
		s->held_last->next = h;
	else
		s->held_first = h;
	s->held_last = h;
	s->held_n++;
	return true;
}

int hf_sensor_release(struct hf_sensor *s, bool all, struct hf_err *err)
{
	struct hf_held **at = &s->held_first, *last = NULL;
	int code = 0;

	while (*at && code >= 0) {
		struct hf_held *h = *at;
		const struct hf_container *c = hf_containers_find(s->containers, h->cgroup_id);

		if (!all && c && c->state == HF_CONTAINER_PENDING) {
			last = h;
			at = &h->next;
			continue;
		}
		code = out(s, h->event, c, err);
		*at = h->next;
		s->held_n--;
		hf_arena_done(&h->arena);
		free(h);
	}
	if (!*at)
		s->held_last = last;
	return code;
}

static void network_names(struct hf_sensor *s, uint64_t cgroup_id, struct hf_event *e)
{
	hf_sv address = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS);

	if (e->kind == HF_EVENT_DNS) {
		const struct hf_value *list = &e->values[HF_FIELD_DNS_ADDRESSES];

		for (size_t i = 0; list->type == HF_VALUE_LIST && i < list->n; i++)
			hf_lookups_put(&s->lookups, cgroup_id, list->list[i], hf_event_string(e, HF_FIELD_DNS_NAME));
		return;
	}
	if (!address.len)
		return;
	hf_sv name = hf_lookups_name(&s->lookups, cgroup_id, address);
	const struct hf_container *c = hf_containers_of_address(s->containers, address);

	if (name.len)
		hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_NAME, hf_arena_dup(&s->arena, name));
	if (c)
		hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_CONTAINER,
				    hf_arena_dup(&s->arena, c->name.len ? c->name : c->id));
}

int hf_sensor_hand(struct hf_sensor *s, uint64_t cgroup_id, uint64_t execution, struct hf_err *err)
{
	struct hf_event *e = &s->event;
	const struct hf_execution *x = hf_executions_find(&s->executions, execution);

	/* What the runtime did is not what the same process became later. */
	if (!x && hf_event_has(e, HF_FIELD_PROCESS_PID) && !hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		x = hf_executions_of_pid(&s->executions, (uint32_t)hf_event_uint(e, HF_FIELD_PROCESS_PID),
					 hf_event_uint(e, HF_FIELD_MONOTONIC_NS));
	if (x) {
		hf_execution_describe(&s->executions, x, &s->arena, e);
		if (!hf_event_has(e, HF_FIELD_PROCESS_SETUP))
			hf_event_set_bool(e, HF_FIELD_PROCESS_SETUP, x->flags & HF_PROCESS_SETUP);
		if (!hf_event_has(e, HF_FIELD_PROCESS_ENTERED))
			hf_event_set_bool(e, HF_FIELD_PROCESS_ENTERED, x->flags & HF_PROCESS_ENTERED);
	}
	network_names(s, cgroup_id, e);
	const struct hf_container *c = hf_containers_find(s->containers, cgroup_id);

	/* Modules, BPF programs and signals to the agent are told of wherever they come from, which may be no container. */
	bool anywhere = e->kind == HF_EVENT_SIGNAL || e->kind == HF_EVENT_MODULE || e->kind == HF_EVENT_BPF;
	if (!c && !s->options.host && !anywhere && hf_sensor_ignored(s, cgroup_id))
		return 0;

	bool unwanted = false;
	if (!c && cgroup_id && !s->options.host && !anywhere && e->kind != HF_EVENT_CONTAINER_START &&
	    e->kind != HF_EVENT_CONTAINER_STOP)
		c = hf_sensor_stranger(s, cgroup_id, (uint32_t)hf_event_uint(e, HF_FIELD_PROCESS_PID), &unwanted);
	if (unwanted) {
		s->unwanted[e->kind]++;
		return 0;
	}
	if (!c && cgroup_id && !s->options.host && !anywhere) {
		hf_event_set_uint(e, HF_FIELD_CONTAINER_CGROUP_ID, cgroup_id);
		hf_event_set_string(e, HF_FIELD_CONTAINER_IDENTITY, HF_SV("unresolved"));
		hf_event_set_string(e, HF_FIELD_CONTAINER_UNRESOLVED, HF_SV("the birth of its cgroup was not seen"));
	}
	if (c && c->state == HF_CONTAINER_PENDING && hold(s, cgroup_id))
		return 0;
	return out(s, e, c, err);
}
