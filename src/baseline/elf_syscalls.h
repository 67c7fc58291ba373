/* Which system calls the code of an ELF file can make, read off its instructions (x86-64 alone): each `syscall` with the constants
 * that are loaded into eax shortly before it. No control flow is followed, so it is the union over the whole file, whatever of it is
 * ever reached: an upper bound for code that is in the file, as long as no site is `open`. At an open site the number comes from
 * elsewhere (libc's syscall(3), Go's runtime): then it is a hint, no bound. Code that is made at run time is not seen. */
#pragma once
#include "format/elf.h"

enum { HF_SYSCALLS_MAX = 512 };

struct hf_syscalls {
	uint64_t set[HF_SYSCALLS_MAX / 64]; /* by number */
	uint64_t sites, open;               /* syscall instructions; those without a constant */
	bool is_foreign;                    /* a file of another machine: nothing is known */
};

/* Adds what @e holds to @s. Linear. */
void hf_elf_syscalls(const struct hf_elf *e, struct hf_syscalls *s);
/* The same of code[from, to) alone. */
void hf_elf_syscalls_in(hf_sv code, size_t from, size_t to, struct hf_syscalls *s);
static inline bool hf_syscalls_has(const struct hf_syscalls *s, unsigned number)
{
	return number < HF_SYSCALLS_MAX && (s->set[number / 64] >> number % 64 & 1);
}
