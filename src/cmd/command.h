/* Commands of the program: one row of commands.def and one cmd_<name>.c each. */
#pragma once
#include "base/error.h"

struct hf_command {
	const char *name;    /* first word of the command line */
	const char *summary; /* one line for `holdfast --help` */
	const char *usage;   /* for `holdfast NAME --help`: what stands behind the name, and the options, in full */
	/* argv[0] is the command's name. Returns the exit status of cli.md: 0, 1, 2 or 3. */
	int (*run)(int argc, char **argv);
	bool helps_itself; /* run answers --help: a command of subcommands */
};

#define HF_COMMAND(row) extern const struct hf_command hf_command_##row;
#include "cmd/commands.def"
#undef HF_COMMAND

extern const struct hf_command *const hf_commands[]; /* NULL-ended, in the order of the table */

/* Finds the command of argv[1], takes what every command takes, adds defaults of the configuration, and runs it. The exit status. */
int hf_command_main(int argc, char **argv);
/* Prints "holdfast: MESSAGE" to stderr and returns the exit status that goes with err->code. */
int hf_command_fail(const struct hf_err *err);
/* Prints "holdfast: WHAT: WHY" for bad usage, with where to look next; returns 2. */
int hf_command_usage(const char *command, const char *fmt, ...) hf_printf(2, 3);
/* The same where @option is none of the command's. */
int hf_command_no_option(const char *command, const char *option);
/* Runs one of the subcommands (NULL-ended) of @family by argv[1], and answers help. */
int hf_command_family(const char *family, const struct hf_command *const *subcommands, int argc, char **argv);
