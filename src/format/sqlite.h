/* Reads the rows of a table out of an SQLite 3 database file, without its library.
 *
 *     struct hf_sqlite db;
 *     struct hf_record row;
 *     if (hf_sqlite_open(&db, file, arena, err) < 0 || hf_sqlite_table(&db, HF_SV("Packages"), &root, err) < 0)
 *         return err->code;
 *     struct hf_sqlite_rows rows = hf_sqlite_rows_of(&db, root);
 *     while (hf_sqlite_next(&rows, &row))
 *         if (row.why) … else hf_sqlite_column(row.bytes, 1, &value);
 *
 * Source: sqlite.org/fileformat2.html, sections 1.3 (header), 1.6 (b-tree pages), 2.1 (records), 2.6 (schema table).
 * Not read: indexes, tables WITHOUT ROWID, UTF-16 databases, the write-ahead log and rollback journals (files of their
 * own). */
#pragma once
#include "base/limits.h"
#include "format/pages.h"

struct hf_sqlite {
	struct hf_pages pages;
	uint32_t usable; /* bytes of a page without the reserved space at its end */
};

struct hf_sqlite_page {
	hf_sv bytes; /* its usable part */
	uint32_t number;
	uint32_t next, cells;
	uint32_t pointers; /* offset of the cell pointer array */
	uint64_t spent;    /* bytes of the cells taken so far */
	bool leaf;
};

struct hf_sqlite_rows {
	struct hf_sqlite *db;
	uint32_t root;  /* 0 once it was entered */
	uint32_t depth; /* pages on the stack */
	struct hf_sqlite_page stack[HF_SQLITE_DEPTH_MAX];
};

enum hf_sqlite_type { HF_SQLITE_NULL = 0, HF_SQLITE_INTEGER, HF_SQLITE_FLOAT, HF_SQLITE_TEXT, HF_SQLITE_BLOB };

struct hf_sqlite_value {
	enum hf_sqlite_type type;
	int64_t integer; /* of HF_SQLITE_INTEGER */
	hf_sv bytes;     /* of HF_SQLITE_TEXT and HF_SQLITE_BLOB: part of the record */
};

/* True where @file begins with the format's 16 bytes of magic. */
bool hf_sqlite_is(hf_sv file);
/* Checks the header. @file and @a must outlive @db. HF_OK, HF_E_FORMAT, or HF_E_LIMIT on the cap of @a. */
int hf_sqlite_open(struct hf_sqlite *db, hf_sv file, struct hf_arena *a, struct hf_err *err);
/* The root page of the table @name (ASCII case does not count). Once a database: each page is read once. HF_OK,
 * HF_E_FORMAT where there is no such table or the schema cannot be read, HF_E_LIMIT. */
int hf_sqlite_table(struct hf_sqlite *db, hf_sv name, uint32_t *ret_root, struct hf_err *err);
/* All rows below @root, in the order of their row ids. */
struct hf_sqlite_rows hf_sqlite_rows_of(struct hf_sqlite *db, uint32_t root);
/* The next row as an undecoded record, or (`why` set) a piece of the tree that cannot be read, after which the rest
 * follows. False at the end, and when the arena's cap was reached (its `over` is set then). */
bool hf_sqlite_next(struct hf_sqlite_rows *rows, struct hf_record *ret);
/* Column @n, from 0, of a record. False where the record is broken or has fewer columns. */
bool hf_sqlite_column(hf_sv record, uint32_t n, struct hf_sqlite_value *ret);
/* True where @file is a write-ahead log (rpmdb.sqlite-wal) with at least one frame of its current generation: the
 * database beside it may lack changes. Section 4.1 of the specification. */
bool hf_sqlite_wal_has_frames(hf_sv file);
