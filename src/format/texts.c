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

static uint64_t word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

static uint64_t half_word(const char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* All bytes of a text of one to eight of them, by loads that may lie over each other. */
static uint64_t short_text(hf_sv s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	if (s.len >= 4)
		return half_word(s.ptr) | half_word(s.ptr + s.len - 4) << 32;
	return p[0] | (uint64_t)p[s.len / 2] << 8 | (uint64_t)p[s.len - 1] << 16;
}

enum { SHORT = 8 };

/* Short texts of one length have a hash each, since each step can be undone. Longer ones that were made to collide cost a copy each. */
static uint64_t hash_of(hf_sv s)
{
	uint64_t front = s.len <= SHORT ? short_text(s) : word(s.ptr),
		 back = s.len <= SHORT ? 0 : word(s.ptr + s.len - 8);
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
	if (slot->hash == hash && slot->len == text.len &&
	    (text.len <= SHORT || !memcmp(slot->ptr, text.ptr, text.len)))
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
