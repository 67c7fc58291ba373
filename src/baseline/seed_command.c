/* Commands of a seed: the program by PATH, and what its words say of further programs. */
#include "baseline/seed_parts.h"

enum { COMMANDS_MAX = 20000 };

/* Programs that run the command behind their options: after @skip words that are something else. */
static const struct {
	const char *name;
	unsigned skip;
} wrappers[] = {
	{ "env", 0 },       { "exec", 0 },      { "command", 0 },      { "builtin", 0 },     { "nohup", 0 },
	{ "nice", 0 },      { "ionice", 0 },    { "setsid", 0 },       { "time", 0 },        { "timeout", 1 },
	{ "stdbuf", 0 },    { "tini", 0 },      { "tini-static", 0 },  { "docker-init", 0 }, { "dumb-init", 0 },
	{ "catatonit", 0 }, { "gosu", 1 },      { "su-exec", 1 },      { "setpriv", 0 },     { "chpst", 0 },
	{ "sudo", 0 },      { "runuser", 0 },   { "chroot", 1 },       { "xargs", 0 },       { "busybox", 0 },
	{ "setuidgid", 1 }, { "softlimit", 0 }, { "flock", 1 },        { "unshare", 0 },     { "taskset", 1 },
	{ "numactl", 0 },   { "capsh", 0 },     { "s6-setuidgid", 1 }, { "pidproxy", 1 },    { "watch", 0 },
	{ "strace", 0 },
};
static const char *const shells[] = { "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "rbash" };
static const char *const others[] = {
	"perl", "ruby", "node", "nodejs", "php", "lua", "tclsh", "Rscript", "deno", "bun"
};

static bool is_one_of(hf_sv name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(name, hf_sv_of(names[i])))
			return true;
	return false;
}

static hf_sv without_version(hf_sv name)
{
	while (name.len &&
	       ((name.ptr[name.len - 1] >= '0' && name.ptr[name.len - 1] <= '9') || name.ptr[name.len - 1] == '.'))
		name.len--;
	return name;
}

static hf_sv in_working_dir(struct seed *s, hf_sv path)
{
	if (path.len && path.ptr[0] == '/')
		return path;
	return seed_fmt(s, "%.*s/%.*s", HF_SV_FMT(s->working_dir), HF_SV_FMT(path));
}

/* The path of the program that a command's first word names. */
static bool find_program(struct seed *s, hf_sv word, hf_sv *ret)
{
	char path[HF_PATH_MAX], out[HF_PATH_MAX + 1];
	struct hf_root_entry e;
	hf_sv folder, real, search = s->search;

	if (!word.len || memchr(word.ptr, 0, word.len))
		return false;
	if (hf_sv_index(word, '/') != SIZE_MAX) {
		*ret = in_working_dir(s, word);
		return seed_find(s, *ret, out, &real, &e);
	}
	while (search.ptr && hf_sv_next(&search, ':', &folder)) {
		hf_sv tried =
			seed_path(path, "%.*s/%.*s", HF_SV_FMT(folder.len ? folder : s->working_dir), HF_SV_FMT(word));
		if (!tried.len || !seed_find(s, tried, out, &real, &e) || !(e.mode & 0111))
			continue;
		*ret = hf_arena_dup(s->a, tried);
		return true;
	}
	return false;
}

static bool is_option(hf_sv word)
{
	return word.len > 1 && word.ptr[0] == '-';
}

static void run_wrapped(struct seed *s, uint32_t because, const hf_sv *words, size_t n, size_t skip, hf_sv how)
{
	hf_sv path;
	size_t i = 1;

	for (; i < n && (is_option(words[i]) || hf_sv_index(words[i], '=') != SIZE_MAX || skip); i++) {
		if (hf_sv_eq(words[i], HF_SV("--")))
			continue;
		if (!is_option(words[i]) && hf_sv_index(words[i], '=') == SIZE_MAX)
			skip--;
	}
	/* Options may have values that stand alone: the first word that is a program begins the command. */
	for (; i < n; i++)
		if (find_program(s, words[i], &path)) {
			seed_command(s, because, words + i, n - i, false, how);
			return;
		}
}

static void add_script(struct seed *s, uint32_t because, hf_sv word, enum seed_role role, const hf_sv *arguments,
		       size_t n)
{
	hf_sv path = in_working_dir(s, word);
	uint32_t at = seed_add(s, path, HF_SEED_SCRIPT, role, because, false, HF_SV("given to its interpreter"));

	if (at == HF_SEED_NOBODY) {
		seed_unparsed_of(s, because, seed_fmt(s, "the script %.*s is not there", HF_SV_FMT(path)));
		return;
	}
	s->items.at[at].arguments = arguments;
	s->items.at[at].arguments_n = n;
	s->items.at[at].has_arguments = true;
	if (role == ROLE_DATA)
		seed_open_command(s, at, HF_SV("what it imports is not followed"));
}

static void run_shell(struct seed *s, uint32_t because, const hf_sv *words, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (is_option(words[i]) && words[i].ptr[1] != '-' && hf_sv_index(words[i], 'c') != SIZE_MAX) {
			if (i + 1 < n)
				seed_read_shell(s, because, words[i + 1]);
			return;
		}
		if (hf_sv_eq(words[i], HF_SV("-o")) || hf_sv_eq(words[i], HF_SV("-O"))) {
			i++;
		} else if (!is_option(words[i])) {
			add_script(s, because, words[i], ROLE_SHELL, words + i + 1, n - i - 1);
			return;
		}
	}
}

static void run_python(struct seed *s, uint32_t because, hf_sv interpreter, const hf_sv *words, size_t n)
{
	seed_python_is(s, interpreter);
	for (size_t i = 1; i < n; i++) {
		if (hf_sv_eq(words[i], HF_SV("-m"))) {
			if (i + 1 < n)
				seed_python_module(s, because, s->working_dir, words[i + 1]);
			return;
		}
		if (hf_sv_eq(words[i], HF_SV("-c"))) {
			if (i + 1 < n)
				seed_read_python(s, because, words[i + 1]);
			return;
		}
		if (hf_sv_eq(words[i], HF_SV("-W")) || hf_sv_eq(words[i], HF_SV("-X"))) {
			i++;
		} else if (!is_option(words[i])) {
			add_script(s, because, words[i], ROLE_PYTHON, words + i + 1, n - i - 1);
			return;
		}
	}
}

static void run_other(struct seed *s, uint32_t because, const hf_sv *words, size_t n)
{
	static const char *const with_code[] = { "-e", "-E", "-p", "-r", "--eval", "--print" };

	for (size_t i = 1; i < n; i++) {
		if (is_one_of(words[i], with_code, HF_ARRAY_SIZE(with_code))) {
			seed_open_command(s, because, HF_SV("code on the command line is not read"));
			return;
		}
		if (hf_sv_eq(words[i], HF_SV("-jar")) && i + 1 < n) {
			add_script(s, because, words[i + 1], ROLE_DATA, NULL, 0);
			return;
		}
		if (!is_option(words[i])) {
			add_script(s, because, words[i], ROLE_DATA, NULL, 0);
			return;
		}
	}
}

/* java CLASS: the class is no path. */
static void run_java(struct seed *s, uint32_t because, const hf_sv *words, size_t n)
{
	for (size_t i = 1; i + 1 < n; i++) {
		if (hf_sv_eq(words[i], HF_SV("-jar"))) {
			add_script(s, because, words[i + 1], ROLE_DATA, NULL, 0);
			return;
		}
	}
	seed_open_command(s, because, HF_SV("the classes that it runs are not looked for"));
}

static void find_exec(struct seed *s, uint32_t because, const hf_sv *words, size_t n, hf_sv how)
{
	for (size_t i = 1; i + 1 < n; i++)
		if (hf_sv_eq(words[i], HF_SV("-exec")) || hf_sv_eq(words[i], HF_SV("-execdir")))
			seed_command(s, because, words + i + 1, n - i - 1, false, how);
}

static void read_words(struct seed *s, uint32_t program, hf_sv path, const hf_sv *words, size_t n, hf_sv how)
{
	hf_sv name = hf_sv_basename(words[0]), plain = without_version(name);

	for (size_t i = 0; i < HF_ARRAY_SIZE(wrappers); i++)
		if (hf_sv_eq(name, hf_sv_of(wrappers[i].name)))
			run_wrapped(s, program, words, n, wrappers[i].skip, how);
	if (is_one_of(name, shells, HF_ARRAY_SIZE(shells)))
		run_shell(s, program, words, n);
	else if (hf_sv_eq(plain, HF_SV("python")) || hf_sv_eq(plain, HF_SV("pypy")))
		run_python(s, program, path, words, n);
	else if (is_one_of(plain, others, HF_ARRAY_SIZE(others)))
		run_other(s, program, words, n);
	else if (hf_sv_eq(name, HF_SV("java")))
		run_java(s, program, words, n);
	else if (hf_sv_eq(name, HF_SV("find")))
		find_exec(s, program, words, n, how);
	/* busybox NAME … is NAME … */
	if (hf_sv_eq(name, HF_SV("busybox")) && n > 1 && is_one_of(words[1], shells, HF_ARRAY_SIZE(shells)))
		run_shell(s, program, words + 1, n - 1);
}

bool seed_command(struct seed *s, uint32_t because, const hf_sv *words, size_t n, bool quiet, hf_sv how)
{
	hf_sv path;

	if (!n || ++s->commands > COMMANDS_MAX || s->depth >= HF_SEED_DEPTH_MAX) {
		if (n)
			seed_open_command(s, because, HF_SV("commands are nested too deeply, or are too many"));
		return false;
	}
	if (!find_program(s, words[0], &path)) {
		if (!quiet)
			seed_unparsed_of(s, because, seed_fmt(s, "%.*s is not in the image", HF_SV_FMT(words[0])));
		return false;
	}
	uint32_t at = seed_add(s, path, HF_SEED_PROGRAM, ROLE_RUN, because, false, how);
	if (at == HF_SEED_NOBODY)
		return false;
	if (!s->items.at[at].has_arguments) {
		s->items.at[at].arguments = words + 1;
		s->items.at[at].arguments_n = n - 1;
		s->items.at[at].has_arguments = true;
	}
	s->depth++;
	read_words(s, at, path, words, n, how);
	s->depth--;
	return true;
}
