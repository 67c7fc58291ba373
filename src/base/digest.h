/* Digests as OCI writes them: "sha256:<64 hex>", "sha512:<128 hex>" (OCI image-spec v1.1 descriptor.md "Digests"). */
#pragma once
#include "base/error.h"

enum { HF_DIGEST_TEXT_MAX = 7 + 128 + 1 };

/* True for a well-formed digest of one of the two algorithms, hex in lower case. */
bool hf_digest_valid(hf_sv text);

struct hf_digest; /* a running hash */
/* For the algorithm that @text names; NULL where it is not valid. Free with hf_digest_free. */
struct hf_digest *hf_digest_new(hf_sv text);
void hf_digest_add(struct hf_digest *d, hf_sv bytes);
/* Ends the hash and writes it as text, NUL-terminated. */
hf_sv hf_digest_text(struct hf_digest *d, char out[HF_DIGEST_TEXT_MAX]);
void hf_digest_free(struct hf_digest *d);
/* HF_OK where @bytes have the digest @text; HF_E_DIGEST; HF_E_FORMAT where @text is none. */
hf_nodiscard int hf_digest_check(hf_sv text, hf_sv bytes, struct hf_err *err);
/* "sha256:…" of @bytes. */
hf_sv hf_digest_sha256(hf_sv bytes, char out[HF_DIGEST_TEXT_MAX]);
