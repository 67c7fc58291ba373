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

/* Bytes [at, at + n) of the file, empty where not all of them are there. */
static hf_sv whole_slice(hf_sv bytes, uint64_t at, uint64_t n)
{
	if (at > bytes.len || n > bytes.len - at)
		return (hf_sv){ 0 };
	return hf_sv_slice(bytes, (size_t)at, (size_t)n);
}

static hf_sv table(hf_sv bytes, uint64_t at, uint64_t n, uint16_t size)
{
	uint64_t total;

	if (!at || __builtin_mul_overflow(n, (uint64_t)size, &total))
		return (hf_sv){ 0 };
	return whole_slice(bytes, at, total);
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
	return h->type == NO_BITS ? (hf_sv){ 0 } : whole_slice(e->bytes, h->offset, h->size);
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
	    section_header_in(e, table(e->bytes, sections_at, 1, e->section_size), &first)) {
		if (!e->sections_n)
			e->sections_n = first.size;
		if (index == NAMES_ESCAPE)
			index = first.link;
		if (e->segments_n == SEGMENTS_ESCAPE)
			e->segments_n = first.info;
		e->sections = table(e->bytes, sections_at, e->sections_n, e->section_size);
	}
	if (!e->sections.len)
		e->sections_n = 0;
	if (index < e->sections_n && section_header_in(e, section_entry(e, index), &names))
		e->names = section_content(e, &names);
	if (e->segment_size >= (e->is_64 ? SEGMENT_SIZE_64 : SEGMENT_SIZE_32))
		e->segments = table(e->bytes, segments_at, e->segments_n, e->segment_size);
	if (!e->segments.len)
		e->segments_n = 0;
}

int hf_elf_open(struct hf_elf *e, hf_sv bytes, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(bytes);

	*e = (struct hf_elf){ .bytes = bytes };
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
		return whole_slice(s.content, address - s.address, n);
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
		if (s.type == HF_ELF_SEGMENT_NOTE)
			content = note_in(e, &s, owner, type);
	return content;
}
