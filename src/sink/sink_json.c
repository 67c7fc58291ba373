#include "sink/render.h"
#include "sink/stream.h"

static int open_json(const struct hf_sink_context *context, void **ret_self, struct hf_err *err)
{
	return hf_stream_open(context, (struct hf_stream **)ret_self, err);
}

const struct hf_sink_ops hf_sink_json = {
	.name = "json",
	.summary = "JSON lines, as docs/events.md says",
	.arguments = "[FILE][,size=BYTES][,files=N]",
	.options = hf_stream_options,
	.essential = true,
	.open = open_json,
	.render = hf_render_json,
	.run = hf_stream_run,
	.close = hf_stream_close,
};
