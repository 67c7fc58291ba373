/* What somebody may have meant who misspelt a name. */
#pragma once
#include "base/view.h"

/* The name of @n that is nearest to @word, at most a third of its letters away; NULL where none is. */
const char *hf_nearest_name(hf_sv word, const char *(*name)(void *ctx, size_t i), size_t n, void *ctx);
