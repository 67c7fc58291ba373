#include "agent/outputs.h"

#include <stdlib.h>

#include "base/limits.h"
#include "trace/trace.h"

struct hf_outputs {
	struct hf_sinks *sinks;
	struct hf_state *state;
	struct hf_buf line;
};

int hf_outputs_open(const struct hf_sinks_options *sinks, const struct hf_state_options *state, struct hf_outputs **ret,
		    struct hf_err *err)
{
	struct hf_outputs *o = hf_calloc(1, sizeof *o);
	int code = hf_sinks_open(sinks, &o->sinks, err);

	o->line = HF_BUF(HF_MIB(1));
	if (code == 0 && state)
		code = hf_state_open(state, &o->state, err);
	if (code < 0) {
		if (o->sinks)
			(void)!hf_sinks_close(o->sinks, 0, NULL);
		free(o);
		return code;
	}
	*ret = o;
	return 0;
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct hf_outputs *o = ctx;

	if (!o->state)
		return hf_sinks_take(o->sinks, e, err);
	o->line.len = 0;
	o->line.over = false;
	hf_trace_write(&o->line, e);
	hf_sv json = o->line.over ? (hf_sv){ 0 } : hf_buf_view(&o->line);
	hf_state_take(o->state, e, json);
	return hf_sinks_take_line(o->sinks, e, json, err);
}

struct hf_event_sink hf_outputs_sink(struct hf_outputs *o)
{
	return (struct hf_event_sink){ take, o };
}

void hf_outputs_batch(struct hf_outputs *o)
{
	hf_sinks_batch(o->sinks);
}

void hf_outputs_wake(struct hf_outputs *o)
{
	hf_sinks_wake(o->sinks);
}

void hf_outputs_tick(struct hf_outputs *o, const struct hf_sink_numbers *numbers)
{
	hf_sinks_tick(o->sinks, numbers);
	if (o->state)
		hf_state_tick(o->state, numbers, o->sinks);
}

int hf_outputs_close(struct hf_outputs *o, int deadline_ms, struct hf_err *err)
{
	if (!o)
		return 0;
	hf_state_close(o->state);
	int code = hf_sinks_close(o->sinks, deadline_ms, err);
	hf_buf_done(&o->line);
	free(o);
	return code;
}
