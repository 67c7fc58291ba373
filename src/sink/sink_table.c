/* Lines for people: time, container, kind, what; below an alert its reason and the processes that led to it. */
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "sink/render.h"
#include "sink/stream.h"

enum { CONTAINER_WIDTH = 20, KIND_WIDTH = 15 };

struct table {
	struct hf_stream *stream;
	bool colour;
};

static int open_table(const struct hf_sink_context *context, void **ret_self, struct hf_err *err)
{
	const char *no_colour = getenv("NO_COLOR");
	struct hf_stream *stream;
	int code = hf_stream_open(context, &stream, err);

	if (code < 0)
		return code;
	struct table *t = hf_calloc(1, sizeof *t);
	t->stream = stream;
	t->colour = stream->standard && isatty(stream->fd) && !(no_colour && *no_colour);
	*ret_self = t;
	return 0;
}

static const char *colour_of(const struct hf_event *e)
{
	static const char *const severities[] = { "", "\x1b[36m", "\x1b[33m", "\x1b[31m", "\x1b[1;31m" };

	if (e->kind == HF_EVENT_ALERT)
		return severities[hf_render_severity(hf_event_string(e, HF_FIELD_ALERT_SEVERITY))];
	if (e->kind == HF_EVENT_DENIAL)
		return "\x1b[35m";
	if (e->kind == HF_EVENT_LOSS)
		return "\x1b[33m";
	if (e->kind == HF_EVENT_HEALTH && !hf_sv_eq(hf_event_string(e, HF_FIELD_HEALTH_STATE), HF_SV("ok")))
		return "\x1b[33m";
	return "";
}

static void pad_to(struct hf_buf *out, size_t column)
{
	hf_buf_addf(out, "%*s", out->len < column ? (int)(column - out->len) + 1 : 1, "");
}

static void render(void *self, const struct hf_event *e, struct hf_buf *out)
{
	struct table *t = self;
	const char *colour = t->colour ? colour_of(e) : "";
	hf_sv time = hf_event_string(e, HF_FIELD_TIME), reason = hf_event_string(e, HF_FIELD_ALERT_REASON);
	size_t column = 0;

	/* For people: not what the runtime does before the container's own program, nor that nothing was lost. JSON has both. */
	if (e->kind != HF_EVENT_ALERT && e->kind != HF_EVENT_CONTAINER_START &&
	    hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		return;
	if (e->kind == HF_EVENT_LOSS && hf_event_has(e, HF_FIELD_LOSS_SEEN) && !hf_event_uint(e, HF_FIELD_LOSS_DROPPED))
		return;
	/* 2026-03-01T09:12:44.018…: the clock to the millisecond. */
	hf_render_text(out, time.len >= 23 ? hf_sv_slice(time, 11, 12) : time);
	pad_to(out, column += 12);
	hf_buf_add(out, hf_sv_of(colour));
	column = out->len + CONTAINER_WIDTH;
	hf_render_container(e, out);
	hf_render_cut(out, column + 20);
	pad_to(out, column);
	column = out->len + KIND_WIDTH;
	hf_buf_add(out, hf_sv_of(hf_event_kind_name(e->kind)));
	pad_to(out, column);
	column = out->len;
	hf_render_what(e, out);
	hf_render_cut(out, column + HF_RENDER_LINE_MAX);
	if (*colour)
		hf_buf_add(out, HF_SV("\x1b[0m"));
	hf_buf_add_char(out, '\n');
	if (e->kind != HF_EVENT_ALERT)
		return;
	if (reason.len) {
		hf_buf_add(out, HF_SV("     because "));
		hf_render_text(out, reason);
		hf_buf_add_char(out, '\n');
	}
	hf_render_tree(e, out);
}

static void run(void *self)
{
	hf_stream_run(((struct table *)self)->stream);
}

static void close_table(void *self)
{
	hf_stream_close(((struct table *)self)->stream);
	free(self);
}

const struct hf_sink_ops hf_sink_table = {
	.name = "table",
	.summary = "lines for people, with the processes that led to an alert",
	.arguments = "[FILE][,size=BYTES][,files=N]",
	.options = hf_stream_options,
	.essential = true,
	.open = open_table,
	.render = render,
	.run = run,
	.close = close_table,
};
