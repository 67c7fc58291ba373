/* A reader of ELF files of both classes and byte orders, over bytes that are mapped whole: it touches the header, the
 * section table, the section names and what is asked for, and nothing else, so a file of 100 MB costs a handful of
 * pages. Source: System V ABI 4.1 and its drafts, chapters 4 and 5 (ELF header, sections, program header); elf(5). */
#pragma once
#include "base/cursor.h"
#include "base/error.h"
#include "base/span.h"

enum { HF_ELF_NOTE_BUILD_ID = 3 }; /* of the owner "GNU" */
enum { HF_ELF_SEGMENT_LOAD = 1, HF_ELF_SEGMENT_NOTE = 4 };
enum { HF_ELF_SEGMENT_EXECUTABLE = 1 << 0, HF_ELF_SEGMENT_WRITABLE = 1 << 1 };
enum { HF_ELF_PARTS_MAX = 6, HF_ELF_HEAD = 64 << 10 };

struct hf_elf {
	hf_sv bytes;
	const struct hf_span *held; /* of `bytes`; NULL: all of them */
	size_t held_n;
	bool lost;               /* the section table or the section names lie in what is not held */
	uint64_t sections_at;    /* offset of the table, whether it is there or not */
	struct hf_span names_at; /* of the section names, as far as the table is there */
	bool is_64, big_endian;
	uint16_t machine;
	hf_sv sections; /* the table; empty: there is none, or it does not lie in the file */
	hf_sv segments; /* the program headers, likewise */
	uint64_t sections_n, segments_n;
	uint16_t section_size, segment_size; /* of one entry */
	hf_sv names;                         /* of sections */
};

struct hf_elf_section {
	uint32_t type;
	uint64_t address;
	hf_sv content; /* empty where it takes no room in the file or lies outside of it */
};

struct hf_elf_segment {
	uint32_t type, flags;
	uint64_t address, memory_size, align;
	uint64_t from, size; /* in the file, as it says */
	hf_sv content;       /* cut to what is in the file */
};

/* Reads the header. Tables that do not lie in the file are taken as missing: the kernel runs files without sections.
 * @return HF_OK; HF_E_FORMAT not ELF, or of a class, byte order or version that there is not. */
hf_nodiscard int hf_elf_open(struct hf_elf *e, hf_sv bytes, struct hf_err *err);
/* The same where of @bytes, which are as long as the file, only @held are there: the rest counts as not in the file. */
hf_nodiscard int hf_elf_open_parts(struct hf_elf *e, hf_sv bytes, const struct hf_span *held, size_t held_n,
				   struct hf_err *err);
/* Which parts of a file of @size bytes that begins with @head (HF_ELF_HEAD bytes) are worth holding where all of it is
 * too much: its data, its section table, names of sections and what follows the data; with the read-only data where
 * that fits. Together at most @most bytes, ascending and apart.
 * @return their number; 0 where @head does not tell, or nothing fits */
size_t hf_elf_parts(hf_sv head, uint64_t size, uint64_t most, struct hf_span out[HF_ELF_PARTS_MAX]);
/* The first section of that name; false where there is none. */
bool hf_elf_find_section(const struct hf_elf *e, hf_sv name, struct hf_elf_section *ret);
/* Program header number @i; false past the last one. */
bool hf_elf_segment_at(const struct hf_elf *e, uint64_t i, struct hf_elf_segment *ret);
/* The @n bytes that the file puts at a virtual address; empty where it does not hold all of them. */
hf_sv hf_elf_at_address(const struct hf_elf *e, uint64_t address, uint64_t n);
/* The content of the first note of @owner ("GNU") and @type in the note segments; empty where there is none. */
hf_sv hf_elf_find_note(const struct hf_elf *e, hf_sv owner, uint32_t type);
/* A 4 (or 8) byte integer in the file's byte order, as a cursor reads it. */
uint32_t hf_elf_u32(const struct hf_elf *e, struct hf_cur *c);
uint64_t hf_elf_u64(const struct hf_elf *e, struct hf_cur *c);
