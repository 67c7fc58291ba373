#include "base/limits.h"
#include "base/nearest.h"
#include "baseline/condition_lexer.h"
#include "baseline/condition_program.h"

struct compiler {
	struct condition_lexer lexer;
	struct condition_token token; /* the next one */
	const struct hf_condition_names *names;
	enum hf_condition_use use;
	struct hf_arena *arena;
	struct hf_err *err;
	HF_VEC(struct condition_step) steps;
	HF_VEC(struct condition_test) tests;
	size_t values_n;
	uint32_t depth, stack;
	uint32_t unless; /* how many of them it stands behind */
	bool negated;
};

static int fail_at(struct compiler *c, const struct condition_token *t, const char *what, hf_sv about)
{
	if (!about.ptr)
		return hf_fail(c->err, HF_E_FORMAT, "line %u, column %u: %s", t->line, t->column, what);
	return hf_fail(c->err, HF_E_FORMAT, "line %u, column %u: %s '%.*s'", t->line, t->column, what,
		       HF_SV_FMT(hf_sv_first(about, 100)));
}

static int advance(struct compiler *c)
{
	const char *why = condition_token_next(&c->lexer, c->arena, &c->token);

	return why ? fail_at(c, &c->token, why, (hf_sv){ 0 }) : HF_OK;
}

static bool at_word(const struct compiler *c, const char *word)
{
	return c->token.kind == TOKEN_WORD && hf_sv_eq(c->token.text, hf_sv_of(word));
}

static int step(struct compiler *c, enum condition_step_kind kind, size_t arg)
{
	struct condition_step *s = hf_vec_push(c->arena, &c->steps);

	if (!s)
		return hf_fail(c->err, HF_E_LIMIT, "the condition is too large");
	*s = (struct condition_step){ kind, (uint32_t)arg };
	if (kind == STEP_TEST && ++c->stack > CONDITION_STACK_MAX)
		return hf_fail(c->err, HF_E_LIMIT, "line %u: the condition is nested too deep", c->token.line);
	if (kind == STEP_AND || kind == STEP_OR)
		c->stack--;
	return HF_OK;
}

/* Fields and macros as one list of names. */
static const char *known_name(void *ctx, size_t i)
{
	const struct compiler *c = ctx;

	return i < HF_EVENT_FIELDS ? hf_event_fields[i].name : c->names->macros->entries[i - HF_EVENT_FIELDS].key.ptr;
}

static int unknown_name(struct compiler *c)
{
	size_t macros = c->names && c->names->macros ? c->names->macros->n : 0;
	const char *near = hf_nearest_name(c->token.text, known_name, HF_EVENT_FIELDS + macros, c);

	return hf_fail(c->err, HF_E_FORMAT, "line %u, column %u: '%.*s' is no field and no macro%s%s%s", c->token.line,
		       c->token.column, HF_SV_FMT(hf_sv_first(c->token.text, 100)), near ? "; nearest is '" : "",
		       near ? near : "", near ? "'" : "");
}

static const struct {
	const char *word;
	enum condition_operator op;
	bool inverted, texts, numbers, bools;
} operators[] = {
	{ "=", OPERATOR_EQUAL, false, true, true, true },
	{ "is", OPERATOR_EQUAL, false, true, true, true },
	{ "!=", OPERATOR_EQUAL, true, true, true, true },
	{ "in", OPERATOR_EQUAL, false, true, true, false },
	{ "<", OPERATOR_LESS, false, false, true, false },
	{ "<=", OPERATOR_LESS_EQUAL, false, false, true, false },
	{ ">", OPERATOR_GREATER, false, false, true, false },
	{ ">=", OPERATOR_GREATER_EQUAL, false, false, true, false },
	{ "contains", OPERATOR_CONTAINS, false, true, false, false },
	{ "startswith", OPERATOR_STARTS, false, true, false, false },
	{ "endswith", OPERATOR_ENDS, false, true, false, false },
	{ "glob", OPERATOR_GLOB, false, true, false, false },
	{ "named", OPERATOR_NAMED, false, true, false, false },
	{ "within", OPERATOR_WITHIN, false, true, false, false },
};

static const char *const other_words[] = { "and", "or", "not", "unless", "any", "all", "exists", "true", "false" };

static bool is_reserved(hf_sv word)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(operators); i++)
		if (hf_sv_eq(word, hf_sv_of(operators[i].word)))
			return true;
	for (size_t i = 0; i < HF_ARRAY_SIZE(other_words); i++)
		if (hf_sv_eq(word, hf_sv_of(other_words[i])))
			return true;
	return false;
}

static bool number_of(hf_sv text, struct condition_value *v)
{
	size_t dots = hf_sv_find(text, HF_SV(".."));

	if (dots == SIZE_MAX) {
		if (!hf_sv_to_u64(text, &v->low))
			return false;
		v->high = v->low;
		return true;
	}
	return hf_sv_to_u64(hf_sv_first(text, dots), &v->low) && hf_sv_to_u64(hf_sv_skip(text, dots + 2), &v->high) &&
	       v->low <= v->high;
}

static bool network_of(hf_sv text, struct condition_value *v)
{
	hf_sv address = text, bits = { 0 };
	uint64_t n = 128;
	bool four = hf_sv_index(text, ':') == SIZE_MAX;

	if (hf_sv_cut(text, '/', &address, &bits) && !hf_sv_to_u64(bits, &n))
		return false;
	if (!condition_address(address, v->address))
		return false;
	if (bits.ptr && four)
		n = n <= 32 ? n + 96 : 129;
	v->bits = (uint32_t)n;
	return n <= 128;
}

/* What is wrong with @text as a value of the test; NULL where nothing is. */
static const char *read_value(const struct condition_test *t, hf_sv text, struct condition_value *v)
{
	enum hf_value_type type = hf_event_fields[t->field].type;
	enum hf_event_kind kind;

	v->text = text;
	if (type == HF_VALUE_UINT || type == HF_VALUE_INT)
		return number_of(text, v) ? NULL : "a number, or a range as 1..1023, is wanted, not";
	if (type == HF_VALUE_BOOL) {
		v->low = v->high = hf_sv_eq(text, HF_SV("true"));
		return v->low || hf_sv_eq(text, HF_SV("false")) ? NULL : "true or false is wanted, not";
	}
	if (t->op == OPERATOR_WITHIN)
		return network_of(text, v) ? NULL : "an address or ADDRESS/BITS is wanted, not";
	if (t->field == HF_FIELD_KIND && !hf_event_kind_of(text, &kind))
		return "no kind of event is called";
	if (!text.len)
		return "an empty value says nothing";
	return NULL;
}

struct values {
	HF_VEC(struct condition_value) list;
};

static int add_value(struct compiler *c, const struct condition_test *t, const struct condition_token *at, hf_sv text,
		     struct values *values)
{
	struct condition_value *v = hf_vec_push(c->arena, &values->list);

	if (!v || ++c->values_n > HF_CONDITION_VALUES_MAX)
		return hf_fail(c->err, HF_E_LIMIT, "line %u: too many values", at->line);
	const char *why = read_value(t, text, v);
	return why ? fail_at(c, at, why, text) : HF_OK;
}

static int add_list(struct compiler *c, const struct condition_test *t, struct values *values)
{
	struct hf_map_entry *found = c->names && c->names->lists ? hf_map_find(c->names->lists, c->token.text) : NULL;
	struct condition_token at = c->token;

	if (!found)
		return fail_at(c, &at, "no list is called", at.text);
	struct hf_condition_list *list = found->value;
	list->used = true;
	for (size_t i = 0; i < list->n; i++) {
		int r = add_value(c, t, &at, list->at[i], values);
		if (r)
			return r;
	}
	return advance(c);
}

static int parse_value(struct compiler *c, const struct condition_test *t, struct values *values)
{
	struct condition_token at = c->token;

	if (at.kind == TOKEN_LIST)
		return add_list(c, t, values);
	bool literal = hf_event_fields[t->field].type == HF_VALUE_BOOL &&
		       (hf_sv_eq(at.text, HF_SV("true")) || hf_sv_eq(at.text, HF_SV("false")));
	if (at.kind != TOKEN_STRING && (at.kind != TOKEN_WORD || (is_reserved(at.text) && !literal)))
		return fail_at(c, &at, at.kind == TOKEN_WORD ? "in quotes it would be a value:" : "a value is wanted",
			       at.kind == TOKEN_WORD ? at.text : (hf_sv){ 0 });
	int r = add_value(c, t, &at, at.text, values);
	return r ? r : advance(c);
}

static int parse_values(struct compiler *c, struct condition_test *t, bool many)
{
	struct values values = { 0 };
	int r;

	if (c->token.kind == TOKEN_OPEN && many) {
		do {
			r = advance(c);
			r = r ? r : parse_value(c, t, &values);
		} while (!r && c->token.kind == TOKEN_COMMA);
		if (!r && c->token.kind != TOKEN_CLOSE)
			return fail_at(c, &c->token, "',' or ')' is wanted", (hf_sv){ 0 });
		r = r ? r : advance(c);
	} else {
		r = parse_value(c, t, &values);
	}
	t->values = values.list.at;
	t->values_n = values.list.n;
	return r;
}

static int emit_test(struct compiler *c, const struct condition_test *t)
{
	struct condition_test *slot = c->tests.n < HF_CONDITION_TESTS_MAX ? hf_vec_push(c->arena, &c->tests) : NULL;

	if (!slot)
		return hf_fail(c->err, HF_E_LIMIT, "line %u: more than %d tests", c->token.line,
			       HF_CONDITION_TESTS_MAX);
	*slot = *t;
	slot->negated = c->negated != t->inverted;
	for (size_t i = 0; i < t->values_n; i++) {
		uint8_t mark = condition_mark(t->values[i].text);
		slot->marks[mark / 64] |= UINT64_C(1) << mark % 64;
	}
	return step(c, STEP_TEST, c->tests.n - 1);
}

/* The operator at the token, of those that the type has; -1 with *err set. */
static int find_operator(struct compiler *c, enum hf_value_type type)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(operators); i++) {
		if (c->token.kind != TOKEN_OPERATOR && c->token.kind != TOKEN_WORD)
			break;
		if (!hf_sv_eq(c->token.text, hf_sv_of(operators[i].word)))
			continue;
		if (type == HF_VALUE_BOOL                           ? operators[i].bools
		    : type == HF_VALUE_UINT || type == HF_VALUE_INT ? operators[i].numbers
								    : operators[i].texts)
			return (int)i;
		fail_at(c, &c->token, "the field's type has no operator", c->token.text);
		return -1;
	}
	fail_at(c, &c->token, "an operator (= != in contains startswith … exists) is wanted", (hf_sv){ 0 });
	return -1;
}

static int parse_key(struct compiler *c, struct condition_test *t)
{
	if (c->token.kind != TOKEN_OPEN_KEY)
		return fail_at(c, &c->token, "a label is wanted, as container.labels[app]", (hf_sv){ 0 });
	int r = advance(c);
	if (r)
		return r;
	if (c->token.kind != TOKEN_WORD && c->token.kind != TOKEN_STRING)
		return fail_at(c, &c->token, "the name of a label is wanted", (hf_sv){ 0 });
	t->key = c->token.text;
	r = advance(c);
	if (!r && c->token.kind != TOKEN_CLOSE_KEY)
		return fail_at(c, &c->token, "']' is wanted", (hf_sv){ 0 });
	return r ? r : advance(c);
}

static int parse_quantifier(struct compiler *c, struct condition_test *t, bool is_list)
{
	if (at_word(c, "any"))
		t->quantifier = QUANTIFIER_ANY;
	else if (at_word(c, "all"))
		t->quantifier = QUANTIFIER_ALL;
	if (t->quantifier == QUANTIFIER_NONE)
		return is_list ? fail_at(c, &c->token, "a list wants 'any' or 'all' before the operator", (hf_sv){ 0 })
			       : HF_OK;
	if (!is_list)
		return fail_at(c, &c->token, "only lists have", c->token.text);
	return advance(c);
}

static int parse_test(struct compiler *c, enum hf_event_field field)
{
	enum hf_value_type type = hf_event_fields[field].type;
	struct condition_test t = { .field = field };
	bool is_list = type == HF_VALUE_LIST || type == HF_VALUE_TREE;
	int r = advance(c);

	if (!r && type == HF_VALUE_MAP)
		r = parse_key(c, &t);
	if (!r && at_word(c, "exists")) {
		t.op = OPERATOR_EXISTS;
		r = advance(c);
		return r ? r : emit_test(c, &t);
	}
	r = r ? r : parse_quantifier(c, &t, is_list);
	if (r)
		return r;
	bool bare = c->token.kind == TOKEN_END || c->token.kind == TOKEN_CLOSE || at_word(c, "and") ||
		    at_word(c, "or") || at_word(c, "unless");
	if (type == HF_VALUE_BOOL && bare) {
		static const struct condition_value yes = { .low = 1, .high = 1 };
		t.op = OPERATOR_EQUAL;
		t.values = &yes;
		t.values_n = 1;
		return emit_test(c, &t);
	}
	int i = find_operator(c, type);
	if (i < 0)
		return c->err ? c->err->code : HF_E_FORMAT;
	t.op = operators[i].op;
	t.inverted = operators[i].inverted;
	r = advance(c);
	r = r ? r
	      : parse_values(c, &t, type != HF_VALUE_BOOL && (t.op < OPERATOR_LESS || t.op > OPERATOR_GREATER_EQUAL));
	return r ? r : emit_test(c, &t);
}

enum { SHORT_NAME_MAX = 15 }; /* bytes of the kernel's short name of a process */

/* `program in (nc, ncat)`: by the short name, which tells the applets of a multi-call program apart, or by the executable's. */
static int parse_program(struct compiler *c)
{
	struct condition_test path = { .field = HF_FIELD_PROCESS_EXE_PATH, .op = OPERATOR_NAMED },
			      name = { .field = HF_FIELD_PROCESS_NAME, .op = OPERATOR_EQUAL };
	int r = advance(c);
	bool many = at_word(c, "in");

	if (r)
		return r;
	if (!many && !at_word(c, "is") && (c->token.kind != TOKEN_OPERATOR || !hf_sv_eq(c->token.text, HF_SV("="))))
		return fail_at(c, &c->token, "program is compared by '=' or 'in' alone", (hf_sv){ 0 });
	r = advance(c);
	r = r ? r : parse_values(c, &path, true);
	if (r)
		return r;
	struct condition_value *values = hf_arena_array(c->arena, struct condition_value, path.values_n);
	for (size_t i = 0; values && i < path.values_n; i++)
		values[i].text = hf_sv_first(path.values[i].text, SHORT_NAME_MAX);
	name.values = values;
	name.values_n = values ? path.values_n : 0;
	r = emit_test(c, &name);
	size_t skip_at = c->steps.n;
	r = r ? r : step(c, STEP_SKIP_TRUE, 0);
	r = r ? r : emit_test(c, &path);
	r = r ? r : step(c, STEP_OR, c->negated);
	if (!r)
		c->steps.at[skip_at].arg = (uint32_t)c->steps.n;
	return r;
}

static int parse_or(struct compiler *c);

static int parse_macro(struct compiler *c, struct hf_condition_macro *m)
{
	struct condition_lexer outer = c->lexer;
	struct condition_token name = c->token;

	m->used = true;
	c->lexer = condition_lexer_of(m->text);
	int r = advance(c);
	r = r ? r : parse_or(c);
	if (!r && c->token.kind != TOKEN_END)
		r = fail_at(c, &c->token, "not expected here:", c->token.text);
	if (r)
		return hf_wrap(c->err, "line %u, column %u: macro %.*s", name.line, name.column,
			       HF_SV_FMT(hf_sv_first(name.text, 60)));
	c->lexer = outer;
	return advance(c);
}

static int parse_primary(struct compiler *c)
{
	enum hf_event_field field;
	int r;

	if (c->token.kind == TOKEN_OPEN) {
		r = advance(c);
		r = r ? r : parse_or(c);
		if (!r && c->token.kind != TOKEN_CLOSE)
			return fail_at(c, &c->token, "'and', 'or' or ')' is wanted", (hf_sv){ 0 });
		return r ? r : advance(c);
	}
	if (c->token.kind != TOKEN_WORD || is_reserved(c->token.text))
		return fail_at(c, &c->token, "a field, a macro, 'not' or '(' is wanted", (hf_sv){ 0 });
	if (hf_event_field_of(c->token.text, &field))
		return parse_test(c, field);
	if (at_word(c, "program"))
		return parse_program(c);
	struct hf_map_entry *m = c->names && c->names->macros ? hf_map_find(c->names->macros, c->token.text) : NULL;
	return m ? parse_macro(c, m->value) : unknown_name(c);
}

static int parse_not(struct compiler *c)
{
	bool negates = false;
	int r = HF_OK;

	if (c->depth >= HF_CONDITION_DEPTH_MAX)
		return hf_fail(c->err, HF_E_LIMIT, "line %u, column %u: nested deeper than %d", c->token.line,
			       c->token.column, HF_CONDITION_DEPTH_MAX);
	while (!r && at_word(c, "not")) {
		negates = !negates;
		r = advance(c);
	}
	if (r)
		return r;
	c->depth++;
	c->negated ^= negates;
	r = parse_primary(c);
	c->negated ^= negates;
	c->depth--;
	return r || !negates ? r : step(c, STEP_NOT, 0);
}

static int parse_chain(struct compiler *c, const char *word, enum condition_step_kind join,
		       enum condition_step_kind skip, int (*parse)(struct compiler *))
{
	int r = parse(c);

	while (!r && at_word(c, word)) {
		size_t at = c->steps.n;
		r = step(c, skip, 0);
		r = r ? r : advance(c);
		r = r ? r : parse(c);
		r = r ? r : step(c, join, c->negated);
		if (!r)
			c->steps.at[at].arg = (uint32_t)c->steps.n;
	}
	return r;
}

/* Within `unless`, "cannot tell" becomes false, which a negation makes true. */
static enum condition_step_kind skip_and(const struct compiler *c)
{
	return c->negated || c->unless ? STEP_SKIP_FALSE : STEP_SKIP_UNTRUE;
}

static int parse_and(struct compiler *c)
{
	return parse_chain(c, "and", STEP_AND, skip_and(c), parse_not);
}

static int parse_alternatives(struct compiler *c)
{
	return parse_chain(c, "or", STEP_OR, STEP_SKIP_TRUE, parse_and);
}

/* `a unless b`: a, where b is not known to be true. Where that would speak for an allowance it is `a and not b`. */
static int parse_or(struct compiler *c)
{
	int r = parse_alternatives(c);

	while (!r && at_word(c, "unless")) {
		bool strict = c->use == HF_CONDITION_EXCEPTS || c->negated;
		size_t at = c->steps.n;
		r = step(c, skip_and(c), 0);
		r = r ? r : advance(c);
		c->negated = !c->negated;
		c->unless++;
		r = r ? r : parse_alternatives(c);
		c->unless--;
		c->negated = !c->negated;
		r = r || strict ? r : step(c, STEP_KNOWN, 0);
		r = r ? r : step(c, STEP_NOT, 0);
		r = r ? r : step(c, STEP_AND, c->negated);
		if (!r)
			c->steps.at[at].arg = (uint32_t)c->steps.n;
	}
	return r;
}

int hf_condition_compile(hf_sv text, const struct hf_condition_names *names, enum hf_condition_use use,
			 struct hf_arena *a, const struct hf_condition **ret, struct hf_err *err)
{
	struct hf_err own = { 0 };
	struct compiler c = { .names = names, .use = use, .arena = a, .err = err ? err : &own };

	if (text.len > HF_CONDITION_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "a condition of %zu bytes is too long", text.len);
	c.lexer = condition_lexer_of(hf_arena_dup(a, text));
	int r = advance(&c);
	r = r ? r : parse_or(&c);
	if (!r && c.token.kind != TOKEN_END)
		r = fail_at(&c, &c.token, "'and', 'or' or the end is wanted, not", c.token.text);
	if (r)
		return r;
	struct hf_condition *made = hf_arena_new(a, struct hf_condition);
	if (!made || a->over)
		return hf_fail(err, HF_E_LIMIT, "the condition is too large");
	*made = (struct hf_condition){ use, c.steps.at, c.steps.n, c.tests.at, c.tests.n };
	*ret = made;
	return HF_OK;
}
