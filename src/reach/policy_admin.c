#include "reach/policy_internal.h"

#include "format/value.h"

/* What the kinds differ in. */
struct dialect {
	bool cluster; /* ClusterNetworkPolicy */
	bool baseline;
};

static void broken(struct policy_decoder *d, const struct hf_value *v, const char *why)
{
	hf_reach_note(d->notes, d->object, v, true, "%s", why);
}

/* { namespaceSelector, podSelector }: both are there, or count as empty. */
static void namespaced_pods(struct policy_decoder *d, const struct hf_value *v,
			    const struct hf_label_selector **ret_namespaces, const struct hf_label_selector **ret_pods)
{
	*ret_namespaces = policy_selector(d, hf_value_get(v, HF_SV("namespaceSelector")));
	*ret_pods = policy_selector(d, hf_value_get(v, HF_SV("podSelector")));
}

static void subject(struct policy_decoder *d, struct hf_reach_policy *p)
{
	const struct hf_value *s = hf_value_get(d->object->spec, HF_SV("subject"));
	const struct hf_value *namespaces = hf_value_get(s, HF_SV("namespaces")),
			      *pods = hf_value_get(s, HF_SV("pods"));

	if (!namespaces == !pods) {
		broken(d, s, "the subject is not either namespaces or pods: the policy selects nothing");
		p->selects_nothing = true;
	} else if (namespaces) {
		p->namespaces = policy_selector(d, namespaces);
	} else {
		namespaced_pods(d, pods, &p->namespaces, &p->pods);
	}
}

static void add_networks(struct policy_decoder *d, const struct hf_value *list, struct hf_reach_rule *r,
			 struct hf_reach_peer *slots)
{
	hf_value_elements(list, e)
	{
		r->peers_n += policy_block(d, e, NULL, &slots[r->peers_n]);
	}
}

static void add_peer(struct policy_decoder *d, const struct hf_value *v, struct hf_reach_rule *r,
		     struct hf_reach_peer *slots)
{
	const struct hf_value *namespaces = hf_value_get(v, HF_SV("namespaces")),
			      *pods = hf_value_get(v, HF_SV("pods")), *networks = hf_value_get(v, HF_SV("networks"));
	size_t known = (namespaces != NULL) + (pods != NULL) + (networks != NULL);

	if (known > 1) {
		broken(d, v, "a peer of more than one sort: it matches nothing");
	} else if (networks) {
		add_networks(d, networks, r, slots);
	} else if (namespaces) {
		slots[r->peers_n++].namespaces = policy_selector(d, namespaces);
	} else if (pods) {
		struct hf_reach_peer *p = &slots[r->peers_n++];
		namespaced_pods(d, pods, &p->namespaces, &p->pods);
	} else {
		broken(d, v,
		       hf_value_get(v, HF_SV("nodes")) ? "peers by node are not looked at: this one matches nothing"
		       : hf_value_get(v, HF_SV("domainNames"))
			       ? "peers by domain name are not looked at: this one matches nothing"
			       : "a peer of no known sort: it matches nothing");
	}
}

static void add_range(struct policy_decoder *d, struct hf_reach_rule *r, enum hf_conn_protocol protocol,
		      const struct hf_value *first, const struct hf_value *last)
{
	uint16_t from, to;

	if (!policy_port(d, first, &from) || !policy_port(d, last, &to))
		return;
	if (to < from)
		broken(d, last, "a range of ports that ends before it begins: it matches nothing");
	r->ports = hf_conns_union(d->pool, r->ports, hf_conns_ports(d->pool, protocol, from, to));
}

/* v1alpha1: { portNumber: { protocol, port } | portRange: { protocol, start, end } | namedPort } */
static void add_port(struct policy_decoder *d, const struct hf_value *v, struct hf_reach_rule *r,
		     struct hf_reach_port_name *names)
{
	const struct hf_value *number = hf_value_get(v, HF_SV("portNumber")),
			      *range = hf_value_get(v, HF_SV("portRange")), *name = hf_value_get(v, HF_SV("namedPort"));
	enum hf_conn_protocol protocol;

	if ((number != NULL) + (range != NULL) + (name != NULL) != 1) {
		broken(d, v, "not one of portNumber, portRange and namedPort: this port matches nothing");
	} else if (name) {
		names[r->names_n++] = (struct hf_reach_port_name){ hf_value_text(name), HF_CONN_TCP, true };
	} else if (policy_protocol(d, hf_value_get(number ? number : range, HF_SV("protocol")), &protocol)) {
		const struct hf_value *port = hf_value_get(number, HF_SV("port"));
		add_range(d, r, protocol, number ? port : hf_value_get(range, HF_SV("start")),
			  number ? port : hf_value_get(range, HF_SV("end")));
	}
}

/* v1alpha2: { tcp|udp|sctp: { destinationPort: { number | range: { start, end } } } | destinationNamedPort } */
static void add_protocol(struct policy_decoder *d, const struct hf_value *v, struct hf_reach_rule *r,
			 struct hf_reach_port_name *names)
{
	static const char *const keys[HF_CONN_PROTOCOLS] = { "sctp", "tcp", "udp" };
	const struct hf_value *name = hf_value_get(v, HF_SV("destinationNamedPort"));
	size_t known = 0;

	if (name)
		names[r->names_n++] = (struct hf_reach_port_name){ hf_value_text(name), HF_CONN_TCP, true };
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++) {
		const struct hf_value *of = hf_value_get(v, hf_sv_of(keys[p]));
		const struct hf_value *port = hf_value_get(of, HF_SV("destinationPort")),
				      *number = hf_value_get(port, HF_SV("number")),
				      *range = hf_value_get(port, HF_SV("range"));
		if (!of)
			continue;
		known++;
		if (!port)
			r->ports = hf_conns_union(d->pool, r->ports,
						  hf_conns_ports(d->pool, (enum hf_conn_protocol)p, 0, 0));
		else
			add_range(d, r, (enum hf_conn_protocol)p, number ? number : hf_value_get(range, HF_SV("start")),
				  number ? number : hf_value_get(range, HF_SV("end")));
	}
	if (!known && !name)
		broken(d, v, "a protocol that is not known: it matches nothing");
}

static bool action_of(struct policy_decoder *d, const struct dialect *k, const struct hf_value *rule,
		      enum hf_reach_action *ret)
{
	const struct hf_value *v = hf_value_get(rule, HF_SV("action"));
	hf_sv word = hf_value_text(v);

	if (hf_sv_eq(word, k->cluster ? HF_SV("Accept") : HF_SV("Allow")))
		*ret = HF_REACH_ALLOW;
	else if (hf_sv_eq(word, HF_SV("Deny")))
		*ret = HF_REACH_DENY;
	else if (hf_sv_eq(word, HF_SV("Pass")) && (k->cluster || !k->baseline))
		*ret = HF_REACH_PASS;
	else {
		broken(d, v ? v : rule, "a rule without an action that its kind knows: it is passed over");
		return false;
	}
	return true;
}

static size_t peers_max(const struct hf_value *peers)
{
	size_t n = 0;

	hf_value_elements(peers, e) n += 1 + hf_value_count(hf_value_get(e, HF_SV("networks")), HF_VALUE_ARRAY);
	return n;
}

static void add_rules(struct policy_decoder *d, const struct dialect *k, struct hf_reach_policy *p,
		      enum hf_reach_side side)
{
	const struct hf_value *list =
		hf_value_get(d->object->spec, side == HF_REACH_INGRESS ? HF_SV("ingress") : HF_SV("egress"));
	struct hf_reach_rule *rules = hf_arena_array(d->a, struct hf_reach_rule, hf_value_count(list, HF_VALUE_ARRAY));

	p->rules[side] = rules;
	p->sides[side] = hf_value_count(list, HF_VALUE_ARRAY) > 0;
	hf_value_elements(rules ? list : NULL, e)
	{
		struct hf_reach_rule *r = &rules[p->rules_n[side]];
		const struct hf_value *peers = hf_value_get(e, side == HF_REACH_INGRESS ? HF_SV("from") : HF_SV("to"));
		const struct hf_value *ports = hf_value_get(e, k->cluster ? HF_SV("protocols") : HF_SV("ports"));
		struct hf_reach_peer *slots = hf_arena_array(d->a, struct hf_reach_peer, peers_max(peers));
		struct hf_reach_port_name *names =
			hf_arena_array(d->a, struct hf_reach_port_name, hf_value_count(ports, HF_VALUE_ARRAY));
		if (!slots || !names)
			return;
		*r = (struct hf_reach_rule){ .value = e,
					     .peers = slots,
					     .names = names,
					     .name = hf_value_get_text(e, HF_SV("name")),
					     .ports = hf_value_count(ports, HF_VALUE_ARRAY) ? HF_CONNS_NONE
											    : HF_CONNS_ALL };
		if (!action_of(d, k, e, &r->action))
			continue;
		if (!hf_value_count(peers, HF_VALUE_ARRAY))
			broken(d, e, "a rule without peers: it matches nothing");
		hf_value_elements(peers, peer) add_peer(d, peer, r, slots);
		hf_value_elements(ports, port) if (k->cluster) add_protocol(d, port, r, names);
		else add_port(d, port, r, names);
		p->rules_n[side]++;
	}
}

void policy_add_admin(struct policy_decoder *d, const struct hf_kube_object *o)
{
	struct hf_reach_policy *p = hf_vec_push(d->a, &d->policies);
	struct dialect k = { .cluster = o->kind == HF_KUBE_CLUSTER_NETWORK_POLICY,
			     .baseline = o->kind == HF_KUBE_BASELINE_ADMIN_NETWORK_POLICY };
	const struct hf_value *priority = hf_value_get(o->spec, HF_SV("priority"));

	if (!p)
		return;
	d->object = o;
	if (k.cluster) {
		hf_sv tier = hf_value_get_text(o->spec, HF_SV("tier"));
		k.baseline = hf_sv_eq(tier, HF_SV("Baseline"));
		if (!k.baseline && !hf_sv_eq(tier, HF_SV("Admin")))
			broken(d, hf_value_get(o->spec, HF_SV("tier")),
			       "a tier that is neither Admin nor Baseline: it counts as Admin");
	}
	*p = (struct hf_reach_policy){ .layer = k.baseline ? HF_REACH_BASELINE : HF_REACH_ADMIN, .object = o };
	if ((k.cluster || !k.baseline) &&
	    (!hf_value_int(priority, &p->priority) || p->priority < 0 || p->priority > 1000))
		broken(d, priority, "no priority from 0 to 1000");
	if (!k.cluster && k.baseline && !hf_sv_eq(o->name, HF_SV("default")))
		broken(d, NULL, "a BaselineAdminNetworkPolicy is called default: this one selects nothing");
	subject(d, p);
	p->selects_nothing |= !k.cluster && k.baseline && !hf_sv_eq(o->name, HF_SV("default"));
	add_rules(d, &k, p, HF_REACH_INGRESS);
	add_rules(d, &k, p, HF_REACH_EGRESS);
}
