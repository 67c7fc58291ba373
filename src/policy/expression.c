#include "policy/expression.h"

typedef struct hf_expression node;

enum { STEPS_MAX = 200000 };

enum flow {
	GO,
	FAILED, /* with an error that an enclosing (…)? takes */
	DOUBT,  /* jq is to be asked */
};

struct run {
	jv slots[HF_EXPRESSION_SLOTS];
	unsigned steps;
	bool caught; /* an error here is one of an enclosing (…)?; else it is jq's to tell */
	bool doubt;
	void *ctx;
	bool (*take)(void *ctx, jv value);
};

/* Where the values of an expression go, one after the other. */
struct sink {
	enum flow (*take)(struct sink *, struct run *, jv v); /* owns @v */
	struct sink *to;
	const node *n;
	jv in, held;
	bool found;
};

static enum flow evaluate(struct run *, const node *, jv in, struct sink *);

static jv doubt(struct run *r)
{
	r->doubt = true;
	return jv_invalid();
}

static enum flow fail(struct run *r, jv error)
{
	jv_free(error);
	r->doubt |= !r->caught;
	return r->doubt ? DOUBT : FAILED;
}

static bool is_true(jv v)
{
	jv_kind kind = jv_get_kind(v);

	return kind != JV_KIND_FALSE && kind != JV_KIND_NULL;
}

static jv index_by(struct run *r, jv from, jv key)
{
	jv_kind kind = jv_get_kind(key);

	if (kind == JV_KIND_STRING || kind == JV_KIND_NUMBER)
		return jv_get(from, key);
	jv_free(from);
	jv_free(key);
	return doubt(r); /* slices, places of one list in another */
}

static jv plus(struct run *r, jv a, jv b)
{
	jv_kind of_a = jv_get_kind(a), of_b = jv_get_kind(b);

	if (of_a == JV_KIND_NULL) {
		jv_free(a);
		return b;
	}
	if (of_b == JV_KIND_NULL) {
		jv_free(b);
		return a;
	}
	if (of_a == of_b && of_a == JV_KIND_STRING)
		return jv_string_concat(a, b);
	if (of_a == of_b && of_a == JV_KIND_NUMBER) {
		jv sum = jv_number(jv_number_value(a) + jv_number_value(b));
		jv_free(a);
		jv_free(b);
		return sum;
	}
	if (of_a == of_b && of_a == JV_KIND_ARRAY)
		return jv_array_concat(a, b);
	if (of_a == of_b && of_a == JV_KIND_OBJECT)
		return jv_object_merge(a, b);
	jv_free(a);
	jv_free(b);
	return doubt(r);
}

/* Owns both. */
static jv operate(struct run *r, enum hf_expression_operator operator, jv a, jv b)
{
	int order;

	switch (operator) {
	case HF_EXPRESSION_EQUAL:
		return jv_bool(jv_equal(a, b));
	case HF_EXPRESSION_UNEQUAL:
		return jv_bool(!jv_equal(a, b));
	case HF_EXPRESSION_PLUS:
		return plus(r, a, b);
	case HF_EXPRESSION_LESS:
	case HF_EXPRESSION_GREATER:
	case HF_EXPRESSION_AT_MOST:
	case HF_EXPRESSION_AT_LEAST:
		break;
	}
	order = jv_cmp(a, b);
	return jv_bool(operator== HF_EXPRESSION_LESS    ? order < 0 :
		       operator== HF_EXPRESSION_GREATER ? order > 0
		       :
		       operator== HF_EXPRESSION_AT_MOST ? order <= 0
							: order >= 0);
}

static hf_sv view(jv text)
{
	return (hf_sv){ jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)) };
}

static bool holds(hf_sv text, const node *n)
{
	hf_sv part = view(n->constant);

	/* "$" is also in front of a line break that ends the text. */
	bool at_end = hf_sv_ends(text, part) ||
		      (hf_sv_ends(text, HF_SV("\n")) && hf_sv_ends(hf_sv_first(text, text.len - 1), part));
	if (n->front && n->end)
		return at_end && hf_sv_starts(text, part) && text.len <= part.len + 1;
	return n->front ? hf_sv_starts(text, part) : n->end ? at_end : hf_sv_find(text, part) != SIZE_MAX;
}

static jv length_of(struct run *r, jv in)
{
	switch (jv_get_kind(in)) {
	case JV_KIND_NULL:
		return jv_number(0);
	case JV_KIND_STRING:
		return jv_number(jv_string_length_codepoints(jv_copy(in)));
	case JV_KIND_ARRAY:
		return jv_number(jv_array_length(jv_copy(in)));
	case JV_KIND_OBJECT:
		return jv_number(jv_object_length(jv_copy(in)));
	case JV_KIND_NUMBER:
	case JV_KIND_FALSE:
	case JV_KIND_TRUE:
	case JV_KIND_INVALID:
		break;
	}
	return doubt(r);
}

static jv sum_of(struct run *r, jv in)
{
	jv sum = jv_null();

	if (jv_get_kind(in) != JV_KIND_ARRAY)
		return doubt(r);
	for (int i = 0, n = jv_array_length(jv_copy(in)); i < n && jv_is_valid(sum); i++)
		sum = plus(r, sum, jv_array_get(jv_copy(in), i));
	return sum;
}

/* Functions of a text or a container, and of what is looked for in it. Owns @arg; invalid: an error. */
static jv search(struct run *r, enum hf_expression_function function, jv in, jv arg)
{
	jv_kind kind = jv_get_kind(in), of_arg = jv_get_kind(arg);
	bool texts = kind == JV_KIND_STRING && of_arg == JV_KIND_STRING;
	jv out = jv_invalid();

	if (function == HF_EXPRESSION_HAS) {
		if ((kind == JV_KIND_OBJECT && of_arg == JV_KIND_STRING) ||
		    (kind == JV_KIND_ARRAY && of_arg == JV_KIND_NUMBER))
			return jv_has(jv_copy(in), arg);
	} else if (texts && function == HF_EXPRESSION_CONTAINS) {
		return jv_bool(jv_contains(jv_copy(in), arg));
	} else if (texts) {
		out = jv_bool(function == HF_EXPRESSION_STARTSWITH ? hf_sv_starts(view(in), view(arg))
								   : hf_sv_ends(view(in), view(arg)));
	} else if (function == HF_EXPRESSION_CONTAINS) {
		out = doubt(r); /* of lists and objects: each of one in each of the other */
	}
	jv_free(arg);
	return out;
}

static jv call(struct run *r, const node *n, jv in, jv arg)
{
	jv_kind kind = jv_get_kind(in);

	switch ((enum hf_expression_function)n->operation) {
	case HF_EXPRESSION_NOT:
		return jv_bool(!is_true(in));
	case HF_EXPRESSION_LENGTH:
		return length_of(r, in);
	case HF_EXPRESSION_TYPE:
		return jv_string(jv_kind_name(kind));
	case HF_EXPRESSION_TOSTRING:
		return kind == JV_KIND_STRING ? jv_copy(in) : jv_dump_string(jv_copy(in), 0);
	case HF_EXPRESSION_KEYS:
		return kind == JV_KIND_OBJECT || kind == JV_KIND_ARRAY ? jv_keys(jv_copy(in)) : jv_invalid();
	case HF_EXPRESSION_ADD:
		return sum_of(r, in);
	case HF_EXPRESSION_TEST:
		return kind == JV_KIND_STRING ? jv_bool(holds(view(in), n)) : jv_invalid();
	case HF_EXPRESSION_STARTSWITH:
	case HF_EXPRESSION_ENDSWITH:
	case HF_EXPRESSION_CONTAINS:
	case HF_EXPRESSION_HAS:
		return search(r, (enum hf_expression_function)n->operation, in, arg);
	}
	return doubt(r);
}

static enum flow into_list(struct sink *s, struct run *r, jv v)
{
	(void)r;
	s->held = jv_array_append(s->held, v);
	return GO;
}

static enum flow into_verdict(struct sink *s, struct run *r, jv v)
{
	(void)r;
	s->found |= is_true(v) == (s->n->kind == HF_EXPRESSION_ANY);
	jv_free(v);
	return GO;
}

static enum flow into_right(struct sink *s, struct run *r, jv v)
{
	enum flow f = evaluate(r, s->n->b, v, s->to);

	jv_free(v);
	return f;
}

static jv collect(struct run *r, const node *n, jv in)
{
	struct sink list = { .take = into_list, .held = jv_array() };

	if (evaluate(r, n->a, in, &list) == GO)
		return list.held;
	jv_free(list.held);
	return jv_invalid();
}

/* any and all: whether the first hit ends them is nobody's business, as errors behind it are jq's to tell. */
static jv quantify(struct run *r, const node *n, jv in)
{
	struct sink verdict = { .take = into_verdict, .n = n },
		    condition = { .take = into_right, .n = n, .to = &verdict };
	bool caught = r->caught;

	r->caught = false;
	enum flow f = evaluate(r, n->a, in, n->b->kind == HF_EXPRESSION_THIS ? &verdict : &condition);
	r->caught = caught;
	return f == GO ? jv_bool(verdict.found == (n->kind == HF_EXPRESSION_ANY)) : doubt(r);
}

static jv value_of(struct run *, const node *, jv in);

/* Members that are given first stand first. */
static jv build(struct run *r, const node *n, jv in)
{
	jv object = n->c ? build(r, n->c, in) : jv_object();
	jv value = jv_is_valid(object) ? value_of(r, n->b, in) : jv_invalid();

	if (jv_is_valid(value))
		return jv_object_set(object, jv_copy(n->a->constant), value);
	jv_free(object);
	return value;
}

static jv binary(struct run *r, const node *n, jv in)
{
	jv b = value_of(r, n->b, in);
	jv a = jv_is_valid(b) ? value_of(r, n->a, in) : jv_invalid();

	if (jv_is_valid(a))
		return operate(r, (enum hf_expression_operator)n->operation, a, b);
	jv_free(a);
	jv_free(b);
	return jv_invalid();
}

static jv index_of(struct run *r, const node *n, jv in)
{
	jv key = value_of(r, n->b, in);
	jv from = jv_is_valid(key) ? value_of(r, n->a, in) : jv_invalid();

	if (jv_is_valid(from))
		return index_by(r, from, key);
	jv_free(from);
	jv_free(key);
	return jv_invalid();
}

/* true or false, unless it is an error. */
static jv logic(jv v)
{
	bool yes = is_true(v);

	if (!jv_is_valid(v))
		return v;
	jv_free(v);
	return jv_bool(yes);
}

static jv name(struct run *r, const node *n, jv value, jv in)
{
	jv before = r->slots[n->slot];

	r->slots[n->slot] = value;
	jv out = value_of(r, n->b, in);
	r->slots[n->slot] = before;
	return out;
}

/* What follows on the first value of an expression of two or three; frees it. */
static jv after(struct run *r, const node *n, jv first, jv in)
{
	bool yes = is_true(first);
	jv out;

	if (n->kind == HF_EXPRESSION_PIPE)
		out = value_of(r, n->b, first);
	else if (n->kind == HF_EXPRESSION_AS)
		out = name(r, n, first, in);
	else if (n->kind == HF_EXPRESSION_ALTERNATIVE)
		out = yes ? jv_copy(first) : value_of(r, n->b, in);
	else if (n->kind == HF_EXPRESSION_IF)
		out = value_of(r, yes ? n->b : n->c, in);
	else if (yes == (n->kind == HF_EXPRESSION_OR))
		out = jv_bool(yes);
	else
		out = logic(value_of(r, n->b, in));
	jv_free(first);
	return out;
}

/* Of a plain expression: its value, or an invalid one. */
static jv value_of(struct run *r, const node *n, jv in)
{
	jv first;

	if (r->doubt || !r->steps--)
		return doubt(r);
	switch ((enum hf_expression_kind)n->kind) {
	case HF_EXPRESSION_THIS:
		return jv_copy(in);
	case HF_EXPRESSION_CONSTANT:
		return jv_copy(n->constant);
	case HF_EXPRESSION_VARIABLE:
		return jv_copy(r->slots[n->slot]);
	case HF_EXPRESSION_INDEX:
		return index_of(r, n, in);
	case HF_EXPRESSION_BINARY:
		return binary(r, n, in);
	case HF_EXPRESSION_CALL:
		first = n->a ? value_of(r, n->a, in) : jv_null();
		return jv_is_valid(first) ? call(r, n, in, first) : first;
	case HF_EXPRESSION_COLLECT:
		return collect(r, n, in);
	case HF_EXPRESSION_OBJECT:
		return build(r, n, in);
	case HF_EXPRESSION_ANY:
	case HF_EXPRESSION_ALL:
		return quantify(r, n, in);
	case HF_EXPRESSION_ALTERNATIVE:
	case HF_EXPRESSION_AND:
	case HF_EXPRESSION_OR:
	case HF_EXPRESSION_PIPE:
	case HF_EXPRESSION_IF:
	case HF_EXPRESSION_AS:
		first = value_of(r, n->a, in);
		if (jv_is_valid(first))
			return after(r, n, first, in);
		/* `a // b` takes errors of a, in one version of jq more of them than in another. */
		r->doubt |= n->kind == HF_EXPRESSION_ALTERNATIVE;
		return first;
	case HF_EXPRESSION_UNKNOWN:
	case HF_EXPRESSION_EACH:
	case HF_EXPRESSION_COMMA:
	case HF_EXPRESSION_TRY:
	case HF_EXPRESSION_EMPTY:
		break;
	}
	return doubt(r);
}

static enum flow give(struct sink *to, struct run *r, jv v)
{
	return jv_is_valid(v) ? to->take(to, r, v) : fail(r, v);
}

static enum flow into_index(struct sink *s, struct run *r, jv v)
{
	jv key = value_of(r, s->n->b, s->in);

	if (!jv_is_valid(key)) {
		jv_free(v);
		return fail(r, key);
	}
	v = index_by(r, v, key);
	if (jv_is_valid(v) || !s->n->optional || r->doubt)
		return give(s->to, r, v);
	jv_free(v);
	return GO;
}

static enum flow into_each(struct sink *s, struct run *r, jv v)
{
	enum flow f = GO;

	if (jv_get_kind(v) == JV_KIND_ARRAY) {
		for (int i = 0, n = jv_array_length(jv_copy(v)); i < n && f == GO; i++)
			f = s->to->take(s->to, r, jv_array_get(jv_copy(v), i));
	} else if (jv_get_kind(v) == JV_KIND_OBJECT) {
		for (int i = jv_object_iter(v); jv_object_iter_valid(v, i) && f == GO; i = jv_object_iter_next(v, i))
			f = s->to->take(s->to, r, jv_object_iter_value(v, i));
	} else if (!s->n->optional) {
		f = fail(r, jv_invalid());
	}
	jv_free(v);
	return f;
}

static enum flow into_logic(struct sink *s, struct run *r, jv v)
{
	return s->to->take(s->to, r, logic(v));
}

/* The first side of `and`, `or`, `if`, `as`. */
static enum flow into_choice(struct sink *s, struct run *r, jv v)
{
	struct sink second = { .take = into_logic, .to = s->to };
	const node *n = s->n;
	bool yes = is_true(v);
	enum flow f;

	if (n->kind == HF_EXPRESSION_AS) {
		jv before = r->slots[n->slot];
		r->slots[n->slot] = v;
		f = evaluate(r, n->b, s->in, s->to);
		r->slots[n->slot] = before;
	} else if (n->kind == HF_EXPRESSION_IF) {
		f = evaluate(r, yes ? n->b : n->c, s->in, s->to);
	} else if (yes == (n->kind == HF_EXPRESSION_OR)) {
		f = s->to->take(s->to, r, jv_bool(yes));
	} else {
		f = evaluate(r, n->b, s->in, &second);
	}
	jv_free(v);
	return f;
}

static enum flow into_alternative(struct sink *s, struct run *r, jv v)
{
	if (is_true(v)) {
		s->found = true;
		return s->to->take(s->to, r, v);
	}
	jv_free(v);
	return GO;
}

/* Past a `(…)?`: errors from here on are none of its own, which versions of jq see differently. */
static enum flow into_try(struct sink *s, struct run *r, jv v)
{
	r->caught = false;
	enum flow f = s->to->take(s->to, r, v);
	r->caught = true;
	return f;
}

static enum flow into_left(struct sink *s, struct run *r, jv v)
{
	return give(s->to, r, operate(r, (enum hf_expression_operator)s->n->operation, v, jv_copy(s->held)));
}

/* The right operand, or the argument of a function. */
static enum flow into_operand(struct sink *s, struct run *r, jv v)
{
	if (s->n->kind == HF_EXPRESSION_CALL)
		return give(s->to, r, call(r, s->n, s->in, v));
	struct sink left = { .take = into_left, .to = s->to, .n = s->n, .held = v };
	enum flow f = evaluate(r, s->n->a, s->in, &left);
	jv_free(v);
	return f;
}

static enum flow alternative(struct run *r, const node *n, jv in, struct sink *to)
{
	struct sink s = { .take = into_alternative, .to = to };
	bool caught = r->caught;

	r->caught = false;
	enum flow f = evaluate(r, n->a, in, &s);
	if (f == GO && !s.found)
		f = evaluate(r, n->b, in, to);
	r->caught = caught;
	return f;
}

static enum flow attempt(struct run *r, const node *n, jv in, struct sink *to)
{
	struct sink s = { .take = into_try, .to = to };
	bool caught = r->caught;

	r->caught = true;
	enum flow f = evaluate(r, n->a, in, &s);
	r->caught = caught;
	return f == FAILED ? GO : f;
}

/* Hands all values of an expression on. */
static enum flow evaluate(struct run *r, const node *n, jv in, struct sink *to)
{
	struct sink s = { .to = to, .n = n, .in = in };
	enum flow f;

	if (n->plain)
		return give(to, r, value_of(r, n, in));
	if (r->doubt || !r->steps--)
		return fail(r, doubt(r));
	switch ((enum hf_expression_kind)n->kind) {
	case HF_EXPRESSION_EMPTY:
		return GO;
	case HF_EXPRESSION_COMMA:
		f = evaluate(r, n->a, in, to);
		return f == GO ? evaluate(r, n->b, in, to) : f;
	case HF_EXPRESSION_TRY:
		return attempt(r, n, in, to);
	case HF_EXPRESSION_ALTERNATIVE:
		return alternative(r, n, in, to);
	case HF_EXPRESSION_INDEX:
		s.take = into_index;
		return evaluate(r, n->a, in, &s);
	case HF_EXPRESSION_EACH:
		s.take = into_each;
		return evaluate(r, n->a, in, &s);
	case HF_EXPRESSION_PIPE:
		s.take = into_right;
		return evaluate(r, n->a, in, &s);
	case HF_EXPRESSION_AND:
	case HF_EXPRESSION_OR:
	case HF_EXPRESSION_IF:
	case HF_EXPRESSION_AS:
		s.take = into_choice;
		return evaluate(r, n->a, in, &s);
	case HF_EXPRESSION_BINARY:
		s.take = into_operand;
		return evaluate(r, n->b, in, &s);
	case HF_EXPRESSION_CALL:
		s.take = into_operand;
		return evaluate(r, n->a, in, &s);
	case HF_EXPRESSION_THIS:
	case HF_EXPRESSION_CONSTANT:
	case HF_EXPRESSION_VARIABLE:
	case HF_EXPRESSION_COLLECT:
	case HF_EXPRESSION_OBJECT:
	case HF_EXPRESSION_ANY:
	case HF_EXPRESSION_ALL:
	case HF_EXPRESSION_UNKNOWN:
		break;
	}
	return fail(r, doubt(r));
}

static enum flow into_caller(struct sink *s, struct run *r, jv v)
{
	(void)s;
	r->doubt |= !r->take(r->ctx, v);
	return r->doubt ? DOUBT : GO;
}

bool hf_expression_run(const struct hf_expressions *e, jv subject, const jv *variables, void *ctx,
		       bool (*take)(void *ctx, jv value))
{
	struct run r = { .steps = STEPS_MAX, .ctx = ctx, .take = take };
	struct sink caller = { .take = into_caller };

	for (size_t i = 0; i < HF_EXPRESSION_OWN_SLOTS; i++)
		r.slots[i] = variables[i];
	return evaluate(&r, e->root, subject, &caller) == GO && !r.doubt;
}
