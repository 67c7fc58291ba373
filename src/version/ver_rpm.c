/* rpm's order: rpmvercmp.c and rpmver.c of rpm 4.18; rpm-version(7).
 * A version is [epoch:]version[-release]; a missing epoch is 0. Where one side has no release the releases do not count,
 * as in rpm's own dependency ranges (rpmverOverlap): an advisory that says "fixed in 1.2" means every release of it. So the
 * order is total only among versions that all have a release, or all have none. */
#include "version/digits.h"

struct parts {
	hf_sv epoch, version, release;
	bool has_release;
};

static bool split(hf_sv v, struct parts *p)
{
	*p = (struct parts){ 0 };
	if (!v.len)
		return false;
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.ptr[i] <= ' ' || v.ptr[i] == 0x7f)
			return false;
	p->epoch = hf_digits_at(v, 0);
	if (hf_char_at(v, p->epoch.len) == ':')
		v = hf_sv_skip(v, p->epoch.len + 1);
	else
		p->epoch = (hf_sv){ 0 };
	p->version = v;
	p->has_release = hf_sv_cut_last(v, '-', &p->version, &p->release);
	return p->version.len && (!p->has_release || p->release.len);
}

static bool is_separator(char c)
{
	return !hf_is_digit(c) && !hf_is_letter(c) && c != '~' && c != '^';
}

static size_t skip_separators(hf_sv s, size_t at)
{
	while (at < s.len && is_separator(s.ptr[at]))
		at++;
	return at;
}

static hf_sv letters_at(hf_sv s, size_t at)
{
	size_t end = at;

	while (end < s.len && hf_is_letter(s.ptr[end]))
		end++;
	return hf_sv_slice(s, at, end - at);
}

/* '~' sorts before the end, '^' behind it but before anything else. Returns the order, 0 where both have the same mark
 * (*@both is set) or neither has one. */
static int compare_marks(hf_sv a, size_t i, hf_sv b, size_t j, bool *both)
{
	char x = hf_char_at(a, i), y = hf_char_at(b, j);

	if (x == '~' || y == '~') {
		*both = x == y;
		return *both ? 0 : x == '~' ? -1 : 1;
	}
	if (x != '^' && y != '^')
		return 0;
	if (i >= a.len)
		return -1;
	if (j >= b.len)
		return 1;
	*both = x == y;
	return *both ? 0 : x == '^' ? -1 : 1;
}

static int compare_part(hf_sv a, hf_sv b)
{
	size_t i = 0, j = 0;

	while (i < a.len || j < b.len) {
		bool marks = false;
		i = skip_separators(a, i);
		j = skip_separators(b, j);
		int r = compare_marks(a, i, b, j, &marks);
		if (r)
			return r;
		if (marks) {
			i++;
			j++;
			continue;
		}
		if (i >= a.len || j >= b.len)
			break;
		bool number = hf_is_digit(a.ptr[i]);
		hf_sv x = number ? hf_digits_at(a, i) : letters_at(a, i);
		hf_sv y = number ? hf_digits_at(b, j) : letters_at(b, j);
		if (!y.len)
			return number ? 1 : -1;
		r = number ? hf_digits_cmp(x, y) : hf_sv_cmp(x, y);
		if (r)
			return r;
		i += x.len;
		j += y.len;
	}
	return (i < a.len) - (j < b.len);
}

static enum hf_order rpm_compare(hf_sv a, hf_sv b)
{
	struct parts x, y;

	if (!split(a, &x) || !split(b, &y))
		return HF_ORDER_UNKNOWN;
	int r = hf_digits_cmp(x.epoch, y.epoch);
	if (!r)
		r = compare_part(x.version, y.version);
	if (!r && x.has_release && y.has_release)
		r = compare_part(x.release, y.release);
	return hf_order_of(r);
}

static bool rpm_valid(hf_sv v)
{
	struct parts p;

	return split(v, &p);
}

const struct hf_version_scheme hf_version_scheme_rpm = {
	.name = "rpm",
	.summary = "rpm: [epoch:]version[-release], '~' before and '^' behind the end",
	.not_total = true,
	.valid = rpm_valid,
	.compare = rpm_compare,
};
