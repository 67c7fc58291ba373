#include "reach/propose.h"

#include <stdlib.h>

#include "base/limits.h"
#include "flow/netpol_generate.h"
#include "kube/selector.h"
#include "reach/propose_internal.h"

enum { ROUNDS_MAX = 200, SELECTOR_LABELS_MAX = 64, NOBODY = UINT32_MAX, YAML_MAX = 256 << 20 };

/* Labels that differ from pod to pod, or from one version of a workload to the next. */
static bool is_volatile(hf_sv key)
{
	static const char *const keys[] = { "pod-template-hash",
					    "controller-revision-hash",
					    "pod-template-generation",
					    "statefulset.kubernetes.io/pod-name",
					    "apps.kubernetes.io/pod-index",
					    "controller-uid",
					    "job-name",
					    "batch.kubernetes.io/job-name",
					    "batch.kubernetes.io/controller-uid" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (hf_sv_eq(key, hf_sv_of(keys[i])))
			return true;
	return false;
}

/* The labels that the workload selects its pods by; else those that all its pods share. Fewer select no less, and the proof knows. */
static struct hf_label_selector pods_of(struct proposer *p, const struct hf_reach_workload *w)
{
	const struct hf_value *written = hf_value_at(w->object->spec, "selector.matchLabels");
	struct hf_label_selector s = { 0 };
	size_t n;
	const hf_sv *labels = hf_kube_string_map(written, p->a, &n);

	if (!n && w->pods.n) {
		labels = w->pods.at[0]->labels;
		n = w->pods.at[0]->labels_n;
	}
	hf_sv *pairs = hf_arena_array(p->a, hf_sv, 2 * n);
	for (size_t i = 0; pairs && i < n && s.labels_n < SELECTOR_LABELS_MAX; i++) {
		bool shared = !is_volatile(labels[2 * i]);
		for (size_t k = 0; k < w->pods.n; k++) {
			hf_sv value;
			shared &=
				hf_label_value(w->pods.at[k]->labels, w->pods.at[k]->labels_n, labels[2 * i], &value) &&
				hf_sv_eq(value, labels[2 * i + 1]);
		}
		if (!shared)
			continue;
		pairs[2 * s.labels_n] = labels[2 * i];
		pairs[2 * s.labels_n++ + 1] = labels[2 * i + 1];
	}
	s.labels = pairs;
	return s;
}

static const struct hf_label_selector *kept(struct proposer *p, struct hf_label_selector s)
{
	struct hf_label_selector *copy = hf_arena_new(p->a, struct hf_label_selector);

	if (copy)
		*copy = s;
	return copy;
}

static struct hf_netpol_peer peer_of(struct proposer *p, hf_sv namespace, const struct need *n, enum need_peer kind,
				     uint32_t workload)
{
	struct hf_netpol_peer peer = { 0 };

	if (kind == NEED_BLOCK) {
		peer.block = n->block;
		peer.except = n->public_alone ? propose_private : NULL;
		peer.except_n = n->public_alone ? propose_private_n : 0;
	} else if (kind == NEED_ANY_POD) {
		peer.namespaces = kept(p, (struct hf_label_selector){ 0 });
	} else {
		const struct hf_reach_workload *w = &p->r->workloads.at[workload];
		peer.pods = &p->selectors[workload];
		if (!hf_sv_eq(w->namespace, namespace))
			peer.namespaces = hf_netpol_namespace(p->a, w->namespace);
	}
	return peer;
}

static int compare_needs(const struct need *x, const struct need *y)
{
	const uint32_t a[] = { x->server_kind, x->server, x->client_kind, x->client },
		       b[] = { y->server_kind, y->server, y->client_kind, y->client };

	for (size_t i = 0; i < HF_ARRAY_SIZE(a); i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	int block = hf_address_cmp(&x->block.address, &y->block.address);
	if (block || x->block.bits != y->block.bits || x->public_alone != y->public_alone)
		return block                            ? block
		       : x->block.bits != y->block.bits ? x->block.bits - y->block.bits
							: x->public_alone - y->public_alone;
	return 0;
}

static int by_need(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	int peers = compare_needs(x, y);

	return peers                        ? peers
	       : x->protocol != y->protocol ? x->protocol - y->protocol
	       : x->first != y->first       ? x->first - y->first
					    : x->last - y->last;
}

static void unique_needs(struct proposer *p)
{
	size_t n = 0;

	if (p->needs.n)
		qsort(p->needs.at, p->needs.n, sizeof *p->needs.at, by_need);
	for (size_t i = 0; i < p->needs.n; i++)
		if (!i || by_need(&p->needs.at[i], &p->needs.at[n - 1]))
			p->needs.at[n++] = p->needs.at[i];
	p->needs.n = n;
}

struct rules {
	HF_VEC(struct hf_netpol_rule) list;
};

/* Needs of one workload's side that have the same peer are one rule; they stand together. */
static void add_rules(struct proposer *p, struct rules *rules, hf_sv namespace, uint32_t workload, bool server_side)
{
	const struct need *last = NULL;
	HF_VEC(struct hf_netpol_port) ports = { 0 };

	for (size_t i = 0; i < p->needs.n; i++) {
		const struct need *n = &p->needs.at[i];
		if ((server_side ? n->server_kind : n->client_kind) != NEED_WORKLOAD ||
		    (server_side ? n->server : n->client) != workload)
			continue;
		if (!last || compare_needs(last, n)) {
			struct hf_netpol_peer *peer = hf_arena_new(p->a, struct hf_netpol_peer);
			struct hf_netpol_rule *r = hf_vec_push(p->a, &rules->list);
			if (!peer || !r)
				return;
			*peer = server_side ? peer_of(p, namespace, n, n->client_kind, n->client)
					    : peer_of(p, namespace, n, n->server_kind, n->server);
			*r = (struct hf_netpol_rule){ .peers = peer, .peers_n = 1, .comment = n->why };
			memset(&ports, 0, sizeof ports);
		}
		last = n;
		struct hf_netpol_port *port = hf_vec_push(p->a, &ports);
		if (!port)
			return;
		*port = (struct hf_netpol_port){ .protocol = n->protocol, .first = n->first, .last = n->last };
		rules->list.at[rules->list.n - 1].ports = ports.at;
		rules->list.at[rules->list.n - 1].ports_n = ports.n;
	}
}

static void add_name_servers(struct proposer *p, struct rules *rules)
{
	struct hf_netpol_peer *peer = hf_arena_new(p->a, struct hf_netpol_peer);
	struct hf_netpol_port *ports = hf_arena_array(p->a, struct hf_netpol_port, 2);
	hf_sv *pair = hf_arena_array(p->a, hf_sv, 2);
	struct hf_netpol_rule *r = hf_vec_push(p->a, &rules->list);

	if (!peer || !ports || !pair || !r)
		return;
	pair[0] = HF_SV("k8s-app");
	pair[1] = HF_SV("kube-dns");
	peer->pods = kept(p, (struct hf_label_selector){ .labels = pair, .labels_n = 1 });
	peer->namespaces = hf_netpol_namespace(p->a, HF_SV("kube-system"));
	ports[0] = (struct hf_netpol_port){ .protocol = HF_FLOW_UDP, .first = 53, .last = 53 };
	ports[1] = (struct hf_netpol_port){ .protocol = HF_FLOW_TCP, .first = 53, .last = 53 };
	*r = (struct hf_netpol_rule){
		.peers = peer, .peers_n = 1, .ports = ports, .ports_n = 2, .comment = HF_SV("name servers")
	};
}

/* RFC 1123: lower case, digits, '-' and '.'. */
static hf_sv object_name(struct proposer *p, const struct hf_reach_workload *w)
{
	hf_sv name = hf_arena_fmt(p->a, "holdfast-%.*s-%.*s", HF_SV_FMT(hf_sv_first(w->kind, 40)),
				  HF_SV_FMT(hf_sv_first(w->short_name, 200)));
	char *bytes = (char *)(uintptr_t)name.ptr;

	for (size_t i = 0; i < name.len; i++) {
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] = (char)(bytes[i] + 32);
		else if (!(bytes[i] >= 'a' && bytes[i] <= 'z') && !(bytes[i] >= '0' && bytes[i] <= '9') &&
			 bytes[i] != '.')
			bytes[i] = '-';
	}
	while (name.len && (bytes[name.len - 1] == '-' || bytes[name.len - 1] == '.'))
		name.len--;
	return name;
}

static void make_policies(struct proposer *p)
{
	const struct hf_reach *r = p->r;

	p->policies_n = 0;
	p->policies = hf_arena_array(p->a, struct hf_netpol, r->workloads.n);
	p->workload_of = hf_arena_array(p->a, uint32_t, r->workloads.n);
	for (uint32_t i = 0; p->policies && p->workload_of && i < r->workloads.n; i++) {
		const struct hf_reach_workload *w = &r->workloads.at[i];
		struct rules in = { 0 }, out = { 0 };
		if (!p->covered[i])
			continue;
		add_rules(p, &in, w->namespace, i, true);
		add_rules(p, &out, w->namespace, i, false);
		add_name_servers(p, &out);
		p->workload_of[p->policies_n] = i;
		p->policies[p->policies_n++] = (struct hf_netpol){
			.namespace = w->namespace,
			.name = object_name(p, w),
			.pods = p->selectors[i],
			.has_ingress = true,
			.has_egress = true,
			.ingress = in.list.at,
			.ingress_n = in.list.n,
			.egress = out.list.at,
			.egress_n = out.list.n,
		};
	}
}

static void choose(struct proposer *p)
{
	for (size_t i = 0; i < p->r->workloads.n; i++) {
		const struct hf_reach_workload *w = &p->r->workloads.at[i];
		p->selectors[i] = pods_of(p, w);
		const char *why =
			hf_sv_eq(w->namespace, HF_SV("kube-system")) ? "what the cluster itself runs on is left alone"
			: w->host_network
				? "policies do not apply on the host's network; to those of others it comes from a node"
			: !p->selectors[i].labels_n ? "its pods share no labels that last"
						    : NULL;
		p->covered[i] = !why;
		if (why)
			propose_note(p, "%.*s: no policy: %s", HF_SV_FMT(w->name), why);
	}
}

static bool selects_pods(const struct hf_label_selector *s, const struct hf_reach_workload *v)
{
	for (size_t i = 0; s->labels_n && i < v->pods.n; i++)
		if (hf_label_selector_matches(s, v->pods.at[i]->labels, v->pods.at[i]->labels_n))
			return true;
	return false;
}

/* Workloads that their labels do not tell apart need what any of them needs: policies cannot tell them apart either. */
static void find_twins(struct proposer *p, uint32_t *class_of)
{
	const struct hf_reach *r = p->r;

	for (uint32_t i = 0; i < r->workloads.n; i++)
		class_of[i] = i;
	for (size_t n = 0; n < r->namespaces.n; n++)
		for (size_t i = 0; i < r->namespaces.at[n].workloads.n; i++)
			for (size_t k = 0; k < r->namespaces.at[n].workloads.n; k++) {
				uint32_t a = r->namespaces.at[n].workloads.at[i],
					 b = r->namespaces.at[n].workloads.at[k];
				if (class_of[a] == class_of[b] || !selects_pods(&p->selectors[a], &r->workloads.at[b]))
					continue;
				propose_note(p,
					     "%.*s and %.*s: their labels do not tell them apart, so each may do what "
					     "the other needs",
					     HF_SV_FMT(r->workloads.at[a].name), HF_SV_FMT(r->workloads.at[b].name));
				uint32_t from = class_of[b];
				for (size_t m = 0; m < r->namespaces.at[n].workloads.n; m++)
					if (class_of[r->namespaces.at[n].workloads.at[m]] == from)
						class_of[r->namespaces.at[n].workloads.at[m]] = class_of[a];
			}
}

/* A need of one is a need of all of its class; a policy that cannot be for one of them is for none. */
static void share_needs(struct proposer *p, const uint32_t *class_of)
{
	const struct hf_reach *r = p->r;
	size_t n = p->needs.n;

	for (uint32_t i = 0; i < r->workloads.n; i++) {
		const struct hf_reach_namespace *of = &r->namespaces.at[r->workloads.at[i].namespace_index];
		for (size_t k = 0; k < of->workloads.n; k++)
			if (class_of[of->workloads.at[k]] == class_of[i] && !p->covered[of->workloads.at[k]])
				p->covered[i] = false;
	}
	for (size_t i = 0; i < n; i++)
		for (uint32_t c = 0; p->needs.at[i].client_kind == NEED_WORKLOAD && c < r->workloads.n; c++) {
			struct need copy = p->needs.at[i];
			if (c == copy.client || class_of[c] != class_of[copy.client])
				continue;
			copy.client = c;
			propose_add(p, copy);
		}
	n = p->needs.n;
	for (size_t i = 0; i < n; i++)
		for (uint32_t c = 0; p->needs.at[i].server_kind == NEED_WORKLOAD && c < r->workloads.n; c++) {
			struct need copy = p->needs.at[i];
			if (c == copy.server || class_of[c] != class_of[copy.server])
				continue;
			copy.server = c;
			propose_add(p, copy);
		}
}

/* Those that two ends' policies are selected by can be others' too: out goes every policy that selects a pod of either. */
static void drop(struct proposer *p, uint32_t workload, hf_sv why)
{
	const struct hf_reach_workload *w = workload == NOBODY ? NULL : &p->r->workloads.at[workload];

	for (size_t i = 0; w && i < p->policies_n; i++) {
		bool selects = false;
		for (size_t k = 0; k < w->pods.n; k++)
			selects |= hf_sv_eq(p->policies[i].namespace, w->namespace) &&
				   hf_label_selector_matches(&p->policies[i].pods, w->pods.at[k]->labels,
							     w->pods.at[k]->labels_n);
		if (!selects || !p->covered[p->workload_of[i]])
			continue;
		p->covered[p->workload_of[i]] = false;
		propose_note(p, "%.*s: no policy: it could not be proved (%.*s): workloads may share their labels",
			     HF_SV_FMT(p->r->workloads.at[p->workload_of[i]].name), HF_SV_FMT(why));
	}
}

static int prove(struct proposer *p, struct hf_err *err)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		uint32_t client = NOBODY, server = NOBODY;
		hf_sv what = { 0 };
		make_policies(p);
		p->tried = 0;
		if (p->a->over)
			return hf_fail(err, HF_E_LIMIT, "the policies take too much memory");
		if (!p->policies_n)
			return hf_fail(err, HF_E_UNSUPPORTED, "no policy could be made for any of the %zu workloads",
				       p->r->workloads.n);
		if (propose_prove(p, &client, &server, &what))
			return p->a->over ? hf_fail(err, HF_E_LIMIT, "the proof takes too much memory") : HF_OK;
		drop(p, client, what);
		drop(p, server, what);
	}
	return hf_fail(err, HF_E_CONFLICT, "no proof after %d rounds: too many workloads share their labels",
		       ROUNDS_MAX);
}

int hf_reach_propose(struct hf_reach *r, const struct hf_value *flows, struct hf_reach_proposal *ret,
		     struct hf_err *err)
{
	struct proposer p = { .r = r, .a = r->arena, .covered = hf_arena_array(r->arena, bool, r->workloads.n) };
	int status = HF_OK;

	p.selectors = hf_arena_array(r->arena, struct hf_label_selector, r->workloads.n);
	if (!p.covered || !p.selectors || !propose_can_prove(&p))
		return hf_fail(err, HF_E_LIMIT,
			       "%zu workloads are too many for a proof of all pairs: one namespace at a time",
			       r->workloads.n);
	if (flows)
		status = propose_needs_of_flows(&p, flows, err);
	else
		propose_needs_of_manifests(&p);
	if (status < 0)
		return status;
	choose(&p);
	if (!flows)
		propose_tell_accounts(&p);
	uint32_t *class_of = hf_arena_array(p.a, uint32_t, r->workloads.n);
	if (class_of) {
		find_twins(&p, class_of);
		share_needs(&p, class_of);
	}
	unique_needs(&p);
	status = prove(&p, err);
	if (status < 0)
		return status;
	*ret = (struct hf_reach_proposal){ p.policies, p.policies_n, p.needs.n,    p.tried,
					   p.notes.at, p.notes.n,    flows != NULL };
	return HF_OK;
}

void hf_reach_write_proposal(const struct hf_reach_proposal *s, struct hf_out *out)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(YAML_MAX);
	char line[600];

	hf_out_addf(out,
		    "# Made by `holdfast kube netpol` from %s: %zu %s %zu %s and close%s the rest.\n"
		    "# Proved: %llu connections were tried against these policies; every need stays open, nothing else "
		    "is.\n"
		    "# Policies add up: what others allow to the same pods stays open too.\n",
		    s->from_flows ? "recorded flows" : "manifests", s->n, s->n == 1 ? "policy keeps" : "policies keep",
		    s->needs, s->needs == 1 ? "need" : "needs", s->n == 1 ? "s" : "", (unsigned long long)s->tried);
	for (size_t i = 0; i < s->notes_n; i++) {
		hf_escape_controls(line, sizeof line, s->notes[i]);
		hf_out_addf(out, "# %s\n", line);
	}
	hf_netpol_write_policies(&text, s->policies, s->n);
	hf_out_add(out, hf_buf_view(&text));
}
