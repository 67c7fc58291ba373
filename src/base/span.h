/* Parts of a file. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_span {
	uint64_t from, to; /* [from, to) */
};

/* Whether [at, at + n) lies in one of @count spans. */
static inline bool hf_spans_hold(const struct hf_span *spans, size_t count, uint64_t at, uint64_t n)
{
	for (size_t i = 0; i < count; i++)
		if (at >= spans[i].from && at <= spans[i].to && n <= spans[i].to - at)
			return true;
	return false;
}
