/* Where a running agent's events go, all of it behind one sink: the outputs, and the state that other commands ask for. */
#pragma once
#include "agent/state.h"
#include "sink/sink.h"

struct hf_outputs;

/* @state NULL: nobody can ask, as in a replay. */
hf_nodiscard int hf_outputs_open(const struct hf_sinks_options *sinks, const struct hf_state_options *state,
				 struct hf_outputs **ret, struct hf_err *err);
struct hf_event_sink hf_outputs_sink(struct hf_outputs *o);
/* As hf_sinks_batch and hf_sinks_wake. */
void hf_outputs_batch(struct hf_outputs *o);
void hf_outputs_wake(struct hf_outputs *o);
/* About once a second. @numbers may be NULL. */
void hf_outputs_tick(struct hf_outputs *o, const struct hf_sink_numbers *numbers);
/* As hf_sinks_close; NULL is fine. */
int hf_outputs_close(struct hf_outputs *o, int deadline_ms, struct hf_err *err);
