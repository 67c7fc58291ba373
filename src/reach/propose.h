/* NetworkPolicies that keep what is needed open and close the rest, one a workload; proved before they are shown.
 *
 * Needs come from manifests: a service that the environment, arguments or ConfigMaps of a workload name; backends of Ingresses and routes
 * (any pod of the cluster, since nobody knows where the controller runs); NodePort and LoadBalancer services (any address); hosts
 * outside that URLs name (any address but private ones, at that port). Or from recorded flows (holdfast/flows/1), and then from them
 * alone. Everybody may ask the cluster's name servers.
 *
 * The proof is a truth table: each pair of workloads, and of a workload and an address, at each port that anybody needs and those beside
 * it, is tried with the policies by flow/netpol.h, and has to be open where it is needed and closed where it is not. Workloads that their labels do not
 * tell apart count as one, with a note. Policies that let the proof fail are taken out, with a note, and the rest is proved anew. */
#pragma once
#include "base/output.h"
#include "reach/reach.h"

struct hf_reach_proposal {
	const struct hf_netpol *policies;
	size_t n;
	size_t needs;       /* connections that are kept */
	uint64_t tried;     /* connections of the proof */
	const hf_sv *notes; /* workloads that get no policy, and why; what could not be taken over */
	size_t notes_n;
	bool from_flows;
};

/* @flows: the document of `runtime flows --format json`; NULL: needs of the manifests. Policies of the set itself do not count.
 * HF_E_FORMAT where @flows is no such document; HF_E_UNSUPPORTED where no policy is left; HF_E_LIMIT. */
hf_nodiscard int hf_reach_propose(struct hf_reach *, const struct hf_value *flows, struct hf_reach_proposal *ret,
				  struct hf_err *err);
/* YAML as kubectl apply takes it; the proof's result and the notes are comments. */
void hf_reach_write_proposal(const struct hf_reach_proposal *, struct hf_out *);
