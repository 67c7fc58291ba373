#include "baseline/shell_words.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/limits.h"

enum { HEREDOCS_MAX = 16, WORD_MAX = 64 << 10 };

/* A command as it grows. */
struct command {
	struct hf_shell_word words[HF_SHELL_WORDS_MAX];
	size_t n;
	enum { PLAIN, IGNORE, FOR, CASE, FUNCTION } as;
};

struct heredoc {
	hf_sv end;
	bool strips, is_quoted;
};

struct shell {
	hf_sv s;
	size_t at;
	struct hf_arena *a;
	const struct hf_shell_sink *sink;
	struct hf_err *err;
	int code;
	bool partial;
	size_t depth;
	struct hf_buf text; /* of the words that are being read, innermost last */
	struct heredoc heredocs[HEREDOCS_MAX];
	size_t heredocs_n;
};

static void list(struct shell *h, char end);
static void word(struct shell *h, struct hf_shell_word *w);
static void expansion(struct shell *h, struct hf_shell_word *w, bool whole);

static const char *const builtins[] = {
	".",       ":",       "[",       "alias",    "bg",       "bind",      "break",    "builtin", "caller",
	"cd",      "command", "compgen", "complete", "continue", "declare",   "dirs",     "disown",  "echo",
	"enable",  "eval",    "exec",    "exit",     "export",   "false",     "fc",       "fg",      "getopts",
	"hash",    "help",    "history", "jobs",     "kill",     "let",       "local",    "logout",  "mapfile",
	"popd",    "printf",  "pushd",   "pwd",      "read",     "readarray", "readonly", "return",  "set",
	"shift",   "shopt",   "source",  "suspend",  "test",     "times",     "trap",     "true",    "type",
	"typeset", "ulimit",  "umask",   "unalias",  "unset",    "wait",      "chdir",
};
static const char *const reserved[] = { "if",    "then", "else", "elif", "fi",   "do",   "done",  "while",
					"until", "!",    "{",    "}",    "time", "esac", "coproc" };

static bool is_one_of(hf_sv s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(s, hf_sv_of(names[i])))
			return true;
	return false;
}

bool hf_shell_is_builtin(hf_sv name)
{
	return is_one_of(name, builtins, HF_ARRAY_SIZE(builtins)) ||
	       is_one_of(name, reserved, HF_ARRAY_SIZE(reserved)) || hf_sv_eq(name, HF_SV("[["));
}

static bool more(const struct shell *h)
{
	return !h->code && h->at < h->s.len;
}

static char peek(const struct shell *h, size_t ahead)
{
	return h->at + ahead < h->s.len ? h->s.ptr[h->at + ahead] : 0;
}

static void complain(struct shell *h, const char *reason)
{
	h->partial = true;
	if (!h->code)
		h->code = h->sink->unparsed(h->sink->ctx, hf_sv_of(reason), h->err);
}

static void stop(struct shell *h, const char *reason)
{
	complain(h, reason);
	h->at = h->s.len;
}

static bool enter(struct shell *h)
{
	if (h->depth++ < HF_SHELL_DEPTH_MAX)
		return true;
	stop(h, "commands are nested too deeply");
	return false;
}

static void skip_blanks(struct shell *h)
{
	while (more(h) && (peek(h, 0) == ' ' || peek(h, 0) == '\t' || (peek(h, 0) == '\\' && peek(h, 1) == '\n')))
		h->at += peek(h, 0) == '\\' ? 2 : 1;
}

static void keep(struct shell *h, char c)
{
	hf_buf_add_char(&h->text, c);
}

static void single_quotes(struct shell *h, bool escapes)
{
	while (more(h) && peek(h, 0) != '\'') {
		if (escapes && peek(h, 0) == '\\' && h->at + 1 < h->s.len)
			h->at++;
		keep(h, peek(h, 0));
		h->at++;
	}
	if (!more(h))
		complain(h, "a quote without its end");
	h->at++;
}

static void backticks(struct shell *h)
{
	size_t begin = ++h->at;

	while (more(h) && peek(h, 0) != '`')
		h->at += peek(h, 0) == '\\' && h->at + 1 < h->s.len ? 2 : 1;
	hf_sv outer = h->s;
	size_t end = h->at < h->s.len ? h->at : h->s.len;
	h->s = hf_sv_first(outer, end);
	h->at = begin;
	list(h, 0);
	h->s = outer;
	h->at = end + 1;
}

static void double_quotes(struct shell *h, struct hf_shell_word *w, bool whole)
{
	bool alone = whole && (peek(h, 0) == '$');

	while (more(h) && peek(h, 0) != '"') {
		char c = peek(h, 0);
		if (c == '$') {
			expansion(h, w, alone && w->is_static);
			continue;
		}
		w->is_arguments = false;
		if (c == '`') {
			w->is_static = false;
			backticks(h);
			continue;
		}
		if (c == '\\' && h->at + 1 < h->s.len) {
			h->at++;
			if (peek(h, 0) != '\n')
				keep(h, peek(h, 0));
		} else {
			keep(h, c);
		}
		h->at++;
	}
	if (!more(h))
		complain(h, "a quote without its end");
	h->at++;
}

/* ${…}: what stands in it may run commands. */
static void braces(struct shell *h)
{
	struct hf_shell_word none = { 0 };
	size_t begin = h->text.len;

	if (!enter(h))
		return;
	while (more(h) && peek(h, 0) != '}') {
		char c = peek(h, 0);
		h->at++;
		if (c == '\\') {
			h->at++;
		} else if (c == '\'') {
			const char *end = memchr(h->s.ptr + h->at, '\'', h->s.len - h->at);
			if (end) /* an apostrophe within "${…}" has no end and is one */
				h->at = (size_t)(end - h->s.ptr) + 1;
		} else if (c == '"') {
			double_quotes(h, &none, false);
		} else if (c == '`') {
			h->at--;
			backticks(h);
		} else if (c == '$') {
			h->at--;
			expansion(h, &none, false);
		}
	}
	h->at++;
	h->text.len = begin;
	h->depth--;
}

static void arithmetic(struct shell *h)
{
	size_t open = 2;

	for (; more(h) && open; h->at++)
		open += (peek(h, 0) == '(') - (peek(h, 0) == ')');
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* At a '$'. @whole: the word begins with it. */
static void expansion(struct shell *h, struct hf_shell_word *w, bool whole)
{
	char c = peek(h, 1);

	w->is_arguments = false;
	if (c == '\'' || (c && !is_name_byte(c) && !memchr("@*#?$!-({\"", c, 10)) || !c || c == '"') {
		if (c != '\'' && c != '"') /* a '$' that stands for itself */
			keep(h, '$');
		h->at++;
		if (c == '\'') {
			h->at++;
			single_quotes(h, true);
		}
		return;
	}
	w->is_static = false;
	h->at += 2;
	if (c == '(' && peek(h, 0) == '(') {
		h->at++;
		arithmetic(h);
	} else if (c == '(') {
		list(h, ')');
	} else if (c == '{') {
		w->is_arguments = whole && peek(h, 0) == '@' && peek(h, 1) == '}';
		braces(h);
	} else if (c == '@' || c == '*') {
		w->is_arguments = whole;
	} else if (is_name_byte(c) && !(c >= '0' && c <= '9')) {
		while (more(h) && is_name_byte(peek(h, 0)))
			h->at++;
	}
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';' || c == '&' || c == '|' || c == '<' ||
	       c == '>' || c == '(' || c == ')';
}

static void word(struct shell *h, struct hf_shell_word *w)
{
	size_t begin = h->text.len, first = h->at;

	*w = (struct hf_shell_word){ .is_static = true };
	while (more(h) && !ends_word(peek(h, 0))) {
		char c = peek(h, 0);
		bool whole = h->at == first;
		if (c == '$') {
			expansion(h, w, whole);
			continue;
		}
		if (c == '"') {
			h->at++;
			double_quotes(h, w, whole);
			continue;
		}
		w->is_arguments = false;
		if (c == '`') {
			w->is_static = false;
			backticks(h);
			continue;
		}
		h->at++;
		if (c == '\'') {
			single_quotes(h, false);
		} else if (c == '\\') {
			if (more(h) && peek(h, 0) != '\n')
				keep(h, peek(h, 0));
			h->at++;
		} else {
			keep(h, c);
		}
	}
	if (h->at == first) /* a byte that begins nothing */
		h->at++;
	if (h->at > h->s.len)
		h->at = h->s.len;
	w->text = h->text.len > begin ? hf_arena_dup(h->a, (hf_sv){ h->text.ptr + begin, h->text.len - begin })
				      : HF_SV("");
	h->text.len = begin;
	if (h->text.over) {
		h->text.over = false;
		w->is_static = false;
		complain(h, "a word that is too long");
	}
	if (h->a->over && !h->code)
		h->code = hf_fail(h->err, HF_E_LIMIT, "the script's words take too much memory");
}

static void finish(struct shell *h, struct command *c)
{
	if (c->n && c->as == PLAIN && !h->code)
		h->code = h->sink->command(h->sink->ctx, c->words, c->n, h->err);
	c->n = 0;
	c->as = PLAIN;
}

static void heredoc_bodies(struct shell *h)
{
	for (size_t i = 0; i < h->heredocs_n; i++) {
		bool ended = false, runs = false;
		while (!ended && more(h)) {
			const char *end = memchr(h->s.ptr + h->at, '\n', h->s.len - h->at);
			hf_sv line =
				hf_sv_slice(h->s, h->at, end ? (size_t)(end - h->s.ptr) - h->at : h->s.len - h->at);
			h->at += line.len + (end != NULL);
			while (h->heredocs[i].strips && line.len && line.ptr[0] == '\t')
				line = hf_sv_skip(line, 1);
			ended = hf_sv_eq(line, h->heredocs[i].end);
			runs |= hf_sv_find(line, HF_SV("$(")) != SIZE_MAX || hf_sv_index(line, '`') != SIZE_MAX;
		}
		if (runs && !h->heredocs[i].is_quoted)
			complain(h, "commands in a here-document");
	}
	h->heredocs_n = 0;
}

static void heredoc(struct shell *h)
{
	struct heredoc d = { 0 };
	struct hf_shell_word w;

	h->at += 2;
	if (peek(h, 0) == '-') {
		d.strips = true;
		h->at++;
	}
	skip_blanks(h);
	d.is_quoted = peek(h, 0) == '\'' || peek(h, 0) == '"' || peek(h, 0) == '\\';
	word(h, &w);
	d.end = w.text;
	if (h->heredocs_n == HEREDOCS_MAX)
		stop(h, "too many here-documents on one line");
	else
		h->heredocs[h->heredocs_n++] = d;
}

static void push(struct shell *h, struct command *c, struct hf_shell_word w)
{
	if (c->n < HF_SHELL_WORDS_MAX)
		c->words[c->n++] = w;
	else if (c->n == HF_SHELL_WORDS_MAX)
		h->partial = true; /* the command itself was among the first */
}

static void redirection(struct shell *h, struct command *c)
{
	struct hf_shell_word w;

	if (peek(h, 1) == '(') {
		h->at += 2;
		list(h, ')');
		push(h, c, (struct hf_shell_word){ 0 });
		return;
	}
	if (peek(h, 0) == '<' && peek(h, 1) == '<' && peek(h, 2) != '<') {
		heredoc(h);
		return;
	}
	while (more(h) && (peek(h, 0) == '<' || peek(h, 0) == '>' || peek(h, 0) == '&' || peek(h, 0) == '|'))
		h->at++;
	skip_blanks(h);
	if (more(h) && !ends_word(peek(h, 0)))
		word(h, &w);
}

static bool is_assignment(hf_sv text)
{
	size_t n = 0;

	while (n < text.len && is_name_byte(text.ptr[n]))
		n++;
	if (!n || n == text.len || (text.ptr[0] >= '0' && text.ptr[0] <= '9'))
		return false;
	return text.ptr[n] == '=' || text.ptr[n] == '[' ||
	       (text.ptr[n] == '+' && n + 1 < text.len && text.ptr[n + 1] == '=');
}

static bool is_number(hf_sv text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len != 0;
}

/* NAME=( … ): its words are no commands. */
static void array(struct shell *h)
{
	struct hf_shell_word w;

	h->at++;
	while (more(h) && peek(h, 0) != ')') {
		if (ends_word(peek(h, 0)) || peek(h, 0) == '#')
			h->at++;
		else
			word(h, &w);
	}
	h->at++;
}

static void condition(struct shell *h)
{
	struct hf_shell_word w = { 0 };

	while (more(h) && !hf_sv_eq(w.text, HF_SV("]]"))) {
		if (ends_word(peek(h, 0)))
			h->at++;
		else
			word(h, &w);
	}
}

/* How deep in `case` a list of commands is, and whether a pattern is next. */
struct cases {
	size_t n;
	bool pattern;
};

static void first_word(struct shell *h, struct command *c, struct cases *k, struct hf_shell_word w)
{
	if (w.is_static && hf_sv_eq(w.text, HF_SV("esac"))) {
		if (k->n)
			k->n--;
	} else if (w.is_static && is_one_of(w.text, reserved, HF_ARRAY_SIZE(reserved))) {
		return;
	} else if (w.is_static && hf_sv_eq(w.text, HF_SV("[["))) {
		condition(h);
		c->as = IGNORE;
	} else if (w.is_static && (hf_sv_eq(w.text, HF_SV("for")) || hf_sv_eq(w.text, HF_SV("select")))) {
		c->as = FOR;
	} else if (w.is_static && hf_sv_eq(w.text, HF_SV("case"))) {
		c->as = CASE;
	} else if (w.is_static && hf_sv_eq(w.text, HF_SV("function"))) {
		c->as = FUNCTION;
	} else if (is_assignment(w.text)) {
		if (peek(h, 0) == '(')
			array(h);
		return;
	} else {
		push(h, c, w);
		return;
	}
	if (c->as != PLAIN)
		push(h, c, w);
}

static void next_word(struct shell *h, struct command *c, struct cases *k)
{
	struct hf_shell_word w;

	word(h, &w);
	if (k->pattern) {
		if (w.is_static && hf_sv_eq(w.text, HF_SV("esac"))) {
			k->pattern = false;
			k->n -= k->n > 0;
		}
		return;
	}
	if (is_number(w.text) && (peek(h, 0) == '<' || peek(h, 0) == '>'))
		return;
	if (!c->n) {
		first_word(h, c, k, w);
		return;
	}
	if (c->as == CASE && hf_sv_eq(w.text, HF_SV("in")) && c->n >= 2) {
		k->n++;
		k->pattern = true;
		finish(h, c);
	} else if (c->as == FOR && hf_sv_eq(w.text, HF_SV("do"))) {
		finish(h, c);
	} else if (c->as == FUNCTION) {
		if (!h->code)
			h->code = h->sink->function(h->sink->ctx, w.text, h->err);
		finish(h, c);
	} else {
		push(h, c, w);
	}
}

static void open_parenthesis(struct shell *h, struct command *c, struct cases *k)
{
	h->at++;
	if (k->pattern)
		return;
	size_t blanks = 0;
	while (peek(h, blanks) == ' ')
		blanks++;
	if (c->n == 1 && c->as == PLAIN && peek(h, blanks) == ')') {
		h->at += blanks + 1;
		if (!h->code)
			h->code = h->sink->function(h->sink->ctx, c->words[0].text, h->err);
		c->n = 0;
	} else if (!c->n && peek(h, 0) == ')') {
		h->at++; /* of `function NAME ()` */
	} else if (!c->n && peek(h, 0) == '(') {
		h->at++;
		arithmetic(h);
	} else {
		list(h, ')');
	}
}

static void end_of_command(struct shell *h, struct command *c, struct cases *k)
{
	char ch = peek(h, 0), next = peek(h, 1);

	h->at++;
	if (ch == '&' && next == '>') {
		redirection(h, c);
		return;
	}
	if (k->pattern)
		return;
	finish(h, c);
	if (ch == ';' && (next == ';' || next == '&') && k->n) {
		k->pattern = true;
		h->at++;
		if (peek(h, 0) == '&')
			h->at++;
	}
}

/* Commands up to @end, which is taken; 0: up to the end of the text. */
static void list(struct shell *h, char end)
{
	struct command *c = hf_calloc(1, sizeof *c);
	struct cases k = { 0 };
	bool ended = false;

	if (!enter(h)) {
		free(c);
		return;
	}
	while (!ended && more(h)) {
		char ch = peek(h, 0);
		if (ch == ')' && k.pattern) {
			h->at++;
			k.pattern = false;
		} else if (end && ch == end) {
			h->at++;
			ended = true;
		} else if (ch == ' ' || ch == '\t' || ch == '\r' || (ch == '\\' && peek(h, 1) == '\n')) {
			h->at += ch == '\\' ? 2 : 1;
		} else if (ch == '#') {
			while (more(h) && peek(h, 0) != '\n')
				h->at++;
		} else if (ch == '\n') {
			h->at++;
			if (c->as != CASE)
				finish(h, c);
			heredoc_bodies(h);
		} else if (ch == ';' || ch == '&' || ch == '|') {
			end_of_command(h, c, &k);
		} else if (ch == '(') {
			open_parenthesis(h, c, &k);
		} else if (ch == ')') {
			h->at++;
			finish(h, c);
		} else if (ch == '<' || ch == '>') {
			redirection(h, c);
		} else {
			next_word(h, c, &k);
		}
	}
	finish(h, c);
	if (end && !ended && !h->code)
		complain(h, "a parenthesis without its end");
	h->depth--;
	free(c);
}

int hf_shell_scan(hf_sv script, struct hf_arena *a, const struct hf_shell_sink *sink, struct hf_err *err)
{
	struct shell h = { .s = script, .a = a, .sink = sink, .err = err, .text = HF_BUF(WORD_MAX) };

	list(&h, 0);
	hf_buf_done(&h.text);
	return h.code ? h.code : h.partial ? HF_PARTIAL : HF_OK;
}
