/* What of the findings of two states came, went and stays. Pure. */
#pragma once
#include "check/check.h"

struct hf_check_difference {
	const struct hf_check_result *const *came,
		*const *went, *const *stays; /* in the order of the reports; `stays` as the new one has it */
	size_t came_n, went_n, stays_n;
};

/* A finding is the same where its check, its object's namespace, kind and name, the container and the message are: neither the place in a
 * file nor the cluster that it was read from. False: the arena is full. */
bool hf_check_compare(const struct hf_check_report *before, const struct hf_check_report *after, struct hf_arena *,
		      struct hf_check_difference *ret);
