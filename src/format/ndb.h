/* Reads the blobs of rpm's own package database (Packages.db of its "ndb" backend).
 *
 * All numbers are little-endian of four bytes. The file begins with pages of 4096 bytes of slots of 16 bytes; the place
 * of the first two slots is the header's. Blobs lie behind them in blocks of 16 bytes. header  "RpmP", version (0),
 * generation, pages of slots, next package index, 12 bytes unused slot    "Slot", package index, first block, blocks;
 * first block 0: free blob    "BlbS", package index, time stamp, bytes; the bytes; zeroes; Adler-32 of all before it,
 * bytes, "BlbE" Source: rpm 4.14 to 4.19, lib/backend/ndb/rpmpkg.c. The index (Index.db) holds nothing that the blobs
 * lack: not read. */
#pragma once
#include "format/pages.h"

struct hf_ndb {
	hf_sv file;
	uint64_t slot, slots_n; /* the next slot, and how many the file has room for */
	uint64_t blocks;        /* of the blobs given so far */
	bool cut;               /* fewer slots than the header says, and that was not told yet */
};

bool hf_ndb_is(hf_sv file);
/* Checks the header. HF_OK or HF_E_FORMAT. */
int hf_ndb_open(struct hf_ndb *db, hf_sv file, struct hf_err *err);
/* The next blob, in the order of slots; with `why` set, a slot or blob that is not as it should be: then ret->bytes are
 * empty, or whole with a wrong checksum (rpm reads those too). False at the end. Ends after as much work as the file is
 * long. */
bool hf_ndb_next(struct hf_ndb *db, struct hf_record *ret);
