/* Semantic Versioning 2.0.0, as npm, Cargo and Hex use it.
 * Around it node-semver (7) takes blanks, and its clean() any '=' and 'v' in front; so does this. Nothing else is mended:
 * "1.2" and "1.2.3.4" are not versions, as they are not for npm, Cargo and Hex. */
#include "version/semver.h"

static bool parse(hf_sv v, struct hf_semver *ret)
{
	v = hf_sv_trim(v);
	while (v.len && (v.ptr[0] == 'v' || v.ptr[0] == '='))
		v = hf_sv_skip(v, 1);
	return hf_semver_parse(v, 0, ret);
}

static enum hf_order semver_compare(hf_sv a, hf_sv b)
{
	struct hf_semver x, y;

	if (!parse(a, &x) || !parse(b, &y))
		return HF_ORDER_UNKNOWN;
	return hf_order_of(hf_semver_cmp(&x, &y));
}

static bool semver_valid(hf_sv v)
{
	struct hf_semver s;

	return parse(v, &s);
}

const struct hf_version_scheme hf_version_scheme_semver = {
	.name = "semver",
	.summary = "Semantic Versioning 2.0.0",
	.valid = semver_valid,
	.compare = semver_compare,
};
