#include "policy/pattern.h"

bool hf_pattern_matches(hf_sv pattern, hf_sv name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, from = 0;

	while (n < name.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = n;
		} else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool hf_pattern_any(const hf_sv *patterns, size_t n, hf_sv name)
{
	for (size_t i = 0; i < n; i++)
		if (hf_pattern_matches(patterns[i], name))
			return true;
	return false;
}
