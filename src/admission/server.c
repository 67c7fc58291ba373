#include "admission/server.h"

#include <microhttpd.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admission/connections.h"
#include "base/file.h"
#include "base/limits.h"
#include "format/json_writer.h"

enum {
	DEADLINE_MS = 4000,
	CONNECTIONS_MAX = 16384,
	CONNECTION_MEMORY_BYTES = 16 << 10,
	SLOW_S =
		15, /* a slow reader or writer is let go after it; from its beginning to the end of the first headers */
	IDLE_S = 120, /* between requests: longer than API servers keep a connection, so that it is they who close it */
	JUDGES = 16,
	WAITING_MAX = 4096,
	RENEWAL_LOOK_S = 60,
	BODY_S = 30,            /* from the first byte of a review to its last, and for taking the answer */
	PEER_SHARE = 4,         /* one address has no more than one part of so many of all connections */
	PUBLISHED_MS = 3000,    /* until API servers have what they were told */
	CALLER_MARGIN_MS = 250, /* an answer wants to be there before the API server stops waiting */
};

/* A daemon with its certificate. One whose certificate is no longer served answers what still comes over its connections, and asks for
 * others: a connection that is cut would cost a request. */
struct listener {
	struct hf_admission_server *server;
	struct MHD_Daemon *daemon;
	bool draining;
	int64_t since_ms; /* that it drains */
	/* With the server's lock held. */
	size_t judging; /* requests that wait for their answer: it must not be stopped then */
	bool closing;   /* takes no more of them */
};

/* A request: from its first header to its answer. */
struct request {
	struct MHD_Connection *connection;
	struct listener *listener;
	struct hf_buf body, answer;
	unsigned status; /* of the answer; 0: not there yet */
	size_t held;     /* of the server's body_bytes */
	bool no_room;    /* bodies of all requests together were too large */
	int64_t began_ms;
	unsigned deadline_ms; /* from then on */
	struct request *next;
};

struct hf_admission_server {
	struct hf_admission_server_options options;
	struct hf_admission_pool *pool;
	struct hf_admission_connections connections;
	struct listener *listener, *old; /* old: the one before, while it drains */
	int listen_fd, decisions_fd;
	struct hf_arena arena; /* of the certificate that is served */
	struct hf_certificate certificate;
	hf_sv authority;
	bool published;
	struct timespec files_changed;
	int64_t next_look;
	pthread_t judges[JUDGES];
	unsigned judges_n;
	pthread_mutex_t lock; /* over the queue and the counters */
	pthread_cond_t queued;
	struct request *first, **last;
	size_t waiting;
	pthread_mutex_t record_lock; /* over the file of decisions */
	uint64_t decisions_bytes;
	uint64_t body_bytes; /* held for all requests; atomic */
	bool stopping;
	struct {
		uint64_t allowed, denied, malformed, failed, too_busy, not_recorded;
	} counters;
};

static void done(struct request *r)
{
	hf_buf_done(&r->body);
	hf_buf_done(&r->answer);
	free(r);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With record_lock held, or before there are threads. */
static int open_decisions(struct hf_admission_server *s, struct hf_err *err)
{
	int fd = open(s->options.decisions, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		hf_fd_close(&fd);
		return hf_fail_errno(err, "%s", s->options.decisions);
	}
	hf_fd_close(&s->decisions_fd);
	s->decisions_fd = fd;
	s->decisions_bytes = (uint64_t)st.st_size;
	return HF_OK;
}

/* With record_lock held. */
static void rotate_decisions(struct hf_admission_server *s)
{
	char before[4096];

	s->decisions_bytes = 0; /* where it fails, it is tried again after as much */
	if (snprintf(before, sizeof before, "%s.1", s->options.decisions) < (int)sizeof before &&
	    !rename(s->options.decisions, before))
		(void)!open_decisions(s, NULL);
}

/* @line: a JSON object. */
static void record(struct hf_admission_server *s, hf_sv line)
{
	char time_text[40];
	struct timespec now;
	struct tm tm;
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_ADMISSION_ANSWER_MAX + 64);

	if (!s->options.decisions || line.len < 2)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &tm);
	hf_buf_addf(&out, "{\"time\":\"%s.%03ldZ\",", time_text, now.tv_nsec / 1000000);
	hf_buf_add(&out, hf_sv_skip(line, 1));
	hf_buf_add_char(&out, '\n');
	pthread_mutex_lock(&s->record_lock);
	/* One write, to a file opened for appending: lines of several processes do not mix. */
	bool kept = !out.over && write(s->decisions_fd, out.ptr, out.len) == (ssize_t)out.len;
	s->decisions_bytes += out.len;
	if (s->options.decisions_max && s->decisions_bytes > s->options.decisions_max)
		rotate_decisions(s);
	pthread_mutex_unlock(&s->record_lock);
	if (!kept) {
		pthread_mutex_lock(&s->lock);
		s->counters.not_recorded++;
		pthread_mutex_unlock(&s->lock);
	}
}

/* A review that has no answer: the API server goes by its failurePolicy, and what it was about stands in its audit log. */
static void record_failure(struct hf_admission_server *s, const struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_KIB(8));
	struct hf_json_writer w = { .out = &line, .compact = true };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/admission/1"));
	hf_jw_kv_bool(&w, "judged", false);
	hf_jw_kv(&w, "error", hf_sv_of(err->msg));
	hf_jw_object_end(&w);
	record(s, hf_buf_view(&line));
}

static int ask_pool(struct hf_admission_server *s, struct request *r, struct hf_buf *line, struct hf_err *err)
{
	int64_t left = r->began_ms + r->deadline_ms - now_ms();

	/* Nobody waits for it any more: judges are for those who do. */
	if (left <= 0)
		return hf_fail(err, HF_E_TIMEOUT, "too many reviews were before it");
	return hf_admission_pool_judge(s->pool, hf_buf_view(&r->body), (unsigned)left, &r->answer, line, err);
}

static void judge(struct hf_admission_server *s, struct request *r)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_ADMISSION_ANSWER_MAX + 1);
	struct hf_err err = { 0 };
	int code = ask_pool(s, r, &line, &err);

	if (code >= 0) {
		r->status = MHD_HTTP_OK;
		record(s, hf_buf_view(&line));
	} else {
		r->answer.len = 0;
		hf_buf_addf(&r->answer, "%s\n", err.msg);
		r->status = code == HF_E_FORMAT ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_INTERNAL_SERVER_ERROR;
		record_failure(s, &err);
	}
	/* Quotes within texts are escaped: only the member itself looks like this. */
	bool allowed = hf_sv_find(hf_buf_view(&line), HF_SV("\"allowed\":true,\"reasons\"")) != SIZE_MAX;
	pthread_mutex_lock(&s->lock);
	s->counters.allowed += code >= 0 && allowed;
	s->counters.denied += code >= 0 && !allowed;
	s->counters.malformed += code == HF_E_FORMAT;
	s->counters.failed += code < 0 && code != HF_E_FORMAT;
	pthread_mutex_unlock(&s->lock);
}

static void *run_judge(void *ctx)
{
	struct hf_admission_server *s = ctx;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (!s->first && !s->stopping)
			pthread_cond_wait(&s->queued, &s->lock);
		struct request *r = s->first;
		if (r) {
			s->first = r->next;
			s->last = s->first ? s->last : &s->first;
			s->waiting--;
		}
		pthread_mutex_unlock(&s->lock);
		if (!r)
			return NULL;
		judge(s, r);
		struct listener *l = r->listener;
		MHD_resume_connection(r->connection);
		pthread_mutex_lock(&s->lock);
		l->judging--;
		pthread_mutex_unlock(&s->lock);
	}
}

static struct hf_admission_connection *connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

/* libmicrohttpd tells of a connection before it closes its descriptor. */
static void notice(void *ctx, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct hf_admission_server *s = ((struct listener *)ctx)->server;
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED && i)
		*context = hf_admission_connection_opened(&s->connections, i->connect_fd, now_ms() + SLOW_S * 1000);
	else if (what == MHD_CONNECTION_NOTIFY_CLOSED && *context)
		hf_admission_connection_closed(&s->connections, *context);
}

static bool enqueue(struct hf_admission_server *s, struct request *r)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->waiting < WAITING_MAX && !s->stopping && !r->listener->closing;
	if (room) {
		r->listener->judging++;
		/* Before a judge can see it: resumed before it was suspended it would sleep for ever. */
		hf_admission_connection_due(connection_of(r->connection), INT64_MAX);
		MHD_suspend_connection(r->connection);
		*s->last = r;
		s->last = &r->next;
		s->waiting++;
		pthread_cond_signal(&s->queued);
	} else {
		s->counters.too_busy++;
	}
	pthread_mutex_unlock(&s->lock);
	return room;
}

static enum MHD_Result reply(struct request *r, unsigned status, hf_sv body, const char *type)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body.len, (void *)body.ptr, MHD_RESPMEM_MUST_COPY);

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	hf_admission_connection_due(connection_of(r->connection), now_ms() + BODY_S * 1000);
	if (__atomic_load_n(&r->listener->draining, __ATOMIC_RELAXED))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result result = MHD_queue_response(r->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result show_metrics(struct hf_admission_server *s, struct request *r)
{
	char text[1024];

	pthread_mutex_lock(&s->lock);
	int n = snprintf(text, sizeof text,
			 "# TYPE holdfast_admission_reviews_total counter\n"
			 "holdfast_admission_reviews_total{outcome=\"allowed\"} %llu\n"
			 "holdfast_admission_reviews_total{outcome=\"denied\"} %llu\n"
			 "holdfast_admission_reviews_total{outcome=\"malformed\"} %llu\n"
			 "holdfast_admission_reviews_total{outcome=\"failed\"} %llu\n"
			 "holdfast_admission_reviews_total{outcome=\"too_busy\"} %llu\n"
			 "# TYPE holdfast_admission_not_recorded_total counter\n"
			 "holdfast_admission_not_recorded_total %llu\n",
			 (unsigned long long)s->counters.allowed, (unsigned long long)s->counters.denied,
			 (unsigned long long)s->counters.malformed, (unsigned long long)s->counters.failed,
			 (unsigned long long)s->counters.too_busy, (unsigned long long)s->counters.not_recorded);
	pthread_mutex_unlock(&s->lock);
	hf_sv body = { text, n > 0 ? (size_t)n : 0 };
	char workers[160];
	n = snprintf(workers, sizeof workers,
		     "# TYPE holdfast_admission_workers_replaced_total "
		     "counter\nholdfast_admission_workers_replaced_total %llu\n",
		     (unsigned long long)hf_admission_pool_replaced(s->pool));
	if (body.len + (size_t)n < sizeof text) {
		memcpy(text + body.len, workers, (size_t)n);
		body.len += (size_t)n;
	}
	return reply(r, MHD_HTTP_OK, body, "text/plain; version=0.0.4");
}

/* Ten thousand clients that each send half of a large review must not take all memory. */
static void keep_body(struct hf_admission_server *s, struct request *r, hf_sv data)
{
	if (r->no_room || r->body.over)
		return;
	if (__atomic_add_fetch(&s->body_bytes, data.len, __ATOMIC_RELAXED) > HF_ADMISSION_BODIES_MAX) {
		__atomic_sub_fetch(&s->body_bytes, data.len + r->held, __ATOMIC_RELAXED);
		r->held = 0;
		r->no_room = true;
		hf_buf_done(&r->body);
		return;
	}
	r->held += data.len;
	hf_buf_add(&r->body, data);
}

/* The API server says how long it waits: "?timeout=5s". */
static unsigned deadline_of(const struct hf_admission_server *s, struct MHD_Connection *c)
{
	const char *text = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "timeout");
	hf_sv number = hf_sv_of(text ? text : "");
	uint64_t seconds;

	if (!hf_sv_ends(number, HF_SV("s")) || !hf_sv_to_u64(hf_sv_first(number, number.len - 1), &seconds) ||
	    !seconds || seconds > 60 || seconds * 1000 - CALLER_MARGIN_MS > s->options.deadline_ms)
		return s->options.deadline_ms;
	return (unsigned)seconds * 1000 - CALLER_MARGIN_MS;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
			      const char *version, const char *data, size_t *size, void **state)
{
	struct listener *l = ctx;
	struct hf_admission_server *s = l->server;
	struct request *r = *state;
	bool post = !strcmp(method, MHD_HTTP_METHOD_POST), validate = !strcmp(url, "/validate");

	(void)version;
	if (!r) {
		r = *state = hf_calloc(1, sizeof *r);
		r->connection = c;
		r->listener = l;
		MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)SLOW_S);
		r->began_ms = now_ms();
		hf_admission_connection_due(connection_of(c), r->began_ms + BODY_S * 1000);
		r->deadline_ms = deadline_of(s, c);
		r->body = HF_BUF(HF_ADMISSION_REVIEW_MAX);
		r->answer = HF_BUF(HF_ADMISSION_ANSWER_MAX + 1);
		return MHD_YES;
	}
	if (*size) {
		if (post && validate)
			keep_body(s, r, (hf_sv){ data, *size });
		*size = 0;
		return MHD_YES;
	}
	if (r->status)
		return reply(r, r->status, hf_buf_view(&r->answer),
			     r->status == MHD_HTTP_OK ? "application/json" : "text/plain");
	if (!post && !strcmp(method, MHD_HTTP_METHOD_GET) && !strcmp(url, "/healthz"))
		return reply(r, MHD_HTTP_OK, HF_SV("ok\n"), "text/plain");
	if (!post && !strcmp(method, MHD_HTTP_METHOD_GET) && !strcmp(url, "/metrics"))
		return show_metrics(s, r);
	if (!validate)
		return reply(r, MHD_HTTP_NOT_FOUND, HF_SV("there is POST /validate, GET /healthz and GET /metrics\n"),
			     "text/plain");
	if (!post)
		return reply(r, MHD_HTTP_METHOD_NOT_ALLOWED, HF_SV("reviews are posted\n"), "text/plain");
	if (r->body.over)
		return reply(r, MHD_HTTP_CONTENT_TOO_LARGE, HF_SV("the review is too large\n"), "text/plain");
	if (r->no_room || !enqueue(s, r))
		return reply(r, MHD_HTTP_SERVICE_UNAVAILABLE, HF_SV("too many reviews are waiting\n"), "text/plain");
	return MHD_YES;
}

static void completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct hf_admission_server *s = ((struct listener *)ctx)->server;
	struct request *r = *state;

	hf_admission_connection_due(connection_of(c), now_ms() + (IDLE_S + SLOW_S) * 1000);
	if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)IDLE_S);
	if (r) {
		__atomic_sub_fetch(&s->body_bytes, r->held, __ATOMIC_RELAXED);
		done(r);
	}
	*state = NULL;
}

static int open_address(const char *address, unsigned *ret_port, struct hf_err *err)
{
	char host[128];
	const char *colon = strrchr(address, ':');
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list;
	union {
		struct sockaddr_in6 in6;
		struct sockaddr_in in;
	} bound = { 0 };
	socklen_t n = sizeof bound;

	if (!colon || (size_t)(colon - address) >= sizeof host)
		return hf_fail(err, HF_E_USAGE, "%s: wants ADDRESS:PORT", address);
	bool brackets = address[0] == '[' && colon > address && colon[-1] == ']';
	snprintf(host, sizeof host, "%.*s", (int)(colon - address - 2 * brackets), address + brackets);
	int r = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &list);
	if (r)
		return hf_fail(err, HF_E_USAGE, "%s: %s", address, gai_strerror(r));
	int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&bound, &n)) {
		hf_fail_errno(err, "%s", address);
		hf_fd_close(&fd);
	} else {
		*ret_port = ntohs(bound.in6.sin6_family == AF_INET6 ? bound.in6.sin6_port : bound.in.sin_port);
	}
	freeaddrinfo(list);
	return fd >= 0 ? fd : err->code;
}

/* Every connection is a descriptor. */
static unsigned connections_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur < CONNECTIONS_MAX + 256 ? (unsigned)(limit.rlim_cur > 512 ? limit.rlim_cur - 256 : 256)
						      : CONNECTIONS_MAX;
}

static int start_listener(struct hf_admission_server *s, struct listener **ret, struct hf_err *err)
{
	int fd = dup(s->listen_fd); /* the daemon closes its own */
	struct listener *l = hf_calloc(1, sizeof *l);

	l->server = s;
	l->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL,
		answer, l, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections_max(),
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections_max() / PEER_SHARE, MHD_OPTION_NOTIFY_CONNECTION,
		notice, l, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SLOW_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_NOTIFY_COMPLETED,
		completed, l, MHD_OPTION_HTTPS_MEM_CERT, s->certificate.certificate_pem.ptr, MHD_OPTION_HTTPS_MEM_KEY,
		s->certificate.key_pem.ptr, MHD_OPTION_HTTPS_PRIORITIES,
		"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_END);
	if (l->daemon) {
		*ret = l;
		return HF_OK;
	}
	free(l);
	hf_fd_close(&fd);
	return hf_fail(err, HF_E_SYSTEM, "the HTTPS server could not be started: is the certificate's key its own?");
}

static int read_text(const char *path, struct hf_arena *a, hf_sv *ret, struct timespec *newest, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_KIB(256));
	hf_cleanup(hf_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return hf_fail_errno(err, "%s", path);
	int r = hf_fd_read_all(fd, 0, &text, err);
	*ret = hf_arena_dup(a, hf_buf_view(&text));
	if (st.st_mtim.tv_sec > newest->tv_sec ||
	    (st.st_mtim.tv_sec == newest->tv_sec && st.st_mtim.tv_nsec > newest->tv_nsec))
		*newest = st.st_mtim;
	return r < 0 ? hf_wrap(err, "%s", path) : HF_OK;
}

/* HF_PARTIAL: they are not those that are served. */
static int look(struct hf_admission_server *s, struct hf_arena *a, struct hf_certificate *ret, hf_sv *ret_authority,
		struct hf_err *err)
{
	const struct hf_admission_server_options *o = &s->options;
	struct timespec newest = { 0 };
	int r;

	*ret_authority = (hf_sv){ 0 };
	if (o->certificates) {
		r = hf_admission_certificates(o->certificates, o->names, o->names_n, o->days, (int64_t)time(NULL), a,
					      ret_authority, ret, err);
		return r < 0 || !hf_sv_eq(ret->certificate_pem, s->certificate.certificate_pem)
			       ? (r < 0 ? r : HF_PARTIAL)
			       : HF_OK;
	}
	if ((r = read_text(o->certificate_file, a, &ret->certificate_pem, &newest, err)) < 0 ||
	    (r = read_text(o->key_file, a, &ret->key_pem, &newest, err)) < 0)
		return r;
	bool changed = newest.tv_sec != s->files_changed.tv_sec || newest.tv_nsec != s->files_changed.tv_nsec;
	s->files_changed = newest;
	return changed && !hf_sv_eq(ret->certificate_pem, s->certificate.certificate_pem) ? HF_PARTIAL : HF_OK;
}

static void stop_listener(struct listener **l)
{
	if (!*l)
		return;
	MHD_stop_daemon((*l)->daemon);
	free(*l);
	*l = NULL;
}

/* Stops the daemon before this one once all its connections are gone, which are asked to go. */
static void end_draining(struct hf_admission_server *s)
{
	if (!s->old)
		return;
	bool late = now_ms() - s->old->since_ms > (IDLE_S + SLOW_S) * 1000,
	     empty = !MHD_get_daemon_info(s->old->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
	pthread_mutex_lock(&s->lock);
	s->old->closing |= late;
	bool stop = (empty || late) && !s->old->judging;
	pthread_mutex_unlock(&s->lock);
	if (stop)
		stop_listener(&s->old);
}

/* The old daemon answers on, while the new one takes all new connections from the same socket. */
static int serve_certificate(struct hf_admission_server *s, struct hf_arena *arena, const struct hf_certificate *c,
			     hf_sv authority, struct hf_err *err)
{
	struct hf_certificate before = s->certificate;
	struct listener *next = NULL;

	s->certificate = *c;
	int r = start_listener(s, &next, err);
	if (r < 0) {
		s->certificate = before;
		return r;
	}
	if (s->listener) {
		s->old = s->listener;
		s->old->since_ms = now_ms();
		__atomic_store_n(&s->old->draining, true, __ATOMIC_RELAXED);
		MHD_socket fd = MHD_quiesce_daemon(s->old->daemon);
		if (fd != MHD_INVALID_SOCKET)
			close(fd);
	}
	s->listener = next;
	hf_arena_done(&s->arena);
	s->arena = *arena;
	s->authority = authority;
	*arena = HF_ARENA(HF_MIB(2));
	return HF_OK;
}

/* Publishes whom to trust from now on. */
static int publish(struct hf_admission_server *s, hf_sv authority, struct hf_err *err)
{
	int r = s->options.publish ? s->options.publish(s->options.publish_ctx, authority, err) : HF_OK;

	s->published = r >= 0;
	return r;
}

int hf_admission_server_start(const struct hf_admission_server_options *o, struct hf_admission_pool *pool,
			      struct hf_admission_server **ret, unsigned *ret_port, struct hf_err *err)
{
	struct hf_admission_server *s = hf_calloc(1, sizeof *s);
	struct hf_arena a = HF_ARENA(HF_MIB(2));
	struct hf_certificate c = { 0 };
	hf_sv authority = { 0 };
	int r;

	*s = (struct hf_admission_server){
		.options = *o, .pool = pool, .listen_fd = -1, .decisions_fd = -1, .last = &s->first
	};
	s->options.deadline_ms = o->deadline_ms ? o->deadline_ms : DEADLINE_MS;
	hf_admission_connections_init(&s->connections);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->record_lock, NULL);
	pthread_cond_init(&s->queued, NULL);
	r = MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_YES
		    ? look(s, &a, &c, &authority, err)
		    : hf_fail(err, HF_E_UNSUPPORTED, "libmicrohttpd has no TLS here");
	if (r >= 0 && o->decisions)
		r = open_decisions(s, err);
	if (r >= 0)
		r = s->listen_fd = open_address(o->address, ret_port, err);
	while (r >= 0 && s->judges_n < JUDGES && !pthread_create(&s->judges[s->judges_n], NULL, run_judge, s))
		s->judges_n++;
	if (r >= 0)
		r = s->judges_n ? serve_certificate(s, &a, &c, authority, err)
				: hf_fail(err, HF_E_SYSTEM, "no thread could be started");
	if (r >= 0)
		r = publish(s, s->authority, err);
	hf_arena_done(&a);
	if (r < 0) {
		hf_admission_server_stop(s);
		return r;
	}
	*ret = s;
	return HF_OK;
}

/* What another authority signed is served once API servers trust both, so that no request is lost between. */
static int renew(struct hf_admission_server *s, struct hf_arena *a, const struct hf_certificate *c, hf_sv authority,
		 struct hf_err *err)
{
	bool other = !hf_sv_eq(authority, s->authority);
	int r = other ? publish(s, hf_arena_concat(a, authority, s->authority), err) : HF_OK;

	if (r < 0)
		return r;
	if (other && s->options.publish)
		usleep(PUBLISHED_MS * 1000);
	s->published &= !other;
	return serve_certificate(s, a, c, authority, err);
}

int hf_admission_server_tick(struct hf_admission_server *s, struct hf_err *err)
{
	struct hf_arena a = HF_ARENA(HF_MIB(2));
	struct hf_certificate c = { 0 };
	hf_sv authority;
	int64_t now = (int64_t)time(NULL), next = __atomic_load_n(&s->next_look, __ATOMIC_RELAXED);

	hf_admission_connections_sweep(&s->connections, now_ms());
	end_draining(s);
	/* A clock that was put back does not stop the looking. */
	if ((now < next && next - now <= RENEWAL_LOOK_S) || s->old)
		return HF_OK;
	__atomic_store_n(&s->next_look, now + RENEWAL_LOOK_S, __ATOMIC_RELAXED);
	int r = look(s, &a, &c, &authority, err);
	if (r == HF_PARTIAL)
		r = renew(s, &a, &c, authority, err);
	hf_arena_done(&a);
	if (r >= 0 && !s->published)
		r = publish(s, s->authority, err);
	return r < 0 ? HF_PARTIAL : HF_OK;
}

void hf_admission_server_reopen(struct hf_admission_server *s)
{
	pthread_mutex_lock(&s->record_lock);
	if (s->options.decisions)
		(void)!open_decisions(s, NULL); /* else the file that was there goes on */
	pthread_mutex_unlock(&s->record_lock);
	__atomic_store_n(&s->next_look, 0, __ATOMIC_RELAXED);
}

void hf_admission_server_stop(struct hf_admission_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->queued);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->judges_n; i++)
		pthread_join(s->judges[i], NULL);
	stop_listener(&s->old);
	stop_listener(&s->listener);
	hf_fd_close(&s->listen_fd);
	hf_fd_close(&s->decisions_fd);
	hf_arena_done(&s->arena);
	hf_admission_connections_done(&s->connections);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->record_lock);
	pthread_cond_destroy(&s->queued);
	free(s);
}
