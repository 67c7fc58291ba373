#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/state_internal.h"
#include "base/limits.h"
#include "sink/render.h"

enum {
	EVENTS_MAX = 4096,
	ALERTS_MAX = 1024,
	CONTAINERS_MAX = 2048,
	RULES_MAX = 512,
	EXECUTABLES_MAX = 1024,
	TURN_S = 10
};

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

int hf_state_open(const struct hf_state_options *options, struct hf_state **ret, struct hf_err *err)
{
	struct hf_state *s = hf_calloc(1, sizeof *s);

	pthread_mutex_init(&s->lock, NULL);
	hf_ring_init(&s->events, EVENTS_MAX, HF_MIB(2));
	hf_ring_init(&s->alerts, ALERTS_MAX, HF_MIB(2));
	hf_counters_init(&s->containers, CONTAINERS_MAX);
	hf_counters_init(&s->rules, RULES_MAX);
	hf_counters_init(&s->executables, EXECUTABLES_MAX);
	s->counts = hf_calloc(HF_STATE_COUNTS_MAX, sizeof *s->counts);
	snprintf(s->mode, sizeof s->mode, "%s", options->mode ? options->mode : "watch");
	s->started_s = s->turned_s = now_s();
	s->listener = s->stop_fd = -1;
	int code = hf_state_server_open(s, options->folder ? options->folder : HF_STATE_FOLDER, err);
	if (code < 0) {
		hf_state_close(s);
		return code;
	}
	*ret = s;
	return 0;
}

void hf_state_close(struct hf_state *s)
{
	if (!s)
		return;
	hf_state_server_close(s);
	hf_ring_done(&s->events);
	hf_ring_done(&s->alerts);
	hf_counters_done(&s->containers);
	hf_counters_done(&s->rules);
	hf_counters_done(&s->executables);
	free(s->counts);
	free(s->seeds);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The last word about each part; a part that nobody heard of before finds no place once there are too many. */
static void keep_part(struct hf_state *s, const struct hf_event *e)
{
	hf_sv part = hf_event_string(e, HF_FIELD_HEALTH_PART);
	size_t i = 0;

	while (i < s->parts_n && !hf_sv_eq(hf_sv_of(s->parts[i].part), part))
		i++;
	if (i == HF_STATE_PARTS_MAX || part.len >= sizeof s->parts[0].part)
		return;
	s->parts_n += i == s->parts_n;
	struct hf_state_part *p = &s->parts[i];
	hf_escape_controls(p->part, sizeof p->part, part);
	hf_escape_controls(p->state, sizeof p->state, hf_event_string(e, HF_FIELD_HEALTH_STATE));
	hf_escape_controls(p->message, sizeof p->message, hf_event_string(e, HF_FIELD_HEALTH_MESSAGE));
	hf_escape_controls(p->time, sizeof p->time, hf_event_string(e, HF_FIELD_TIME));
}

void hf_state_take(struct hf_state *s, const struct hf_event *e, hf_sv json)
{
	bool alert = e->kind == HF_EVENT_ALERT;
	hf_sv id = hf_event_string(e, HF_FIELD_ID);
	char name[HF_COUNTERS_NAME_MAX * 4];
	struct hf_buf container = { .ptr = name, .size = sizeof name, .max = sizeof name };

	hf_render_container(e, &container);
	pthread_mutex_lock(&s->lock);
	/* A container's last account says nothing unless something was lost, and there are as many as containers. */
	bool says_nothing = e->kind == HF_EVENT_LOSS && !hf_event_uint(e, HF_FIELD_LOSS_DROPPED);

	/* An alert is found by the id of its event too. */
	if (alert)
		hf_ring_add(&s->alerts, hf_event_string(e, HF_FIELD_ALERT_EVENT), json);
	else if (id.len && !says_nothing)
		hf_ring_add(&s->events, id, json);
	s->kinds[e->kind]++;
	if (e->kind == HF_EVENT_HEALTH)
		keep_part(s, e);
	if (e->kind != HF_EVENT_HEALTH && e->kind != HF_EVENT_LOSS) {
		hf_counters_add(&s->containers, hf_buf_view(&container), alert);
		hf_counters_add(&s->executables, hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH), alert);
	}
	if (alert) {
		hf_counters_add(&s->rules, hf_event_string(e, HF_FIELD_ALERT_RULE), false);
		s->severities[hf_render_severity(hf_event_string(e, HF_FIELD_ALERT_SEVERITY))]++;
	}
	pthread_mutex_unlock(&s->lock);
}

static void keep_seeds(struct hf_state *s, const struct hf_sink_numbers *n)
{
	s->seeds_n = n->seeds_n < HF_STATE_SEEDS_MAX ? n->seeds_n : HF_STATE_SEEDS_MAX;
	if (s->seeds_n && !s->seeds)
		s->seeds = hf_calloc(HF_STATE_SEEDS_MAX, sizeof *s->seeds);
	for (size_t i = 0; i < s->seeds_n; i++) {
		const struct hf_sink_seed *from = &n->seeds[i];
		struct hf_state_seed *to = &s->seeds[i];

		snprintf(to->image, sizeof to->image, "%.*s", HF_SV_FMT(from->image));
		snprintf(to->command, sizeof to->command, "%.*s", HF_SV_FMT(from->command));
		snprintf(to->state, sizeof to->state, "%.*s", HF_SV_FMT(from->state));
		snprintf(to->message, sizeof to->message, "%.*s", HF_SV_FMT(from->message));
		to->programs = from->programs;
	}
}

static void keep_numbers(struct hf_state *s, const struct hf_sink_numbers *n)
{
	s->counts_n = n->counts_n < HF_STATE_COUNTS_MAX ? n->counts_n : HF_STATE_COUNTS_MAX;
	s->counts_left_out = n->counts_n - s->counts_n;
	for (size_t i = 0; i < s->counts_n; i++) {
		const struct hf_sink_count *from = &n->counts[i];
		struct hf_state_count *to = &s->counts[i];

		*to = (struct hf_state_count){ .kind = from->kind,
					       .seen = from->seen,
					       .known = from->known,
					       .delivered = from->delivered,
					       .dropped = from->dropped };
		hf_escape_controls(to->container, sizeof to->container, from->container);
	}
	s->hooks_n = n->hooks_n < HF_STATE_HOOKS_MAX ? n->hooks_n : HF_STATE_HOOKS_MAX;
	for (size_t i = 0; i < s->hooks_n; i++) {
		hf_escape_controls(s->hooks[i].sees, sizeof s->hooks[i].sees, n->hooks[i].sees);
		hf_escape_controls(s->hooks[i].by, sizeof s->hooks[i].by, n->hooks[i].by);
		s->hooks[i].works = n->hooks[i].works;
	}
	keep_seeds(s, n);
	s->containers_n = n->containers;
	s->containers_pending = n->containers_pending;
	s->containers_unresolved = n->containers_unresolved;
}

void hf_state_tick(struct hf_state *s, const struct hf_sink_numbers *numbers, struct hf_sinks *sinks)
{
	uint64_t now = now_s();

	pthread_mutex_lock(&s->lock);
	if (now - s->turned_s >= TURN_S) {
		s->turned_s = now;
		hf_counters_turn(&s->containers);
		hf_counters_turn(&s->rules);
		hf_counters_turn(&s->executables);
	}
	if (numbers)
		keep_numbers(s, numbers);
	s->outputs_n = 0;
	while (sinks && s->outputs_n < HF_STATE_OUTPUTS_MAX &&
	       hf_sinks_state(sinks, s->outputs_n, &s->outputs[s->outputs_n]))
		s->outputs_n++;
	pthread_mutex_unlock(&s->lock);
}
