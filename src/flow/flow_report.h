/* A graph of flows with its findings, as text for people, JSON (holdfast/flows/1) and Graphviz. */
#pragma once
#include "base/output.h"
#include "flow/findings.h"

struct hf_flow_report {
	const struct hf_flow_graph *graph;
	const struct hf_flow_finding *findings;
	size_t findings_n;
};

void hf_flow_report_table(const struct hf_flow_report *, struct hf_out *out);
hf_nodiscard int hf_flow_report_json(const struct hf_flow_report *, struct hf_out *out, struct hf_err *err);
void hf_flow_report_dot(const struct hf_flow_report *, struct hf_out *out);
