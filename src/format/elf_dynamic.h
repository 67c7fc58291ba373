/* What an ELF file says to its loader: which interpreter, which libraries and where to look for them, and its dynamic symbols.
 * Source: System V ABI, chapter 5 "Dynamic Linking" (PT_INTERP, PT_DYNAMIC, DT_*, symbol table, hash table); elf(5). */
#pragma once
#include "base/arena.h"
#include "format/elf.h"

enum { HF_ELF_NEEDED_MAX = 1024 };

/* Views into the file. */
struct hf_elf_dynamic {
	hf_sv interpreter; /* empty: none */
	bool is_dynamic;   /* there is a dynamic section; the rest is only set then */
	const hf_sv *needed;
	size_t needed_n;
	hf_sv soname, rpath, runpath; /* empty: none */
	bool no_default_folders;      /* DF_1_NODEFLIB */
	hf_sv strings;                /* of symbols */
	hf_sv symbols;                /* the table */
	uint64_t symbols_n;
	size_t symbol_size;
	bool is_lost; /* something that it points to is not in the file: what is set may be less than all */
};

struct hf_elf_symbol {
	hf_sv name;
	uint64_t value, size;
	uint8_t type, bind; /* STT_*: 2 is a function, 10 one that is chosen when it is loaded */
	uint16_t section;   /* 0: not defined here */
};
enum { HF_ELF_SYMBOL_FUNCTION = 2, HF_ELF_SYMBOL_CHOSEN = 10 };

/* @return HF_OK; HF_E_LIMIT more than HF_ELF_NEEDED_MAX libraries, or the arena's cap. A file without any of it is fine. */
hf_nodiscard int hf_elf_dynamic_read(const struct hf_elf *e, struct hf_arena *a, struct hf_elf_dynamic *ret,
				     struct hf_err *err);
/* Dynamic symbol number @i; false past the last one. */
bool hf_elf_dynamic_symbol(const struct hf_elf *e, const struct hf_elf_dynamic *d, uint64_t i,
			   struct hf_elf_symbol *ret);
