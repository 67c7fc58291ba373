/* What a policy that is made of flows has to allow, worked out from the flows alone: the truth that generated policies are held
 * against, however they were generated. */
#pragma once
#include "base/arena.h"
#include "flow/graph.h"

/* One end of a connection to be tried. */
struct hf_flow_end {
	const struct hf_workload *workload; /* NULL: outside */
	const struct hf_instance *instance; /* of the workload; NULL: outside */
	struct hf_address address;          /* outside; or of the instance */
};

struct hf_flow_port {
	uint8_t protocol;
	uint16_t port;
};

/* Clients of a server outside differ from day to day where any of them is public, or where there are more than can be told apart:
 * then the server is meant for all of them. */
bool hf_flow_is_for_everybody(const struct hf_flow *);

/* Each connection that is worth trying between the workloads of @covered (by index in the graph), and between them and addresses
 * outside, those seen and strangers; and the flows with workloads that are not covered. Calls @try with the flow that uses it, or NULL. Ports: those of the flows of both, those open
 * at the server, and some that nobody uses. Stops at the first negative code of @try; HF_E_LIMIT
 * where there are more than HF_FLOW_TRIES_MAX. */
typedef int hf_flow_try_fn(void *ctx, const struct hf_flow_end *client, const struct hf_flow_end *server,
			   struct hf_flow_port port, const struct hf_flow *used, struct hf_err *err);
hf_nodiscard int hf_flow_truth_table(const struct hf_flow_graph *, const bool *covered, hf_flow_try_fn *try, void *ctx,
				     struct hf_err *err);
/* "front (172.18.0.2) -> app (172.18.0.3) tcp/8080", for messages; cut to @size. */
hf_sv hf_flow_attempt_text(const struct hf_flow_end *client, const struct hf_flow_end *server, struct hf_flow_port port,
			   char *out, size_t size);
