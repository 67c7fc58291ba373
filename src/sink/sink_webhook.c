/* Batches of events to a URL, as a JSON array in the body of a POST. What the other side cannot take now is tried again with growing
 * pauses, while the queue takes in what comes; what it refuses is lost and counted. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "net/http.h"
#include "sink/render.h"
#include "sink/sink.h"

enum {
	BATCH_RECORDS_MAX = 500,
	PAUSE_MS = 1000, /* at most one request in this time, so that a burst becomes a batch */
	RETRY_FIRST_MS = 500,
	RETRY_MAX_MS = 30000,
	RETRY_FOR_S = 300,
	CALL_MS = 10000,
	HEADERS_MAX = 16,
};

#define BATCH_BYTES_MAX  HF_KIB(512)
#define HEADER_BYTES_MAX HF_KIB(16)

struct webhook {
	struct hf_sink_context context;
	struct hf_http *http;
	char *url, *ca_file;
	struct hf_buf header_text;
	const char *headers[HEADERS_MAX];
	size_t headers_n;
	struct hf_buf body;
	size_t records;
	uint64_t kinds[HF_EVENT_KINDS];
};

/* Secrets stand in a file, not on a command line that everybody can read. */
static int read_headers(struct webhook *w, hf_sv path, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = path.ptr ? open(path.ptr, O_RDONLY | O_CLOEXEC) : -1;

	w->headers[w->headers_n++] = "Content-Type: application/json";
	if (!path.ptr)
		return 0;
	if (fd < 0)
		return hf_fail_errno(err, "%s", path.ptr);
	if (hf_fd_read_all(fd, 0, &w->header_text, err) < 0)
		return hf_wrap(err, "%s", path.ptr);
	hf_buf_add_char(&w->header_text, '\n');
	char *at = w->header_text.ptr, *end = at + w->header_text.len;
	while (at < end) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		hf_sv line = hf_sv_trim((hf_sv){ at, (size_t)(newline - at) });
		at = newline + 1;
		if (!line.len)
			continue;
		if (w->headers_n == HEADERS_MAX || hf_sv_index(line, ':') == SIZE_MAX || memchr(line.ptr, 0, line.len))
			return hf_fail(err, HF_E_FORMAT, "%s: no list of at most %d headers 'Name: value'", path.ptr,
				       HEADERS_MAX - 1);
		((char *)line.ptr)[line.len] = 0;
		w->headers[w->headers_n++] = line.ptr;
	}
	return 0;
}

static void close_webhook(void *self)
{
	struct webhook *w = self;

	hf_http_close(w->http);
	hf_buf_done(&w->header_text);
	hf_buf_done(&w->body);
	free(w->url);
	free(w->ca_file);
	free(w);
}

static int open_webhook(const struct hf_sink_context *context, void **ret_self, struct hf_err *err)
{
	hf_sv url = context->argument, ca = hf_sink_option(context, "ca");

	if (!hf_sv_starts(url, HF_SV("http://")) && !hf_sv_starts(url, HF_SV("https://")))
		return hf_fail(err, HF_E_USAGE, "a URL is wanted: webhook=https://HOST/PATH");
	struct webhook *w = hf_calloc(1, sizeof *w);
	w->context = *context;
	w->header_text = HF_BUF(HEADER_BYTES_MAX);
	w->body = HF_BUF(BATCH_BYTES_MAX + HF_MIB(2));
	w->url = strdup(url.ptr);
	w->ca_file = ca.ptr ? strdup(ca.ptr) : NULL;
	w->http = hf_http_open();
	int code = read_headers(w, hf_sink_option(context, "header"), err);
	if (code < 0) {
		close_webhook(w);
		return code;
	}
	*ret_self = w;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False where the output is to stop. */
static bool pause_ms(struct webhook *w, int64_t ms)
{
	struct pollfd fd = { .fd = hf_queue_stop_fd(w->context.queue), .events = POLLIN };
	int64_t until = now_ms() + ms;

	for (int64_t left = ms; left > 0; left = until - now_ms())
		if (poll(&fd, 1, (int)left) > 0)
			return false;
	return !hf_queue_stopped(w->context.queue);
}

/* Half to the whole of the pause: agents that lost the same server do not come back at the same moment. */
static int64_t with_jitter(int64_t ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
		return ms;
	return ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

static bool may_pass(unsigned status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* 1: it is there, 0: it may be tried again, -1: never. */
static int post(struct webhook *w)
{
	const struct hf_http_request request = {
		.url = w->url,
		.body = hf_buf_view(&w->body),
		.headers = w->headers,
		.headers_n = w->headers_n,
		.ca_file = w->ca_file,
		.deadline_ms = CALL_MS,
		.answer_max = HF_KIB(64),
	};
	struct hf_http_answer answer = { 0 };
	struct hf_err err = { 0 };
	int code = hf_http_call(w->http, &request, &answer, &err);
	unsigned status = answer.status;

	hf_buf_done(&answer.body);
	/* An answer that is too long is an answer all the same. */
	if (code < 0 && !(code == HF_E_LIMIT && status)) {
		hf_sink_trouble(w->context.sink, "%s", err.msg);
		return code == HF_E_USAGE ? -1 : 0;
	}
	if (status >= 200 && status < 300) {
		hf_sink_well(w->context.sink);
		return 1;
	}
	hf_sink_trouble(w->context.sink, "the answer was %u", status);
	return may_pass(status) ? 0 : -1;
}

static void deliver(struct webhook *w)
{
	int64_t give_up = now_ms() + RETRY_FOR_S * 1000, wait = RETRY_FIRST_MS;
	int result = 0;

	hf_buf_add_char(&w->body, ']');
	while (!hf_queue_stopped(w->context.queue) && !w->body.over) {
		result = post(w);
		if (result || now_ms() > give_up || !pause_ms(w, with_jitter(wait)))
			break;
		wait = wait * 2 < RETRY_MAX_MS ? wait * 2 : RETRY_MAX_MS;
	}
	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++)
		if (result != 1 && w->kinds[kind])
			hf_queue_lost(w->context.queue, (enum hf_event_kind)kind, w->kinds[kind]);
	memset(w->kinds, 0, sizeof w->kinds);
	w->body.len = w->records = 0;
	w->body.over = false;
}

static void run(void *self)
{
	struct webhook *w = self;
	struct hf_queue_record record;
	int64_t last = now_ms() - PAUSE_MS;

	while (hf_queue_wait(w->context.queue, -1)) {
		while (hf_queue_next(w->context.queue, &record)) {
			if (w->records == BATCH_RECORDS_MAX ||
			    (w->records && w->body.len + record.bytes.len > BATCH_BYTES_MAX))
				deliver(w);
			hf_buf_add_char(&w->body, w->records++ ? ',' : '[');
			hf_buf_add(&w->body, hf_sv_trim(record.bytes));
			w->kinds[record.kind]++;
		}
		if (w->records) {
			deliver(w);
			/* Also an abandoned queue is emptied, so that everything in it is counted. */
			pause_ms(w, PAUSE_MS - (now_ms() - last < PAUSE_MS ? now_ms() - last : 0));
			last = now_ms();
		}
	}
}

static void stop(void *self)
{
	hf_http_stop(((struct webhook *)self)->http);
}

static const char *const options[] = { "ca", "header", NULL };

const struct hf_sink_ops hf_sink_webhook = {
	.name = "webhook",
	.summary = "JSON arrays of events, posted to a URL",
	.arguments = "URL[,header=FILE][,ca=FILE]",
	.options = options,
	.kinds = HF_SINK_KINDS_JUDGED,
	.open = open_webhook,
	.render = hf_render_json,
	.run = run,
	.stop = stop,
	.close = close_webhook,
};
