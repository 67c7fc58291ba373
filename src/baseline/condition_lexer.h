/* The words of a condition. Only condition_compile.c includes it.
 * A word is a run of bytes other than blanks, quotes and ( ) [ ] , = < > !; "…" with \" \\ \n \t holds any bytes; $NAME is a list;
 * # begins a comment up to the end of the line, where a word could begin. */
#pragma once
#include "base/arena.h"

enum condition_token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_LIST,
	TOKEN_OPERATOR, /* = != < <= > >= */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_KEY,
	TOKEN_CLOSE_KEY,
	TOKEN_COMMA,
};

struct condition_token {
	enum condition_token_kind kind;
	uint32_t line, column; /* from 1; columns are bytes */
	hf_sv text;            /* of a list without the $ */
};

struct condition_lexer {
	hf_sv text;
	size_t at, line_at;
	uint32_t line;
};

static inline struct condition_lexer condition_lexer_of(hf_sv text)
{
	return (struct condition_lexer){ .text = text, .line = 1 };
}

/* What is wrong, with the place in *ret; NULL where nothing is. Strings with escapes are unescaped in @a. */
const char *condition_token_next(struct condition_lexer *l, struct hf_arena *a, struct condition_token *ret);
