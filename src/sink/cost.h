/* What this process costs, as its outputs and its state show it. */
#pragma once
#include <stdint.h>

struct hf_cost {
	uint64_t cpu_us;                             /* of all threads, user and system, since the start */
	uint64_t resident_bytes, resident_max_bytes; /* 0: not known */
};

struct hf_cost hf_cost_now(void);
