/* What a graph of flows shows that somebody should know of. */
#pragma once
#include "base/arena.h"
#include "flow/graph.h"
#include "model/advisory.h"

/* One row a finding: enum name, id in JSON and for --fail-on, how bad. */
#define HF_FLOW_FINDING_ROWS(row)                                                                     \
	row(METADATA, "metadata_service", HF_SEV_HIGH) row(ENGINE_API, "engine_api", HF_SEV_CRITICAL) \
		row(DATABASE_OUTSIDE, "database_open_to_outside", HF_SEV_HIGH)                        \
			row(FRONT_END, "front_end_reaches_database", HF_SEV_MEDIUM)                   \
				row(PLAIN_TEXT_OUTSIDE, "plain_text_to_outside", HF_SEV_MEDIUM)       \
					row(PLAIN_TEXT, "plain_text", HF_SEV_LOW)                     \
						row(UNUSED, "listening_unused", HF_SEV_LOW)           \
							row(UNRESOLVED, "unresolved_peer", HF_SEV_LOW)

enum hf_flow_finding_kind {
#define HF_FLOW_FINDING_ROW(name, id, severity) HF_FLOW_FINDING_##name,
	HF_FLOW_FINDING_ROWS(HF_FLOW_FINDING_ROW)
#undef HF_FLOW_FINDING_ROW
		HF_FLOW_FINDING_KINDS
};

struct hf_flow_finding {
	enum hf_flow_finding_kind kind;
	size_t workload;            /* whom it is about: index in the graph */
	const struct hf_flow *flow; /* NULL: about a port that nobody uses */
	uint8_t protocol;
	uint16_t port;
	hf_sv message; /* one sentence */
};

const char *hf_flow_finding_id(enum hf_flow_finding_kind kind);
enum hf_severity hf_flow_finding_severity(enum hf_flow_finding_kind kind);
/* The worst first, then in the order of the graph. HF_E_LIMIT. */
hf_nodiscard int hf_flow_findings(const struct hf_flow_graph *, struct hf_arena *a, const struct hf_flow_finding **ret,
				  size_t *ret_n, struct hf_err *err);
