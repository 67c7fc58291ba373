/* Hands the events of a trace (standard input) to outputs, as the agent's loop does, and says what became of them:
 *     sink_feed [--wait] [--repeat N] [--hold MS] [--close MS] [--containers N] OUTPUT...
 * --hold: goes on ticking for so long, or until standard input, which is then read on, ends. --containers: gives each tick the sums of N
 * containers. One line an output on standard error at the end, and each note as it comes. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "sink/sink.h"
#include "trace/replay.h"

enum { TICK_MS = 100 };

struct feed {
	struct hf_sinks *sinks;
	long repeat, hold_ms, close_ms, containers;
};

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct feed *f = ctx;
	int code = 0;

	for (long i = 0; code == 0 && i < f->repeat; i++)
		code = hf_sinks_take(f->sinks, e, err);
	return code;
}

static void note(void *ctx, hf_sv line)
{
	(void)ctx;
	fprintf(stderr, "note: %.*s\n", HF_SV_FMT(line));
}

static void tick(struct feed *f)
{
	static const struct hf_sink_hook hooks[] = {
		{ HF_SV_INIT("executions"), HF_SV_INIT("tp_btf/sched_process_exec"), true },
		{ HF_SV_INIT("libraries"), HF_SV_INIT("perf"), false },
	};
	struct hf_sink_count *counts = hf_calloc((size_t)f->containers + 1, sizeof *counts);
	char(*names)[32] = hf_calloc((size_t)f->containers + 1, sizeof *names);

	for (long i = 0; i < f->containers; i++) {
		snprintf(names[i], sizeof names[i], "box-%ld \"\\\n", i);
		counts[i] = (struct hf_sink_count){ HF_EVENT_EXEC, hf_sv_of(names[i]), .seen = 6,
						    .known = 3,    .delivered = 2,     .dropped = 1 };
	}
	const struct hf_sink_numbers numbers = { .counts = counts,
						 .counts_n = (size_t)f->containers,
						 .hooks = hooks,
						 .hooks_n = HF_ARRAY_SIZE(hooks),
						 .containers = (uint64_t)f->containers };
	hf_sinks_tick(f->sinks, &numbers);
	free(counts);
	free(names);
}

static void hold(struct feed *f)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char bytes[512];

	for (long ms = 0; ms < f->hold_ms; ms += TICK_MS) {
		tick(f);
		if (poll(&in, 1, TICK_MS) > 0 && read(STDIN_FILENO, bytes, sizeof bytes) <= 0)
			poll(NULL, 0, TICK_MS);
	}
}

static void show(struct feed *f)
{
	struct hf_sink_state state;

	for (size_t i = 0; hf_sinks_state(f->sinks, i, &state); i++) {
		unsigned long long put = 0, full = 0, failed = 0;
		for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
			put += state.counts.put[kind];
			full += state.counts.lost[HF_QUEUE_FULL][kind];
			failed += state.counts.lost[HF_QUEUE_UNDELIVERABLE][kind];
		}
		fprintf(stderr,
			"output %.*s put=%llu queue_full=%llu undeliverable=%llu waiting=%llu bytes=%llu ok=%d\n",
			HF_SV_FMT(state.name), put, full, failed, (unsigned long long)state.counts.waiting,
			(unsigned long long)state.counts.waiting_bytes, state.ok);
	}
}

int main(int argc, char **argv)
{
	struct hf_sinks_options options = { .outputs = (const char *const *)argv + argc, .note = note };
	struct feed f = { .repeat = 1, .close_ms = 1000 };
	struct hf_trace_replayed sums;
	struct hf_err err = { 0 };
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		long value = i + 1 < argc ? strtol(argv[i + 1], NULL, 10) : 0;
		if (!strcmp(argv[i], "--wait"))
			options.wait = true;
		else if (!strcmp(argv[i], "--repeat"))
			f.repeat = value, i++;
		else if (!strcmp(argv[i], "--hold"))
			f.hold_ms = value, i++;
		else if (!strcmp(argv[i], "--close"))
			f.close_ms = value, i++;
		else if (!strcmp(argv[i], "--containers"))
			f.containers = value, i++;
	}
	options.outputs = (const char *const *)argv + i;
	options.outputs_n = (size_t)(argc - i);
	if (hf_sinks_open(&options, &f.sinks, &err) < 0) {
		fprintf(stderr, "refused: %s\n", err.msg);
		return 2;
	}
	const struct hf_event_sink sink = { take, &f };
	if (hf_trace_replay(STDIN_FILENO, &sink, &sums, &err) < 0)
		fprintf(stderr, "stopped: %s\n", err.msg);
	hold(&f);
	show(&f);
	if (hf_sinks_close(f.sinks, (int)f.close_ms, &err) < 0) {
		fprintf(stderr, "lost: %s\n", err.msg);
		return 1;
	}
	return 0;
}
