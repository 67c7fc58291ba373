#include "reach/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kube/selector.h"
#include "reach/policy_internal.h"

enum { NOTES_MAX = 100000, SELECTOR_TERMS_MAX = 100 };

void hf_reach_note(struct hf_reach_notes *notes, const struct hf_kube_object *o, const struct hf_value *v, bool loss,
		   const char *fmt, ...)
{
	char text[400];
	va_list args;

	if (notes->list.n >= NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	struct hf_reach_note *n = hf_vec_push(notes->arena, &notes->list);
	if (n)
		*n = (struct hf_reach_note){ o, v, hf_arena_dup(notes->arena, hf_sv_of(text)), loss };
}

static bool among(const struct hf_label_requirement *r, hf_sv value)
{
	for (size_t i = 0; i < r->values_n; i++)
		if (hf_sv_eq(r->values[i], value))
			return true;
	return false;
}

/* No label's value, nor its absence, meets both. */
static bool contradict(const struct hf_label_requirement *a, const struct hf_label_requirement *b)
{
	if (!hf_sv_eq(a->key, b->key))
		return false;
	if (a->operator== HF_LABEL_DOES_NOT_EXIST)
		return b->operator== HF_LABEL_EXISTS || b->operator== HF_LABEL_IN;
	if (a->operator!= HF_LABEL_IN ||(b->operator!= HF_LABEL_IN && b->operator!= HF_LABEL_NOT_IN))
		return false;
	for (size_t i = 0; i < a->values_n; i++)
		if (among(b, a->values[i]) == (b->operator== HF_LABEL_IN))
			return false;
	return true;
}

/* A selector that no labels can ever meet, as far as two of its terms show it. */
static bool contradicts_itself(const struct hf_label_selector *s)
{
	for (size_t i = 0; i < s->requirements_n && i < SELECTOR_TERMS_MAX; i++) {
		for (size_t k = 0; k < s->labels_n && k < SELECTOR_TERMS_MAX; k++) {
			const struct hf_label_requirement is = { .key = s->labels[2 * k],
								 .operator= HF_LABEL_IN,
								 .values = &s->labels[2 * k + 1],
								 .values_n = 1 };
			if (contradict(&is, &s->requirements[i]) || contradict(&s->requirements[i], &is))
				return true;
		}
		for (size_t k = 0; k < s->requirements_n && k < SELECTOR_TERMS_MAX; k++)
			if (contradict(&s->requirements[i], &s->requirements[k]))
				return true;
	}
	return false;
}

const struct hf_label_selector *policy_selector(struct policy_decoder *d, const struct hf_value *v)
{
	static const struct hf_value nothing = { .type = HF_VALUE_OBJECT };
	const char *wrong;
	const struct hf_label_selector *s = hf_kube_selector(v ? v : &nothing, HF_SELECTOR_FULL, d->a, &wrong);

	if (wrong)
		hf_reach_note(d->notes, d->object, v, true, "%s: this selector matches nothing", wrong);
	else if (s && contradicts_itself(s))
		hf_reach_note(d->notes, d->object, v, true,
			      "the terms of this selector contradict each other: it matches nothing");
	return s;
}

static uint32_t ipv4(const struct hf_address *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

static bool span_of(const struct hf_value *v, struct hf_reach_span *ret, bool *ret_ipv6)
{
	struct hf_cidr c;

	*ret_ipv6 = false;
	if (!hf_cidr_of(hf_value_text(v), &c))
		return false;
	*ret_ipv6 = c.address.family != 4;
	ret->first = ipv4(&c.address);
	ret->last = ret->first | (c.bits ? (c.bits < 32 ? UINT32_MAX >> c.bits : 0) : UINT32_MAX);
	return !*ret_ipv6;
}

static int by_first(const void *a, const void *b)
{
	const struct hf_reach_span *x = a, *y = b;

	return x->first != y->first ? (x->first < y->first ? -1 : 1) : (x->last > y->last) - (x->last < y->last);
}

/* What lies outside of the block, or is all of it, no API server takes; it is cut away all the same. */
static void note_except(struct policy_decoder *d, const struct hf_value *v, struct hf_reach_span whole,
			struct hf_reach_span cut)
{
	if (cut.first < whole.first || cut.last > whole.last || (cut.first == whole.first && cut.last == whole.last))
		hf_reach_note(d->notes, d->object, v, true, "what is excepted is no true part of its block");
}

/* IANA_SVC_NAME: RFC 6335, 5.1. */
static bool is_port_name(hf_sv s)
{
	bool letter = false;

	for (size_t i = 0; i < s.len; i++) {
		bool hyphen = s.ptr[i] == '-', alpha = s.ptr[i] >= 'a' && s.ptr[i] <= 'z';
		if ((!hyphen && !alpha && (s.ptr[i] < '0' || s.ptr[i] > '9')) ||
		    (hyphen && (!i || i + 1 == s.len || s.ptr[i - 1] == '-')))
			return false;
		letter |= alpha;
	}
	return letter && s.len <= 15;
}

bool policy_block(struct policy_decoder *d, const struct hf_value *cidr, const struct hf_value *except,
		  struct hf_reach_peer *p)
{
	size_t n = hf_value_count(except, HF_VALUE_ARRAY), kept = 0, out = 0;
	struct hf_reach_span *cuts = hf_arena_array(d->a, struct hf_reach_span, n);
	struct hf_reach_span *spans = hf_arena_array(d->a, struct hf_reach_span, n + 1), whole;
	bool ipv6;

	p->outside = true;
	if (!span_of(cidr, &whole, &ipv6)) {
		hf_reach_note(d->notes, d->object, cidr, true,
			      ipv6 ? "a block of IPv6 addresses is not looked at"
				   : "no block of addresses: it matches nothing");
		return false;
	}
	if (!cuts || !spans)
		return false;
	hf_value_elements(except, e) if (span_of(e, &cuts[kept], &ipv6)) note_except(d, e, whole, cuts[kept++]);
	else hf_reach_note(d->notes, d->object, e, true, "no block of IPv4 addresses: nothing is excepted");
	qsort(cuts, kept, sizeof *cuts, by_first);
	uint64_t at = whole.first;
	for (size_t i = 0; i < kept && at <= whole.last; i++) {
		if (cuts[i].last < at || cuts[i].first > whole.last)
			continue;
		if (cuts[i].first > at)
			spans[out++] = (struct hf_reach_span){ (uint32_t)at, cuts[i].first - 1 };
		at = (uint64_t)cuts[i].last + 1;
	}
	if (at <= whole.last)
		spans[out++] = (struct hf_reach_span){ (uint32_t)at, whole.last };
	p->spans = spans;
	p->spans_n = out;
	return true;
}

bool policy_protocol(struct policy_decoder *d, const struct hf_value *v, enum hf_conn_protocol *ret)
{
	*ret = HF_CONN_TCP;
	if (!v || hf_conn_protocol_of(hf_value_text(v), ret))
		return true;
	hf_reach_note(d->notes, d->object, v, true, "no protocol of TCP, UDP and SCTP: this port matches nothing");
	return false;
}

bool policy_port(struct policy_decoder *d, const struct hf_value *v, uint16_t *ret)
{
	int64_t n;

	if (hf_value_int(v, &n) && n >= 1 && n <= UINT16_MAX) {
		*ret = (uint16_t)n;
		return true;
	}
	hf_reach_note(d->notes, d->object, v, true, "no port from 1 to 65535: it matches nothing");
	return false;
}

/* A port by number is added to the @*n sets of @numbers. */
static void add_port(struct policy_decoder *d, const struct hf_value *v, struct hf_reach_rule *r,
		     struct hf_reach_port_name *names, hf_conns *numbers, size_t *n)
{
	const struct hf_value *port = hf_value_get(v, HF_SV("port")), *end = hf_value_get(v, HF_SV("endPort"));
	enum hf_conn_protocol protocol;
	uint16_t first = 0, last = 0;

	if (!policy_protocol(d, hf_value_get(v, HF_SV("protocol")), &protocol))
		return;
	if (end && !hf_value_is(port, HF_VALUE_NUMBER)) {
		hf_reach_note(d->notes, d->object, end, true,
			      "endPort without a port that is a number: it matches nothing");
		return;
	}
	if (hf_value_is(port, HF_VALUE_STRING)) {
		if (!is_port_name(hf_value_text(port)))
			hf_reach_note(d->notes, d->object, port, true,
				      "no name that a port can have: it matches nothing");
		names[r->names_n++] = (struct hf_reach_port_name){ hf_value_text(port), protocol, false };
		return;
	}
	if (port && !policy_port(d, port, &first))
		return;
	last = first;
	if (end && !policy_port(d, end, &last))
		return;
	if (last < first)
		hf_reach_note(d->notes, d->object, end, true, "endPort is below port: it matches nothing");
	numbers[(*n)++] = hf_conns_ports(d->pool, protocol, first, last);
}

static void add_peer(struct policy_decoder *d, const struct hf_value *v, struct hf_reach_rule *r,
		     struct hf_reach_peer *p)
{
	const struct hf_value *block = hf_value_get(v, HF_SV("ipBlock"));
	const struct hf_value *pods = hf_value_get(v, HF_SV("podSelector")),
			      *namespaces = hf_value_get(v, HF_SV("namespaceSelector"));

	if (block ? pods || namespaces : !pods && !namespaces) {
		hf_reach_note(d->notes, d->object, v, true,
			      block ? "ipBlock together with a selector: this peer matches nothing"
				    : "a peer without ipBlock and selectors: it matches nothing");
		return;
	}
	if (block) {
		r->peers_n +=
			policy_block(d, hf_value_get(block, HF_SV("cidr")), hf_value_get(block, HF_SV("except")), p);
		return;
	}
	p->pods = pods ? policy_selector(d, pods) : NULL;
	p->namespaces = namespaces ? policy_selector(d, namespaces) : NULL;
	r->peers_n++;
}

static void add_rules(struct policy_decoder *d, struct hf_reach_policy *p, enum hf_reach_side side)
{
	const struct hf_value *list =
		hf_value_get(p->object->spec, side == HF_REACH_INGRESS ? HF_SV("ingress") : HF_SV("egress"));
	struct hf_reach_rule *rules = hf_arena_array(d->a, struct hf_reach_rule, hf_value_count(list, HF_VALUE_ARRAY));

	p->rules[side] = rules;
	hf_value_elements(rules ? list : NULL, e)
	{
		struct hf_reach_rule *r = &rules[p->rules_n[side]++];
		const struct hf_value *peers = hf_value_get(e, side == HF_REACH_INGRESS ? HF_SV("from") : HF_SV("to"));
		const struct hf_value *ports = hf_value_get(e, HF_SV("ports"));
		size_t peers_n = hf_value_count(peers, HF_VALUE_ARRAY), ports_n = hf_value_count(ports, HF_VALUE_ARRAY);
		struct hf_reach_peer *slots = hf_arena_array(d->a, struct hf_reach_peer, peers_n);
		struct hf_reach_port_name *names = hf_arena_array(d->a, struct hf_reach_port_name, ports_n);
		hf_conns *numbers = hf_arena_array(d->a, hf_conns, ports_n);
		size_t numbers_n = 0;
		if (!slots || !names || !numbers)
			return;
		r->value = e;
		r->everyone = !peers_n;
		r->peers = slots;
		r->names = names;
		hf_value_elements(peers, peer) add_peer(d, peer, r, &slots[r->peers_n]);
		hf_value_elements(ports, port) add_port(d, port, r, names, numbers, &numbers_n);
		r->ports = ports_n ? hf_conns_union_all(d->pool, numbers, numbers_n) : HF_CONNS_ALL;
	}
}

static void add_policy(struct policy_decoder *d, const struct hf_kube_object *o)
{
	struct hf_reach_policy *p = hf_vec_push(d->a, &d->policies);
	const struct hf_value *types = hf_value_get(o->spec, HF_SV("policyTypes"));
	const struct hf_value *pods = hf_value_get(o->spec, HF_SV("podSelector"));

	if (!p)
		return;
	d->object = o;
	*p = (struct hf_reach_policy){ .layer = HF_REACH_NAMESPACED, .object = o };
	if (!hf_value_is(o->spec, HF_VALUE_OBJECT))
		hf_reach_note(d->notes, o, NULL, true,
			      "a NetworkPolicy without a spec: it selects all pods of its namespace");
	p->pods = policy_selector(d, pods);
	hf_value_elements(types, e)
	{
		hf_sv type = hf_value_text(e);
		bool ingress = hf_sv_eq(type, HF_SV("Ingress")), egress = hf_sv_eq(type, HF_SV("Egress"));
		p->sides[HF_REACH_INGRESS] |= ingress;
		p->sides[HF_REACH_EGRESS] |= egress;
		if (!ingress && !egress)
			hf_reach_note(d->notes, o, e, true, "a policy type that is neither Ingress nor Egress");
	}
	add_rules(d, p, HF_REACH_INGRESS);
	add_rules(d, p, HF_REACH_EGRESS);
	if (!hf_value_count(types, HF_VALUE_ARRAY)) {
		p->sides[HF_REACH_INGRESS] = true;
		p->sides[HF_REACH_EGRESS] = p->rules_n[HF_REACH_EGRESS] > 0;
	}
}

static int by_order(const void *a, const void *b)
{
	const struct hf_reach_policy *x = a, *y = b;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	int names = x->layer == HF_REACH_NAMESPACED ? 0 : hf_sv_cmp(x->object->name, y->object->name);
	return names ? names : (x->object->order > y->object->order) - (x->object->order < y->object->order);
}

const struct hf_reach_policy *hf_reach_policies(const struct hf_kube_objects *set, struct hf_conn_pool *pool,
						struct hf_reach_notes *notes, size_t *ret_n)
{
	static const enum hf_kube_kind admin[] = { HF_KUBE_ADMIN_NETWORK_POLICY, HF_KUBE_BASELINE_ADMIN_NETWORK_POLICY,
						   HF_KUBE_CLUSTER_NETWORK_POLICY };
	struct policy_decoder d = { .a = notes->arena, .pool = pool, .notes = notes };

	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_NETWORK_POLICY]; i++)
		add_policy(&d, set->of_kind[HF_KUBE_NETWORK_POLICY][i]);
	for (size_t k = 0; k < HF_ARRAY_SIZE(admin); k++)
		for (size_t i = 0; i < set->of_kind_n[admin[k]]; i++)
			policy_add_admin(&d, set->of_kind[admin[k]][i]);
	if (d.policies.n)
		qsort(d.policies.at, d.policies.n, sizeof *d.policies.at, by_order);
	*ret_n = d.policies.n;
	return d.policies.at;
}

hf_sv hf_reach_span_text(struct hf_reach_span s, struct hf_arena *a)
{
	return hf_arena_fmt(a, "%u.%u.%u.%u-%u.%u.%u.%u", s.first >> 24, s.first >> 16 & 255, s.first >> 8 & 255,
			    s.first & 255, s.last >> 24, s.last >> 16 & 255, s.last >> 8 & 255, s.last & 255);
}
