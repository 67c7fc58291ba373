/* apk's order: apk-version(7) and src/version.c of apk-tools 3.
 * number{.number}[letter]{_suffix[number]}[~hash][-r number]. apk-tools 2 takes more as valid ("1.", "1.0a1") and counts
 * leading zeros of a later number ("1.00" before "1.0"); version 3 compares such numbers as text, as Gentoo does. */
#include "version/digits.h"

/* In the order that decides where two versions first differ in kind: the later kind is the older version. */
enum kind {
	KIND_FIRST_NUMBER,
	KIND_NUMBER,
	KIND_LETTER,
	KIND_SUFFIX,
	KIND_SUFFIX_NUMBER,
	KIND_HASH,
	KIND_REVISION,
	KIND_END,
	KIND_INVALID
};

/* Those before SUFFIX_NONE come before the release itself. */
static const hf_sv suffixes[] = {
	HF_SV_INIT("alpha"), HF_SV_INIT("beta"), HF_SV_INIT("pre"), HF_SV_INIT("rc"), HF_SV_INIT("\0none"),
	HF_SV_INIT("cvs"),   HF_SV_INIT("svn"),  HF_SV_INIT("git"), HF_SV_INIT("hg"), HF_SV_INIT("p"),
};
enum { SUFFIX_NONE = 4 };

struct token {
	enum kind kind;
	hf_sv text; /* digits, letter, hash */
	size_t suffix;
	hf_sv rest;
};

static void take(struct token *t, enum kind kind, size_t skip, size_t n)
{
	t->text = hf_sv_slice(t->rest, skip, n);
	t->rest = hf_sv_skip(t->rest, skip + n);
	t->kind = t->text.len ? kind : KIND_INVALID;
}

static struct token first_token(hf_sv v)
{
	struct token t = { .rest = v };

	take(&t, KIND_FIRST_NUMBER, 0, hf_digits_at(v, 0).len);
	return t;
}

static size_t hex_length(hf_sv s, size_t at)
{
	size_t n = 0;

	while (at + n < s.len && (hf_is_digit(s.ptr[at + n]) || strchr("abcdefABCDEF", s.ptr[at + n])) && s.ptr[at + n])
		n++;
	return n;
}

static void take_suffix(struct token *t)
{
	size_t n = 0;

	while (hf_is_lower(hf_char_at(t->rest, 1 + n)))
		n++;
	take(t, KIND_SUFFIX, 1, n);
	for (t->suffix = 0; t->suffix < HF_ARRAY_SIZE(suffixes); t->suffix++)
		if (hf_sv_eq(t->text, suffixes[t->suffix]))
			return;
	t->kind = KIND_INVALID;
}

static void next_token(struct token *t)
{
	char c = hf_char_at(t->rest, 0);

	if (!t->rest.len)
		t->kind = KIND_END;
	else if (hf_is_lower(c) && t->kind <= KIND_NUMBER)
		take(t, KIND_LETTER, 0, 1);
	else if (c == '.' && t->kind <= KIND_NUMBER)
		take(t, KIND_NUMBER, 1, hf_digits_at(t->rest, 1).len);
	else if (hf_is_digit(c) && t->kind == KIND_SUFFIX)
		take(t, KIND_SUFFIX_NUMBER, 0, hf_digits_at(t->rest, 0).len);
	else if (c == '_' && t->kind <= KIND_SUFFIX_NUMBER)
		take_suffix(t);
	else if (c == '~' && t->kind < KIND_HASH)
		take(t, KIND_HASH, 1, hex_length(t->rest, 1));
	else if (hf_sv_starts(t->rest, HF_SV("-r")) && t->kind < KIND_REVISION)
		take(t, KIND_REVISION, 2, hf_digits_at(t->rest, 2).len);
	else
		t->kind = KIND_INVALID;
}

static int compare_tokens(const struct token *a, const struct token *b)
{
	switch (a->kind) {
	case KIND_NUMBER:
		if (a->text.ptr[0] == '0' || b->text.ptr[0] == '0')
			return hf_sv_cmp(a->text, b->text);
		return hf_digits_cmp(a->text, b->text);
	case KIND_FIRST_NUMBER:
	case KIND_SUFFIX_NUMBER:
	case KIND_REVISION:
		return hf_digits_cmp(a->text, b->text);
	case KIND_SUFFIX:
		return (a->suffix > b->suffix) - (a->suffix < b->suffix);
	case KIND_LETTER:
	case KIND_HASH:
		return hf_sv_cmp(a->text, b->text);
	case KIND_END:
	case KIND_INVALID:
		break;
	}
	return 0;
}

static bool apk_valid(hf_sv v)
{
	struct token t = first_token(v);

	while (t.kind < KIND_END)
		next_token(&t);
	return t.kind == KIND_END;
}

static enum hf_order apk_compare(hf_sv a, hf_sv b)
{
	if (!apk_valid(a) || !apk_valid(b))
		return HF_ORDER_UNKNOWN;
	struct token x = first_token(a), y = first_token(b);
	while (x.kind == y.kind && x.kind < KIND_END) {
		int r = compare_tokens(&x, &y);
		if (r)
			return hf_order_of(r);
		next_token(&x);
		next_token(&y);
	}
	if (x.kind == KIND_SUFFIX && x.kind != y.kind && x.suffix < SUFFIX_NONE)
		return HF_ORDER_LESS;
	if (y.kind == KIND_SUFFIX && x.kind != y.kind && y.suffix < SUFFIX_NONE)
		return HF_ORDER_GREATER;
	return hf_order_of((int)y.kind - (int)x.kind);
}

const struct hf_version_scheme hf_version_scheme_apk = {
	.name = "apk",
	.summary = "apk-tools: number{.number}[letter]{_suffix[number]}[~hash][-rN]",
	.valid = apk_valid,
	.compare = apk_compare,
};
