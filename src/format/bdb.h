/* Reads the values of a Berkeley DB hash database (rpm's Packages), without its library.
 *
 * All pages are gone through from the first to the last and the pairs of each hash page are taken: the same pairs that
 * the buckets' chains lead to, since Berkeley DB marks freed pages as such. Values over several pages are put together.
 * Source: the layout of dbinc/db_page.h of Berkeley DB 4.3 to 5.3 (hash versions 8 and 9), DB's magic numbers of
 * file(1). Not read: b-tree, recno and queue databases, duplicates, encrypted, checksummed and partitioned databases:
 * refused. */
#pragma once
#include "format/pages.h"

struct hf_bdb {
	struct hf_pages pages;
	bool big_endian;
	bool cut; /* the file has fewer pages than the metadata page says, and that was not told yet */
	uint32_t next_page, end_page;
	/* The hash page being read: its pairs from `pair` on. `ceiling` is where the previous item began: items go
	 * downwards. */
	hf_sv page;
	uint32_t page_number, pairs, pair, ceiling;
};

/* True where the metadata page's magic is that of a hash database, in either byte order. */
bool hf_bdb_is(hf_sv file);
/* Reads the metadata page. @file and @a must outlive @db. HF_OK, HF_E_FORMAT (also for what is not read), or
 * HF_E_LIMIT. */
int hf_bdb_open(struct hf_bdb *db, hf_sv file, struct hf_arena *a, struct hf_err *err);
/* The next pair's value, rpm's counter (key 0, of four bytes) left out; or (`why` set) a piece that cannot be read,
 * after which the rest follows. False at the end, and when the arena's cap was reached (its `over` is set then). */
bool hf_bdb_next(struct hf_bdb *db, struct hf_record *ret);
