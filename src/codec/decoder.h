/* What the rows share: the output buffer, the limits, the state of the stream. */
#pragma once
#include "codec/codec.h"

struct decoder {
	struct hf_in in;
	struct hf_in *inner;
	/* Writes 1 to @room bytes to @out and returns how many; 0 after it has set in.end or a failure. */
	size_t (*decode)(struct decoder *d, char *out, size_t room);
	void (*done)(struct decoder *d);
	char *buffer;
	size_t size;
	uint64_t made, taken; /* bytes out and in so far */
};

/* Sets the decoder up; @d is the first member of a struct from malloc, freed on close after `done`. */
struct hf_in *decoder_start(struct decoder *d, struct hf_in *inner);
/* Takes @n bytes of input. */
void decoder_take(struct decoder *d, size_t n);
/* At least @n bytes of input, or fails the stream (with @n more than there are: truncated). */
bool decoder_need(struct decoder *d, size_t n);
