/* Reads LMDB's file format 1 (liblmdb 0.9, 64-bit little-endian) in place, for files that nobody vouches for: each page
 * number, offset and length is checked, and a walk is no deeper than PAGES_DEPTH_MAX. Only the main database is read;
 * named and sorted-duplicate ones are not. Source: lmdb.h and the comments on MDB_page, MDB_node, MDB_meta in mdb.c. */
#pragma once
#include "base/error.h"

struct hf_pages {
	hf_sv file;
	uint32_t page_size;
	uint64_t root;  /* page number */
	uint32_t depth; /* levels, 0: empty */
	uint64_t pages_n;
};

/* HF_E_FORMAT where it is not such a file, HF_E_TRUNCATED where pages are missing at its end. */
int hf_pages_open(hf_sv file, struct hf_pages *ret, struct hf_err *err);
/* The value of @key. *@damaged is set where bytes of the file made no sense on the way. */
bool hf_pages_get(const struct hf_pages *p, hf_sv key, hf_sv *ret_value, bool *damaged);
