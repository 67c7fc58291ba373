#include "codec/deflate.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

enum { STEP_MAX = 1 << 30, ROOM_MIN = 4096, DEFLATE_RATIO_MAX = 1032 };

static int explain(int r, struct hf_err *err)
{
	switch (r) {
	case ISAL_INVALID_BLOCK:
		return hf_fail(err, HF_E_FORMAT, "invalid deflate block");
	case ISAL_INVALID_SYMBOL:
		return hf_fail(err, HF_E_FORMAT, "invalid deflate symbol");
	case ISAL_INVALID_LOOKBACK:
		return hf_fail(err, HF_E_FORMAT, "deflate distance before the beginning");
	case ISAL_INVALID_WRAPPER:
		return hf_fail(err, HF_E_FORMAT, "invalid zlib header");
	case ISAL_UNSUPPORTED_METHOD:
		return hf_fail(err, HF_E_FORMAT, "zlib header of another method");
	case ISAL_INCORRECT_CHECKSUM:
		return hf_fail(err, HF_E_FORMAT, "the Adler-32 checksum is wrong");
	case ISAL_NEED_DICT:
		return hf_fail(err, HF_E_UNSUPPORTED, "the zlib stream needs a preset dictionary");
	default:
		return hf_fail(err, HF_E_FORMAT, "inflating failed (%d)", r);
	}
}

/* Room for some output; where the buffer is at its maximum, one byte that only tells whether there is more. */
static void give_room(struct inflate_state *s, struct hf_buf *out, uint8_t *spill)
{
	size_t left = out->max - out->len;
	size_t want = out->size - out->len;

	if (want < ROOM_MIN)
		want = out->size < ROOM_MIN ? ROOM_MIN : out->size;
	if (want > left)
		want = left;
	if (want > STEP_MAX)
		want = STEP_MAX;
	s->next_out = want ? (uint8_t *)hf_buf_room(out, want) : spill;
	s->avail_out = want ? (uint32_t)want : 1;
}

static int run(struct inflate_state *s, hf_sv in, struct hf_buf *out, struct hf_err *err)
{
	uint8_t spill;

	while (true) {
		if (!s->avail_in && in.len) {
			hf_sv part = hf_sv_first(in, STEP_MAX);
			in = hf_sv_skip(in, part.len);
			s->next_in = (uint8_t *)(uintptr_t)part.ptr;
			s->avail_in = (uint32_t)part.len;
		}
		give_room(s, out, &spill);
		uint32_t had_in = s->avail_in, had_out = s->avail_out;
		bool spilled = s->next_out == &spill;
		int r = isal_inflate(s);
		uint32_t wrote = had_out - s->avail_out;
		if (spilled && wrote)
			return hf_fail(err, HF_E_LIMIT, "inflates to more than %zu bytes", out->max);
		if (!spilled)
			out->len += wrote;
		if (r < 0 || r == ISAL_NEED_DICT)
			return explain(r, err);
		if (s->block_state == ISAL_BLOCK_FINISH)
			return HF_OK;
		if (!s->avail_in && !in.len && s->avail_out)
			return hf_fail(err, HF_E_TRUNCATED, "the deflate stream ends too early");
		if (!wrote && had_in == s->avail_in)
			return hf_fail(err, HF_E_FORMAT, "inflating makes no progress");
	}
}

int hf_inflate(enum hf_deflate_wrapper wrapper, hf_sv in, uint64_t size_hint, struct hf_buf *out, struct hf_err *err)
{
	struct inflate_state *s = hf_malloc(sizeof *s); /* 90 KiB: too much for the stack of a thread */
	size_t before = out->len;
	uint64_t most = in.len < UINT64_MAX / DEFLATE_RATIO_MAX ? (uint64_t)in.len * DEFLATE_RATIO_MAX : UINT64_MAX;

	if (size_hint > most)
		size_hint = most;
	if (size_hint && size_hint <= out->max - out->len)
		(void)hf_buf_room(out, (size_t)size_hint);
	isal_inflate_init(s);
	s->crc_flag = wrapper == HF_DEFLATE_ZLIB ? ISAL_ZLIB : ISAL_DEFLATE;
	s->avail_in = 0;
	int r = run(s, in, out, err);
	free(s);
	if (r < 0)
		out->len = before;
	return r;
}

uint32_t hf_crc32(hf_sv bytes)
{
	return crc32_gzip_refl(0, (const unsigned char *)bytes.ptr, bytes.len);
}
