#include "trace/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"

enum { READ_BYTES = 64 << 10 };

struct replay {
	const struct hf_event_sink *sink;
	struct hf_trace_replayed *sums;
	struct hf_err *err;
	struct hf_arena arena;
	struct hf_event *event;
	uint64_t line;
	bool passing; /* over the rest of a line that is too long */
};

static void unreadable(struct replay *r, const char *why)
{
	if (r->sums->unreadable++)
		return;
	r->sums->unreadable_line = r->line;
	snprintf(r->sums->unreadable_why, sizeof r->sums->unreadable_why, "%.159s", why);
}

static int take_line(struct replay *r, hf_sv line)
{
	struct hf_err why = { 0 };
	size_t unknown = 0;

	r->line++;
	line = hf_sv_trim(line);
	if (!line.len)
		return 0;
	hf_arena_reset(&r->arena);
	if (hf_trace_read(line, &r->arena, r->event, &unknown, &why) < 0) {
		unreadable(r, why.msg);
		return 0;
	}
	r->sums->events++;
	r->sums->unknown_fields += unknown;
	return r->sink->take(r->sink->ctx, r->event, r->err);
}

/* The lines that are whole in @pending; what is left of it stays for the next read. */
static int take_lines(struct replay *r, struct hf_buf *pending, size_t searched)
{
	size_t start = 0;
	int code = 0;

	for (size_t at = searched; code >= 0 && at < pending->len;) {
		const char *end = memchr(pending->ptr + at, '\n', pending->len - at);
		if (!end)
			break;
		at = (size_t)(end - pending->ptr) + 1;
		if (!r->passing)
			code = take_line(r, (hf_sv){ pending->ptr + start, at - start });
		r->passing = false;
		start = at;
	}
	memmove(pending->ptr, pending->ptr + start, pending->len - start);
	pending->len -= start;
	if (pending->len > HF_TRACE_LINE_MAX && !r->passing) {
		r->line++;
		unreadable(r, "the line is too long");
		r->passing = true;
	}
	if (r->passing)
		pending->len = 0;
	return code;
}

static int read_all(struct replay *r, int fd)
{
	hf_cleanup(hf_buf_done) struct hf_buf pending = HF_BUF(HF_TRACE_LINE_MAX + READ_BYTES);

	for (;;) {
		size_t searched = pending.len;
		char *room = hf_buf_room(&pending, READ_BYTES);
		ssize_t n = read(fd, room, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(r->err, "the trace");
		if (n == 0)
			return pending.len && !r->passing ? take_line(r, hf_buf_view(&pending)) : 0;
		pending.len += (size_t)n;
		int code = take_lines(r, &pending, searched);
		if (code < 0)
			return code;
	}
}

int hf_trace_replay(int fd, const struct hf_event_sink *sink, struct hf_trace_replayed *ret, struct hf_err *err)
{
	*ret = (struct hf_trace_replayed){ 0 };
	struct replay r = { .sink = sink,
			    .sums = ret,
			    .err = err,
			    .arena = HF_ARENA(HF_MIB(32)),
			    .event = hf_calloc(1, sizeof *r.event) };
	int code = read_all(&r, fd);

	if (code >= 0 && ret->unreadable && !ret->events)
		code = hf_fail(err, HF_E_FORMAT, "no line is an event");
	hf_arena_done(&r.arena);
	free(r.event);
	return code < 0 ? code : 0;
}
