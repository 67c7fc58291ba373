#include "codec/codec.h"

#include <stdlib.h>

#include "base/limits.h"
#include "codec/decoder.h"

const struct hf_codec *const hf_codecs[] = {
#define HF_CODEC(row) &hf_codec_##row,
#include "codec/codecs.def"
#undef HF_CODEC
	NULL,
};

const struct hf_codec *hf_codec_of(hf_sv head)
{
	for (size_t i = 0; hf_codecs[i]; i++)
		if (hf_codecs[i]->is_magic(head))
			return hf_codecs[i];
	return NULL;
}

/* Large enough that ISA-L, which decodes the first 32 KiB of each call twice over, does so seldom; small enough for L2.
 */
enum { BUFFER = 512 << 10 };

void decoder_take(struct decoder *d, size_t n)
{
	hf_in_take(d->inner, n);
	d->taken += n;
}

bool decoder_need(struct decoder *d, size_t n)
{
	if (hf_in_need(d->inner, n) >= n)
		return true;
	if (hf_in_failed(d->inner) && !d->in.why.code)
		d->in.why = d->inner->why;
	else
		hf_in_fail(&d->in, HF_E_TRUNCATED, "the compressed data end too early");
	return false;
}

/* Room for @n bytes behind what is unread, which moves to the front. */
static void make_room(struct decoder *d, size_t n)
{
	struct hf_in *in = &d->in;
	size_t size = n > BUFFER ? n : BUFFER;

	if (size == d->size || (size < d->size && in->len > BUFFER / 2)) {
		if (in->len)
			memmove(d->buffer, in->ptr, in->len);
	} else {
		char *buffer = hf_malloc(size);
		if (in->len)
			memcpy(buffer, in->ptr, in->len);
		free(d->buffer);
		d->buffer = buffer;
		d->size = size;
	}
	in->ptr = d->buffer;
}

static void check_limits(struct decoder *d)
{
	if (d->made > HF_INFLATED_LAYER_MAX)
		hf_in_fail(&d->in, HF_E_LIMIT, "expands to more than %llu GiB",
			   (unsigned long long)(HF_INFLATED_LAYER_MAX >> 30));
	else if (d->made > HF_MIB(64) && d->made / HF_INFLATE_RATIO_MAX > d->taken)
		hf_in_fail(&d->in, HF_E_LIMIT, "expands to more than %d times its size", HF_INFLATE_RATIO_MAX);
}

static void decode_some(struct decoder *d, size_t want)
{
	struct hf_in *in = &d->in;

	while (in->len < want && !in->end && !in->why.code) {
		size_t used = (size_t)(in->ptr - d->buffer) + in->len;
		size_t n = d->decode(d, d->buffer + used, d->size - used);
		in->len += n;
		d->made += n;
		if (hf_in_failed(d->inner) && !in->why.code)
			in->why = d->inner->why;
		check_limits(d);
	}
}

static void decoder_fill(struct hf_in *in, size_t n)
{
	struct decoder *d = (struct decoder *)in;

	make_room(d, n);
	decode_some(d, n);
}

static bool decoder_skip(struct hf_in *in, uint64_t n)
{
	struct decoder *d = (struct decoder *)in;

	while (n > in->len) {
		n -= in->len;
		hf_in_take(in, in->len);
		if (in->end || in->why.code)
			return false;
		make_room(d, BUFFER);
		decode_some(d, BUFFER);
	}
	hf_in_take(in, (size_t)n);
	return true;
}

static void decoder_close(struct hf_in *in)
{
	struct decoder *d = (struct decoder *)in;

	d->done(d);
	free(d->buffer);
	free(d);
}

static const struct hf_in_ops decoder_ops = { .fill = decoder_fill, .skip = decoder_skip, .close = decoder_close };

struct hf_in *decoder_start(struct decoder *d, struct hf_in *inner)
{
	d->in.ops = &decoder_ops;
	d->inner = inner;
	return &d->in;
}
