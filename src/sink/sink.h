/* Outputs: where events go when they have been judged. `--output SINK[=ARGUMENT][,OPTION=VALUE]…`, any number of them.
 *
 * The loop hands each event to hf_sinks_take, which renders it for each output that wants it and puts it into that output's queue; a
 * thread an output delivers. So no output ever makes the loop wait, be its other end slow, stopped or hostile. What does not fit into
 * the queue is counted, and reported in the stream itself by an event of kind `loss` (with `loss.output`), by `health`, and at
 * /metrics. Outputs of a replay wait instead: there is nothing to miss.
 *
 * Options of every output: kinds=KIND+KIND… or kinds=all; severity=low|medium|high|critical (alerts below are left out);
 * queue=BYTES (with k or M). An output is a row of sinks.def and src/sink/sink_<row>.c. */
#pragma once
#include "base/buffer.h"
#include "model/event.h"
#include "sink/queue.h"

/* What the agent knows about itself, handed to hf_sinks_tick for those that show numbers. All borrowed for the call. */
struct hf_sink_count {
	enum hf_event_kind kind;
	hf_sv container; /* name or id; empty: the host, or not told apart */
	uint64_t seen, known, delivered, dropped;
};
struct hf_sink_hook {
	hf_sv sees, by;
	bool works;
};
struct hf_sink_seed {
	hf_sv image, command, state, message; /* seeding, seeded, failed; control bytes are escaped */
	uint64_t programs;
};
struct hf_sink_numbers {
	const struct hf_sink_count *counts;
	size_t counts_n;
	const struct hf_sink_hook *hooks;
	size_t hooks_n;
	const struct hf_sink_seed *seeds;
	size_t seeds_n;
	uint64_t containers, containers_pending, containers_unresolved;
};

struct hf_sinks_options {
	const char *const *outputs; /* as given behind --output */
	size_t outputs_n;
	const char *record; /* --record FILE: as the output json=FILE with all kinds; NULL: none */
	bool wait;          /* a full queue waits for room instead of dropping: replays */
	/* Called on the loop's thread with a line for the log, at most one each ten seconds and output; NULL: never. */
	void (*note)(void *ctx, hf_sv line);
	void *note_ctx;
};

struct hf_sinks;

/* HF_E_USAGE: an output is not understood; else what opening it gave. With no outputs events are counted and go nowhere. */
hf_nodiscard int hf_sinks_open(const struct hf_sinks_options *options, struct hf_sinks **ret, struct hf_err *err);
/* For struct hf_event_sink, with the struct hf_sinks as ctx. Fails where standard output is gone: nobody reads any more. */
int hf_sinks_take(void *sinks, const struct hf_event *e, struct hf_err *err);
/* The same where the caller has the event's JSON line already (hf_trace_write, with its newline): writing it costs more than all else. */
int hf_sinks_take_line(struct hf_sinks *s, const struct hf_event *e, hf_sv json, struct hf_err *err);
/* From now on outputs are woken by hf_sinks_wake, or where much waits: for who hands out many events in one turn of its loop. Waking a
 * thread for each costs more than the event's JSON. */
void hf_sinks_batch(struct hf_sinks *s);
void hf_sinks_wake(struct hf_sinks *s);
/* About once a second, from the loop's thread: reports losses and troubles. @numbers may be NULL. */
void hf_sinks_tick(struct hf_sinks *s, const struct hf_sink_numbers *numbers);
/* Delivers what is left, for at most @deadline_ms (replays: as long as it takes), and frees all. HF_E_IO where an output lost something
 * that it was asked to write to a file or to standard output. */
int hf_sinks_close(struct hf_sinks *s, int deadline_ms, struct hf_err *err);

struct hf_sink_state {
	hf_sv name; /* of the row */
	struct hf_queue_counts counts;
	bool ok;
	char message[200]; /* the last trouble; empty: none */
};
/* Of the output @i; false past the last. */
bool hf_sinks_state(struct hf_sinks *s, size_t i, struct hf_sink_state *ret);

/* For rows. */
struct hf_sink_context {
	hf_sv argument;       /* behind SINK=, without the options; empty where none was given */
	struct hf_sinks *all; /* for hf_sinks_state */
	struct hf_queue *queue;
	bool wait;
	struct hf_sink *sink; /* for hf_sink_trouble */
};

/* What an output for people on call takes unless told: what was judged, and what is wrong with the agent itself. */
#define HF_SINK_KINDS_JUDGED                                                                               \
	(UINT64_C(1) << HF_EVENT_ALERT | UINT64_C(1) << HF_EVENT_DENIAL | UINT64_C(1) << HF_EVENT_HEALTH | \
	 UINT64_C(1) << HF_EVENT_LOSS)

struct hf_sink_ops {
	const char *name, *summary, *arguments;
	const char *const *options; /* NULL-ended names of its own options, or NULL */
	uint64_t kinds;             /* bits 1 << enum hf_event_kind that it takes unless told; 0: all */
	bool essential;             /* its losses make the command fail */
	/* On the loop's thread, before any event. The value of an option of its own: hf_sink_option. */
	int (*open)(const struct hf_sink_context *context, void **ret_self, struct hf_err *err);
	/* The loop's thread: the event as the record that is delivered. Must not wait. NULL: nothing is delivered. */
	void (*render)(void *self, const struct hf_event *e, struct hf_buf *out);
	/* The output's own thread, from begin to end: hf_queue_wait until it is false. NULL: no thread. */
	void (*run)(void *self);
	/* The loop's thread, once the time to deliver what is left is over: the run is to end at once. NULL where hf_queue_stop_fd is
	 * enough for that. */
	void (*stop)(void *self);
	/* The loop's thread; NULL: nothing to do. @numbers may be NULL. */
	void (*count)(void *self, const struct hf_event *e);
	void (*tick)(void *self, const struct hf_sink_numbers *numbers);
	/* After the thread has ended. */
	void (*close)(void *self);
};

#define HF_SINK(row) extern const struct hf_sink_ops hf_sink_##row;
#include "sink/sinks.def"
#undef HF_SINK

/* The value of NAME=VALUE among the options; empty where it was not given. */
hf_sv hf_sink_option(const struct hf_sink_context *context, const char *name);
/* From the output's thread: what is wrong, or NULL once all is well again. Shown by the loop's thread, never too often. */
void hf_sink_trouble(struct hf_sink *sink, const char *fmt, ...) hf_printf(2, 3);
void hf_sink_well(struct hf_sink *sink);
/* From the output's thread: nobody reads any more, hf_sinks_take is to say so. */
void hf_sink_gone(struct hf_sink *sink);
/* "4096", "64k", "16M"; false where it is none or is over @max. */
bool hf_sink_bytes(hf_sv text, uint64_t max, uint64_t *ret);
