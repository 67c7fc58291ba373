/* RFC 5424 messages to /dev/log, another unix socket, UDP (RFC 5426) or TCP (RFC 6587, octet counting). Structured data carries the
 * fields that one searches for, the message says it for people. TCP takes bytes into its buffers before the other side has them: what
 * lies there when the other side dies is lost without a word, in this protocol. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "sink/render.h"
#include "sink/sink.h"

enum {
	FACILITY_LOCAL0 = 16,
	MESSAGE_BYTES_MAX = 8192, /* a datagram that is larger is dropped by many receivers, RFC 5426 section 3.2 */
	VALUE_BYTES_MAX = 512,
	CONNECT_MS = 5000,
	SEND_MS = 10000,
	RETRY_FIRST_MS = 500,
	RETRY_MAX_MS = 30000,
	SD_ID_ENTERPRISE = 32473, /* for documentation, RFC 5612: the project has no number of its own */
};

struct syslog {
	struct hf_sink_context context;
	char *host, *port; /* NULL: a unix socket */
	char path[108];
	bool tcp;
	int fd;
	int64_t wait_ms, not_before_ms; /* of connecting */
	unsigned good;                  /* messages one after the other */
	char hostname[256];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char *text_of(hf_sv s)
{
	char *copy = strndup(s.ptr, s.len);

	if (!copy)
		abort();
	return copy;
}

/* HOST:PORT, [IPV6]:PORT, HOST. */
static int read_address(struct syslog *s, hf_sv address, struct hf_err *err)
{
	hf_sv host = address, port = HF_SV("514"), rest;

	if (hf_sv_starts(address, HF_SV("["))) {
		if (!hf_sv_cut(hf_sv_skip(address, 1), ']', &host, &rest) || (rest.len && rest.ptr[0] != ':'))
			return hf_fail(err, HF_E_USAGE, "'%.*s' is no [ADDRESS]:PORT", HF_SV_FMT(address));
		port = rest.len ? hf_sv_skip(rest, 1) : port;
	} else if (hf_sv_cut_last(address, ':', &host, &rest)) {
		port = rest;
	}
	uint64_t n;
	if (!host.len || !hf_sv_to_u64(port, &n) || !n || n > 65535)
		return hf_fail(err, HF_E_USAGE, "'%.*s' is no HOST:PORT", HF_SV_FMT(address));
	s->host = text_of(host);
	s->port = text_of(port);
	return 0;
}

static int read_target(struct syslog *s, hf_sv target, struct hf_err *err)
{
	if (hf_sv_starts(target, HF_SV("udp://")) || hf_sv_starts(target, HF_SV("tcp://"))) {
		s->tcp = target.ptr[0] == 't';
		return read_address(s, hf_sv_skip(target, 6), err);
	}
	hf_sv path = target.len ? target : HF_SV("/dev/log");
	if (hf_sv_starts(path, HF_SV("unix:")))
		path = hf_sv_skip(path, 5);
	if (path.ptr[0] != '/' || path.len >= sizeof s->path)
		return hf_fail(err, HF_E_USAGE, "'%.*s' is none of udp://HOST:PORT, tcp://HOST:PORT, unix:PATH",
			       HF_SV_FMT(target));
	memcpy(s->path, path.ptr, path.len);
	return 0;
}

static void close_syslog(void *self)
{
	struct syslog *s = self;

	hf_fd_close(&s->fd);
	free(s->host);
	free(s->port);
	free(s);
}

static int open_syslog(const struct hf_sink_context *context, void **ret_self, struct hf_err *err)
{
	struct syslog *s = hf_calloc(1, sizeof *s);

	s->context = *context;
	s->fd = -1;
	s->wait_ms = RETRY_FIRST_MS;
	if (gethostname(s->hostname, sizeof s->hostname - 1) || !s->hostname[0])
		memcpy(s->hostname, "-", 2);
	/* PRINTUSASCII, as RFC 5424 section 6 wants it. */
	for (char *c = s->hostname; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '_';
	int code = read_target(s, context->argument, err);
	if (code < 0) {
		close_syslog(s);
		return code;
	}
	*ret_self = s;
	return 0;
}

static int severity_of(const struct hf_event *e)
{
	static const int of_alert[] = { 5, 5, 4, 3, 2 };
	hf_sv state = hf_event_string(e, HF_FIELD_HEALTH_STATE);

	if (e->kind == HF_EVENT_ALERT)
		return of_alert[hf_render_severity(hf_event_string(e, HF_FIELD_ALERT_SEVERITY))];
	if (e->kind == HF_EVENT_DENIAL || e->kind == HF_EVENT_LOSS)
		return 4;
	if (e->kind == HF_EVENT_HEALTH)
		return hf_sv_eq(state, HF_SV("failed")) ? 3 : hf_sv_eq(state, HF_SV("ok")) ? 6 : 4;
	return 6;
}

/* NAME="value", with ", \ and ] escaped (section 6.3.3) and control bytes made visible. */
static void add_parameter(struct hf_buf *out, const char *name, hf_sv value)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(8 * VALUE_BYTES_MAX);

	if (!value.len)
		return;
	hf_render_text(&text, hf_sv_first(value, VALUE_BYTES_MAX));
	hf_buf_addf(out, " %s=\"", name);
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("\"\\]", text.ptr[i]))
			hf_buf_add_char(out, '\\');
		hf_buf_add_char(out, text.ptr[i]);
	}
	hf_buf_add_char(out, '"');
}

static const struct {
	const char *name;
	enum hf_event_field field;
} parameters[] = {
	{ "id", HF_FIELD_ID },
	{ "container", HF_FIELD_CONTAINER_NAME },
	{ "container_id", HF_FIELD_CONTAINER_ID },
	{ "image", HF_FIELD_CONTAINER_IMAGE_NAME },
	{ "digest", HF_FIELD_CONTAINER_IMAGE_DIGEST },
	{ "pod", HF_FIELD_CONTAINER_POD_NAME },
	{ "namespace", HF_FIELD_CONTAINER_POD_NAMESPACE },
	{ "executable", HF_FIELD_PROCESS_EXE_PATH },
	{ "rule", HF_FIELD_ALERT_RULE },
	{ "severity", HF_FIELD_ALERT_SEVERITY },
	{ "event", HF_FIELD_ALERT_EVENT },
	{ "group", HF_FIELD_ALERT_GROUP },
	{ "rung", HF_FIELD_DENIAL_RUNG },
};

/* <PRI>1 TIME HOST holdfast PID KIND [holdfast@…  …] BOM text. A line of the queue: without control bytes, its end is our own. */
static void render(void *self, const struct hf_event *e, struct hf_buf *out)
{
	const struct syslog *s = self;
	hf_sv time = hf_event_string(e, HF_FIELD_TIME);
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(1));

	hf_buf_addf(out, "<%d>1 ", FACILITY_LOCAL0 * 8 + severity_of(e));
	/* Six digits of a second at most, section 6.2.3. */
	if (time.len == 30) {
		hf_render_text(out, hf_sv_first(time, 26));
		hf_buf_add_char(out, 'Z');
	} else {
		hf_buf_add_char(out, '-');
	}
	hf_buf_addf(out, " %s holdfast %d %s [holdfast@%d kind=\"%s\"", s->hostname, (int)getpid(),
		    hf_event_kind_name(e->kind), SD_ID_ENTERPRISE, hf_event_kind_name(e->kind));
	for (size_t i = 0; i < HF_ARRAY_SIZE(parameters); i++)
		add_parameter(out, parameters[i].name, hf_event_string(e, parameters[i].field));
	hf_buf_add(out, HF_SV("] \xef\xbb\xbf"));
	hf_render_container(e, &text);
	hf_buf_add_char(&text, ' ');
	if (e->kind != HF_EVENT_ALERT)
		hf_buf_addf(&text, "%s ", hf_event_kind_name(e->kind));
	hf_render_what(e, &text);
	hf_buf_add(out, hf_buf_view(&text));
	hf_render_cut(out, MESSAGE_BYTES_MAX - 4);
}

static bool ready(struct syslog *s, short events, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = s->fd, .events = events },
				{ .fd = hf_queue_stop_fd(s->context.queue), .events = POLLIN } };
	int n;

	do
		n = poll(fds, 2, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 && !fds[1].revents;
}

static bool connect_unix(struct syslog *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	memcpy(address.sun_path, s->path, sizeof s->path);
	for (size_t i = 0; i < HF_ARRAY_SIZE(types); i++) {
		s->fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&address, sizeof address) == 0) {
			s->tcp = types[i] == SOCK_STREAM;
			return true;
		}
		int kept = errno;
		hf_fd_close(&s->fd);
		errno = kept;
		if (kept != EPROTOTYPE)
			break;
	}
	return false;
}

static bool connect_one(struct syslog *s, const struct addrinfo *a)
{
	int error = 0;
	socklen_t size = sizeof error;

	s->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	if (s->fd < 0)
		return false;
	if (connect(s->fd, a->ai_addr, a->ai_addrlen) == 0)
		return true;
	if (errno == EINPROGRESS && ready(s, POLLOUT, CONNECT_MS) &&
	    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
		if (!error)
			return true;
		errno = error;
	}
	error = errno;
	hf_fd_close(&s->fd);
	errno = error;
	return false;
}

static bool connect_network(struct syslog *s)
{
	const struct addrinfo hints = { .ai_socktype = s->tcp ? SOCK_STREAM : SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int code = getaddrinfo(s->host, s->port, &hints, &list);
	bool done = false;

	if (code) {
		hf_sink_trouble(s->context.sink, "%s: %s", s->host, gai_strerror(code));
		return false;
	}
	for (const struct addrinfo *a = list; a && !done; a = a->ai_next)
		done = connect_one(s, a);
	freeaddrinfo(list);
	if (!done)
		hf_sink_trouble(s->context.sink, "%s:%s: %s", s->host, s->port, strerror(errno));
	return done;
}

/* Waits until it may try again. False where the output is to stop. */
static bool connected(struct syslog *s)
{
	struct pollfd stop = { .fd = hf_queue_stop_fd(s->context.queue), .events = POLLIN };

	while (s->fd < 0 && !hf_queue_stopped(s->context.queue)) {
		int64_t left = s->not_before_ms - now_ms();
		if (left > 0) {
			poll(&stop, 1, (int)left);
			continue;
		}
		bool done = s->host ? connect_network(s) : connect_unix(s);
		if (!done && !s->host)
			hf_sink_trouble(s->context.sink, "%s: %s", s->path, strerror(errno));
		s->not_before_ms = now_ms() + s->wait_ms;
		s->wait_ms = done ? RETRY_FIRST_MS : s->wait_ms * 2 < RETRY_MAX_MS ? s->wait_ms * 2 : RETRY_MAX_MS;
	}
	return s->fd >= 0;
}

/* The whole of it, or false with the connection closed. */
static bool send_bytes(struct syslog *s, hf_sv bytes)
{
	while (bytes.len) {
		ssize_t n = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			bytes = hf_sv_skip(bytes, (size_t)n);
			continue;
		}
		if (errno == EINTR)
			continue;
		if ((errno == EAGAIN || errno == ENOBUFS) && ready(s, POLLOUT, SEND_MS))
			continue;
		hf_sink_trouble(s->context.sink, "%s: %s", s->host ? s->host : s->path,
				hf_queue_stopped(s->context.queue) ? "it did not take all in time" : strerror(errno));
		s->good = 0;
		/* A datagram that was refused says nothing about the next one. */
		if (!s->host || s->tcp)
			hf_fd_close(&s->fd);
		return false;
	}
	return true;
}

/* A peer that closed says so by an end of what it sends; else the next message would vanish. */
static void notice_end(struct syslog *s)
{
	char byte;

	if (s->fd >= 0 && s->tcp && recv(s->fd, &byte, 1, MSG_DONTWAIT) == 0)
		hf_fd_close(&s->fd);
}

/* @message is at most MESSAGE_BYTES_MAX, as render makes it. */
static bool deliver(struct syslog *s, hf_sv message)
{
	char frame[MESSAGE_BYTES_MAX + 32];
	int n = s->tcp && s->host ? snprintf(frame, sizeof frame, "%zu ", message.len) : 0;

	/* In one piece, so that a server that hangs up between two has whole messages. The stream of a unix socket is ended by
	 * the byte that glibc's syslog() ends it with. */
	memcpy(frame + n, message.ptr, message.len);
	frame[(size_t)n + message.len] = 0;
	if (!send_bytes(s, (hf_sv){ frame, (size_t)n + message.len + (s->tcp && !s->host) }))
		return false;
	/* Every second datagram to a closed port seems to get through. */
	if (++s->good > 2 || s->tcp || !s->host)
		hf_sink_well(s->context.sink);
	return true;
}

static void run(void *self)
{
	struct syslog *s = self;
	struct hf_queue_record record;

	while (hf_queue_wait(s->context.queue, -1))
		while (hf_queue_next(s->context.queue, &record)) {
			bool done = false;
			/* UDP says "refused" of the message before: trying again is not worth more than the next message. */
			for (int tries = 0; !done && (tries == 0 || s->tcp || !s->host); tries++) {
				notice_end(s);
				if (!connected(s))
					break;
				done = deliver(s, record.bytes);
			}
			if (!done)
				hf_queue_lost(s->context.queue, record.kind, 1);
		}
}

const struct hf_sink_ops hf_sink_syslog = {
	.name = "syslog",
	.summary = "syslog messages (RFC 5424) to /dev/log, a unix socket, UDP or TCP",
	.arguments = "[unix:PATH|udp://HOST[:PORT]|tcp://HOST[:PORT]]",
	.kinds = HF_SINK_KINDS_JUDGED,
	.open = open_syslog,
	.render = render,
	.run = run,
	.close = close_syslog,
};
