/* Deflate in one go, for members of archives and sections of executables that are held whole. Streams have codecs of
 * their own. Source: RFC 1951 (deflate), RFC 1950 (zlib). */
#pragma once
#include "base/buffer.h"

enum hf_deflate_wrapper {
	HF_DEFLATE_RAW,  /* RFC 1951 alone, as in zip */
	HF_DEFLATE_ZLIB, /* RFC 1950: two bytes in front, Adler-32 behind, which is checked */
};

/* Appends what @in inflates to, at most up to out->max. Memory of fixed size is a buffer whose ptr, size and max are
 * set by the caller: it is then never moved.
 * @size_hint the plain size where it is known, to allocate once; 0: not known. Not trusted.
 * @return HF_OK the stream ended (what follows its end in @in is not looked at); HF_E_TRUNCATED @in ends before;
 *         HF_E_FORMAT a block, symbol, distance, header or checksum is wrong; HF_E_UNSUPPORTED it needs a preset
 *         dictionary; HF_E_LIMIT it holds more than fits. On failure out->len is what was there before. */
hf_nodiscard int hf_inflate(enum hf_deflate_wrapper wrapper, hf_sv in, uint64_t size_hint, struct hf_buf *out,
			    struct hf_err *err);
/* CRC-32 of IEEE 802.3 as zip, gzip and PNG write it. */
uint32_t hf_crc32(hf_sv bytes);
