/* Maven's order: ComparableVersion of Maven 3.8 (https://maven.apache.org/pom.html#version-order-specification).
 *
 * A version is a chain of levels: '-' and each change between digits and letters open the next level, '.' and those separate
 * items; an item is a number or a qualifier. A qualifier behind '.' opens a level of its own where a digit or the end follows
 * it ("1.0.RC1" is "1.0-RC1"), but not before '.' or '-'. Items that mean nothing (0, "", ga, final, release) are dropped from the end of
 * each level. Every text is a version; only what holds an unresolved "${…}" is none here.
 *
 * This is not a total order, and we do as Maven does: "1" is older than "1.x.1", that than "1-rc", and that than "1". */
#include "version/digits.h"

struct item {
	hf_sv text;
	bool number;
	bool before_digit; /* a qualifier that a digit follows: "a", "b", "m" are abbreviations there */
	bool begins_level; /* where it is not the first of its level anyway */
	bool ends_level;
	size_t next;
};

struct cursor {
	hf_sv v;
	size_t at;
	size_t last;       /* where the last item that means something begins, plus 1; 0: none */
	size_t level_last; /* the same, in this level */
	size_t next_level; /* SIZE_MAX: this level is the last */
};

enum kind { KIND_END, KIND_NUMBER, KIND_QUALIFIER, KIND_LEVEL };

static hf_sv run_at(hf_sv v, size_t at, bool digits)
{
	size_t end = at;

	while (end < v.len && v.ptr[end] != '.' && v.ptr[end] != '-' && hf_is_digit(v.ptr[end]) == digits)
		end++;
	return hf_sv_slice(v, at, end - at);
}

/* The item that begins at @at; false at the end. An empty item is the number 0. */
static bool item_at(hf_sv v, size_t at, struct item *ret)
{
	if (at >= v.len)
		return false;
	char c = v.ptr[at];
	*ret = (struct item){ .number = hf_is_digit(c) || c == '.' || c == '-' };
	ret->text = run_at(v, at, hf_is_digit(c));
	at += ret->text.len;
	c = hf_char_at(v, at);
	ret->before_digit = !ret->number && at < v.len && hf_is_digit(c);
	ret->begins_level = !ret->number && (at >= v.len || ret->before_digit);
	ret->ends_level = at < v.len && c != '.';
	ret->next = at + (at < v.len && (c == '.' || c == '-'));
	return true;
}

enum { QUALIFIER_RELEASE = 5, QUALIFIER_OTHER = 7 };

static int qualifier_rank(const struct item *it)
{
	static const struct {
		hf_sv name;
		int rank;
	} known[] = {
		{ HF_SV_INIT("alpha"), 0 },
		{ HF_SV_INIT("beta"), 1 },
		{ HF_SV_INIT("milestone"), 2 },
		{ HF_SV_INIT("rc"), 3 },
		{ HF_SV_INIT("cr"), 3 },
		{ HF_SV_INIT("snapshot"), 4 },
		{ HF_SV_INIT("ga"), QUALIFIER_RELEASE },
		{ HF_SV_INIT("final"), QUALIFIER_RELEASE },
		{ HF_SV_INIT("release"), QUALIFIER_RELEASE },
		{ HF_SV_INIT("sp"), 6 },
	};

	if (it->before_digit && it->text.len == 1) {
		const char *abbreviated = strchr("abm", hf_ascii_lower(it->text.ptr[0]));
		if (abbreviated && *abbreviated)
			return *abbreviated == 'm' ? 2 : *abbreviated - 'a';
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (hf_sv_eq_ascii(it->text, known[i].name))
			return known[i].rank;
	return QUALIFIER_OTHER;
}

/* Order of an item against nothing. */
static int compare_to_nothing(const struct item *it)
{
	return it->number ? hf_digits_bare(it->text).len > 0 : qualifier_rank(it) - QUALIFIER_RELEASE;
}

static void enter_level(struct cursor *c, size_t at)
{
	struct item it;

	c->at = at;
	c->level_last = 0;
	c->next_level = SIZE_MAX;
	while (item_at(c->v, at, &it)) {
		if (it.begins_level && at != c->at) {
			c->next_level = at;
			return;
		}
		if (compare_to_nothing(&it))
			c->level_last = at + 1;
		at = it.next;
		if (it.ends_level) {
			c->next_level = at;
			return;
		}
	}
}

static struct cursor cursor_of(hf_sv v)
{
	struct cursor c = { .v = v };
	struct item it;

	for (size_t at = 0; item_at(v, at, &it); at = it.next)
		if (compare_to_nothing(&it))
			c.last = at + 1;
	enter_level(&c, 0);
	return c;
}

static enum kind peek(const struct cursor *c, struct item *ret)
{
	if (c->at < c->level_last && item_at(c->v, c->at, ret))
		return ret->number ? KIND_NUMBER : KIND_QUALIFIER;
	return c->next_level < c->last ? KIND_LEVEL : KIND_END;
}

/* All levels below, against nothing: the first item that means something decides. */
static int compare_levels_to_nothing(const struct cursor *c)
{
	struct item it;

	for (size_t at = c->next_level; item_at(c->v, at, &it); at = it.next) {
		int r = compare_to_nothing(&it);
		if (r)
			return r;
	}
	return 0;
}

static int compare_folded(hf_sv a, hf_sv b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		unsigned char x = (unsigned char)hf_ascii_lower(a.ptr[i]), y = (unsigned char)hf_ascii_lower(b.ptr[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int compare_items(const struct item *a, const struct item *b)
{
	if (a->number || b->number)
		return a->number && b->number ? hf_digits_cmp(a->text, b->text) : a->number ? 1 : -1;
	int x = qualifier_rank(a), y = qualifier_rank(b);
	return x != y || x != QUALIFIER_OTHER ? x - y : compare_folded(a->text, b->text);
}

/* A qualifier is older than a level, a level is older than a number. */
static int compare_level_to(enum kind other)
{
	return other == KIND_NUMBER ? -1 : 1;
}

static int compare_chains(struct cursor a, struct cursor b)
{
	struct item x = { 0 }, y = { 0 };

	for (;;) {
		enum kind i = peek(&a, &x), j = peek(&b, &y);
		int r;
		if (i == KIND_END && j == KIND_END)
			return 0;
		if (i == KIND_LEVEL && j == KIND_LEVEL) {
			enter_level(&a, a.next_level);
			enter_level(&b, b.next_level);
			continue;
		}
		if (i == KIND_LEVEL)
			return j == KIND_END ? compare_levels_to_nothing(&a) : compare_level_to(j);
		if (j == KIND_LEVEL)
			return i == KIND_END ? -compare_levels_to_nothing(&b) : -compare_level_to(i);
		r = j == KIND_END   ? compare_to_nothing(&x)
		    : i == KIND_END ? -compare_to_nothing(&y)
				    : compare_items(&x, &y);
		if (r)
			return r;
		a.at = i == KIND_END ? a.at : x.next;
		b.at = j == KIND_END ? b.at : y.next;
	}
}

static bool maven_valid(hf_sv v)
{
	return v.len && hf_sv_find(v, HF_SV("${")) == SIZE_MAX;
}

static enum hf_order maven_compare(hf_sv a, hf_sv b)
{
	if (!maven_valid(a) || !maven_valid(b))
		return HF_ORDER_UNKNOWN;
	return hf_order_of(compare_chains(cursor_of(a), cursor_of(b)));
}

const struct hf_version_scheme hf_version_scheme_maven = {
	.name = "maven",
	.summary = "Maven's ComparableVersion",
	.not_total = true,
	.valid = maven_valid,
	.compare = maven_compare,
};
