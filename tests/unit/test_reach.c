/* The model of reach against an evaluator that looks at one pod, one peer and one port at a time: on random small clusters both have to
 * say the same. The clusters are written as manifests for the model, and as plain structures for the evaluator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "flow/netpol.h"
#include "reach/conns.h"
#include "reach/reach.h"

enum { PODS = 7, POLICIES = 5, ADMIN = 3, RULES = 3, NAMESPACES = 3, CLUSTERS = 3000 };

/* A rule of an admin policy, and the policy. */
struct admin_rule {
	int action; /* 0 allow, 1 deny, 2 pass */
	struct hf_netpol_peer peers[2];
	size_t peers_n;
	struct hf_netpol_port ports[2];
	bool any_protocol[2];
	size_t ports_n;
};

struct admin {
	bool baseline;
	struct hf_label_selector namespaces, pods;
	struct admin_rule rules[2][RULES];
	size_t rules_n[2];
};

struct cluster {
	struct hf_arena a;
	struct hf_buf json;
	uint64_t state;
	bool more;
	struct hf_netpol_end pods[PODS];
	struct hf_netpol policies[POLICIES];
	size_t policies_n;
	struct admin admin[ADMIN + 1];
	size_t admin_n;
};

static const hf_sv keys[] = { HF_SV_INIT("app"), HF_SV_INIT("tier") };
static const hf_sv values[] = { HF_SV_INIT("a"), HF_SV_INIT("b"), HF_SV_INIT("c") };
static const hf_sv namespaces[NAMESPACES] = { HF_SV_INIT("ns0"), HF_SV_INIT("ns1"), HF_SV_INIT("ns2") };
static const hf_sv port_names[] = { HF_SV_INIT("http"), HF_SV_INIT("dns") };
static const uint16_t ports[] = { 1, 53, 79, 80, 81, 443, 8080, 65535 };
static const uint8_t protocols[] = { 6, 17, 132 };
static const char *const protocol_names[] = { "TCP", "UDP", "SCTP" };
static const char *const blocks[] = { "10.0.0.0/8", "10.1.0.0/16",  "10.1.2.0/24",
				      "0.0.0.0/0",  "192.0.2.7/32", "128.0.0.0/1" };
static const char *const addresses[] = { "0.0.0.0",   "9.255.255.255",   "10.0.0.0",   "10.0.255.255", "10.1.0.0",
					 "10.1.1.9",  "10.1.2.0",        "10.1.2.255", "10.1.3.0",     "10.2.0.0",
					 "11.0.0.0",  "127.255.255.255", "128.0.0.0",  "192.0.2.6",    "192.0.2.7",
					 "192.0.2.8", "255.255.255.255" };

static size_t walked;

static unsigned pick(struct cluster *c, unsigned n)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(c->state >> 33) % n;
}

static void add(struct cluster *c, const char *text)
{
	hf_buf_add(&c->json, hf_sv_of(text));
}

static void begin_list(struct cluster *c, const char *text)
{
	add(c, text);
	c->more = false;
}

static void next(struct cluster *c)
{
	if (c->more)
		add(c, ",");
	c->more = true;
}

/* { key: value, … } of none to all keys. */
static const hf_sv *labels(struct cluster *c, size_t *ret_n)
{
	hf_sv *pairs = hf_arena_array(&c->a, hf_sv, 2 * HF_ARRAY_SIZE(keys));

	*ret_n = 0;
	add(c, "{");
	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++) {
		if (!pick(c, 3))
			continue;
		pairs[2 * *ret_n] = keys[i];
		pairs[2 * *ret_n + 1] = values[pick(c, HF_ARRAY_SIZE(values))];
		hf_buf_addf(&c->json, "%s\"%s\":\"%s\"", *ret_n ? "," : "", keys[i].ptr, pairs[2 * *ret_n + 1].ptr);
		++*ret_n;
	}
	add(c, "}");
	return pairs;
}

static struct hf_label_selector selector(struct cluster *c)
{
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	struct hf_label_selector s = { 0 };
	unsigned kind = pick(c, 5);

	if (kind == 0) {
		add(c, "{}");
	} else if (kind < 3) {
		hf_sv *pair = hf_arena_array(&c->a, hf_sv, 2);
		pair[0] = keys[pick(c, HF_ARRAY_SIZE(keys))];
		pair[1] = values[pick(c, HF_ARRAY_SIZE(values))];
		s.labels = pair;
		s.labels_n = 1;
		hf_buf_addf(&c->json, "{\"matchLabels\":{\"%s\":\"%s\"}}", pair[0].ptr, pair[1].ptr);
	} else {
		struct hf_label_requirement *r = hf_arena_new(&c->a, struct hf_label_requirement);
		r->operator=(enum hf_label_operator) pick(c, 4);
		r->key = keys[pick(c, HF_ARRAY_SIZE(keys))];
		r->values = &values[pick(c, HF_ARRAY_SIZE(values) - 1)];
		r->values_n = r->operator<HF_LABEL_EXISTS ? 1 + pick(c, 2) : 0;
		s.requirements = r;
		s.requirements_n = 1;
		hf_buf_addf(&c->json, "{\"matchExpressions\":[{\"key\":\"%s\",\"operator\":\"%s\"", r->key.ptr,
			    operators[r->operator]);
		if (r->values_n)
			hf_buf_addf(&c->json, ",\"values\":[\"%s\"%s%s%s]", r->values[0].ptr,
				    r->values_n > 1 ? ",\"" : "", r->values_n > 1 ? r->values[1].ptr : "",
				    r->values_n > 1 ? "\"" : "");
		add(c, "}]}");
	}
	return s;
}

static const struct hf_label_selector *kept(struct cluster *c, struct hf_label_selector s)
{
	struct hf_label_selector *copy = hf_arena_new(&c->a, struct hf_label_selector);

	*copy = s;
	return copy;
}

/* Namespaces 0 and 1 are in the set, with labels. */
static void make_pods(struct cluster *c)
{
	const hf_sv *of[NAMESPACES] = { 0 };
	size_t n[NAMESPACES] = { 0 };

	for (size_t i = 0; i + 1 < NAMESPACES; i++) {
		next(c);
		hf_buf_addf(
			&c->json,
			"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns%zu\",\"labels\":",
			i);
		of[i] = labels(c, &n[i]);
		add(c, "}}");
	}
	for (size_t i = 0; i < PODS; i++) {
		size_t namespace = pick(c, NAMESPACES), named = pick(c, 3);
		struct hf_netpol_end *p = &c->pods[i];
		struct hf_netpol_named_port *list = hf_arena_array(&c->a, struct hf_netpol_named_port, 2);
		*p = (struct hf_netpol_end){ .pod = true,
					     .namespace = namespaces[namespace],
					     .namespace_labels = of[namespace],
					     .namespace_labels_n = n[namespace],
					     .ports = list };
		next(c);
		hf_buf_addf(&c->json,
			    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"pod%zu\",\"namespace\":"
			    "\"ns%zu\",\"labels\":",
			    i, namespace);
		p->labels = labels(c, &p->labels_n);
		add(c, "},\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[");
		for (; p->ports_n < named; p->ports_n++) {
			unsigned protocol = pick(c, 3);
			list[p->ports_n] = (struct hf_netpol_named_port){ port_names[p->ports_n], protocols[protocol],
									  ports[pick(c, HF_ARRAY_SIZE(ports))] };
			hf_buf_addf(&c->json, "%s{\"name\":\"%s\",\"protocol\":\"%s\",\"containerPort\":%u}",
				    p->ports_n ? "," : "", port_names[p->ports_n].ptr, protocol_names[protocol],
				    list[p->ports_n].port);
		}
		add(c, "]}]}}");
	}
}

static struct hf_cidr block(struct cluster *c)
{
	struct hf_cidr cidr;
	const char *text = blocks[pick(c, HF_ARRAY_SIZE(blocks))];

	assert_true(hf_cidr_of(hf_sv_of(text), &cidr));
	hf_buf_add_char(&c->json, '"');
	hf_buf_add(&c->json, hf_sv_of(text));
	hf_buf_add_char(&c->json, '"');
	return cidr;
}

static void make_peer(struct cluster *c, struct hf_netpol_peer *p)
{
	unsigned kind = pick(c, 4);

	*p = (struct hf_netpol_peer){ 0 };
	if (kind == 0) {
		struct hf_cidr *except = hf_arena_array(&c->a, struct hf_cidr, 2);
		add(c, "{\"ipBlock\":{\"cidr\":");
		p->block = block(c);
		add(c, ",\"except\":[");
		p->except = except;
		for (size_t n = pick(c, 3); p->except_n < n; p->except_n++) {
			add(c, p->except_n ? "," : "");
			except[p->except_n] = block(c);
		}
		add(c, "]}}");
		return;
	}
	add(c, "{");
	if (kind & 1) {
		add(c, "\"podSelector\":");
		p->pods = kept(c, selector(c));
	}
	if (kind & 2) {
		add(c, kind & 1 ? ",\"namespaceSelector\":" : "\"namespaceSelector\":");
		p->namespaces = kept(c, selector(c));
	}
	add(c, "}");
}

static void make_port(struct cluster *c, struct hf_netpol_port *p)
{
	unsigned protocol = pick(c, 3), kind = pick(c, 4);
	uint16_t first = ports[pick(c, HF_ARRAY_SIZE(ports))];

	*p = (struct hf_netpol_port){ .protocol = protocols[protocol] };
	hf_buf_addf(&c->json, "{\"protocol\":\"%s\"", protocol_names[protocol]);
	if (kind == 1) {
		p->name = port_names[pick(c, HF_ARRAY_SIZE(port_names))];
		hf_buf_addf(&c->json, ",\"port\":\"%s\"", p->name.ptr);
	} else if (kind > 1) {
		p->first = p->last = first;
		hf_buf_addf(&c->json, ",\"port\":%u", first);
		if (kind == 3 && first < 65000) {
			p->last = (uint16_t)(first + pick(c, 500));
			hf_buf_addf(&c->json, ",\"endPort\":%u", p->last);
		}
	}
	add(c, "}");
}

static const struct hf_netpol_rule *make_rules(struct cluster *c, bool egress, size_t *ret_n)
{
	struct hf_netpol_rule *rules = hf_arena_array(&c->a, struct hf_netpol_rule, RULES);

	*ret_n = pick(c, RULES + 1);
	hf_buf_addf(&c->json, ",\"%s\":[", egress ? "egress" : "ingress");
	for (size_t i = 0; i < *ret_n; i++) {
		struct hf_netpol_peer *peers = hf_arena_array(&c->a, struct hf_netpol_peer, 2);
		struct hf_netpol_port *list = hf_arena_array(&c->a, struct hf_netpol_port, 2);
		rules[i] = (struct hf_netpol_rule){
			.peers = peers, .peers_n = pick(c, 3), .ports = list, .ports_n = pick(c, 3)
		};
		hf_buf_addf(&c->json, "%s{\"%s\":[", i ? "," : "", egress ? "to" : "from");
		for (size_t k = 0; k < rules[i].peers_n; k++) {
			add(c, k ? "," : "");
			make_peer(c, &peers[k]);
		}
		add(c, "]");
		if (rules[i].ports_n) {
			add(c, ",\"ports\":[");
			for (size_t k = 0; k < rules[i].ports_n; k++) {
				add(c, k ? "," : "");
				make_port(c, &list[k]);
			}
			add(c, "]");
		}
		add(c, "}");
	}
	add(c, "]");
	return rules;
}

static void make_policies(struct cluster *c)
{
	c->policies_n = pick(c, POLICIES + 1);
	for (size_t i = 0; i < c->policies_n; i++) {
		struct hf_netpol *p = &c->policies[i];
		unsigned types = pick(c, 4);
		*p = (struct hf_netpol){ .namespace = namespaces[pick(c, NAMESPACES)], .name = HF_SV("p") };
		next(c);
		hf_buf_addf(&c->json,
			    "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":"
			    "{\"name\":\"p%zu\",\"namespace\":\"%s\"},\"spec\":{\"podSelector\":",
			    i, p->namespace.ptr);
		p->pods = selector(c);
		p->ingress = make_rules(c, false, &p->ingress_n);
		p->egress = make_rules(c, true, &p->egress_n);
		p->has_ingress = types != 2;
		p->has_egress = types == 0 ? p->egress_n > 0 : types > 1;
		add(c, types == 1   ? ",\"policyTypes\":[\"Ingress\"]"
		       : types == 2 ? ",\"policyTypes\":[\"Egress\"]"
		       : types == 3 ? ",\"policyTypes\":[\"Egress\",\"Ingress\"]"
				    : "");
		add(c, "}}");
	}
}

static void make_admin_peer(struct cluster *c, bool egress, struct hf_netpol_peer *p)
{
	unsigned kind = pick(c, egress ? 3 : 2);

	*p = (struct hf_netpol_peer){ 0 };
	if (kind == 2) {
		add(c, "{\"networks\":[");
		p->block = block(c);
		add(c, "]}");
	} else if (kind == 1) {
		add(c, "{\"pods\":{\"namespaceSelector\":");
		p->namespaces = kept(c, selector(c));
		add(c, ",\"podSelector\":");
		p->pods = kept(c, selector(c));
		add(c, "}}");
	} else {
		add(c, "{\"namespaces\":");
		p->namespaces = kept(c, selector(c));
		add(c, "}");
	}
}

static void make_admin_ports(struct cluster *c, struct admin_rule *r)
{
	r->ports_n = pick(c, 3);
	if (!r->ports_n)
		return;
	add(c, ",\"ports\":[");
	for (size_t i = 0; i < r->ports_n; i++) {
		unsigned protocol = pick(c, 3), kind = pick(c, 3);
		uint16_t first = ports[pick(c, HF_ARRAY_SIZE(ports))];
		r->ports[i] = (struct hf_netpol_port){ protocols[protocol], first, first, { 0 } };
		r->any_protocol[i] = kind == 0;
		add(c, i ? "," : "");
		if (kind == 0) {
			r->ports[i].name = port_names[pick(c, HF_ARRAY_SIZE(port_names))];
			hf_buf_addf(&c->json, "{\"namedPort\":\"%s\"}", r->ports[i].name.ptr);
		} else if (kind == 1) {
			hf_buf_addf(&c->json, "{\"portNumber\":{\"protocol\":\"%s\",\"port\":%u}}",
				    protocol_names[protocol], first);
		} else {
			r->ports[i].last = first > 65000 ? first : (uint16_t)(first + 400);
			hf_buf_addf(&c->json, "{\"portRange\":{\"protocol\":\"%s\",\"start\":%u,\"end\":%u}}",
				    protocol_names[protocol], first, r->ports[i].last);
		}
	}
	add(c, "]");
}

static void make_admin_rules(struct cluster *c, struct admin *p, unsigned side)
{
	static const char *const actions[] = { "Allow", "Deny", "Pass" };

	p->rules_n[side] = pick(c, RULES + 1);
	hf_buf_addf(&c->json, ",\"%s\":[", side ? "egress" : "ingress");
	for (size_t i = 0; i < p->rules_n[side]; i++) {
		struct admin_rule *r = &p->rules[side][i];
		*r = (struct admin_rule){ .action = (int)pick(c, p->baseline ? 2 : 3), .peers_n = 1 + pick(c, 2) };
		hf_buf_addf(&c->json, "%s{\"action\":\"%s\",\"%s\":[", i ? "," : "", actions[r->action],
			    side ? "to" : "from");
		for (size_t k = 0; k < r->peers_n; k++) {
			add(c, k ? "," : "");
			make_admin_peer(c, side, &r->peers[k]);
		}
		add(c, "]");
		make_admin_ports(c, r);
		add(c, "}");
	}
	add(c, "]");
}

/* In the order of their priorities; the last one may be the baseline. */
static void make_admin(struct cluster *c)
{
	size_t n = pick(c, ADMIN + 1);
	bool baseline = pick(c, 2);

	for (c->admin_n = 0; c->admin_n < n + baseline; c->admin_n++) {
		struct admin *p = &c->admin[c->admin_n];
		p->baseline = c->admin_n == n;
		next(c);
		hf_buf_addf(&c->json,
			    "{\"apiVersion\":\"policy.networking.k8s.io/"
			    "v1alpha1\",\"kind\":\"%sAdminNetworkPolicy\",\"metadata\":",
			    p->baseline ? "Baseline" : "");
		/* Names in another order than priorities. */
		if (p->baseline)
			add(c, "{\"name\":\"default\"},\"spec\":{");
		else
			hf_buf_addf(&c->json, "{\"name\":\"z%zu\"},\"spec\":{\"priority\":%zu,", 9 - c->admin_n,
				    c->admin_n * 3);
		add(c, "\"subject\":{\"pods\":{\"namespaceSelector\":");
		p->namespaces = selector(c);
		add(c, ",\"podSelector\":");
		p->pods = selector(c);
		add(c, "}}");
		make_admin_rules(c, p, 0);
		make_admin_rules(c, p, 1);
		add(c, "}}");
	}
}

/* The evaluator. */

static bool namespace_fits(const struct hf_label_selector *s, const struct hf_netpol_end *e)
{
	return hf_label_selector_matches(s, e->namespace_labels, e->namespace_labels_n);
}

static bool admin_peer_fits(const struct hf_netpol_peer *p, const struct hf_netpol_end *e)
{
	if (!p->namespaces)
		return !e->pod && hf_cidr_holds(&p->block, &e->address);
	return e->pod && namespace_fits(p->namespaces, e) &&
	       (!p->pods || hf_label_selector_matches(p->pods, e->labels, e->labels_n));
}

static bool admin_port_fits(const struct admin_rule *r, size_t i, const struct hf_netpol_end *server, uint8_t protocol,
			    uint16_t port)
{
	if (!r->any_protocol[i])
		return r->ports[i].protocol == protocol && r->ports[i].first <= port && port <= r->ports[i].last;
	for (size_t k = 0; k < server->ports_n; k++)
		if (hf_sv_eq(server->ports[k].name, r->ports[i].name) && server->ports[k].protocol == protocol &&
		    server->ports[k].port == port)
			return true;
	return false;
}

static bool admin_rule_fits(const struct admin_rule *r, const struct hf_netpol_end *peer,
			    const struct hf_netpol_end *server, uint8_t protocol, uint16_t port)
{
	bool peer_fits = false, port_fits = !r->ports_n;

	for (size_t i = 0; i < r->peers_n; i++)
		peer_fits |= admin_peer_fits(&r->peers[i], peer);
	for (size_t i = 0; i < r->ports_n; i++)
		port_fits |= admin_port_fits(r, i, server, protocol, port);
	return peer_fits && port_fits;
}

/* Action of the first rule that fits, -1: none. */
static int admin_says(const struct cluster *c, bool baseline, unsigned side, const struct hf_netpol_end *self,
		      const struct hf_netpol_end *peer, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < c->admin_n; i++) {
		const struct admin *p = &c->admin[i];
		if (p->baseline != baseline || !namespace_fits(&p->namespaces, self) ||
		    !hf_label_selector_matches(&p->pods, self->labels, self->labels_n))
			continue;
		for (size_t k = 0; k < p->rules_n[side]; k++)
			if (admin_rule_fits(&p->rules[side][k], peer, side ? peer : self, protocol, port))
				return p->rules[side][k].action;
	}
	return -1;
}

static bool side_open(const struct cluster *c, unsigned side, const struct hf_netpol_end *self,
		      const struct hf_netpol_end *peer, uint8_t protocol, uint16_t port)
{
	int action;
	struct hf_netpol copies[POLICIES];
	const struct hf_netpol *list[POLICIES];
	bool selected = false;

	if (!self->pod)
		return true;
	action = admin_says(c, false, side, self, peer, protocol, port);
	if (action == 0 || action == 1)
		return action == 0;
	for (size_t i = 0; i < c->policies_n; i++) {
		copies[i] = c->policies[i];
		*(side ? &copies[i].has_ingress : &copies[i].has_egress) = false;
		list[i] = &copies[i];
		selected |=
			(side ? copies[i].has_egress : copies[i].has_ingress) && hf_netpol_selects(&copies[i], self);
	}
	if (selected)
		return hf_netpol_evaluate(list, c->policies_n, side ? self : peer, side ? peer : self, protocol, port)
			.allowed;
	action = admin_says(c, true, side, self, peer, protocol, port);
	return action != 1;
}

static bool open_between(const struct cluster *c, const struct hf_netpol_end *client,
			 const struct hf_netpol_end *server, uint8_t protocol, uint16_t port)
{
	return side_open(c, 1, client, server, protocol, port) && side_open(c, 0, server, client, protocol, port);
}

static enum hf_conn_protocol model_protocol(size_t i)
{
	static const enum hf_conn_protocol of[] = { HF_CONN_TCP, HF_CONN_UDP, HF_CONN_SCTP };

	return of[i];
}

static size_t compare(const struct cluster *c, const struct hf_reach *r, hf_conns conns,
		      const struct hf_netpol_end *client, const struct hf_netpol_end *server, const char *what)
{
	size_t tried = 0;

	for (size_t p = 0; p < HF_ARRAY_SIZE(protocols); p++)
		for (size_t k = 0; k < HF_ARRAY_SIZE(ports); k++, tried++) {
			bool wanted = open_between(c, client, server, protocols[p], ports[k]);
			if (hf_conns_hold(&r->pool, conns, model_protocol(p), ports[k]) == wanted)
				continue;
			print_message("# %s %s/%u: the evaluator says %s\n%.*s\n", what, protocol_names[p], ports[k],
				      wanted ? "open" : "closed", HF_SV_FMT(hf_buf_view(&c->json)));
			fail();
		}
	return tried;
}

static struct hf_reach_end pod_end(const struct hf_reach *r, const struct cluster *c, size_t i)
{
	char name[40];
	struct hf_reach_end e;

	snprintf(name, sizeof name, "%s/pod%zu[Pod]", c->pods[i].namespace.ptr, i);
	assert_true(hf_reach_find(r, hf_sv_of(name), true, &e));
	return e;
}

/* The walk over all pairs says what single questions say. */
static bool same_as_between(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns conns)
{
	struct hf_reach *r = ctx;

	assert_int_not_equal(conns, HF_CONNS_NONE);
	assert_int_equal(hf_reach_between(r, from, to), conns);
	walked++;
	return true;
}

static void judge_walk(struct hf_reach *r)
{
	size_t wanted = 0;

	walked = 0;
	hf_reach_each(r, same_as_between, r);
	for (uint32_t i = 0; i < r->workloads.n; i++) {
		struct hf_reach_end w = { HF_REACH_WORKLOAD, i };
		for (uint32_t k = 0; k < r->workloads.n; k++)
			wanted +=
				hf_reach_between(r, w, (struct hf_reach_end){ HF_REACH_WORKLOAD, k }) != HF_CONNS_NONE;
		for (uint32_t k = 0; k < r->spans_n[HF_REACH_EGRESS]; k++)
			wanted += hf_reach_between(r, w, (struct hf_reach_end){ HF_REACH_SPAN, k }) != HF_CONNS_NONE;
		for (uint32_t k = 0; k < r->spans_n[HF_REACH_INGRESS]; k++)
			wanted += hf_reach_between(r, (struct hf_reach_end){ HF_REACH_SPAN, k }, w) != HF_CONNS_NONE;
	}
	assert_int_equal(walked, wanted);
}

static size_t judge(struct cluster *c, struct hf_reach *r)
{
	size_t tried = 0;
	char what[100];

	judge_walk(r);
	for (size_t i = 0; i < PODS; i++) {
		struct hf_reach_end from = pod_end(r, c, i);
		for (size_t k = 0; k < PODS; k++) {
			struct hf_reach_end to = pod_end(r, c, k);
			snprintf(what, sizeof what, "pod%zu -> pod%zu", i, k);
			if (i != k)
				tried += compare(c, r, hf_reach_between(r, from, to), &c->pods[i], &c->pods[k], what);
		}
		for (size_t k = 0; k < HF_ARRAY_SIZE(addresses); k++) {
			struct hf_netpol_end outside = { 0 };
			struct hf_reach_end source, target;
			assert_true(hf_address_of(hf_sv_of(addresses[k]), &outside.address));
			assert_true(hf_reach_find(r, hf_sv_of(addresses[k]), true, &source));
			assert_true(hf_reach_find(r, hf_sv_of(addresses[k]), false, &target));
			snprintf(what, sizeof what, "pod%zu, %s", i, addresses[k]);
			tried += compare(c, r, hf_reach_between(r, from, target), &c->pods[i], &outside, what);
			tried += compare(c, r, hf_reach_between(r, source, from), &outside, &c->pods[i], what);
		}
	}
	return tried;
}

static size_t one_cluster(uint64_t seed, bool admin)
{
	struct cluster c = { .a = HF_ARENA((size_t)64 << 20), .json = HF_BUF((size_t)1 << 20), .state = seed };
	struct hf_kube_source source = { .name = HF_SV("cluster") };
	struct hf_err err = { 0 };

	begin_list(&c, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
	make_pods(&c);
	make_policies(&c);
	if (admin)
		make_admin(&c);
	add(&c, "]}");
	source.text = hf_buf_view(&c.json);
	struct hf_kube_loader *l = hf_kube_loader_new(&c.a);
	assert_int_equal(hf_kube_load(l, &source, &err), HF_OK);
	struct hf_reach *r = hf_reach_build(hf_kube_loaded(l), &c.a);
	hf_kube_loader_free(l);
	assert_non_null(r);
	for (size_t i = 0; i < r->notes.list.n; i++) /* random blocks except random ones */
		assert_int_not_equal(hf_sv_find(r->notes.list.at[i].text, HF_SV("no true part of its block")),
				     SIZE_MAX);
	size_t tried = judge(&c, r);
	hf_buf_done(&c.json);
	hf_arena_done(&c.a);
	return tried;
}

static void test_network_policies(void **state)
{
	size_t tried = 0;

	(void)state;
	for (uint64_t i = 0; i < CLUSTERS; i++)
		tried += one_cluster(i * 7919 + 1, false);
	print_message("# %zu connections agree\n", tried);
}

static void test_admin_policies(void **state)
{
	size_t tried = 0;

	(void)state;
	for (uint64_t i = 0; i < CLUSTERS; i++)
		tried += one_cluster(i * 104729 + 2, true);
	print_message("# %zu connections agree\n", tried);
}

/* Sets of ports, against a bit for each port. */
static void test_sets(void **state)
{
	struct hf_arena a = HF_ARENA((size_t)256 << 20);
	struct cluster c = { .state = 11 };
	struct hf_conn_pool pool;
	hf_conns set[24] = { HF_CONNS_NONE, HF_CONNS_ALL };

	(void)state;
	hf_conn_pool_init(&pool, &a);
	for (size_t i = 2; i < HF_ARRAY_SIZE(set); i++)
		for (unsigned k = 0; k < 3; k++) {
			uint16_t first = (uint16_t)(1 + pick(&c, 65535)),
				 last = (uint16_t)(first + pick(&c, 65536u - first));
			set[i] = hf_conns_union(&pool, set[i], hf_conns_ports(&pool, HF_CONN_TCP, first, last));
		}
	for (size_t i = 0; i < HF_ARRAY_SIZE(set); i++)
		for (size_t k = 0; k < HF_ARRAY_SIZE(set); k++) {
			hf_conns u = hf_conns_union(&pool, set[i], set[k]),
				 n = hf_conns_intersection(&pool, set[i], set[k]),
				 d = hf_conns_difference(&pool, set[i], set[k]);
			for (uint32_t port = 1; port <= 65535; port += 1 + pick(&c, 97)) {
				bool x = hf_conns_hold(&pool, set[i], HF_CONN_TCP, (uint16_t)port);
				bool y = hf_conns_hold(&pool, set[k], HF_CONN_TCP, (uint16_t)port);
				assert_int_equal(hf_conns_hold(&pool, u, HF_CONN_TCP, (uint16_t)port), x || y);
				assert_int_equal(hf_conns_hold(&pool, n, HF_CONN_TCP, (uint16_t)port), x && y);
				assert_int_equal(hf_conns_hold(&pool, d, HF_CONN_TCP, (uint16_t)port), x && !y);
			}
			assert_int_equal(hf_conns_union(&pool, d, n), set[i]);
		}
	hf_conns all = HF_CONNS_NONE;
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++) {
		all = hf_conns_union(&pool, all, hf_conns_ports(&pool, (enum hf_conn_protocol)p, 1, 1000));
		all = hf_conns_union(&pool, all, hf_conns_ports(&pool, (enum hf_conn_protocol)p, 1001, 65535));
	}
	assert_int_equal(all, HF_CONNS_ALL);
	hf_conns some = hf_conns_union(&pool, hf_conns_ports(&pool, HF_CONN_UDP, 53, 53),
				       hf_conns_ports(&pool, HF_CONN_TCP, 0, 0));
	assert_true(hf_sv_eq(hf_conns_text(&pool, some, &a), HF_SV("TCP; UDP 53")));
	hf_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_network_policies),
		cmocka_unit_test(test_admin_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
