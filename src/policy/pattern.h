/* Names with '*' for any run of characters. Linear in practice, at worst the product of both lengths. */
#pragma once
#include "base/view.h"

bool hf_pattern_matches(hf_sv pattern, hf_sv name);
/* False for none. */
bool hf_pattern_any(const hf_sv *patterns, size_t n, hf_sv name);
