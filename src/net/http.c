#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"

enum {
	CONNECT_MS = 5000,
	POLL_MS = 30000, /* curl's own timers and hf_http_stop wake it earlier */
	ANSWER_MAX = 1 << 20,
	HEADERS_MAX = 256 << 10,
	URL_MAX = 64 << 10,
};

struct hf_http {
	CURLM *multi;
	CURL *easy;
	atomic_bool stopped;
};

struct call {
	struct hf_http *http;
	const struct hf_http_request *request;
	struct hf_http_answer *answer;
	struct hf_buf line;
	uint64_t headers;
	int code; /* why a callback ended the call */
	struct hf_err *err;
	char where[160];
	/* Of tls->server_name: the URL with that name as its host, where to connect instead, and the Host header. */
	struct hf_buf url, connect_to, host;
	struct curl_slist *header_list, *connect_list;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		abort();
}

struct hf_http *hf_http_open(void)
{
	struct hf_http *h = hf_calloc(1, sizeof *h);

	pthread_once(&once, set_up);
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (!h->multi || !h->easy)
		abort();
	return h;
}

void hf_http_close(struct hf_http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h);
}

void hf_http_stop(struct hf_http *h)
{
	atomic_store(&h->stopped, true);
	curl_multi_wakeup(h->multi);
}

/* "https", "host:port" and what stands behind them. False where there is no "://". */
static bool split_url(hf_sv url, hf_sv *ret_scheme, hf_sv *ret_host, hf_sv *ret_rest)
{
	size_t scheme = hf_sv_find(url, HF_SV("://")), end = 0;

	if (scheme == SIZE_MAX)
		return false;
	hf_sv host = hf_sv_skip(url, scheme + 3);
	while (end < host.len && !strchr("/?#", host.ptr[end]))
		end++;
	*ret_scheme = hf_sv_first(url, scheme);
	*ret_rest = hf_sv_skip(host, end);
	*ret_host = hf_sv_first(host, end);
	hf_sv_cut_last(*ret_host, '@', &(hf_sv){ 0 }, ret_host);
	return true;
}

/* scheme://host[:port] without user, path and query. */
static void describe(struct call *c)
{
	const struct hf_http_request *r = c->request;
	hf_sv scheme, host, rest;

	if (r->unix_socket)
		snprintf(c->where, sizeof c->where, "unix:%s", r->unix_socket);
	else if (!split_url(hf_sv_of(r->url), &scheme, &host, &rest))
		snprintf(c->where, sizeof c->where, "the URL");
	else
		snprintf(c->where, sizeof c->where, "%.*s://%.*s", HF_SV_FMT(scheme), HF_SV_FMT(host));
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	const struct hf_http_request *r = c->request;
	long status = 0;

	c->headers += size * n;
	if (c->headers <= HEADERS_MAX) {
		if (r->begun && hf_sv_eq((hf_sv){ bytes, size * n }, HF_SV("\r\n"))) {
			curl_easy_getinfo(c->http->easy, CURLINFO_RESPONSE_CODE, &status);
			if (status >= 200 && status <= 299)
				r->begun(r->take_ctx);
		}
		return size * n;
	}
	c->code = hf_fail(c->err, HF_E_LIMIT, "%s: headers of more than %d bytes", c->where, HEADERS_MAX);
	return 0;
}

static int take_line(struct call *c)
{
	hf_sv line = hf_buf_view(&c->line);

	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	c->line.len = 0;
	return c->request->take(c->request->take_ctx, line, c->err);
}

static int take_lines(struct call *c, hf_sv bytes)
{
	while (bytes.len) {
		size_t end = hf_sv_index(bytes, '\n');
		hf_buf_add(&c->line, hf_sv_first(bytes, end == SIZE_MAX ? bytes.len : end));
		if (c->line.over)
			return hf_fail(c->err, HF_E_LIMIT, "%s: a line of more than %zu bytes", c->where,
				       c->request->line_max);
		if (end == SIZE_MAX)
			return HF_OK;
		bytes = hf_sv_skip(bytes, end + 1);
		int code = take_line(c);
		if (code < 0)
			return code;
	}
	return HF_OK;
}

static size_t on_body(char *ptr, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	const struct hf_http_request *r = c->request;
	hf_sv bytes = { ptr, size * n };
	long status = 0;

	curl_easy_getinfo(c->http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!r->take || status < 200 || status > 299) {
		hf_buf_add(&c->answer->body, bytes);
		if (c->answer->body.over)
			c->code = hf_fail(c->err, HF_E_LIMIT, "%s: more than %zu bytes", c->where, c->answer->body.max);
	} else {
		c->code = r->line_max ? take_lines(c, bytes) : r->take(r->take_ctx, bytes, c->err);
	}
	return c->code < 0 ? 0 : bytes.len;
}

static int code_of(CURLcode code)
{
	static const struct {
		CURLcode curl;
		int code;
	} codes[] = {
		{ CURLE_OPERATION_TIMEDOUT, HF_E_LIMIT },
		{ CURLE_PARTIAL_FILE, HF_E_TRUNCATED },
		{ CURLE_GOT_NOTHING, HF_E_TRUNCATED },
		{ CURLE_WEIRD_SERVER_REPLY, HF_E_FORMAT },
		{ CURLE_UNSUPPORTED_PROTOCOL, HF_E_FORMAT },
		{ CURLE_BAD_CONTENT_ENCODING, HF_E_FORMAT },
		{ CURLE_URL_MALFORMAT, HF_E_USAGE },
		{ CURLE_COULDNT_RESOLVE_HOST, HF_E_MISSING },
		{ CURLE_PEER_FAILED_VERIFICATION, HF_E_DENIED },
		{ CURLE_SSL_CERTPROBLEM, HF_E_FORMAT },
		{ CURLE_SSL_CACERT_BADFILE, HF_E_FORMAT },
		{ CURLE_RECV_ERROR, HF_E_TRUNCATED },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(codes); i++)
		if (codes[i].curl == code)
			return codes[i].code;
	return HF_E_IO;
}

static int fail(struct call *c, CURLcode code, const char *message)
{
	long system = 0;

	if (c->code < 0)
		return c->code;
	curl_easy_getinfo(c->http->easy, CURLINFO_OS_ERRNO, &system);
	if (code == CURLE_COULDNT_CONNECT && system) {
		errno = (int)system;
		return hf_fail_errno(c->err, "%s", c->where);
	}
	return hf_fail(c->err, code_of(code), "%s: %s", c->where, message[0] ? message : curl_easy_strerror(code));
}

static void add_to(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (!longer)
		abort();
	*list = longer;
}

static void set_headers(struct call *c)
{
	const struct hf_http_request *r = c->request;

	for (size_t i = 0; i < r->headers_n; i++)
		add_to(&c->header_list, r->headers[i]);
	/* curl would wait a second for "100 Continue" before a large body. */
	add_to(&c->header_list, "Expect:");
	if (c->host.len)
		add_to(&c->header_list, c->host.ptr);
	curl_easy_setopt(c->http->easy, CURLOPT_HTTPHEADER, c->header_list);
}

static void set_blob(CURL *e, CURLoption option, hf_sv bytes)
{
	struct curl_blob blob = { .data = (void *)(uintptr_t)bytes.ptr, .len = bytes.len, .flags = CURL_BLOB_NOCOPY };

	if (bytes.len && curl_easy_setopt(e, option, &blob))
		abort();
}

/* curl takes the name for TLS from the URL alone, so the URL gets that name and the connection is led to the host. */
static void rename_host(struct call *c)
{
	const char *name = c->request->tls->server_name;
	hf_sv scheme, host, rest, port = { 0 }, last, before;

	if (!split_url(hf_sv_of(c->request->url), &scheme, &host, &rest))
		return;
	if (hf_sv_cut_last(host, ':', &before, &last) && hf_sv_index(last, ']') == SIZE_MAX) {
		port = last;
		host = before;
	}
	if (!port.len)
		port = hf_sv_eq_ascii(scheme, HF_SV("https")) ? HF_SV("443") : HF_SV("80");
	hf_buf_addf(&c->url, "%.*s://%s:%.*s%.*s", HF_SV_FMT(scheme), name, HF_SV_FMT(port), HF_SV_FMT(rest));
	hf_buf_addf(&c->connect_to, "::%.*s:%.*s", HF_SV_FMT(host), HF_SV_FMT(port));
	hf_buf_addf(&c->host, "Host: %.*s:%.*s", HF_SV_FMT(host), HF_SV_FMT(port));
	if (c->url.over || c->connect_to.over || c->host.over) {
		curl_easy_setopt(c->http->easy, CURLOPT_URL, "");
		return;
	}
	add_to(&c->connect_list, c->connect_to.ptr);
	curl_easy_setopt(c->http->easy, CURLOPT_URL, c->url.ptr);
	curl_easy_setopt(c->http->easy, CURLOPT_CONNECT_TO, c->connect_list);
}

static void set_tls(struct call *c)
{
	const struct hf_http_tls *tls = c->request->tls;
	CURL *e = c->http->easy;

	if (!tls) {
		if (c->request->ca_file)
			curl_easy_setopt(e, CURLOPT_CAINFO, c->request->ca_file);
		return;
	}
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (tls->ca.len) {
		curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	set_blob(e, CURLOPT_CAINFO_BLOB, tls->ca);
	set_blob(e, CURLOPT_SSLCERT_BLOB, tls->certificate);
	set_blob(e, CURLOPT_SSLKEY_BLOB, tls->key);
	/* Without it the library would ask the terminal for a passphrase. */
	curl_easy_setopt(e, CURLOPT_KEYPASSWD, "");
	if (tls->insecure) {
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (tls->server_name)
		rename_host(c);
}

static void set_options(struct call *c, char *message)
{
	const struct hf_http_request *r = c->request;
	CURL *e = c->http->easy;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_URL, r->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, message);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "holdfast/" HF_VERSION);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->deadline_ms);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	if (r->unix_socket) {
		curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
		curl_easy_setopt(e, CURLOPT_PROXY, "");
	}
	if (r->proxy) {
		curl_easy_setopt(e, CURLOPT_PROXY, r->proxy);
		curl_easy_setopt(e, CURLOPT_NOPROXY, "");
	}
	if (r->packed)
		curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (r->silence_s) {
		curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)r->silence_s);
	}
	set_tls(c);
	set_headers(c);
	if (r->body.ptr) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body.ptr);
	}
	if (r->method)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
}

/* TLS writes without MSG_NOSIGNAL. The signal is kept from this thread alone, and what came of it is taken away. */
static bool block_sigpipe(sigset_t *old)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &set, old);
	return sigismember(&pending, SIGPIPE) == 1;
}

static void unblock_sigpipe(const sigset_t *old, bool was_pending)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	while (!was_pending && sigtimedwait(&set, NULL, &(struct timespec){ 0 }) > 0)
		;
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* CURL_LAST: stopped. */
static CURLcode perform(struct hf_http *h)
{
	int running = 1, left;

	while (!atomic_load(&h->stopped)) {
		if (curl_multi_perform(h->multi, &running))
			return CURLE_FAILED_INIT;
		for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
			if (m->msg == CURLMSG_DONE)
				return m->data.result;
		if (curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL))
			return CURLE_FAILED_INIT;
	}
	return CURL_LAST;
}

/* What curl still points to is taken from it before it is given back. */
static void forget(struct call *c)
{
	curl_easy_reset(c->http->easy);
	curl_slist_free_all(c->header_list);
	curl_slist_free_all(c->connect_list);
	hf_buf_done(&c->line);
	hf_buf_done(&c->url);
	hf_buf_done(&c->connect_to);
	hf_buf_done(&c->host);
}

int hf_http_call(struct hf_http *h, const struct hf_http_request *request, struct hf_http_answer *ret,
		 struct hf_err *err)
{
	struct call c = { .http = h,
			  .request = request,
			  .answer = ret,
			  .err = err,
			  .line = HF_BUF(request->line_max),
			  .url = HF_BUF(URL_MAX),
			  .connect_to = HF_BUF(URL_MAX),
			  .host = HF_BUF(URL_MAX) };
	char message[CURL_ERROR_SIZE] = "";

	*ret = (struct hf_http_answer){ .body = HF_BUF(request->answer_max ? request->answer_max : ANSWER_MAX) };
	describe(&c);
	sigset_t old;
	bool was_pending = block_sigpipe(&old);
	set_options(&c, message);
	if (curl_multi_add_handle(h->multi, h->easy))
		abort();
	CURLcode code = perform(h);
	int result = HF_OK;
	long status = 0;
	curl_off_t retry_after = 0;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
	ret->status = (unsigned)status;
	ret->retry_after_s = retry_after < 0 ? 0 : retry_after > UINT32_MAX ? UINT32_MAX : (uint32_t)retry_after;
	if (code == CURL_LAST)
		result = hf_fail(err, HF_E_SYSTEM, "%s: stopped", c.where);
	else if (code != CURLE_OK)
		result = fail(&c, code, message);
	else if (c.line.len)
		result = take_line(&c);
	curl_multi_remove_handle(h->multi, h->easy);
	forget(&c);
	unblock_sigpipe(&old, was_pending);
	return result < 0 ? result : HF_OK;
}
