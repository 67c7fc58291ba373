#include "cmd/command.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/log.h"

const struct hf_command *const hf_commands[] = {
#define HF_COMMAND(row) &hf_command_##row,
#include "cmd/commands.def"
#undef HF_COMMAND
	NULL,
};

int hf_command_fail(const struct hf_err *err)
{
	log_error("%s", err->msg);
	return hf_code_exit_status(err->code);
}

int hf_command_usage(const char *command, const char *fmt, ...)
{
	char what[2048], see[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	snprintf(see, sizeof see, "holdfast %s%s--help", command ? command : "", command ? " " : "");
	log_error_see(see, "%s%s%s", command ? command : "", command ? ": " : "", what);
	return 2;
}

int hf_command_no_option(const char *command, const char *option)
{
	return hf_command_usage(command, "there is no option '%s'", option);
}

static int help_of(const char *family, const struct hf_command *c)
{
	size_t n = strlen(c->usage);

	return printf("Usage: holdfast %s%s%s %s%s\n" LOG_USAGE, family ? family : "", family ? " " : "", c->name,
		      c->usage, n && c->usage[n - 1] == '\n' ? "" : "\n") < 0;
}

static void help(FILE *out)
{
	fputs("holdfast finds what is wrong in containers: image, registry, runtime, orchestrator, host.\n\n"
	      "Usage: holdfast COMMAND [OPTIONS] [TARGET...]\n\nCommands:\n",
	      out);
	for (size_t i = 0; hf_commands[i]; i++)
		fprintf(out, "  %-10s %s\n", hf_commands[i]->name, hf_commands[i]->summary);
	fputs("\n" LOG_USAGE "\n'holdfast COMMAND --help' and holdfast(1) say more.\n", out);
}

/* What is opened next would stand in the place of a standard stream that the caller closed: the result would go there, and be taken for
 * printed. In the wrong direction, so that its use is a fault. */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

int hf_command_main(int argc, char **argv)
{
	hold_standard_streams();
	if (log_take_options(&argc, argv))
		return 2;
	if (argc < 2) {
		if (log_is_json())
			return hf_command_usage(NULL, "which command?");
		help(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("holdfast " HF_VERSION);
		return 0;
	}
	for (size_t i = 0; hf_commands[i]; i++) {
		if (strcmp(argv[1], hf_commands[i]->name))
			continue;
		for (int k = 2; !hf_commands[i]->helps_itself && k < argc && strcmp(argv[k], "--"); k++)
			if (!strcmp(argv[k], "--help") || !strcmp(argv[k], "-h"))
				return help_of(NULL, hf_commands[i]);
		log_set_command(NULL, argv[1]);
		return hf_commands[i]->run(argc - 1, argv + 1);
	}
	return hf_command_usage(NULL, "'%s' is not a command", argv[1]);
}

static void family_help(const char *family, const struct hf_command *const *rows)
{
	printf("Usage: holdfast %s SUBCOMMAND [OPTIONS]\n\nSubcommands:\n", family);
	for (; *rows; rows++)
		printf("  %-10s %s\n", (*rows)->name, (*rows)->summary);
	printf("\n" LOG_USAGE "\n'holdfast %s SUBCOMMAND --help' and holdfast-%s(1) say more.\n", family, family);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

int hf_command_family(const char *family, const struct hf_command *const *rows, int argc, char **argv)
{
	if (argc < 2)
		return hf_command_usage(family, "which subcommand?");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		family_help(family, rows);
		return 0;
	}
	for (; *rows; rows++) {
		if (strcmp(argv[1], (*rows)->name))
			continue;
		if (!(*rows)->helps_itself && asks_for_help(argc - 1, argv + 1))
			return help_of(family, *rows);
		log_set_command(family, argv[1]);
		return (*rows)->run(argc - 1, argv + 1);
	}
	return hf_command_usage(family, "'%s' is not a subcommand", argv[1]);
}
