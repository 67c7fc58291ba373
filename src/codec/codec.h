/* Decoders as streams over streams. A decoder's output lies in its own buffer, which grows to what the reader asks for
 * side by side and shrinks again. Limits: HF_INFLATED_LAYER_MAX, HF_INFLATE_RATIO_MAX, HF_ZSTD_WINDOW_MAX. */
#pragma once
#include "base/input.h"
#include "base/threads.h"

struct hf_codec {
	const char *name;
	/* Whether a stream that begins with @head (16 bytes, fewer only where it has fewer) is of this kind. */
	bool (*is_magic)(hf_sv head);
	/* @inner is borrowed. @windows bounds what all decoders with it hold for windows (zstd waits for its part);
	 * NULL: no bound. Failures of the stream: HF_E_FORMAT, HF_E_TRUNCATED, HF_E_LIMIT, and those of @inner. */
	struct hf_in *(*open)(struct hf_in *inner, struct hf_budget *windows);
};

#define HF_CODEC(row) extern const struct hf_codec hf_codec_##row;
#include "codec/codecs.def"
#undef HF_CODEC

/* NULL-terminated, in the order of codecs.def. */
extern const struct hf_codec *const hf_codecs[];
/* The row whose magic @head shows; NULL: plain, or unknown. */
const struct hf_codec *hf_codec_of(hf_sv head);
