#include "cluster/client.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/http.h"

enum { DEADLINE_MS = 30000, WAIT_MS = 250, WAIT_MAX_MS = 30000, TRIES = 5 };

struct hf_cluster {
	struct hf_credentials *credentials;
	struct hf_credential credential;
	struct hf_cluster_options options;
	struct hf_http *http;
	atomic_bool stopped;
	int stop_fd;
	/* Of the target: what goes into each request. */
	struct hf_arena arena;
	const char *server_name, *proxy;
	const char **headers; /* impersonation; with room for four more */
	size_t headers_n;
};

static bool has_controls(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static void impersonate(struct hf_cluster *c, hf_sv name, hf_sv value)
{
	if (value.len && !has_controls(value))
		c->headers[c->headers_n++] =
			hf_arena_fmt(&c->arena, "Impersonate-%.*s: %.*s", HF_SV_FMT(name), HF_SV_FMT(value)).ptr;
}

/* A key of extra goes into a header's name: bytes that may not stand there are escaped as in a URL, as client-go does. */
static hf_sv extra_name(struct hf_arena *a, hf_sv key)
{
	hf_cleanup(hf_buf_done) struct hf_buf name = HF_BUF(HF_KIB(64));

	hf_buf_add(&name, HF_SV("Extra-"));
	for (size_t i = 0; i < key.len; i++) {
		unsigned char b = (unsigned char)key.ptr[i];
		bool letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
		if (letter || (b && strchr("!#$&'*+-.^_`|~", b)))
			hf_buf_add_char(&name, (char)b);
		else
			hf_buf_addf(&name, "%%%02X", b);
	}
	return hf_arena_dup(a, hf_buf_view(&name));
}

struct hf_cluster *hf_cluster_open(struct hf_credentials *credentials, const struct hf_cluster_options *options)
{
	const struct hf_kubeconfig_target *t = hf_credentials_target(credentials);
	struct hf_cluster *c = hf_calloc(1, sizeof *c);

	c->credentials = credentials;
	c->options = options ? *options : (struct hf_cluster_options){ 0 };
	c->options.deadline_ms = c->options.deadline_ms ? c->options.deadline_ms : DEADLINE_MS;
	c->options.wait_ms = c->options.wait_ms ? c->options.wait_ms : WAIT_MS;
	c->options.wait_max_ms = c->options.wait_max_ms ? c->options.wait_max_ms : WAIT_MAX_MS;
	c->options.tries = c->options.tries ? c->options.tries : TRIES;
	c->http = hf_http_open();
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->arena = HF_ARENA(SIZE_MAX);
	c->server_name = t->cluster.tls_server_name.len ? t->cluster.tls_server_name.ptr : NULL;
	c->proxy = t->cluster.proxy_url.len ? t->cluster.proxy_url.ptr : NULL;
	c->headers = hf_arena_array(&c->arena, const char *, 2 + t->user.as_groups_n + t->user.as_extra_n + 4);
	impersonate(c, HF_SV("User"), t->user.as);
	impersonate(c, HF_SV("Uid"), t->user.as_uid);
	for (size_t i = 0; i < t->user.as_groups_n; i++)
		impersonate(c, HF_SV("Group"), t->user.as_groups[i]);
	for (size_t i = 0; i < t->user.as_extra_n; i++)
		impersonate(c, extra_name(&c->arena, t->user.as_extra[i].name), t->user.as_extra[i].value);
	return c;
}

void hf_cluster_close(struct hf_cluster *c)
{
	if (!c)
		return;
	hf_http_close(c->http);
	hf_credential_done(&c->credential);
	hf_arena_done(&c->arena);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	free(c);
}

void hf_cluster_stop(struct hf_cluster *c)
{
	uint64_t one = 1;

	atomic_store(&c->stopped, true);
	hf_http_stop(c->http);
	if (write(c->stop_fd, &one, sizeof one) < 0)
		return; /* it was full: whoever waits is woken all the same */
}

bool hf_cluster_stopped(const struct hf_cluster *c)
{
	return atomic_load(&c->stopped);
}

void hf_cluster_wait(struct hf_cluster *c, unsigned failures, uint32_t at_least_s)
{
	uint64_t ms = c->options.wait_ms;
	uint32_t chance = 0;

	for (unsigned i = 0; i < failures && ms < c->options.wait_max_ms; i++)
		ms *= 2;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = 0;
	/* Many clients that lost one server do not come back in the same moment. */
	ms = ms / 2 + ms * (chance % 1000) / 1000;
	if (ms < (uint64_t)at_least_s * 1000)
		ms = (uint64_t)at_least_s * 1000;
	if (ms > c->options.wait_max_ms)
		ms = c->options.wait_max_ms;
	struct pollfd p = { .fd = c->stop_fd, .events = POLLIN };
	if (!hf_cluster_stopped(c))
		poll(&p, 1, (int)ms);
}

struct stream {
	const struct hf_cluster_request *request;
	bool begun;
};

static int take_line(void *ctx, hf_sv line, struct hf_err *err)
{
	struct stream *s = ctx;

	s->begun = true;
	return s->request->take(s->request->take_ctx, line, err);
}

static void begin(void *ctx)
{
	const struct stream *s = ctx;

	s->request->begun(s->request->take_ctx);
}

static int try_once(struct hf_cluster *c, const struct hf_cluster_request *r, const char *url, struct stream *stream,
		    struct hf_http_answer *ret, struct hf_err *err)
{
	const struct hf_kubeconfig_cluster *cluster = &hf_credentials_target(c->credentials)->cluster;
	const struct hf_http_tls tls = { .ca = c->credential.ca,
					 .certificate = c->credential.certificate,
					 .key = c->credential.key,
					 .server_name = c->server_name,
					 .insecure = cluster->insecure };
	char accept[256], type[128];
	size_t n = c->headers_n;

	snprintf(accept, sizeof accept, "Accept: %s", r->accept ? r->accept : "application/json");
	c->headers[n++] = accept;
	if (r->body.ptr) {
		snprintf(type, sizeof type, "Content-Type: %s", r->content_type ? r->content_type : "application/json");
		c->headers[n++] = type;
	}
	if (c->credential.authorization.len)
		c->headers[n++] = c->credential.authorization.ptr;
	const struct hf_http_request http = { .url = url,
					      .method = r->method,
					      .body = r->body,
					      .headers = c->headers,
					      .headers_n = n,
					      .tls = &tls,
					      .proxy = c->proxy,
					      .packed = !r->take, /* of packed streams, events would come late */
					      .deadline_ms = r->take ? 0 : c->options.deadline_ms,
					      .silence_s = r->silence_s,
					      .answer_max = r->answer_max,
					      .take = r->take ? take_line : NULL,
					      .take_ctx = stream,
					      .begun = r->begun ? begin : NULL,
					      .line_max = r->line_max };
	return hf_http_call(c->http, &http, ret, err);
}

static bool may_help(const struct hf_cluster_request *r, int code, const struct hf_http_answer *a)
{
	bool reads = !r->method || strcmp(r->method, "GET") == 0;

	if (a->status == 429 || (a->status == 503 && a->retry_after_s))
		return true;
	if (!reads)
		return false;
	if (code < 0)
		return code == HF_E_IO || code == HF_E_TRUNCATED || code == HF_E_MISSING;
	return a->status == 500 || (a->status >= 502 && a->status <= 504);
}

/* One answer, after as many tries as it takes. */
static int call(struct hf_cluster *c, const struct hf_cluster_request *r, const char *url, struct hf_http_answer *ret,
		struct hf_err *err)
{
	bool renewed = false;

	for (unsigned i = 0;; i++) {
		struct stream stream = { .request = r };
		struct hf_err why = { 0 };
		int code = hf_credentials_get(c->credentials, &c->credential, &why);
		if (code < 0) {
			*ret = (struct hf_http_answer){ 0 };
			if (err)
				*err = why;
			return code;
		}
		code = try_once(c, r, url, &stream, ret, &why);
		bool again = false;
		if (code == HF_OK && ret->status == 401 && !renewed) {
			renewed = again = hf_credentials_refused(c->credentials, c->credential.generation);
		} else if (!stream.begun && !hf_cluster_stopped(c) && i + 1 < c->options.tries &&
			   may_help(r, code, ret)) {
			hf_cluster_wait(c, i, ret->retry_after_s);
			again = !hf_cluster_stopped(c);
		}
		if (!again) {
			if (code < 0 && err)
				*err = why;
			return code;
		}
		hf_buf_done(&ret->body);
	}
}

int hf_cluster_call(struct hf_cluster *c, const struct hf_cluster_request *r, struct hf_cluster_answer *ret,
		    struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf url = HF_BUF(HF_KIB(128));
	struct hf_http_answer http;

	*ret = (struct hf_cluster_answer){ 0 };
	if (has_controls(r->path))
		return hf_fail(err, HF_E_USAGE, "a path with control bytes");
	hf_sv server = hf_credentials_target(c->credentials)->cluster.server;
	hf_buf_addf(&url, "%.*s%.*s", HF_SV_FMT(server), HF_SV_FMT(r->path));
	if (url.over)
		return hf_fail(err, HF_E_LIMIT, "a path of more than %zu bytes", url.max);
	int code = call(c, r, url.ptr, &http, err);
	ret->status = http.status;
	ret->body = http.body;
	if (code < 0)
		return hf_cluster_stopped(c) ? code
					     : hf_wrap(err, "%s %.*s", r->verb, HF_SV_FMT(hf_sv_first(r->what, 200)));
	if (http.status >= 200 && http.status <= 299)
		return HF_OK;
	hf_cluster_status_parse(hf_buf_view(&ret->body), http.status, &ret->refused);
	ret->refused.code = http.status;
	return hf_cluster_status_fail(&ret->refused, r->verb, r->what, err);
}

static void add_escaped(struct hf_buf *out, hf_sv s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char b = (unsigned char)s.ptr[i];
		bool plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
			     (b && strchr("-._~", b));
		if (plain)
			hf_buf_add_char(out, (char)b);
		else
			hf_buf_addf(out, "%%%02X", b);
	}
}

static void add_segment(struct hf_buf *out, hf_sv s)
{
	bool dots = hf_sv_eq(s, HF_SV(".")) || hf_sv_eq(s, HF_SV(".."));

	if (!s.len)
		return;
	hf_buf_add_char(out, '/');
	/* curl would take these for steps of a path. */
	if (dots)
		hf_buf_addf(out, "%s", s.len == 1 ? "%2E" : "%2E%2E");
	else
		add_escaped(out, s);
}

void hf_cluster_path_add(struct hf_buf *out, const struct hf_cluster_what *what)
{
	hf_buf_add(out, what->group.len ? HF_SV("/apis") : HF_SV("/api"));
	add_segment(out, what->group);
	add_segment(out, what->version);
	if (what->namespace.len) {
		hf_buf_add(out, HF_SV("/namespaces"));
		add_segment(out, what->namespace);
	}
	add_segment(out, what->resource);
	add_segment(out, what->name);
	add_segment(out, what->subresource);
}

void hf_cluster_query_add(struct hf_buf *out, bool *first, const char *key, hf_sv value)
{
	hf_buf_addf(out, "%c%s=", *first ? '?' : '&', key);
	add_escaped(out, value);
	*first = false;
}

void hf_cluster_selectors_add(struct hf_buf *out, bool *first, const struct hf_cluster_what *what)
{
	if (what->label_selector.len)
		hf_cluster_query_add(out, first, "labelSelector", what->label_selector);
	if (what->field_selector.len)
		hf_cluster_query_add(out, first, "fieldSelector", what->field_selector);
}

void hf_cluster_what_describe(struct hf_buf *out, const struct hf_cluster_what *what)
{
	hf_buf_add(out, what->resource);
	if (what->group.len)
		hf_buf_addf(out, ".%.*s", HF_SV_FMT(what->group));
	if (what->subresource.len)
		hf_buf_addf(out, "/%.*s", HF_SV_FMT(what->subresource));
	if (what->name.len)
		hf_buf_addf(out, " %.*s", HF_SV_FMT(what->name));
	if (what->namespace.len)
		hf_buf_addf(out, " in %.*s", HF_SV_FMT(what->namespace));
}
