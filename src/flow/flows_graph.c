#include <stdio.h>
#include <stdlib.h>

#include "flow/flows_internal.h"

struct flow_key {
	const void *client, *server;
	const char *client_name, *server_name;
	uint64_t rest;
};

static hf_sv key_of(struct flow_key *key, struct gathered_end client, struct gathered_end server, uint8_t protocol,
		    uint16_t port, uint16_t port_last)
{
	*key = (struct flow_key){ client.workload, server.workload, client.name.ptr, server.name.ptr,
				  (uint64_t)protocol << 48 | (uint64_t)client.kind << 40 | (uint64_t)server.kind << 32 |
					  (uint32_t)port << 16 | port_last };
	return (hf_sv){ (const char *)key, sizeof *key };
}

struct gathered_flow *hf_gathered_find(const struct hf_map *flows, struct gathered_end client,
				       struct gathered_end server, uint8_t protocol, uint16_t port, uint16_t port_last)
{
	struct flow_key key;
	struct hf_map_entry *e = hf_map_find(flows, key_of(&key, client, server, protocol, port, port_last));

	return e ? e->value : NULL;
}

struct gathered_flow *hf_gathered_flow(struct hf_map *flows, struct hf_arena *a, struct gathered_end client,
				       struct gathered_end server, uint8_t protocol, uint16_t port, uint16_t port_last)
{
	struct gathered_flow *flow = hf_gathered_find(flows, client, server, protocol, port, port_last);
	struct flow_key key;

	if (flow)
		return flow;
	flow = hf_arena_new(a, struct gathered_flow);
	hf_sv kept = hf_arena_dup(a, key_of(&key, client, server, protocol, port, port_last));
	struct hf_map_entry *e = flow && kept.len ? hf_map_put(flows, kept) : NULL;

	if (!e)
		return NULL;
	flow->client = client;
	flow->server = server;
	flow->protocol = protocol;
	flow->port = port;
	flow->port_last = port_last;
	e->value = flow;
	return flow;
}

void hf_gathered_address(struct hf_arena *a, struct gathered_flow *flow, const struct hf_address *address, uint64_t n)
{
	struct hf_peer_address *p = NULL;

	for (size_t i = 0; i < flow->addresses.n; i++)
		if (!hf_address_cmp(&flow->addresses.at[i].address, address)) {
			flow->addresses.at[i].count += n;
			return;
		}
	if (flow->addresses.n < HF_FLOW_PEER_ADDRESSES_MAX)
		p = hf_vec_push(a, &flow->addresses);
	if (!p) {
		flow->addresses_more += n;
		return;
	}
	p->address = *address;
	p->count = n;
}

static void widen(char first[FLOW_TIME_MAX], char last[FLOW_TIME_MAX], const struct gathered_flow *with)
{
	if (with->first[0] && (!first[0] || strcmp(with->first, first) < 0))
		memcpy(first, with->first, FLOW_TIME_MAX);
	if (strcmp(with->last, last) > 0)
		memcpy(last, with->last, FLOW_TIME_MAX);
}

/* Adds the counts of @from in proportion to @part of @whole contacts; all where part is whole. */
static void add(struct gathered_flow *to, const struct gathered_flow *from, uint64_t part, uint64_t whole)
{
	uint64_t left = part;
	const uint64_t *counts[] = { &from->accepts, &from->connects, &from->sends };
	uint64_t *sums[] = { &to->accepts, &to->connects, &to->sends };

	for (size_t i = 0; i < HF_ARRAY_SIZE(counts); i++) {
		uint64_t n = part == whole ? *counts[i] : *counts[i] < left ? *counts[i] : left;

		*sums[i] += n;
		left -= n < left ? n : left;
	}
	widen(to->first, to->last, from);
	if (!to->client_process.len)
		to->client_process = from->client_process;
	if (!to->server_process.len)
		to->server_process = from->server_process;
}

static uint64_t contacts(const struct gathered_flow *flow)
{
	return flow->accepts + flow->connects + flow->sends;
}

static struct gathered_end real(struct gathered_end end)
{
	end.workload = hf_gathered_real(end.workload);
	return end;
}

/* Not where another container has the address now. */
static bool owns(const struct hf_flows *f, const struct hf_address *a, const struct gathered_instance *i)
{
	struct hf_map_entry *e = hf_map_find(&f->owners, (hf_sv){ (const char *)a, sizeof *a });

	return e && e->value == i;
}

static struct gathered_workload *owner(const struct hf_flows *f, const struct hf_address *a)
{
	struct hf_map_entry *e = hf_map_find(&f->owners, (hf_sv){ (const char *)a, sizeof *a });
	struct gathered_instance *i = e ? e->value : NULL;

	return i ? hf_gathered_real(i->workload) : NULL;
}

/* One flow as it was gathered into @flows, its ends as they are known now. */
static void settle(struct hf_flows *f, struct hf_map *flows, const struct gathered_flow *from)
{
	struct gathered_end client = real(from->client), server = real(from->server);
	struct gathered_flow *to = NULL;
	uint64_t left = contacts(from);
	bool is_client = client.kind != HF_PEER_WORKLOAD;

	for (size_t i = 0; i < from->addresses.n; i++) {
		const struct hf_peer_address *p = &from->addresses.at[i];
		struct gathered_end known = { .kind = HF_PEER_WORKLOAD, .workload = owner(f, &p->address) };
		struct gathered_end c = known.workload && is_client ? known : client;
		struct gathered_end s = known.workload && !is_client ? known : server;

		to = hf_gathered_flow(flows, &f->graph, c, s, from->protocol, from->port, from->port_last);
		if (!to)
			return;
		add(to, from, p->count, contacts(from));
		if (!known.workload)
			hf_gathered_address(&f->graph, to, &p->address, p->count);
		left -= p->count < left ? p->count : left;
	}
	if (from->addresses.n && !left)
		return;
	to = hf_gathered_flow(flows, &f->graph, client, server, from->protocol, from->port, from->port_last);
	if (!to)
		return;
	add(to, from, left, contacts(from));
	to->addresses_more += from->addresses_more;
}

/* getaddrinfo connects datagram sockets to each address, without sending anything, to see which source address it would have. */
static bool is_probe(const struct hf_map *flows, const struct gathered_flow *flow)
{
	if (flow->protocol != HF_FLOW_UDP || flow->sends || flow->accepts)
		return false;
	return flow->port == UINT16_MAX || /* musl's */
	       hf_gathered_find(flows, flow->client, flow->server, HF_FLOW_TCP, flow->port, flow->port_last);
}

static int by_address(const void *a, const void *b)
{
	const struct hf_peer_address *x = a, *y = b;

	return hf_address_cmp(&x->address, &y->address);
}

static struct hf_peer peer_of(struct gathered_end end, struct gathered_flow *flow)
{
	struct hf_peer peer = { .kind = end.kind, .name = end.name };

	if (end.kind == HF_PEER_WORKLOAD) {
		peer.workload = end.workload->index;
		return peer;
	}
	if (flow->addresses.n)
		qsort(flow->addresses.at, flow->addresses.n, sizeof *flow->addresses.at, by_address);
	peer.addresses = flow->addresses.at;
	peer.addresses_n = flow->addresses.n;
	peer.addresses_more = flow->addresses_more;
	return peer;
}

static int compare_peers(const struct hf_peer *a, const struct hf_peer *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->workload != b->workload)
		return a->workload < b->workload ? -1 : 1;
	return hf_sv_cmp(a->name, b->name);
}

static int by_ends(const void *a, const void *b)
{
	const struct hf_flow *x = a, *y = b;
	int order = compare_peers(&x->client, &y->client);

	if (!order)
		order = compare_peers(&x->server, &y->server);
	if (!order)
		order = x->protocol - y->protocol;
	if (!order)
		order = x->port - y->port;
	return order ? order : x->port_last - y->port_last;
}

static bool make_flows(struct hf_flows *f, struct hf_flow_graph *g)
{
	struct hf_map flows = HF_MAP(&f->graph);

	for (size_t i = 0; i < f->flows.n; i++)
		settle(f, &flows, f->flows.entries[i].value);
	struct hf_flow *list = hf_arena_array(&f->graph, struct hf_flow, flows.n);

	for (size_t i = 0; list && i < flows.n; i++) {
		struct gathered_flow *from = flows.entries[i].value;

		if (is_probe(&flows, from))
			continue;
		list[g->flows_n++] = (struct hf_flow){
			.client = peer_of(from->client, from),
			.server = peer_of(from->server, from),
			.protocol = from->protocol,
			.port = from->port,
			.port_last = from->port_last,
			.connects = from->connects,
			.accepts = from->accepts,
			.sends = from->sends,
			.first = hf_sv_of(from->first),
			.last = hf_sv_of(from->last),
			.client_process = from->client_process,
			.server_process = from->server_process,
		};
	}
	if (g->flows_n)
		qsort(list, g->flows_n, sizeof *list, by_ends);
	g->flows = list;
	return !f->graph.over;
}

static int by_port(const void *a, const void *b)
{
	const struct hf_port_open *x = a, *y = b;

	return x->protocol != y->protocol ? x->protocol - y->protocol : x->port - y->port;
}

/* Ports of workloads that turned out to be one. */
static bool merge_ports(struct hf_flows *f, struct hf_workload *to, const struct gathered_workload *from)
{
	struct hf_port_open *ports = hf_arena_array(&f->graph, struct hf_port_open, to->ports_n + from->ports.n);
	size_t n = 0;

	if (!ports)
		return false;
	for (size_t i = 0; i < to->ports_n; i++)
		ports[n++] = to->ports[i];
	for (size_t i = 0; i < from->ports.n; i++) {
		const struct hf_port_open *p = &from->ports.at[i];
		size_t k = 0;

		while (k < n && !(ports[k].protocol == p->protocol && ports[k].port == p->port &&
				  ports[k].port_last == p->port_last))
			k++;
		if (k < n) {
			ports[k].accepted += p->accepted;
			ports[k].loopback &= p->loopback;
		} else {
			ports[n++] = *p;
		}
	}
	if (n)
		qsort(ports, n, sizeof *ports, by_port);
	to->ports = ports;
	to->ports_n = n;
	return true;
}

static int by_address_alone(const void *a, const void *b)
{
	return hf_address_cmp(a, b);
}

static int by_instance_name(const void *a, const void *b)
{
	const struct hf_instance *x = a, *y = b;
	int order = hf_sv_cmp(x->name, y->name);

	return order ? order : hf_sv_cmp(x->id, y->id);
}

/* What all instances say alike. An instance that is gone says nothing while another one runs. */
static bool share_labels(struct hf_arena *a, struct hf_workload *w)
{
	const struct hf_instance *one = w->instances_n ? &w->instances[0] : NULL;
	hf_sv *labels = hf_arena_array(a, hf_sv, one ? 2 * one->labels_n : 0);

	for (size_t i = 0; labels && one && i < one->labels_n; i++) {
		hf_sv key = one->labels[2 * i], value = one->labels[2 * i + 1];
		bool shared = !hf_label_is_volatile(key);

		for (size_t k = 1; shared && k < w->instances_n; k++)
			shared = hf_sv_eq(hf_label(w->instances[k].labels, w->instances[k].labels_n, key), value);
		if (shared) {
			labels[2 * w->labels_n] = key;
			labels[2 * w->labels_n++ + 1] = value;
		}
	}
	w->labels = labels;
	return labels;
}

static bool make_instances(struct hf_flows *f, struct hf_workload *list, size_t n)
{
	size_t *at = hf_arena_array(&f->graph, size_t, n);
	struct hf_instance *all = hf_arena_array(&f->graph, struct hf_instance, f->instances.n);

	if (!at || !all)
		return false;
	for (size_t i = 0; i < f->instances.n; i++) {
		struct gathered_instance *from = f->instances.entries[i].value;

		if (from && from->workload)
			list[hf_gathered_real(from->workload)->index].instances_n++;
	}
	for (size_t i = 0, sum = 0; i < n; sum += list[i++].instances_n) {
		list[i].instances = all + sum;
		at[i] = sum;
	}
	for (size_t i = 0; i < f->instances.n; i++) {
		struct gathered_instance *from = f->instances.entries[i].value;

		if (!from || !from->workload)
			continue;
		struct hf_workload *w = &list[hf_gathered_real(from->workload)->index];

		struct hf_address *addresses = hf_arena_array(&f->graph, struct hf_address, from->addresses_n);
		size_t addresses_n = 0;

		for (size_t k = 0; addresses && k < from->addresses_n; k++)
			if (owns(f, &from->addresses[k], from))
				addresses[addresses_n++] = from->addresses[k];
		if (addresses_n)
			qsort(addresses, addresses_n, sizeof *addresses, by_address_alone);
		all[at[w - list]++] = (struct hf_instance){
			.id = from->id,
			.name = from->name,
			.labels = from->labels,
			.labels_n = from->labels_n,
			.addresses = addresses,
			.addresses_n = addresses_n,
			.gone = from->gone,
			.host_network = from->host_network,
		};
		w->host_network |= from->host_network;
	}
	for (size_t i = 0; i < n; i++) {
		size_t first = (size_t)(list[i].instances - all);

		if (list[i].instances_n)
			qsort(all + first, list[i].instances_n, sizeof *all, by_instance_name);
		if (!share_labels(&f->graph, &list[i]))
			return false;
	}
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct gathered_workload *const *x = a, *const *y = b;

	return hf_sv_cmp((*x)->name.id, (*y)->name.id);
}

static bool make_workloads(struct hf_flows *f, struct hf_flow_graph *g)
{
	struct gathered_workload **real_ones = hf_arena_array(&f->graph, struct gathered_workload *, f->workloads.n);
	size_t n = 0;

	for (size_t i = 0; real_ones && i < f->workloads.n; i++) {
		struct gathered_workload *w = f->workloads.entries[i].value;

		if (w && !w->moved_to)
			real_ones[n++] = w;
	}
	struct hf_workload *list = hf_arena_array(&f->graph, struct hf_workload, n);

	if (!real_ones || !list)
		return false;
	if (n)
		qsort(real_ones, n, sizeof(struct gathered_workload *), by_id);
	for (size_t i = 0; i < n; i++) {
		struct gathered_workload *w = real_ones[i];

		w->index = i;
		list[i] = (struct hf_workload){
			.kind = w->name.kind,
			.id = w->name.id,
			.namespace = w->name.namespace,
			.name = w->name.name,
			.owner_kind = w->name.owner_kind,
			.image = w->image,
			.unresolved = w->unresolved,
		};
	}
	for (size_t i = 0; i < f->workloads.n; i++) {
		struct gathered_workload *w = f->workloads.entries[i].value, *r = hf_gathered_real(w);

		if (!r)
			continue;
		list[r->index].dns |= w->dns;
		list[r->index].local_resolver |= w->local_resolver;
		if (!merge_ports(f, &list[r->index], w))
			return false;
	}
	g->workloads = list;
	g->workloads_n = n;
	return make_instances(f, list, n);
}

int hf_flows_graph(struct hf_flows *f, struct hf_flow_graph *ret, struct hf_err *err)
{
	struct hf_flow_graph g = {
		.first = hf_sv_of(f->first),
		.last = hf_sv_of(f->last),
		.events = f->events,
		.internal = f->internal,
		.unusable = f->unusable,
		.not_kept = f->not_kept,
	};

	hf_arena_reset(&f->graph);
	for (size_t i = 0; i < f->losses.n; i++) {
		const uint64_t *n = f->losses.entries[i].value;

		g.lost += n ? *n : 0;
	}
	if (!make_workloads(f, &g) || !make_flows(f, &g))
		return hf_fail(err, HF_E_LIMIT, "the graph of flows takes more than %llu MiB",
			       (unsigned long long)(HF_FLOWS_ARENA_MAX >> 20));
	*ret = g;
	return HF_OK;
}

hf_sv hf_flow_protocol_text(uint8_t protocol, char out[8])
{
	if (protocol == HF_FLOW_TCP || protocol == HF_FLOW_UDP || protocol == HF_FLOW_SCTP)
		snprintf(out, 8, "%s", protocol == HF_FLOW_TCP ? "tcp" : protocol == HF_FLOW_UDP ? "udp" : "sctp");
	else
		snprintf(out, 8, "%u", protocol);
	return hf_sv_of(out);
}

static hf_sv peer_text(const struct hf_flow_graph *g, const struct hf_peer *p, char *out, size_t size)
{
	char address[HF_ADDRESS_TEXT_MAX] = "";

	if (p->addresses_n)
		hf_address_text(&p->addresses[0].address, address);
	if (p->kind == HF_PEER_WORKLOAD)
		snprintf(out, size, "%.*s", HF_SV_FMT(g->workloads[p->workload].id));
	else if (p->kind == HF_PEER_NAME)
		snprintf(out, size, "%.*s (%s%s)", HF_SV_FMT(p->name), address, p->addresses_n > 1 ? ", …" : "");
	else
		snprintf(out, size, "outside (%s%s)", address, p->addresses_n > 1 ? ", …" : "");
	return hf_sv_of(out);
}

hf_sv hf_flow_text(const struct hf_flow_graph *g, const struct hf_flow *flow, char *out, size_t size)
{
	char client[320], server[320], protocol[8], ports[16];

	peer_text(g, &flow->client, client, sizeof client);
	peer_text(g, &flow->server, server, sizeof server);
	hf_flow_protocol_text(flow->protocol, protocol);
	if (flow->port == flow->port_last)
		snprintf(ports, sizeof ports, "%u", flow->port);
	else
		snprintf(ports, sizeof ports, "%u-%u", flow->port, flow->port_last);
	snprintf(out, size, "%s -> %s %s/%s", client, server, protocol, ports);
	return hf_sv_of(out);
}
