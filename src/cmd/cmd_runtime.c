/* runtime …: running containers. Each subcommand is a row of runtime.def. */
#include "cmd/runtime/runtime.h"

const struct hf_command *const hf_runtime_commands[] = {
#define HF_RUNTIME_COMMAND(row) &hf_runtime_##row,
#include "cmd/runtime/runtime.def"
#undef HF_RUNTIME_COMMAND
	NULL,
};

static int run(int argc, char **argv)
{
	return hf_command_family("runtime", hf_runtime_commands, argc, argv);
}

const struct hf_command hf_command_runtime = {
	.name = "runtime",
	.summary = "see inside running containers, learn what is normal, stop what is not",
	.usage = "SUBCOMMAND [OPTIONS]\n       'holdfast runtime help' lists the subcommands.",
	.run = run,
	.helps_itself = true,
};
