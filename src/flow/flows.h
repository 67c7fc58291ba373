/* Events in, flows out. Takes events of the kinds listen, accept, connect, send, dns, container_start, container_stop and loss;
 * others are passed over, as is what a container runtime does while it sets a container up.
 *
 * A flow is known by client, server, protocol and the server's port: never by the client's port. The connect of one end and the
 * accept of the other are one flow. Whose address it is, is known from network.remote.container, from container.address, and from the
 * local addresses that containers were seen with; an address whose owner shows later is put right in the end.
 * A datagram's server is the end that has the port bound; where that is not known, the end with the port below 32768.
 * An address that a client reached by a Kubernetes service's IP is one outside: who answered is the flow that the server saw.
 * A UDP connect without datagrams (how getaddrinfo sorts addresses) is no flow where the same peer and port is used by TCP.
 *
 * Memory is bounded by the HF_FLOWS_… limits of base/limits.h. What no longer fits is merged (ports into a range, addresses into a
 * count), else counted in not_kept. */
#pragma once
#include "flow/graph.h"
#include "model/event.h"

struct hf_flows;

struct hf_flows *hf_flows_new(void);
void hf_flows_free(struct hf_flows *);
/* The event is borrowed for the call. HF_OK; HF_E_LIMIT where the memory's cap is reached. */
hf_nodiscard int hf_flows_take(struct hf_flows *, const struct hf_event *, struct hf_err *err);
/* The graph of what was taken so far; valid until the next call with the same hf_flows. NULL with HF_E_LIMIT. */
hf_nodiscard int hf_flows_graph(struct hf_flows *, struct hf_flow_graph *ret, struct hf_err *err);
