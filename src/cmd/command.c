#include "cmd/command.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cmd/config.h"
#include "cmd/log.h"
#include "cmd/usage_text.h"

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

static const struct hf_command *running;

static const char *option_name(void *ctx, size_t i)
{
	const struct usage_text *u = ctx;

	return u->options.at[i].name.ptr;
}

int hf_command_no_option(const char *command, const char *option)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	hf_sv name = hf_sv_of(option);
	const char *nearest = NULL;
	struct usage_text u = { 0 };

	name = hf_sv_first(name, hf_sv_index(name, '='));
	if (running && name.len > 2 &&
	    usage_text_read(hf_sv_of(command), config_usage(&a, running), &a, &u, NULL) >= 0) {
		for (size_t i = 0; i < u.options.n; i++)
			u.options.at[i].name = hf_arena_dup(&a, u.options.at[i].name);
		nearest = hf_nearest_name(name, option_name, a.over ? 0 : u.options.n, &u);
	}
	return hf_command_usage(command, "there is no option '%s'%s%s", option, nearest ? "; the nearest is " : "",
				nearest ? nearest : "");
}

static const char *command_name(void *ctx, size_t i)
{
	const struct hf_command *const *rows = ctx;

	return rows[i]->name;
}

static int no_command(const char *family, const struct hf_command *const *rows, const char *word)
{
	size_t n = 0;

	while (rows[n])
		n++;
	const char *nearest = hf_nearest_name(hf_sv_of(word), command_name, n, (void *)(uintptr_t)rows);
	return hf_command_usage(family, "'%s' is not a %s%s%s", word, family ? "subcommand" : "command",
				nearest ? "; the nearest is " : "", nearest ? nearest : "");
}

static int help_of(const char *family, const struct hf_command *c)
{
	size_t n = strlen(c->usage);

	return printf("Usage: holdfast %s%s%s %s%s\n" LOG_USAGE, family ? family : "", family ? " " : "", c->name,
		      c->usage, n && c->usage[n - 1] == '\n' ? "" : "\n") < 0;
}

/* Runs @c with what the configuration adds to its words. */
static int run_configured(const char *family, const struct hf_command *c, int argc, char **argv)
{
	hf_cleanup(config_done) struct config config = { 0 };
	struct hf_err err = { 0 };
	char path[64];
	int given = argc;

	running = c;
	log_set_command(family, c->name);
	if (c->helps_itself || c == &hf_command_completion || c == &hf_command_config)
		return c->run(argc, argv);
	snprintf(path, sizeof path, "%s%s%s", family ? family : "", family ? " " : "", c->name);
	if (config_load(&config, &err) < 0 || !(argv = config_words(&config, path, c, given, argv, &argc, &err)))
		return hf_command_fail(&err);
	bool added = argc > given;
	if (added && log_take_options(&argc, argv))
		return 2;
	int status = c->run(argc, argv);
	if (status == 2 && added)
		log_note("%d words are of the configuration ('holdfast config show' says from where)", argc - given);
	return status;
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
		return run_configured(NULL, hf_commands[i], argc - 1, argv + 1);
	}
	return no_command(NULL, hf_commands, argv[1]);
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

int hf_command_family(const char *family, const struct hf_command *const *all, int argc, char **argv)
{
	const struct hf_command *const *rows;

	if (argc < 2)
		return hf_command_usage(family, "which subcommand?");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		family_help(family, all);
		return 0;
	}
	for (rows = all; *rows; rows++) {
		if (strcmp(argv[1], (*rows)->name))
			continue;
		if (!(*rows)->helps_itself && asks_for_help(argc - 1, argv + 1))
			return help_of(family, *rows);
		return run_configured(family, *rows, argc - 1, argv + 1);
	}
	return no_command(family, all, argv[1]);
}
