/* What a Kubernetes API server says where it refuses: Status, meta/v1. Pure. */
#pragma once
#include "base/error.h"

struct hf_cluster_status {
	unsigned code;     /* as of HTTP; 0: the document has none */
	char reason[64];   /* "Forbidden", "Expired" …; empty: none */
	char message[320]; /* printable, cut; empty: none */
	char user[128];    /* of a Forbidden: who may not, as the message names them; empty: not said */
};

/* Never fails: what is no Status leaves *@ret empty, with @http as its code. */
void hf_cluster_status_parse(hf_sv body, unsigned http, struct hf_cluster_status *ret);
/* Sets *@err and returns its code: HF_E_DENIED (401, 403), HF_E_MISSING (404), HF_E_CONFLICT (409, 410), HF_E_UNSUPPORTED (405, 406, 415),
 * HF_E_USAGE (the other 4xx), HF_E_LIMIT (429), HF_E_IO (5xx), HF_E_FORMAT (any other). @verb and @what make the sentence: "forbidden: USER cannot VERB WHAT". */
int hf_cluster_status_fail(const struct hf_cluster_status *s, const char *verb, hf_sv what, struct hf_err *err);
