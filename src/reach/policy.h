/* Policies of all kinds that say who may talk to whom, decoded to one form. Pure.
 * Source: the API references of networking.k8s.io/v1 NetworkPolicy (Kubernetes 1.34), of policy.networking.k8s.io/v1alpha1
 * AdminNetworkPolicy and BaselineAdminNetworkPolicy (network-policy-api 0.1.7), and v1alpha2 ClusterNetworkPolicy (0.1.8).
 *
 * What an API server would not take is noted and matches nothing; the rest of its policy counts. Addresses are IPv4: blocks of IPv6
 * are noted. Peers by node and by domain name are noted too, and match nothing. */
#pragma once
#include "flow/address.h"
#include "kube/object.h"
#include "model/label_selector.h"
#include "reach/conns.h"

/* In the order in which they are asked. */
enum hf_reach_layer { HF_REACH_ADMIN, HF_REACH_NAMESPACED, HF_REACH_BASELINE };
enum hf_reach_action { HF_REACH_ALLOW, HF_REACH_DENY, HF_REACH_PASS };
enum hf_reach_side { HF_REACH_INGRESS, HF_REACH_EGRESS, HF_REACH_SIDES };

struct hf_reach_span {
	uint32_t first, last; /* IPv4 addresses */
};

struct hf_reach_peer {
	bool outside;                               /* addresses; else pods */
	const struct hf_label_selector *namespaces; /* NULL: the policy's own */
	const struct hf_label_selector *pods;       /* NULL: all of them */
	const struct hf_reach_span *spans;          /* sorted, with a gap between any two */
	size_t spans_n;
};

struct hf_reach_port_name {
	hf_sv name; /* of a container's port at the server */
	enum hf_conn_protocol protocol;
	bool any_protocol; /* the container's port says which */
};

struct hf_reach_rule {
	enum hf_reach_action action;
	bool everyone; /* no peers were written: pods and addresses, all of them */
	const struct hf_reach_peer *peers;
	size_t peers_n;
	hf_conns ports; /* by number */
	const struct hf_reach_port_name *names;
	size_t names_n;
	hf_sv name;                   /* of rules of admin policies */
	const struct hf_value *value; /* where it stands */
};

struct hf_reach_policy {
	enum hf_reach_layer layer;
	int64_t priority; /* of the layers but HF_REACH_NAMESPACED: the lower one is asked first */
	const struct hf_kube_object *object;
	const struct hf_label_selector *namespaces; /* NULL: its own */
	const struct hf_label_selector *pods;       /* NULL: all of them */
	bool selects_nothing;                       /* broken */
	bool sides[HF_REACH_SIDES];                 /* what it is about, defaults applied */
	const struct hf_reach_rule *rules[HF_REACH_SIDES];
	size_t rules_n[HF_REACH_SIDES];
};

struct hf_reach_note {
	const struct hf_kube_object *object;
	const struct hf_value *value; /* in the object; NULL: the object as a whole */
	hf_sv text;
	bool loss; /* something of the input did not count */
};

struct hf_reach_notes {
	struct hf_arena *arena;
	HF_VEC(struct hf_reach_note) list;
};
/* @value and @loss as above. */
void hf_reach_note(struct hf_reach_notes *, const struct hf_kube_object *, const struct hf_value *, bool loss,
		   const char *fmt, ...) hf_printf(5, 6);

/* All policies of the set: admin ones by priority and name, then NetworkPolicies in the order of the input, then baseline ones. */
const struct hf_reach_policy *hf_reach_policies(const struct hf_kube_objects *, struct hf_conn_pool *,
						struct hf_reach_notes *, size_t *ret_n);
/* "first-last" */
hf_sv hf_reach_span_text(struct hf_reach_span, struct hf_arena *);
