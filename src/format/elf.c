#include "format/elf.h"

enum { CLASS_32 = 1, CLASS_64 = 2, ORDER_LITTLE = 1, ORDER_BIG = 2, IDENT_SIZE = 16 };
enum { SECTION_SIZE_32 = 40, SECTION_SIZE_64 = 64, SEGMENT_SIZE_32 = 32, SEGMENT_SIZE_64 = 56 };
enum { NO_BITS = 8, NAMES_ESCAPE = 0xffff, SEGMENTS_ESCAPE = 0xffff };

static uint16_t read_u16(const struct hf_elf *e, struct hf_cur *c)
{
	return e->big_endian ? hf_cur_u16be(c) : hf_cur_u16le(c);
}

uint32_t hf_elf_u32(const struct hf_elf *e, struct hf_cur *c)
{
	return e->big_endian ? hf_cur_u32be(c) : hf_cur_u32le(c);
}

uint64_t hf_elf_u64(const struct hf_elf *e, struct hf_cur *c)
{
	return e->big_endian ? hf_cur_u64be(c) : hf_cur_u64le(c);
}

/* An address, offset or size: as wide as the class. */
static uint64_t read_word(const struct hf_elf *e, struct hf_cur *c)
{
	return e->is_64 ? hf_elf_u64(e, c) : hf_elf_u32(e, c);
}

static bool is_held(const struct hf_elf *e, uint64_t at, uint64_t n)
{
	return !e->held || hf_spans_hold(e->held, e->held_n, at, n);
}

/* Bytes [at, at + n) of the file, empty where not all of them are there. */
static hf_sv whole_slice(const struct hf_elf *e, uint64_t at, uint64_t n)
{
	if (at > e->bytes.len || n > e->bytes.len - at || !is_held(e, at, n))
		return (hf_sv){ 0 };
	return hf_sv_slice(e->bytes, (size_t)at, (size_t)n);
}

static hf_sv table(const struct hf_elf *e, uint64_t at, uint64_t n, uint16_t size)
{
	uint64_t total;

	if (!at || __builtin_mul_overflow(n, (uint64_t)size, &total))
		return (hf_sv){ 0 };
	return whole_slice(e, at, total);
}

struct section_header {
	uint32_t name, type, link, info;
	uint64_t address, offset, size;
};

static bool section_header_in(const struct hf_elf *e, hf_sv entry, struct section_header *h)
{
	struct hf_cur c = hf_cur_of(entry);

	h->name = hf_elf_u32(e, &c);
	h->type = hf_elf_u32(e, &c);
	(void)read_word(e, &c); /* flags */
	h->address = read_word(e, &c);
	h->offset = read_word(e, &c);
	h->size = read_word(e, &c);
	h->link = hf_elf_u32(e, &c);
	h->info = hf_elf_u32(e, &c);
	return !c.failed;
}

static hf_sv section_content(const struct hf_elf *e, const struct section_header *h)
{
	return h->type == NO_BITS ? (hf_sv){ 0 } : whole_slice(e, h->offset, h->size);
}

static hf_sv section_entry(const struct hf_elf *e, uint64_t i)
{
	return hf_sv_slice(e->sections, (size_t)(i * e->section_size), e->section_size);
}

/* Numbers that do not fit their 16 bits stand in section 0. */
static void place_tables(struct hf_elf *e, uint64_t sections_at, uint64_t segments_at, uint16_t names_index)
{
	struct section_header first = { 0 }, names;
	uint64_t index = names_index;

	if (e->section_size >= (e->is_64 ? SECTION_SIZE_64 : SECTION_SIZE_32) &&
	    section_header_in(e, table(e, sections_at, 1, e->section_size), &first)) {
		if (!e->sections_n)
			e->sections_n = first.size;
		if (index == NAMES_ESCAPE)
			index = first.link;
		if (e->segments_n == SEGMENTS_ESCAPE)
			e->segments_n = first.info;
		e->sections = table(e, sections_at, e->sections_n, e->section_size);
	}
	if (!e->sections.len)
		e->sections_n = 0;
	if (index < e->sections_n && section_header_in(e, section_entry(e, index), &names)) {
		e->names = section_content(e, &names);
		if (!__builtin_add_overflow(names.offset, names.size, &e->names_at.to))
			e->names_at.from = names.offset;
		else
			e->names_at.to = 0;
	}
	e->lost = e->held && sections_at && !e->names.len;
	if (e->segment_size >= (e->is_64 ? SEGMENT_SIZE_64 : SEGMENT_SIZE_32))
		e->segments = table(e, segments_at, e->segments_n, e->segment_size);
	if (!e->segments.len)
		e->segments_n = 0;
}

int hf_elf_open(struct hf_elf *e, hf_sv bytes, struct hf_err *err)
{
	return hf_elf_open_parts(e, bytes, NULL, 0, err);
}

int hf_elf_open_parts(struct hf_elf *e, hf_sv bytes, const struct hf_span *held, size_t held_n, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(bytes);

	*e = (struct hf_elf){ .bytes = bytes, .held = held, .held_n = held_n };
	if (!hf_sv_starts(bytes, HF_SV("\177ELF")))
		return hf_fail(err, HF_E_FORMAT, "not an ELF file");
	hf_cur_seek(&c, 4);
	uint8_t class = hf_cur_u8(&c), order = hf_cur_u8(&c), version = hf_cur_u8(&c);
	if ((class != CLASS_32 && class != CLASS_64) || (order != ORDER_LITTLE && order != ORDER_BIG) || version != 1)
		return hf_fail(err, HF_E_FORMAT, "an ELF file of class %u, byte order %u, version %u", class, order,
			       version);
	e->is_64 = class == CLASS_64;
	e->big_endian = order == ORDER_BIG;
	hf_cur_seek(&c, IDENT_SIZE + 2);
	e->machine = read_u16(e, &c);
	(void)hf_elf_u32(e, &c); /* version */
	(void)read_word(e, &c);  /* entry */
	uint64_t segments_at = read_word(e, &c), sections_at = read_word(e, &c);
	(void)hf_elf_u32(e, &c); /* flags */
	(void)read_u16(e, &c);   /* size of this header */
	e->segment_size = read_u16(e, &c);
	e->segments_n = read_u16(e, &c);
	e->section_size = read_u16(e, &c);
	e->sections_n = read_u16(e, &c);
	e->sections_at = sections_at;
	uint16_t names_index = read_u16(e, &c);
	if (c.failed)
		return hf_fail(err, HF_E_FORMAT, "the ELF header is cut off");
	place_tables(e, sections_at, segments_at, names_index);
	return HF_OK;
}

bool hf_elf_find_section(const struct hf_elf *e, hf_sv name, struct hf_elf_section *ret)
{
	struct section_header h;

	/* Most files do not have it: a look at the names spares the walk. */
	if (hf_sv_find(e->names, name) == SIZE_MAX)
		return false;
	for (uint64_t i = 1; i < e->sections_n; i++) {
		hf_sv entry = section_entry(e, i);
		struct hf_cur c = hf_cur_of(entry);
		hf_sv here = hf_sv_skip(e->names, hf_elf_u32(e, &c));
		if (here.len <= name.len || here.ptr[name.len] || !hf_sv_starts(here, name) ||
		    !section_header_in(e, entry, &h))
			continue;
		*ret = (struct hf_elf_section){ .type = h.type,
						.address = h.address,
						.content = section_content(e, &h) };
		return true;
	}
	return false;
}

bool hf_elf_segment_at(const struct hf_elf *e, uint64_t i, struct hf_elf_segment *ret)
{
	if (i >= e->segments_n)
		return false;
	struct hf_cur c = hf_cur_of(hf_sv_slice(e->segments, (size_t)(i * e->segment_size), e->segment_size));
	*ret = (struct hf_elf_segment){ .type = hf_elf_u32(e, &c) };
	if (e->is_64)
		ret->flags = hf_elf_u32(e, &c);
	uint64_t offset = read_word(e, &c);
	ret->address = read_word(e, &c);
	(void)read_word(e, &c); /* physical address */
	uint64_t size = read_word(e, &c);
	ret->memory_size = read_word(e, &c);
	if (!e->is_64)
		ret->flags = hf_elf_u32(e, &c);
	ret->align = read_word(e, &c);
	ret->from = offset;
	ret->size = size;
	if (offset <= e->bytes.len)
		ret->content = hf_sv_slice(e->bytes, (size_t)offset, size < SIZE_MAX ? (size_t)size : SIZE_MAX);
	return true;
}

hf_sv hf_elf_at_address(const struct hf_elf *e, uint64_t address, uint64_t n)
{
	struct hf_elf_segment s;

	for (uint64_t i = 0; hf_elf_segment_at(e, i, &s); i++) {
		if (s.type != HF_ELF_SEGMENT_LOAD || address < s.address || address - s.address >= s.content.len)
			continue;
		if (n > s.content.len - (address - s.address))
			return (hf_sv){ 0 };
		return whole_slice(e, s.from + (address - s.address), n);
	}
	return (hf_sv){ 0 };
}

/* Notes are padded to 4 bytes; those in a segment aligned to 8 (.note.gnu.property) to 8. */
static hf_sv note_in(const struct hf_elf *e, const struct hf_elf_segment *s, hf_sv owner, uint32_t type)
{
	struct hf_cur c = hf_cur_of(s->content);
	uint64_t pad = s->align == 8 ? 7 : 3;

	while (hf_cur_left(&c) >= 12) {
		uint64_t name_len = hf_elf_u32(e, &c), content_len = hf_elf_u32(e, &c);
		uint32_t here = hf_elf_u32(e, &c);
		hf_sv name = hf_cur_take(&c, name_len);
		(void)hf_cur_take(&c, ((c.at + pad) & ~pad) - c.at);
		hf_sv content = hf_cur_take(&c, content_len);
		if (c.failed)
			return (hf_sv){ 0 };
		if (here == type && name.len == owner.len + 1 && hf_sv_starts(name, owner))
			return content;
		(void)hf_cur_take(&c, ((c.at + pad) & ~pad) - c.at);
	}
	return (hf_sv){ 0 };
}

hf_sv hf_elf_find_note(const struct hf_elf *e, hf_sv owner, uint32_t type)
{
	struct hf_elf_segment s;
	hf_sv content = { 0 };

	for (uint64_t i = 0; !content.len && hf_elf_segment_at(e, i, &s); i++)
		if (s.type == HF_ELF_SEGMENT_NOTE && is_held(e, s.from, s.content.len))
			content = note_in(e, &s, owner, type);
	return content;
}

static void add_part(struct hf_span *parts, size_t *n, struct hf_span r, uint64_t size)
{
	size_t at = *n;

	if (r.to > size)
		r.to = size;
	if (r.from >= r.to)
		return;
	while (at && parts[at - 1].from > r.from) {
		parts[at] = parts[at - 1];
		at--;
	}
	parts[at] = r;
	(*n)++;
}

/* Ascending parts that touch become one. Returns the bytes of all. */
static uint64_t join_parts(struct hf_span *parts, size_t *n)
{
	uint64_t total = 0;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		if (kept && parts[i].from <= parts[kept - 1].to) {
			if (parts[i].to > parts[kept - 1].to)
				parts[kept - 1].to = parts[i].to;
			continue;
		}
		parts[kept++] = parts[i];
	}
	*n = kept;
	for (size_t i = 0; i < kept; i++)
		total += parts[i].to - parts[i].from;
	return total;
}

/* What is always needed, and the file without @hole. */
static size_t parts_without(const struct hf_elf *e, struct hf_span hole, uint64_t size, uint64_t most,
			    struct hf_span out[HF_ELF_PARTS_MAX])
{
	uint64_t table_size = 0, table_end;
	size_t n = 0;

	(void)__builtin_mul_overflow(e->sections_n ? e->sections_n : 1, (uint64_t)e->section_size, &table_size);
	if (__builtin_add_overflow(e->sections_at, table_size, &table_end))
		table_end = 0;
	add_part(out, &n, (struct hf_span){ 0, HF_ELF_HEAD }, size);
	add_part(out, &n, (struct hf_span){ e->sections_at, table_end }, size);
	add_part(out, &n, e->names_at, size);
	add_part(out, &n, (struct hf_span){ 0, hole.from }, size);
	add_part(out, &n, (struct hf_span){ hole.to, size }, size);
	return join_parts(out, &n) <= most ? n : 0;
}

size_t hf_elf_parts(hf_sv head, uint64_t size, uint64_t most, struct hf_span out[HF_ELF_PARTS_MAX])
{
	struct hf_span code = { 0 };
	struct hf_elf_segment s;
	uint64_t data = 0, end;
	struct hf_elf e;

	if (hf_elf_open(&e, head, NULL) < 0)
		return 0;
	for (uint64_t i = 0; hf_elf_segment_at(&e, i, &s); i++) {
		if (s.type != HF_ELF_SEGMENT_LOAD || __builtin_add_overflow(s.from, s.size, &end))
			continue;
		if ((s.flags & HF_ELF_SEGMENT_EXECUTABLE) && !(s.flags & HF_ELF_SEGMENT_WRITABLE) &&
		    s.size > code.to - code.from)
			code = (struct hf_span){ s.from, end };
		if ((s.flags & HF_ELF_SEGMENT_WRITABLE) && (!data || s.from < data))
			data = s.from;
	}
	size_t n = code.to ? parts_without(&e, code, size, most, out) : 0;
	return n || data < HF_ELF_HEAD ? n : parts_without(&e, (struct hf_span){ HF_ELF_HEAD, data }, size, most, out);
}
