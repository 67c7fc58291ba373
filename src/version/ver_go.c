/* Go's order: module versions as golang.org/x/mod/semver orders them (pseudo-versions are prereleases, "+incompatible" is
 * build metadata), with or without 'v'; and toolchain versions (go.dev/doc/toolchain): "go1.21", "go1.21.0", "go1.22rc1",
 * what follows a blank, '-' or '+' there does not count ("go1.26.6-X:boringcrypto", "go1.22.1 X:nocoverageredesign").
 * Advisories for the standard library write "1.22.0-rc.1" and "1.22.0-0", so a toolchain version is taken as that: "go1.22" is
 * 1.22.0 (since Go 1.21 no release has that name; it is a language version). "(devel)" is not a version. */
#include "version/semver.h"

struct go_version {
	struct hf_semver s;
	hf_sv pre_kind, pre_number; /* of a toolchain version: "rc" and "1" */
};

static bool parse_toolchain(hf_sv v, struct go_version *ret)
{
	size_t at = 0, n = 0;

	while (at < v.len && v.ptr[at] != ' ' && v.ptr[at] != '-' && v.ptr[at] != '+')
		at++;
	v = hf_sv_first(v, at);
	for (at = 0; n < 3; at++) {
		hf_sv number = hf_digits_at(v, at);
		if (!number.len || (number.len > 1 && number.ptr[0] == '0'))
			return false;
		ret->s.core[n++] = number;
		at += number.len;
		if (n == 3 || hf_char_at(v, at) != '.')
			break;
	}
	v = hf_sv_skip(v, at);
	if (!v.len || n != 2)
		return !v.len;
	for (at = 0; hf_is_lower(hf_char_at(v, at));)
		at++;
	ret->s.has_prerelease = true;
	ret->pre_kind = hf_sv_first(v, at);
	ret->pre_number = hf_sv_skip(v, at);
	return at && hf_digits_all(ret->pre_number);
}

static bool parse(hf_sv v, struct go_version *ret)
{
	*ret = (struct go_version){ 0 };
	if (hf_sv_starts(v, HF_SV("go")))
		return parse_toolchain(hf_sv_skip(v, 2), ret);
	if (hf_sv_starts(v, HF_SV("v")))
		v = hf_sv_skip(v, 1);
	if (hf_semver_parse(v, HF_SEMVER_SHORT, &ret->s))
		return true;
	*ret = (struct go_version){ 0 };
	return hf_sv_index(v, '-') == SIZE_MAX && hf_sv_index(v, ' ') == SIZE_MAX && hf_sv_index(v, '+') == SIZE_MAX &&
	       parse_toolchain(v, ret);
}

/* The prerelease as identifiers, one at a time: "rc1" of a toolchain is "rc", "1". */
static bool next_identifier(struct go_version *v, hf_sv *ret)
{
	hf_sv *field = v->pre_kind.len ? &v->pre_kind : &v->pre_number;

	if (v->s.prerelease.len)
		return v->s.prerelease.ptr && hf_sv_next(&v->s.prerelease, '.', ret);
	*ret = *field;
	*field = (hf_sv){ 0 };
	return ret->len;
}

static int compare_prereleases(struct go_version a, struct go_version b)
{
	hf_sv x, y;

	for (;;) {
		bool more = next_identifier(&a, &x), other_more = next_identifier(&b, &y);
		if (!more || !other_more)
			return (int)more - (int)other_more;
		int r = hf_semver_cmp_identifiers(x, y);
		if (r)
			return r;
	}
}

static enum hf_order go_compare(hf_sv a, hf_sv b)
{
	struct go_version x, y;

	if (!parse(a, &x) || !parse(b, &y))
		return HF_ORDER_UNKNOWN;
	int r = hf_semver_cmp_core(&x.s, &y.s);
	if (!r)
		r = (int)y.s.has_prerelease - (int)x.s.has_prerelease;
	if (!r && x.s.has_prerelease)
		r = compare_prereleases(x, y);
	return hf_order_of(r);
}

static bool go_valid(hf_sv v)
{
	struct go_version g;

	return parse(v, &g);
}

const struct hf_version_scheme hf_version_scheme_go = {
	.name = "go",
	.summary = "Go modules and toolchains",
	.valid = go_valid,
	.compare = go_compare,
};
