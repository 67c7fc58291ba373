/* Picks out of a zip archive, while it streams by, what its reader will look at: members that are wanted and the central
 * directory. By local headers; where one has no size (bit 3 of its flags) the member is inflated to find its end.
 * Wanted archives that are stored are gone through in the same way, to any depth that is read. From the first byte that
 * is not understood on everything is kept. Source: PKWARE APPNOTE 6.3.10 sections 4.3.6, 4.3.7, 4.3.9, 4.4.4. */
#pragma once
#include "base/error.h"

enum hf_zip_want {
	HF_ZIP_PASS = 0,
	HF_ZIP_KEEP,
	HF_ZIP_KEEP_ARCHIVE, /* an archive itself */
};

struct hf_zip_sieve;

/* @want says what a member of that name is. @keep takes bytes at an offset of the archive, ascending; false ends it. */
struct hf_zip_sieve *hf_zip_sieve_new(enum hf_zip_want (*want)(hf_sv name),
				      bool (*keep)(void *ctx, uint64_t offset, hf_sv bytes), void *ctx);
/* The archive's next bytes. False after @keep gave that. */
bool hf_zip_sieve_feed(struct hf_zip_sieve *s, hf_sv bytes);
/* NULL is fine. */
void hf_zip_sieve_free(struct hf_zip_sieve *s);
