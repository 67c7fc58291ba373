/* What the makers of rules say beside them: about which workload or flow, and why. Each is said once, in the order of their coming. */
#pragma once
#include "base/arena.h"
#include "flow/graph.h"

struct hf_flow_note {
	hf_sv what, why;
};

struct hf_flow_notes {
	HF_VEC(struct hf_flow_note) list;
};

/* Views are borrowed for as long as the notes live. */
void hf_flow_note_add(struct hf_flow_notes *, struct hf_arena *, hf_sv what, hf_sv why);
/* About a flow of the graph, by its text. */
void hf_flow_note_of_flow(struct hf_flow_notes *, struct hf_arena *, const struct hf_flow_graph *,
			  const struct hf_flow *, hf_sv why);
