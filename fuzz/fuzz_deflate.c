/* Inflates the input (the first byte says how) into a small limit and checks what comes out against zlib. */
#include <stdlib.h>
#include <zlib.h>

#include "codec/deflate.h"

enum { OUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char expected[OUT_MAX];
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(OUT_MAX);
	struct hf_err err = { 0 };
	z_stream z = { 0 };

	if (!size)
		return 0;
	bool wrapped = data[0] & 1;
	hf_sv in = { (const char *)data + 1, size - 1 };
	int r = hf_inflate(wrapped ? HF_DEFLATE_ZLIB : HF_DEFLATE_RAW, in, data[0] >> 1, &out, &err);
	if (r != err.code || out.len > OUT_MAX)
		abort();
	if (inflateInit2(&z, wrapped ? 15 : -15) != Z_OK)
		abort();
	z.next_in = (unsigned char *)(uintptr_t)in.ptr;
	z.avail_in = (uInt)in.len;
	z.next_out = expected;
	z.avail_out = OUT_MAX;
	bool ended = inflate(&z, Z_FINISH) == Z_STREAM_END;
	/* ISA-L accepts some streams that zlib refuses (incomplete codes); never the other way round, never other
	 * bytes. */
	if (ended && (r != HF_OK || out.len != z.total_out || memcmp(out.ptr ? out.ptr : "", expected, out.len)))
		abort();
	inflateEnd(&z);
	return 0;
}
