#include <stdlib.h>

#include "flow/graph.h"
#include "reach/propose_internal.h"

enum { SAMPLES = 2, WORKLOADS_MAX = 5000, NOBODY = UINT32_MAX };

/* A pod or an address that takes part in the proof, with the policies that select it. */
struct actor {
	struct hf_netpol_end end;
	uint32_t workload; /* NOBODY: an address */
	const struct hf_netpol **policies;
	size_t policies_n;
};

struct prover {
	struct proposer *p;
	HF_VEC(struct actor) actors;
	const struct need **by_server, **by_client; /* needs in the order of these ends */
	size_t *server_at, *client_at;              /* where each workload's begin; one more at the end */
	const struct hf_netpol **both;
};

static bool holds(const struct need *n, const struct hf_address *a)
{
	if (!hf_cidr_holds(&n->block, a))
		return false;
	for (size_t i = 0; n->public_alone && i < propose_private_n; i++)
		if (hf_cidr_holds(&propose_private[i], a))
			return false;
	return true;
}

static bool is_name_server(const struct hf_reach_workload *w)
{
	hf_sv value;

	return hf_sv_eq(w->namespace, HF_SV("kube-system")) && w->pods.n &&
	       hf_label_value(w->pods.at[0]->labels, w->pods.at[0]->labels_n, HF_SV("k8s-app"), &value) &&
	       hf_sv_eq(value, HF_SV("kube-dns"));
}

static bool fits(const struct need *n, bool server_side, const struct actor *peer)
{
	enum need_peer kind = server_side ? n->client_kind : n->server_kind;

	if (kind == NEED_ANY_POD)
		return peer->workload != NOBODY;
	if (kind == NEED_BLOCK)
		return peer->workload == NOBODY && holds(n, &peer->end.address);
	return peer->workload == (server_side ? n->client : n->server);
}

/* What the needs say of one side: open where nobody closes it. */
static bool wanted_side(const struct prover *v, bool server_side, const struct actor *self, const struct actor *peer,
			uint8_t protocol, uint16_t port)
{
	const struct need **list = server_side ? v->by_server : v->by_client;
	const size_t *at = server_side ? v->server_at : v->client_at;

	if (self->workload == NOBODY || !v->p->covered[self->workload])
		return true;
	for (size_t i = at[self->workload]; i < at[self->workload + 1]; i++)
		if (list[i]->protocol == protocol && list[i]->first <= port && port <= list[i]->last &&
		    fits(list[i], server_side, peer))
			return true;
	return !server_side && port == 53 && protocol != HF_FLOW_SCTP && peer->workload != NOBODY &&
	       is_name_server(&v->p->r->workloads.at[peer->workload]);
}

static void index_needs(struct prover *v, bool server_side)
{
	struct proposer *p = v->p;
	size_t n = p->r->workloads.n, *at = hf_arena_array(p->a, size_t, n + 2);
	const struct need **list = hf_arena_array(p->a, const struct need *, p->needs.n);

	if (!at || !list)
		return;
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < p->needs.n; i++) {
			const struct need *need = &p->needs.at[i];
			if ((server_side ? need->server_kind : need->client_kind) != NEED_WORKLOAD)
				continue;
			uint32_t w = server_side ? need->server : need->client;
			if (pass)
				list[at[w + 1]++] = need;
			else
				at[w + 2]++;
		}
		for (size_t w = 2; !pass && w < n + 2; w++)
			at[w] += at[w - 1];
	}
	if (server_side) {
		v->by_server = list;
		v->server_at = at;
	} else {
		v->by_client = list;
		v->client_at = at;
	}
}

static void add_actor(struct prover *v, struct actor new)
{
	struct proposer *p = v->p;
	struct actor *slot = hf_vec_push(p->a, &v->actors);
	size_t n = 0;

	if (!slot)
		return;
	for (size_t i = 0; i < p->policies_n; i++)
		n += hf_netpol_selects(&p->policies[i], &new.end);
	new.policies = hf_arena_array(p->a, const struct hf_netpol *, n);
	for (size_t i = 0; new.policies &&i < p->policies_n; i++)
		if (hf_netpol_selects(&p->policies[i], &new.end))
			new.policies[new.policies_n++] = &p->policies[i];
	*slot = new;
}

static void add_pods(struct prover *v)
{
	const struct hf_reach *r = v->p->r;

	for (size_t i = 0; i < r->workloads.n; i++) {
		const struct hf_reach_workload *w = &r->workloads.at[i];
		const struct hf_reach_namespace *n = &r->namespaces.at[w->namespace_index];
		/* Two at least: a pod and its neighbour. */
		for (size_t k = 0; k < SAMPLES && w->pods.n; k++) {
			const struct hf_kube_pod *pod = w->pods.at[k < w->pods.n ? k : 0];
			add_actor(v, (struct actor){ .workload = (uint32_t)i,
						     .end = { .pod = true,
							      .namespace = w->namespace,
							      .labels = pod->labels,
							      .labels_n = pod->labels_n,
							      .namespace_labels = n->labels,
							      .namespace_labels_n = n->labels_n } });
		}
	}
}

static int by_address(const void *a, const void *b)
{
	return hf_address_cmp(a, b);
}

/* Both rims of each block, and what is beside them. */
static void add_addresses(struct prover *v)
{
	HF_VEC(struct hf_address) list = { 0 };
	struct proposer *p = v->p;
	static const uint8_t always[][4] = { { 10, 1, 2, 3 }, { 192, 0, 2, 1 }, { 8, 8, 8, 8 } };

	for (size_t i = 0; i < HF_ARRAY_SIZE(always); i++) {
		struct hf_address *slot = hf_vec_push(p->a, &list);
		if (slot)
			*slot = (struct hf_address){ 4, { always[i][0], always[i][1], always[i][2], always[i][3] } };
	}
	for (size_t i = 0; i < p->needs.n; i++)
		for (unsigned k = 0;
		     (p->needs.at[i].client_kind == NEED_BLOCK || p->needs.at[i].server_kind == NEED_BLOCK) && k < 3;
		     k++) {
			struct hf_address a = p->needs.at[i].block.address, *slot = hf_vec_push(p->a, &list);
			a.bytes[3] = (uint8_t)(a.bytes[3] +
					       (k == 2 ? 255 : k)); /* the address, the next one, the one before */
			if (slot)
				*slot = a;
		}
	if (!list.at)
		return;
	qsort(list.at, list.n, sizeof *list.at, by_address);
	for (size_t i = 0; i < list.n; i++)
		if (!i || hf_address_cmp(&list.at[i], &list.at[i - 1]))
			add_actor(v, (struct actor){ .workload = NOBODY, .end = { .address = list.at[i] } });
}

static bool one(struct prover *v, const struct actor *c, const struct actor *s, uint8_t protocol, uint16_t port,
		hf_sv *ret_what)
{
	size_t n = 0;

	for (size_t i = 0; i < c->policies_n; i++)
		v->both[n++] = c->policies[i];
	for (size_t i = 0; i < s->policies_n; i++)
		v->both[n++] = s->policies[i];
	bool wanted = wanted_side(v, false, c, s, protocol, port) && wanted_side(v, true, s, c, protocol, port);
	bool open = hf_netpol_evaluate(v->both, n, &c->end, &s->end, protocol, port).allowed;
	v->p->tried++;
	if (wanted == open)
		return true;
	*ret_what = hf_arena_fmt(v->p->a, "port %u of protocol %u would be %s", port, protocol,
				 open ? "open without need" : "closed in spite of a need");
	return false;
}

/* At the ports that anybody needs of the server or the client needs at all, at the next ones, and at one that nobody needs. */
static bool pair(struct prover *v, const struct actor *c, const struct actor *s, hf_sv *ret_what)
{
	for (unsigned end = 0; end < 2; end++) {
		const struct actor *self = end ? c : s;
		const struct need **list = end ? v->by_client : v->by_server;
		const size_t *at = end ? v->client_at : v->server_at;
		if (self->workload == NOBODY)
			continue;
		for (size_t i = at[self->workload]; i < at[self->workload + 1]; i++) {
			const struct need *n = list[i];
			if (!one(v, c, s, n->protocol, n->first, ret_what) ||
			    (n->last != n->first && !one(v, c, s, n->protocol, n->last, ret_what)) ||
			    (n->last < UINT16_MAX && !one(v, c, s, n->protocol, (uint16_t)(n->last + 1), ret_what)))
				return false;
		}
	}
	return one(v, c, s, HF_FLOW_UDP, 53, ret_what) && one(v, c, s, HF_FLOW_TCP, 1, ret_what) &&
	       one(v, c, s, HF_FLOW_SCTP, 7, ret_what);
}

bool propose_can_prove(const struct proposer *p)
{
	return p->r->workloads.n <= WORKLOADS_MAX;
}

bool propose_prove(struct proposer *p, uint32_t *ret_client, uint32_t *ret_server, hf_sv *ret_what)
{
	struct prover v = { .p = p };

	index_needs(&v, true);
	index_needs(&v, false);
	add_pods(&v);
	add_addresses(&v);
	v.both = hf_arena_array(p->a, const struct hf_netpol *, 2 * p->policies_n + 1);
	for (size_t i = 0; !p->a->over && i < v.actors.n; i++)
		for (size_t k = 0; k < v.actors.n; k++) {
			const struct actor *c = &v.actors.at[i], *s = &v.actors.at[k];
			if (c == s || (c->workload == NOBODY && s->workload == NOBODY) || pair(&v, c, s, ret_what))
				continue;
			*ret_client = c->workload;
			*ret_server = s->workload;
			return false;
		}
	return true;
}
