#include "flow/expected.h"

#include <stdio.h>

#include "base/limits.h"

bool hf_flow_is_for_everybody(const struct hf_flow *flow)
{
	const struct hf_peer *p = &flow->client;

	if (p->kind == HF_PEER_WORKLOAD)
		return false;
	for (size_t i = 0; i < p->addresses_n; i++)
		if (hf_address_scope(&p->addresses[i].address) == HF_ADDRESS_PUBLIC)
			return true;
	return p->addresses_more > 0;
}

static bool is_peer(const struct hf_flow_graph *g, const struct hf_peer *p, const struct hf_flow_end *end,
		    bool everybody)
{
	if (p->kind == HF_PEER_WORKLOAD)
		return end->workload == &g->workloads[p->workload];
	if (end->workload)
		return false;
	if (everybody || p->addresses_more)
		return true;
	for (size_t i = 0; i < p->addresses_n; i++)
		if (!hf_address_cmp(&p->addresses[i].address, &end->address))
			return true;
	return false;
}

static bool joins(const struct hf_flow_graph *g, const struct hf_flow *f, const struct hf_flow_end *client,
		  const struct hf_flow_end *server)
{
	return is_peer(g, &f->server, server, false) && is_peer(g, &f->client, client, hf_flow_is_for_everybody(f));
}

/* The flow that uses this connection; NULL where none does. @server's port. */
static const struct hf_flow *flow_that_uses(const struct hf_flow_graph *g, const struct hf_flow_end *client,
					    const struct hf_flow_end *server, struct hf_flow_port port)
{
	for (size_t i = 0; i < g->flows_n; i++) {
		const struct hf_flow *f = &g->flows[i];

		if (f->protocol == port.protocol && f->port <= port.port && port.port <= f->port_last &&
		    joins(g, f, client, server))
			return f;
	}
	return NULL;
}

struct ports {
	struct hf_flow_port at[4 * HF_FLOW_PORTS_MAX];
	size_t n;
};

static void add_port(struct ports *p, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].protocol == protocol && p->at[i].port == port)
			return;
	if (p->n < HF_ARRAY_SIZE(p->at))
		p->at[p->n++] = (struct hf_flow_port){ protocol, port };
}

static bool has(const struct hf_flow_graph *g, const struct hf_peer *p, const struct hf_workload *w)
{
	return p->kind == HF_PEER_WORKLOAD && w == &g->workloads[p->workload];
}

static void gather_ports(const struct hf_flow_graph *g, const struct hf_workload *client,
			 const struct hf_workload *server, struct ports *ret)
{
	ret->n = 0;
	/* Ports that hardly anybody uses (1: tcpmux), and one behind each range. */
	add_port(ret, HF_FLOW_TCP, 1);
	add_port(ret, HF_FLOW_UDP, 1);
	add_port(ret, HF_FLOW_TCP, 53);
	add_port(ret, HF_FLOW_UDP, 53);
	add_port(ret, HF_FLOW_TCP, 65535);
	for (size_t i = 0; i < g->flows_n; i++) {
		const struct hf_flow *f = &g->flows[i];

		if (!(client && has(g, &f->client, client)) && !(server && has(g, &f->server, server)))
			continue;
		add_port(ret, f->protocol, f->port);
		add_port(ret, f->protocol, f->port_last);
		if (f->port_last < UINT16_MAX)
			add_port(ret, f->protocol, (uint16_t)(f->port_last + 1));
		add_port(ret, f->protocol == HF_FLOW_TCP ? HF_FLOW_UDP : HF_FLOW_TCP, f->port);
	}
	for (size_t i = 0; server && i < server->ports_n; i++)
		add_port(ret, server->ports[i].protocol, server->ports[i].port);
}

struct walk {
	const struct hf_flow_graph *g;
	hf_flow_try_fn *try;
	void *ctx;
	struct ports ports;
	uint64_t tries;
};

static int try_ports(struct walk *w, const struct hf_flow_end *client, const struct hf_flow_end *server,
		     struct hf_err *err)
{
	w->tries += w->ports.n;
	if (w->tries > HF_FLOW_TRIES_MAX)
		return hf_fail(err, HF_E_LIMIT,
			       "%zu workloads are too many to try each with each: take fewer traces at a time",
			       w->g->workloads_n);
	/* Most pairs have no flow at all: then no port has to be looked for. */
	bool strangers = true;

	for (size_t i = 0; strangers && i < w->g->flows_n; i++)
		strangers = !joins(w->g, &w->g->flows[i], client, server);
	for (size_t i = 0; i < w->ports.n; i++) {
		const struct hf_flow *used = strangers ? NULL : flow_that_uses(w->g, client, server, w->ports.at[i]);
		int e = w->try(w->ctx, client, server, w->ports.at[i], used, err);

		if (e < 0)
			return e;
	}
	return HF_OK;
}

static struct hf_flow_end end_of(const struct hf_workload *w, size_t i, size_t address)
{
	struct hf_flow_end end = { .workload = w, .instance = &w->instances[i] };

	if (address < end.instance->addresses_n)
		end.address = end.instance->addresses[address];
	return end;
}

/* Replicas are tried each against the first one of the other side: more would say nothing new. */
static int try_pair(struct walk *walk, const struct hf_workload *a, const struct hf_workload *b, struct hf_err *err)
{
	gather_ports(walk->g, a, b, &walk->ports);
	for (size_t i = 0; i < a->instances_n; i++)
		for (size_t k = 0; k < b->instances_n && (!i || !k); k++) {
			struct hf_flow_end client = end_of(a, i, 0);

			if (a == b && i == k)
				continue;
			for (size_t n = 0; n < b->instances[k].addresses_n || n == 0; n++) {
				struct hf_flow_end server = end_of(b, k, n);
				int e = client.address.family && server.address.family &&
							client.address.family != server.address.family
						? HF_OK
						: try_ports(walk, &client, &server, err);
				if (e < 0)
					return e;
			}
		}
	return HF_OK;
}

static int try_outside(struct walk *walk, const struct hf_workload *w, const struct hf_address *address,
		       struct hf_err *err)
{
	struct hf_flow_end outside = { .address = *address };

	for (size_t i = 0; i < w->instances_n; i++)
		for (size_t n = 0; n < w->instances[i].addresses_n || n == 0; n++) {
			struct hf_flow_end end = end_of(w, i, n);

			if (end.address.family && end.address.family != address->family)
				continue;
			gather_ports(walk->g, w, NULL, &walk->ports);
			int e = try_ports(walk, &end, &outside, err);

			gather_ports(walk->g, NULL, w, &walk->ports);
			if (e >= 0)
				e = try_ports(walk, &outside, &end, err);
			if (e < 0)
				return e;
		}
	return HF_OK;
}

static int try_addresses(struct walk *walk, const struct hf_workload *w, const struct hf_peer *p, struct hf_err *err)
{
	int e = HF_OK;

	for (size_t i = 0; e >= 0 && i < p->addresses_n; i++)
		e = try_outside(walk, w, &p->addresses[i].address, err);
	return e;
}

static int try_world(struct walk *walk, const struct hf_workload *w, struct hf_err *err)
{
	/* Addresses that documentation alone uses (RFC 5737, RFC 3849), private ones, and the metadata services. */
	static const char *const strangers[] = { "192.0.2.77",      "10.255.254.77", "192.168.77.77",
						 "169.254.169.254", "2001:db8::77",  "fd77::77" };
	int e = HF_OK;

	for (size_t i = 0; e >= 0 && i < HF_ARRAY_SIZE(strangers); i++) {
		struct hf_address a;

		if (hf_address_of(hf_sv_of(strangers[i]), &a))
			e = try_outside(walk, w, &a, err);
	}
	for (size_t i = 0; e >= 0 && i < walk->g->flows_n; i++) {
		const struct hf_flow *f = &walk->g->flows[i];

		if (has(walk->g, &f->client, w))
			e = try_addresses(walk, w, &f->server, err);
		else if (has(walk->g, &f->server, w))
			e = try_addresses(walk, w, &f->client, err);
	}
	return e;
}

/* A flow with a workload that no policy is about: to the others it is like an address outside. */
static int try_flow(struct walk *walk, const struct hf_flow *f, struct hf_err *err)
{
	const struct hf_workload *c = &walk->g->workloads[f->client.workload],
				 *s = &walk->g->workloads[f->server.workload];

	for (size_t a = 0; a < c->instances_n; a++)
		for (size_t b = 0; b < s->instances_n && (!a || !b); b++)
			for (size_t n = 0; n < c->instances[a].addresses_n || n == 0; n++)
				for (size_t k = 0; k < s->instances[b].addresses_n || k == 0; k++) {
					struct hf_flow_end client = end_of(c, a, n), server = end_of(s, b, k);
					int e = HF_OK;

					if (!client.address.family || !server.address.family ||
					    client.address.family == server.address.family)
						e = walk->try(walk->ctx, &client, &server,
							      (struct hf_flow_port){ f->protocol, f->port }, f, err);
					if (e < 0)
						return e;
				}
	return HF_OK;
}

static int try_flows(struct walk *walk, const bool *covered, struct hf_err *err)
{
	int e = HF_OK;

	for (size_t i = 0; e >= 0 && i < walk->g->flows_n; i++) {
		const struct hf_flow *f = &walk->g->flows[i];

		if (f->client.kind == HF_PEER_WORKLOAD && f->server.kind == HF_PEER_WORKLOAD &&
		    covered[f->client.workload] != covered[f->server.workload])
			e = try_flow(walk, f, err);
	}
	return e;
}

int hf_flow_truth_table(const struct hf_flow_graph *g, const bool *covered, hf_flow_try_fn *try, void *ctx,
			struct hf_err *err)
{
	struct walk walk = { .g = g, .try = try, .ctx = ctx };

	for (size_t a = 0; a < g->workloads_n; a++) {
		if (!covered[a])
			continue;
		int e = try_world(&walk, &g->workloads[a], err);

		for (size_t b = 0; e >= 0 && b < g->workloads_n; b++)
			if (covered[b])
				e = try_pair(&walk, &g->workloads[a], &g->workloads[b], err);
		if (e < 0)
			return e;
	}
	return try_flows(&walk, covered, err);
}

static hf_sv end_text(const struct hf_flow_end *end, char *out, size_t size)
{
	char address[HF_ADDRESS_TEXT_MAX];

	hf_address_text(&end->address, address);
	if (end->workload)
		snprintf(out, size, "%.*s (%.*s%s%s)", HF_SV_FMT(end->workload->id), HF_SV_FMT(end->instance->name),
			 address[0] ? ", " : "", address);
	else
		snprintf(out, size, "%s", address);
	return hf_sv_of(out);
}

hf_sv hf_flow_attempt_text(const struct hf_flow_end *client, const struct hf_flow_end *server, struct hf_flow_port port,
			   char *out, size_t size)
{
	char from[320], to[320], protocol[8];

	end_text(client, from, sizeof from);
	end_text(server, to, sizeof to);
	hf_flow_protocol_text(port.protocol, protocol);
	snprintf(out, size, "%s -> %s %s/%u", from, to, protocol, port.port);
	return hf_sv_of(out);
}
