#include "format/bdb.h"

#include "base/cursor.h"

enum {
	HASH_MAGIC = 0x061561,
	META_SIZE = 72, /* of the part that all access methods share */
	PAGE_HEADER = 26,
	PAGE_HASH_UNSORTED = 2,
	PAGE_OVERFLOW = 7,
	PAGE_HASH_META = 8,
	PAGE_HASH = 13,
	ITEM_DATA = 1,
	ITEM_OFF_PAGE = 3,
	META_CHECKSUM = 1,
	VERSION_MIN = 7,
	VERSION_MAX = 10,
};

static uint32_t u32_at(const struct hf_bdb *db, hf_sv page, uint32_t at)
{
	struct hf_cur c = hf_cur_of(page);

	hf_cur_seek(&c, at);
	return db->big_endian ? hf_cur_u32be(&c) : hf_cur_u32le(&c);
}

static uint32_t u16_at(const struct hf_bdb *db, hf_sv page, uint32_t at)
{
	struct hf_cur c = hf_cur_of(page);

	hf_cur_seek(&c, at);
	return db->big_endian ? hf_cur_u16be(&c) : hf_cur_u16le(&c);
}

static uint32_t u8_at(hf_sv page, uint32_t at)
{
	struct hf_cur c = hf_cur_of(page);

	hf_cur_seek(&c, at);
	return hf_cur_u8(&c);
}

static bool find_order(hf_sv file, bool *ret_big_endian)
{
	struct hf_cur c = hf_cur_of(hf_sv_slice(file, 12, 4));
	hf_sv magic = hf_cur_take(&c, 4);

	*ret_big_endian = hf_sv_eq(magic, (hf_sv){ "\0\x06\x15\x61", 4 });
	return *ret_big_endian || hf_sv_eq(magic, (hf_sv){ "\x61\x15\x06\0", 4 });
}

bool hf_bdb_is(hf_sv file)
{
	bool big_endian;

	return find_order(file, &big_endian);
}

int hf_bdb_open(struct hf_bdb *db, hf_sv file, struct hf_arena *a, struct hf_err *err)
{
	*db = (struct hf_bdb){ 0 };
	if (file.len < META_SIZE || !find_order(file, &db->big_endian))
		return hf_fail(err, HF_E_FORMAT, "not a Berkeley DB hash database");
	uint32_t version = u32_at(db, file, 16), size = u32_at(db, file, 20);
	if (version < VERSION_MIN || version > VERSION_MAX)
		return hf_fail(err, HF_E_FORMAT, "Berkeley DB hash database of version %u", version);
	if (size < 512 || size > 65536 || (size & (size - 1)))
		return hf_fail(err, HF_E_FORMAT, "Berkeley DB database with pages of %u bytes", size);
	if (u8_at(file, 24))
		return hf_fail(err, HF_E_FORMAT, "encrypted Berkeley DB database");
	if (u8_at(file, 25) != PAGE_HASH_META)
		return hf_fail(err, HF_E_FORMAT, "Berkeley DB metadata page of type %u", u8_at(file, 25));
	if (u8_at(file, 26) & META_CHECKSUM)
		return hf_fail(err, HF_E_FORMAT, "Berkeley DB database with checksums");
	if (u32_at(db, file, 36))
		return hf_fail(err, HF_E_FORMAT, "partitioned Berkeley DB database");
	if (!hf_pages_init(&db->pages, file, size, a))
		return hf_fail(err, HF_E_LIMIT, "Berkeley DB database with too many pages for the memory allowed");
	uint32_t last = u32_at(db, file, 32);
	db->cut = last >= db->pages.n;
	db->end_page = db->cut ? db->pages.n : last + 1;
	db->next_page = 1;
	return HF_OK;
}

/* Without taking the page: what a wrong pointer leads to may still be reached by a right one. */
static uint32_t page_type(const struct hf_bdb *db, uint32_t number)
{
	return u8_at(hf_sv_slice(db->pages.file, (size_t)number * db->pages.size, db->pages.size), 25);
}

static const char *enter_page(struct hf_bdb *db, uint32_t number)
{
	uint32_t type = page_type(db, number);
	hf_sv page;

	db->pairs = db->pair = 0;
	if (type != PAGE_HASH && type != PAGE_HASH_UNSORTED)
		return NULL;
	const char *why = hf_pages_take(&db->pages, number, &page);
	if (why)
		return why;
	uint32_t entries = u16_at(db, page, 20);
	if (PAGE_HEADER + 2 * entries > db->pages.size)
		return "a page with more entries than fit in";
	db->page = page;
	db->page_number = number;
	db->pairs = entries / 2;
	db->ceiling = db->pages.size;
	return entries & 1 ? "a key without a value" : NULL;
}

static const char *next_item(struct hf_bdb *db, uint32_t index, hf_sv *ret)
{
	uint32_t at = u16_at(db, db->page, PAGE_HEADER + 2 * index);

	if (at < PAGE_HEADER + 4 * db->pairs || at >= db->ceiling)
		return "an item outside of its place on the page";
	*ret = hf_sv_slice(db->page, at, db->ceiling - at);
	db->ceiling = at;
	return NULL;
}

static const char *read_off_page(struct hf_bdb *db, hf_sv item, hf_sv *ret)
{
	uint32_t page = u32_at(db, item, 4);
	uint64_t n = u32_at(db, item, 8), have = 0;
	char *room = NULL;

	if (item.len < 12)
		return "a pointer to a value that is cut short";
	while (have < n) {
		hf_sv bytes;
		const char *why = page < db->pages.n && page_type(db, page) != PAGE_OVERFLOW
					  ? "a value that goes on on a page of another kind"
					  : hf_pages_take(&db->pages, page, &bytes);
		if (why)
			return why;
		uint32_t piece_n = u16_at(db, bytes, 22);
		if (!piece_n || piece_n > db->pages.size - PAGE_HEADER || piece_n > n - have)
			return "a value whose pages do not add up to its size";
		hf_sv piece = hf_sv_slice(bytes, PAGE_HEADER, piece_n);
		if (piece_n == n) {
			*ret = piece;
			return NULL;
		}
		if (!room && (why = hf_pages_room(&db->pages, n, &room)))
			return why;
		memcpy(room + have, piece.ptr, piece.len);
		have += piece.len;
		page = u32_at(db, bytes, 16);
	}
	*ret = (hf_sv){ room, n };
	return NULL;
}

/* True where there is something to tell of this pair. */
static bool read_pair(struct hf_bdb *db, struct hf_record *ret)
{
	uint32_t index = 2 * db->pair++;
	hf_sv key, item;

	ret->why = next_item(db, index, &key);
	if (!ret->why)
		ret->why = next_item(db, index + 1, &item);
	if (ret->why) {
		db->pair = db->pairs;
		return true;
	}
	bool is_counter = hf_sv_eq(key, (hf_sv){ "\1\0\0\0", 5 });
	uint32_t type = u8_at(item, 0);
	if (type == ITEM_DATA) {
		ret->bytes = hf_sv_skip(item, 1);
		return !is_counter;
	}
	if (type == ITEM_OFF_PAGE)
		ret->why = read_off_page(db, item, &ret->bytes);
	else
		ret->why = "an item of an unknown kind";
	return true;
}

bool hf_bdb_next(struct hf_bdb *db, struct hf_record *ret)
{
	for (;;) {
		*ret = (struct hf_record){ .at = db->page_number };
		if (db->pages.arena->over)
			return false;
		if (db->pair < db->pairs) {
			if (read_pair(db, ret))
				return !db->pages.arena->over;
			continue;
		}
		if (db->next_page < db->end_page) {
			ret->at = db->next_page;
			ret->why = enter_page(db, db->next_page++);
		} else if (db->cut) {
			db->cut = false;
			ret->at = db->end_page;
			ret->why = "fewer pages than its metadata page says";
		} else {
			return false;
		}
		if (ret->why)
			return true;
	}
}
