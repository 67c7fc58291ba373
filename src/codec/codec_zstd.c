/* zstd (RFC 8878) by libzstd. Frames one behind the other are one stream, skippable frames are passed over. */
#include <stdlib.h>
#include <zstd.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "codec/decoder.h"

enum { FRAME_HEADER_MAX = 18, LATER_WINDOW_MAX = 8 << 20 };

struct zstd {
	struct decoder d;
	ZSTD_DCtx *ctx;
	struct hf_budget *windows;
	uint64_t held; /* of `windows` */
	bool in_frame;
	bool any_frame;
};

/* RFC 8878 section 3.1.1 (magic 0xFD2FB528) and 3.1.2 (0x184D2A50 to 0x184D2A5F), little endian */
static bool is_magic(hf_sv head)
{
	return hf_sv_starts(head, HF_SV("\x28\xb5\x2f\xfd")) ||
	       (head.len >= 4 && (head.ptr[0] & 0xf0) == 0x50 && memcmp(head.ptr + 1, "\x2a\x4d\x18", 3) == 0);
}

/* Bytes of window that a frame asks for (section 3.1.1.1); the frame's content where that is given as a whole. */
static uint64_t window_size(hf_sv header)
{
	static const uint8_t dictionary_id[4] = { 0, 1, 2, 4 };
	struct hf_cur c = hf_cur_of(hf_sv_skip(header, 4));
	uint8_t descriptor = hf_cur_u8(&c);

	if (!(descriptor & 0x20)) {
		uint8_t w = hf_cur_u8(&c);
		uint64_t base = UINT64_C(1) << (10 + (w >> 3));
		return base + base / 8 * (w & 7);
	}
	hf_cur_take(&c, dictionary_id[descriptor & 3]);
	switch (descriptor >> 6) {
	case 0:
		return hf_cur_u8(&c);
	case 1:
		return hf_cur_u16le(&c) + 256u;
	case 2:
		return hf_cur_u32le(&c);
	default: /* 3, the last value of two bits */
		return hf_cur_u64le(&c);
	}
}

static bool hold(struct zstd *z, uint64_t window)
{
	if (window > HF_ZSTD_WINDOW_MAX) {
		hf_in_fail(&z->d.in, HF_E_LIMIT, "zstd: a window of %llu MiB", (unsigned long long)(window >> 20));
		return false;
	}
	if (z->ctx && window <= z->held)
		return true;
	/* The reader of a later frame may hold memory that others wait for, so it must not wait itself. */
	bool later = z->ctx != NULL;
	if (later && z->windows && window > LATER_WINDOW_MAX) {
		hf_in_fail(&z->d.in, HF_E_LIMIT, "zstd: a window of %llu MiB behind smaller ones",
			   (unsigned long long)(window >> 20));
		return false;
	}
	ZSTD_freeDCtx(z->ctx); /* its window first: what is held never waits for more */
	z->ctx = NULL;
	if (z->windows && z->held)
		hf_budget_give(z->windows, z->held);
	z->held = 0;
	if (later && z->windows) {
		hf_budget_overdraw(z->windows, window);
	} else if (z->windows && !hf_budget_take(z->windows, window)) {
		hf_in_fail(&z->d.in, HF_E_LIMIT, "zstd: a window of %llu MiB", (unsigned long long)(window >> 20));
		return false;
	}
	z->held = window;
	z->ctx = ZSTD_createDCtx();
	if (!z->ctx || ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax, 26)))
		abort(); /* out of memory */
	return true;
}

/* Stands at a frame's first byte, or at the end. */
static bool start_frame(struct zstd *z)
{
	struct decoder *d = &z->d;

	for (;;) {
		size_t n = hf_in_need(d->inner, FRAME_HEADER_MAX);
		hf_sv header = { d->inner->ptr, n };
		if (!n && z->any_frame && !hf_in_failed(d->inner)) {
			d->in.end = true;
			return false;
		}
		if (!is_magic(header)) {
			if (n >= 4)
				hf_in_fail(&d->in, HF_E_FORMAT, "zstd: no frame where one should be");
			else
				(void)decoder_need(d, n + 1);
			return false;
		}
		z->any_frame = true;
		if ((uint8_t)header.ptr[0] == 0x28)
			return hold(z, window_size(header));
		struct hf_cur c = hf_cur_of(hf_sv_skip(header, 4));
		uint64_t size = 8 + (uint64_t)hf_cur_u32le(&c);
		if (c.failed || !hf_in_skip(d->inner, size)) {
			(void)decoder_need(d, SIZE_MAX);
			return false;
		}
		d->taken += size;
	}
}

static size_t decode(struct decoder *d, char *out, size_t room)
{
	struct zstd *z = (struct zstd *)d;
	ZSTD_outBuffer to = { out, room, 0 };

	while (!to.pos) {
		if (!z->in_frame && !start_frame(z))
			return 0;
		z->in_frame = true;
		/* Output that the last call could not place comes without any input. */
		size_t have = hf_in_need(d->inner, 1);
		ZSTD_inBuffer from = { d->inner->ptr, have, 0 };
		size_t r = ZSTD_decompressStream(z->ctx, &to, &from);
		decoder_take(d, from.pos);
		if (ZSTD_isError(r)) {
			hf_in_fail(&d->in, HF_E_FORMAT, "zstd: %s", ZSTD_getErrorName(r));
			break;
		}
		z->in_frame = r != 0;
		if (z->in_frame && !have && !to.pos && !decoder_need(d, 1))
			break;
	}
	return to.pos;
}

static void done(struct decoder *d)
{
	struct zstd *z = (struct zstd *)d;

	ZSTD_freeDCtx(z->ctx);
	if (z->windows && z->held)
		hf_budget_give(z->windows, z->held);
}

static struct hf_in *open_zstd(struct hf_in *inner, struct hf_budget *windows)
{
	struct zstd *z = hf_calloc(1, sizeof *z);

	z->windows = windows;
	z->d.decode = decode;
	z->d.done = done;
	return decoder_start(&z->d, inner);
}

const struct hf_codec hf_codec_zstd = { .name = "zstd", .is_magic = is_magic, .open = open_zstd };
