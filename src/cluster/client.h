/* A connection to one Kubernetes API server: requests with who one is, within bounds, tried again where that may help. It knows no kinds:
 * bodies are bytes.
 *
 * Only the server that the kubeconfig names is talked to: redirects are not followed. One hf_cluster belongs to one thread; several may
 * share one hf_credentials. */
#pragma once
#include "base/buffer.h"
#include "cluster/credentials.h"
#include "cluster/status.h"

struct hf_cluster;

struct hf_cluster_options {
	uint32_t deadline_ms; /* of one try; 0: 30,000. Streams have none. */
	uint32_t wait_ms;     /* before the second try, doubled for each further one; 0: 250 */
	uint32_t wait_max_ms; /* of one wait, also where the server asks for a longer one; 0: 30,000 */
	unsigned tries;       /* 0: 5 */
};

struct hf_cluster_request {
	const char *method;       /* NULL: GET */
	hf_sv path;               /* "/api/v1/pods?limit=500", escaped */
	const char *accept;       /* NULL: application/json */
	const char *content_type; /* NULL: application/json, where there is a body */
	hf_sv body;
	uint64_t answer_max; /* bytes, unpacked; 0: 1 MiB */
	/* For messages: "list", "pods". */
	const char *verb;
	hf_sv what;
	/* A stream: lines of a 2xx answer, as in net/http.h, without a deadline, and ended after silence_s without a byte. It is not tried again
	 * once there was such an answer. */
	int (*take)(void *ctx, hf_sv line, struct hf_err *err);
	void *take_ctx;
	size_t line_max;
	uint32_t silence_s;
	void (*begun)(void *ctx); /* of a stream: a 2xx answer has begun; with take_ctx. NULL: not told. */
};

struct hf_cluster_answer {
	unsigned status; /* 0: no answer came */
	struct hf_buf body;
	struct hf_cluster_status refused; /* where status is not 2xx: what the server says */
};

/* @credentials is borrowed until hf_cluster_close; @options may be NULL. */
struct hf_cluster *hf_cluster_open(struct hf_credentials *credentials, const struct hf_cluster_options *options);
void hf_cluster_close(struct hf_cluster *c);
/* HF_OK: a 2xx answer. Else *err says why, in the codes of hf_cluster_status_fail where there was an answer, and of hf_http_call where there
 * was none. hf_buf_done(&ret->body) in any case.
 * Tried again: reads (GET) after 429, 5xx and lost connections; others after 429, and 503 with Retry-After: these were not begun. After 401
 * once more, with new credentials. */
hf_nodiscard int hf_cluster_call(struct hf_cluster *c, const struct hf_cluster_request *request,
				 struct hf_cluster_answer *ret, struct hf_err *err);
/* From any thread: the call under way and all later ones end with HF_E_SYSTEM. */
void hf_cluster_stop(struct hf_cluster *c);
bool hf_cluster_stopped(const struct hf_cluster *c);
/* Waits about 2^@failures times the first wait, with jitter, at least @at_least_s seconds, within the bound; less where hf_cluster_stop is called. */
void hf_cluster_wait(struct hf_cluster *c, unsigned failures, uint32_t at_least_s);

/* What requests are about. */
struct hf_cluster_what {
	hf_sv group; /* empty: the core group */
	hf_sv version, resource;
	hf_sv namespace; /* empty: all, or not namespaced */
	hf_sv name, subresource;
	hf_sv label_selector, field_selector; /* as the server reads them; empty: none */
};
/* Appends "/apis/apps/v1/namespaces/web/deployments", escaped, without selectors. */
void hf_cluster_path_add(struct hf_buf *out, const struct hf_cluster_what *what);
/* Appends "?key=value", with '&' where @first says that there is a '?' already, which it then does. */
void hf_cluster_query_add(struct hf_buf *out, bool *first, const char *key, hf_sv value);
/* Both selectors, those that are not empty. */
void hf_cluster_selectors_add(struct hf_buf *out, bool *first, const struct hf_cluster_what *what);
/* "pods", "deployments.apps in web": as messages name it. */
void hf_cluster_what_describe(struct hf_buf *out, const struct hf_cluster_what *what);
