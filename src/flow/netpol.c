#include "flow/netpol.h"

/* The API server gives this label to each namespace. */
static const hf_sv name_label = HF_SV_INIT("kubernetes.io/metadata.name");

const struct hf_label_selector *hf_netpol_namespace(struct hf_arena *a, hf_sv name)
{
	hf_sv *pair = hf_arena_array(a, hf_sv, 2);
	struct hf_label_selector *s = hf_arena_new(a, struct hf_label_selector);

	if (!pair || !s)
		return NULL;
	pair[0] = name_label;
	pair[1] = name;
	s->labels = pair;
	s->labels_n = 1;
	return s;
}

bool hf_netpol_selects(const struct hf_netpol *p, const struct hf_netpol_end *end)
{
	return end->pod && hf_sv_eq(p->namespace, end->namespace) &&
	       hf_label_selector_matches(&p->pods, end->labels, end->labels_n);
}

static bool namespace_matches(const struct hf_label_selector *s, const struct hf_netpol_end *end)
{
	hf_sv with_name[2 * 64 + 2], value;

	if (hf_label_value(end->namespace_labels, end->namespace_labels_n, name_label, &value) ||
	    end->namespace_labels_n > 64)
		return hf_label_selector_matches(s, end->namespace_labels, end->namespace_labels_n);
	for (size_t i = 0; i < 2 * end->namespace_labels_n; i++)
		with_name[i] = end->namespace_labels[i];
	with_name[2 * end->namespace_labels_n] = name_label;
	with_name[2 * end->namespace_labels_n + 1] = end->namespace;
	return hf_label_selector_matches(s, with_name, end->namespace_labels_n + 1);
}

static bool peer_matches(const struct hf_netpol *p, const struct hf_netpol_peer *peer, const struct hf_netpol_end *end)
{
	if (!peer->pods && !peer->namespaces) {
		if (end->pod || !hf_cidr_holds(&peer->block, &end->address))
			return false;
		for (size_t i = 0; i < peer->except_n; i++)
			if (hf_cidr_holds(&peer->except[i], &end->address))
				return false;
		return true;
	}
	if (!end->pod)
		return false;
	if (peer->namespaces ? !namespace_matches(peer->namespaces, end) : !hf_sv_eq(p->namespace, end->namespace))
		return false;
	return !peer->pods || hf_label_selector_matches(peer->pods, end->labels, end->labels_n);
}

static bool port_matches(const struct hf_netpol_port *p, const struct hf_netpol_end *server, uint8_t protocol,
			 uint16_t port)
{
	if (p->protocol != protocol)
		return false;
	if (p->name.len) {
		for (size_t i = 0; i < server->ports_n; i++)
			if (server->ports[i].protocol == protocol && server->ports[i].port == port &&
			    hf_sv_eq(server->ports[i].name, p->name))
				return true;
		return false;
	}
	return !p->first || (p->first <= port && port <= p->last);
}

static bool rule_allows(const struct hf_netpol *p, const struct hf_netpol_rule *r, const struct hf_netpol_end *peer,
			const struct hf_netpol_end *server, uint8_t protocol, uint16_t port)
{
	bool peer_fits = r->peers_n == 0, port_fits = r->ports_n == 0;

	for (size_t i = 0; !peer_fits && i < r->peers_n; i++)
		peer_fits = peer_matches(p, &r->peers[i], peer);
	for (size_t i = 0; !port_fits && i < r->ports_n; i++)
		port_fits = port_matches(&r->ports[i], server, protocol, port);
	return peer_fits && port_fits;
}

/* Whether one direction lets the connection pass; *ret_closed_by is a policy that closes it where none opens it. */
static bool side_allows(const struct hf_netpol *const *policies, size_t n, bool egress,
			const struct hf_netpol_end *client, const struct hf_netpol_end *server, uint8_t protocol,
			uint16_t port, const struct hf_netpol **ret_closed_by)
{
	const struct hf_netpol_end *self = egress ? client : server, *peer = egress ? server : client;

	*ret_closed_by = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct hf_netpol *p = policies[i];
		const struct hf_netpol_rule *rules = egress ? p->egress : p->ingress;
		size_t rules_n = egress ? p->egress_n : p->ingress_n;

		if (!(egress ? p->has_egress : p->has_ingress) || !hf_netpol_selects(p, self))
			continue;
		*ret_closed_by = p;
		for (size_t k = 0; k < rules_n; k++)
			if (rule_allows(p, &rules[k], peer, server, protocol, port))
				return true;
	}
	return !*ret_closed_by;
}

struct hf_netpol_verdict hf_netpol_evaluate(const struct hf_netpol *const *policies, size_t policies_n,
					    const struct hf_netpol_end *client, const struct hf_netpol_end *server,
					    uint8_t protocol, uint16_t port)
{
	const struct hf_netpol *closed_by;

	if (client == server)
		return (struct hf_netpol_verdict){ .allowed = true };
	if (!side_allows(policies, policies_n, true, client, server, protocol, port, &closed_by))
		return (struct hf_netpol_verdict){ .egress = true, .denied_by = closed_by };
	if (!side_allows(policies, policies_n, false, client, server, protocol, port, &closed_by))
		return (struct hf_netpol_verdict){ .denied_by = closed_by };
	return (struct hf_netpol_verdict){ .allowed = true };
}
