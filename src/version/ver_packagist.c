/* Composer's order: VersionParser::normalize of composer/semver 3 (https://getcomposer.org/doc/articles/versions.md), then PHP's
 * version_compare. Branches ("dev-main", "master") have no order and are not versions here; numeric ones ("1.2.x-dev") are. */
#include "version/digits.h"

/* What version_compare makes of words, and of a number or the end where a word stands on the other side. */
enum form { FORM_UNKNOWN = -1, FORM_DEV, FORM_ALPHA, FORM_BETA, FORM_RC, FORM_NUMBER, FORM_PATCH };

struct composer {
	hf_sv numbers; /* digits, 'x' and separators */
	hf_sv padding; /* what stands for numbers that are missing up to four, and for 'x' */
	bool padded;
	bool has_form, has_dev;
	enum form form;
	hf_sv form_numbers;
};

static bool take_word(hf_sv *s, const char *word)
{
	hf_sv w = hf_sv_of(word);

	if (!hf_sv_eq_ascii(hf_sv_first(*s, w.len), w))
		return false;
	*s = hf_sv_skip(*s, w.len);
	return true;
}

static bool is_dot_or_dash(char c)
{
	return c == '.' || c == '-';
}

/* [._-]?(word([.-]?digits)*)?([.-]?dev)? up to the end. */
static bool parse_modifier(hf_sv s, struct composer *ret)
{
	static const struct {
		const char *word;
		enum form form;
	} words[] = {
		{ "stable", FORM_UNKNOWN }, { "beta", FORM_BETA },   { "b", FORM_BETA },
		{ "rc", FORM_RC },          { "alpha", FORM_ALPHA }, { "a", FORM_ALPHA },
		{ "patch", FORM_PATCH },    { "pl", FORM_PATCH },    { "p", FORM_PATCH },
	};
	bool stable = false;

	if (is_dot_or_dash(hf_char_at(s, 0)) || hf_char_at(s, 0) == '_')
		s = hf_sv_skip(s, 1);
	stable = hf_sv_starts(s, HF_SV("stable"));
	for (size_t i = 0; i < HF_ARRAY_SIZE(words) && !ret->has_form; i++) {
		if (!take_word(&s, words[i].word))
			continue;
		ret->has_form = true;
		ret->form = words[i].form;
		size_t at = 0;
		for (;;) {
			size_t digits = hf_digits_at(s, at + is_dot_or_dash(hf_char_at(s, at))).len;
			if (!digits)
				break;
			at += is_dot_or_dash(hf_char_at(s, at)) + digits;
		}
		ret->form_numbers = hf_sv_first(s, at);
		s = hf_sv_skip(s, at);
	}
	if (s.len == 4 && is_dot_or_dash(s.ptr[0]))
		s = hf_sv_skip(s, 1);
	ret->has_dev = s.len == 3 && take_word(&s, "dev");
	if (stable) {
		/* Composer's own shortcut: "1.0-stable1-dev" is 1.0. */
		ret->has_form = ret->has_dev = false;
		ret->form_numbers = (hf_sv){ 0 };
	}
	return !s.len;
}

/* Numbers between dots, at most four; 'x', 'X' and '*' too where @wild says so (not as the first). */
static size_t dotted_length(hf_sv s, bool wild)
{
	size_t at = hf_digits_at(s, 0).len;

	for (int n = 1; n < 4 && at && hf_char_at(s, at) == '.'; n++) {
		size_t len = hf_digits_at(s, at + 1).len;
		char c = hf_char_at(s, at + 1);
		if (!len && wild && (c == 'x' || c == 'X' || c == '*'))
			len = 1;
		if (!len)
			break;
		at += 1 + len;
	}
	return at;
}

/* Four digits, one to six groups of two, up to one group of one to three; a separator may stand before each group. */
static bool is_date(hf_sv s)
{
	enum { LENGTH_MAX = 4 + 6 * 3 + 4, PAIRS = 7 };
	uint32_t states[LENGTH_MAX + 1] = { 0 }; /* bit pairs + PAIRS * short groups, at each position */

	if (s.len > LENGTH_MAX || hf_digits_at(s, 0).len < 4)
		return false;
	states[4] = 1;
	for (size_t at = 4; at < s.len; at++) {
		size_t start = at + !hf_is_digit(s.ptr[at]);
		size_t digits = hf_digits_at(s, start).len;
		for (uint32_t bit = 0; bit < PAIRS * 2; bit++) {
			uint32_t pairs = bit % PAIRS, shorts = bit / PAIRS;
			if (!(states[at] >> bit & 1))
				continue;
			if (digits >= 2 && !shorts && pairs < 6)
				states[start + 2] |= 2u << bit;
			for (size_t n = 1; n <= 3 && n <= digits && pairs && !shorts; n++)
				states[start + n] |= 1u << (bit + PAIRS);
		}
	}
	return (states[s.len] & ~1u) != 0;
}

static size_t date_length(hf_sv s)
{
	size_t at = hf_digits_at(s, 0).len;

	for (;;) {
		char c = hf_char_at(s, at);
		size_t digits = c == '.' || c == ':' || c == '-' ? hf_digits_at(s, at + 1).len : 0;
		if (!digits)
			return at;
		at += 1 + digits;
	}
}

static bool parse_branch(hf_sv v, struct composer *ret)
{
	if (!hf_sv_eq_ascii(hf_sv_skip(v, v.len < 3 ? 0 : v.len - 3), HF_SV("dev")))
		return false;
	v.len -= 3;
	if (v.len && is_dot_or_dash(v.ptr[v.len - 1]))
		v.len--;
	v = hf_sv_trim(v);
	take_word(&v, "v");
	*ret = (struct composer){ .numbers = v, .padding = HF_SV("9999999"), .padded = true, .has_dev = true };
	return v.len && dotted_length(v, true) == v.len;
}

static hf_sv without_flags(hf_sv v)
{
	static const char *const flags[] = { "@stable", "@rc", "@beta", "@alpha", "@dev" };
	hf_sv left, build;

	v = hf_sv_trim(v);
	for (size_t i = 0; i < HF_ARRAY_SIZE(flags); i++) {
		size_t n = strlen(flags[i]);
		if (v.len >= n && hf_sv_eq_ascii(hf_sv_skip(v, v.len - n), hf_sv_of(flags[i]))) {
			v.len -= n;
			break;
		}
	}
	if (hf_sv_cut(v, '+', &left, &build) && left.len && build.len) {
		for (size_t i = 0; i < v.len; i++)
			if (strchr(i < left.len ? ", \t\n\v\f\r" : " \t\n\v\f\r", v.ptr[i]))
				return v;
		return left;
	}
	return v;
}

static bool parse(hf_sv v, struct composer *ret)
{
	v = without_flags(v);
	hf_sv whole = v;

	take_word(&v, "v");
	size_t n = dotted_length(v, false), first = hf_digits_at(v, 0).len;
	*ret = (struct composer){ .numbers = hf_sv_first(v, n), .padding = HF_SV("0"), .padded = true };
	if (first >= 1 && first <= 5 && parse_modifier(hf_sv_skip(v, n), ret))
		return true;
	n = date_length(v);
	*ret = (struct composer){ .numbers = hf_sv_first(v, n) };
	if (is_date(ret->numbers) && parse_modifier(hf_sv_skip(v, n), ret))
		return true;
	return parse_branch(whole, ret);
}

enum stage { STAGE_NUMBERS, STAGE_FORM, STAGE_FORM_NUMBERS, STAGE_DEV, STAGE_END };

struct cursor {
	struct composer v;
	enum stage stage;
	size_t numbers;
};

static hf_sv next_number(hf_sv *rest)
{
	size_t at = 0;

	while (at < rest->len && !hf_is_digit(rest->ptr[at]))
		at++;
	hf_sv number = hf_digits_at(*rest, at);
	*rest = hf_sv_skip(*rest, at + number.len);
	return number;
}

/* The next part: a number's digits, or an empty view with *@form set. False at the end, where the form is that of a number. */
static bool next_part(struct cursor *c, hf_sv *ret, enum form *form)
{
	*ret = (hf_sv){ 0 };
	*form = FORM_NUMBER;
	if (c->stage == STAGE_NUMBERS) {
		bool wild = hf_char_at(c->v.numbers, 0) == '.' && !hf_is_digit(hf_char_at(c->v.numbers, 1));
		if (c->v.numbers.len && !wild)
			*ret = next_number(&c->v.numbers);
		else if (c->v.numbers.len || (c->v.padded && c->numbers < 4))
			*ret = c->v.padding;
		if (wild)
			c->v.numbers = hf_sv_skip(c->v.numbers, 2);
		c->numbers++;
		if (ret->len)
			return true;
		c->stage = STAGE_FORM;
	}
	if (c->stage == STAGE_FORM) {
		c->stage = STAGE_FORM_NUMBERS;
		*form = c->v.form;
		if (c->v.has_form)
			return true;
	}
	*form = FORM_NUMBER;
	if (c->stage == STAGE_FORM_NUMBERS) {
		*ret = next_number(&c->v.form_numbers);
		if (ret->len)
			return true;
		c->stage = STAGE_DEV;
	}
	if (c->stage == STAGE_DEV && c->v.has_dev) {
		c->stage = STAGE_END;
		*form = FORM_DEV;
		return true;
	}
	return false;
}

static enum hf_order packagist_compare(hf_sv a, hf_sv b)
{
	struct cursor x = { 0 }, y = { 0 };

	if (!parse(a, &x.v) || !parse(b, &y.v))
		return HF_ORDER_UNKNOWN;
	for (;;) {
		hf_sv m, n;
		enum form f, g;
		bool more = next_part(&x, &m, &f), other_more = next_part(&y, &n, &g);
		if (!more && !other_more)
			return HF_ORDER_EQUAL;
		int r = (int)f - (int)g;
		if (!r)
			r = more && other_more ? hf_digits_cmp(m, n) : (int)more - (int)other_more;
		if (r)
			return hf_order_of(r);
	}
}

static bool packagist_valid(hf_sv v)
{
	struct composer c;

	return parse(v, &c);
}

const struct hf_version_scheme hf_version_scheme_packagist = {
	.name = "packagist",
	.summary = "Composer: up to four numbers or a date, stability and its number, -dev",
	.valid = packagist_valid,
	.compare = packagist_compare,
};
