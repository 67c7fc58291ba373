/* Packages against the advisory database: what is wrong in each, what cannot be told and why.
 * docs/decisions/matching.md states the rules; each verdict names the record and the rule that gave it. */
#pragma once
#include "advisory/database.h"

struct hf_match_input {
	const struct hf_os *os; /* NULL or an empty id: not known */
	const struct hf_package *packages;
	size_t packages_n; /* in the order of the report; purl may be empty */
	const struct hf_database *database;
	hf_sv today; /* "YYYY-MM-DD", for the end of life of releases */
	bool proofs; /* also say what was looked at and found not to hold: result->cleared */
};

/* A record that speaks of a package and does not hold for it. */
struct hf_cleared {
	uint32_t package;
	hf_sv id;
	const hf_sv *aliases;
	size_t aliases_n;
	hf_sv advisory_id, advisory_source, advisory_url, advisory_modified;
	hf_sv fixed; /* the version that ended it, where one did */
	hf_sv rule;  /* "fixed in 1.2-3", "introduced in 2.0", "withdrawn 2023-01-01", … */
};

/* All sorted as model/report.h says; views live in the call's arena, the database or the input. */
struct hf_match_result {
	const struct hf_vulnerability *vulnerabilities;
	size_t vulnerabilities_n;
	const struct hf_undecided *undecided;
	size_t undecided_n;
	const struct hf_cleared *cleared;
	size_t cleared_n;  /* by package, then id; only with input->proofs */
	hf_sv end_of_life; /* of the release, as in struct hf_scan_report */
	int supported;
	struct hf_database_info database;
	const hf_sv *notes;
	size_t notes_n;
	/* One a package: date ("YYYY-MM-DD") of the newest security fix that it demonstrably holds; empty: none known.
	 */
	const hf_sv *patch_dates;
};

/* HF_OK, or HF_E_LIMIT where @a's cap was reached. Pure but for reading the mapped database; any thread. */
int hf_match(const struct hf_match_input *in, struct hf_arena *a, struct hf_match_result *ret, struct hf_err *err);
