/* How often something was seen, by name, in all and within the last minute: bounded in names. When there are too many, those that were
 * not seen in the last minute make room; a name that still finds none is counted as "(others)". One thread, or a lock around it. */
#pragma once
#include "base/error.h"

enum { HF_COUNTERS_PERIODS = 6, HF_COUNTERS_NAME_MAX = 128 };

struct hf_counter {
	char name[HF_COUNTERS_NAME_MAX]; /* cut where it is longer; empty: a free slot */
	uint64_t all, extra, periods[HF_COUNTERS_PERIODS];
};

struct hf_counters {
	struct hf_counter *slots; /* a power of two */
	size_t size, n;
	uint64_t others;
	unsigned period;
};

void hf_counters_init(struct hf_counters *c, size_t size);
void hf_counters_done(struct hf_counters *c);
/* One more of @name; with @extra also in the second column (alerts, beside events). */
void hf_counters_add(struct hf_counters *c, hf_sv name, bool extra);
/* Every ten seconds. */
void hf_counters_turn(struct hf_counters *c);
/* Within the last minute. */
uint64_t hf_counter_recent(const struct hf_counter *counter);
/* The @max with the most within the last minute, then in all; the number written. */
size_t hf_counters_top(const struct hf_counters *c, const struct hf_counter **ret, size_t max);
