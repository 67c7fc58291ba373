/* The lower half of the database's writer: pairs in any order become an LMDB file. Used by database_build.c alone. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"

struct hf_database_item {
	hf_sv key, value; /* values of equal keys are joined in the order in which they came */
	uint64_t order;
};
struct hf_database_place {
	hf_sv key;
	uint32_t record, order;
};
struct hf_database_epss {
	uint32_t cve, score, percentile;
};

/* Everything that is collected; the bytes belong to the caller's arena, the arrays to this. */
struct hf_database_items {
	struct hf_database_item *items;
	size_t items_n, items_slots;
	struct hf_database_place *places;
	size_t places_n, places_slots;
	struct hf_database_epss *epss;
	size_t epss_n, epss_slots;
};

void hf_database_items_done(struct hf_database_items *t);
void hf_database_item(struct hf_database_items *t, hf_sv key, hf_sv value);
void hf_database_place(struct hf_database_items *t, uint32_t record, hf_sv key);
void hf_database_epss_add(struct hf_database_items *t, uint32_t cve, uint32_t score, uint32_t percentile);
/* The packed forms: EPSS ascending by flaw (the last one said counts), and the package keys of each of @records
 * records. */
void hf_database_epss_pack(struct hf_database_items *t, struct hf_buf *out);
void hf_database_places_pack(struct hf_database_items *t, size_t records, struct hf_buf *places,
			     struct hf_buf *offsets);
/* Sorts items by key, then order. */
void hf_database_items_sort(struct hf_database_items *t);
/* Writes sorted items to a new LMDB file beside @file and renames it. */
int hf_database_items_write(struct hf_database_items *t, const char *file, struct hf_err *err);
