/* Opens the input, looks a section, an address and a note up. */
#include <stdlib.h>

#include "format/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t touch(hf_sv s)
{
	return s.len ? (unsigned char)s.ptr[0] + (unsigned char)s.ptr[s.len - 1] : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_elf_section section;
	struct hf_elf_segment segment;
	struct hf_err err = { 0 };
	struct hf_elf e;
	uint64_t sum = 0;

	if (hf_elf_open(&e, (hf_sv){ (const char *)data, size }, &err) < 0)
		return 0;
	if (hf_elf_find_section(&e, HF_SV(".go.buildinfo"), &section))
		sum += touch(section.content);
	for (uint64_t i = 0; i < 4 && hf_elf_segment_at(&e, i, &segment); i++)
		sum += touch(segment.content) + touch(hf_elf_at_address(&e, segment.address + 1, 16));
	sum += touch(hf_elf_find_note(&e, HF_SV("GNU"), HF_ELF_NOTE_BUILD_ID));
	struct hf_span parts[HF_ELF_PARTS_MAX];
	size_t n = hf_elf_parts(hf_sv_first((hf_sv){ (const char *)data, size }, HF_ELF_HEAD), size, size / 2, parts);
	for (size_t i = 0; i < n; i++)
		if (parts[i].from >= parts[i].to || parts[i].to > size || (i && parts[i].from <= parts[i - 1].to))
			abort();
	if (n && hf_elf_open_parts(&e, (hf_sv){ (const char *)data, size }, parts, n, &err) == HF_OK &&
	    hf_elf_find_section(&e, HF_SV(".go.buildinfo"), &section))
		sum += touch(section.content);
	return sum == UINT64_MAX;
}
