/* RFC 3339 in UTC to whole seconds since 1970 and back. */
#pragma once
#include "base/view.h"

enum { HF_MOMENT_MAX = 24 };

/* "2026-11-22T05:00:00Z", with fractions (which are cut) and offsets. False where it is none. */
bool hf_moment_parse(hf_sv text, int64_t *ret_s);
/* The same without fractions; NUL-terminated. Years 1 to 9999, what lies outside is held to that. */
hf_sv hf_moment_format(int64_t s, char out[HF_MOMENT_MAX]);
