#include "advisory/pages.h"

#include "base/cursor.h"

enum {
	PAGE_HEADER = 16, /* number u64, unused u16, flags u16, end of pointers u16, start of nodes u16 */
	NODE_HEADER = 8,  /* u16 u16: size or page, low first; u16 flags or page; u16 key size */
	BRANCH = 0x01,
	LEAF = 0x02,
	OVERFLOW = 0x04,
	NODE_BIG = 0x01,
	PAGES_DEPTH_MAX = 16,
	META_MAGIC = 0xBEEFC0DE,
	META_ROOT = PAGE_HEADER + 24 + 48, /* behind magic, version, address, map size, and the list of free pages */
};

struct node {
	hf_sv key;
	uint64_t child;
	uint32_t size;
	uint16_t flags;
	hf_sv rest; /* what stands behind the key, to the end of the page */
};

static hf_sv page_at(const struct hf_pages *p, uint64_t number)
{
	if (number >= p->pages_n)
		return (hf_sv){ 0 };
	return hf_sv_slice(p->file, (size_t)number * p->page_size, p->page_size);
}

static bool node_at(hf_sv page, uint32_t nth, struct node *ret)
{
	struct hf_cur c = hf_cur_of(page);

	hf_cur_seek(&c, PAGE_HEADER + 2 * (size_t)nth);
	uint16_t at = hf_cur_u16le(&c);
	hf_cur_seek(&c, at);
	uint16_t low = hf_cur_u16le(&c), high = hf_cur_u16le(&c);
	ret->flags = hf_cur_u16le(&c);
	ret->size = low | (uint32_t)high << 16;
	ret->child = ret->size | (uint64_t)ret->flags << 32;
	ret->key = hf_cur_take(&c, hf_cur_u16le(&c));
	ret->rest = hf_sv_skip(page, c.at);
	return !c.failed && at >= PAGE_HEADER;
}

static bool header(hf_sv page, uint16_t *ret_flags, uint32_t *ret_nodes)
{
	struct hf_cur c = hf_cur_of(page);

	hf_cur_seek(&c, 10);
	*ret_flags = hf_cur_u16le(&c);
	uint16_t lower = hf_cur_u16le(&c);
	*ret_nodes = lower >= PAGE_HEADER && lower <= page.len ? (lower - PAGE_HEADER) / 2u : 0;
	return !c.failed && *ret_nodes;
}

/* The number of the last node whose key is not above @key; in a branch the first node's key counts as the lowest. */
static bool search(hf_sv page, uint32_t nodes, hf_sv key, bool branch, struct node *ret, bool *damaged)
{
	uint32_t low = branch ? 1 : 0, high = nodes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!node_at(page, middle, ret)) {
			*damaged = true;
			return false;
		}
		if (hf_sv_cmp(ret->key, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	if (!node_at(page, low - 1, ret)) {
		*damaged = true;
		return false;
	}
	return true;
}

static bool value_of(const struct hf_pages *p, const struct node *n, hf_sv *ret, bool *damaged)
{
	struct hf_cur c = hf_cur_of(n->rest);

	if (!(n->flags & NODE_BIG)) {
		*ret = hf_cur_take(&c, n->size);
		*damaged |= c.failed;
		return !c.failed;
	}
	uint64_t number = hf_cur_u64le(&c);
	struct hf_cur big = hf_cur_of(p->file);
	if (c.failed || number >= p->pages_n) {
		*damaged = true;
		return false;
	}
	hf_cur_seek(&big, number * p->page_size + 10);
	bool overflow = hf_cur_u16le(&big) & OVERFLOW;
	hf_cur_take(&big, 4);
	*ret = hf_cur_take(&big, n->size);
	*damaged |= big.failed || !overflow;
	return !big.failed && overflow;
}

bool hf_pages_get(const struct hf_pages *p, hf_sv key, hf_sv *ret_value, bool *damaged)
{
	uint64_t number = p->root;

	for (uint32_t level = 0; level < p->depth; level++) {
		hf_sv page = page_at(p, number);
		struct node n;
		uint16_t flags;
		uint32_t nodes;

		if (!header(page, &flags, &nodes) || !(flags & (level + 1 == p->depth ? LEAF : BRANCH))) {
			*damaged = true;
			return false;
		}
		if (!search(page, nodes, key, level + 1 < p->depth, &n, damaged))
			return false;
		if (level + 1 == p->depth)
			return hf_sv_eq(n.key, key) && value_of(p, &n, ret_value, damaged);
		number = n.child;
	}
	return false;
}

struct meta {
	uint64_t last_page, transaction;
	uint64_t root;
	uint32_t page_size;
	uint16_t depth, flags;
};

static bool meta_at(hf_sv file, uint64_t at, struct meta *m)
{
	struct hf_cur c = hf_cur_of(file);

	hf_cur_seek(&c, at + PAGE_HEADER);
	bool known = hf_cur_u32le(&c) == META_MAGIC;
	known = hf_cur_u32le(&c) == 1 && known;
	hf_cur_take(&c, 16);
	m->page_size = hf_cur_u32le(&c);
	hf_cur_seek(&c, at + META_ROOT + 4);
	m->flags = hf_cur_u16le(&c);
	m->depth = hf_cur_u16le(&c);
	hf_cur_take(&c, 32);
	m->root = hf_cur_u64le(&c);
	m->last_page = hf_cur_u64le(&c);
	m->transaction = hf_cur_u64le(&c);
	return known && !c.failed && m->page_size >= 512 && m->page_size <= 65536 &&
	       !(m->page_size & (m->page_size - 1));
}

int hf_pages_open(hf_sv file, struct hf_pages *ret, struct hf_err *err)
{
	struct meta first, second;

	if (!meta_at(file, 0, &first))
		return hf_fail(err, HF_E_FORMAT, "not a database of this program (no LMDB header)");
	if (meta_at(file, first.page_size, &second) && second.transaction > first.transaction)
		first = second;
	*ret = (struct hf_pages){
		.file = file,
		.page_size = first.page_size,
		.root = first.root,
		.depth = first.depth,
		.pages_n = first.last_page + 1,
	};
	if (ret->pages_n > file.len / first.page_size)
		return hf_fail(err, HF_E_TRUNCATED, "the database ends too early: %zu bytes for %llu pages", file.len,
			       (unsigned long long)ret->pages_n);
	if (first.depth > PAGES_DEPTH_MAX || first.flags || (first.depth && first.root >= ret->pages_n))
		return hf_fail(err, HF_E_FORMAT, "not a database of this program (its tree is of another kind)");
	return HF_OK;
}
