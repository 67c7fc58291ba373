/* What the subcommands that ask a running agent share. */
#pragma once
#include "base/output.h"
#include "cmd/command.h"

struct runtime_ask {
	const char *command, *state_folder, *operand, *trace;
	bool json;
};

/* --format, --state, and where @with_operand one operand and --trace. -1 to go on, else the exit status. */
int runtime_ask_parse(struct runtime_ask *ret, const char *command, bool with_operand, int argc, char **argv);
/* A JSON object as lines for people: scalars and objects a line each, lists of objects as tables. @json comes from another process:
 * it is read as hostile and nothing of it reaches the terminal unescaped. */
void runtime_answer_show(struct hf_out *out, hf_sv json);
/* A command that asks @question and shows the answer. */
int runtime_answer_run(const char *command, const char *question, int argc, char **argv);
/* Prints what @out holds back; the exit status. */
int runtime_answer_end(struct hf_out *out, int status);
