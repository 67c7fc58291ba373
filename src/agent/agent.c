#include "agent/agent.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "agent/known.h"
#include "agent/numbers.h"
#include "agent/seeder.h"
#include "base/limits.h"
#include "baseline/drift_event.h"
#include "sensor/sensor.h"

enum {
	WAIT_MS = 100,
	NICENESS = -10,
	ASKED_MAX = 256,      /* events that wait for their drift */
	DRIFT_WAIT_MS = 3000, /* after which an event goes on without it */
	JUDGE_TICK_S = 60,
	WATCHES_MAX = 512,
	SEED_WAIT_S = 3, /* at the end, for a seed that is being made */
	TRIM_S = 10,     /* how often memory that a storm of events has left is given back */
};
#define SECOND_NS  UINT64_C(1000000000)
#define TRIM_BYTES HF_MIB(2)

struct asked {
	struct asked *next;
	uint64_t id, since_ns;
	enum hf_drift_subject subject;
	struct hf_arena arena;
	struct hf_event *event;
};

struct agent {
	const struct hf_agent_options *options;
	struct hf_outputs *outputs;
	struct hf_event_sink out;
	struct hf_containers *containers;
	struct hf_sensor *sensor;
	struct hf_numbers *numbers;
	struct hf_judge *judge; /* NULL: nothing is judged */
	struct hf_event_sink judged;
	struct hf_agent_known *known;
	struct hf_seeder *seeder; /* NULL: containers without a profile are not judged by one */
	struct hf_drift *drift;
	struct asked *asked_first, *asked_last;
	size_t asked_n;
	uint64_t asked_id;
	uint64_t unanswered, unanswered_told; /* questions whose events went on without an answer */
	bool drift_behind;
	struct hf_file_watch watches[WATCHES_MAX];
	size_t watches_n;
	uint64_t second_ns, minute_ns, trim_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* What comes out of the judge: events as they were, and alerts, which get a number and time of their own. */
static int hand_out(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct agent *a = ctx;
	static struct hf_event alert; /* 4 KiB; one thread */
	int code = 0;

	if (e->kind == HF_EVENT_ALERT) {
		alert = *e;
		hf_sensor_stamp(a->sensor, &alert);
		e = &alert;
	}
	if (a->options->observe.take)
		code = a->options->observe.take(a->options->observe.ctx, e, err);
	return code < 0 ? code : a->out.take(a->out.ctx, e, err);
}

static int judged(struct agent *a, struct hf_event *e, struct hf_err *err)
{
	char id[64], time[64];

	/* The sensor's next stamp writes over both, while alerts still name the event. */
	snprintf(id, sizeof id, "%.*s", HF_SV_FMT(hf_event_string(e, HF_FIELD_ID)));
	snprintf(time, sizeof time, "%.*s", HF_SV_FMT(hf_event_string(e, HF_FIELD_TIME)));
	hf_event_set_string(e, HF_FIELD_ID, hf_sv_of(id));
	hf_event_set_string(e, HF_FIELD_TIME, hf_sv_of(time));
	return a->judged.take(a->judged.ctx, e, err);
}

static int judged_health(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct agent *a = ctx;

	return a->judged.take(a->judged.ctx, e, err);
}

static void goes_unanswered(struct agent *a, enum hf_drift_subject subject, struct hf_event *e)
{
	static const struct hf_drift_answer unknown = { .state = HF_DRIFT_UNKNOWN };

	hf_drift_describe(&unknown, subject, e);
	a->unanswered++;
}

/* What was asked about; the event waits then unless @ret_waits says otherwise: there are too many. */
static enum hf_drift_subject ask(struct agent *a, const struct hf_event *e, bool *ret_waits)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_KIB(64));
	struct hf_drift_question q = { 0 };
	uint64_t root = a->drift ? hf_drift_root(a->drift, hf_event_uint(e, HF_FIELD_CONTAINER_CGROUP_ID)) : 0;
	enum hf_drift_subject subject = a->drift ? hf_drift_question_of(e, root, &scratch, &q) : HF_DRIFT_NOTHING;

	*ret_waits = false;
	if (subject == HF_DRIFT_NOTHING || a->asked_n >= ASKED_MAX)
		return subject;
	struct asked *w = hf_calloc(1, sizeof *w);
	w->arena = HF_ARENA(HF_KIB(64));
	w->event = hf_event_copy(&w->arena, e);
	w->subject = subject;
	w->since_ns = now_ns();
	q.id = w->id = ++a->asked_id;
	if (!w->event || !hf_drift_ask(a->drift, &q)) {
		hf_arena_done(&w->arena);
		free(w);
		return subject;
	}
	*(a->asked_last ? &a->asked_last->next : &a->asked_first) = w;
	a->asked_last = w;
	a->asked_n++;
	*ret_waits = true;
	return subject;
}

static int first_goes_on(struct agent *a, const struct hf_drift_answer *answer, struct hf_err *err)
{
	struct asked *w = a->asked_first;

	a->asked_first = w->next;
	if (!w->next)
		a->asked_last = NULL;
	a->asked_n--;
	if (answer)
		hf_drift_describe(answer, w->subject, w->event);
	else
		goes_unanswered(a, w->subject, w->event);
	int code = judged(a, w->event, err);
	hf_arena_done(&w->arena);
	free(w);
	return code;
}

static int answers(struct agent *a, bool wait_no_more, struct hf_err *err)
{
	struct hf_drift_answer answer;
	int code = 0;

	while (code >= 0 && a->drift && hf_drift_poll(a->drift, &answer)) {
		/* Answers come in the order of the questions; who waited too long has gone on already. */
		while (code >= 0 && a->asked_first && a->asked_first->id < answer.id)
			code = first_goes_on(a, NULL, err);
		if (code >= 0 && a->asked_first && a->asked_first->id == answer.id)
			code = first_goes_on(a, &answer, err);
	}
	while (code >= 0 && a->asked_first &&
	       (wait_no_more || now_ns() - a->asked_first->since_ns > DRIFT_WAIT_MS * UINT64_C(1000000)))
		code = first_goes_on(a, NULL, err);
	return code;
}

static void runs(void *ctx, uint64_t cgroup_id, uint32_t pid)
{
	struct agent *a = ctx;

	if (a->drift)
		hf_drift_container(a->drift, cgroup_id, pid);
	if (a->seeder)
		hf_seeder_runs(a->seeder, cgroup_id, pid);
}

static const struct hf_profile *seed_of(void *ctx, const struct hf_event *e, bool *ret_later)
{
	struct agent *a = ctx;

	*ret_later = false;
	return a->seeder ? hf_seeder_profile(a->seeder, e, ret_later) : NULL;
}

static int judged_again(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct agent *a = ctx;

	return hf_judge_again(a->judge, e, err);
}

static int seed_told(void *ctx, const struct hf_profile *seed, const char *line, struct hf_err *err)
{
	struct agent *a = ctx;
	const struct hf_event_sink sink = { judged_health, a };

	if (seed && a->options->seeded)
		a->options->seeded(a->options->seeded_ctx, seed);
	return hf_sensor_health(a->sensor, "seed", seed ? "ok" : "degraded", line, &sink, err);
}

/* Once a container's own program runs and its image is known; where the kernel does not take it, all is handed out as before. */
static void tell_known(struct agent *a, const struct hf_event *e)
{
	uint64_t cgroup_id = hf_event_uint(e, HF_FIELD_CONTAINER_CGROUP_ID);
	struct hf_err why = { 0 };

	if (!a->judge || !cgroup_id || hf_agent_known_told(a->known, cgroup_id))
		return;
	const struct hf_profile *p = hf_judge_profile(a->judge, e);
	if (p)
		(void)!hf_agent_known_tell(a->known, p, cgroup_id, hf_event_uint(e, HF_FIELD_PROCESS_PID), &why);
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct agent *a = ctx;
	static struct hf_event mine;

	if (e->kind == HF_EVENT_EXEC && !hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		tell_known(a, e);
	bool waits;
	enum hf_drift_subject subject = ask(a, e, &waits);
	if (waits)
		return 0;
	mine = *e;
	if (subject != HF_DRIFT_NOTHING)
		goes_unanswered(a, subject, &mine);
	return judged(a, &mine, err);
}

static void today(char out[16])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, 16, "%Y-%m-%d", &tm);
}

static void watch_paths(struct agent *a)
{
	size_t n = 0;
	const struct hf_watched_path *p = hf_rules_watched_paths(hf_judge_rules(a->judge), &n);

	for (size_t i = 0; i < n && a->watches_n < WATCHES_MAX; i++)
		if (p[i].shape == HF_WATCH_PATH || (p[i].shape == HF_WATCH_BELOW && hf_sv_ends(p[i].path, HF_SV("/"))))
			a->watches[a->watches_n++] =
				(struct hf_file_watch){ .path = p[i].path, .opens = p[i].operations & HF_WATCH_OPEN };
}

static int open_judge(struct agent *a, struct hf_err *err)
{
	struct hf_judge_options o = a->options->judge;

	o.to = a->judged = (struct hf_event_sink){ hand_out, a };
	if (a->options->seed) {
		o.other_profile = seed_of;
		o.other_ctx = a;
	}
	if (!a->options->rules_off) {
		int code = hf_judge_open(&o, &a->judge, err);

		if (code < 0)
			return code;
		a->judged = hf_judge_sink(a->judge);
		watch_paths(a);
	}
	return hf_drift_open(&(struct hf_drift_options){ 0 }, &a->drift, err);
}

static int open_all(struct agent *a, struct hf_err *err)
{
	const struct hf_agent_options *o = a->options;
	int code = open_judge(a, err);

	if (code < 0)
		return code;
	code = hf_containers_open(&o->containers, &a->containers, err);
	if (code < 0)
		return code;
	if (o->seed && a->judge)
		code = hf_seeder_open(
			&(struct hf_seeder_options){
				.containers = a->containers, .again = judged_again, .told = seed_told, .ctx = a },
			&a->seeder, err);
	if (code < 0)
		return code;
	code = hf_sensor_open(&(struct hf_sensor_options){ .containers = a->containers,
							   .host = o->host,
							   .deep = o->deep,
							   .ring_control_bytes = o->ring_bytes,
							   .ring_bulk_bytes = o->ring_bytes,
							   .cgroups_max = o->cgroups_max,
							   .watches = a->watches,
							   .watches_n = a->watches_n,
							   .runs = runs,
							   .runs_ctx = a },
			      &a->sensor, err);
	if (code >= 0)
		a->known = hf_agent_known_new(a->sensor);
	if (code >= 0)
		a->numbers = hf_numbers_new();
	return code;
}

static void close_all(struct agent *a)
{
	while (a->asked_first) {
		struct asked *w = a->asked_first;
		a->asked_first = w->next;
		hf_arena_done(&w->arena);
		free(w);
	}
	hf_numbers_free(a->numbers);
	hf_agent_known_free(a->known);
	hf_seeder_close(a->seeder);
	hf_sensor_close(a->sensor);
	if (a->containers)
		hf_containers_close(a->containers);
	if (a->drift)
		hf_drift_close(a->drift);
	hf_judge_close(a->judge);
}

static void give_back(struct agent *a, uint64_t now)
{
	if (now - a->trim_ns < TRIM_S * SECOND_NS)
		return;
	a->trim_ns = now;
	if (mallinfo2().fordblks > TRIM_BYTES)
		malloc_trim(0);
}

/* Tells once that drift falls behind, and once that it no longer does. */
static int tell_drift(struct agent *a, const struct hf_event_sink *sink, struct hf_err *err)
{
	bool behind = a->unanswered != a->unanswered_told;
	char text[160];

	a->unanswered_told = a->unanswered;
	if (behind == a->drift_behind)
		return 0;
	a->drift_behind = behind;
	snprintf(text, sizeof text, "%llu questions went unanswered so far: %s", (unsigned long long)a->unanswered,
		 behind ? "programs that images do not hold may go by as unknown" : "it keeps up again");
	return hf_sensor_health(a->sensor, "drift", behind ? "degraded" : "ok", text, sink, err);
}

static int each_second(struct agent *a, uint64_t now, const struct hf_event_sink *sink, struct hf_err *err)
{
	char day[16];
	int code = hf_sensor_report(a->sensor, false, sink, err);

	if (code >= 0)
		code = tell_drift(a, sink, err);
	give_back(a, now);
	hf_outputs_tick(a->outputs, hf_numbers_gather(a->numbers, a->sensor, a->containers, a->seeder));
	if (code < 0 || !a->judge || now - a->minute_ns < JUDGE_TICK_S * SECOND_NS)
		return code;
	a->minute_ns = now;
	today(day);
	return hf_judge_tick(a->judge, now, hf_sv_of(day), err);
}

/* At the end: for what is asked about drift, and for seeds that are being made. */
static int wait_for_threads(struct agent *a, struct hf_err *err)
{
	int code = 0;

	for (uint64_t until = now_ns() + SECOND_NS; code >= 0 && a->asked_first && now_ns() < until;) {
		code = answers(a, false, err);
		(void)!usleep(2000);
	}
	if (code >= 0)
		code = answers(a, true, err);
	for (uint64_t until = now_ns() + SEED_WAIT_S * SECOND_NS;
	     code >= 0 && a->seeder && hf_seeder_busy(a->seeder) && now_ns() < until;) {
		code = hf_seeder_settle(a->seeder, err);
		(void)!usleep(2000);
	}
	return code;
}

static int loop(struct agent *a, struct hf_err *err)
{
	const struct hf_event_sink sink = { take, a };
	uint64_t begin = now_ns(), now = begin;
	int code = hf_sensor_run(a->sensor, 0, &sink, err);

	hf_outputs_wake(a->outputs);
	if (code >= 0 && a->options->ready)
		a->options->ready(a->options->ready_ctx);
	while (code >= 0 && !(a->options->stop && *a->options->stop) &&
	       (!a->options->seconds || now - begin < a->options->seconds * SECOND_NS)) {
		code = hf_sensor_run(a->sensor, WAIT_MS, &sink, err);
		now = now_ns();
		if (code >= 0)
			code = answers(a, false, err);
		if (code >= 0 && a->seeder)
			code = hf_seeder_settle(a->seeder, err);
		if (code >= 0 && now - a->second_ns >= SECOND_NS) {
			a->second_ns = now;
			code = each_second(a, now, &sink, err);
		}
		hf_outputs_wake(a->outputs);
	}
	if (code >= 0)
		code = hf_sensor_flush(a->sensor, &sink, err);
	if (code >= 0)
		code = wait_for_threads(a, err);
	if (code >= 0)
		code = a->judge ? hf_judge_flush(a->judge, err) : 0;
	return code < 0 ? code : hf_sensor_report(a->sensor, true, &sink, err);
}

int hf_agent_run(const struct hf_agent_options *options, struct hf_outputs *outputs, struct hf_err *err)
{
	struct agent *a = hf_calloc(1, sizeof *a);

	/* A reader that waits behind those whom it watches loses what they do; it takes little. Refused without the right: no harm. */
	(void)!setpriority(PRIO_PROCESS, 0, NICENESS);
	a->options = options;
	a->outputs = outputs;
	a->out = hf_outputs_sink(outputs);
	hf_outputs_batch(outputs);
	int code = open_all(a, err);
	if (code >= 0)
		code = loop(a, err);
	if (code >= 0)
		hf_outputs_tick(outputs, hf_numbers_gather(a->numbers, a->sensor, a->containers, a->seeder));
	close_all(a);
	free(a);
	return code < 0 ? code : 0;
}
