/* The webhook's HTTPS server: POST /validate takes an AdmissionReview and answers with one; GET /healthz says ok; GET /metrics counts.
 * Slow and broken clients cost a connection each, of which there are many, and nothing else: reviews are judged by the pool. Certificates are
 * made and renewed by itself where a folder for them is given. */
#pragma once
#include "admission/certificate.h"
#include "admission/pool.h"

struct hf_admission_server_options {
	const char *address;  /* "127.0.0.1:8443", "[::1]:8443"; port 0: any */
	unsigned deadline_ms; /* for one review; 0: 4,000 */
	const hf_sv *names;   /* that the certificate is for */
	size_t names_n;
	/* Either a folder for an authority (ca.crt, ca.key) and a server certificate (tls.crt, tls.key) of our own making … */
	const char *certificates;
	unsigned days; /* that a new server certificate is good for; renewed when a third is left. 0: 90 */
	/* … or files of others' making, read again when they change. */
	const char *certificate_file, *key_file;
	const char *decisions;  /* a file that records are appended to; NULL: none */
	uint64_t decisions_max; /* bytes; what is longer becomes FILE.1, over the one that was there. 0: no bound */
	/* Tells the cluster whom to trust: at the start, and before a certificate of another authority is served, with both of them. Empty
	 * where the certificates are others'. NULL: nobody is told. */
	int (*publish)(void *ctx, hf_sv authority, struct hf_err *err);
	void *publish_ctx;
};

struct hf_admission_server;

/* Opens the address and the certificates, and answers from threads of its own until hf_admission_server_stop. *ret_port is the port. */
hf_nodiscard int hf_admission_server_start(const struct hf_admission_server_options *, struct hf_admission_pool *,
					   struct hf_admission_server **ret, unsigned *ret_port, struct hf_err *);
/* Looks after certificates; to be called about once a second. HF_PARTIAL with *err where a renewal failed: the old certificate is served
 * on. */
hf_nodiscard int hf_admission_server_tick(struct hf_admission_server *, struct hf_err *);
/* Opens the file of decisions anew, and looks after certificates with the next tick. */
void hf_admission_server_reopen(struct hf_admission_server *);
void hf_admission_server_stop(struct hf_admission_server *);

/* Makes what is missing or nearly over in the folder, for these names; *ret_authority is ca.crt's text, in the arena. HF_OK; HF_PARTIAL: new
 * certificates were made. */
hf_nodiscard int hf_admission_certificates(const char *folder, const hf_sv *names, size_t names_n, unsigned days,
					   int64_t now, struct hf_arena *, hf_sv *ret_authority,
					   struct hf_certificate *ret_server, struct hf_err *);
