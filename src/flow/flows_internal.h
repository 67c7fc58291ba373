/* What flows.c gathers and flows_graph.c makes a graph of. */
#pragma once
#include "base/map.h"
#include "base/limits.h"
#include "flow/flows.h"
#include "flow/names.h"
#include "flow/workload.h"

enum { FLOW_TIME_MAX = 40 };

struct gathered_workload;

struct gathered_instance {
	hf_sv id, name;
	const hf_sv *labels;
	size_t labels_n;
	struct hf_address addresses[HF_FLOW_INSTANCE_ADDRESSES_MAX];
	size_t addresses_n;
	bool gone, host_network, unresolved, bound;
	struct gathered_workload *workload;
};

struct gathered_workload {
	struct hf_workload_name name;
	hf_sv image, unresolved;
	struct gathered_workload *moved_to; /* who it turned out to be; NULL: itself */
	HF_VEC(struct hf_port_open) ports;
	struct hf_map peer_names;
	bool dns, local_resolver;
	size_t index; /* in the graph that is being made */
};

struct gathered_end {
	enum hf_peer_kind kind;
	struct gathered_workload *workload;
	hf_sv name; /* interned: equal names have equal pointers */
};

struct gathered_flow {
	struct gathered_end client, server;
	uint8_t protocol;
	uint16_t port, port_last;
	uint64_t connects, accepts, sends;
	char first[FLOW_TIME_MAX], last[FLOW_TIME_MAX];
	hf_sv client_process, server_process;
	HF_VEC(struct hf_peer_address) addresses;
	uint64_t addresses_more;
};

struct hf_flows {
	struct hf_arena arena, graph;
	struct hf_flow_names *names;
	struct hf_map instances; /* by container id */
	struct hf_map by_name;   /* container name -> the workload that stood for it */
	struct hf_map workloads; /* by id */
	struct hf_map owners;    /* bytes of an address -> instance */
	struct hf_map flows;     /* by key */
	struct hf_map ports;     /* pair of ends -> how many ports */
	struct hf_map texts;     /* interned */
	struct hf_map losses;    /* kind and container -> uint64_t */
	char first[FLOW_TIME_MAX], last[FLOW_TIME_MAX];
	uint64_t events, internal, unusable, not_kept;
};

static inline struct gathered_workload *hf_gathered_real(struct gathered_workload *w)
{
	while (w && w->moved_to)
		w = w->moved_to;
	return w;
}

struct gathered_flow *hf_gathered_find(const struct hf_map *flows, struct gathered_end client,
				       struct gathered_end server, uint8_t protocol, uint16_t port, uint16_t port_last);
/* The flow of that key in @flows, made where there was none; its key lives in @a. NULL on the cap of memory. */
struct gathered_flow *hf_gathered_flow(struct hf_map *flows, struct hf_arena *a, struct gathered_end client,
				       struct gathered_end server, uint8_t protocol, uint16_t port, uint16_t port_last);
/* Counts @n events of an address at the outside end; more than fit are counted alone. */
void hf_gathered_address(struct hf_arena *a, struct gathered_flow *, const struct hf_address *, uint64_t n);
