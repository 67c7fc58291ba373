/* runtime watch: events as they happen, or as they were recorded. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/runtime.h"
#include "cmd/runtime_outputs.h"
#include "trace/replay.h"

struct options {
	struct runtime_outputs outputs;
	const char *replay;
};

static int parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int taken = runtime_outputs_option(&o->outputs, "runtime watch", argc, argv, &i);
		if (taken == 2)
			return 2;
		if (taken)
			continue;
		if (strcmp(argv[i], "--replay") != 0)
			return hf_command_usage("runtime watch", "'%s' is not an option", argv[i]);
		if (++i == argc)
			return hf_command_usage("runtime watch", "--replay wants a value");
		o->replay = argv[i];
	}
	return -1;
}

static int replay(struct options *o, struct hf_err *err)
{
	bool standard = !strcmp(o->replay, "-");
	hf_cleanup(hf_fd_close) int fd =
		standard ? dup(STDIN_FILENO) : open(o->replay, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct hf_trace_replayed sums;
	struct hf_outputs *outputs;

	if (fd < 0)
		return hf_fail_errno(err, "%s", o->replay);
	int code = runtime_outputs_open(&o->outputs, NULL, &outputs, err);
	if (code < 0)
		return code;
	const struct hf_event_sink sink = hf_outputs_sink(outputs);
	code = hf_trace_replay(fd, &sink, &sums, err);
	int closed = hf_outputs_close(outputs, 0, code < 0 ? NULL : err);
	if (sums.unreadable)
		fprintf(stderr, "holdfast: %s: %llu lines are no events, the first is line %llu: %s\n", o->replay,
			(unsigned long long)sums.unreadable, (unsigned long long)sums.unreadable_line,
			sums.unreadable_why);
	return code < 0 ? code : closed;
}

static int run(int argc, char **argv)
{
	struct options o = { 0 };
	struct hf_err err = { 0 };
	int status = parse(&o, argc, argv);

	if (status >= 0)
		return status;
	if (!o.replay)
		return hf_command_usage("runtime watch", "this build replays records alone: --replay FILE");
	return replay(&o, &err) < 0 ? hf_command_fail(&err) : 0;
}

const struct hf_command hf_runtime_watch = {
	.name = "watch",
	.summary = "events of running containers as they happen, or as they were recorded",
	.usage = "[OPTIONS]\n\n" RUNTIME_OUTPUTS_USAGE
		 "  --replay FILE         hand out a record instead of what happens now; - is standard input",
	.run = run,
};
