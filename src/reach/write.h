/* Connections as text. Where they are more than a report may hold, a writer stops early: hf_reach_too_long says so, and what was written is
 * no document. Names come from manifests, so each writer escapes them as its form wants it. Output goes out as it is made. */
#pragma once
#include "base/output.h"
#include "reach/reach.h"

bool hf_reach_too_long(const struct hf_out *);
/* holdfast/reach/1 */
void hf_reach_write_json(struct hf_reach *, struct hf_out *);
/* A line a pair: source, destination, connections, in columns for names of @width bytes; 0: as the names want it. */
void hf_reach_write_table(struct hf_reach *, int width, struct hf_out *);
/* Graphviz. */
void hf_reach_write_dot(struct hf_reach *, struct hf_out *);
/* A picture, SVG 1.1: boxes in columns by how many steps they are from outside, arrows between them. Namespaces stand for their workloads
 * where there are more than 400 of these. False, and nothing written, where the namespaces are too many as well. */
bool hf_reach_write_svg(struct hf_reach *, struct hf_out *);
