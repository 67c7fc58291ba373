/* Events as JSON lines and back: what `runtime watch --format json` prints is what a replay reads. Field names: docs/events.md,
 * made from model/event_fields.def. */
#pragma once
#include "format/json_writer.h"
#include "model/event.h"

/* One line, newline included. Bytes that are not UTF-8 in a string are kept for the reader: the string is written with U+FFFD and
 * its bytes stand beside it, as NAME_base64. */
void hf_trace_write(struct hf_buf *out, const struct hf_event *e);
/* The event of one line; strings live in @a or in @line. Unknown fields are passed over and counted in *ret_unknown (may be NULL).
 * HF_E_FORMAT: no JSON object, no kind, or a field of another type than the table's. */
int hf_trace_read(hf_sv line, struct hf_arena *a, struct hf_event *ret_event, size_t *ret_unknown, struct hf_err *err);
