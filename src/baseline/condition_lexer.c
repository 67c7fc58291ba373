#include "baseline/condition_lexer.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool in_word(char c)
{
	return !is_blank(c) && c != '\0' && !strchr("\"()[],=<>!", c);
}

static void pass_blanks(struct condition_lexer *l)
{
	bool comment = false;

	for (; l->at < l->text.len; l->at++) {
		char c = l->text.ptr[l->at];
		if (c == '#')
			comment = true;
		else if (c == '\n')
			comment = false;
		else if (!comment && !is_blank(c))
			return;
		if (c == '\n') {
			l->line++;
			l->line_at = l->at + 1;
		}
	}
}

static const char *take_string(struct condition_lexer *l, struct hf_arena *a, struct condition_token *ret)
{
	size_t end = l->at + 1, n = 0;

	while (end < l->text.len && l->text.ptr[end] != '"' && l->text.ptr[end] != '\n')
		end += l->text.ptr[end] == '\\' ? 2 : 1;
	if (end >= l->text.len || l->text.ptr[end] != '"')
		return "the quotes do not end on their line";
	char *bytes = hf_arena_alloc(a, end - l->at, 1);
	if (!bytes)
		return "the condition is too large";
	for (size_t i = l->at + 1; i < end; i++) {
		char c = l->text.ptr[i];
		if (c == '\\') {
			c = l->text.ptr[++i];
			if (c == 'n' || c == 't')
				c = c == 'n' ? '\n' : '\t';
			else if (c != '"' && c != '\\')
				return "in quotes \\ stands before \" \\ n t alone";
		}
		bytes[n++] = c;
	}
	ret->kind = TOKEN_STRING;
	ret->text = (hf_sv){ bytes, n };
	l->at = end + 1;
	return NULL;
}

static const char *take_word(struct condition_lexer *l, struct condition_token *ret)
{
	size_t begin = l->at;

	while (l->at < l->text.len && in_word(l->text.ptr[l->at]))
		l->at++;
	ret->text = hf_sv_slice(l->text, begin, l->at - begin);
	if (!ret->text.len)
		return "a byte that stands nowhere in a condition";
	ret->kind = TOKEN_WORD;
	if (ret->text.ptr[0] == '$') {
		ret->kind = TOKEN_LIST;
		ret->text = hf_sv_skip(ret->text, 1);
	}
	return NULL;
}

const char *condition_token_next(struct condition_lexer *l, struct hf_arena *a, struct condition_token *ret)
{
	static const char marks[] = "()[],";
	static const enum condition_token_kind kinds[] = { TOKEN_OPEN, TOKEN_CLOSE, TOKEN_OPEN_KEY, TOKEN_CLOSE_KEY,
							   TOKEN_COMMA };

	pass_blanks(l);
	*ret = (struct condition_token){ .line = l->line, .column = (uint32_t)(l->at - l->line_at + 1) };
	if (l->at >= l->text.len)
		return NULL;
	char c = l->text.ptr[l->at];
	const char *mark = c ? strchr(marks, c) : NULL;
	if (mark) {
		ret->kind = kinds[mark - marks];
		ret->text = hf_sv_slice(l->text, l->at++, 1);
		return NULL;
	}
	if (c == '"')
		return take_string(l, a, ret);
	if (c == '=' || c == '<' || c == '>' || c == '!') {
		bool two = c != '=' && l->at + 1 < l->text.len && l->text.ptr[l->at + 1] == '=';
		if (c == '!' && !two)
			return "'!' stands only in '!='";
		ret->kind = TOKEN_OPERATOR;
		ret->text = hf_sv_slice(l->text, l->at, two ? 2 : 1);
		l->at += ret->text.len;
		return NULL;
	}
	return take_word(l, ret);
}
