/* Who can talk to whom in a cluster: workloads, addresses outside, and the controllers that stand before Ingresses, Routes and
 * Gateways. Pure.
 *
 * Pods are put in groups of one namespace whose labels differ in nothing that a policy asks for and whose ports bear the same names
 * (of those that policies name), so pairs of pods are never looked at. A workload is what owns pods; where its pods are of several
 * groups it reaches what any of them reaches.
 * - A connection needs the egress of its client and the ingress of its server. Each side is decided by admin policies in the order of
 *   their priorities, then by NetworkPolicies where one selects the pod, else by baseline policies, else it is open.
 * - Addresses outside are IPv4, cut where a block of any policy begins or ends: sources by blocks of ingress rules, destinations by
 *   those of egress rules. Blocks and networks never match pods.
 * - Controllers of ingress are one pod without labels in a namespace that nobody knows, as np-guard's netpol-analyzer has it; they
 *   reach the ports of a backend's service that a container declares.
 * - What nodes, and pods on the host's network, can reach besides is not modelled: network plugins differ. */
#pragma once
#include "base/buffer.h"
#include "base/map.h"
#include "flow/netpol.h"
#include "kube/pods.h"
#include "reach/policy.h"

struct hf_reach_namespace {
	hf_sv name;
	const struct hf_kube_object *object; /* NULL: it is not in the set, and has no labels but its name */
	const hf_sv *labels;                 /* pairs */
	size_t labels_n;
	HF_VEC(uint32_t) groups;
	HF_VEC(uint32_t) policies; /* NetworkPolicies */
	HF_VEC(uint32_t) workloads;
};

/* A group of pods, see above. */
struct hf_reach_group {
	uint32_t namespace;
	const hf_sv *labels; /* pairs, sorted, of those labels that policies ask for */
	size_t labels_n;
	const struct hf_netpol_named_port *ports; /* those that policies name */
	size_t ports_n;
	uint32_t rows[HF_REACH_SIDES];
};

struct hf_reach_workload {
	hf_sv name; /* "namespace/name[Kind]" */
	hf_sv namespace, short_name, kind;
	uint32_t namespace_index;
	const struct hf_kube_object *object; /* the owner, or the first pod where the owner is not in the set */
	HF_VEC(uint32_t) groups;
	HF_VEC(const struct hf_kube_pod *) pods; /* templates and pods that look different; at most 64 of them */
	size_t pods_n;                           /* all of them */
	bool host_network;
	HF_VEC(uint32_t) entries; /* of the model's, that lead to it */
	hf_conns backend;         /* what ingress controllers are told to send to it */
};

/* What one side of a pod says about each peer: groups first, then addresses. */
struct hf_reach_row {
	const uint32_t *policies; /* that select it, in their order */
	size_t policies_n;
	const struct hf_netpol_named_port *ports; /* of the server, for ingress */
	size_t ports_n;
	/* Indexes into the model's values: rows are most of what a model takes. NULL: few peers have any, which are listed. */
	uint16_t *values;
	const uint32_t *peers; /* sorted */
	const uint16_t *peer_values;
	size_t peers_n;
};

/* A Service, Ingress, Route or route of a Gateway that sends something to a workload. */
struct hf_reach_entry {
	const struct hf_kube_object *object;
	const struct hf_kube_object *service; /* of an object that is none itself */
	uint32_t workload;
	hf_conns conns; /* ports of the workload's pods */
	bool outside; /* reached from outside: by a controller of ingress, or since it is a NodePort or LoadBalancer */
};

/* Who bears a label of a value in a namespace: while a model is made. */
struct reach_list {
	uint32_t *at;
	size_t n, slots;
};
struct reach_labelled {
	struct hf_map map;
	struct hf_buf key;
};

struct hf_reach {
	struct hf_arena *arena;
	const struct hf_kube_objects *set;
	struct hf_conn_pool pool;
	struct hf_reach_notes notes;
	const struct hf_reach_policy *policies;
	size_t policies_n;
	HF_VEC(struct hf_reach_namespace) namespaces;
	HF_VEC(struct hf_reach_group) groups;       /* the last one is the ingress controllers' */
	HF_VEC(struct hf_reach_workload) workloads; /* sorted by name once built */
	HF_VEC(struct hf_reach_row) rows;
	HF_VEC(hf_conns) values;                           /* what rows hold; at most 65536 of them */
	const struct hf_reach_span *spans[HF_REACH_SIDES]; /* of ingress: sources; of egress: destinations */
	size_t spans_n[HF_REACH_SIDES];
	HF_VEC(struct hf_reach_entry) entries;
	struct hf_map namespace_index, workload_index;
	struct reach_labelled labelled; /* while services are followed: workloads */
};

/* NULL where the arena's cap was reached. The result lives in the arena, as long as the set. */
struct hf_reach *hf_reach_build(const struct hf_kube_objects *, struct hf_arena *);

/* An end of a connection: a workload, a range of addresses, or the controllers of ingress. */
enum hf_reach_end_kind { HF_REACH_SPAN, HF_REACH_WORKLOAD, HF_REACH_CONTROLLER };
struct hf_reach_end {
	enum hf_reach_end_kind kind;
	uint32_t index; /* in spans of its side (a source: of ingress) or workloads */
};
hf_sv hf_reach_end_name(const struct hf_reach *, struct hf_reach_end, bool source, struct hf_arena *);
/* What @from may open to @to. NONE for ends of which none is a workload, and for a workload and itself. */
hf_conns hf_reach_between(struct hf_reach *, struct hf_reach_end from, struct hf_reach_end to);
/* All pairs with connections, by source then destination: addresses by number, then workloads by name, then the controllers; until
 * @pair says no. */
void hf_reach_each(struct hf_reach *,
		   bool (*pair)(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns), void *ctx);
/* The end of a name as output has it; also "namespace/name", a name that is the only one, an address, and "ingress-controller".
 * False where there is none, or more than one. */
bool hf_reach_find(const struct hf_reach *, hf_sv name, bool source, struct hf_reach_end *ret);
