/* Which system calls some functions of a library can reach, by a graph of its direct calls (x86-64): from libc's functions that the
 * programs of an image import to the system calls that these make.
 *
 * Edges: call, jmp and jcc with a 32 bit displacement, and lea of an address in the code (a function that is handed on). Functions begin
 * at dynamic symbols, call targets and addresses taken. Every function whose address stands in data (tables of stdio, of name services)
 * counts as reached, since who calls it is not seen. Instructions are found by their bytes, not decoded one after the other; bytes
 * that look like one only add.
 *
 * What it misses: calls into code that is made at run time, and numbers that are computed. A site without a constant is counted as open:
 * the answer is then a hint. */
#pragma once
#include "base/map.h"
#include "baseline/elf_syscalls.h"
#include "format/elf_dynamic.h"

/* Adds to @s what the functions that are defined in @e and stand in @names (keys) can reach. Memory of @scratch, at most some 50 bytes a
 * byte of code in the worst case.
 * @return HF_OK; HF_E_UNSUPPORTED another machine, or no dynamic symbols; HF_E_LIMIT. */
hf_nodiscard int hf_elf_calls_reach(const struct hf_elf *e, const struct hf_elf_dynamic *d, const struct hf_map *names,
				    struct hf_arena *scratch, struct hf_syscalls *s, struct hf_err *err);
