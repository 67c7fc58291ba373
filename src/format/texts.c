#include "format/texts.h"

#include "base/limits.h"

enum { SLOTS = 1 << 14, STEP = HF_MIB(2) };

struct hf_texts hf_texts_of(hf_sv input, void (*release)(hf_sv part), struct hf_arena *a)
{
	return (struct hf_texts){ .arena = a,
				  .input = input,
				  .release = release,
				  .slots = release ? hf_arena_array(a, struct hf_text_slot, SLOTS) : NULL };
}

static uint64_t word(const char *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n);
	return w;
}

/* Texts that were made to collide cost a copy each, no more. */
static uint64_t hash_of(hf_sv s)
{
	uint64_t front = s.len < 8 ? word(s.ptr, s.len) : word(s.ptr, 8),
		 back = s.len < 8 ? 0 : word(s.ptr + s.len - 8, 8);
	uint64_t h = (front ^ s.len) * 0x9e3779b97f4a7c15;

	h = (h ^ h >> 32 ^ back) * 0xff51afd7ed558ccd;
	return h ^ h >> 32;
}

hf_sv hf_texts_keep(struct hf_texts *t, hf_sv text)
{
	if (!t->slots || !text.len || text.len > HF_TEXT_KEPT_MAX ||
	    (uintptr_t)text.ptr - (uintptr_t)t->input.ptr >= t->input.len)
		return text;
	uint64_t hash = hash_of(text);
	struct hf_text_slot *slot = &t->slots[hash % SLOTS];
	if (slot->hash == hash && slot->len == text.len && !memcmp(slot->ptr, text.ptr, text.len))
		return (hf_sv){ slot->ptr, slot->len };
	char *copy = hf_arena_alloc(t->arena, text.len, 1);
	if (!copy)
		return text;
	memcpy(copy, text.ptr, text.len);
	*slot = (struct hf_text_slot){ copy, hash, text.len };
	return (hf_sv){ copy, text.len };
}

void hf_texts_passed(struct hf_texts *t, size_t offset)
{
	if (!t->slots || offset > t->input.len || offset < t->released + STEP)
		return;
	t->release(hf_sv_slice(t->input, t->released, offset - t->released));
	t->released = offset;
}
