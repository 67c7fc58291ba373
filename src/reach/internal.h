/* The parts that make a model of reach. */
#pragma once
#include "reach/reach.h"

/* Namespaces, workloads and groups of the set's pods, and the group of controllers behind them. */
void reach_gather(struct hf_reach *);
/* Cuts the addresses outside. */
void reach_cut_addresses(struct hf_reach *);
/* Which policies select whom, and what each side says about each peer. */
void reach_fill_rows(struct hf_reach *);
/* Services, and what sends to them from outside. */
void reach_services(struct hf_reach *);
uint32_t reach_namespace(struct hf_reach *, hf_sv name);
static inline hf_conns reach_row_value(const struct hf_reach *r, const struct hf_reach_row *row, size_t peer)
{
	if (row->values)
		return r->values.at[row->values[peer]];
	size_t low = 0, high = row->peers_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (row->peers[middle] < peer)
			low = middle + 1;
		else
			high = middle;
	}
	return low < row->peers_n && row->peers[low] == peer ? r->values.at[row->peer_values[low]] : HF_CONNS_NONE;
}
static inline size_t reach_row_length(const struct hf_reach *r, enum hf_reach_side side)
{
	return r->groups.n + r->spans_n[side];
}
/* The number of a container's named port. False where no container has one of that name, and protocol where one is asked for. */
bool reach_named_port(const struct hf_kube_pod *, hf_sv name, enum hf_conn_protocol *ret_protocol, uint16_t *ret_port);
void reach_labelled_init(struct reach_labelled *, struct hf_arena *);
void reach_labelled_done(struct reach_labelled *);
/* @labels are pairs. Numbers come in their order. */
void reach_labelled_add(struct reach_labelled *, uint32_t namespace, const hf_sv *labels, size_t n, uint32_t who);
/* All that a selector with labels can match (and more), in their order: who bears the one of its labels that the fewest bear. */
const struct reach_list *reach_labelled_find(struct reach_labelled *, uint32_t namespace,
					     const struct hf_label_selector *);
/* Between two pods of one workload. */
hf_conns reach_within(struct hf_reach *, uint32_t workload);
/* Whether the peer is the group: @own is the policy's namespace. */
bool reach_peer_is_group(const struct hf_reach *, const struct hf_reach_policy *, const struct hf_reach_peer *,
			 const struct hf_reach_group *);
bool reach_peer_is_span(const struct hf_reach_peer *, struct hf_reach_span);
/* The rule's ports at a server with these named ports (none: an address). */
hf_conns reach_rule_ports(struct hf_reach *, const struct hf_reach_rule *, const struct hf_netpol_named_port *,
			  size_t n);

/* What a workload's environment, arguments and ConfigMaps name. */
struct hf_reach_host {
	hf_sv name;    /* or an address */
	uint16_t port; /* written, or the scheme's */
};
struct hf_reach_names {
	HF_VEC(const struct hf_kube_object *) services;
	HF_VEC(struct hf_reach_host) hosts; /* outside, of URLs */
	HF_VEC(hf_sv) absent;               /* names within the cluster that no Service of the set has */
	bool unreadable;                    /* not all of it is in the set: secrets, missing ConfigMaps */
	bool cut;                           /* it names more than is kept, or in longer texts than are looked through */
};
struct hf_reach_names reach_names(struct hf_reach *, const struct hf_reach_workload *);
