#include "format/elf_dynamic.h"

enum { SEGMENT_DYNAMIC = 2, SEGMENT_INTERPRETER = 3 };
enum {
	TAG_END = 0,
	TAG_NEEDED = 1,
	TAG_HASH = 4,
	TAG_STRINGS = 5,
	TAG_SYMBOLS = 6,
	TAG_STRINGS_SIZE = 10,
	TAG_SONAME = 14,
	TAG_RPATH = 15,
	TAG_RUNPATH = 29,
	TAG_FLAGS_1 = 0x6ffffffb,
	FLAG_1_NODEFLIB = 0x800,
};
enum { SYMBOL_SIZE_32 = 16, SYMBOL_SIZE_64 = 24 };

static uint64_t word(const struct hf_elf *e, struct hf_cur *c)
{
	return e->is_64 ? hf_elf_u64(e, c) : hf_elf_u32(e, c);
}

/* What stands before the first NUL. */
static hf_sv string_at(hf_sv strings, uint64_t at)
{
	if (at >= strings.len)
		return (hf_sv){ 0 };
	hf_sv rest = hf_sv_skip(strings, (size_t)at);
	const char *end = memchr(rest.ptr, 0, rest.len);
	return end ? hf_sv_first(rest, (size_t)(end - rest.ptr)) : (hf_sv){ 0 };
}

struct tags {
	uint64_t strings, strings_size, symbols, hash, soname, rpath, runpath;
	bool has_soname, has_rpath, has_runpath;
};

static void take_tag(struct hf_elf_dynamic *d, struct tags *t, uint64_t tag, uint64_t value)
{
	switch (tag) {
	case TAG_HASH:
		t->hash = value;
		break;
	case TAG_STRINGS:
		t->strings = value;
		break;
	case TAG_SYMBOLS:
		t->symbols = value;
		break;
	case TAG_STRINGS_SIZE:
		t->strings_size = value;
		break;
	case TAG_SONAME:
		t->soname = value;
		t->has_soname = true;
		break;
	case TAG_RPATH:
		t->rpath = value;
		t->has_rpath = true;
		break;
	case TAG_RUNPATH:
		t->runpath = value;
		t->has_runpath = true;
		break;
	case TAG_FLAGS_1:
		d->no_default_folders = value & FLAG_1_NODEFLIB;
		break;
	default: /* of no use here */
		break;
	}
}

/* How many there are stands in the hash table; newer files have another one, and the table of strings right behind the symbols. */
static uint64_t symbols_of(const struct hf_elf *e, const struct tags *t, size_t size)
{
	struct hf_cur c = hf_cur_of(t->hash ? hf_elf_at_address(e, t->hash, 8) : (hf_sv){ 0 });
	struct hf_elf_section s;

	(void)hf_elf_u32(e, &c);
	uint64_t n = hf_elf_u32(e, &c);
	if (!c.failed && n)
		return n;
	if (hf_elf_find_section(e, HF_SV(".dynsym"), &s))
		return s.content.len / size;
	return t->strings > t->symbols ? (t->strings - t->symbols) / size : 0;
}

static int read_needed(const struct hf_elf *e, hf_sv table, struct hf_arena *a, struct hf_elf_dynamic *d,
		       struct hf_err *err)
{
	HF_VEC(hf_sv) needed = { 0 };
	struct hf_cur c = hf_cur_of(table);

	for (;;) {
		uint64_t tag = word(e, &c), value = word(e, &c);
		if (c.failed || tag == TAG_END)
			break;
		if (tag != TAG_NEEDED)
			continue;
		hf_sv name = string_at(d->strings, value);
		hf_sv *slot = needed.n < HF_ELF_NEEDED_MAX ? hf_vec_push(a, &needed) : NULL;
		if (!slot)
			return hf_fail(err, HF_E_LIMIT, "it needs more than %d libraries", HF_ELF_NEEDED_MAX);
		*slot = name;
		if (!name.len) {
			d->is_lost = true;
			needed.n--;
		}
	}
	d->needed = needed.at;
	d->needed_n = needed.n;
	return HF_OK;
}

static void read_tables(const struct hf_elf *e, hf_sv table, struct hf_elf_dynamic *d)
{
	struct tags t = { 0 };
	struct hf_cur c = hf_cur_of(table);

	for (;;) {
		uint64_t tag = word(e, &c), value = word(e, &c);
		if (c.failed || tag == TAG_END)
			break;
		take_tag(d, &t, tag, value);
	}
	d->strings = t.strings_size ? hf_elf_at_address(e, t.strings, t.strings_size) : (hf_sv){ 0 };
	d->soname = t.has_soname ? string_at(d->strings, t.soname) : (hf_sv){ 0 };
	d->rpath = t.has_rpath ? string_at(d->strings, t.rpath) : (hf_sv){ 0 };
	d->runpath = t.has_runpath ? string_at(d->strings, t.runpath) : (hf_sv){ 0 };
	d->symbol_size = e->is_64 ? SYMBOL_SIZE_64 : SYMBOL_SIZE_32;
	uint64_t n = t.symbols ? symbols_of(e, &t, d->symbol_size) : 0;
	if (n > e->bytes.len / d->symbol_size)
		n = 0;
	d->symbols = n ? hf_elf_at_address(e, t.symbols, n * d->symbol_size) : (hf_sv){ 0 };
	d->symbols_n = d->symbols.len / d->symbol_size;
	d->is_lost = (t.strings_size && !d->strings.len) || (t.symbols && !d->symbols_n);
}

int hf_elf_dynamic_read(const struct hf_elf *e, struct hf_arena *a, struct hf_elf_dynamic *ret, struct hf_err *err)
{
	struct hf_elf_segment s;
	hf_sv table = { 0 };

	*ret = (struct hf_elf_dynamic){ 0 };
	for (uint64_t i = 0; hf_elf_segment_at(e, i, &s); i++) {
		if (s.type == SEGMENT_INTERPRETER)
			ret->interpreter = string_at(s.content, 0);
		if (s.type != SEGMENT_DYNAMIC || ret->is_dynamic)
			continue;
		ret->is_dynamic = true;
		table = s.content;
	}
	if (!ret->is_dynamic)
		return HF_OK;
	read_tables(e, table, ret);
	return read_needed(e, table, a, ret, err);
}

bool hf_elf_dynamic_symbol(const struct hf_elf *e, const struct hf_elf_dynamic *d, uint64_t i,
			   struct hf_elf_symbol *ret)
{
	if (i >= d->symbols_n)
		return false;
	struct hf_cur c = hf_cur_of(hf_sv_slice(d->symbols, (size_t)(i * d->symbol_size), d->symbol_size));
	uint32_t name = hf_elf_u32(e, &c);
	uint8_t info;

	if (e->is_64) {
		info = hf_cur_u8(&c);
		(void)hf_cur_u8(&c); /* visibility */
		ret->section = e->big_endian ? hf_cur_u16be(&c) : hf_cur_u16le(&c);
		ret->value = hf_elf_u64(e, &c);
		ret->size = hf_elf_u64(e, &c);
	} else {
		ret->value = hf_elf_u32(e, &c);
		ret->size = hf_elf_u32(e, &c);
		info = hf_cur_u8(&c);
		(void)hf_cur_u8(&c);
		ret->section = e->big_endian ? hf_cur_u16be(&c) : hf_cur_u16le(&c);
	}
	ret->name = string_at(d->strings, name);
	ret->type = info & 15;
	ret->bind = info >> 4;
	return true;
}
