/* Kubernetes NetworkPolicies and what they allow: the model, and an evaluator of one connection at a time. Pure.
 * Source: kubernetes.io "Network Policies" and the API reference of networking.k8s.io/v1.
 *
 * - A pod that no policy selects for a direction is open in it; else only what some rule of a selecting policy allows passes.
 * - A connection needs the egress of its client and the ingress of its server. A pod always reaches itself.
 * - An ipBlock is about addresses outside of the cluster: here it never matches a pod. Plugins differ in that.
 * - What reaches a pod from the node that it runs on passes whatever the policies say, and is no business of this evaluator. */
#pragma once
#include "base/arena.h"
#include "flow/address.h"
#include "model/label_selector.h"

struct hf_netpol_peer {
	const struct hf_label_selector *pods, *namespaces; /* NULL: not there. Both NULL: an ipBlock */
	struct hf_cidr block;
	const struct hf_cidr *except;
	size_t except_n;
};

struct hf_netpol_port {
	uint8_t protocol;     /* number of IANA: 6, 17, 132 */
	uint16_t first, last; /* first 0: any port, or the one that is named */
	hf_sv name;           /* of a container's port at the server */
};

struct hf_netpol_rule {
	const struct hf_netpol_peer *peers; /* none: all */
	size_t peers_n;
	const struct hf_netpol_port *ports; /* none: all */
	size_t ports_n;
	hf_sv comment; /* what it is for; no part of the policy */
};

struct hf_netpol {
	hf_sv namespace, name;
	struct hf_label_selector pods;
	bool has_ingress, has_egress; /* policyTypes, defaults applied */
	const struct hf_netpol_rule *ingress, *egress;
	size_t ingress_n, egress_n;
};

struct hf_netpol_named_port {
	hf_sv name;
	uint8_t protocol;
	uint16_t port;
};

/* A pod, or an address outside. */
struct hf_netpol_end {
	bool pod;
	hf_sv namespace;
	const hf_sv *labels; /* pairs */
	size_t labels_n;
	const hf_sv *namespace_labels; /* pairs; kubernetes.io/metadata.name is added where it is missing */
	size_t namespace_labels_n;
	const struct hf_netpol_named_port *ports;
	size_t ports_n;
	struct hf_address address; /* outside */
};

struct hf_netpol_verdict {
	bool allowed;
	bool egress;                       /* which side denies */
	const struct hf_netpol *denied_by; /* one of the policies that close that side; NULL where it is allowed */
};

/* The selector of the namespace of that name, by the label that the API server gives it. NULL: no room. */
const struct hf_label_selector *hf_netpol_namespace(struct hf_arena *, hf_sv name);

bool hf_netpol_selects(const struct hf_netpol *, const struct hf_netpol_end *);
/* @policies may be all of a cluster, or only those that select one of the ends. The same pointer for both ends: one pod. */
struct hf_netpol_verdict hf_netpol_evaluate(const struct hf_netpol *const *policies, size_t policies_n,
					    const struct hf_netpol_end *client, const struct hf_netpol_end *server,
					    uint8_t protocol, uint16_t port);
