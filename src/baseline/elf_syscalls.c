#include "baseline/elf_syscalls.h"

/* Instructions by Intel's manual (volume 2): 0f 05 syscall; b8 imm32 mov eax; 48 c7 c0 imm32 mov rax; 31 c0, 33 c0 xor eax,eax;
 * 6a imm8 58 push, pop rax. Where eax is copied from another register (89 /r, 8b /r), [41] b8+r imm32 of that one count too. */
enum { MACHINE_X86_64 = 62, WINDOW = 64, NUMBER_MAX = HF_SYSCALLS_MAX, SITES_MAX = 1 << 18 };

static void add(struct hf_syscalls *s, uint64_t number)
{
	s->set[number / 64] |= UINT64_C(1) << number % 64;
}

static bool constant_at(hf_sv code, size_t at, uint64_t *ret)
{
	const unsigned char *p = (const unsigned char *)code.ptr + at;
	size_t left = code.len - at;
	struct hf_cur c = hf_cur_of(hf_sv_skip(code, at));

	if (left >= 2 && (p[0] == 0x31 || p[0] == 0x33) && p[1] == 0xc0) {
		*ret = 0;
		return true;
	}
	if (left >= 3 && p[0] == 0x6a && p[2] == 0x58) {
		*ret = p[1];
		return true;
	}
	if (left >= 5 && p[0] == 0xb8)
		hf_cur_seek(&c, 1);
	else if (left >= 7 && p[0] == 0x48 && p[1] == 0xc7 && p[2] == 0xc0)
		hf_cur_seek(&c, 3);
	else
		return false;
	*ret = hf_cur_u32le(&c);
	return *ret < NUMBER_MAX;
}

/* mov REGISTER, imm32 at @at, where it is a number of a system call: the register, else -1. */
static int other_constant(const unsigned char *p, size_t left, uint64_t *ret)
{
	bool high = left >= 6 && p[0] == 0x41;

	p += high;
	if (left < 5 || (p[0] & 0xf8) != 0xb8)
		return -1;
	*ret = (uint64_t)p[1] | (uint64_t)p[2] << 8 | (uint64_t)p[3] << 16 | (uint64_t)p[4] << 24;
	return *ret < NUMBER_MAX ? (p[0] & 7) + 8 * high : -1;
}

/* mov eax, REGISTER: the register, else -1. */
static int copied_register(const unsigned char *p, size_t left)
{
	bool prefix = left >= 3 && (p[0] & 0xf0) == 0x40;
	unsigned rex = prefix ? p[0] : 0;

	p += prefix;
	if (left < 2u + prefix || (p[1] & 0xc0) != 0xc0)
		return -1;
	if (p[0] == 0x89 && (p[1] & 7) == 0 && !(rex & 1))
		return (p[1] >> 3 & 7) + (rex & 4 ? 8 : 0);
	if (p[0] == 0x8b && (p[1] >> 3 & 7) == 0 && !(rex & 4))
		return (p[1] & 7) + (rex & 1 ? 8 : 0);
	return -1;
}

static bool copied_constants(hf_sv code, size_t from, size_t at, struct hf_syscalls *s)
{
	const unsigned char *p = (const unsigned char *)code.ptr;
	bool found = false;
	unsigned copied = 0;
	uint64_t number;
	int r;

	for (size_t i = from; i < at; i++)
		if ((r = copied_register(p + i, at - i)) > 0)
			copied |= 1u << r;
	for (size_t i = from; copied && i < at; i++)
		if ((r = other_constant(p + i, at - i, &number)) > 0 && (copied >> r & 1)) {
			add(s, number);
			found = true;
		}
	return found;
}

/* All constants of the window count, not the nearest one alone: bytes that look like a load may be part of another instruction. */
static void site(hf_sv code, size_t from, size_t at, struct hf_syscalls *s)
{
	size_t begin = at - from > WINDOW ? at - WINDOW : from;
	bool found = copied_constants(code, begin, at, s);
	uint64_t number;

	for (size_t i = begin; i < at; i++)
		if (constant_at(hf_sv_first(code, at), i, &number)) {
			add(s, number);
			found = true;
		}
	s->sites++;
	s->open += !found;
}

void hf_elf_syscalls_in(hf_sv code, size_t from, size_t to, struct hf_syscalls *s)
{
	for (size_t at = from; at + 1 < to; at++) {
		const char *hit = memchr(code.ptr + at, 0x0f, to - 1 - at);
		if (!hit)
			return;
		at = (size_t)(hit - code.ptr);
		if (code.ptr[at + 1] != 0x05)
			continue;
		if (s->sites >= SITES_MAX) {
			s->open++;
			return;
		}
		site(code, from, at, s);
	}
}

void hf_elf_syscalls(const struct hf_elf *e, struct hf_syscalls *s)
{
	struct hf_elf_segment segment;
	size_t left = e->bytes.len; /* segments may lie over each other */

	if (e->machine != MACHINE_X86_64 || !e->is_64) {
		s->is_foreign = true;
		return;
	}
	for (uint64_t i = 0; i < 64 && hf_elf_segment_at(e, i, &segment); i++) {
		hf_sv code = segment.content;
		if (segment.type != HF_ELF_SEGMENT_LOAD || !(segment.flags & HF_ELF_SEGMENT_EXECUTABLE))
			continue;
		if (code.len > left) {
			s->open++;
			return;
		}
		left -= code.len;
		hf_elf_syscalls_in(code, 0, code.len, s);
	}
}
