/* runtime watch: events as they happen, or as they were recorded. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/judge.h"
#include "cmd/log.h"
#include "cmd/runtime/replay.h"
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_agent.h"
#include "cmd/runtime/runtime_outputs.h"

enum { CLOSE_MS = 5000 }; /* for outputs to deliver what is left */

struct options {
	struct runtime_outputs outputs;
	struct hf_agent_options agent;
	const char *replay, *rules, *exceptions, *profiles;
	bool judge, all;
};

static int parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int taken = runtime_outputs_option(&o->outputs, "runtime watch", argc, argv, &i);
		if (!taken)
			taken = runtime_agent_option(&o->agent, "runtime watch", argc, argv, &i);
		if (taken == 2)
			return 2;
		if (taken)
			continue;
		const char **slot = !strcmp(argv[i], "--replay")       ? &o->replay
				    : !strcmp(argv[i], "--rules")      ? &o->rules
				    : !strcmp(argv[i], "--exceptions") ? &o->exceptions
				    : !strcmp(argv[i], "--profiles")   ? &o->profiles
								       : NULL;
		if (slot && i + 1 == argc)
			return hf_command_usage("runtime watch", "%s wants a value", argv[i]);
		if (slot)
			*slot = argv[++i];
		else if (!strcmp(argv[i], "--judge"))
			o->judge = true;
		else if (!strcmp(argv[i], "--seed"))
			o->agent.seed = true;
		else if (!strcmp(argv[i], "--all-alerts"))
			o->all = true;
		else
			return hf_command_no_option("runtime watch", argv[i]);
	}
	return -1;
}

static void note(void *ctx, enum hf_rules_note_kind kind, hf_sv file, uint32_t line, hf_sv text)
{
	(void)ctx;
	if (kind == HF_NOTE_ERROR)
		log_at(LOG_ERROR, file, line, 0, "%.*s", HF_SV_FMT(text));
}

static void broken_profile(void *ctx, const char *path, const struct hf_err *why)
{
	(void)ctx;
	log_at(LOG_WARNING, hf_sv_of(path), 0, 0, "%s; its workload has no profile", why->msg);
}

/* Recorded alerts give way to those that are made now. */
static int without_alerts(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	const struct hf_event_sink *to = ctx;

	return e->kind == HF_EVENT_ALERT ? 0 : to->take(to->ctx, e, err);
}

static int set_day(struct hf_judge *judge, struct hf_err *err)
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	time_t now = fixed ? (time_t)strtoll(fixed, NULL, 10) : time(NULL);
	char today[11];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(today, sizeof today, "%Y-%m-%d", &tm);
	return hf_judge_tick(judge, 0, hf_sv_of(today), err);
}

static int replay_judged(struct options *o, struct hf_event_sink to, struct hf_err *err)
{
	const struct hf_judge_options options = { .rules_folder = o->rules,
						  .exceptions = o->exceptions,
						  .profiles = o->profiles,
						  .broken_profile = broken_profile,
						  .all = o->all,
						  .notes = { note, NULL },
						  .to = to };
	struct hf_judge *judge;
	int code = hf_judge_open(&options, &judge, err);

	if (code < 0)
		return code;
	struct hf_event_sink judged = hf_judge_sink(judge);
	const struct hf_event_sink sink = { without_alerts, &judged };
	code = set_day(judge, err);
	if (code == 0)
		code = replay_record(o->replay, &sink, NULL, err);
	if (code == 0)
		code = hf_judge_flush(judge, err);
	hf_judge_close(judge);
	return code;
}

static int replay(struct options *o, struct hf_err *err)
{
	struct hf_outputs *outputs;

	if (strcmp(o->replay, "-") != 0 && access(o->replay, R_OK) < 0) /* before outputs make files */
		return hf_fail_errno(err, "%s", o->replay);
	int code = runtime_outputs_open(&o->outputs, NULL, &outputs, err);
	if (code < 0)
		return code;
	const struct hf_event_sink sink = hf_outputs_sink(outputs);
	code = o->judge ? replay_judged(o, sink, err) : replay_record(o->replay, &sink, NULL, err);
	int closed = hf_outputs_close(outputs, 0, code < 0 ? NULL : err);
	return code < 0 ? code : closed;
}

static void ready(void *ctx)
{
	(void)ctx;
	log_note("watching; Ctrl-C ends it");
}

static int live(struct options *o, struct hf_err *err)
{
	struct hf_outputs *outputs;

	runtime_agent_prepare(&o->agent);
	o->agent.ready = ready;
	o->agent.judge = (struct hf_judge_options){ .rules_folder = o->rules,
						    .exceptions = o->exceptions,
						    .profiles = o->profiles,
						    .broken_profile = broken_profile,
						    .all = o->all,
						    .notes = { note, NULL } };
	int code = runtime_outputs_open(&o->outputs, "watch", &outputs, err);
	if (code < 0)
		return code;
	code = hf_agent_run(&o->agent, outputs, err);
	int closed = hf_outputs_close(outputs, CLOSE_MS, code < 0 ? NULL : err);
	return code < 0 ? code : closed;
}

static int run(int argc, char **argv)
{
	struct options o = { 0 };
	struct hf_err err = { 0 };
	int status = parse(&o, argc, argv);

	if (status >= 0)
		return status;
	if ((o.rules || o.exceptions || o.profiles || o.all) && o.replay && !o.judge)
		return hf_command_usage("runtime watch",
					"--rules, --exceptions, --profiles and --all-alerts of a replay want --judge");
	if (o.agent.seed && (o.replay || o.agent.rules_off))
		return hf_command_usage(
			"runtime watch",
			"--seed judges containers that run: it goes with neither --replay nor --no-rules");
	return (o.replay ? replay(&o, &err) : live(&o, &err)) < 0 ? hf_command_fail(&err) : 0;
}

const struct hf_command hf_runtime_watch = {
	.name = "watch",
	.summary = "events of running containers as they happen, or as they were recorded",
	.usage = "[OPTIONS]\n\n" RUNTIME_AGENT_USAGE RUNTIME_OUTPUTS_USAGE
		 "  --replay FILE         hand out a record instead of what happens now; - is standard input\n"
		 "  --judge               of a replay: make its alerts anew, in place of those recorded\n"
		 "  --rules DIR           rules beside the built-in ones\n"
		 "  --exceptions FILE     alerts that are not wanted\n"
		 "  --profiles DIR        of runtime learn: what is new to a workload alerts, unless its profile still "
		 "learns\n"
		 "  --seed                a container whose image has no profile is judged by what the image itself "
		 "runs, from "
		 "its first program on\n"
		 "  --all-alerts          each by itself, without groups and budget",
	.run = run,
};
