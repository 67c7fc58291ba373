/* How the dotted names of event_fields.def nest in JSON, worked out once from the table. Any thread. */
#pragma once
#include "model/event.h"

enum { HF_NESTING_DEPTH_MAX = 4, HF_NESTING_NODES_MAX = 2 * HF_EVENT_FIELDS };

/* An object or a field of the tree of names. Node 0 is the whole event. */
struct hf_nesting_node {
	hf_sv name;
	int16_t field;       /* -1: an object */
	int16_t first, next; /* child, sibling; 0: none. In the order of the table. */
};

struct hf_nesting {
	struct {
		/* What opens the field where @c objects of the one written before are open still: open[c] is "b":{"c": of a.b.c. */
		hf_sv open[HF_NESTING_DEPTH_MAX];
		uint8_t depth;  /* objects around it */
		uint8_t shared; /* of these, with the row before */
	} fields[HF_EVENT_FIELDS];
	struct hf_nesting_node nodes[HF_NESTING_NODES_MAX];
	size_t nodes_n;
};

const struct hf_nesting *hf_nesting_get(void);
