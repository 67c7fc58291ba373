/* Base64 with padding, RFC 4648 section 4. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"

void hf_base64_add(struct hf_buf *out, hf_sv bytes);
/* The bytes, in @a; a view without a pointer where @text is not Base64 or the arena is full (then a->over is set). */
hf_sv hf_base64_decode(struct hf_arena *a, hf_sv text);
