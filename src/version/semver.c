#include "version/semver.h"

static bool is_identifiers(hf_sv s, bool prerelease)
{
	for (hf_sv field; s.ptr && hf_sv_next(&s, '.', &field);) {
		if (!field.len)
			return false;
		for (size_t i = 0; i < field.len; i++)
			if (!hf_is_digit(field.ptr[i]) && !hf_is_letter(field.ptr[i]) && field.ptr[i] != '-')
				return false;
		if (prerelease && field.len > 1 && field.ptr[0] == '0' && hf_digits_all(field))
			return false;
	}
	return true;
}

bool hf_semver_parse(hf_sv v, uint32_t flags, struct hf_semver *ret)
{
	size_t at = 0, n = 0;
	hf_sv build;

	*ret = (struct hf_semver){ 0 };
	for (;;) {
		hf_sv number = hf_digits_at(v, at);
		if (!number.len || (number.len > 1 && number.ptr[0] == '0' && !(flags & HF_SEMVER_ZEROS)))
			return false;
		ret->core[n++] = number;
		at += number.len;
		if (n == 3 || hf_char_at(v, at) != '.')
			break;
		at++;
	}
	v = hf_sv_skip(v, at);
	if (n < 3)
		return (flags & HF_SEMVER_SHORT) && !v.len;
	if (hf_sv_cut(v, '+', &v, &build) && (!build.len || !is_identifiers(build, false)))
		return false;
	if (!v.len)
		return true;
	ret->has_prerelease = true;
	ret->prerelease = hf_sv_skip(v, 1);
	return v.ptr[0] == '-' && ret->prerelease.len && is_identifiers(ret->prerelease, true);
}

int hf_semver_cmp_core(const struct hf_semver *a, const struct hf_semver *b)
{
	int r = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(a->core) && !r; i++)
		r = hf_digits_cmp(a->core[i], b->core[i]);
	return r;
}

int hf_semver_cmp_identifiers(hf_sv a, hf_sv b)
{
	hf_sv x, y;

	for (;;) {
		bool more = a.ptr && hf_sv_next(&a, '.', &x);
		bool other_more = b.ptr && hf_sv_next(&b, '.', &y);
		if (!more || !other_more)
			return (int)more - (int)other_more;
		bool number = hf_digits_all(x), other_number = hf_digits_all(y);
		if (number != other_number)
			return number ? -1 : 1;
		int r = number ? hf_digits_cmp(x, y) : hf_sv_cmp(x, y);
		if (r)
			return r;
	}
}

int hf_semver_cmp(const struct hf_semver *a, const struct hf_semver *b)
{
	int r = hf_semver_cmp_core(a, b);

	if (r)
		return r;
	if (a->has_prerelease != b->has_prerelease)
		return a->has_prerelease ? -1 : 1;
	return a->has_prerelease ? hf_semver_cmp_identifiers(a->prerelease, b->prerelease) : 0;
}
