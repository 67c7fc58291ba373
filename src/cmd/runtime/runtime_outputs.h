/* The options of the commands that hand out events: --format, --output, --record, --state. */
#pragma once
#include "agent/outputs.h"
#include "cmd/command.h"

enum { RUNTIME_OUTPUTS_MAX = 16 };

struct runtime_outputs {
	const char *list[RUNTIME_OUTPUTS_MAX];
	size_t n;
	const char *format, *record, *state_folder;
};

/* For the usage text of such a command. */
#define RUNTIME_OUTPUTS_USAGE                                                                                    \
	"  --format table|json   to standard output; default table, none where there is --output\n"              \
	"  --output SINK[=ARG]   where events go, as holdfast-runtime(1) has it; repeatable:\n"                  \
	"                        json[=FILE]|table[=FILE]|syslog[=udp://HOST:PORT]|webhook=URL|metrics[=PORT]\n" \
	"  --record FILE         all events as JSON lines, bounded: FILE, FILE.1, FILE.2, FILE.3\n"              \
	"  --state DIR           where status, top and why ask; default /run/holdfast\n"

/* 0: argv[*i] is none of them; 1: it was taken, with its value, and *i stands on that; 2: usage was printed. */
int runtime_outputs_option(struct runtime_outputs *o, const char *command, int argc, char **argv, int *i);
/* @mode: watch, learn or enforce; NULL: a replay, which waits for slow outputs and cannot be asked. */
int runtime_outputs_open(struct runtime_outputs *o, const char *mode, struct hf_outputs **ret, struct hf_err *err);
