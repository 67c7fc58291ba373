/* runtime …: running containers. Each subcommand is a row of runtime.def. */
#include "cmd/runtime.h"

#include <stdio.h>

const struct hf_command *const hf_runtime_commands[] = {
#define HF_RUNTIME_COMMAND(row) &hf_runtime_##row,
#include "cmd/runtime.def"
#undef HF_RUNTIME_COMMAND
	NULL,
};

static void help(FILE *out)
{
	fputs("Usage: holdfast runtime SUBCOMMAND [OPTIONS]\n\nSubcommands:\n", out);
	for (size_t i = 0; hf_runtime_commands[i]; i++)
		fprintf(out, "  %-10s %s\n", hf_runtime_commands[i]->name, hf_runtime_commands[i]->summary);
	fputs("\n'holdfast runtime SUBCOMMAND --help' and holdfast-runtime(1) say more.\n", out);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return hf_command_usage("runtime", "which subcommand?");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return 0;
	}
	for (size_t i = 0; hf_runtime_commands[i]; i++) {
		if (strcmp(argv[1], hf_runtime_commands[i]->name))
			continue;
		if (!asks_for_help(argc - 1, argv + 1))
			return hf_runtime_commands[i]->run(argc - 1, argv + 1);
		printf("Usage: holdfast runtime %s %s\n", argv[1], hf_runtime_commands[i]->usage);
		return 0;
	}
	return hf_command_usage("runtime", "'%s' is not a subcommand", argv[1]);
}

const struct hf_command hf_command_runtime = {
	.name = "runtime",
	.summary = "see inside running containers, learn what is normal, stop what is not",
	.usage = "SUBCOMMAND [OPTIONS]\n       'holdfast runtime help' lists the subcommands.",
	.run = run,
	.helps_itself = true,
};
