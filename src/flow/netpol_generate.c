#include "flow/netpol_generate.h"

#include "base/limits.h"
#include "flow/expected.h"
#include "flow/workload.h"

struct generator {
	const struct hf_flow_graph *g;
	struct hf_arena *a;
	bool *covered;
	struct hf_flow_notes notes;
};

static void note(struct generator *m, hf_sv what, hf_sv why)
{
	hf_flow_note_add(&m->notes, m->a, what, why);
}

static bool can_be_selected(struct generator *m, const struct hf_workload *w)
{
	if (w->kind != HF_WORKLOAD_POD)
		return false;
	if (w->host_network) {
		note(m, w->id, HF_SV("its pods have the node's network: no NetworkPolicy reaches them"));
		return false;
	}
	if (!w->labels_n) {
		note(m, w->id, HF_SV("its pods share no label that a selector could use"));
		return false;
	}
	return w->instances_n > 0;
}

static const struct hf_label_selector *selector(struct generator *m, const hf_sv *labels, size_t n)
{
	struct hf_label_selector *s = hf_arena_new(m->a, struct hf_label_selector);

	if (s) {
		s->labels = labels;
		s->labels_n = n;
	}
	return s;
}

/* The peers of a rule in the making. */
struct peers {
	HF_VEC(struct hf_netpol_peer) list;
};

static void add_block(struct generator *m, struct peers *p, const struct hf_address *a, unsigned bits)
{
	struct hf_netpol_peer *peer = hf_vec_push(m->a, &p->list);

	if (peer)
		peer->block = hf_cidr_around(a, bits);
}

static void add_everybody(struct generator *m, struct peers *p)
{
	add_block(m, p, &(struct hf_address){ .family = 4 }, 0);
	add_block(m, p, &(struct hf_address){ .family = 6 }, 0);
}

static void add_peer(struct generator *m, struct peers *p, const struct hf_netpol *policy, const struct hf_peer *peer,
		     bool everybody)
{
	if (peer->kind != HF_PEER_WORKLOAD) {
		if (everybody || peer->addresses_more) {
			add_everybody(m, p);
			return;
		}
		for (size_t i = 0; i < peer->addresses_n; i++)
			add_block(m, p, &peer->addresses[i].address, 128);
		return;
	}
	const struct hf_workload *w = &m->g->workloads[peer->workload];

	if (m->covered[peer->workload]) {
		struct hf_netpol_peer *to = hf_vec_push(m->a, &p->list);

		if (!to)
			return;
		to->pods = selector(m, w->labels, w->labels_n);
		if (!hf_sv_eq(w->namespace, policy->namespace))
			to->namespaces = hf_netpol_namespace(m->a, w->namespace);
		return;
	}
	for (size_t i = 0; i < w->instances_n; i++)
		for (size_t k = 0; k < w->instances[i].addresses_n; k++)
			add_block(m, p, &w->instances[i].addresses[k], 128);
}

static bool same_peer(const struct hf_peer *a, const struct hf_peer *b)
{
	return a->kind == HF_PEER_WORKLOAD && b->kind == HF_PEER_WORKLOAD && a->workload == b->workload;
}

struct rules {
	HF_VEC(struct hf_netpol_rule) list;
};

static hf_sv peer_name(struct generator *m, const struct hf_peer *peer, bool everybody)
{
	if (peer->kind == HF_PEER_WORKLOAD)
		return m->g->workloads[peer->workload].id;
	if (peer->kind == HF_PEER_NAME)
		return hf_arena_concat(m->a, peer->name, HF_SV(", by the addresses that it had"));
	return everybody || peer->addresses_more ? HF_SV("anybody outside") : HF_SV("outside");
}

static bool expressible(struct generator *m, const struct hf_flow *f)
{
	if (f->protocol == HF_FLOW_TCP || f->protocol == HF_FLOW_UDP || f->protocol == HF_FLOW_SCTP)
		return true;
	hf_flow_note_of_flow(&m->notes, m->a, m->g, f, HF_SV("NetworkPolicies know TCP, UDP and SCTP alone"));
	return false;
}

/* The cluster's name servers, as kubeadm and most distributions label them. */
static bool is_name_server(const struct generator *m, const struct hf_flow *f)
{
	const struct hf_workload *w = f->server.kind == HF_PEER_WORKLOAD ? &m->g->workloads[f->server.workload] : NULL;

	return w && hf_sv_eq(w->namespace, HF_SV("kube-system")) &&
	       hf_sv_eq(hf_label(w->labels, w->labels_n, HF_SV("k8s-app")), HF_SV("kube-dns"));
}

/* The rule for flow @at, and for those behind it that have the same peer; *at is moved to the last of them. */
static void add_rule(struct generator *m, struct rules *rules, const struct hf_netpol *policy, size_t *at, bool egress)
{
	const struct hf_flow *f = &m->g->flows[*at];
	const struct hf_peer *peer = egress ? &f->server : &f->client;
	HF_VEC(struct hf_netpol_port) ports = { 0 };
	bool everybody = !egress && hf_flow_is_for_everybody(f);
	struct peers peers = { 0 };

	add_peer(m, &peers, policy, peer, everybody);
	if (!peers.list.n) {
		hf_flow_note_of_flow(&m->notes, m->a, m->g, f,
				     HF_SV("the peer has no address and no label: it is not in the policies"));
		return;
	}
	for (;; ++*at) {
		struct hf_netpol_port *p;

		f = &m->g->flows[*at];
		p = expressible(m, f) ? hf_vec_push(m->a, &ports) : NULL;
		if (p)
			*p = (struct hf_netpol_port){ .protocol = f->protocol, .first = f->port, .last = f->port_last };
		/* An answer that is too long for a datagram is asked for again by TCP (RFC 7766). */
		p = !egress && f->protocol == HF_FLOW_UDP && f->port == 53 && is_name_server(m, f)
			    ? hf_vec_push(m->a, &ports)
			    : NULL;
		if (p)
			*p = (struct hf_netpol_port){ .protocol = HF_FLOW_TCP, .first = 53, .last = 53 };
		if (*at + 1 >= m->g->flows_n || !same_peer(peer, egress ? &f[1].server : &f[1].client) ||
		    !same_peer(egress ? &f->client : &f->server, egress ? &f[1].client : &f[1].server))
			break;
	}
	struct hf_netpol_rule *r = hf_vec_push(m->a, &rules->list);

	if (!r)
		return;
	*r = (struct hf_netpol_rule){
		.peers = peers.list.at,
		.peers_n = peers.list.n,
		.ports = ports.at,
		.ports_n = ports.n,
		.comment = peer_name(m, peer, everybody),
	};
}

static void add_dns(struct generator *m, struct rules *rules)
{
	struct hf_netpol_peer *peer = hf_arena_new(m->a, struct hf_netpol_peer);
	struct hf_netpol_port *ports = hf_arena_array(m->a, struct hf_netpol_port, 2);
	struct hf_netpol_rule *r = hf_vec_push(m->a, &rules->list);
	hf_sv *label = hf_arena_array(m->a, hf_sv, 2);

	if (!peer || !ports || !r || !label)
		return;
	label[0] = HF_SV("k8s-app");
	label[1] = HF_SV("kube-dns");
	peer->pods = selector(m, label, 1);
	peer->namespaces = hf_netpol_namespace(m->a, HF_SV("kube-system"));
	ports[0] = (struct hf_netpol_port){ .protocol = HF_FLOW_UDP, .first = 53, .last = 53 };
	ports[1] = (struct hf_netpol_port){ .protocol = HF_FLOW_TCP, .first = 53, .last = 53 };
	*r = (struct hf_netpol_rule){
		.peers = peer, .peers_n = 1, .ports = ports, .ports_n = 2, .comment = HF_SV("DNS")
	};
}

/* A name as RFC 1123 has it, which the API server demands: lower case letters, digits, '-' and '.'. */
static hf_sv object_name(struct hf_arena *a, const struct hf_workload *w)
{
	hf_sv name = hf_arena_fmt(a, "holdfast-%.*s-%.*s", HF_SV_FMT(hf_sv_first(w->owner_kind, 16)),
				  HF_SV_FMT(hf_sv_first(w->name, 200)));
	char *bytes = (char *)(uintptr_t)name.ptr;

	for (size_t i = 0; i < name.len; i++) {
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] = (char)(bytes[i] - 'A' + 'a');
		else if (!(bytes[i] >= 'a' && bytes[i] <= 'z') && !(bytes[i] >= '0' && bytes[i] <= '9') &&
			 bytes[i] != '.')
			bytes[i] = '-';
	}
	while (name.len && (bytes[name.len - 1] == '-' || bytes[name.len - 1] == '.'))
		name.len--;
	return name;
}

/* Names that differ only in what an object's name may not have get a number: one would replace the other. */
static hf_sv unique_name(struct generator *m, const struct hf_netpol *policies, size_t n, hf_sv namespace, hf_sv name)
{
	hf_sv tried = name;

	for (size_t number = 2, i = 0; i < n; i++)
		if (hf_sv_eq(policies[i].namespace, namespace) && hf_sv_eq(policies[i].name, tried)) {
			tried = hf_arena_fmt(m->a, "%.*s-%zu", HF_SV_FMT(name), number++);
			i = (size_t)-1;
		}
	return tried;
}

static bool is_end(const struct hf_peer *p, size_t workload)
{
	return p->kind == HF_PEER_WORKLOAD && p->workload == workload;
}

static void make_policy(struct generator *m, size_t index, struct hf_netpol *p)
{
	const struct hf_workload *w = &m->g->workloads[index];
	struct rules ingress = { 0 }, egress = { 0 };

	p->namespace = w->namespace;
	p->name = object_name(m->a, w);
	p->pods.labels = w->labels;
	p->pods.labels_n = w->labels_n;
	p->has_ingress = p->has_egress = true;
	for (size_t i = 0; i < m->g->flows_n; i++)
		if (is_end(&m->g->flows[i].server, index) && expressible(m, &m->g->flows[i]))
			add_rule(m, &ingress, p, &i, false);
	for (size_t i = 0; i < m->g->flows_n; i++)
		if (is_end(&m->g->flows[i].client, index) && expressible(m, &m->g->flows[i]))
			add_rule(m, &egress, p, &i, true);
	if (w->dns)
		add_dns(m, &egress);
	p->ingress = ingress.list.at;
	p->ingress_n = ingress.list.n;
	p->egress = egress.list.at;
	p->egress_n = egress.list.n;
}

int hf_netpol_generate(const struct hf_flow_graph *g, struct hf_arena *a, struct hf_netpol_set *ret, struct hf_err *err)
{
	struct generator m = { .g = g, .a = a, .covered = hf_arena_array(a, bool, g->workloads_n) };
	struct hf_netpol *policies;
	size_t *workloads, n = 0;

	for (size_t i = 0; m.covered && i < g->workloads_n; i++)
		n += m.covered[i] = can_be_selected(&m, &g->workloads[i]);
	policies = hf_arena_array(a, struct hf_netpol, n);
	workloads = hf_arena_array(a, size_t, n);
	if (!m.covered || !policies || !workloads || a->over)
		return hf_fail(err, HF_E_LIMIT, "the policies take too much memory");
	if (!n)
		return hf_fail(err, HF_E_UNSUPPORTED, "no NetworkPolicy: no pod with labels is among the %zu workloads",
			       g->workloads_n);
	if (g->not_kept)
		return hf_fail(err, HF_E_LIMIT, "%llu events had no room: policies would close what was used",
			       (unsigned long long)g->not_kept);
	n = 0;
	for (size_t i = 0; i < g->workloads_n; i++)
		if (m.covered[i]) {
			workloads[n] = i;
			make_policy(&m, i, &policies[n]);
			policies[n].name = unique_name(&m, policies, n, policies[n].namespace, policies[n].name);
			n++;
		}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the policies take too much memory");
	*ret = (struct hf_netpol_set){ policies, workloads, n, m.covered, m.notes.list.at, m.notes.list.n };
	return HF_OK;
}

struct proof {
	const struct hf_flow_graph *g;
	const struct hf_netpol_set *set;
	const struct hf_netpol **both; /* policies that select either end of the connection tried last */
	size_t both_n;
	const struct hf_instance *client, *server;
	uint64_t tried;
};

static struct hf_netpol_end end_of(const struct proof *p, const struct hf_flow_end *e)
{
	struct hf_netpol_end end = { .address = e->address };

	if (!e->workload || !p->set->covered[e->workload - p->g->workloads])
		return end;
	end.pod = true;
	end.namespace = e->workload->namespace;
	end.labels = e->instance->labels;
	end.labels_n = e->instance->labels_n;
	return end;
}

/* What the policies keep open on top of the flows: the cluster's name servers, for those who ask any. */
static bool is_dns(const struct hf_flow_end *client, const struct hf_flow_end *server, struct hf_flow_port port)
{
	return client->workload && client->workload->dns && server->workload && port.port == 53 &&
	       (port.protocol == HF_FLOW_UDP || port.protocol == HF_FLOW_TCP) &&
	       hf_sv_eq(server->workload->namespace, HF_SV("kube-system")) &&
	       hf_sv_eq(hf_label(server->instance->labels, server->instance->labels_n, HF_SV("k8s-app")),
			HF_SV("kube-dns"));
}

static int try_one(void *ctx, const struct hf_flow_end *client, const struct hf_flow_end *server,
		   struct hf_flow_port port, const struct hf_flow *used, struct hf_err *err)
{
	struct proof *p = ctx;
	struct hf_netpol_end from = end_of(p, client), to = end_of(p, server);
	char text[800];

	if (port.protocol != HF_FLOW_TCP && port.protocol != HF_FLOW_UDP && port.protocol != HF_FLOW_SCTP)
		return HF_OK;
	if ((!from.pod && !from.address.family) || (!to.pod && !to.address.family))
		return HF_OK; /* has a note */
	/* No policy selects what is outside, so instances tell the ends apart. */
	if (!p->tried || p->client != client->instance || p->server != server->instance) {
		p->client = client->instance;
		p->server = server->instance;
		p->both_n = 0;
		for (size_t i = 0; i < p->set->n; i++)
			if (hf_netpol_selects(&p->set->policies[i], &from) ||
			    hf_netpol_selects(&p->set->policies[i], &to))
				p->both[p->both_n++] = &p->set->policies[i];
	}
	struct hf_netpol_verdict v = hf_netpol_evaluate(p->both, p->both_n, &from, &to, port.protocol, port.port);

	p->tried++;
	if (v.allowed == !!used || (v.allowed && is_dns(client, server, port)))
		return HF_OK;
	hf_flow_attempt_text(client, server, port, text, sizeof text);
	if (used)
		return hf_fail(err, HF_E_CONFLICT,
			       "the policies would close what was used: %s, by the %s rules of %.*s", text,
			       v.egress ? "egress" : "ingress", HF_SV_FMT(v.denied_by->name));
	return hf_fail(err, HF_E_CONFLICT,
		       "the policies would open what nobody used: %s; do two workloads share all their labels?", text);
}

int hf_netpol_prove(const struct hf_flow_graph *g, const struct hf_netpol_set *set, uint64_t *ret_tried,
		    struct hf_err *err)
{
	struct hf_arena a hf_cleanup(hf_arena_done) = HF_ARENA(HF_FLOWS_ARENA_MAX);
	struct proof p = { .g = g, .set = set, .both = hf_arena_array(&a, const struct hf_netpol *, set->n) };
	int e = p.both ? hf_flow_truth_table(g, set->covered, try_one, &p, err)
		       : hf_fail(err, HF_E_LIMIT, "too many policies to be tried");

	*ret_tried = p.tried;
	return e;
}
