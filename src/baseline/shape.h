/* Shapes: what stays the same of a text that differs from run to run. One text has one shape, so two are compared by their bytes.
 * In a shape, {n} stands for a number, {hex} for eight and more hexadecimal digits, {uuid}, {date} for a date or time, {path} for
 * the rest of a path below /tmp, /var/tmp or /dev/shm, {any} for any one component or argument, {rest} for all arguments that
 * follow, {digest:…} for a text that is too long to be kept, by its SHA-256. Everything else is literal; \{ \} \\ and \xNN (bytes
 * that are not printable, or no UTF-8) are escapes. */
#pragma once
#include "base/arena.h"

/* The shape of an argument. In @a; empty with a->over set on its cap. */
hf_sv hf_shape_argument(hf_sv text, struct hf_arena *a);
/* The shape of a path: by components, as above. */
hf_sv hf_shape_path(hf_sv path, struct hf_arena *a);
/* The path itself as a pattern without variable parts. */
hf_sv hf_shape_literal(hf_sv text, struct hf_arena *a);
/* The text of a literal pattern; false where there is anything variable in it. */
bool hf_shape_text(hf_sv pattern, struct hf_arena *a, hf_sv *ret_text);
/* True where every brace and backslash of @pattern is one of the above. */
bool hf_shape_valid(hf_sv pattern);
/* True where the shape of a seen argument list is one that @pattern allows: equal, but for {any} and {rest}. */
bool hf_shape_list_matches(const hf_sv *pattern, size_t pattern_n, const hf_sv *shape, size_t n);
