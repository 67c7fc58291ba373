/* Certificates that the webhook makes for itself: an authority of its own, whose certificate goes into the webhook's configuration as
 * caBundle, and a server certificate by it. P-256 and SHA-256. Source: RFC 5280; "Contacting the webhook" of kubernetes.io. */
#pragma once
#include "base/arena.h"

struct hf_certificate {
	hf_sv certificate_pem, key_pem;
};

/* A new authority that is good for @days. HF_E_SYSTEM. */
hf_nodiscard int hf_certificate_authority(unsigned days, struct hf_arena *, struct hf_certificate *ret,
					  struct hf_err *);
/* A new server certificate by @authority for @names: DNS names and IP addresses. HF_E_FORMAT where the authority cannot be read. */
hf_nodiscard int hf_certificate_server(const struct hf_certificate *authority, const hf_sv *names, size_t names_n,
				       unsigned days, struct hf_arena *, struct hf_certificate *ret, struct hf_err *);
/* Seconds that the first certificate in @pem is good for at time @now (negative: it is over), and whether it is for all of @names.
 * HF_E_FORMAT. */
hf_nodiscard int hf_certificate_look(hf_sv pem, int64_t now, const hf_sv *names, size_t names_n,
				     int64_t *ret_seconds_left, bool *ret_names_match, struct hf_err *);
