/* NetworkPolicies made of flows: one a workload, which keeps what was used in both directions and closes the rest. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "flow/graph.h"
#include "flow/netpol.h"
#include "flow/notes.h"

struct hf_netpol_set {
	const struct hf_netpol *policies; /* in the order of the workloads */
	const size_t *workloads;          /* of each policy: index in the graph */
	size_t n;
	const bool *covered;              /* a flag for each workload of the graph: a policy selects it */
	const struct hf_flow_note *notes; /* what no policy could be made for, and what one has to know */
	size_t notes_n;
};

/* Workloads are selected by the labels that all their pods share; outside is an ipBlock of the addresses that were seen, or any
 * where clients are public or too many. DNS stays open to the cluster's servers for workloads that asked any.
 * HF_E_LIMIT; HF_E_UNSUPPORTED where no pod with labels is among the workloads. */
hf_nodiscard int hf_netpol_generate(const struct hf_flow_graph *, struct hf_arena *a, struct hf_netpol_set *ret,
				    struct hf_err *err);
/* Replays the flows, and everything that is not one of them, against the policies. HF_E_CONFLICT names the first connection that
 * was used and would be closed, or was not and would be open. *ret_tried: how many connections were tried. */
hf_nodiscard int hf_netpol_prove(const struct hf_flow_graph *, const struct hf_netpol_set *, uint64_t *ret_tried,
				 struct hf_err *err);
/* Documents of YAML, as kubectl apply -f takes them. */
void hf_netpol_write(struct hf_buf *out, const struct hf_flow_graph *, const struct hf_netpol_set *);
/* The documents alone. Ports are by number; both sides of a policy are written. */
void hf_netpol_write_policies(struct hf_buf *out, const struct hf_netpol *policies, size_t n);
