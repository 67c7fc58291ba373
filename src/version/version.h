/* Order of versions, each scheme by its reference's own rules. A row is ver_<name>.c and a line in versions.def. */
#pragma once
#include "base/view.h"

enum hf_order {
	HF_ORDER_LESS = -1,
	HF_ORDER_EQUAL = 0,
	HF_ORDER_GREATER = 1,
	HF_ORDER_UNKNOWN = 2, /* at least one side is not a valid version in this scheme: cannot tell */
};

struct hf_version_scheme {
	const char *name; /* as in versions.def: "deb", "rpm", "semver", … */
	const char *summary;
	/* The reference's order has circles, so a < b < c does not mean a < c. Of use to sorting and to tests. */
	bool not_total;
	/* True where @v is a version of this scheme. compare() of two valid versions never gives HF_ORDER_UNKNOWN. */
	bool (*valid)(hf_sv v);
	/* Order of @a against @b. Pure; any thread; no allocation; linear in the lengths. */
	enum hf_order (*compare)(hf_sv a, hf_sv b);
};

#define HF_VERSION_SCHEME(row) extern const struct hf_version_scheme hf_version_scheme_##row;
#include "version/versions.def"
#undef HF_VERSION_SCHEME

extern const struct hf_version_scheme *const hf_version_schemes[]; /* NULL-ended, in the order of the table */

/* The scheme with this row name, NULL where there is none. */
const struct hf_version_scheme *hf_version_scheme_named(hf_sv name);
