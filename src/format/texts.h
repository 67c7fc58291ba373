/* Copies of the texts that a tree keeps of a large input, so that the input itself need not stay in memory. What recurs (keys, images,
 * the values of labels) is copied once in most cases: a table of fixed size knows what was copied last. Pure but for the pages that are
 * given back. */
#pragma once
#include "base/arena.h"

struct hf_text_slot {
	const char *ptr;
	uint64_t hash;
	size_t len;
};

struct hf_texts {
	struct hf_arena *arena;
	hf_sv input; /* texts outside of it are left where they are */
	void (*release)(
		hf_sv part); /* this part of the input may leave memory, and comes back when it is looked at; NULL: it may not */
	size_t released; /* bytes of the front that were given back */
	struct hf_text_slot *slots;
};

/* Longer texts stay views of the input: they are rare, and few of them are looked at. */
enum { HF_TEXT_KEPT_MAX = 1024 };

/* On the arena's cap, and where @release is NULL, nothing is copied. */
struct hf_texts hf_texts_of(hf_sv input, void (*release)(hf_sv part), struct hf_arena *);
/* @text itself, or a copy of it. */
hf_sv hf_texts_keep(struct hf_texts *, hf_sv text);
/* Few texts in front of @offset are still to be kept. */
void hf_texts_passed(struct hf_texts *, size_t offset);
