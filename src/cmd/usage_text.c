#include "cmd/usage_text.h"

enum { WORDS_MAX = 32, NAMES_MAX = 4, DEEP = 10, SYNOPSIS_INDENT = 7 };

struct reading {
	hf_sv command, prefix; /* prefix: "       holdfast COMMAND " */
	struct hf_arena *arena;
	struct usage_text *to;
	size_t word;               /* of the last synopsis */
	size_t option, options_of; /* the first option of the last option line, and how many */
	size_t lines;
	enum { IN_PROSE, IN_SYNOPSIS, IN_OPTION, IN_TARGETS } in;
	hf_sv named[256];              /* options that a synopsis names, */
	size_t named_by[256], named_n; /* and its word */
};

static bool small(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool letter(char c)
{
	return small(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* How many bytes from the start belong to a word of [a-zA-Z0-9-]. */
static size_t word_length(hf_sv s)
{
	size_t n = 0;

	while (n < s.len && letter(s.ptr[n]))
		n++;
	return n;
}

static size_t indent_of(hf_sv line)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] == ' ')
		n++;
	return n;
}

/* a|b[=X]|c=Y with blanks between instead; what may stand behind a '=' is cut off. Empty where @run is no such list. */
static hf_sv choices_of(struct hf_arena *arena, hf_sv run, char between)
{
	hf_sv field, all = { 0 }, rest = run;

	if (hf_sv_index(run, between) == SIZE_MAX)
		return all;
	while (hf_sv_next(&rest, between, &field)) {
		field = hf_sv_first(field, hf_sv_index(field, '['));
		size_t equals = hf_sv_index(field, '=');
		if (equals != SIZE_MAX && equals && field.ptr[equals - 1] != '>')
			field.len = equals + 1;
		if (!field.len || !small(field.ptr[0]))
			return (hf_sv){ 0 };
		all = all.len ? hf_arena_fmt(arena, "%.*s %.*s", HF_SV_FMT(all), HF_SV_FMT(field)) : field;
	}
	return all;
}

/* What stands behind ": " up to a blank, ';' or ')'. */
static bool choices_in_text(struct hf_arena *arena, struct usage_option *o)
{
	size_t at;

	for (hf_sv rest = o->text; (at = hf_sv_find(rest, HF_SV(": "))) != SIZE_MAX;) {
		rest = hf_sv_skip(rest, at + 2);
		size_t n = 0;
		while (n < rest.len && rest.ptr[n] != ' ' && rest.ptr[n] != ';' && rest.ptr[n] != ')')
			n++;
		hf_sv run = hf_sv_first(rest, n);
		o->kind = USAGE_CHOICE;
		o->choices = choices_of(arena, run, '|');
		if (!o->choices.len) {
			o->kind = USAGE_LIST;
			o->choices = choices_of(arena, run, ',');
		}
		if (o->choices.len)
			return true;
	}
	return false;
}

static enum usage_kind kind_of(hf_sv value)
{
	static const char *const files[] = { "FILE", "PATH", "TRACE", "PROFILE", "EVENTS" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(files); i++)
		if (hf_sv_starts(value, hf_sv_of(files[i])))
			return USAGE_FILE;
	return hf_sv_starts(value, HF_SV("DIR")) || hf_sv_starts(value, HF_SV("FOLDER")) ? USAGE_FOLDER : USAGE_ANY;
}

static void give_value(struct hf_arena *arena, struct usage_option *o, hf_sv value)
{
	if (!value.len) {
		o->kind = USAGE_NONE;
	} else if (small(value.ptr[0])) {
		o->kind = USAGE_CHOICE;
		o->choices = choices_of(arena, value, '|');
		if (!o->choices.len)
			o->choices = value;
	} else if (!choices_in_text(arena, o)) {
		o->kind = kind_of(value);
	}
}

static int misfit(const struct reading *r, hf_sv line, struct hf_err *err)
{
	return hf_fail(err, HF_E_FORMAT, "%.*s: the usage's line has not the shape of one: '%.*s'",
		       HF_SV_FMT(r->command), HF_SV_FMT(line));
}

struct named {
	hf_sv name, value;
	bool optional;
};

/* "--name VALUE", "--name[=VALUE]" */
static bool read_name(hf_sv part, struct named *ret)
{
	size_t n = word_length(part);
	hf_sv rest = hf_sv_skip(part, n);

	*ret = (struct named){ .name = hf_sv_first(part, n) };
	if (n < 2 || part.ptr[0] != '-' || (n > 2 && part.ptr[1] != '-'))
		return false;
	if (!rest.len)
		return true;
	if (hf_sv_starts(rest, HF_SV("[=")) && hf_sv_ends(rest, HF_SV("]"))) {
		ret->optional = true;
		ret->value = hf_sv_slice(rest, 2, rest.len - 3);
		return ret->value.len;
	}
	ret->value = hf_sv_skip(rest, 1);
	return rest.ptr[0] == ' ' && ret->value.len && letter(ret->value.ptr[0]) && ret->value.ptr[0] != '-';
}

static int read_option(struct reading *r, hf_sv line, struct hf_err *err)
{
	struct named names[NAMES_MAX];
	size_t n = 0, ends;
	size_t gap = hf_sv_find(hf_sv_skip(line, 2), HF_SV("  "));
	hf_sv head = hf_sv_slice(line, 2, gap), text = hf_sv_trim(hf_sv_skip(line, 2 + head.len));

	if (gap == SIZE_MAX || !text.len)
		return misfit(r, line, err);
	do {
		ends = hf_sv_find(head, HF_SV(", -"));
		if (n == NAMES_MAX || !read_name(hf_sv_first(head, ends), &names[n++]))
			return misfit(r, line, err);
		head = ends == SIZE_MAX ? (hf_sv){ 0 } : hf_sv_skip(head, ends + 2);
	} while (head.len);
	r->option = r->to->options.n;
	r->options_of = n;
	r->lines++;
	r->in = IN_OPTION;
	for (size_t i = 0; i < n; i++) {
		bool shared = names[i].name.len == 2 && i + 1 < n && !names[i].value.len;
		struct usage_option *o = hf_vec_push(r->arena, &r->to->options);
		if (!o)
			return hf_fail(err, HF_E_LIMIT, "%.*s: too many options", HF_SV_FMT(r->command));
		/* the value waits in .choices until the whole text is there */
		*o = (struct usage_option){ .name = names[i].name,
					    .line = r->lines,
					    .text = text,
					    .choices = shared ? names[i + 1].value : names[i].value,
					    .optional = names[i].optional };
	}
	return HF_OK;
}

static struct usage_word *word_named(struct reading *r, hf_sv name)
{
	for (size_t i = 0; i < r->to->words.n; i++)
		if (hf_sv_eq(r->to->words.at[i].name, name)) {
			r->word = i;
			return &r->to->words.at[i];
		}
	struct usage_word *w = hf_vec_push(r->arena, &r->to->words);
	if (w)
		*w = (struct usage_word){ .name = name };
	r->word = r->to->words.n - 1;
	return w;
}

static void read_operand(struct usage_word *w, hf_sv token)
{
	static const char *const targets[] = { "TARGET", "TARGET...", "OLD", "NEW" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(targets); i++)
		w->targets |= hf_sv_eq(token, hf_sv_of(targets[i]));
	w->files |= w->targets || kind_of(token) == USAGE_FILE;
}

/* Operands and options of a synopsis. What follows an option's name is its value, not an operand. */
static int read_tokens(struct reading *r, size_t word, hf_sv s, struct hf_err *err)
{
	bool value = false;
	char parts[512];
	size_t n = s.len < sizeof parts ? s.len : sizeof parts;

	for (size_t i = 0; i < n; i++)
		parts[i] = s.ptr[i] == '[' || s.ptr[i] == '|' ? ' ' : s.ptr[i];
	hf_sv rest = hf_arena_dup(r->arena, (hf_sv){ parts, n }), token;
	while (rest.ptr && hf_sv_next(&rest, ' ', &token)) {
		if (!token.len)
			continue;
		bool closed = hf_sv_index(token, ']') != SIZE_MAX;
		token = hf_sv_first(token, hf_sv_index(token, ']'));
		if (token.len > 1 && token.ptr[0] == '-') {
			if (r->named_n == HF_ARRAY_SIZE(r->named))
				return hf_fail(err, HF_E_LIMIT, "%.*s: too many options in its synopsis",
					       HF_SV_FMT(r->command));
			r->named_by[r->named_n] = word;
			r->named[r->named_n++] = token;
			value = !closed;
			continue;
		}
		if (!value)
			read_operand(&r->to->words.at[word], token);
		value = false;
	}
	return HF_OK;
}

static int read_synopsis(struct reading *r, hf_sv s, struct hf_err *err)
{
	size_t gap = hf_sv_find(s, HF_SV("  "));
	hf_sv text = gap == SIZE_MAX ? (hf_sv){ 0 } : hf_sv_trim(hf_sv_skip(s, gap));
	hf_sv head = hf_sv_first(s, gap);
	bool may_go = hf_sv_starts(head, HF_SV("["));
	hf_sv behind = hf_sv_skip(head, may_go);

	r->in = IN_SYNOPSIS;
	if (may_go || !behind.len || !small(behind.ptr[0])) {
		r->to->words.at[0].exists = true;
		r->word = 0;
		if (read_tokens(r, 0, head, err) < 0)
			return err->code;
	}
	while (behind.len && small(behind.ptr[0])) { /* "serve|review" */
		size_t n = word_length(behind);
		struct usage_word *w = word_named(r, hf_sv_first(behind, n));
		if (!w || r->to->words.n > WORDS_MAX)
			return hf_fail(err, HF_E_LIMIT, "%.*s: too many words", HF_SV_FMT(r->command));
		w->text = w->text.len ? w->text : text;
		w->exists = true;
		hf_sv last = hf_sv_skip(behind, n);
		hf_sv operands = hf_sv_skip(last, hf_sv_index(last, ' '));
		if (read_tokens(r, r->word, operands, err) < 0)
			return err->code;
		behind = hf_sv_starts(last, HF_SV("|")) ? hf_sv_skip(last, 1) : (hf_sv){ 0 };
	}
	return HF_OK;
}

/* Prefixes of a line of "Targets:". */
static int read_targets(struct reading *r, hf_sv line, struct hf_err *err)
{
	for (size_t i = 0; i < line.len; i++) {
		bool begins = i == 0 ||
			      (line.ptr[i - 1] == ' ' && (i == 1 || line.ptr[i - 2] == ' ' || line.ptr[i - 2] == ','));
		hf_sv rest = hf_sv_skip(line, i);
		size_t n = word_length(rest);
		if (!begins || !n || !small(rest.ptr[0]) || n == rest.len || rest.ptr[n] != ':')
			continue;
		size_t blank = hf_sv_index(rest, ' ');
		hf_sv token = hf_sv_first(rest, blank);
		if (blank != SIZE_MAX && !hf_sv_ends(token, HF_SV(",")) &&
		    !hf_sv_starts(hf_sv_skip(rest, blank), HF_SV("  ")))
			continue;
		hf_sv name = hf_sv_first(rest, n + 1);
		bool known = false;
		for (size_t k = 0; k < r->to->prefixes.n; k++)
			known |= hf_sv_eq(r->to->prefixes.at[k].name, name);
		struct usage_prefix *p = known ? NULL : hf_vec_push(r->arena, &r->to->prefixes);
		if (!p && !known)
			return hf_fail(err, HF_E_LIMIT, "%.*s: too many targets", HF_SV_FMT(r->command));
		if (p)
			*p = (struct usage_prefix){ name, kind_of(hf_sv_skip(token, n + 1)) };
	}
	return HF_OK;
}

/* "NAME is a|b|c": of operands of the command itself. */
static void read_choices(struct reading *r, hf_sv line)
{
	size_t n = word_length(line);
	hf_sv rest = hf_sv_skip(line, n);

	if (!n || small(line.ptr[0]) || !hf_sv_starts(rest, HF_SV(" is ")))
		return;
	rest = hf_sv_skip(rest, 4);
	size_t ends = 0;
	while (ends < rest.len && rest.ptr[ends] != ' ' && rest.ptr[ends] != ';' && rest.ptr[ends] != '.')
		ends++;
	hf_sv choices = choices_of(r->arena, hf_sv_first(rest, ends), '|');
	if (choices.len)
		r->to->words.at[0].choices = choices;
}

static void read_more(struct reading *r, hf_sv line)
{
	hf_sv text = hf_sv_trim(line);

	if (r->in == IN_OPTION)
		for (size_t i = r->option; i < r->option + r->options_of; i++) {
			struct usage_option *o = &r->to->options.at[i];
			o->text = hf_arena_fmt(r->arena, "%.*s %.*s", HF_SV_FMT(o->text), HF_SV_FMT(text));
		}
	else if (r->in == IN_SYNOPSIS && r->word && !r->to->words.at[r->word].text.len)
		r->to->words.at[r->word].text = text;
}

static int read_line(struct reading *r, hf_sv line, struct hf_err *err)
{
	size_t indent = indent_of(line);
	hf_sv rest = hf_sv_skip(line, indent);

	if (hf_sv_starts(line, r->prefix))
		return read_synopsis(r, hf_sv_skip(line, r->prefix.len), err);
	if (r->in == IN_TARGETS && indent == 9)
		return read_targets(r, rest, err);
	if (hf_sv_starts(line, HF_SV("Targets: "))) {
		r->in = IN_TARGETS;
		return read_targets(r, hf_sv_skip(line, 9), err);
	}
	if (indent == 2 && hf_sv_starts(rest, HF_SV("-")))
		return read_option(r, line, err);
	if (indent && indent < SYNOPSIS_INDENT && hf_sv_starts(rest, HF_SV("-")))
		return misfit(r, line, err);
	if (indent == SYNOPSIS_INDENT && hf_sv_starts(rest, HF_SV("--")))
		return HF_OK; /* a synopsis of options alone: they stand in the table */
	if (indent == 2 && rest.len && small(rest.ptr[0])) {
		hf_sv name = hf_sv_first(rest, word_length(rest));
		for (size_t i = 1; i < r->to->words.n; i++)
			if (hf_sv_eq(r->to->words.at[i].name, name))
				r->to->words.at[i].text = hf_sv_trim(hf_sv_skip(rest, hf_sv_find(rest, HF_SV("  "))));
	}
	if (indent >= DEEP) {
		read_more(r, line);
		return HF_OK;
	}
	if (!indent)
		read_choices(r, line);
	r->in = IN_PROSE;
	return HF_OK;
}

/* The first sentence, up to a ';'. */
static hf_sv short_text(hf_sv text)
{
	text = hf_sv_first(text, hf_sv_find(text, HF_SV("; ")));
	text = hf_sv_first(text, hf_sv_find(text, HF_SV(". ")));
	return hf_sv_ends(text, HF_SV(".")) || hf_sv_ends(text, HF_SV(";")) ? hf_sv_first(text, text.len - 1) : text;
}

/* Values, and whose each option is, once all has been read. */
static int finish(struct reading *r, struct hf_err *err)
{
	for (size_t i = 0; i < r->to->options.n; i++) {
		struct usage_option *o = &r->to->options.at[i];
		hf_sv value = o->choices;
		o->choices = (hf_sv){ 0 };
		give_value(r->arena, o, value);
		o->text = short_text(o->text);
		for (size_t k = 0; k < r->named_n; k++)
			for (size_t n = 0; n < r->to->options.n; n++)
				if (r->to->options.at[n].line == o->line &&
				    hf_sv_eq(r->named[k], r->to->options.at[n].name))
					o->words |= 1u << r->named_by[k];
		if (!o->words)
			o->words = ~0u;
	}
	for (size_t i = 0; i < r->to->words.n; i++)
		r->to->words.at[i].text = short_text(r->to->words.at[i].text);
	for (size_t k = 0; k < r->named_n; k++) {
		bool known = hf_sv_eq(r->named[k], HF_SV("--"));
		for (size_t i = 0; i < r->to->options.n; i++)
			known |= hf_sv_eq(r->to->options.at[i].name, r->named[k]);
		if (!known)
			return hf_fail(err, HF_E_FORMAT, "%.*s: the usage names '%.*s' and has no line for it",
				       HF_SV_FMT(r->command), HF_SV_FMT(r->named[k]));
	}
	if (r->arena->over)
		return hf_fail(err, HF_E_LIMIT, "%.*s: the usage is too long", HF_SV_FMT(r->command));
	return HF_OK;
}

int usage_text_read(hf_sv command, hf_sv text, struct hf_arena *arena, struct usage_text *ret, struct hf_err *err)
{
	struct reading r = { .command = command, .arena = arena, .to = ret };
	hf_sv line, rest = text;

	*ret = (struct usage_text){ 0 };
	r.prefix = hf_arena_fmt(arena, "       holdfast %.*s ", HF_SV_FMT(command));
	if (!word_named(&r, (hf_sv){ 0 }))
		return hf_fail(err, HF_E_LIMIT, "%.*s: no room", HF_SV_FMT(command));
	if (!hf_sv_next(&rest, '\n', &line))
		return HF_OK;
	if (read_synopsis(&r, line, err) < 0)
		return err->code;
	while (rest.ptr && hf_sv_next(&rest, '\n', &line))
		if (read_line(&r, line, err) < 0)
			return err->code;
	return finish(&r, err);
}
