#include "format/sqlite.h"

#include "base/cursor.h"

enum {
	HEADER_SIZE = 100,
	USABLE_MIN = 480,
	INTERIOR_TABLE = 0x05,
	LEAF_TABLE = 0x0d,
	INTERIOR_HEADER = 12,
	LEAF_HEADER = 8,
	UTF8 = 1,
	WAL_HEADER = 32,
};

/* Big-endian groups of seven bits; a ninth byte gives eight. */
static uint64_t varint(struct hf_cur *c)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t b = hf_cur_u8(c);
		v = v << 7 | (b & 0x7f);
		if (!(b & 0x80))
			return v;
	}
	return v << 8 | hf_cur_u8(c);
}

bool hf_sqlite_is(hf_sv file)
{
	return hf_sv_starts(file, (hf_sv){ "SQLite format 3", 16 });
}

int hf_sqlite_open(struct hf_sqlite *db, hf_sv file, struct hf_arena *a, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(file);

	*db = (struct hf_sqlite){ 0 };
	if (file.len < HEADER_SIZE || !hf_sqlite_is(file))
		return hf_fail(err, HF_E_FORMAT, "not an SQLite 3 database");
	hf_cur_seek(&c, 16);
	uint32_t size = hf_cur_u16be(&c);
	if (size == 1)
		size = 65536;
	hf_cur_seek(&c, 20);
	uint32_t reserved = hf_cur_u8(&c);
	hf_cur_seek(&c, 56);
	uint32_t encoding = hf_cur_u32be(&c);
	if (size < 512 || (size & (size - 1)) || size - reserved < USABLE_MIN)
		return hf_fail(err, HF_E_FORMAT, "SQLite database with pages of %u bytes, %u of them reserved", size,
			       reserved);
	if (encoding > UTF8)
		return hf_fail(err, HF_E_FORMAT, "SQLite database whose text is not UTF-8");
	if (!hf_pages_init(&db->pages, file, size, a))
		return hf_fail(err, HF_E_LIMIT, "SQLite database with too many pages for the memory allowed");
	db->usable = size - reserved;
	return HF_OK;
}

static const char *enter_page(struct hf_sqlite_rows *rows, uint32_t number)
{
	hf_sv bytes;

	if (rows->depth == HF_SQLITE_DEPTH_MAX)
		return "a b-tree deeper than 20 levels";
	/* Pages are counted from 1; 0 becomes one that is outside of any file. */
	const char *why = hf_pages_take(&rows->db->pages, number - 1, &bytes);
	if (why)
		return why;
	bytes = hf_sv_first(bytes, rows->db->usable);
	uint32_t header = number == 1 ? HEADER_SIZE : 0;
	struct hf_cur c = hf_cur_of(bytes);
	hf_cur_seek(&c, header);
	uint8_t type = hf_cur_u8(&c);
	if (type != LEAF_TABLE && type != INTERIOR_TABLE)
		return "a page that is not one of a table";
	bool leaf = type == LEAF_TABLE;
	hf_cur_seek(&c, header + 3);
	uint32_t cells = hf_cur_u16be(&c), pointers = header + (leaf ? LEAF_HEADER : INTERIOR_HEADER);
	if (pointers + 2 * cells > bytes.len)
		return "a page with more cells than fit in";
	rows->stack[rows->depth++] = (struct hf_sqlite_page){
		.bytes = bytes, .number = number, .cells = cells, .pointers = pointers, .leaf = leaf
	};
	return NULL;
}

/* A cursor at the page's next cell. Cells may not share bytes: else a small page could stand for a lot of data. */
static const char *next_cell(struct hf_sqlite_page *p, struct hf_cur *ret)
{
	struct hf_cur c = hf_cur_of(p->bytes);

	hf_cur_seek(&c, p->pointers + 2 * p->next++);
	uint32_t at = hf_cur_u16be(&c);
	if (at < p->pointers + 2 * p->cells || at >= p->bytes.len)
		return "a pointer to a cell outside of its page";
	hf_cur_seek(&c, at);
	*ret = c;
	return NULL;
}

/* Bytes of a record of @n that stand on the leaf itself (section 1.6, "X", "M" and "K"). */
static uint64_t local_size(uint32_t usable, uint64_t n)
{
	uint64_t most = usable - 35, least = (usable - 12) * 32 / 255 - 23;

	if (n <= most)
		return n;
	uint64_t k = least + (n - least) % (usable - 4);
	return k <= most ? k : least;
}

static const char *read_overflow(struct hf_sqlite *db, hf_sv local, uint32_t page, uint64_t n, hf_sv *ret)
{
	char *room;
	const char *why = hf_pages_room(&db->pages, n, &room);
	uint64_t have = local.len;

	if (why)
		return why;
	memcpy(room, local.ptr, local.len);
	while (have < n) {
		hf_sv bytes;
		why = hf_pages_take(&db->pages, page - 1, &bytes);
		if (why)
			return why;
		struct hf_cur c = hf_cur_of(hf_sv_first(bytes, db->usable));
		page = hf_cur_u32be(&c);
		hf_sv piece = hf_sv_slice(c.all, 4, n - have);
		memcpy(room + have, piece.ptr, piece.len);
		have += piece.len;
	}
	*ret = (hf_sv){ room, n };
	return NULL;
}

static const char *read_row(struct hf_sqlite *db, struct hf_sqlite_page *p, hf_sv *ret)
{
	struct hf_cur c;
	const char *why = next_cell(p, &c);

	if (why)
		return why;
	size_t start = c.at;
	uint64_t n = varint(&c);
	(void)varint(&c); /* the row id */
	uint64_t local_n = local_size(db->usable, n);
	hf_sv local = hf_cur_take(&c, local_n);
	uint32_t overflow = local_n < n ? hf_cur_u32be(&c) : 0;
	if (c.failed)
		return "a cell that reaches over the end of its page";
	p->spent += c.at - start;
	if (p->spent > p->bytes.len) {
		p->next = p->cells;
		return "a page whose cells overlap";
	}
	*ret = local;
	return local_n < n ? read_overflow(db, local, overflow, n, ret) : NULL;
}

static const char *enter_child(struct hf_sqlite_rows *rows, struct hf_sqlite_page *p)
{
	struct hf_cur c;
	const char *why = NULL;

	if (p->next < p->cells) {
		why = next_cell(p, &c);
	} else {
		p->next++;
		c = hf_cur_of(p->bytes);
		hf_cur_seek(&c, p->pointers - 4);
	}
	if (why)
		return why;
	uint32_t child = hf_cur_u32be(&c);
	return c.failed ? "a cell that reaches over the end of its page" : enter_page(rows, child);
}

struct hf_sqlite_rows hf_sqlite_rows_of(struct hf_sqlite *db, uint32_t root)
{
	return (struct hf_sqlite_rows){ .db = db, .root = root ? root : UINT32_MAX };
}

bool hf_sqlite_next(struct hf_sqlite_rows *rows, struct hf_record *ret)
{
	*ret = (struct hf_record){ .at = rows->root };
	if (rows->root) {
		ret->why = enter_page(rows, rows->root);
		rows->root = 0;
	}
	while (!ret->why && rows->depth) {
		struct hf_sqlite_page *p = &rows->stack[rows->depth - 1];
		ret->at = p->number;
		if (p->next >= p->cells + !p->leaf)
			rows->depth--;
		else if (!p->leaf)
			ret->why = enter_child(rows, p);
		else {
			ret->why = read_row(rows->db, p, &ret->bytes);
			if (ret->why)
				ret->bytes = (hf_sv){ 0 };
			return !rows->db->pages.arena->over;
		}
	}
	return ret->why && !rows->db->pages.arena->over;
}

static int64_t integer_of(hf_sv s)
{
	uint64_t v = s.len && ((unsigned char)s.ptr[0] & 0x80) ? UINT64_MAX : 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | (unsigned char)s.ptr[i];
	return (int64_t)v;
}

bool hf_sqlite_column(hf_sv record, uint32_t n, struct hf_sqlite_value *ret)
{
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
	struct hf_cur probe = hf_cur_of(record);
	uint64_t header_n = varint(&probe), serial = 0;

	if (probe.failed || header_n < probe.at || header_n > record.len)
		return false;
	struct hf_cur header = hf_cur_of(hf_sv_first(record, header_n)), body = hf_cur_of(hf_sv_skip(record, header_n));
	hf_cur_seek(&header, probe.at);
	hf_sv bytes = { 0 };
	for (uint32_t i = 0; i <= n; i++) {
		serial = varint(&header);
		if (header.failed || serial == 10 || serial == 11)
			return false;
		bytes = hf_cur_take(&body, serial < 12 ? sizes[serial] : (serial - 12) / 2);
	}
	*ret = (struct hf_sqlite_value){ .bytes = bytes };
	if (serial >= 12)
		ret->type = serial & 1 ? HF_SQLITE_TEXT : HF_SQLITE_BLOB;
	else if (serial == 7)
		ret->type = HF_SQLITE_FLOAT;
	else if (serial)
		*ret = (struct hf_sqlite_value){ HF_SQLITE_INTEGER,
						 serial >= 8 ? (int64_t)serial - 8 : integer_of(bytes),
						 { 0 } };
	return !body.failed;
}

int hf_sqlite_table(struct hf_sqlite *db, hf_sv name, uint32_t *ret_root, struct hf_err *err)
{
	struct hf_sqlite_rows rows = hf_sqlite_rows_of(db, 1);
	struct hf_sqlite_value type, table, root;
	struct hf_record row;
	const char *why = NULL;

	while (hf_sqlite_next(&rows, &row)) {
		if (row.why) {
			why = row.why;
			continue;
		}
		if (!hf_sqlite_column(row.bytes, 0, &type) || !hf_sqlite_column(row.bytes, 1, &table) ||
		    !hf_sqlite_column(row.bytes, 3, &root)) {
			why = "a record that cannot be decoded";
			continue;
		}
		if (!hf_sv_eq(type.bytes, HF_SV("table")) || !hf_sv_eq_ascii(table.bytes, name))
			continue;
		if (root.type != HF_SQLITE_INTEGER || root.integer < 2 || root.integer > UINT32_MAX)
			return hf_fail(err, HF_E_FORMAT, "the table %.*s has no root page", HF_SV_FMT(name));
		*ret_root = (uint32_t)root.integer;
		return HF_OK;
	}
	if (db->pages.arena->over)
		return hf_fail(err, HF_E_LIMIT, "the schema of the SQLite database is over the memory allowed");
	if (why)
		return hf_fail(err, HF_E_FORMAT, "the schema of the SQLite database has %s", why);
	return hf_fail(err, HF_E_FORMAT, "SQLite database without a table %.*s", HF_SV_FMT(name));
}

bool hf_sqlite_wal_has_frames(hf_sv file)
{
	struct hf_cur c = hf_cur_of(file);
	uint32_t magic = hf_cur_u32be(&c);

	hf_cur_seek(&c, 16);
	hf_sv salts = hf_cur_take(&c, 8);
	hf_cur_seek(&c, WAL_HEADER + 8);
	hf_sv frame_salts = hf_cur_take(&c, 8);
	return !c.failed && (magic & ~1u) == 0x377f0682 && hf_sv_eq(salts, frame_salts);
}
