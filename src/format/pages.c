#include "format/pages.h"

#include "base/limits.h"

enum { ROOM_MIN = 64 << 10, ROOM_DOUBLED_MAX = 4 << 20 };

bool hf_pages_init(struct hf_pages *p, hf_sv file, uint32_t size, struct hf_arena *a)
{
	uint64_t n = file.len / size;

	*p = (struct hf_pages){
		.file = file, .size = size, .n = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n, .arena = a
	};
	p->seen = hf_arena_alloc(a, (size_t)p->n / 8 + 1, 1);
	return p->seen != NULL;
}

const char *hf_pages_take(struct hf_pages *p, uint32_t number, hf_sv *ret)
{
	if (number >= p->n)
		return "a pointer to a page outside of the file";
	unsigned char bit = (unsigned char)(1u << (number & 7));
	if (p->seen[number >> 3] & bit)
		return "two pointers to the same page";
	p->seen[number >> 3] |= bit;
	*ret = hf_sv_slice(p->file, (size_t)number * p->size, p->size);
	return NULL;
}

const char *hf_pages_room(struct hf_pages *p, uint64_t n, char **ret)
{
	if (n > p->file.len)
		return "a value larger than the file";
	if (n > HF_DATABASE_VALUE_MAX)
		return "a value over the limit of 12 MiB";
	if (n > p->joined_size) {
		size_t size = p->joined_size ? p->joined_size : ROOM_MIN;
		/* Doubling would leave as much again behind in the arena: the last step goes right to the limit. */
		while (size < n && size < ROOM_DOUBLED_MAX)
			size *= 2;
		if (size < n)
			size = HF_DATABASE_VALUE_MAX;
		char *room = hf_arena_alloc(p->arena, size, 1);
		if (!room)
			return "out of the memory allowed";
		p->joined = room;
		p->joined_size = size;
	}
	*ret = p->joined;
	return NULL;
}
