/* What is different between two profiles. Counts and times are not: they differ each time. */
#pragma once
#include "baseline/profile.h"

enum hf_change { HF_CHANGE_NEW, HF_CHANGE_GONE, HF_CHANGE_OTHER };

struct hf_profile_change {
	enum hf_change change;
	enum hf_profile_part part;
	const struct hf_profile_entry *before, *after; /* NULL: not there */
	hf_sv what; /* of OTHER: "+sha256:…, -sha256:…, +arguments [sh, -c, …]" */
};

/* By part, then by object. In @a, *ret_n of them; what it points to lives in the profiles. */
const struct hf_profile_change *hf_profile_diff(const struct hf_profile *before, const struct hf_profile *after,
						struct hf_arena *a, size_t *ret_n);
/* "[sh, -c, exit 1]" */
void hf_profile_shape_write(const struct hf_profile_shape *shape, struct hf_buf *out);
