/* Collects what the readers of feeds hand out and writes it as a database (advisory/database.h reads it).
 * One thread. The same input and build time give the same bytes. */
#pragma once
#include "advisory/reader.h"

struct hf_database_builder;

/* What was passed over, for who wants to print it as it happens; views are borrowed for the call. */
typedef void hf_database_malformed(void *ctx, hf_sv source, hf_sv where, hf_sv why);

/* @malformed may be NULL. Free with hf_database_builder_free (NULL is fine). */
struct hf_database_builder *hf_database_builder_new(hf_database_malformed *malformed, void *ctx);
void hf_database_builder_free(struct hf_database_builder *b);
/* Only these ecosystems' advisories are kept: names with or without release ("Debian", "Alpine:v3.18", "PyPI"); a view
 * separated by commas, which must stay. Empty: all. */
void hf_database_builder_only(struct hf_database_builder *b, hf_sv ecosystems);
/* "YYYY-MM-DD…", which must stay: a later date of a record is a slip, and does not make its source that new. Empty: all count. */
void hf_database_builder_today(struct hf_database_builder *b, hf_sv day);
/* Hands the bytes of one file to every reader that wants @path. HF_PARTIAL where records in it were malformed (they are
 * counted); a file that is not of its reader's format counts as one malformed record. HF_E_LIMIT: more than the builder
 * holds. */
int hf_database_builder_file(struct hf_database_builder *b, hf_sv path, hf_sv bytes, struct hf_err *err);
/* One file that could not be read at all. */
void hf_database_builder_unreadable(struct hf_database_builder *b, hf_sv path, hf_sv why);
/* True where some reader wants @path. */
bool hf_database_builder_wants(const struct hf_database_builder *b, hf_sv path);

struct hf_database_totals {
	uint64_t records, withdrawn, bugfix, packages, entries, flaws, epss, cycles, malformed;
};
/* What it holds by now. */
struct hf_database_totals hf_database_builder_totals(const struct hf_database_builder *b);
/* Writes beside @file and renames. @built is RFC 3339. */
int hf_database_builder_write(struct hf_database_builder *b, const char *file, hf_sv built, bool landmarks_only,
			      struct hf_err *err);
