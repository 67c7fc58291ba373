/* Python's order: https://packaging.python.org/en/latest/specifications/version-specifiers/ (PEP 440), the pattern of its
 * appendix B and the keys of packaging.version: [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local], with all the spellings that
 * normalise to it. */
#include "version/digits.h"

struct pep440 {
	hf_sv epoch, release, local;
	char pre; /* 'a', 'b', 'c' (rc), NUL: none */
	bool has_post, has_dev;
	hf_sv pre_number, post_number, dev_number;
};

struct cur {
	hf_sv v;
	size_t at;
};

static bool is_separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static bool take_word(struct cur *c, const char *word)
{
	size_t n = strlen(word);

	if (!hf_sv_eq_ascii(hf_sv_slice(c->v, c->at, n), (hf_sv){ word, n }))
		return false;
	c->at += n;
	return true;
}

static hf_sv take_digits(struct cur *c)
{
	hf_sv digits = hf_digits_at(c->v, c->at);

	c->at += digits.len;
	return digits;
}

/* An optional separator, one of the words (each stands after those that it begins with), an optional separator, an optional
 * number. Returns the index of the word, -1 with nothing taken where there is none. */
static int take_part(struct cur *c, const char *const *words, hf_sv *ret_number)
{
	size_t start = c->at;

	if (is_separator(hf_char_at(c->v, c->at)))
		c->at++;
	for (int i = 0; words[i]; i++) {
		if (!take_word(c, words[i]))
			continue;
		if (is_separator(hf_char_at(c->v, c->at)))
			c->at++;
		*ret_number = take_digits(c);
		return i;
	}
	c->at = start;
	return -1;
}

static bool take_release(struct cur *c, struct pep440 *p)
{
	hf_sv number = take_digits(c);

	if (number.len && hf_char_at(c->v, c->at) == '!') {
		p->epoch = number;
		c->at++;
		number = take_digits(c);
	}
	if (!number.len)
		return false;
	size_t start = c->at - number.len;
	while (hf_char_at(c->v, c->at) == '.' && hf_is_digit(hf_char_at(c->v, c->at + 1))) {
		c->at++;
		take_digits(c);
	}
	p->release = hf_sv_slice(c->v, start, c->at - start);
	return true;
}

static void take_post(struct cur *c, struct pep440 *p)
{
	static const char *const words[] = { "post", "rev", "r", NULL };

	if (hf_char_at(c->v, c->at) == '-' && hf_is_digit(hf_char_at(c->v, c->at + 1))) {
		c->at++;
		p->post_number = take_digits(c);
		p->has_post = true;
		return;
	}
	p->has_post = take_part(c, words, &p->post_number) >= 0;
}

static bool take_local(struct cur *c, struct pep440 *p)
{
	bool in_segment = false;

	p->local = hf_sv_skip(c->v, c->at);
	for (size_t i = 0; i < p->local.len; i++) {
		char ch = p->local.ptr[i];
		if (!hf_is_digit(ch) && !hf_is_letter(ch) && !(in_segment && is_separator(ch)))
			return false;
		in_segment = !is_separator(ch);
	}
	return in_segment;
}

static bool parse(hf_sv v, struct pep440 *p)
{
	static const char *const pre_words[] = { "alpha", "a", "beta", "b", "preview", "pre", "c", "rc", NULL };
	static const char *const dev_words[] = { "dev", NULL };

	*p = (struct pep440){ 0 };
	while (v.len && is_space(v.ptr[0]))
		v = hf_sv_skip(v, 1);
	while (v.len && is_space(v.ptr[v.len - 1]))
		v.len--;
	struct cur c = { .v = v };
	take_word(&c, "v");
	if (!take_release(&c, p))
		return false;
	int pre = take_part(&c, pre_words, &p->pre_number);
	if (pre >= 0)
		p->pre = "aabbcccc"[pre];
	take_post(&c, p);
	p->has_dev = take_part(&c, dev_words, &p->dev_number) >= 0;
	if (c.at == v.len)
		return true;
	if (v.ptr[c.at] != '+')
		return false;
	c.at++;
	return take_local(&c, p);
}

static int compare_release(hf_sv a, hf_sv b)
{
	int r = 0;

	while (!r && (a.ptr || b.ptr)) {
		hf_sv x = { 0 }, y = { 0 };
		if (a.ptr)
			hf_sv_next(&a, '.', &x);
		if (b.ptr)
			hf_sv_next(&b, '.', &y);
		r = hf_digits_cmp(x, y);
	}
	return r;
}

/* A development release of the release itself comes before its prereleases, a final release behind them. */
static int compare_pre(const struct pep440 *a, const struct pep440 *b)
{
	int x = a->pre ? a->pre : a->has_dev && !a->has_post ? 0 : 'z';
	int y = b->pre ? b->pre : b->has_dev && !b->has_post ? 0 : 'z';

	return x != y ? x - y : hf_digits_cmp(a->pre_number, b->pre_number);
}

static hf_sv next_segment(hf_sv *rest)
{
	size_t n = 0;

	while (n < rest->len && !is_separator(rest->ptr[n]))
		n++;
	hf_sv segment = hf_sv_first(*rest, n);
	*rest = hf_sv_skip(*rest, n + 1);
	return segment;
}

static int compare_ascii_folded(hf_sv a, hf_sv b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		char x = hf_ascii_lower(a.ptr[i]), y = hf_ascii_lower(b.ptr[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int compare_local(hf_sv a, hf_sv b)
{
	while (a.len && b.len) {
		hf_sv x = next_segment(&a), y = next_segment(&b);
		bool number = hf_digits_all(x), other_number = hf_digits_all(y);
		if (number != other_number)
			return number ? 1 : -1;
		int r = number ? hf_digits_cmp(x, y) : compare_ascii_folded(x, y);
		if (r)
			return r;
	}
	return (a.len > 0) - (b.len > 0);
}

static enum hf_order pep440_compare(hf_sv a, hf_sv b)
{
	struct pep440 x, y;

	if (!parse(a, &x) || !parse(b, &y))
		return HF_ORDER_UNKNOWN;
	int r = hf_digits_cmp(x.epoch, y.epoch);
	if (!r)
		r = compare_release(x.release, y.release);
	if (!r)
		r = compare_pre(&x, &y);
	if (!r)
		r = (int)x.has_post - (int)y.has_post;
	if (!r)
		r = hf_digits_cmp(x.post_number, y.post_number);
	if (!r)
		r = (int)y.has_dev - (int)x.has_dev;
	if (!r)
		r = hf_digits_cmp(x.dev_number, y.dev_number);
	if (!r)
		r = compare_local(x.local, y.local);
	return hf_order_of(r);
}

static bool pep440_valid(hf_sv v)
{
	struct pep440 p;

	return parse(v, &p);
}

const struct hf_version_scheme hf_version_scheme_pep440 = {
	.name = "pep440",
	.summary = "Python: [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]",
	.valid = pep440_valid,
	.compare = pep440_compare,
};
