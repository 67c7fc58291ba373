/* Events as text: one line for people, and words for lists. Pure; shared by the outputs and by `runtime why`. */
#pragma once
#include "base/buffer.h"
#include "model/event.h"

enum { HF_RENDER_LINE_MAX = 4096, HF_RENDER_TREE_MAX = 24 };

/* 1 low, 2 medium, 3 high, 4 critical; 0: none of them. */
int hf_render_severity(hf_sv name);
/* One JSON line: struct hf_sink_ops.render of every output that sends JSON. */
void hf_render_json(void *self, const struct hf_event *e, struct hf_buf *out);
/* What happened, in one line without an end, control bytes escaped: "sh -c id", "10.0.0.7:443 tcp (example.org)". */
void hf_render_what(const struct hf_event *e, struct hf_buf *out);
/* The container's name as people know it: its name, else twelve digits of its id, else "host". Escaped. */
void hf_render_container(const struct hf_event *e, struct hf_buf *out);
/* Adds @s with control bytes and invalid UTF-8 as \xNN. */
void hf_render_text(struct hf_buf *out, hf_sv s);
/* Cuts @out to @end bytes where it is longer, between characters, with a mark that says so. */
void hf_render_cut(struct hf_buf *out, size_t end);
/* The processes that led to it, the farthest first, a line each, indented; the event's own process is the last. */
void hf_render_tree(const struct hf_event *e, struct hf_buf *out);
