/* A compiled condition: steps in postfix order over a stack of truths, and the tests that they run. Only condition.c and
 * condition_compile.c include it. */
#pragma once
#include "baseline/condition.h"

enum condition_step_kind {
	STEP_TEST, /* push the truth of tests[arg] */
	STEP_NOT,
	STEP_KNOWN, /* cannot tell becomes false */
	STEP_AND,   /* arg: 1 under an odd number of negations */
	STEP_OR,
	STEP_SKIP_FALSE, /* where the top is false, go on at step arg; it stays */
	STEP_SKIP_TRUE,
	STEP_SKIP_UNTRUE, /* STEP_SKIP_FALSE where what cannot be told makes the whole no truer than false does */
};

struct condition_step {
	enum condition_step_kind kind;
	uint32_t arg;
};

enum condition_operator {
	OPERATOR_EXISTS,
	OPERATOR_EQUAL, /* any of the values */
	OPERATOR_LESS,
	OPERATOR_LESS_EQUAL,
	OPERATOR_GREATER,
	OPERATOR_GREATER_EQUAL,
	OPERATOR_CONTAINS,
	OPERATOR_STARTS,
	OPERATOR_ENDS,
	OPERATOR_GLOB,
	OPERATOR_NAMED,
	OPERATOR_WITHIN,
};

enum condition_quantifier { QUANTIFIER_NONE, QUANTIFIER_ANY, QUANTIFIER_ALL };

struct condition_value {
	hf_sv text;
	uint64_t low, high; /* of a number, both ends included; of a bool 0 or 1 */
	uint8_t address[16];
	uint32_t bits; /* of the address that count: IPv4 stands as ::ffff:a.b.c.d */
};

struct condition_test {
	enum hf_event_field field;
	enum condition_operator op;
	enum condition_quantifier quantifier;
	bool inverted; /* != */
	bool negated;  /* stands under an odd number of negations, its own counted */
	hf_sv key;     /* of a map */
	const struct condition_value *values;
	size_t values_n;
	uint64_t marks[4]; /* of the values' texts: what has no mark here equals none of them */
};

/* A cheap property of a text, 0 to 255: most lists are asked about texts that are not in them. */
static inline uint8_t condition_mark(hf_sv text)
{
	if (!text.len)
		return 0;
	return (uint8_t)(text.len * 31 + (uint8_t)text.ptr[0] * 7 + (uint8_t)text.ptr[text.len - 1] * 13 +
			 (uint8_t)text.ptr[text.len / 2] * 5);
}

struct hf_condition {
	enum hf_condition_use use;
	const struct condition_step *steps;
	size_t steps_n;
	const struct condition_test *tests;
	size_t tests_n;
};

/* Room of the stack; the compiler sees to it that no condition needs more. */
enum { CONDITION_STACK_MAX = 64 };
/* Reads an address as 16 bytes; false where it is none. */
bool condition_address(hf_sv text, uint8_t ret[16]);
