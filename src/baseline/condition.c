#include "baseline/condition.h"

#include <arpa/inet.h>

#include "base/glob.h"
#include "base/limits.h"
#include "baseline/condition_program.h"

bool condition_address(hf_sv text, uint8_t ret[16])
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr four;

	if (!text.len || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, ret) == 1)
		return true;
	if (inet_pton(AF_INET, copy, &four) != 1)
		return false;
	memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	memcpy(ret + 12, &four, 4);
	return true;
}

static bool within(const uint8_t *address, const struct condition_value *v)
{
	uint32_t bytes = v->bits / 8, rest = v->bits % 8;

	if (memcmp(address, v->address, bytes))
		return false;
	return !rest || (address[bytes] ^ v->address[bytes]) >> (8 - rest) == 0;
}

static bool text_matches(enum condition_operator op, hf_sv text, hf_sv wanted)
{
	switch (op) {
	case OPERATOR_CONTAINS:
		return hf_sv_find(text, wanted) != SIZE_MAX;
	case OPERATOR_STARTS:
		return hf_sv_starts(text, wanted);
	case OPERATOR_ENDS:
		return hf_sv_ends(text, wanted);
	case OPERATOR_GLOB:
		return hf_glob_match(wanted, text);
	case OPERATOR_EQUAL:
	case OPERATOR_NAMED:
	case OPERATOR_EXISTS:
	case OPERATOR_LESS:
	case OPERATOR_LESS_EQUAL:
	case OPERATOR_GREATER:
	case OPERATOR_GREATER_EQUAL:
	case OPERATOR_WITHIN:
	default:
		return false;
	}
}

static enum hf_truth test_whole(const struct condition_test *t, hf_sv text)
{
	uint8_t mark = condition_mark(text);

	if (t->marks[mark / 64] >> mark % 64 & 1)
		for (size_t i = 0; i < t->values_n; i++)
			if (hf_sv_eq(text, t->values[i].text))
				return HF_TRUTH_TRUE;
	return HF_TRUTH_FALSE;
}

static enum hf_truth test_text(const struct condition_test *t, hf_sv text)
{
	uint8_t address[16];

	if (t->op == OPERATOR_EQUAL || t->op == OPERATOR_NAMED)
		return test_whole(t, t->op == OPERATOR_NAMED ? hf_sv_basename(text) : text);
	if (t->op == OPERATOR_WITHIN && !condition_address(text, address))
		return HF_TRUTH_UNKNOWN;
	for (size_t i = 0; i < t->values_n; i++)
		if (t->op == OPERATOR_WITHIN ? within(address, &t->values[i])
					     : text_matches(t->op, text, t->values[i].text))
			return HF_TRUTH_TRUE;
	return HF_TRUTH_FALSE;
}

/* @below_zero: smaller than every number that a condition can name. */
static enum hf_truth test_number(const struct condition_test *t, uint64_t number, bool below_zero)
{
	for (size_t i = 0; i < t->values_n; i++) {
		const struct condition_value *v = &t->values[i];
		bool less = below_zero || number < v->low, greater = !below_zero && number > v->high, hit = false;

		if (t->op == OPERATOR_EQUAL)
			hit = !less && !greater;
		else if (t->op == OPERATOR_LESS)
			hit = less;
		else if (t->op == OPERATOR_LESS_EQUAL)
			hit = !greater;
		else if (t->op == OPERATOR_GREATER)
			hit = greater;
		else if (t->op == OPERATOR_GREATER_EQUAL)
			hit = !less;
		if (hit)
			return HF_TRUTH_TRUE;
	}
	return HF_TRUTH_FALSE;
}

static enum hf_truth opposite(enum hf_truth t)
{
	return HF_TRUTH_TRUE - t;
}

static bool is_cut(const struct hf_event *e, enum hf_event_field field)
{
	if (field == HF_FIELD_PROCESS_EXE_PATH)
		return hf_event_bool(e, HF_FIELD_PROCESS_EXE_TRUNCATED);
	if (field == HF_FIELD_FILE_PATH)
		return hf_event_bool(e, HF_FIELD_FILE_TRUNCATED);
	return field == HF_FIELD_PROCESS_ARGUMENTS && hf_event_bool(e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED);
}

static bool label(const struct hf_value *v, hf_sv key, hf_sv *ret)
{
	for (size_t i = 0; i < v->n; i++)
		if (hf_sv_eq(v->list[2 * i], key)) {
			*ret = v->list[2 * i + 1];
			return true;
		}
	return false;
}

/* The element of a list or tree. */
static hf_sv element(const struct hf_value *v, size_t i)
{
	return v->type == HF_VALUE_TREE ? v->tree[i].path : v->list[i];
}

static enum hf_truth test_element(const struct condition_test *t, const struct hf_value *v, size_t i)
{
	hf_sv text = element(v, i);

	if (!text.ptr)
		return HF_TRUTH_UNKNOWN;
	enum hf_truth r = test_text(t, text);
	return t->inverted ? opposite(r) : r;
}

/* @ret_at: the element that decided, where one did. */
static enum hf_truth test_many(const struct condition_test *t, const struct hf_value *v, bool cut, size_t *ret_at)
{
	bool any = t->quantifier == QUANTIFIER_ANY, outer = t->negated != t->inverted;
	enum hf_truth decides = any ? HF_TRUTH_TRUE : HF_TRUTH_FALSE, all = opposite(decides);

	if (!v->n && !any)
		return HF_TRUTH_UNKNOWN;
	for (size_t i = 0; i < v->n; i++) {
		enum hf_truth r = test_element(t, v, i);
		if (r == decides) {
			*ret_at = i;
			return r;
		}
		if (r == HF_TRUTH_UNKNOWN)
			all = r;
	}
	if (cut)
		return outer ? HF_TRUTH_FALSE : HF_TRUTH_UNKNOWN;
	return all;
}

static enum hf_truth test_one(const struct condition_test *t, const struct hf_value *v, bool cut)
{
	enum hf_truth r = HF_TRUTH_UNKNOWN;
	hf_sv text = v->type == HF_VALUE_STRING ? v->string : (hf_sv){ 0 };

	if (v->type == HF_VALUE_MAP && !label(v, t->key, &text))
		return HF_TRUTH_UNKNOWN;
	if (cut && t->negated)
		r = HF_TRUTH_FALSE;
	else if (v->type == HF_VALUE_STRING || v->type == HF_VALUE_MAP)
		r = test_text(t, text);
	else if (v->type == HF_VALUE_UINT)
		r = test_number(t, v->uint, false);
	else if (v->type == HF_VALUE_INT)
		r = test_number(t, (uint64_t)v->integer, v->integer < 0);
	else if (v->type == HF_VALUE_BOOL)
		r = test_number(t, v->boolean, false);
	return t->inverted ? opposite(r) : r;
}

static enum hf_truth test_run(const struct hf_condition *c, const struct condition_test *t, const struct hf_event *e,
			      size_t *ret_at)
{
	const struct hf_value *v = &e->values[t->field];
	struct hf_value kind hf_uninitialized;
	hf_sv ignored;

	if (t->field == HF_FIELD_KIND) {
		kind = (struct hf_value){ .type = HF_VALUE_STRING, .string = hf_sv_of(hf_event_kind_name(e->kind)) };
		v = &kind;
	}
	if (t->op == OPERATOR_EXISTS) {
		bool there = v->type != HF_VALUE_NONE && (!t->key.ptr || label(v, t->key, &ignored));
		return there ? HF_TRUTH_TRUE : HF_TRUTH_FALSE;
	}
	if (v->type == HF_VALUE_NONE)
		return HF_TRUTH_UNKNOWN;
	bool cut = is_cut(e, t->field);
	if (cut && c->use == HF_CONDITION_EXCEPTS)
		return HF_TRUTH_UNKNOWN;
	return t->quantifier == QUANTIFIER_NONE ? test_one(t, v, cut) : test_many(t, v, cut, ret_at);
}

/* A truth on the stack and the tests that it came from: [first, end). */
struct entry {
	uint8_t truth;
	uint16_t first, end;
};
_Static_assert(HF_CONDITION_TESTS_MAX <= UINT16_MAX, "an entry counts tests");

static void forget(bool *decided, const struct entry *e)
{
	if (decided)
		memset(decided + e->first, 0, e->end - e->first);
}

static struct entry join(enum condition_step_kind kind, const struct entry *left, const struct entry *right,
			 bool *decided)
{
	enum hf_truth strong = kind == STEP_AND ? HF_TRUTH_FALSE : HF_TRUTH_TRUE, truth;

	if (left->truth == strong || right->truth == strong)
		truth = strong;
	else
		truth = left->truth == right->truth ? left->truth : HF_TRUTH_UNKNOWN;
	if (truth == strong) {
		if (left->truth != strong)
			forget(decided, left);
		if (right->truth != strong)
			forget(decided, right);
	}
	return (struct entry){ truth, left->first, right->end };
}

/* @decided, @at: one a test, zeroed; NULL where nobody asks what decided. */
static enum hf_truth run(const struct hf_condition *c, const struct hf_event *e, bool *decided, size_t *at)
{
	struct entry stack[CONDITION_STACK_MAX] hf_uninitialized;
	size_t n = 0, ignored;

	stack[0] = (struct entry){ HF_TRUTH_FALSE, 0, 0 };
	for (size_t i = 0; i < c->steps_n; i++) {
		const struct condition_step *s = &c->steps[i];

		switch (s->kind) {
		case STEP_TEST:
			stack[n++] = (struct entry){ test_run(c, &c->tests[s->arg], e, at ? &at[s->arg] : &ignored),
						     s->arg, s->arg + 1 };
			if (decided)
				decided[s->arg] = true;
			break;
		case STEP_NOT:
			stack[n - 1].truth = opposite(stack[n - 1].truth);
			break;
		case STEP_KNOWN:
			if (stack[n - 1].truth == HF_TRUTH_UNKNOWN)
				stack[n - 1].truth = HF_TRUTH_FALSE;
			break;
		case STEP_AND:
		case STEP_OR:
			n--;
			stack[n - 1] = join(s->kind, &stack[n - 1], &stack[n], decided);
			break;
		case STEP_SKIP_FALSE:
		case STEP_SKIP_UNTRUE:
		case STEP_SKIP_TRUE:
			if (stack[n - 1].truth == (s->kind == STEP_SKIP_TRUE ? HF_TRUTH_TRUE : HF_TRUTH_FALSE))
				i = s->arg - 1;
			break;
		default:
			return HF_TRUTH_UNKNOWN;
		}
	}
	return stack[0].truth;
}

enum hf_truth hf_condition_evaluate(const struct hf_condition *c, const struct hf_event *e)
{
	return run(c, e, NULL, NULL);
}

/* By far most events hold for no rule, so this goes without what an explanation takes, and a step further at once where it can. */
bool hf_condition_holds(const struct hf_condition *c, const struct hf_event *e)
{
	uint8_t stack[CONDITION_STACK_MAX] hf_uninitialized, right;
	size_t n = 0, ignored;

	stack[0] = HF_TRUTH_FALSE;
	for (size_t i = 0; i < c->steps_n; i++) {
		const struct condition_step *s = &c->steps[i];

		switch (s->kind) {
		case STEP_TEST:
			stack[n++] = (uint8_t)test_run(c, &c->tests[s->arg], e, &ignored);
			break;
		case STEP_NOT:
			stack[n - 1] = (uint8_t)opposite(stack[n - 1]);
			break;
		case STEP_KNOWN:
			if (stack[n - 1] == HF_TRUTH_UNKNOWN)
				stack[n - 1] = HF_TRUTH_FALSE;
			break;
		case STEP_AND: /* truths are in order */
		case STEP_OR:
			right = stack[--n];
			if ((right < stack[n - 1]) == (s->kind == STEP_AND))
				stack[n - 1] = right;
			break;
		case STEP_SKIP_FALSE:
		case STEP_SKIP_UNTRUE:
			if (stack[n - 1] == HF_TRUTH_FALSE ||
			    (stack[n - 1] == HF_TRUTH_UNKNOWN && s->kind == STEP_SKIP_UNTRUE))
				i = s->arg - 1;
			break;
		case STEP_SKIP_TRUE:
			if (stack[n - 1] == HF_TRUTH_TRUE)
				i = s->arg - 1;
			break;
		default:
			return false;
		}
	}
	return stack[0] == HF_TRUTH_TRUE;
}

enum { REASON_VALUE_MAX = 160 };

static void add_text(struct hf_buf *out, hf_sv s)
{
	hf_buf_add(out, hf_sv_first(s, REASON_VALUE_MAX));
	if (s.len > REASON_VALUE_MAX)
		hf_buf_add(out, HF_SV("…"));
}

static void add_value(struct hf_buf *out, const struct condition_test *t, const struct hf_value *v, size_t at)
{
	hf_sv text = { 0 };

	switch ((enum hf_value_type)v->type) {
	case HF_VALUE_STRING:
		add_text(out, v->string);
		break;
	case HF_VALUE_UINT:
		hf_buf_addf(out, "%llu", (unsigned long long)v->uint);
		break;
	case HF_VALUE_INT:
		hf_buf_addf(out, "%lld", (long long)v->integer);
		break;
	case HF_VALUE_BOOL:
		hf_buf_add(out, v->boolean ? HF_SV("true") : HF_SV("false"));
		break;
	case HF_VALUE_LIST:
	case HF_VALUE_TREE:
		if (at < v->n)
			add_text(out, element(v, at));
		break;
	case HF_VALUE_MAP:
		if (t->key.ptr && label(v, t->key, &text))
			add_text(out, text);
		break;
	case HF_VALUE_NONE:
	default:
		break;
	}
}

/* The same field, the same element or label of it. */
static bool is_same_value(const struct condition_test *a, size_t a_at, const struct condition_test *b, size_t b_at)
{
	if (a->field != b->field || a_at != b_at)
		return false;
	return !a->key.ptr || !b->key.ptr || hf_sv_eq(a->key, b->key);
}

static bool said_before(const struct hf_condition *c, const bool *decided, const size_t *at, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (decided[k] && is_same_value(&c->tests[k], at[k], &c->tests[i], at[i]))
			return true;
	return false;
}

enum hf_truth hf_condition_explain(const struct hf_condition *c, const struct hf_event *e, struct hf_buf *reason)
{
	bool decided[HF_CONDITION_TESTS_MAX] = { false };
	size_t at[HF_CONDITION_TESTS_MAX] = { 0 };
	enum hf_truth truth = run(c, e, decided, at);

	if (truth != HF_TRUTH_TRUE)
		return truth;
	for (size_t i = 0; i < c->tests_n; i++) {
		const struct condition_test *t = &c->tests[i];

		if (t->negated || t->op == OPERATOR_EXISTS || t->field == HF_FIELD_KIND)
			decided[i] = false;
		if (!decided[i] || said_before(c, decided, at, i))
			continue;
		hf_buf_addf(reason, "%s%s", reason->len ? ", " : "", hf_event_fields[t->field].name);
		if (t->key.ptr)
			hf_buf_addf(reason, "[%.*s]", HF_SV_FMT(t->key));
		hf_buf_add_char(reason, '=');
		add_value(reason, t, &e->values[t->field], at[i]);
	}
	return truth;
}

bool hf_condition_reads(const struct hf_condition *c, enum hf_event_field field)
{
	for (size_t i = 0; i < c->tests_n; i++)
		if (c->tests[i].field == field)
			return true;
	return false;
}

bool hf_condition_is_vague(const struct hf_condition *c)
{
	bool stack[CONDITION_STACK_MAX] = { false };
	size_t n = 0;

	for (size_t i = 0; i < c->steps_n; i++) {
		const struct condition_step *s = &c->steps[i];

		if (s->kind == STEP_TEST) {
			const struct condition_test *t = &c->tests[s->arg];
			stack[n++] = t->negated || t->op == OPERATOR_EXISTS || t->field == HF_FIELD_KIND;
		} else if (s->kind == STEP_AND || s->kind == STEP_OR) {
			/* By De Morgan: under a negation an "and" is satisfied as an "or" is elsewhere. */
			bool both = (s->kind == STEP_AND) != s->arg;
			n--;
			stack[n - 1] = both ? stack[n - 1] && stack[n] : stack[n - 1] || stack[n];
		}
	}
	return stack[0];
}

static enum hf_watch_shape watch_shape(enum condition_operator op)
{
	return op == OPERATOR_STARTS  ? HF_WATCH_BELOW
	       : op == OPERATOR_GLOB  ? HF_WATCH_GLOB
	       : op == OPERATOR_EQUAL ? HF_WATCH_PATH
				      : HF_WATCH_NAME;
}

void hf_condition_paths(const struct hf_condition *c, enum hf_event_field field,
			void (*take)(void *ctx, enum hf_watch_shape shape, hf_sv path), void *ctx)
{
	for (size_t i = 0; i < c->tests_n; i++) {
		const struct condition_test *t = &c->tests[i];

		if (t->field != field || t->negated || t->op == OPERATOR_EXISTS || t->op == OPERATOR_CONTAINS)
			continue;
		for (size_t k = 0; k < t->values_n; k++)
			take(ctx, watch_shape(t->op), t->values[k].text);
	}
}

bool hf_condition_admits(const struct hf_condition *c, enum hf_event_field field, hf_sv value)
{
	bool asked = false;

	for (size_t i = 0; i < c->tests_n; i++) {
		const struct condition_test *t = &c->tests[i];

		if (t->field != field || t->negated || t->op == OPERATOR_EXISTS)
			continue;
		asked = true;
		if (test_text(t, value) == HF_TRUTH_TRUE)
			return true;
	}
	return !asked;
}
