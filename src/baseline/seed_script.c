/* Scripts of a seed: the first line, and what a shell script runs. */
#include "baseline/seed_parts.h"
#include "baseline/shell_words.h"

enum { FIRST_LINE_MAX = 256 /* BINPRM_BUF_SIZE of Linux */, SCRIPT_MAX = 4 << 20 };

struct shell_command {
	const struct hf_shell_word *words;
	size_t n;
};

struct scan {
	struct seed *s;
	uint32_t item;
	struct hf_map functions;
	HF_VEC(struct shell_command) commands;
};

static int on_command(void *ctx, const struct hf_shell_word *words, size_t n, struct hf_err *err)
{
	struct scan *c = ctx;
	struct hf_shell_word *copy = hf_arena_array(c->s->a, struct hf_shell_word, n);
	struct shell_command *slot = copy ? hf_vec_push(c->s->a, &c->commands) : NULL;

	if (!slot)
		return hf_fail(err, HF_E_LIMIT, "the script takes too much memory");
	memcpy(copy, words, n * sizeof *words);
	*slot = (struct shell_command){ copy, n };
	return HF_OK;
}

static int on_function(void *ctx, hf_sv name, struct hf_err *err)
{
	struct scan *c = ctx;

	return hf_map_put(&c->functions, name) ? HF_OK : hf_fail(err, HF_E_LIMIT, "the script takes too much memory");
}

static int on_unparsed(void *ctx, hf_sv reason, struct hf_err *err)
{
	struct scan *c = ctx;

	(void)err;
	seed_open_command(c->s, c->item, reason);
	return HF_OK;
}

/* Words as far as they are known; "$@" becomes the arguments of the script. */
static const hf_sv *known_words(struct scan *c, const struct shell_command *command, size_t from, size_t *ret_n)
{
	struct seed *s = c->s;
	const struct seed_item *i = c->item == HF_SEED_NOBODY ? NULL : &s->items.at[c->item];
	size_t n = 0, more = i ? i->arguments_n : 0;
	hf_sv *out = hf_arena_array(s->a, hf_sv, command->n - from + more * (command->n - from));

	for (size_t k = from; out && k < command->n; k++) {
		const struct hf_shell_word *w = &command->words[k];
		if (!w->is_arguments) {
			out[n++] = w->text;
			continue;
		}
		for (size_t m = 0; m < more; m++)
			out[n++] = i->arguments[m];
	}
	*ret_n = out ? n : 0;
	return out;
}

static void run_known(struct scan *c, const struct shell_command *command, size_t from, bool quiet)
{
	struct seed *s = c->s;
	size_t n;

	if (from >= command->n)
		return;
	const struct hf_shell_word *first = &command->words[from];
	if (!first->is_static && !first->is_arguments) {
		if (!quiet)
			seed_open_command(s, c->item,
					  first->text.len
						  ? seed_fmt(s, "a command that is only known when it runs: …%.*s",
							     HF_SV_FMT(hf_sv_first(first->text, 64)))
						  : HF_SV("a command that is only known when it runs"));
		return;
	}
	const hf_sv *words = known_words(c, command, from, &n);
	if (first->is_arguments && !n) {
		s->passes_arguments = true;
		return;
	}
	if (n && !hf_map_find(&c->functions, words[0]) && (first->is_arguments || !hf_shell_is_builtin(words[0])))
		seed_command(s, c->item, words, n, quiet, HF_SV("named by the script"));
}

static void source(struct scan *c, const struct shell_command *command)
{
	struct seed *s = c->s;
	const struct hf_shell_word *w = command->n > 1 ? &command->words[1] : NULL;

	if (!w || !w->is_static) {
		seed_open_command(s, c->item, HF_SV("a file that is sourced is only known when it runs"));
		return;
	}
	hf_sv path = hf_sv_index(w->text, '/') == 0
			     ? w->text
			     : seed_fmt(s, "%.*s/%.*s", HF_SV_FMT(s->working_dir), HF_SV_FMT(w->text));
	if (seed_add(s, path, HF_SEED_MODULE, ROLE_SHELL, c->item, false, HF_SV("sourced by the script")) ==
	    HF_SEED_NOBODY)
		seed_open_command(s, c->item, seed_fmt(s, "%.*s, which it sources, is not there", HF_SV_FMT(path)));
}

static void scan_text(struct seed *s, uint32_t item, hf_sv text);

/* Builtins that run something. */
static bool run_builtin(struct scan *c, const struct shell_command *command)
{
	struct seed *s = c->s;
	const struct hf_shell_word *w = command->words;
	hf_sv name = w[0].text;

	if (!w[0].is_static)
		return false;
	if (hf_sv_eq(name, HF_SV(".")) || hf_sv_eq(name, HF_SV("source"))) {
		source(c, command);
	} else if (hf_sv_eq(name, HF_SV("eval")) || hf_sv_eq(name, HF_SV("trap"))) {
		if (command->n > 1 && w[1].is_static && s->depth < HF_SEED_DEPTH_MAX)
			scan_text(s, c->item, w[1].text);
		else if (command->n > 1 && hf_sv_eq(name, HF_SV("eval")))
			seed_open_command(s, c->item, HF_SV("eval of what is only known when it runs"));
	} else if (hf_sv_eq(name, HF_SV("set"))) {
		if (command->n > 2 && hf_sv_eq(w[1].text, HF_SV("--")))
			run_known(c, command, 2, true);
	} else if (hf_sv_eq(name, HF_SV("exec")) || hf_sv_eq(name, HF_SV("command")) ||
		   hf_sv_eq(name, HF_SV("builtin"))) {
		size_t at = 1;
		bool looks = false;
		for (; at < command->n && w[at].is_static && w[at].text.len > 1 && w[at].text.ptr[0] == '-'; at++) {
			looks |= hf_sv_eq(w[at].text, HF_SV("-v")) || hf_sv_eq(w[at].text, HF_SV("-V"));
			at += hf_sv_eq(w[at].text, HF_SV("-a"));
		}
		if (!looks) /* command -v only says where it is */
			run_known(c, command, at, false);
	} else {
		return hf_shell_is_builtin(name);
	}
	return true;
}

static void scan_text(struct seed *s, uint32_t item, hf_sv text)
{
	struct scan c = { .s = s, .item = item, .functions = HF_MAP(s->a) };
	const struct hf_shell_sink sink = { on_command, on_function, on_unparsed, &c };
	struct hf_err err = { 0 };

	if (text.len > SCRIPT_MAX) {
		seed_open_command(s, item, HF_SV("a script of more than 4 MiB"));
		return;
	}
	s->depth++;
	if (hf_shell_scan(text, s->a, &sink, &err) < 0)
		seed_open_command(s, item, hf_sv_of(err.msg));
	for (size_t i = 0; i < c.commands.n; i++)
		if (hf_map_find(&c.functions, c.commands.at[i].words[0].text) == NULL &&
		    !run_builtin(&c, &c.commands.at[i]))
			run_known(&c, &c.commands.at[i], 0, false);
	s->depth--;
}

void seed_read_shell(struct seed *s, uint32_t item, hf_sv text)
{
	if (s->depth < HF_SEED_DEPTH_MAX)
		scan_text(s, item, text);
	else
		seed_open_command(s, item, HF_SV("scripts are nested too deeply"));
}

/* Words of a "#!" line: Linux gives the rest of the line as one argument; env -S splits it. */
static void read_first_line(struct seed *s, uint32_t item, hf_sv line)
{
	hf_sv rest = hf_sv_trim(line), program, argument = { 0 };
	hf_sv words[34];
	size_t n = 0;

	if (!hf_sv_cut(rest, ' ', &program, &argument) && !hf_sv_cut(rest, '\t', &program, &argument))
		program = rest;
	words[n++] = hf_arena_dup(s->a, program);
	argument = hf_sv_trim(argument);
	bool is_env = hf_sv_eq(hf_sv_basename(program), HF_SV("env"));
	hf_sv one;
	while (argument.len && n + 2 < HF_ARRAY_SIZE(words) && hf_sv_next(&argument, is_env ? ' ' : 0, &one))
		if (one.len)
			words[n++] = hf_arena_dup(s->a, one);
	/* What the interpreter gets: the script and its arguments. */
	const struct seed_item i = s->items.at[item];
	hf_sv *all = hf_arena_array(s->a, hf_sv, n + 1 + i.arguments_n);
	if (!all)
		return;
	memcpy(all, words, n * sizeof *words);
	all[n] = i.file.path;
	for (size_t k = 0; k < i.arguments_n; k++)
		all[n + 1 + k] = i.arguments[k];
	seed_command(s, item, all, n + 1 + i.arguments_n, false, HF_SV("its first line"));
}

void seed_read_script(struct seed *s, uint32_t item, hf_sv bytes)
{
	s->items.at[item].file.kind = HF_SEED_SCRIPT;
	if (!hf_sv_starts(bytes, HF_SV("#!"))) {
		/* A shell runs what the kernel refuses, as its own script. */
		if (bytes.len && !memchr(bytes.ptr, 0, bytes.len < 4096 ? bytes.len : 4096))
			seed_read_shell(s, item, bytes);
		else
			seed_open_command(s, item, HF_SV("is executed, and neither an ELF file nor a script"));
		return;
	}
	hf_sv line = hf_sv_first(hf_sv_skip(bytes, 2), FIRST_LINE_MAX - 2);
	line = hf_sv_first(line, hf_sv_index(line, '\n'));
	uint32_t before = item;
	read_first_line(s, item, line);
	/* The interpreter's words named this very file, which is known already: what it says is read here. */
	hf_sv name = hf_sv_basename(hf_sv_trim(line));
	bool is_python = hf_sv_find(line, HF_SV("python")) != SIZE_MAX;
	static const hf_sv others[] = { HF_SV_INIT("perl"), HF_SV_INIT("ruby"), HF_SV_INIT("node"), HF_SV_INIT("php"),
					HF_SV_INIT("lua"),  HF_SV_INIT("awk"),  HF_SV_INIT("tclsh") };
	for (size_t i = 0; i < HF_ARRAY_SIZE(others); i++)
		if (hf_sv_find(name.len ? line : name, others[i]) != SIZE_MAX)
			return;
	if (is_python)
		seed_read_python(s, before, bytes);
	else
		seed_read_shell(s, before, bytes);
}
