/* The pages of a database file, each handed out once at most, and the buffer in which a value that lies over several
 * pages is put together. A reader which takes each page from here ends after as many steps as the file has pages,
 * whatever cycles its pointers make. */
#pragma once
#include "base/arena.h"

/* What the readers of package databases give, one a stored value.
 * @bytes live in the file, or in the buffer of hf_pages until the next record is asked for. */
struct hf_record {
	hf_sv bytes;
	uint64_t at; /* where it was found, to be named in messages: the page's number (sqlite, bdb) or the slot's (ndb)
		      */
	const char *why; /* NULL: whole. Else what is wrong, as words for the user; @bytes may be empty then. */
};

struct hf_pages {
	hf_sv file;
	uint32_t size;       /* bytes a page */
	uint32_t n;          /* whole pages in the file */
	unsigned char *seen; /* one bit a page */
	struct hf_arena *arena;
	char *joined;
	size_t joined_size;
};

/* @a: one bit a page of it is used at once, and at most 20 MiB by hf_pages_room. False when the cap of @a is reached.
 */
bool hf_pages_init(struct hf_pages *p, hf_sv file, uint32_t size, struct hf_arena *a);
/* Page @number, from 0. NULL, or why it cannot be had: outside of the file, or handed out before. */
const char *hf_pages_take(struct hf_pages *p, uint32_t number, hf_sv *ret);
/* Room for a value of @n bytes; what it held before is lost. NULL, or why not: over HF_DATABASE_VALUE_MAX, over the
 * file's own size, or the arena's cap (whose `over` is then set). */
const char *hf_pages_room(struct hf_pages *p, uint64_t n, char **ret);
