/* The difference of two texts as people and patch(1) read it: unified, three lines of context. Pure. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"

/* Lines that were put in or taken out in runs of up to a few hundred are found; where texts differ more, the rest is one change: right,
 * if not the shortest. Nothing is added where they are the same. */
void hf_text_diff(struct hf_buf *, hf_sv name, hf_sv before, hf_sv after, struct hf_arena *);
