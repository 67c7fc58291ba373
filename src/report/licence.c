#include "report/licence.h"

enum { EXPRESSION_SIZE_MAX = 4096, DEPTH_MAX = 64 };

static const hf_sv licences[] = {
#define HF_SPDX_LICENCE(id) HF_SV_INIT(id),
#define HF_SPDX_EXCEPTION(id)
#include "report/spdx_ids.def"
#undef HF_SPDX_LICENCE
#undef HF_SPDX_EXCEPTION
};

static const hf_sv exceptions[] = {
#define HF_SPDX_LICENCE(id)
#define HF_SPDX_EXCEPTION(id) HF_SV_INIT(id),
#include "report/spdx_ids.def"
#undef HF_SPDX_LICENCE
#undef HF_SPDX_EXCEPTION
};

static int folded(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : (unsigned char)c;
}

static int compare_folded(hf_sv a, hf_sv b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++)
		if (folded(a.ptr[i]) != folded(b.ptr[i]))
			return folded(a.ptr[i]) - folded(b.ptr[i]);
	return (a.len > b.len) - (a.len < b.len);
}

static hf_sv find(const hf_sv *list, size_t n, hf_sv id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_folded(id, list[middle]);
		if (!order)
			return list[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (hf_sv){ 0 };
}

hf_sv hf_licence_id(hf_sv id)
{
	return find(licences, HF_ARRAY_SIZE(licences), id);
}

hf_sv hf_licence_exception(hf_sv id)
{
	return find(exceptions, HF_ARRAY_SIZE(exceptions), id);
}

enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_AND, TOKEN_OR, TOKEN_WITH, TOKEN_ID, TOKEN_BAD };

static bool is_idchar(char c)
{
	return (c >= '0' && c <= '9') || (folded(c) >= 'a' && folded(c) <= 'z') || c == '-' || c == '.' || c == '+';
}

static enum token_kind next_token(hf_sv *rest, hf_sv *ret_text)
{
	static const struct {
		hf_sv word;
		enum token_kind kind;
	} words[] = {
		{ HF_SV_INIT("AND"), TOKEN_AND },
		{ HF_SV_INIT("OR"), TOKEN_OR },
		{ HF_SV_INIT("WITH"), TOKEN_WITH },
	};
	size_t n = 0;

	*rest = hf_sv_trim(*rest);
	if (!rest->len)
		return TOKEN_END;
	while (n < rest->len && is_idchar(rest->ptr[n]))
		n++;
	*ret_text = hf_sv_first(*rest, n ? n : 1);
	*rest = hf_sv_skip(*rest, ret_text->len);
	if (!n)
		return ret_text->ptr[0] == '(' ? TOKEN_OPEN : ret_text->ptr[0] == ')' ? TOKEN_CLOSE : TOKEN_BAD;
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq_ascii(*ret_text, words[i].word)) {
			*ret_text = words[i].word;
			return words[i].kind;
		}
	return TOKEN_ID;
}

struct writer {
	char text[2 * EXPRESSION_SIZE_MAX + 16];
	size_t len;
};

/* Blanks between words, none inside of a parenthesis. */
static void put(struct writer *w, enum token_kind kind, hf_sv text)
{
	if (w->len && kind != TOKEN_CLOSE && w->text[w->len - 1] != '(')
		w->text[w->len++] = ' ';
	memcpy(w->text + w->len, text.ptr, text.len);
	w->len += text.len;
}

/* "Apache-2.0+" is Apache-2.0 or later; some identifiers themselves end in "+". */
static bool put_licence(struct writer *w, hf_sv id)
{
	hf_sv known = hf_licence_id(id);

	if (known.len) {
		put(w, TOKEN_ID, known);
		return true;
	}
	if (!hf_sv_ends(id, HF_SV("+")))
		return false;
	known = hf_licence_id(hf_sv_first(id, id.len - 1));
	if (!known.len)
		return false;
	put(w, TOKEN_ID, known);
	w->text[w->len++] = '+';
	return true;
}

/* A grammar without precedence is enough to tell valid from not: operand (operator operand)*, where an operand is a
 * licence, a licence WITH exception, or a parenthesis. */
static bool normalise(hf_sv text, struct writer *w)
{
	enum token_kind before = TOKEN_OPEN; /* what stood before, as far as it matters: TOKEN_ID after any operand */
	bool single = false;                 /* the operand before was one licence: WITH may follow */
	unsigned depth = 0;
	hf_sv word;

	for (;;) {
		enum token_kind kind = next_token(&text, &word);
		bool wants_operand = before != TOKEN_ID;
		if (kind == TOKEN_END)
			return !wants_operand && !depth;
		if (kind == TOKEN_BAD || (kind == TOKEN_ID || kind == TOKEN_OPEN) != wants_operand)
			return false;
		if (before == TOKEN_WITH) {
			word = hf_licence_exception(word);
			if (kind != TOKEN_ID || !word.len)
				return false;
			put(w, kind, word);
			single = false;
		} else if (kind == TOKEN_ID) {
			if (!put_licence(w, word))
				return false;
			single = true;
		} else {
			if ((kind == TOKEN_WITH && !single) || (kind == TOKEN_CLOSE && !depth) ||
			    (kind == TOKEN_OPEN && depth == DEPTH_MAX))
				return false;
			depth += kind == TOKEN_OPEN;
			depth -= kind == TOKEN_CLOSE;
			put(w, kind, word);
			single = false;
		}
		before = kind == TOKEN_CLOSE ? TOKEN_ID : kind;
	}
}

hf_sv hf_licence_expression(struct hf_arena *a, hf_sv text)
{
	struct writer w;

	w.len = 0;
	if (text.len > EXPRESSION_SIZE_MAX || !normalise(text, &w))
		return (hf_sv){ 0 };
	return hf_arena_dup(a, (hf_sv){ w.text, w.len });
}

bool hf_licence_is_compound(hf_sv expression)
{
	return hf_sv_index(expression, ' ') != SIZE_MAX || !hf_licence_id(expression).len;
}
