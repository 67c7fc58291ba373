/* The grammar of Semantic Versioning 2.0.0 (https://semver.org), which the schemes semver, go and bitnami share. */
#pragma once
#include "version/digits.h"

struct hf_semver {
	hf_sv core[3];    /* major, minor, patch; empty: not written, zero */
	hf_sv prerelease; /* without '-' */
	bool has_prerelease;
};

enum {
	HF_SEMVER_SHORT = 1u << 0, /* "1" and "1.2" stand for "1.0.0" and "1.2.0"; nothing may follow them */
	HF_SEMVER_ZEROS = 1u << 1, /* leading zeros in major, minor and patch */
};

/* False where @v is not a version. */
bool hf_semver_parse(hf_sv v, uint32_t flags, struct hf_semver *ret);
/* Order of major, minor, patch. */
int hf_semver_cmp_core(const struct hf_semver *a, const struct hf_semver *b);
/* Order of two dot-separated lists of identifiers: numbers before text, a shorter list before its extension. */
int hf_semver_cmp_identifiers(hf_sv a, hf_sv b);
/* Precedence of the specification's section 11: build metadata does not count. */
int hf_semver_cmp(const struct hf_semver *a, const struct hf_semver *b);
