/* gzip (RFC 1952) by ISA-L. Members one behind the other are one stream; behind the last one anything that is no member
 * is passed over, as gzip(1) does. Checksums are checked. */
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdlib.h>

#include "codec/decoder.h"

struct gzip {
	struct decoder d;
	struct inflate_state state;
};

static bool is_magic(hf_sv head)
{
	return hf_sv_starts(head, HF_SV("\x1f\x8b\x08"));
}

/* Behind a member: the next one, or the end. */
static bool next_member(struct gzip *g)
{
	if (hf_in_need(g->d.inner, 3) < 3 || !is_magic((hf_sv){ g->d.inner->ptr, g->d.inner->len })) {
		g->d.in.end = true;
		return false;
	}
	isal_inflate_reset(&g->state);
	g->state.crc_flag = ISAL_GZIP;
	return true;
}

static size_t decode(struct decoder *d, char *out, size_t room)
{
	struct gzip *g = (struct gzip *)d;
	struct inflate_state *s = &g->state;
	uint32_t want = room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;

	s->next_out = (uint8_t *)out;
	s->avail_out = want;
	while (s->avail_out == want) {
		if (s->block_state == ISAL_BLOCK_FINISH && !next_member(g))
			return 0;
		if (!decoder_need(d, 1))
			return 0;
		uint32_t have = d->inner->len < UINT32_MAX ? (uint32_t)d->inner->len : UINT32_MAX;
		s->next_in = (uint8_t *)(uintptr_t)d->inner->ptr;
		s->avail_in = have;
		int r = isal_inflate(s);
		decoder_take(d, have - s->avail_in);
		if (r < 0) {
			hf_in_fail(&d->in, HF_E_FORMAT,
				   r == ISAL_INCORRECT_CHECKSUM ? "gzip: wrong checksum" : "gzip: broken data");
			break;
		}
	}
	return want - s->avail_out;
}

static void done(struct decoder *d)
{
	(void)d;
}

static struct hf_in *open_gzip(struct hf_in *inner, struct hf_budget *windows)
{
	struct gzip *g = hf_calloc(1, sizeof *g);

	(void)windows;
	isal_inflate_init(&g->state);
	g->state.crc_flag = ISAL_GZIP;
	g->d.decode = decode;
	g->d.done = done;
	return decoder_start(&g->d, inner);
}

const struct hf_codec hf_codec_gzip = { .name = "gzip", .is_magic = is_magic, .open = open_gzip };
