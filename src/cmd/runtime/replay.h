/* A record as `runtime watch --record` leaves it: the file, and the older parts that were put aside beside it. */
#pragma once
#include "model/event.h"

/* Hands each event of @path to @sink; "-" is standard input. Parts PATH.3, PATH.2 and PATH.1 that are there come before it, the oldest first. Lines
 * that are no events are told of on standard error and counted in *@ret_unreadable (may be NULL), which is added to. As hf_trace_replay; messages
 * begin with the file. */
hf_nodiscard int replay_record(const char *path, const struct hf_event_sink *sink, uint64_t *ret_unreadable,
			       struct hf_err *err);
