/* A pull reader of JSON (RFC 8259): no tree, no copies where there are no escapes, bounded depth, linear time.
 *
 *     struct hf_json j = hf_json_of(text, arena);
 *     hf_sv key;
 *     hf_json_members(&j, &key)
 *         if (hf_sv_eq(key, HF_SV("name")))
 *             name = hf_json_string(&j);
 *         else
 *             hf_json_skip(&j);
 *     if (!hf_json_end(&j))
 *         return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j.at, j.why);
 *
 * A value of another type than was asked for is passed over and an empty answer is given; only broken JSON fails. So a nested
 * object or array is walked only where entering it gave true: otherwise the loop would go on in the one around it. After a
 * failure every call gives nothing, so loops end. Duplicate keys are all handed out: the last one wins if the caller
 * overwrites, as in JavaScript. A leading byte order mark is passed over. Measured against cJSON in docs/measured.md. */
#pragma once
#include "base/arena.h"

enum hf_json_type {
	HF_JSON_NONE = 0,
	HF_JSON_OBJECT,
	HF_JSON_ARRAY,
	HF_JSON_STRING,
	HF_JSON_NUMBER,
	HF_JSON_BOOL,
	HF_JSON_NULL
};

struct hf_json {
	hf_sv text;
	size_t at;
	struct hf_arena *arena; /* for strings with escapes; its cap reached makes the reader fail */
	const char *why;        /* NULL while all is well */
	uint32_t depth;
	bool first; /* just behind an opening bracket */
};

static inline struct hf_json hf_json_of(hf_sv text, struct hf_arena *a)
{
	struct hf_json j = { .text = text, .arena = a };

	if (hf_sv_starts(text, HF_SV("\xef\xbb\xbf")))
		j.at = 3;
	return j;
}

/* The type of the next value; HF_JSON_NONE at the end of the text, before a closing bracket and after a failure. */
enum hf_json_type hf_json_peek(struct hf_json *j);
/* Enters the next value if it is an object (array); else passes it over and returns false. */
bool hf_json_object(struct hf_json *j);
bool hf_json_array(struct hf_json *j);
/* Loops over the members (elements) of the next value, whose body takes or skips each; a value of another type is passed
 * over and the body never runs. A bare `for (hf_json_object(j); hf_json_key(j, &key);)` is wrong below the top: where the
 * value is null it would go on with the keys of the object around it. */
#define hf_json_members(j, key)   \
	if (!hf_json_object(j)) { \
	} else                    \
		while (hf_json_key((j), (key)))
#define hf_json_elements(j)      \
	if (!hf_json_array(j)) { \
	} else                   \
		while (hf_json_element(j))
/* Inside of an object: the next member's key, whose value the caller must then take or skip. False at the end, which leaves the object. */
bool hf_json_key(struct hf_json *j, hf_sv *ret_key);
/* Inside of an array: true where another element follows, which the caller must then take or skip. False at the end, which leaves it. */
bool hf_json_element(struct hf_json *j);
/* The value if it is a string: unescaped, NUL bytes possible, lone surrogates as U+FFFD; lives in the text or the arena.
 * Of another type: passed over, ptr is NULL. An empty string has a pointer. */
hf_sv hf_json_string(struct hf_json *j);
bool hf_json_bool(struct hf_json *j, bool otherwise);
/* A string, number or literal as its text (a string unescaped), for fields that feeds spell either way; containers: passed over, ptr NULL. */
hf_sv hf_json_text(struct hf_json *j);
/* Passes the next value over and gives its bytes as they stand, to be read later with a reader of their own. */
hf_sv hf_json_raw(struct hf_json *j);
void hf_json_skip(struct hf_json *j);
/* True where all went well and only blanks are left. */
bool hf_json_end(struct hf_json *j);
