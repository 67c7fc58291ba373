/* The part of jq that policies are mostly made of, evaluated without jq's machine: paths, comparisons, `and`, `or`, `//`, pipes, `select`, `any`,
 * `all`, `startswith`, `test` of plain texts and the like. Values are libjq's own, so are their order, equality and lookup.
 *
 * It answers as jq does or not at all. A text that it does not understand is no expression. What is understood as syntax but not
 * as an operation, what fails, and what takes very many steps is left to jq: a policy that asks for a common thing and then
 * words its message in an uncommon way is still answered here wherever all is well. Nothing depends on whether jq stops an `any` at the first
 * hit: an error anywhere within is jq's to tell.
 * Source: jq 1.6, manual; its order of evaluation where there are several values (the right operand is the outer loop). */
#pragma once
#include <jq.h>

#include "base/arena.h"

enum hf_expression_kind {
	HF_EXPRESSION_UNKNOWN, /* for jq */
	HF_EXPRESSION_THIS,
	HF_EXPRESSION_CONSTANT,
	HF_EXPRESSION_VARIABLE,
	HF_EXPRESSION_INDEX, /* a[b] */
	HF_EXPRESSION_EACH,  /* a[] */
	HF_EXPRESSION_PIPE,
	HF_EXPRESSION_COMMA,
	HF_EXPRESSION_ALTERNATIVE, /* a // b */
	HF_EXPRESSION_AND,
	HF_EXPRESSION_OR,
	HF_EXPRESSION_BINARY, /* an operator */
	HF_EXPRESSION_IF,     /* a, then b, else c */
	HF_EXPRESSION_TRY,    /* (a)? */
	HF_EXPRESSION_AS,     /* a as $slot | b */
	HF_EXPRESSION_ANY,    /* any(a; b) */
	HF_EXPRESSION_ALL,
	HF_EXPRESSION_COLLECT, /* [a] */
	HF_EXPRESSION_OBJECT,  /* {a: b} and the object c */
	HF_EXPRESSION_CALL,    /* a function of `.`, and of a where there is one */
	HF_EXPRESSION_EMPTY,
};

enum hf_expression_operator {
	HF_EXPRESSION_EQUAL,
	HF_EXPRESSION_UNEQUAL,
	HF_EXPRESSION_LESS,
	HF_EXPRESSION_GREATER,
	HF_EXPRESSION_AT_MOST,
	HF_EXPRESSION_AT_LEAST,
	HF_EXPRESSION_PLUS,
};

enum hf_expression_function {
	HF_EXPRESSION_NOT,
	HF_EXPRESSION_LENGTH,
	HF_EXPRESSION_TYPE,
	HF_EXPRESSION_TOSTRING,
	HF_EXPRESSION_KEYS,
	HF_EXPRESSION_ADD,
	HF_EXPRESSION_STARTSWITH,
	HF_EXPRESSION_ENDSWITH,
	HF_EXPRESSION_CONTAINS,
	HF_EXPRESSION_HAS,
	HF_EXPRESSION_TEST, /* `.` holds the constant: at the front, at the end */
};

struct hf_expression {
	uint8_t kind, operation; /* of an operator or a function */
	bool plain;              /* gives one value or an error, never none or more */
	bool optional;           /* of INDEX and EACH: what cannot be indexed gives nothing */
	bool front, end;         /* of TEST: anchored there */
	uint16_t height;         /* of the tree from here on */
	uint32_t slot;           /* of VARIABLE and AS */
	const struct hf_expression *a, *b, *c;
	jv constant;
	struct hf_expression *made_before;
};

enum {
	HF_EXPRESSION_OBJECT_SLOT,
	HF_EXPRESSION_POD_SLOT,
	HF_EXPRESSION_CONTAINER_SLOT,
	HF_EXPRESSION_NAMESPACE_SLOT,
	HF_EXPRESSION_PARAMETERS_SLOT,
	HF_EXPRESSION_OWN_SLOTS, /* those of `as` */
	HF_EXPRESSION_SLOTS = HF_EXPRESSION_OWN_SLOTS + 16,
};

struct hf_expressions {
	struct hf_arena arena;
	struct hf_expression *last_made;
	const struct hf_expression *root;
};

/* NULL: not understood. The program is one that jq compiles. */
struct hf_expressions *hf_expression_read(hf_sv program);
void hf_expression_free(struct hf_expressions *);

/* Hands each value that the program gives to @take, which owns it. False: jq is to be asked instead, and what was handed on until then is
 * to be forgotten. @variables are by slot, HF_EXPRESSION_OWN_SLOTS of them; they and @subject stay the caller's. */
bool hf_expression_run(const struct hf_expressions *, jv subject, const jv *variables, void *ctx,
		       bool (*take)(void *ctx, jv value));
