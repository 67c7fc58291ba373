/* Installed Ruby gems, from the specifications that RubyGems wrote when it installed them.
 *
 * …/specifications/NAME-VERSION[-PLATFORM].gemspec, and specifications/default/ for what comes with Ruby. They are Ruby programs, written
 * by Gem::Specification#to_ruby in one fixed shape. Nothing is evaluated: the file is cut into words and strings, and
 * assignments of literal strings to the block's variable are taken. Where the name or the version is computed, the
 * "# stub: NAME VERSION PLATFORM …" line counts, which RubyGems itself lists gems by. docs/formats/gem.md */
#include "base/cursor.h"
#include "catalog/cataloger.h"

enum token_type { T_END, T_NEWLINE, T_WORD, T_STRING, T_WORDS /* %w[a b] */, T_SIGN };

struct token {
	enum token_type type;
	hf_sv text; /* a string's content, escapes as they stand */
	bool plain; /* a string without escapes and interpolation */
};

struct lexer {
	hf_sv text;
	size_t at;
	uint32_t line;
};

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '?' ||
	       c == '@' || c == '$' || (unsigned char)c >= 0x80;
}

/* @at stands behind the opening sign. Brackets nest in %q<…>, quotes do not. */
static struct token take_string(struct lexer *lx, enum token_type type, char open, char closing, bool interpolates)
{
	size_t start = lx->at, depth = 0;
	bool plain = true;

	for (; lx->at < lx->text.len; lx->at++) {
		char c = lx->text.ptr[lx->at];
		if (c == '\n')
			lx->line++;
		if (c == '\\') {
			plain = false;
			lx->at++;
		} else if (c == closing && !depth) {
			break;
		} else if (open != closing && (c == open || c == closing)) {
			depth = c == open ? depth + 1 : depth - 1;
		} else if (c == '#' && interpolates && hf_sv_starts(hf_sv_skip(lx->text, lx->at + 1), HF_SV("{"))) {
			plain = false;
		}
	}
	size_t end = lx->at < lx->text.len ? lx->at : lx->text.len;
	bool closed = lx->at < lx->text.len;
	lx->at = closed ? lx->at + 1 : lx->text.len;
	return (struct token){ closed ? type : T_END, hf_sv_slice(lx->text, start, end - start), plain };
}

/* %q<…>, %Q(…), %w[…]; a lone '%' is a sign. */
static struct token take_percent(struct lexer *lx)
{
	static const char open[] = "<([{", closing[] = ">)]}";
	hf_sv rest = hf_sv_skip(lx->text, lx->at);

	if (rest.len < 3 || !memchr("qQwW", rest.ptr[1], 4) || is_word_byte(rest.ptr[2]) || rest.ptr[2] <= ' ') {
		lx->at++;
		return (struct token){ T_SIGN, hf_sv_first(rest, 1), true };
	}
	char kind = rest.ptr[1], opening = rest.ptr[2];
	const char *known = strchr(open, opening);
	lx->at += 3;
	return take_string(lx, kind == 'w' || kind == 'W' ? T_WORDS : T_STRING, opening,
			   known ? closing[known - open] : opening, kind == 'Q' || kind == 'W');
}

static struct token next_token(struct lexer *lx)
{
	const char *p = lx->text.ptr;
	size_t n = lx->text.len, start;

	while (lx->at < n && (p[lx->at] == ' ' || p[lx->at] == '\t' || p[lx->at] == '\r'))
		lx->at++;
	if (lx->at < n && p[lx->at] == '#')
		while (lx->at < n && p[lx->at] != '\n')
			lx->at++;
	start = lx->at;
	if (start >= n)
		return (struct token){ T_END, { 0 }, true };
	switch (p[start]) {
	case '\n':
		lx->line++;
		lx->at++;
		return (struct token){ T_NEWLINE, { 0 }, true };
	case '"':
	case '\'':
		lx->at++;
		return take_string(lx, T_STRING, p[start], p[start], p[start] == '"');
	case '%':
		return take_percent(lx);
	default:
		break;
	}
	while (lx->at < n && is_word_byte(p[lx->at]))
		lx->at++;
	if (lx->at > start)
		return (struct token){ T_WORD, hf_sv_slice(lx->text, start, lx->at - start), true };
	lx->at++;
	return (struct token){ T_SIGN, hf_sv_slice(lx->text, start, 1), true };
}

static bool is_sign(struct token t, char c)
{
	return t.type == T_SIGN && t.text.ptr[0] == c;
}

static bool is_word(struct token t, const char *word)
{
	return t.type == T_WORD && hf_sv_eq(t.text, hf_sv_of(word));
}

struct spec {
	struct hf_package pkg;
	hf_sv variable; /* of the block: "s" */
	hf_sv stub_name, stub_version;
	HF_VEC(hf_sv) licences;
	bool is_spec;
};

/* "x".freeze or Gem::Version.new("x"): the string; NULL where anything else has a part in the value. */
static hf_sv read_value(struct lexer *lx)
{
	static const char *const harmless[] = { "Gem", "Version", "new", "freeze" };
	hf_sv value = { 0 };
	bool literal = true;

	for (;;) {
		struct token t = next_token(lx);
		if (t.type == T_END || t.type == T_NEWLINE || is_sign(t, ';') || is_word(t, "if") ||
		    is_word(t, "unless"))
			return literal ? value : (hf_sv){ 0 };
		if (t.type == T_STRING && !value.ptr && t.plain) {
			value = t.text;
			continue;
		}
		bool known = is_sign(t, '.') || is_sign(t, ':') || is_sign(t, '(') || is_sign(t, ')');
		for (size_t i = 0; i < HF_ARRAY_SIZE(harmless); i++)
			known |= is_word(t, harmless[i]);
		literal &= known;
	}
}

static void add_licence(struct spec *s, hf_sv name, struct hf_arena *a)
{
	hf_sv *slot = name.len ? hf_vec_push(a, &s->licences) : NULL;

	if (slot)
		*slot = name;
}

/* "x", ["x".freeze, "y"], %w[x y]; a list may go over several lines. */
static void read_licences(struct spec *s, struct lexer *lx, struct hf_arena *a)
{
	size_t depth = 0;

	for (;;) {
		struct token t = next_token(lx);
		if (t.type == T_END || (t.type == T_NEWLINE && !depth) || is_word(t, "if") || is_word(t, "unless"))
			return;
		if (is_sign(t, '['))
			depth++;
		else if (is_sign(t, ']') && depth)
			depth--;
		else if (t.type == T_STRING)
			add_licence(s, t.text, a);
		for (hf_sv rest = t.type == T_WORDS ? t.text : (hf_sv){ 0 }, word; hf_sv_next(&rest, ' ', &word);)
			add_licence(s, hf_sv_trim(word), a);
	}
}

/* Behind the block's variable: ".FIELD = value", or something else that is none of ours. */
static void read_member(struct spec *s, struct lexer *lx, struct hf_arena *a)
{
	struct lexer before = *lx;

	if (!is_sign(next_token(lx), '.')) {
		*lx = before;
		return;
	}
	struct token field = next_token(lx);
	before = *lx;
	bool assigns = field.type == T_WORD && is_sign(next_token(lx), '=');
	hf_sv behind = hf_sv_slice(lx->text, lx->at, 1);
	if (!assigns || (behind.len && memchr("=~>", behind.ptr[0], 3))) {
		*lx = before;
		return;
	}
	if (hf_sv_eq(field.text, HF_SV("name"))) {
		s->pkg.line = lx->line;
		s->pkg.name = read_value(lx);
	} else if (hf_sv_eq(field.text, HF_SV("version"))) {
		s->pkg.version = hf_sv_trim(read_value(lx));
	} else if (hf_sv_eq(field.text, HF_SV("license")) || hf_sv_eq(field.text, HF_SV("licenses"))) {
		read_licences(s, lx, a);
	}
}

static void read_program(struct spec *s, hf_sv text, struct hf_arena *a)
{
	struct lexer lx = { .text = text, .line = 1 };
	struct token t;

	while ((t = next_token(&lx)).type != T_END) {
		if (is_word(t, "Specification")) {
			s->is_spec = true;
		} else if (s->is_spec && !s->variable.len && is_sign(t, '|')) {
			t = next_token(&lx);
			if (t.type == T_WORD)
				s->variable = t.text;
		} else if (s->variable.len && t.type == T_WORD && hf_sv_eq(t.text, s->variable)) {
			read_member(s, &lx, a);
		}
	}
}

/* The first of them: the second lists extensions. */
static void read_stub(struct spec *s, hf_sv text)
{
	struct hf_cur cur = hf_cur_of(text);
	hf_sv line, rest;

	while (hf_cur_line(&cur, &line) && (hf_sv_starts(line, HF_SV("#")) || !line.len)) {
		if (!hf_sv_starts(line, HF_SV("# stub: ")))
			continue;
		rest = hf_sv_skip(line, 8);
		hf_sv_next(&rest, ' ', &s->stub_name);
		hf_sv_next(&rest, ' ', &s->stub_version);
		return;
	}
}

static int gem_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct spec s = { .pkg = { .type = HF_PKG_GEM, .path = file->path } };
	struct hf_package *p = &s.pkg;

	read_stub(&s, file->bytes);
	read_program(&s, file->bytes, a);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!s.is_spec && !s.stub_name.len)
		return hf_fail(err, HF_E_FORMAT, "has no Gem::Specification");
	if (!p->name.len)
		p->name = s.stub_name;
	if (!p->version.len)
		p->version = s.stub_version;
	if (!p->name.len || !p->version.len) {
		hf_sv why = p->name.len ? HF_SV("a specification whose version is no literal")
					: HF_SV("a specification whose name is no literal");
		int r = out->unparsed(out, file->path, why, err);
		return r < 0 ? r : HF_PARTIAL;
	}
	p->licences = s.licences.at;
	p->licences_n = s.licences.n;
	return out->package(out, p, err);
}

const struct hf_cataloger hf_cataloger_gem = {
	.name = "gem",
	.summary = "Ruby gems: specifications/*.gemspec, specifications/default/*.gemspec",
	.version = 1,
	.wants = (const char *const[]){ "**/specifications/*.gemspec", "**/specifications/default/*.gemspec", NULL },
	.parse = gem_parse,
};
