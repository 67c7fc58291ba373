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

#include "base/file.h"
#include "base/limits.h"

enum {
	DEADLINE_MS = 4000,
	CONNECTIONS_MAX = 16384,
	CONNECTION_MEMORY_BYTES = 16 << 10,
	IDLE_S = 15, /* a slow reader or writer is let go after it */
	JUDGES = 16,
	WAITING_MAX = 4096,
	RENEWAL_LOOK_S = 60,
};

/* A request: from its first header to its answer. */
struct request {
	struct MHD_Connection *connection;
	struct hf_buf body, answer;
	unsigned status; /* of the answer; 0: not there yet */
	size_t held;     /* of the server's body_bytes */
	bool no_room;    /* bodies of all requests together were too large */
	struct request *next;
};

struct hf_admission_server {
	struct hf_admission_server_options options;
	struct hf_admission_pool *pool;
	struct MHD_Daemon *daemon;
	int listen_fd, decisions_fd;
	struct hf_arena arena; /* of the certificate that is served */
	struct hf_certificate certificate;
	struct timespec files_changed;
	int64_t next_look;
	pthread_t judges[JUDGES];
	unsigned judges_n;
	pthread_mutex_t lock; /* over the queue, the counters and the file of decisions */
	pthread_cond_t queued;
	struct request *first, **last;
	size_t waiting;
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

static void record(struct hf_admission_server *s, const struct hf_buf *line)
{
	char time_text[40];
	struct timespec now;
	struct tm tm;
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_ADMISSION_ANSWER_MAX + 64);

	if (s->decisions_fd < 0 || line->len < 2)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &tm);
	hf_buf_addf(&out, "{\"time\":\"%s.%03ldZ\",", time_text, now.tv_nsec / 1000000);
	hf_buf_add(&out, hf_sv_skip(hf_buf_view(line), 1));
	hf_buf_add_char(&out, '\n');
	/* One write, to a file opened for appending: lines of several threads and processes do not mix. */
	if (out.over || write(s->decisions_fd, out.ptr, out.len) != (ssize_t)out.len) {
		pthread_mutex_lock(&s->lock);
		s->counters.not_recorded++;
		pthread_mutex_unlock(&s->lock);
	}
}

static void judge(struct hf_admission_server *s, struct request *r)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_ADMISSION_ANSWER_MAX + 1);
	struct hf_err err = { 0 };
	int code = hf_admission_pool_judge(s->pool, hf_buf_view(&r->body), s->options.deadline_ms, &r->answer, &line,
					   &err);

	if (code >= 0) {
		r->status = MHD_HTTP_OK;
		record(s, &line);
	} else {
		r->answer.len = 0;
		hf_buf_addf(&r->answer, "%s\n", err.msg);
		r->status = code == HF_E_FORMAT ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	bool allowed = hf_sv_find(hf_buf_view(&r->answer), HF_SV("\"allowed\":true")) != SIZE_MAX;
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
		MHD_resume_connection(r->connection);
	}
}

static bool enqueue(struct hf_admission_server *s, struct request *r)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->waiting < WAITING_MAX && !s->stopping;
	if (room) {
		/* Before a judge can see it: resumed before it was suspended it would sleep for ever. */
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

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, hf_sv body, const char *type)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body.len, (void *)body.ptr, MHD_RESPMEM_MUST_COPY);

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	enum MHD_Result r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result show_metrics(struct hf_admission_server *s, struct MHD_Connection *c)
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
	return reply(c, MHD_HTTP_OK, body, "text/plain; version=0.0.4");
}

/* Ten thousand clients that each send half of a large review must not take all memory. */
static void keep_body(struct hf_admission_server *s, struct request *r, hf_sv data)
{
	if (r->no_room)
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

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
			      const char *version, const char *data, size_t *size, void **state)
{
	struct hf_admission_server *s = ctx;
	struct request *r = *state;
	bool post = !strcmp(method, MHD_HTTP_METHOD_POST), validate = !strcmp(url, "/validate");

	(void)version;
	if (!r) {
		r = *state = hf_calloc(1, sizeof *r);
		r->connection = c;
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
		return reply(c, r->status, hf_buf_view(&r->answer),
			     r->status == MHD_HTTP_OK ? "application/json" : "text/plain");
	if (!post && !strcmp(method, MHD_HTTP_METHOD_GET) && !strcmp(url, "/healthz"))
		return reply(c, MHD_HTTP_OK, HF_SV("ok\n"), "text/plain");
	if (!post && !strcmp(method, MHD_HTTP_METHOD_GET) && !strcmp(url, "/metrics"))
		return show_metrics(s, c);
	if (!validate)
		return reply(c, MHD_HTTP_NOT_FOUND, HF_SV("there is POST /validate, GET /healthz and GET /metrics\n"),
			     "text/plain");
	if (!post)
		return reply(c, MHD_HTTP_METHOD_NOT_ALLOWED, HF_SV("reviews are posted\n"), "text/plain");
	if (r->body.over)
		return reply(c, MHD_HTTP_CONTENT_TOO_LARGE, HF_SV("the review is too large\n"), "text/plain");
	if (r->no_room || !enqueue(s, r))
		return reply(c, MHD_HTTP_SERVICE_UNAVAILABLE, HF_SV("too many reviews are waiting\n"), "text/plain");
	return MHD_YES;
}

static void completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct hf_admission_server *s = ctx;
	struct request *r = *state;

	(void)c, (void)why;
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
	struct sockaddr_storage bound;
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
		*ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
							      : ((struct sockaddr_in *)&bound)->sin_port);
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

static int start_daemon(struct hf_admission_server *s, struct hf_err *err)
{
	int fd = dup(s->listen_fd); /* the daemon closes its own */

	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL,
		answer, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections_max(),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_NOTIFY_COMPLETED,
		completed, s, MHD_OPTION_HTTPS_MEM_CERT, s->certificate.certificate_pem.ptr, MHD_OPTION_HTTPS_MEM_KEY,
		s->certificate.key_pem.ptr, MHD_OPTION_HTTPS_PRIORITIES,
		"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_END);
	if (s->daemon)
		return HF_OK;
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
static int look(struct hf_admission_server *s, struct hf_arena *a, struct hf_certificate *ret, struct hf_err *err)
{
	const struct hf_admission_server_options *o = &s->options;
	struct timespec newest = { 0 };
	hf_sv authority;
	int r;

	if (o->certificates) {
		r = hf_admission_certificates(o->certificates, o->names, o->names_n, o->days, (int64_t)time(NULL), a,
					      &authority, ret, err);
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

/* The old daemon ends its connections while the new one already takes others from the same socket. */
static int serve_certificate(struct hf_admission_server *s, struct hf_arena *arena, const struct hf_certificate *c,
			     struct hf_err *err)
{
	struct hf_certificate before = s->certificate;
	struct MHD_Daemon *daemon = s->daemon;

	s->certificate = *c;
	int r = start_daemon(s, err);
	if (r < 0) {
		s->certificate = before;
		s->daemon = daemon;
		return r;
	}
	if (daemon) {
		MHD_socket fd = MHD_quiesce_daemon(daemon);
		/* Reviews that judges hold belong to connections of it: they are answered first. */
		for (int i = 0;
		     i < 100 && MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections; i++)
			usleep(50000);
		MHD_stop_daemon(daemon);
		if (fd != MHD_INVALID_SOCKET)
			close(fd);
	}
	hf_arena_done(&s->arena);
	s->arena = *arena;
	*arena = HF_ARENA(HF_MIB(2));
	return HF_OK;
}

int hf_admission_server_start(const struct hf_admission_server_options *o, struct hf_admission_pool *pool,
			      struct hf_admission_server **ret, unsigned *ret_port, struct hf_err *err)
{
	struct hf_admission_server *s = hf_calloc(1, sizeof *s);
	struct hf_arena a = HF_ARENA(HF_MIB(2));
	struct hf_certificate c = { 0 };
	int r;

	*s = (struct hf_admission_server){
		.options = *o, .pool = pool, .listen_fd = -1, .decisions_fd = -1, .last = &s->first
	};
	s->options.deadline_ms = o->deadline_ms ? o->deadline_ms : DEADLINE_MS;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->queued, NULL);
	r = MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_YES
		    ? look(s, &a, &c, err)
		    : hf_fail(err, HF_E_UNSUPPORTED, "libmicrohttpd has no TLS here");
	if (r >= 0 && o->decisions) {
		s->decisions_fd = open(o->decisions, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		r = s->decisions_fd < 0 ? hf_fail_errno(err, "%s", o->decisions) : r;
	}
	if (r >= 0)
		r = s->listen_fd = open_address(o->address, ret_port, err);
	while (r >= 0 && s->judges_n < JUDGES && !pthread_create(&s->judges[s->judges_n], NULL, run_judge, s))
		s->judges_n++;
	if (r >= 0)
		r = s->judges_n ? serve_certificate(s, &a, &c, err)
				: hf_fail(err, HF_E_SYSTEM, "no thread could be started");
	hf_arena_done(&a);
	if (r < 0) {
		hf_admission_server_stop(s);
		return r;
	}
	*ret = s;
	return HF_OK;
}

int hf_admission_server_tick(struct hf_admission_server *s, struct hf_err *err)
{
	struct hf_arena a = HF_ARENA(HF_MIB(2));
	struct hf_certificate c = { 0 };
	int64_t now = (int64_t)time(NULL);

	/* A clock that was put back does not stop the looking. */
	if (now < s->next_look && s->next_look - now <= RENEWAL_LOOK_S)
		return HF_OK;
	s->next_look = now + RENEWAL_LOOK_S;
	int r = look(s, &a, &c, err);
	if (r == HF_PARTIAL)
		r = serve_certificate(s, &a, &c, err);
	hf_arena_done(&a);
	return r < 0 ? HF_PARTIAL : HF_OK;
}

void hf_admission_server_stop(struct hf_admission_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->queued);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->judges_n; i++)
		pthread_join(s->judges[i], NULL);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	hf_fd_close(&s->listen_fd);
	hf_fd_close(&s->decisions_fd);
	hf_arena_done(&s->arena);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->queued);
	free(s);
}
