#include "sink/sink.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "sink/render.h"

enum { SINKS_MAX = 16, OPTIONS_MAX = 16, NOTE_EVERY_S = 10, THREAD_STACK_BYTES = 256 << 10 };

#define QUEUE_BYTES     HF_MIB(4)
#define QUEUE_BYTES_MAX HF_GIB(1)

struct option {
	char *name, *value;
};

struct hf_sink {
	const struct hf_sink_ops *ops;
	void *self;
	struct hf_queue *queue;
	pthread_t thread;
	bool running;
	uint64_t kinds;
	int severity_min;
	char *argument;
	struct option options[OPTIONS_MAX];
	size_t options_n;
	atomic_bool gone;
	struct hf_queue_counts reported;
	/* Written by the output's thread. */
	pthread_mutex_t lock;
	bool bad;
	char message[200];
	/* Of the loop's thread. */
	bool shown_bad;
	uint64_t noted_s;
};

struct hf_sinks {
	struct hf_sink list[SINKS_MAX];
	size_t n;
	struct hf_buf line;
	struct hf_sinks_options options;
};

static const struct hf_sink_ops *const rows[] = {
#define HF_SINK(row) &hf_sink_##row,
#include "sink/sinks.def"
#undef HF_SINK
};

static char *text_of(hf_sv s)
{
	char *copy = hf_malloc(s.len + 1);

	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = 0;
	return copy;
}

static bool is_option(const struct hf_sink_ops *ops, hf_sv name)
{
	if (hf_sv_eq(name, HF_SV("kinds")) || hf_sv_eq(name, HF_SV("severity")) || hf_sv_eq(name, HF_SV("queue")))
		return true;
	for (size_t i = 0; ops->options && ops->options[i]; i++)
		if (hf_sv_eq(name, hf_sv_of(ops->options[i])))
			return true;
	return false;
}

static bool is_word(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < 'a' || s.ptr[i] > 'z') && s.ptr[i] != '_')
			return false;
	return s.len > 0;
}

/* Takes options off the end of *@argument. A comma that begins none is part of the argument: of a URL's query, of a file's name. */
static int take_options(struct hf_sink *s, hf_sv *argument, struct hf_err *err)
{
	hf_sv left, option, name, value;

	while (hf_sv_cut_last(*argument, ',', &left, &option) && hf_sv_cut(option, '=', &name, &value)) {
		if (!is_option(s->ops, name)) {
			if (is_word(name) && hf_sv_index(left, '?') == SIZE_MAX)
				return hf_fail(err, HF_E_USAGE, "the output '%s' has no option '%.*s'", s->ops->name,
					       HF_SV_FMT(name));
			break;
		}
		if (s->options_n == OPTIONS_MAX)
			return hf_fail(err, HF_E_USAGE, "the output '%s' has too many options", s->ops->name);
		s->options[s->options_n++] = (struct option){ text_of(name), text_of(value) };
		*argument = left;
	}
	return 0;
}

static hf_sv option_of(const struct hf_sink *s, const char *name)
{
	for (size_t i = 0; i < s->options_n; i++)
		if (!strcmp(s->options[i].name, name))
			return hf_sv_of(s->options[i].value);
	return (hf_sv){ 0 };
}

hf_sv hf_sink_option(const struct hf_sink_context *context, const char *name)
{
	return option_of(context->sink, name);
}

bool hf_sink_bytes(hf_sv text, uint64_t max, uint64_t *ret)
{
	unsigned shift = hf_sv_ends(text, HF_SV("k")) ? 10 : hf_sv_ends(text, HF_SV("M")) ? 20 : 0;
	uint64_t n;

	if (!hf_sv_to_u64(hf_sv_first(text, text.len - (shift != 0)), &n) || n > max >> shift || !n)
		return false;
	*ret = n << shift;
	return true;
}

static int read_kinds(struct hf_sink *s, struct hf_err *err)
{
	hf_sv rest = option_of(s, "kinds"), name;
	enum hf_event_kind kind;

	s->kinds = s->ops->kinds ? s->ops->kinds : UINT64_MAX;
	if (!rest.ptr)
		return 0;
	if (hf_sv_eq(rest, HF_SV("all"))) {
		s->kinds = UINT64_MAX;
		return 0;
	}
	s->kinds = 0;
	while (hf_sv_next(&rest, '+', &name)) {
		if (!hf_event_kind_of(name, &kind))
			return hf_fail(err, HF_E_USAGE, "kinds=: '%.*s' is no kind of event", HF_SV_FMT(name));
		s->kinds |= UINT64_C(1) << kind;
	}
	return 0;
}

static int read_common(struct hf_sink *s, uint64_t *ret_queue, struct hf_err *err)
{
	hf_sv severity = option_of(s, "severity"), queue = option_of(s, "queue");

	s->severity_min = hf_render_severity(severity);
	if (severity.ptr && !s->severity_min)
		return hf_fail(err, HF_E_USAGE, "severity=: '%.*s' is none of low, medium, high, critical",
			       HF_SV_FMT(severity));
	*ret_queue = QUEUE_BYTES;
	if (queue.ptr && !hf_sink_bytes(queue, QUEUE_BYTES_MAX, ret_queue))
		return hf_fail(err, HF_E_USAGE, "queue=: '%.*s' is no size from 1 byte to 1024M", HF_SV_FMT(queue));
	return read_kinds(s, err);
}

static void *thread_main(void *sink)
{
	struct hf_sink *s = sink;

	s->ops->run(s->self);
	return NULL;
}

/* Signals are the loop's: one that ends a sleep here would not end the loop's. */
static int start_thread(struct hf_sink *s, struct hf_err *err)
{
	pthread_attr_t attr;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	int code = pthread_create(&s->thread, &attr, thread_main, s);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code)
		return hf_fail(err, HF_E_SYSTEM, "the output '%s': no thread: %s", s->ops->name, strerror(code));
	s->running = true;
	return 0;
}

static int open_sink(struct hf_sinks *all, const struct hf_sink_ops *ops, hf_sv argument, bool with_options,
		     struct hf_err *err)
{
	struct hf_sink *s = &all->list[all->n];
	uint64_t queue_bytes = 0;

	if (all->n == SINKS_MAX)
		return hf_fail(err, HF_E_USAGE, "more than %d outputs", SINKS_MAX);
	all->n++;
	s->ops = ops;
	pthread_mutex_init(&s->lock, NULL);
	int code = with_options ? take_options(s, &argument, err) : 0;
	if (code == 0)
		code = read_common(s, &queue_bytes, err);
	if (code < 0)
		return code;
	s->argument = text_of(argument);
	s->queue = hf_queue_new(queue_bytes, all->options.wait);
	const struct hf_sink_context context = {
		.argument = hf_sv_of(s->argument), .all = all, .queue = s->queue, .wait = all->options.wait, .sink = s
	};
	code = s->ops->open(&context, &s->self, err);
	if (code < 0)
		return hf_wrap(err, "output %s", s->ops->name);
	return s->ops->run ? start_thread(s, err) : 0;
}

static int add(struct hf_sinks *all, hf_sv spec, struct hf_err *err)
{
	struct hf_buf names = HF_BUF(256);
	size_t end = 0;

	while (end < spec.len && spec.ptr[end] != '=' && spec.ptr[end] != ',')
		end++;
	/* "json,size=4k" has no argument: what is left of its first comma is nothing. */
	hf_sv name = hf_sv_first(spec, end), rest = hf_sv_skip(spec, end);
	if (hf_sv_starts(rest, HF_SV("=")))
		rest = hf_sv_skip(rest, 1);
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++)
		if (hf_sv_eq(name, hf_sv_of(rows[i]->name)))
			return open_sink(all, rows[i], rest, true, err);
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++)
		hf_buf_addf(&names, "%s%s", i ? ", " : "", rows[i]->name);
	int code = hf_fail(err, HF_E_USAGE, "there is no output '%.*s'; there are %.*s", HF_SV_FMT(name),
			   HF_SV_FMT(hf_buf_view(&names)));
	hf_buf_done(&names);
	return code;
}

static void free_sink(struct hf_sink *s)
{
	if (s->self)
		s->ops->close(s->self);
	hf_queue_free(s->queue);
	free(s->argument);
	for (size_t i = 0; i < s->options_n; i++) {
		free(s->options[i].name);
		free(s->options[i].value);
	}
	pthread_mutex_destroy(&s->lock);
}

static void free_all(struct hf_sinks *all)
{
	for (size_t i = 0; i < all->n; i++)
		free_sink(&all->list[i]);
	hf_buf_done(&all->line);
	free(all);
}

static void abandon(struct hf_sink *s)
{
	hf_queue_abandon(s->queue);
	if (s->ops->stop)
		s->ops->stop(s->self);
}

static void stop_all(struct hf_sinks *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].running) {
			abandon(&all->list[i]);
			pthread_join(all->list[i].thread, NULL);
		}
}

int hf_sinks_open(const struct hf_sinks_options *options, struct hf_sinks **ret, struct hf_err *err)
{
	struct hf_sinks *all = hf_calloc(1, sizeof *all);
	int code = 0;

	all->line = HF_BUF(HF_MIB(1));
	all->options = *options;
	for (size_t i = 0; code == 0 && i < options->outputs_n; i++)
		code = add(all, hf_sv_of(options->outputs[i]), err);
	if (code == 0 && options->record)
		code = open_sink(all, &hf_sink_json, hf_sv_of(options->record), false, err);
	if (code < 0) {
		stop_all(all);
		free_all(all);
		return code;
	}
	*ret = all;
	return 0;
}

/* @json: the event's line where it is there already, else empty. */
static void hand_to(struct hf_sinks *all, struct hf_sink *s, const struct hf_event *e, hf_sv json, bool report)
{
	if (s->ops->count)
		s->ops->count(s->self, e);
	if (!s->ops->render || !(s->kinds >> e->kind & 1))
		return;
	if (e->kind == HF_EVENT_ALERT &&
	    hf_render_severity(hf_event_string(e, HF_FIELD_ALERT_SEVERITY)) < s->severity_min)
		return;
	if (!json.len || s->ops->render != hf_render_json) {
		all->line.len = 0;
		all->line.over = false;
		s->ops->render(s->self, e, &all->line);
		if (!all->line.over && !all->line.len) /* this output has nothing to say of it */
			return;
		json = all->line.over ? (hf_sv){ NULL, SIZE_MAX } : hf_buf_view(&all->line);
	}
	hf_queue_put(s->queue, e->kind, json, report);
}

int hf_sinks_take(void *sinks, const struct hf_event *e, struct hf_err *err)
{
	return hf_sinks_take_line(sinks, e, (hf_sv){ 0 }, err);
}

int hf_sinks_take_line(struct hf_sinks *all, const struct hf_event *e, hf_sv json, struct hf_err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		hand_to(all, &all->list[i], e, json, false);
		if (atomic_load_explicit(&all->list[i].gone, memory_order_relaxed))
			return hf_fail(err, HF_E_IO, "standard output: nobody reads any more");
	}
	return 0;
}

void hf_sinks_batch(struct hf_sinks *all)
{
	for (size_t i = 0; i < all->n; i++)
		hf_queue_batch(all->list[i].queue);
}

void hf_sinks_wake(struct hf_sinks *all)
{
	for (size_t i = 0; i < all->n; i++)
		hf_queue_wake(all->list[i].queue);
}

void hf_sink_trouble(struct hf_sink *s, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&s->lock);
	s->bad = true;
	hf_escape_controls(s->message, sizeof s->message, hf_sv_of(text));
	pthread_mutex_unlock(&s->lock);
}

void hf_sink_well(struct hf_sink *s)
{
	pthread_mutex_lock(&s->lock);
	s->bad = false;
	pthread_mutex_unlock(&s->lock);
}

void hf_sink_gone(struct hf_sink *s)
{
	atomic_store(&s->gone, true);
}

bool hf_sinks_state(struct hf_sinks *all, size_t i, struct hf_sink_state *ret)
{
	if (i >= all->n)
		return false;
	struct hf_sink *s = &all->list[i];
	*ret = (struct hf_sink_state){ .name = hf_sv_of(s->ops->name), .counts = hf_queue_count(s->queue) };
	pthread_mutex_lock(&s->lock);
	ret->ok = !s->bad;
	memcpy(ret->message, s->message, sizeof ret->message);
	pthread_mutex_unlock(&s->lock);
	return true;
}

struct stamp {
	char time[40];
	uint64_t monotonic_s;
};

static struct hf_event own_event(enum hf_event_kind kind, struct stamp *stamp)
{
	struct hf_event e = { .kind = kind };
	struct timespec wall, mono;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	gmtime_r(&wall.tv_sec, &tm);
	size_t n = strftime(stamp->time, sizeof stamp->time, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp->time + n, sizeof stamp->time - n, ".%09ldZ", wall.tv_nsec);
	stamp->monotonic_s = (uint64_t)mono.tv_sec;
	hf_event_set_string(&e, HF_FIELD_TIME, hf_sv_of(stamp->time));
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, (uint64_t)mono.tv_sec * 1000000000u + (uint64_t)mono.tv_nsec);
	return e;
}

static void report_kind(struct hf_sinks *all, struct hf_sink *s, const struct hf_queue_counts *c, unsigned kind)
{
	struct stamp stamp;
	struct hf_event e = own_event(HF_EVENT_LOSS, &stamp);
	uint64_t full = c->lost[HF_QUEUE_FULL][kind], undeliverable = c->lost[HF_QUEUE_UNDELIVERABLE][kind];
	char texts[2][64];
	hf_sv reasons[2];
	size_t n = 0;

	snprintf(texts[0], sizeof texts[0], "queue_full=%llu", (unsigned long long)full);
	snprintf(texts[1], sizeof texts[1], "undeliverable=%llu", (unsigned long long)undeliverable);
	if (full)
		reasons[n++] = hf_sv_of(texts[0]);
	if (undeliverable)
		reasons[n++] = hf_sv_of(texts[1]);
	hf_event_set_string(&e, HF_FIELD_LOSS_KIND, hf_sv_of(hf_event_kind_name((enum hf_event_kind)kind)));
	hf_event_set_string(&e, HF_FIELD_LOSS_OUTPUT, hf_sv_of(s->ops->name));
	hf_event_set_uint(&e, HF_FIELD_LOSS_SEEN, c->put[kind]);
	hf_event_set_uint(&e, HF_FIELD_LOSS_KNOWN, 0);
	hf_event_set_uint(&e, HF_FIELD_LOSS_DELIVERED, c->put[kind] - full - undeliverable);
	hf_event_set_uint(&e, HF_FIELD_LOSS_DROPPED, full + undeliverable);
	hf_event_set_list(&e, HF_FIELD_LOSS_REASONS, reasons, n);
	hand_to(all, s, &e, (hf_sv){ 0 }, true);
}

static void note(struct hf_sinks *all, struct hf_sink *s, uint64_t now_s, const char *fmt, ...) hf_printf(4, 5);
static void note(struct hf_sinks *all, struct hf_sink *s, uint64_t now_s, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	if (!all->options.note || (s->noted_s && now_s - s->noted_s < NOTE_EVERY_S))
		return;
	s->noted_s = now_s;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	all->options.note(all->options.note_ctx, hf_sv_first(hf_sv_of(text), n < 0 ? 0 : (size_t)n));
}

/* Kinds whose losses grew are told in the stream that has the gap. */
static uint64_t report_losses(struct hf_sinks *all, struct hf_sink *s)
{
	struct hf_queue_counts c = hf_queue_count(s->queue);
	uint64_t more = 0;

	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
		uint64_t grown = 0;
		for (unsigned reason = 0; reason < HF_QUEUE_REASONS; reason++)
			grown += c.lost[reason][kind] - s->reported.lost[reason][kind];
		if (grown && s->kinds >> HF_EVENT_LOSS & 1 && s->ops->render)
			report_kind(all, s, &c, kind);
		more += grown;
	}
	s->reported = c;
	return more;
}

static void report_health(struct hf_sinks *all, struct hf_sink *s, bool ok, const char *why, uint64_t lost)
{
	struct stamp stamp;
	struct hf_event e = own_event(HF_EVENT_HEALTH, &stamp);
	char message[320];

	if (ok)
		snprintf(message, sizeof message, "%s works again", s->ops->name);
	else
		snprintf(message, sizeof message, "%s: %s; %llu events did not get there", s->ops->name,
			 *why ? why : "it does not keep up", (unsigned long long)lost);
	hf_event_set_string(&e, HF_FIELD_HEALTH_PART, HF_SV("output"));
	hf_event_set_string(&e, HF_FIELD_HEALTH_STATE, ok ? HF_SV("ok") : HF_SV("degraded"));
	hf_event_set_string(&e, HF_FIELD_HEALTH_MESSAGE, hf_sv_of(message));
	for (size_t i = 0; i < all->n; i++)
		hand_to(all, &all->list[i], &e, (hf_sv){ 0 }, true);
	note(all, s, stamp.monotonic_s, "output %s", message);
}

void hf_sinks_tick(struct hf_sinks *all, const struct hf_sink_numbers *numbers)
{
	for (size_t i = 0; i < all->n; i++) {
		struct hf_sink *s = &all->list[i];
		struct hf_sink_state state = { 0 };
		uint64_t lost = report_losses(all, s);

		hf_sinks_state(all, i, &state);
		bool bad = !state.ok || lost;
		if (bad != s->shown_bad)
			report_health(all, s, !bad, state.ok ? "" : state.message, lost);
		s->shown_bad = bad;
		if (s->ops->tick)
			s->ops->tick(s->self, numbers);
	}
}

static void join(struct hf_sinks *all, struct hf_sink *s, int deadline_ms)
{
	struct timespec until;

	if (!s->running)
		return;
	if (!all->options.wait) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += deadline_ms / 1000 + 1;
		if (pthread_timedjoin_np(s->thread, NULL, &until) == 0)
			return;
		abandon(s);
	}
	pthread_join(s->thread, NULL);
}

int hf_sinks_close(struct hf_sinks *all, int deadline_ms, struct hf_err *err)
{
	int code = 0;

	hf_sinks_tick(all, NULL);
	for (size_t i = 0; i < all->n; i++)
		hf_queue_close(all->list[i].queue);
	for (size_t i = 0; i < all->n; i++) {
		struct hf_sink *s = &all->list[i];
		struct hf_sink_state state = { 0 };
		uint64_t undeliverable = 0;

		join(all, s, deadline_ms);
		hf_sinks_state(all, i, &state);
		for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++)
			undeliverable += state.counts.lost[HF_QUEUE_UNDELIVERABLE][kind];
		if (s->ops->essential && undeliverable && code == 0)
			code = hf_fail(err, HF_E_IO, "output %s: %s: %llu events were not written", s->ops->name,
				       state.message, (unsigned long long)undeliverable);
	}
	free_all(all);
	return code;
}
