/* Walks the directory of the input and reads every member; sieves the input in pieces. */
#include <stdlib.h>

#include "format/zip.h"
#include "format/zip_sieve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kept {
	const uint8_t *data;
	uint64_t next, size;
};

static bool keep(void *ctx, uint64_t offset, hf_sv bytes)
{
	struct kept *k = ctx;

	if (offset < k->next || offset > k->size || bytes.len > k->size - offset ||
	    memcmp(k->data + offset, bytes.ptr, bytes.len) != 0)
		abort();
	k->next = offset + bytes.len;
	return true;
}

static enum hf_zip_want want(hf_sv name)
{
	return hf_sv_ends(name, HF_SV(".jar"))     ? HF_ZIP_KEEP_ARCHIVE
	       : hf_sv_starts(name, HF_SV("META")) ? HF_ZIP_KEEP
						   : HF_ZIP_PASS;
}

static void sieve(const uint8_t *data, size_t size, size_t step)
{
	struct kept k = { data, 0, size };
	struct hf_zip_sieve *s = hf_zip_sieve_new(want, keep, &k);

	for (hf_sv rest = { (const char *)data, size }; rest.len; rest = hf_sv_skip(rest, step))
		(void)hf_zip_sieve_feed(s, hf_sv_first(rest, step));
	hf_zip_sieve_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_buf_done) struct hf_buf scratch = { 0 };
	struct hf_zip_member m;
	struct hf_err err = { 0 };
	struct hf_zip z;
	uint64_t sum = 0;
	unsigned n = 0;

	sieve(data, size, size ? 1 + data[0] % 31 : 1);
	if (hf_zip_open(&z, (hf_sv){ (const char *)data, size }, &err) < 0)
		return 0;
	while (hf_zip_next(&z, &m) && n++ < 64) {
		hf_sv content;
		(void)hf_zip_name_flaw(m.name);
		if (hf_zip_read(&z, &m, 1 << 16, &scratch, &content, &err) < 0)
			continue;
		if (content.len != m.size)
			abort();
		for (size_t i = 0; i < content.len; i++)
			sum += (unsigned char)content.ptr[i];
	}
	return sum == UINT64_MAX;
}
