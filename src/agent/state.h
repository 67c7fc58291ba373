/* What a running agent can be asked: a unix socket that answers `status`, `top` and `why ID` with one JSON document each.
 *
 * The loop tells it what happened; a thread of its own answers, one asker at a time with two seconds each, so nobody who asks can hold
 * up the loop or make the agent grow. The socket is FOLDER/agent.sock, mode 0600, and only root and the agent's own user are answered. */
#pragma once
#include "sink/sink.h"

#define HF_STATE_FOLDER "/run/holdfast"

struct hf_state;

struct hf_state_options {
	const char *folder; /* made with mode 0700 where it is not there; NULL: HF_STATE_FOLDER */
	const char *mode;   /* watch, learn or enforce */
};

/* HF_E_USAGE: another agent answers there already; HF_E_DENIED, HF_E_IO. A socket that nobody answers at is replaced. */
hf_nodiscard int hf_state_open(const struct hf_state_options *options, struct hf_state **ret, struct hf_err *err);
/* Removes the socket. NULL is fine. */
void hf_state_close(struct hf_state *s);
/* Each event and alert that is handed out; @json is its line (hf_trace_write), empty where it is too long to be kept. */
void hf_state_take(struct hf_state *s, const struct hf_event *e, hf_sv json);
/* About once a second. Either may be NULL. */
void hf_state_tick(struct hf_state *s, const struct hf_sink_numbers *numbers, struct hf_sinks *sinks);

/* The other side: asks the agent in @folder (NULL: HF_STATE_FOLDER) and appends its answer, whole JSON of at most 8 MiB. HF_E_MISSING:
 * no agent runs there; HF_E_DENIED; HF_E_LIMIT: no answer within five seconds; HF_E_FORMAT: what answers is no agent. */
hf_nodiscard int hf_state_ask(const char *folder, const char *question, struct hf_buf *answer, struct hf_err *err);
