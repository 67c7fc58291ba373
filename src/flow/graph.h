/* Who talks to whom: workloads, and the flows between them and the world outside. hf_flows makes it; findings, reports and the
 * policies are read off it. Everything lives as long as the hf_flows that it came from, and is sorted: the same events give the
 * same graph. */
#pragma once
#include "flow/address.h"

enum { HF_FLOW_TCP = 6, HF_FLOW_UDP = 17, HF_FLOW_SCTP = 132 };
/* Ports of one end that are too many to be told apart are one flow over this range. */
enum { HF_FLOW_PORT_ANY_FIRST = 1, HF_FLOW_PORT_ANY_LAST = 65535 };

enum hf_workload_kind { HF_WORKLOAD_CONTAINER, HF_WORKLOAD_POD, HF_WORKLOAD_HOST };

/* One container. */
struct hf_instance {
	hf_sv id, name; /* name: of the pod where there is one */
	const hf_sv *labels;
	size_t labels_n; /* pairs, sorted by key, as the engine gave them */
	const struct hf_address *addresses;
	size_t addresses_n; /* sorted; empty with the host's network */
	bool gone, host_network;
};

struct hf_port_open {
	uint8_t protocol;
	uint16_t port, port_last;
	bool loopback;     /* only on a loopback address */
	uint64_t accepted; /* connections or datagrams that came in */
	hf_sv process;     /* path of the executable, else its short name */
};

/* Containers that do the same: the pods of one owner, the replicas of one service. */
struct hf_workload {
	enum hf_workload_kind kind;
	hf_sv id;              /* NAMESPACE/KIND/NAME of a pod's owner; a name of containers; "host" */
	hf_sv namespace, name; /* namespace: pods only */
	hf_sv owner_kind;      /* Deployment, StatefulSet, DaemonSet, Job, Pod; pods only */
	hf_sv image;           /* reference, of the instance seen last */
	const hf_sv *labels;   /* pairs that all instances share, less those that differ from pod to pod */
	size_t labels_n;
	const struct hf_instance *instances;
	size_t instances_n;
	const struct hf_port_open *ports;
	size_t ports_n;
	bool host_network;   /* an instance of it has no address of its own */
	bool dns;            /* it asked name servers */
	bool local_resolver; /* at a loopback address (Docker's 127.0.0.11): who is asked behind it is not seen */
	hf_sv unresolved;    /* not empty: the engine did not say who it is, and why */
};

enum hf_peer_kind {
	HF_PEER_WORKLOAD,
	HF_PEER_NAME,    /* outside, by the name that was looked up for the address */
	HF_PEER_OUTSIDE, /* outside, by address */
};

struct hf_peer_address {
	struct hf_address address;
	uint64_t count;
};

struct hf_peer {
	enum hf_peer_kind kind;
	size_t workload;                         /* index in the graph */
	hf_sv name;                              /* of HF_PEER_NAME */
	const struct hf_peer_address *addresses; /* outside peers: sorted */
	size_t addresses_n;
	uint64_t addresses_more; /* events of addresses that did not fit */
};

struct hf_flow {
	struct hf_peer client, server; /* a workload at one end at least */
	uint8_t protocol;              /* number of IANA */
	uint16_t port, port_last;      /* of the server */
	uint64_t connects, accepts, sends;
	hf_sv first, last;                    /* RFC 3339; empty where the events had no time */
	hf_sv client_process, server_process; /* the first one that was seen */
};

struct hf_flow_graph {
	const struct hf_workload *workloads; /* sorted by id */
	size_t workloads_n;
	const struct hf_flow *flows; /* sorted by client, server, protocol, port */
	size_t flows_n;
	hf_sv first, last; /* of all events */
	uint64_t events;   /* that had to do with the network */
	uint64_t internal; /* of them within one container or pod */
	uint64_t unusable; /* of them without address, port or protocol */
	uint64_t not_kept; /* of them passed over since a table was full: then the graph is not whole */
	uint64_t lost;     /* dropped by the sensor, as its loss events say */
};

/* "tcp", "udp", "sctp", or the number. */
hf_sv hf_flow_protocol_text(uint8_t protocol, char out[8]);
/* "front -> db.example (10.0.0.5) tcp/5432", for messages; cut to @size. */
hf_sv hf_flow_text(const struct hf_flow_graph *, const struct hf_flow *, char *out, size_t size);
