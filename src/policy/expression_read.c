/* jq's text as a tree. What is not taken here is left to jq, so a doubt is always a refusal. */
#include <stdlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "policy/expression.h"

enum { DEPTH_MAX = 64, HEIGHT_MAX = 256, SCOPE_MAX = HF_EXPRESSION_SLOTS };

typedef struct hf_expression node;

struct reader {
	hf_sv text;
	size_t at;
	unsigned depth;
	struct hf_expressions *made;
	struct {
		hf_sv name;
		uint32_t slot;
	} scope[SCOPE_MAX];
	size_t scope_n;
	uint32_t slots;
};

static const node *pipe_of(struct reader *);
static const node *term_of(struct reader *);

static node *make(struct reader *r, enum hf_expression_kind kind, const node *a, const node *b)
{
	size_t below = a ? a->height : 0;

	below = b && b->height > below ? b->height : below;
	node *n = below < HEIGHT_MAX ? hf_arena_new(&r->made->arena, node) : NULL;
	if (!n)
		return NULL;
	*n = (node){ .height = (uint16_t)(below + 1),
		     .kind = (uint8_t)kind,
		     .a = a,
		     .b = b,
		     .constant = jv_null(),
		     .made_before = r->made->last_made };
	r->made->last_made = n;
	n->plain = (!a || a->plain) && (!b || b->plain);
	return n;
}

static node *constant(struct reader *r, jv v)
{
	node *n = make(r, HF_EXPRESSION_CONSTANT, NULL, NULL);

	if (n)
		n->constant = v;
	else
		jv_free(v);
	return n;
}

static node *operation(struct reader *r, enum hf_expression_kind kind, unsigned which, const node *a, const node *b)
{
	node *n = make(r, kind, a, b);

	if (n)
		n->operation = (uint8_t)which;
	return n;
}

static node *several(node *n)
{
	if (n)
		n->plain = false;
	return n;
}

static node *unknown(struct reader *r)
{
	return make(r, HF_EXPRESSION_UNKNOWN, NULL, NULL);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The byte so far ahead; 0 at the end. */
static char ahead(const struct reader *r, size_t n)
{
	return r->at + n < r->text.len ? r->text.ptr[r->at + n] : 0;
}

static void skip_blanks(struct reader *r)
{
	for (;; r->at++) {
		char c = ahead(r, 0);
		if (c == '#')
			while (ahead(r, 1) && ahead(r, 1) != '\n' && ahead(r, 1) != '\\' && ahead(r, 1) != '\r')
				r->at++;
		else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return;
	}
}

/* Takes punctuation, unless one of these bytes follows it: then it is another token. */
static bool takes(struct reader *r, const char *token, const char *unless)
{
	size_t n = strlen(token);

	skip_blanks(r);
	if (!hf_sv_starts(hf_sv_skip(r->text, r->at), (hf_sv){ token, n }))
		return false;
	char next = ahead(r, n);
	if (next && strchr(unless, next))
		return false;
	r->at += n;
	return true;
}

static hf_sv word_ahead(struct reader *r)
{
	size_t n = 0;

	skip_blanks(r);
	if (is_letter(ahead(r, 0)))
		while (is_letter(ahead(r, n)) || is_digit(ahead(r, n)))
			n++;
	return hf_sv_first(hf_sv_skip(r->text, r->at), n);
}

static bool takes_word(struct reader *r, const char *word)
{
	if (!hf_sv_eq(word_ahead(r), hf_sv_of(word)))
		return false;
	r->at += strlen(word);
	return true;
}

static bool is_keyword(hf_sv word)
{
	static const char *const all[] = { "and",   "or",    "if",     "then",    "elif",    "else",
					   "end",   "as",    "def",    "reduce",  "foreach", "try",
					   "catch", "label", "import", "include", "__loc__" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++)
		if (hf_sv_eq(word, hf_sv_of(all[i])))
			return true;
	return false;
}

/* Adds the piece of a text that was read so far to what stands before it. */
static const node *with_text(struct reader *r, const node *before, struct hf_buf *piece)
{
	jv text = jv_string_sized(piece->ptr ? piece->ptr : "", (int)piece->len);
	bool whole = (size_t)jv_string_length_bytes(jv_copy(text)) == piece->len &&
		     (!piece->len || !memcmp(jv_string_value(text), piece->ptr, piece->len));
	node *n = constant(r, text);

	piece->len = 0;
	if (!n || !whole)
		return NULL; /* no UTF-8 */
	return before ? operation(r, HF_EXPRESSION_BINARY, HF_EXPRESSION_PLUS, before, n) : n;
}

static const node *interpolation(struct reader *r, const node *before)
{
	const node *inner = pipe_of(r);

	if (!inner || !before || !takes(r, ")", ""))
		return NULL;
	const node *text = make(r, HF_EXPRESSION_PIPE, inner,
				operation(r, HF_EXPRESSION_CALL, HF_EXPRESSION_TOSTRING, NULL, NULL));
	return operation(r, HF_EXPRESSION_BINARY, HF_EXPRESSION_PLUS, before, text);
}

/* From behind the first quote to behind the last one. */
static const node *text_of(struct reader *r)
{
	static const char escapes[] = "\"\\/nt", means[] = "\"\\/\n\t";
	hf_cleanup(hf_buf_done) struct hf_buf piece = HF_BUF(HF_POLICY_PROGRAM_MAX);
	const node *n = NULL;

	for (;;) {
		char c = ahead(r, 0), next = ahead(r, 1);
		if (!c)
			return NULL;
		r->at++;
		if (c == '"')
			return !n || piece.len ? with_text(r, n, &piece) : n;
		if (c != '\\') {
			hf_buf_add_char(&piece, c);
			continue;
		}
		const char *found = next ? strchr(escapes, next) : NULL;
		r->at++;
		if (found)
			hf_buf_add_char(&piece, means[found - escapes]);
		else if (next != '(' || !(n = !n || piece.len ? with_text(r, n, &piece) : n) ||
			 !(n = interpolation(r, n)))
			return NULL;
	}
}

static const node *number_of(struct reader *r)
{
	uint64_t value = 0;
	size_t n = 0;

	while (is_digit(ahead(r, n)) && n < 16)
		value = value * 10 + (uint64_t)(ahead(r, n++) - '0');
	char next = ahead(r, n);
	if (!n || n > 15 || (n > 1 && ahead(r, 0) == '0') || is_letter(next) || is_digit(next) || next == '.')
		return NULL;
	r->at += n;
	return constant(r, jv_number((double)value));
}

static const node *variable_of(struct reader *r)
{
	hf_sv name = is_letter(ahead(r, 0)) ? word_ahead(r) : (hf_sv){ 0 };

	r->at += name.len;
	for (size_t i = r->scope_n; i-- && name.len;)
		if (hf_sv_eq(r->scope[i].name, name)) {
			node *n = make(r, HF_EXPRESSION_VARIABLE, NULL, NULL);
			if (n)
				n->slot = r->scope[i].slot;
			return n;
		}
	return NULL;
}

/* The regular expressions that are plain texts, perhaps anchored. */
static const node *test_of(struct reader *r, const node *pattern)
{
	if (pattern->kind != HF_EXPRESSION_CONSTANT || jv_get_kind(pattern->constant) != JV_KIND_STRING)
		return unknown(r);
	hf_sv text = { jv_string_value(pattern->constant), (size_t)jv_string_length_bytes(jv_copy(pattern->constant)) };
	hf_cleanup(hf_buf_done) struct hf_buf plain = HF_BUF(HF_POLICY_PROGRAM_MAX);
	bool front = text.len && text.ptr[0] == '^', end = false, good = true;

	for (size_t i = front; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '$' && i + 1 == text.len)
			end = true;
		else if (c == '\\' && i + 1 < text.len && strchr("./-+*?$^()[]{}|", text.ptr[i + 1]))
			hf_buf_add_char(&plain, text.ptr[++i]);
		else if (c && (is_letter(c) || is_digit(c) || strchr(" /:@-,=!~;'<>", c)))
			hf_buf_add_char(&plain, c);
		else
			good = false;
	}
	if (!good || !plain.len)
		return unknown(r);
	node *n = operation(r, HF_EXPRESSION_CALL, HF_EXPRESSION_TEST, NULL, NULL);
	if (n) {
		n->constant = jv_string_sized(plain.ptr, (int)plain.len);
		n->front = front;
		n->end = end;
	}
	return n;
}

static const node *each_of(struct reader *r, const node *from)
{
	return several(make(r, HF_EXPRESSION_EACH, from, NULL));
}

static const node *choice(struct reader *r, const node *a, const node *b, const node *c)
{
	node *n = make(r, HF_EXPRESSION_IF, a, b);

	if (!n || !c)
		return NULL;
	n->c = c;
	n->plain &= c->plain;
	n->height = c->height >= n->height ? (uint16_t)(c->height + 1) : n->height;
	return n;
}

/* any and all, which give one value. What jq makes of a condition that has several, or none, nobody would guess. */
static const node *quantifier(struct reader *r, enum hf_expression_kind kind, const node *of, const node *condition)
{
	node *n = condition && condition->plain ? make(r, kind, of, condition) : unknown(r);

	if (n)
		n->plain = true;
	return n;
}

static const node *collect(struct reader *r, const node *inner)
{
	node *n = make(r, HF_EXPRESSION_COLLECT, inner, NULL);

	if (n)
		n->plain = true;
	return n;
}

/* What jq defines by other words of its own is put into those. */
static const node *defined(struct reader *r, hf_sv name, const node *const *args, size_t n)
{
	const node *this = make(r, HF_EXPRESSION_THIS, NULL, NULL);
	bool any = hf_sv_eq(name, HF_SV("any"));

	if (!this)
		return NULL;
	if (!n && hf_sv_eq(name, HF_SV("empty")))
		return several(make(r, HF_EXPRESSION_EMPTY, NULL, NULL));
	if (n == 1 && hf_sv_eq(name, HF_SV("select")))
		return choice(r, args[0], this, several(make(r, HF_EXPRESSION_EMPTY, NULL, NULL)));
	if (n == 1 && hf_sv_eq(name, HF_SV("map")))
		return collect(r, several(make(r, HF_EXPRESSION_PIPE, each_of(r, this), args[0])));
	if (n == 1 && hf_sv_eq(name, HF_SV("test")))
		return test_of(r, args[0]);
	if (n == 1 && hf_sv_eq(name, HF_SV("IN")))
		return quantifier(r, HF_EXPRESSION_ANY,
				  operation(r, HF_EXPRESSION_BINARY, HF_EXPRESSION_EQUAL, args[0], this), this);
	if (any || hf_sv_eq(name, HF_SV("all")))
		return quantifier(r, any ? HF_EXPRESSION_ANY : HF_EXPRESSION_ALL, n == 2 ? args[0] : each_of(r, this),
				  n == 2   ? args[1]
				  : n == 1 ? args[0]
					   : this);
	return unknown(r);
}

static const node *call_of(struct reader *r, hf_sv name)
{
	static const struct {
		const char *name;
		enum hf_expression_function function;
		size_t args;
	} functions[] = {
		{ "not", HF_EXPRESSION_NOT, 0 },
		{ "length", HF_EXPRESSION_LENGTH, 0 },
		{ "type", HF_EXPRESSION_TYPE, 0 },
		{ "tostring", HF_EXPRESSION_TOSTRING, 0 },
		{ "keys", HF_EXPRESSION_KEYS, 0 },
		{ "add", HF_EXPRESSION_ADD, 0 },
		{ "startswith", HF_EXPRESSION_STARTSWITH, 1 },
		{ "endswith", HF_EXPRESSION_ENDSWITH, 1 },
		{ "contains", HF_EXPRESSION_CONTAINS, 1 },
		{ "has", HF_EXPRESSION_HAS, 1 },
	};
	enum { ARGS_MAX = 3 };
	const node *args[ARGS_MAX] = { 0 };
	size_t n = 0;

	if (takes(r, "(", "")) {
		do {
			if (n == ARGS_MAX || !(args[n++] = pipe_of(r)))
				return NULL;
		} while (takes(r, ";", ""));
		if (!takes(r, ")", ""))
			return NULL;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(functions); i++)
		if (hf_sv_eq(name, hf_sv_of(functions[i].name)) && n == functions[i].args)
			return operation(r, HF_EXPRESSION_CALL, functions[i].function, args[0], NULL);
	return defined(r, name, args, n);
}

static const node *if_of(struct reader *r)
{
	const node *a = pipe_of(r), *b, *c;

	if (!a || !takes_word(r, "then") || !(b = pipe_of(r)))
		return NULL;
	if (takes_word(r, "elif")) {
		c = ++r->depth < DEPTH_MAX ? if_of(r) : NULL;
		r->depth--;
		return choice(r, a, b, c);
	}
	if (!takes_word(r, "else") || !(c = pipe_of(r)) || !takes_word(r, "end"))
		return NULL;
	return choice(r, a, b, c);
}

static const node *object_of(struct reader *r)
{
	const node *rest = NULL, *key, *value;

	if (takes(r, "}", ""))
		return constant(r, jv_object());
	do {
		hf_sv word = word_ahead(r);
		if (is_keyword(word))
			return NULL;
		r->at += word.len;
		if (word.len)
			key = constant(r, jv_string_sized(word.ptr, (int)word.len));
		else
			key = takes(r, "\"", "") ? text_of(r) : NULL;
		if (!key || key->kind != HF_EXPRESSION_CONSTANT || !takes(r, ":", ":") || !(value = term_of(r)) ||
		    !value->plain)
			return NULL;
		node *n = make(r, HF_EXPRESSION_OBJECT, key, value);
		if (!n)
			return NULL;
		n->c = rest;
		n->height = rest && rest->height >= n->height ? (uint16_t)(rest->height + 1) : n->height;
		rest = n;
	} while (takes(r, ",", ""));
	return takes(r, "}", "") ? rest : NULL;
}

static const node *index_of(struct reader *r, const node *from, const node *key)
{
	return key && key->plain ? make(r, HF_EXPRESSION_INDEX, from, key) : NULL;
}

/* What stands behind "[", and the rest of it. */
static const node *bracket_of(struct reader *r, const node *from)
{
	if (takes(r, "]", ""))
		return each_of(r, from);
	const node *key = pipe_of(r);
	return takes(r, "]", "") ? index_of(r, from, key) : NULL;
}

static const node *field_of(struct reader *r, const node *from)
{
	hf_sv word = word_ahead(r);

	r->at += word.len;
	return index_of(r, from, constant(r, jv_string_sized(word.ptr, (int)word.len)));
}

/* What stands behind a term: fields, brackets, question marks. */
static const node *postfix_of(struct reader *r, const node *n, bool in_brackets)
{
	for (; n; in_brackets = false) {
		skip_blanks(r);
		if (ahead(r, 0) == '.' && is_letter(ahead(r, 1))) {
			r->at++;
			n = field_of(r, n);
		} else if (ahead(r, 0) == '.' && ahead(r, 1) == '"') {
			r->at += 2;
			n = index_of(r, n, text_of(r));
		} else if (takes(r, "[", "")) {
			n = bracket_of(r, n);
		} else if (ahead(r, 0) == '?' && ahead(r, 1) == '/') {
			return NULL; /* "?//" is an operator */
		} else if (takes(r, "?", "")) {
			bool own = (n->kind == HF_EXPRESSION_INDEX || n->kind == HF_EXPRESSION_EACH) && !n->optional &&
				   !in_brackets;
			node *optional = own ? make(r, (enum hf_expression_kind)n->kind, n->a, n->b)
					     : make(r, HF_EXPRESSION_TRY, n, NULL);
			if (optional)
				optional->optional = own;
			n = several(optional);
		} else {
			return n;
		}
	}
	return NULL;
}

static const node *word_of(struct reader *r)
{
	hf_sv word = word_ahead(r);

	r->at += word.len;
	if (hf_sv_eq(word, HF_SV("if")))
		return if_of(r);
	if (!word.len || is_keyword(word) || (ahead(r, 0) == ':' && ahead(r, 1) == ':'))
		return NULL;
	if (hf_sv_eq(word, HF_SV("true")) || hf_sv_eq(word, HF_SV("false")))
		return constant(r, word.ptr[0] == 't' ? jv_true() : jv_false());
	if (hf_sv_eq(word, HF_SV("null")))
		return constant(r, jv_null());
	return call_of(r, word);
}

/* A term without what stands behind it. */
static const node *primary_of(struct reader *r)
{
	const node *inner;

	skip_blanks(r);
	char c = ahead(r, 0), next = ahead(r, 1);
	if (is_digit(c))
		return number_of(r);
	if (c == '.' && (next == '.' || is_digit(next)))
		return NULL;
	if (takes(r, ".", "")) {
		const node *this = make(r, HF_EXPRESSION_THIS, NULL, NULL);
		if (is_letter(next))
			return this ? field_of(r, this) : NULL;
		return takes(r, "\"", "") ? index_of(r, this, text_of(r)) : this;
	}
	if (takes(r, "\"", ""))
		return text_of(r);
	if (takes(r, "$", ""))
		return variable_of(r);
	if (takes(r, "(", ""))
		return (inner = pipe_of(r)) && takes(r, ")", "") ? inner : NULL;
	if (takes(r, "[", "")) {
		if (takes(r, "]", ""))
			return constant(r, jv_array());
		return (inner = pipe_of(r)) && takes(r, "]", "") ? collect(r, inner) : NULL;
	}
	return takes(r, "{", "") ? object_of(r) : word_of(r);
}

static const node *term_of(struct reader *r)
{
	const node *n = NULL;

	skip_blanks(r);
	bool in_brackets = ahead(r, 0) == '(';
	if (++r->depth < DEPTH_MAX)
		n = postfix_of(r, primary_of(r), in_brackets);
	r->depth--;
	return n;
}

/* A term, or one that is given a name for all that follows. */
static const node *named_of(struct reader *r)
{
	const node *a = term_of(r);

	if (!a || !takes_word(r, "as"))
		return a;
	if (!takes(r, "$", "") || !is_letter(ahead(r, 0)) || r->slots == HF_EXPRESSION_SLOTS)
		return NULL;
	hf_sv name = word_ahead(r);
	r->at += name.len;
	if (is_keyword(name) || !takes(r, "|", "="))
		return NULL;
	uint32_t slot = r->slots++;
	r->scope[r->scope_n].name = name;
	r->scope[r->scope_n++].slot = slot;
	const node *b = pipe_of(r);
	r->scope_n--;
	node *n = b ? make(r, HF_EXPRESSION_AS, a, b) : NULL;
	if (n)
		n->slot = slot;
	return n;
}

static const node *product_of(struct reader *r)
{
	const node *n = named_of(r);

	while (n && (takes(r, "*", "=") || takes(r, "%", "=") || takes(r, "/", "/=")))
		n = named_of(r) ? unknown(r) : NULL;
	return n;
}

static const node *sum_of(struct reader *r)
{
	const node *n = product_of(r), *b;

	while (n) {
		bool plus = takes(r, "+", "=");
		if (!plus && !takes(r, "-", "="))
			break;
		b = product_of(r);
		n = !b ? NULL : plus ? operation(r, HF_EXPRESSION_BINARY, HF_EXPRESSION_PLUS, n, b) : unknown(r);
	}
	return n;
}

static const node *comparison_of(struct reader *r)
{
	static const struct {
		const char *token;
		enum hf_expression_operator means;
	} operators[] = { { "==", HF_EXPRESSION_EQUAL },    { "!=", HF_EXPRESSION_UNEQUAL },
			  { "<=", HF_EXPRESSION_AT_MOST },  { "<", HF_EXPRESSION_LESS },
			  { ">=", HF_EXPRESSION_AT_LEAST }, { ">", HF_EXPRESSION_GREATER } };
	const node *n = sum_of(r), *b;

	for (size_t i = 0; i < HF_ARRAY_SIZE(operators) && n; i++)
		if (takes(r, operators[i].token, ""))
			return (b = sum_of(r)) ? operation(r, HF_EXPRESSION_BINARY, operators[i].means, n, b) : NULL;
	return n;
}

static const node *and_of(struct reader *r)
{
	const node *n = comparison_of(r), *b;

	while (n && takes_word(r, "and"))
		n = (b = comparison_of(r)) ? make(r, HF_EXPRESSION_AND, n, b) : NULL;
	return n;
}

static const node *or_of(struct reader *r)
{
	const node *n = and_of(r), *b;

	while (n && takes_word(r, "or"))
		n = (b = and_of(r)) ? make(r, HF_EXPRESSION_OR, n, b) : NULL;
	return n;
}

static const node *alternative_of(struct reader *r)
{
	const node *n = or_of(r);

	if (!n || !takes(r, "//", "="))
		return n;
	const node *b = ++r->depth < DEPTH_MAX ? alternative_of(r) : NULL;
	r->depth--;
	return b ? make(r, HF_EXPRESSION_ALTERNATIVE, n, b) : NULL;
}

static const node *comma_of(struct reader *r)
{
	const node *n = alternative_of(r), *b;

	while (n && takes(r, ",", ""))
		n = (b = alternative_of(r)) ? several(make(r, HF_EXPRESSION_COMMA, n, b)) : NULL;
	return n;
}

static const node *pipe_of(struct reader *r)
{
	const node *n = ++r->depth < DEPTH_MAX ? comma_of(r) : NULL;

	if (n && takes(r, "|", "=")) {
		const node *b = pipe_of(r);
		n = b ? make(r, HF_EXPRESSION_PIPE, n, b) : NULL;
	}
	r->depth--;
	return n;
}

struct hf_expressions *hf_expression_read(hf_sv program)
{
	static const char *const own[] = { "object", "pod", "container", "namespace", "parameters" };
	struct hf_expressions *e = hf_calloc(1, sizeof *e);
	struct reader r = { .text = program, .made = e, .slots = HF_EXPRESSION_OWN_SLOTS };

	/* Versions of jq differ in what ends a comment. */
	if (hf_sv_index(program, '\r') != SIZE_MAX) {
		free(e);
		return NULL;
	}
	e->arena = HF_ARENA(HF_MIB(1));
	for (uint32_t i = 0; i < HF_ARRAY_SIZE(own); i++) {
		r.scope[r.scope_n].name = hf_sv_of(own[i]);
		r.scope[r.scope_n++].slot = HF_EXPRESSION_OBJECT_SLOT + i;
	}
	e->root = pipe_of(&r);
	skip_blanks(&r);
	if (!e->root || r.at != program.len || e->root->kind == HF_EXPRESSION_UNKNOWN) {
		hf_expression_free(e);
		return NULL;
	}
	return e;
}

void hf_expression_free(struct hf_expressions *e)
{
	if (!e)
		return;
	for (struct hf_expression *n = e->last_made; n; n = n->made_before)
		jv_free(n->constant);
	hf_arena_done(&e->arena);
	free(e);
}
