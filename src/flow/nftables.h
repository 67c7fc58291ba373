/* Rules of nftables made of flows, for containers without an orchestrator that has policies of its own: what was used stays open,
 * the rest of these containers alone is closed. Tables of their own, so that nothing of Docker's or the administrator's is touched:
 *
 * table inet holdfast_flows    hook forward, and hook input for what containers send to the host, before Docker's own rules
 *                              (priority filter - 5). It sees what is routed: to and from outside, between bridges. Published ports
 *                              are rewritten before (prerouting), so rules hold the container's address and port. What it accepts
 *                              goes on to Docker's rules.
 * table bridge holdfast_flows  hook forward of the bridge itself: two containers on one bridge talk past the inet table unless
 *                              br_netfilter is loaded and switched on. Without states of connections, which not each kernel has
 *                              for bridges: answers are let through by their source port, for TCP unless they open a connection.
 *
 * What the host itself sends to containers passes: it is no forwarded traffic.
 * Source: nft(8), "Netfilter's flow" and the hooks' priorities; Docker's "Packet filtering and firewalls". */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "flow/graph.h"
#include "flow/netpol_generate.h"

struct hf_nft_set {
	hf_sv name;
	uint8_t family;
	const struct hf_cidr *elements;
	size_t n;
	hf_sv comment;
};

/* What is absent (NULL, 0, false) matches everything. */
struct hf_nft_rule {
	const struct hf_nft_set *source, *destination;
	bool not_source, not_destination; /* outside of the set */
	uint8_t family, protocol;
	uint16_t source_first, source_last, port_first, port_last; /* of the packet */
	bool established;                                          /* ct state established,related */
	bool not_opening;                                          /* TCP: not SYN alone */
	bool drop;                                                 /* else accept */
	hf_sv comment;
};

struct hf_nft_packet {
	struct hf_address source, destination;
	uint8_t protocol;
	uint16_t source_port, port;
	bool established, opening;
};

struct hf_nft_rules {
	const struct hf_nft_set *const *sets;
	size_t sets_n;
	const struct hf_nft_rule *inet, *bridge;
	size_t inet_n, bridge_n;
	const bool *covered;
	const struct hf_flow_note *notes;
	size_t notes_n;
};

/* HF_E_LIMIT; HF_E_UNSUPPORTED where no container with an address of its own is among the workloads. */
hf_nodiscard int hf_nft_generate(const struct hf_flow_graph *, struct hf_arena *a, struct hf_nft_rules *ret,
				 struct hf_err *err);
/* The first rule that matches decides; true where none drops the packet. */
bool hf_nft_passes(const struct hf_nft_rule *rules, size_t n, const struct hf_nft_packet *);
/* As hf_netpol_prove, over both tables, first packets and answers. */
hf_nodiscard int hf_nft_prove(const struct hf_flow_graph *, const struct hf_nft_rules *, uint64_t *ret_tried,
			      struct hf_err *err);
/* A script for nft -f: replaces both tables in one transaction. */
void hf_nft_write(struct hf_buf *out, const struct hf_flow_graph *, const struct hf_nft_rules *);
/* A script that removes them; no error where they are not there. */
void hf_nft_write_undo(struct hf_buf *out);
