/* Names of archive members as paths below the root. */
#pragma once
#include "base/limits.h"
#include "base/view.h"

enum hf_path_verdict { HF_PATH_FINE = 0, HF_PATH_OUTSIDE, HF_PATH_TOO_LONG, HF_PATH_TOO_DEEP };

/* Writes @name without leading and trailing '/', ".", ".." and "//" to @out; *@ret is it. ".." takes the component
 * before it away, as text; what would leave the root is OUTSIDE. On another verdict than FINE *@ret is the beginning of
 * the name as it stands. */
enum hf_path_verdict hf_path_normalise(hf_sv name, char out[HF_PATH_MAX], hf_sv *ret);
/* The verdict in words. */
const char *hf_path_complaint(enum hf_path_verdict verdict);
