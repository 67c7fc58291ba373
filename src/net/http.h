/* An HTTP client (RFC 9110, RFC 9112) over TCP, TLS or a unix socket, by libcurl. Redirects are not followed, so a request goes
 * where it was sent and nowhere else; no cookies, no .netrc, no other protocol. A unix socket never goes through a proxy.
 *
 * A status that says no is an answer, not an error: look at ret->status. Messages name scheme and host or the socket, never
 * the rest of the URL, which may be a secret. */
#pragma once
#include "base/buffer.h"

struct hf_http; /* keeps connections open between calls; one thread at a time */

/* What TLS rests on, from memory. All is borrowed for the call; a call with other values opens a connection of its own. */
struct hf_http_tls {
	hf_sv ca;               /* PEM, instead of the system's; empty: the system's */
	hf_sv certificate, key; /* PEM of the client; empty: none. A key under a passphrase is refused. */
	const char *
		server_name; /* asked for and verified instead of the URL's host, which stays in Host; NULL: the host */
	bool insecure;       /* the server's certificate is not verified */
};

struct hf_http_request {
	const char *url; /* http:// or https://; with a unix socket the host is a formality: "http://engine/info" */
	const char *unix_socket; /* path; NULL: TCP */
	const char *method;      /* NULL: POST where there is a body, else GET */
	hf_sv body;
	const char *const *headers; /* headers_n lines "Name: value" */
	size_t headers_n;
	const char *ca_file;           /* PEM, instead of the system's; NULL: the system's */
	const struct hf_http_tls *tls; /* NULL: as ca_file says; else ca_file is not looked at */
	const char *proxy;   /* http://, https:// or socks5://, whatever NO_PROXY says; NULL: as the environment says */
	bool packed;         /* offer gzip and unpack it; sizes are those of plain bytes */
	uint32_t connect_ms; /* 0: 5000 */
	uint32_t deadline_ms; /* of the whole call; 0: none, which is for streams */
	uint32_t silence_s;   /* no byte for so long ends the call with HF_E_LIMIT; 0: none */
	uint64_t answer_max;  /* bytes of body that are taken; 0: 1 MiB. Of a stream, bytes are not counted. */
	/* A stream: the body of a 2xx answer goes here as it comes, not into ret->body. With line_max each call has one line
	 * without its end (CR LF or LF), the last one also where it has no end; a longer line is HF_E_LIMIT. A negative code
	 * ends the call with that code and *err as it was set. */
	int (*take)(void *ctx, hf_sv bytes, struct hf_err *err);
	void *take_ctx;
	size_t line_max;
	/* Of a stream: its 2xx answer has begun, while there may be no byte of it yet; with take_ctx. NULL: not told. */
	void (*begun)(void *ctx);
};

struct hf_http_answer {
	unsigned status;        /* 200 … */
	uint32_t retry_after_s; /* the header, a date as seconds from now; 0: none */
	struct hf_buf body;     /* hf_buf_done it, also after a failure */
};

struct hf_http *hf_http_open(void);
void hf_http_close(struct hf_http *h);
/* *ret is set anew (give back an earlier body first). HF_E_MISSING, HF_E_DENIED, HF_E_IO: no connection; HF_E_LIMIT: deadline, connect_ms
 * or answer_max passed; HF_E_TRUNCATED: the body ends before its length; HF_E_FORMAT: no HTTP; HF_E_USAGE: the request itself;
 * HF_E_SYSTEM: stopped. */
hf_nodiscard int hf_http_call(struct hf_http *h, const struct hf_http_request *request, struct hf_http_answer *ret,
			      struct hf_err *err);
/* From any thread: the call under way and all later ones end at once with HF_E_SYSTEM. */
void hf_http_stop(struct hf_http *h);
