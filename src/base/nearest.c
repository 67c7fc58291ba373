#include "base/nearest.h"

enum { NAME_MAX_LENGTH = 64 };

/* Levenshtein's distance; names longer than the row are far from everything. */
static size_t distance(hf_sv a, hf_sv b)
{
	size_t row[NAME_MAX_LENGTH + 1];

	if (a.len > NAME_MAX_LENGTH || b.len > NAME_MAX_LENGTH)
		return SIZE_MAX;
	for (size_t k = 0; k <= b.len; k++)
		row[k] = k;
	for (size_t i = 0; i < a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t k = 0; k < b.len; k++) {
			size_t swap = diagonal + (a.ptr[i] != b.ptr[k]),
			       best = row[k] < row[k + 1] ? row[k] : row[k + 1];
			diagonal = row[k + 1];
			row[k + 1] = swap < best + 1 ? swap : best + 1;
		}
	}
	return row[b.len];
}

const char *hf_nearest_name(hf_sv word, const char *(*name)(void *ctx, size_t i), size_t n, void *ctx)
{
	const char *best = NULL;
	size_t best_distance = word.len / 3 + 1;

	for (size_t i = 0; i < n; i++) {
		const char *candidate = name(ctx, i);
		size_t d = distance(word, hf_sv_of(candidate));
		if (d < best_distance || (d == best_distance && !best)) {
			best = candidate;
			best_distance = d;
		}
	}
	return best;
}
