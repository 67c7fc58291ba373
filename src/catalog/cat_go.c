/* Modules that a Go executable was built from: the build information that the linker leaves in it.
 *
 * Source: Go's debug/buildinfo (layout) and runtime/debug (text), both layouts; docs/formats/go-buildinfo.md.
 *   offset 0   "\xff Go buildinf:"
 *         14   size of a pointer (old layout)
 *         15   flags: 1 big endian, 2 strings stand here (Go 1.18 and later)
 *         16   old: pointer to the version string's header, pointer to that of the module text
 *         32   new: varint length and version, varint length and module text
 * The module text stands between two marks of 16 bytes. A replaced module is named by its replacement; one replaced by
 * a folder keeps its name and has no version, as has a main module that is "(devel)". */
#include "base/cursor.h"
#include "catalog/cataloger.h"
#include "format/elf.h"

enum { HEADER_SIZE = 32, ALIGN = 16, MARK_SIZE = 16, SEARCH_MAX = 1 << 20 };
enum { FLAG_BIG_ENDIAN = 1, FLAG_INLINE = 2 };

#define MAGIC HF_SV("\xff Go buildinf:")

struct build_info {
	hf_sv version, modules;
};

static hf_sv find_magic(hf_sv bytes)
{
	hf_sv rest = bytes;

	while (true) {
		size_t at = hf_sv_find(rest, MAGIC);
		if (at == SIZE_MAX)
			return (hf_sv){ 0 };
		rest = hf_sv_skip(rest, at);
		if ((size_t)(rest.ptr - bytes.ptr) % ALIGN == 0)
			return rest;
		rest = hf_sv_skip(rest, 1);
	}
}

/* Every linked Go file has the section. Only where sections were stripped the first writable segment is searched, so
 * that other executables cost nothing. */
static bool find_header(const struct hf_elf *elf, hf_sv *ret)
{
	struct hf_elf_section section;
	struct hf_elf_segment s;

	*ret = (hf_sv){ 0 };
	if (hf_elf_find_section(elf, HF_SV(".go.buildinfo"), &section)) {
		*ret = find_magic(section.content);
		return true;
	}
	for (uint64_t i = 0; !elf->names.len && hf_elf_segment_at(elf, i, &s); i++) {
		if (s.type != HF_ELF_SEGMENT_LOAD || !(s.flags & HF_ELF_SEGMENT_WRITABLE))
			continue;
		*ret = find_magic(hf_sv_first(s.content, SEARCH_MAX));
		break;
	}
	return ret->len;
}

static uint64_t read_pointer(struct hf_cur *c, uint8_t size, bool big)
{
	if (size == 8)
		return big ? hf_cur_u64be(c) : hf_cur_u64le(c);
	return big ? hf_cur_u32be(c) : hf_cur_u32le(c);
}

/* A string by the address of its header, which is pointer and length. */
static hf_sv string_at(const struct hf_elf *elf, uint64_t address, uint8_t size, bool big)
{
	struct hf_cur c = hf_cur_of(hf_elf_at_address(elf, address, 2u * size));
	uint64_t at = read_pointer(&c, size, big), n = read_pointer(&c, size, big);

	return c.failed ? (hf_sv){ 0 } : hf_elf_at_address(elf, at, n);
}

static const char *read_header(const struct hf_elf *elf, hf_sv header, struct build_info *ret)
{
	struct hf_cur c = hf_cur_of(header);

	if (!header.len)
		return "the section .go.buildinfo holds no build information";
	hf_cur_seek(&c, 14);
	uint8_t pointer_size = hf_cur_u8(&c), flags = hf_cur_u8(&c);
	if (flags & FLAG_INLINE) {
		hf_cur_seek(&c, HEADER_SIZE);
		ret->version = hf_cur_take(&c, hf_cur_uvarint(&c));
		ret->modules = hf_cur_take(&c, hf_cur_uvarint(&c));
	} else {
		bool big = flags & FLAG_BIG_ENDIAN;
		if (pointer_size != 4 && pointer_size != 8)
			return "Go build information with pointers of an unknown size";
		uint64_t version = read_pointer(&c, pointer_size, big), modules = read_pointer(&c, pointer_size, big);
		ret->version = string_at(elf, version, pointer_size, big);
		ret->modules = string_at(elf, modules, pointer_size, big);
	}
	if (c.failed || !ret->version.len)
		return "the Go build information leads out of the file";
	size_t n = ret->modules.len;
	if (n < 2 * MARK_SIZE + 1 || ret->modules.ptr[n - MARK_SIZE - 1] != '\n')
		return "Go build information without modules: its dependencies are not known";
	ret->modules = hf_sv_slice(ret->modules, MARK_SIZE, n - 2 * MARK_SIZE);
	return NULL;
}

/* "go1.22.1", "go1.21rc2", "go1.26.6-X:boringcrypto", "go1.22.9 (Red Hat 1.22.9-2.el9)" -> the number; "devel
 * go1.23-1a2b3c" -> nothing. */
static hf_sv toolchain_version(hf_sv v)
{
	size_t n = 0;

	if (!hf_sv_starts(v, HF_SV("go1")))
		return (hf_sv){ 0 };
	v = hf_sv_skip(v, 2);
	while (n < v.len && v.ptr[n] != ' ' && v.ptr[n] != '-' && v.ptr[n] != '+')
		n++;
	return hf_sv_first(v, n);
}

static int flush(struct hf_package *p, struct hf_emit *out, struct hf_err *err)
{
	int r = HF_OK;

	if (hf_sv_eq(p->version, HF_SV("(devel)")))
		p->version = (hf_sv){ 0 };
	if (p->name.len)
		r = out->package(out, p, err);
	p->name = (hf_sv){ 0 };
	return r;
}

/* A folder in the place of a module has no version of its own. */
static void replace(struct hf_package *p, hf_sv name, hf_sv version)
{
	bool folder =
		hf_sv_starts(name, HF_SV("/")) || hf_sv_starts(name, HF_SV("./")) || hf_sv_starts(name, HF_SV("../"));

	p->version = folder ? (hf_sv){ 0 } : version;
	if (!folder && name.len)
		p->name = name;
}

static int parse_modules(const struct hf_file *file, hf_sv text, struct hf_emit *out, struct hf_err *err)
{
	struct hf_package p = { .type = HF_PKG_GOLANG, .path = file->path };
	struct hf_cur c = hf_cur_of(text);
	hf_sv line, rest, kind, name, version;
	bool odd = false;

	while (hf_cur_line(&c, &line)) {
		rest = line;
		name = version = (hf_sv){ 0 };
		if (!line.len || !hf_sv_next(&rest, '\t', &kind))
			continue;
		(void)(hf_sv_next(&rest, '\t', &name) && hf_sv_next(&rest, '\t', &version));
		if (hf_sv_eq(kind, HF_SV("path")) || hf_sv_eq(kind, HF_SV("build")))
			continue;
		if (hf_sv_eq(kind, HF_SV("=>")) && p.name.len) {
			replace(&p, name, version);
			continue;
		}
		bool is_main = hf_sv_eq(kind, HF_SV("mod"));
		if (!name.len || (!is_main && !hf_sv_eq(kind, HF_SV("dep")))) {
			odd = true;
			continue;
		}
		int r = flush(&p, out, err);
		if (r < 0)
			return r;
		p.name = name;
		p.version = version;
		p.is_main = is_main;
	}
	int r = flush(&p, out, err);
	if (r >= 0 && odd) {
		r = out->unparsed(out, file->path, HF_SV("Go build information with lines of an unknown kind"), err);
		return r < 0 ? r : HF_PARTIAL;
	}
	return r;
}

static int go_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct hf_package stdlib = { .type = HF_PKG_GOLANG, .path = file->path, .name = HF_SV("stdlib") };
	struct build_info info = { 0 };
	struct hf_elf elf;
	hf_sv header;

	(void)a;
	if (hf_elf_open_parts(&elf, file->bytes, file->held, file->held_n, NULL) < 0 || !find_header(&elf, &header))
		return HF_OK;
	const char *why = read_header(&elf, header, &info);
	stdlib.version = toolchain_version(info.version);
	int r = info.version.len ? out->package(out, &stdlib, err) : HF_OK;
	if (r < 0)
		return r;
	if (why) {
		r = out->unparsed(out, file->path, hf_sv_of(why), err);
		return r < 0 ? r : HF_PARTIAL;
	}
	return parse_modules(file, info.modules, out, err);
}

const struct hf_cataloger hf_cataloger_go = {
	.name = "go",
	.summary = "Go modules and toolchain of executables, from their build information",
	.version = 1,
	.wants_elf = true,
	.parse = go_parse,
};
