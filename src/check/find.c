/* Checks by the words that people have for them. */
#include <stdlib.h>

#include "check/check.h"

/* An id letter by letter: without the name of its publisher, separators, leading zeros and case, as no two spellings of one id agree in
 * them (KSV017, KSV-0017 and AVD-KSV-0017; T1611 and MITRE-T1611). */
struct spelling {
	hf_sv rest;
	char last;
};

static struct spelling spelling_of(hf_sv id)
{
	static const char *const publishers[] = { "AVD-", "MITRE-", "CIS-" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(publishers); i++)
		if (hf_sv_eq_ascii(hf_sv_first(id, strlen(publishers[i])), hf_sv_of(publishers[i])))
			id = hf_sv_skip(id, strlen(publishers[i]));
	return (struct spelling){ id, '-' };
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* '\0' at its end. */
static char next_letter(struct spelling *s)
{
	while (s->rest.len) {
		char c = s->rest.ptr[0];
		bool leading = c == '0' && !is_digit(s->last) && s->rest.len > 1 && is_digit(s->rest.ptr[1]);
		s->rest = hf_sv_skip(s->rest, 1);
		if (c == '-' || c == '_' || leading)
			continue;
		s->last = c;
		return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return '\0';
}

static bool same_id(hf_sv a, hf_sv b)
{
	struct spelling one = spelling_of(a), other = spelling_of(b);
	size_t letters = 0;

	for (char c; (c = next_letter(&one)); letters++)
		if (c != next_letter(&other))
			return false;
	return letters && !next_letter(&other);
}

static bool has_reference(const struct hf_check *c, hf_sv word)
{
	hf_sv rest = hf_sv_of(c->references), id;

	while (hf_sv_next(&rest, ' ', &id))
		if (same_id(id, word))
			return true;
	return false;
}

static bool is_called(const struct hf_check *c, hf_sv word)
{
	return hf_sv_eq_ascii(word, hf_sv_of(c->id)) || hf_sv_eq(word, hf_sv_of(c->name));
}

const struct hf_check **hf_check_find(hf_sv word)
{
	const struct hf_check **found = NULL;
	size_t n = 0;

	for (size_t g = 0; hf_check_groups[g]; g++)
		for (size_t i = 0; i < hf_check_groups[g]->checks_n; i++) {
			const struct hf_check *c = &hf_check_groups[g]->checks[i];
			bool called = is_called(c, word);
			if (!called && !has_reference(c, word))
				continue;
			n = called ? 0 : n;
			found = hf_realloc(found, (n + 2) * sizeof(struct hf_check *));
			found[n++] = c;
			found[n] = NULL;
			if (called)
				return found;
		}
	return found;
}
