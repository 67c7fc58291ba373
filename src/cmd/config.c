#include "cmd/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "cmd/kube/kube.h"
#include "cmd/log.h"
#include "cmd/runtime/runtime.h"
#include "cmd/usage_text.h"
#include "format/value.h"

extern char **environ;

enum { FILE_MAX = 64 << 10, ARENA_MAX = 16 << 20 };
enum type { FLAG, TEXT, LIST, REPEATED };
enum project { ANY, ADDS, NONE };

static const struct row {
	const char *name, *option;
	enum type type;
	enum project project;
} rows[] = {
#define HF_CONFIG(key, option, type, project) { #key, option, type, project },
#include "cmd/config.def"
#undef HF_CONFIG
};

const char *config_key_name(size_t key)
{
	return rows[key].name;
}

const char *config_key_option(size_t key)
{
	return rows[key].option;
}

static const char *name_of(void *ctx, size_t i)
{
	(void)ctx;
	return rows[i].name;
}

static size_t row_named(hf_sv name)
{
	size_t i = 0;

	while (i < CONFIG_KEYS && !hf_sv_eq(name, hf_sv_of(rows[i].name)))
		i++;
	return i;
}

hf_sv config_usage(struct hf_arena *a, const struct hf_command *c)
{
	return hf_arena_fmt(a, "%s\n" LOG_USAGE, c->usage);
}

/* "config:critical" is one where "config:high" is listed: what stands behind a colon the command checks itself. */
static bool is_choice(const struct usage_option *o, hf_sv value)
{
	hf_sv rest = o->choices, one, kind, of;

	if (!o->choices.len)
		return true;
	while (rest.len && hf_sv_next(&rest, ' ', &one)) {
		if (hf_sv_eq(one, value) || (hf_sv_ends(one, HF_SV("=")) && hf_sv_starts(value, one)))
			return true;
		if (hf_sv_cut(one, ':', &kind, &of) && hf_sv_starts(value, hf_sv_first(one, kind.len + 1)))
			return true;
	}
	return false;
}

/* True where one of the commands takes @value. */
static bool taken_by(const struct hf_command *const *list, const struct row *row, hf_sv value)
{
	bool taken = false;

	for (; *list && !taken; list++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(ARENA_MAX);
		struct usage_text u;
		if (*list == &hf_command_kube)
			taken = taken_by(hf_kube_commands, row, value);
		else if (*list == &hf_command_runtime)
			taken = taken_by(hf_runtime_commands, row, value);
		else if (usage_text_read(hf_sv_of((*list)->name), config_usage(&a, *list), &a, &u, NULL) >= 0)
			for (size_t i = 0; i < u.options.n && !taken; i++)
				taken = hf_sv_eq(u.options.at[i].name, hf_sv_of(row->option)) &&
					is_choice(&u.options.at[i], value);
	}
	return taken;
}

static int add_value(struct config *c, size_t key, hf_sv text, hf_sv origin, struct hf_err *err)
{
	const struct row *row = &rows[key];
	struct config_value *v;
	uint64_t n;

	if (row->type == FLAG && !hf_sv_eq(text, HF_SV("true")) && !hf_sv_eq(text, HF_SV("false")))
		return hf_fail(err, HF_E_FORMAT, "%.*s: %s is true or false, not '%.*s'", HF_SV_FMT(origin), row->name,
			       HF_SV_FMT(text));
	if (key == CONFIG_jobs && (!hf_sv_to_u64(text, &n) || n < 1 || n > HF_THREADS_MAX))
		return hf_fail(err, HF_E_FORMAT, "%.*s: jobs is a number from 1 to %d, not '%.*s'", HF_SV_FMT(origin),
			       HF_THREADS_MAX, HF_SV_FMT(text));
	if (!text.len || memchr(text.ptr, 0, text.len) || (row->type != FLAG && !taken_by(hf_commands, row, text)))
		return hf_fail(err, HF_E_FORMAT, "%.*s: no command takes '%.*s' as %s", HF_SV_FMT(origin),
			       HF_SV_FMT(text), row->name);
	v = hf_vec_push(&c->arena, &c->settings[key].values);
	if (v)
		*v = (struct config_value){ hf_arena_dup(&c->arena, text), origin };
	return HF_OK;
}

static int read_environment(struct config *c, struct hf_err *err)
{
	static const char prefix[] = "HOLDFAST_";

	for (char **e = environ; *e; e++) {
		hf_sv name, text, item;
		char key[64];
		if (strncmp(*e, prefix, sizeof prefix - 1) || !hf_sv_cut(hf_sv_of(*e), '=', &name, &text) || !text.len)
			continue;
		hf_sv upper = hf_sv_skip(name, sizeof prefix - 1);
		if (upper.len >= sizeof key)
			continue;
		for (size_t i = 0; i <= upper.len; i++)
			key[i] = i == upper.len ? 0
						: (char)(upper.ptr[i] |
							 (upper.ptr[i] >= 'A' && upper.ptr[i] <= 'Z' ? 0x20 : 0));
		size_t row = row_named(hf_sv_of(key));
		/* Others may use the prefix: Kubernetes sets HOLDFAST_SERVICE_HOST where a service is called so. */
		const char *nearest =
			row < CONFIG_KEYS ? NULL : hf_nearest_name(hf_sv_of(key), name_of, CONFIG_KEYS, NULL);
		if (nearest)
			return hf_fail(err, HF_E_FORMAT, "%.*s: there is no key '%s'; the nearest is %s",
				       HF_SV_FMT(name), key, nearest);
		if (row == CONFIG_KEYS)
			continue;
		hf_sv origin = hf_arena_dup(&c->arena, name);
		c->settings[row] = (struct config_setting){ 0 };
		if (rows[row].type == FLAG || rows[row].type == TEXT) {
			if (add_value(c, row, text, origin, err) < 0)
				return err->code;
			continue;
		}
		while (text.len && hf_sv_next(&text, ',', &item))
			if (add_value(c, row, item, origin, err) < 0)
				return err->code;
	}
	return HF_OK;
}

struct file {
	const char *path;
	bool project;
	hf_sv text;
};

static hf_sv scalar(const struct hf_value *v)
{
	if (v->type == HF_VALUE_BOOL)
		return v->boolean ? HF_SV("true") : HF_SV("false");
	return v->type == HF_VALUE_STRING || v->type == HF_VALUE_NUMBER ? (hf_sv){ v->text, v->n } : (hf_sv){ 0 };
}

static int take_member(struct config *c, const struct file *f, const struct hf_member *m, struct hf_err *err)
{
	size_t row = row_named(hf_member_key(m));
	const struct hf_value *v = &m->value;
	uint32_t line, column;

	hf_text_position(f->text, m->offset, &line, &column);
	hf_sv origin = hf_arena_fmt(&c->arena, "%s:%u", f->path, line);
	if (row == CONFIG_KEYS) {
		const char *nearest = hf_nearest_name(hf_member_key(m), name_of, CONFIG_KEYS, NULL);
		return hf_fail(err, HF_E_FORMAT, "%.*s: there is no key '%.*s'%s%s ('holdfast config show' lists them)",
			       HF_SV_FMT(origin), HF_SV_FMT(hf_member_key(m)), nearest ? "; the nearest is " : "",
			       nearest ? nearest : "");
	}
	if (f->project && rows[row].project == NONE)
		return hf_fail(err, HF_E_FORMAT,
			       "%.*s: a project's file must not set %s: it belongs into "
			       "~/.config/holdfast/holdfast.yaml or the command line",
			       HF_SV_FMT(origin), rows[row].name);
	if (f->project && rows[row].type == FLAG && hf_value_is(v, HF_VALUE_BOOL) && !v->boolean)
		return hf_fail(err, HF_E_FORMAT, "%.*s: a project's file can only switch %s on", HF_SV_FMT(origin),
			       rows[row].name);
	if (!f->project || rows[row].project != ADDS)
		c->settings[row] = (struct config_setting){ 0 };
	if (v->type == HF_VALUE_ARRAY && (rows[row].type == LIST || rows[row].type == REPEATED)) {
		hf_value_elements(v, e) if (add_value(c, row, scalar(e), origin, err) < 0) return err->code;
		return HF_OK;
	}
	return add_value(c, row, scalar(v), origin, err);
}

/* A link in a folder of somebody else's could lead anywhere. */
static int read_file(struct config *c, const char *path, bool project, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (project ? O_NOFOLLOW : 0));
	struct hf_buf text = HF_BUF(FILE_MAX);
	struct hf_value tree = { 0 };
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? HF_OK : hf_fail_errno(err, "%s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return hf_fail(err, HF_E_FORMAT, "%s: no regular file", path);
	int r = hf_fd_read_all(fd, 0, &text, err);
	const struct file f = { path, project, hf_arena_dup(&c->arena, hf_buf_view(&text)) };
	hf_buf_done(&text);
	if (r >= 0)
		r = hf_value_of_yaml(f.text, 0, 1, &c->arena, (struct hf_value_notes){ 0 }, &tree, err);
	if (r < 0)
		return hf_wrap(err, "%s", path);
	if (tree.type != HF_VALUE_NULL && tree.type != HF_VALUE_OBJECT)
		return hf_fail(err, HF_E_FORMAT, "%s: no mapping of keys", path);
	hf_value_members(&tree, m) if (take_member(c, &f, m, err) < 0) return err->code;
	return HF_OK;
}

int config_load(struct config *c, struct hf_err *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	hf_sv user = { 0 };

	*c = (struct config){ .arena = HF_ARENA(ARENA_MAX) };
	if (xdg && *xdg)
		user = hf_arena_fmt(&c->arena, "%s/holdfast/holdfast.yaml", xdg);
	else if (home && *home)
		user = hf_arena_fmt(&c->arena, "%s/.config/holdfast/holdfast.yaml", home);
	int r = read_file(c, "/etc/holdfast/holdfast.yaml", false, err);
	if (r >= 0 && user.len)
		r = read_file(c, user.ptr, false, err);
	if (r >= 0)
		r = read_file(c, "./.holdfast.yaml", true, err);
	if (r >= 0)
		r = read_environment(c, err);
	return r >= 0 && c->arena.over ? hf_fail(err, HF_E_LIMIT, "the configuration is too long") : r;
}

void config_done(struct config *c)
{
	hf_arena_done(&c->arena);
}

/* The option's name or one of the others on its line, also cut short, as getopt takes it, or with its value. */
static bool is_given(const struct usage_text *u, const struct usage_option *o, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		hf_sv word = hf_sv_of(argv[i]);
		bool is_long = hf_sv_starts(word, HF_SV("--"));
		word = is_long ? hf_sv_first(word, hf_sv_index(word, '=')) : hf_sv_first(word, 2);
		for (size_t k = 0; k < u->options.n; k++)
			if (u->options.at[k].line == o->line && word.len >= 2 &&
			    (is_long ? hf_sv_starts(u->options.at[k].name, word)
				     : hf_sv_eq(u->options.at[k].name, word)))
				return true;
	}
	return false;
}

static bool wants_value(const struct usage_text *u, const char *word)
{
	for (size_t i = 0; i < u->options.n; i++)
		if (hf_sv_eq(u->options.at[i].name, hf_sv_of(word)))
			return u->options.at[i].kind != USAGE_NONE && !u->options.at[i].optional;
	return false;
}

struct words {
	char **at;
	int n;
};

static void add_setting(struct config *c, size_t key, const struct usage_option *o, struct words *w)
{
	const struct config_setting *s = &c->settings[key];
	hf_sv joined = { 0 };

	for (size_t i = 0; i < s->values.n; i++) {
		const struct config_value *v = &s->values.at[i];
		if (rows[key].type == FLAG ? hf_sv_eq(v->text, HF_SV("false")) : !is_choice(o, v->text))
			continue;
		log_debug("%.*s: %s %.*s", HF_SV_FMT(v->origin), rows[key].option, HF_SV_FMT(v->text));
		if (rows[key].type == LIST) {
			joined = hf_arena_fmt(&c->arena, "%.*s%s%.*s", HF_SV_FMT(joined), joined.len ? "," : "",
					      HF_SV_FMT(v->text));
			continue;
		}
		w->at[w->n++] = (char *)(uintptr_t)rows[key].option;
		if (rows[key].type != FLAG)
			w->at[w->n++] = (char *)(uintptr_t)v->text.ptr;
	}
	if (joined.len) {
		w->at[w->n++] = (char *)(uintptr_t)rows[key].option;
		w->at[w->n++] = (char *)(uintptr_t)joined.ptr;
	}
}

char **config_words(struct config *c, const char *path, const struct hf_command *command, int argc, char **argv,
		    int *ret_argc, struct hf_err *err)
{
	struct usage_text u;
	struct words w = { 0 };
	size_t word = 0, set = 0, room = (size_t)argc + 1;
	int end = 0;

	for (size_t key = 0; key < CONFIG_KEYS; key++)
		set += c->settings[key].values.n;
	*ret_argc = argc;
	if (!set)
		return argv;
	if (usage_text_read(hf_sv_of(path), config_usage(&c->arena, command), &c->arena, &u, err) < 0)
		return NULL;
	w.at = hf_arena_array(&c->arena, char *, room + 2 * set);
	if (!w.at) {
		hf_fail(err, HF_E_LIMIT, "the configuration is too long");
		return NULL;
	}
	for (; end < argc && strcmp(argv[end], "--"); end++)
		w.at[w.n++] = argv[end];
	for (size_t i = 1; argc > 1 && i < u.words.n; i++)
		word = hf_sv_eq(u.words.at[i].name, hf_sv_of(argv[1])) ? i : word;
	bool lacks_value = end > 1 && wants_value(&u, argv[end - 1]);
	for (size_t key = 0; key < CONFIG_KEYS && !lacks_value; key++)
		for (size_t i = 0; i < u.options.n; i++) {
			const struct usage_option *o = &u.options.at[i];
			if (!hf_sv_eq(o->name, hf_sv_of(rows[key].option)) || !(o->words >> word & 1))
				continue;
			if (!is_given(&u, o, argc, argv))
				add_setting(c, key, o, &w);
			break;
		}
	while (end < argc)
		w.at[w.n++] = argv[end++];
	w.at[w.n] = NULL;
	*ret_argc = w.n;
	return w.at;
}
