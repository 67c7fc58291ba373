/* A recorded trace, line by line from a descriptor: bounded memory for a file of any size and content. */
#pragma once
#include "trace/trace.h"

/* A line over this is no event of ours: hf_trace_write is never asked for more. */
#define HF_TRACE_LINE_MAX (4u << 20)

struct hf_trace_replayed {
	uint64_t events, unknown_fields;
	uint64_t unreadable;      /* lines that are no event; blank ones do not count */
	uint64_t unreadable_line; /* number of the first of them, from 1 */
	char unreadable_why[160]; /* of that line */
};

/* Hands each event to @sink. Lines that cannot be read are counted, not fatal: a record may end in the middle. 0; HF_E_IO;
 * HF_E_FORMAT where there are lines and none is an event; or what the sink returned. *ret is filled in every case. */
int hf_trace_replay(int fd, const struct hf_event_sink *sink, struct hf_trace_replayed *ret, struct hf_err *err);
