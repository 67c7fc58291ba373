/* What readers of feeds share: words of severity, dates, ids, one-line texts, and reports of what was not understood. */
#pragma once
#include "advisory/reader.h"
#include "format/json.h"

typedef HF_VEC(hf_sv) hf_sv_vec;

/* The severity that a word names, in any case: "MODERATE", "Important", "negligible", "unimportant" …; UNKNOWN for other words. */
enum hf_severity hf_feed_severity(hf_sv word);
/* The date as it stands, or empty where it cannot be one: Go's tools write year 1 for "not said". */
hf_sv hf_feed_date(hf_sv date);
/* The first line of a text, cut before @max bytes at a character's border. */
hf_sv hf_feed_one_line(hf_sv text, size_t max);
/* The id "CVE-YYYY-NNNN…" that @s begins with, empty where it does not. What follows the digits is left out. */
hf_sv hf_feed_cve_prefix(hf_sv s);
/* Adds @s where it is not empty and not there yet. False on the arena's cap. Linear in the list: for lists of a record. */
bool hf_feed_add_once(struct hf_arena *a, hf_sv_vec *list, hf_sv s);
/* Tells the sink of a record that was passed over. HF_PARTIAL, or what the sink returned. */
int hf_feed_malformed(struct hf_advisory_sink *out, hf_sv where, hf_sv why, struct hf_err *err);
/* The failure of a whole file that is not JSON, or not of the form that the reader wants: HF_E_FORMAT, or HF_E_LIMIT. */
int hf_feed_broken(const struct hf_json *j, const struct hf_arena *scratch, struct hf_err *err);
/* Folds one result into what a loop has so far: a negative code wins, then HF_PARTIAL. */
static inline int hf_feed_fold(int so_far, int r)
{
	return so_far < 0 || r < 0 ? (so_far < 0 ? so_far : r) : so_far > r ? so_far : r;
}
