#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct hf_digest {
	EVP_MD_CTX *ctx;
	const char *prefix;
};

static const struct {
	const char *prefix;
	size_t hex_n;
	const EVP_MD *(*md)(void);
} algorithms[] = { { "sha256:", 64, EVP_sha256 }, { "sha512:", 128, EVP_sha512 } };

static size_t algorithm_of(hf_sv text)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(algorithms); i++) {
		hf_sv prefix = hf_sv_of(algorithms[i].prefix);
		if (!hf_sv_starts(text, prefix) || text.len != prefix.len + algorithms[i].hex_n)
			continue;
		for (size_t k = prefix.len; k < text.len; k++)
			if (!((text.ptr[k] >= '0' && text.ptr[k] <= '9') || (text.ptr[k] >= 'a' && text.ptr[k] <= 'f')))
				return SIZE_MAX;
		return i;
	}
	return SIZE_MAX;
}

bool hf_digest_valid(hf_sv text)
{
	return algorithm_of(text) != SIZE_MAX;
}

static struct hf_digest *start(size_t algorithm)
{
	struct hf_digest *d = hf_calloc(1, sizeof *d);

	d->prefix = algorithms[algorithm].prefix;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || !EVP_DigestInit_ex(d->ctx, algorithms[algorithm].md(), NULL))
		abort(); /* out of memory, or a libcrypto without SHA-2 */
	return d;
}

struct hf_digest *hf_digest_new(hf_sv text)
{
	size_t i = algorithm_of(text);

	return i == SIZE_MAX ? NULL : start(i);
}

void hf_digest_add(struct hf_digest *d, hf_sv bytes)
{
	if (bytes.len && !EVP_DigestUpdate(d->ctx, bytes.ptr, bytes.len))
		abort();
}

hf_sv hf_digest_text(struct hf_digest *d, char out[HF_DIGEST_TEXT_MAX])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned raw_n = 0;
	size_t at = strlen(d->prefix);

	if (!EVP_DigestFinal_ex(d->ctx, raw, &raw_n))
		abort();
	memcpy(out, d->prefix, at);
	for (unsigned i = 0; i < raw_n && at + 2 < HF_DIGEST_TEXT_MAX; i++) {
		out[at++] = hex[raw[i] >> 4];
		out[at++] = hex[raw[i] & 15];
	}
	out[at] = 0;
	return (hf_sv){ out, at };
}

void hf_digest_free(struct hf_digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

int hf_digest_check(hf_sv text, hf_sv bytes, struct hf_err *err)
{
	struct hf_digest *d = hf_digest_new(text);
	char out[HF_DIGEST_TEXT_MAX];

	if (!d)
		return hf_fail(err, HF_E_FORMAT, "'%.*s' is not a digest", HF_SV_FMT(text));
	hf_digest_add(d, bytes);
	hf_sv is = hf_digest_text(d, out);
	hf_digest_free(d);
	if (hf_sv_eq(is, text))
		return HF_OK;
	return hf_fail(err, HF_E_DIGEST, "digest is %.*s, %.*s was promised", HF_SV_FMT(is), HF_SV_FMT(text));
}

hf_sv hf_digest_sha256(hf_sv bytes, char out[HF_DIGEST_TEXT_MAX])
{
	struct hf_digest *d = start(0);

	hf_digest_add(d, bytes);
	hf_sv text = hf_digest_text(d, out);
	hf_digest_free(d);
	return text;
}
