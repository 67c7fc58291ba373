/* RubyGems' order: Gem::Version (lib/rubygems/version.rb of RubyGems 3). Segments are numbers and words between dots, '-' is
 * ".pre."; a word makes a prerelease and sorts before any number. Zeros at the end of the numbers, and at the end, do not count. */
#include "version/digits.h"

struct cursor {
	hf_sv v;
	size_t at, numbers_end; /* behind the last number that counts, before the first word */
	size_t words, end;      /* the first word; behind the last segment that counts */
	bool in_words;
};

static bool is_alnum(char c)
{
	return hf_is_digit(c) || hf_is_letter(c);
}

/* N(.word)*[-word(.word)*], where the words behind '-' may hold '-' too. */
static bool rubygems_valid(hf_sv v)
{
	v = hf_sv_trim(v);
	size_t at = hf_digits_at(v, 0).len;
	bool dash = false;

	if (!at)
		return false;
	while (at < v.len) {
		size_t start = at + 1;
		if (v.ptr[at] != '.' && (v.ptr[at] != '-' || dash))
			return false;
		dash = dash || v.ptr[at] == '-';
		for (at = start; at < v.len && (is_alnum(v.ptr[at]) || (dash && v.ptr[at] == '-'));)
			at++;
		if (at == start)
			return false;
	}
	return true;
}

/* The segment at or behind @at, and where the next one begins; empty at the end. */
static hf_sv segment_at(hf_sv v, size_t at, size_t *ret_next)
{
	while (hf_char_at(v, at) == '.')
		at++;
	size_t end = at;
	if (hf_char_at(v, at) == '-') {
		*ret_next = at + 1;
		return HF_SV("pre");
	}
	bool number = hf_is_digit(hf_char_at(v, at));
	while (end < v.len && is_alnum(v.ptr[end]) && hf_is_digit(v.ptr[end]) == number)
		end++;
	*ret_next = end;
	return hf_sv_slice(v, at, end - at);
}

static struct cursor cursor_of(hf_sv v)
{
	struct cursor c = { .v = v, .words = SIZE_MAX };
	size_t next;

	for (size_t at = 0; at < v.len; at = next) {
		hf_sv s = segment_at(v, at, &next);
		bool word = !hf_is_digit(hf_char_at(s, 0));
		if (word && c.words == SIZE_MAX)
			c.words = at;
		if (c.words == SIZE_MAX && hf_digits_bare(s).len)
			c.numbers_end = next;
		if (word || hf_digits_bare(s).len)
			c.end = next;
	}
	return c;
}

static bool next_segment(struct cursor *c, hf_sv *ret)
{
	if (!c->in_words && c->at >= c->numbers_end && c->words != SIZE_MAX) {
		c->in_words = true;
		c->at = c->words;
	}
	if (c->at >= (c->in_words ? c->end : c->numbers_end)) {
		*ret = HF_SV("0");
		return false;
	}
	*ret = segment_at(c->v, c->at, &c->at);
	return true;
}

static enum hf_order rubygems_compare(hf_sv a, hf_sv b)
{
	if (!rubygems_valid(a) || !rubygems_valid(b))
		return HF_ORDER_UNKNOWN;
	struct cursor x = cursor_of(hf_sv_trim(a)), y = cursor_of(hf_sv_trim(b));
	for (;;) {
		hf_sv s, t;
		bool more = next_segment(&x, &s), other_more = next_segment(&y, &t);
		if (!more && !other_more)
			return HF_ORDER_EQUAL;
		bool number = hf_digits_all(s), other_number = hf_digits_all(t);
		if (number != other_number)
			return number ? HF_ORDER_GREATER : HF_ORDER_LESS;
		int r = number ? hf_digits_cmp(s, t) : hf_sv_cmp(s, t);
		if (r)
			return hf_order_of(r);
	}
}

const struct hf_version_scheme hf_version_scheme_rubygems = {
	.name = "rubygems",
	.summary = "Gem::Version",
	.valid = rubygems_valid,
	.compare = rubygems_compare,
};
