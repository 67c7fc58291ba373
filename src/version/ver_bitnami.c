/* Bitnami's order: https://github.com/bitnami/go-version. The grammar is that of Semantic Versioning, but what stands behind
 * '-' is the revision of the build, which makes the version newer: 1.2.3 before 1.2.3-1. Real versions (minio's dates:
 * 2020.04.23) have leading zeros, so these are numbers here. */
#include "version/semver.h"

static enum hf_order bitnami_compare(hf_sv a, hf_sv b)
{
	struct hf_semver x, y;

	if (!hf_semver_parse(a, HF_SEMVER_ZEROS, &x) || !hf_semver_parse(b, HF_SEMVER_ZEROS, &y))
		return HF_ORDER_UNKNOWN;
	int r = hf_semver_cmp_core(&x, &y);
	if (!r)
		r = (int)x.has_prerelease - (int)y.has_prerelease;
	if (!r && x.has_prerelease)
		r = hf_semver_cmp_identifiers(x.prerelease, y.prerelease);
	return hf_order_of(r);
}

static bool bitnami_valid(hf_sv v)
{
	struct hf_semver s;

	return hf_semver_parse(v, HF_SEMVER_ZEROS, &s);
}

const struct hf_version_scheme hf_version_scheme_bitnami = {
	.name = "bitnami",
	.summary = "Bitnami: major.minor.patch[-revision], a revision is newer",
	.valid = bitnami_valid,
	.compare = bitnami_compare,
};
