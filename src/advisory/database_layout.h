/* What the writer and the reader of the database agree on; docs/decisions/advisory-database.md says it in words.
 * Integers are LEB128 (hf_cur_uvarint) unless said; a text is its length and its bytes; a date is a text. */
#pragma once
#include "base/view.h"

#define HF_DATABASE_SCHEMA "holdfast advisories 1"

/* The first byte of a key says what it leads to. */
#define HF_KEY_BLOB      'B' /* one of the names below */
#define HF_KEY_FLAW      'C' /* CVE id: flags, dates, title, scores */
#define HF_KEY_ECOSYSTEM 'E' /* ecosystem: counts, source, newest */
#define HF_KEY_ID        'I' /* id in upper case: u32le record numbers, ascending */
#define HF_KEY_PACKAGE   'P' /* hf_package_key: entries */
#define HF_KEY_PRODUCT   'Y' /* product: release cycles */

#define HF_BLOB_INFO      "Binfo"    /* schema, built, totals, sources */
#define HF_BLOB_RECORDS   "Brecords" /* records, one behind the other */
#define HF_BLOB_OFFSETS   "Boffsets" /* u32le where each record begins, and one more for the end of the last */
#define HF_BLOB_PLACES    "Bplaces"  /* a record's package keys without their 'P', each a text */
#define HF_BLOB_PLACES_AT "Bplaces@" /* u32le as in offsets */
#define HF_BLOB_DATES     "Bdates"   /* u32le a record: publication as 20240131, 0 not known; the top bit: withdrawn */
#define HF_BLOB_EPSS      "Bepss" /* 12 bytes each, ascending: u32le flaw, score and percentile in millionths, u32le */

enum {
	HF_ENTRY_BINARY = 1 << 0,
	HF_ENTRY_UNIMPORTANT = 1 << 1,
	HF_ENTRY_GIT_ONLY = 1 << 2,
	HF_ENTRY_MODULE = 1 << 3,   /* a text follows */
	HF_ENTRY_CHANNEL = 1 << 4,  /* a text follows */
	HF_ENTRY_ARCHES = 1 << 5,   /* a count and texts follow */
	HF_ENTRY_RANGES = 1 << 6,   /* a count and ranges follow */
	HF_ENTRY_VERSIONS = 1 << 7, /* a count and texts follow */

	HF_RANGE_INTRODUCED = 1 << 4, /* beside the kind in the low bits: a text follows */
	HF_RANGE_FIXED = 1 << 5,
	HF_RANGE_LAST = 1 << 6,
	HF_RANGE_LIMIT = 1 << 7,

	HF_FLAW_REJECTED = 1 << 0,
	HF_FLAW_KEV = 1 << 1,
	HF_FLAW_RANSOMWARE = 1 << 2,

	HF_EPSS_SIZE = 12,
};

#define HF_DATE_WITHDRAWN (UINT32_C(1) << 31)

/* "CVE-2021-44228" in 32 bits: 6 of the year since 1999, 26 of the number. False for what is none or does not fit. */
bool hf_cve_number(hf_sv cve, uint32_t *ret);
