#include "baseline/elf_syscalls.h"

/* Instructions by Intel's manual (volume 2): 0f 05 syscall; b8 imm32 mov eax; 48 c7 c0 imm32 mov rax; 31 c0, 33 c0 xor eax,eax;
 * 6a imm8 58 push, pop rax. */
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

/* All constants of the window count, not the nearest one alone: bytes that look like a load may be part of another instruction. */
static void site(hf_sv code, size_t at, struct hf_syscalls *s)
{
	bool found = false;
	uint64_t number;

	for (size_t i = at > WINDOW ? at - WINDOW : 0; i < at; i++)
		if (constant_at(hf_sv_first(code, at), i, &number)) {
			add(s, number);
			found = true;
		}
	s->sites++;
	s->open += !found;
}

void hf_elf_syscalls(const struct hf_elf *e, struct hf_syscalls *s)
{
	struct hf_elf_segment segment;
	size_t left = e->bytes.len; /* segments may lie over each other */
	uint64_t sites = 0;

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
		for (size_t at = 0; at + 1 < code.len; at++) {
			const char *hit = memchr(code.ptr + at, 0x0f, code.len - 1 - at);
			if (!hit)
				break;
			at = (size_t)(hit - code.ptr);
			if (code.ptr[at + 1] != 0x05)
				continue;
			if (++sites > SITES_MAX) {
				s->open++;
				return;
			}
			site(code, at, s);
		}
	}
}
