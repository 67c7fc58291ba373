/* completion bash|zsh|fish: a script for the shell. What can be completed is a table, made here of the commands' own texts; what the shell
 * does with it stands in completions/. */
#include "cmd/command.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "cmd/kube/kube.h"
#include "cmd/log.h"
#include "cmd/runtime/runtime.h"
#include "cmd/usage_text.h"

extern const char hf_completion_bash_begin[], hf_completion_bash_end[];
extern const char hf_completion_zsh_begin[], hf_completion_zsh_end[];
extern const char hf_completion_fish_begin[], hf_completion_fish_end[];

static const struct shell {
	const char *name, *script, *script_end;
	/* of the function's table: before all, a path, one line of it, behind the path, behind all; %s is quoted */
	const char *open, *path, *line, *path_end, *close;
	char escape; /* a quote in quotes: '\'' or \' */
} shells[] = {
	{ "bash", hf_completion_bash_begin, hf_completion_bash_end, "\tcase $1 in\n", "\t%s)\n\t\tprintf '%%s\\n'",
	  " \\\n\t\t\t%s", " ;;\n", "\tesac\n", '\'' },
	{ "zsh", hf_completion_zsh_begin, hf_completion_zsh_end, "\tcase $1 in\n", "\t%s)\n\t\tprint -rl --",
	  " \\\n\t\t\t%s", " ;;\n", "\tesac\n", '\'' },
	{ "fish", hf_completion_fish_begin, hf_completion_fish_end, "\tswitch $argv[1]\n",
	  "\t\tcase %s\n\t\t\tprintf '%%s\\n'", " \\\n\t\t\t\t%s", "\n", "\tend\n", '\\' },
};

struct writing {
	const struct shell *shell;
	struct hf_arena arena;
	struct hf_buf out;
};

static const char *quoted(struct writing *w, hf_sv text)
{
	hf_cleanup(hf_buf_done) struct hf_buf b = HF_BUF(HF_KIB(64));

	hf_buf_add_char(&b, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (w->shell->escape == '\\' && (text.ptr[i] == '\'' || text.ptr[i] == '\\'))
			hf_buf_addf(&b, "\\%c", text.ptr[i]);
		else if (text.ptr[i] == '\'')
			hf_buf_add(&b, HF_SV("'\\''"));
		else
			hf_buf_add_char(&b, text.ptr[i]);
	}
	hf_buf_add_char(&b, '\'');
	return hf_arena_dup(&w->arena, hf_buf_view(&b)).ptr;
}

/* hf_buf_addf with a format of the table above. */
static void add_template(struct hf_buf *out, const char *template, const char *value)
{
	for (const char *p = template; *p; p++) {
		if (*p != '%') {
			hf_buf_add_char(out, *p);
			continue;
		}
		p++;
		if (*p == 's')
			hf_buf_add(out, hf_sv_of(value));
		else
			hf_buf_add_char(out, '%');
	}
}

/* A line of the table: KIND, NAME, VALUE and TEXT with tabs between; none but TEXT is empty. completions/holdfast.bash says more. */
static void add_line(struct writing *w, char kind, hf_sv name, hf_sv value, hf_sv text)
{
	hf_sv line = hf_arena_fmt(&w->arena, "%c\t%.*s\t%.*s\t%.*s", kind, HF_SV_FMT(name), HF_SV_FMT(value),
				  HF_SV_FMT(text));

	add_template(&w->out, w->shell->line, quoted(w, line));
}

static void begin_path(struct writing *w, const char *path)
{
	add_template(&w->out, w->shell->path, quoted(w, hf_sv_of(path)));
}

static void end_path(struct writing *w)
{
	add_line(w, 'o', HF_SV("--help"), HF_SV("-"), HF_SV("what it does and takes"));
	add_template(&w->out, w->shell->path_end, "");
}

static hf_sv value_of(struct writing *w, enum usage_kind kind, bool optional, hf_sv choices)
{
	static const char *const kinds[] = {
		[USAGE_NONE] = "-",        [USAGE_ANY] = "any",    [USAGE_FILE] = "file",
		[USAGE_FOLDER] = "folder", [USAGE_CHOICE] = "one", [USAGE_LIST] = "some",
	};

	hf_sv name = hf_arena_fmt(&w->arena, "%s%s", optional ? "?" : "", kinds[kind]);

	return choices.len ? hf_arena_fmt(&w->arena, "%.*s %.*s", HF_SV_FMT(name), HF_SV_FMT(choices)) : name;
}

/* What may stand behind one word of a command, or behind the command itself. */
static void add_operands(struct writing *w, const struct usage_text *u, size_t word)
{
	hf_sv rest = u->words.at[word].choices, choice;

	while (rest.ptr && hf_sv_next(&rest, ' ', &choice))
		add_line(w, 'a', choice, HF_SV("-"), HF_SV(""));
	for (size_t i = 0; u->words.at[word].targets && i < u->prefixes.n; i++)
		add_line(w, 'a', u->prefixes.at[i].name, value_of(w, u->prefixes.at[i].kind, false, HF_SV("")),
			 HF_SV(""));
	if (u->words.at[word].files)
		add_line(w, 'f', HF_SV("-"), HF_SV("file"), HF_SV(""));
	for (size_t i = 0; i < u->options.n; i++) {
		const struct usage_option *o = &u->options.at[i];
		if (o->words >> word & 1)
			add_line(w, 'o', o->name, value_of(w, o->kind, o->optional, o->choices), o->text);
	}
}

static int add_command(struct writing *w, const char *path, const struct hf_command *c, struct hf_err *err)
{
	hf_sv usage = hf_arena_fmt(&w->arena, "%s\n" LOG_USAGE, c->usage);
	struct usage_text u;

	if (usage_text_read(hf_sv_of(path), usage, &w->arena, &u, err) < 0)
		return err->code;
	begin_path(w, path);
	for (size_t i = 1; i < u.words.n; i++)
		add_line(w, 'w', u.words.at[i].name, HF_SV("-"), u.words.at[i].text);
	if (u.words.at[0].exists)
		add_operands(w, &u, 0);
	end_path(w);
	for (size_t i = 1; i < u.words.n; i++) {
		hf_sv deeper = hf_arena_fmt(&w->arena, "%s %.*s", path, HF_SV_FMT(u.words.at[i].name));
		begin_path(w, deeper.ptr);
		add_operands(w, &u, i);
		end_path(w);
	}
	return HF_OK;
}

static void add_names(struct writing *w, const char *path, const struct hf_command *const *rows)
{
	begin_path(w, path);
	for (; *rows; rows++)
		add_line(w, 'w', hf_sv_of((*rows)->name), HF_SV("-"), hf_sv_of((*rows)->summary));
	if (!*path)
		add_line(w, 'o', HF_SV("--version"), HF_SV("-"), HF_SV("which version this is"));
	end_path(w);
}

static int add_table(struct writing *w, struct hf_err *err)
{
	static const struct {
		const struct hf_command *command;
		const struct hf_command *const *rows;
	} families[] = { { &hf_command_runtime, hf_runtime_commands }, { &hf_command_kube, hf_kube_commands } };

	add_template(&w->out, w->shell->open, "");
	add_names(w, "", hf_commands);
	for (size_t i = 0; hf_commands[i]; i++) {
		const char *name = hf_commands[i]->name;
		const struct hf_command *const *rows = NULL;
		for (size_t k = 0; k < HF_ARRAY_SIZE(families); k++)
			rows = families[k].command == hf_commands[i] ? families[k].rows : rows;
		if (!rows) {
			if (add_command(w, name, hf_commands[i], err) < 0)
				return err->code;
			continue;
		}
		add_names(w, name, rows);
		for (; *rows; rows++) {
			hf_sv path = hf_arena_fmt(&w->arena, "%s %s", name, (*rows)->name);
			if (add_command(w, path.ptr, *rows, err) < 0)
				return err->code;
		}
	}
	add_template(&w->out, w->shell->close, "");
	return w->arena.over || w->out.over ? hf_fail(err, HF_E_LIMIT, "the table of completions is too long") : HF_OK;
}

static int write_script(const struct shell *shell, struct hf_err *err)
{
	struct writing w = { .shell = shell, .arena = HF_ARENA(HF_MIB(16)), .out = HF_BUF(HF_MIB(1)) };
	hf_sv line, rest = { shell->script, (size_t)(shell->script_end - shell->script) };
	int r = HF_OK;

	while (r >= 0 && rest.ptr && hf_sv_next(&rest, '\n', &line)) {
		if (hf_sv_eq(hf_sv_trim(line), HF_SV("# TABLE"))) {
			r = add_table(&w, err);
			continue;
		}
		hf_buf_add(&w.out, line);
		if (rest.ptr)
			hf_buf_add_char(&w.out, '\n');
	}
	if (r >= 0 && fwrite(w.out.ptr, 1, w.out.len, stdout) != w.out.len)
		r = hf_fail_errno(err, "standard output");
	hf_buf_done(&w.out);
	hf_arena_done(&w.arena);
	return r;
}

static int completion_run(int argc, char **argv)
{
	struct hf_err err = { 0 };

	for (size_t i = 0; argc == 2 && i < HF_ARRAY_SIZE(shells); i++)
		if (!strcmp(argv[1], shells[i].name))
			return write_script(&shells[i], &err) < 0 ? hf_command_fail(&err) : 0;
	if (argc > 1 && argv[argc - 1][0] == '-')
		return hf_command_no_option("completion", argv[argc - 1]);
	return argc == 2 ? hf_command_usage("completion", "there are bash, zsh and fish, no '%s'", argv[1])
			 : hf_command_usage("completion", "which shell: bash, zsh or fish?");
}

const struct hf_command hf_command_completion = {
	.name = "completion",
	.summary = "a script that completes command lines, for bash, zsh or fish",
	.usage = "bash|zsh|fish\n\n"
		 "  bash                 source <(holdfast completion bash), or into /etc/bash_completion.d/holdfast\n"
		 "  zsh                  into a file _holdfast of a folder of $fpath, or source <(holdfast completion "
		 "zsh)\n"
		 "  fish                 into ~/.config/fish/completions/holdfast.fish\n",
	.run = completion_run,
};
