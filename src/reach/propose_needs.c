#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reach/propose_internal.h"

enum { NEEDS_MAX = 2000000, NOTES_MAX = 2000 };

const uint8_t propose_protocols[HF_CONN_PROTOCOLS] = { [HF_CONN_SCTP] = 132, [HF_CONN_TCP] = 6, [HF_CONN_UDP] = 17 };
const struct hf_cidr propose_private[] = {
	{ { 4, { 10 } }, 8 },       { { 4, { 100, 64 } }, 10 },  { { 4, { 169, 254 } }, 16 },
	{ { 4, { 172, 16 } }, 12 }, { { 4, { 192, 168 } }, 16 },
};
const size_t propose_private_n = HF_ARRAY_SIZE(propose_private);
static const struct hf_cidr anywhere = { { 4, { 0 } }, 0 };

void propose_note(struct proposer *p, const char *fmt, ...)
{
	char text[500];
	va_list args;

	if (p->notes.n >= NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	for (size_t i = 0; i < p->notes.n; i++)
		if (hf_sv_eq(p->notes.at[i], hf_sv_of(text)))
			return;
	hf_sv *slot = hf_vec_push(p->a, &p->notes);
	if (slot)
		*slot = p->notes.n < NOTES_MAX ? hf_arena_dup(p->a, hf_sv_of(text))
					       : HF_SV("there is more of this kind than is told here");
}

void propose_add(struct proposer *p, struct need n)
{
	struct need *slot = p->needs.n < NEEDS_MAX ? hf_vec_push(p->a, &p->needs) : NULL;

	if (slot)
		*slot = n;
	else
		p->a->over = true;
}

static void add_ranges(struct proposer *p, struct need n, hf_conns c)
{
	const struct hf_conn_set set = *hf_conns_get(&p->r->pool, c);

	for (unsigned k = 0; k < HF_CONN_PROTOCOLS; k++)
		for (uint32_t i = 0; i < set.n[k]; i++) {
			n.protocol = propose_protocols[k];
			n.first = set.ranges[k][i].first;
			n.last = set.ranges[k][i].last;
			propose_add(p, n);
		}
}

/* By what they are entries of, and then as they stand in the model. */
static int compare_entries(const void *a, const void *b)
{
	const struct hf_reach_entry *left = *(const struct hf_reach_entry *const *)a,
				    *right = *(const struct hf_reach_entry *const *)b;
	uint32_t x = left->object->order, y = right->object->order;

	return x != y ? (x > y) - (x < y) : (left > right) - (left < right);
}

static void sort_entries(struct proposer *p)
{
	size_t n = p->r->entries.n;

	p->entries = hf_arena_array(p->a, const struct hf_reach_entry *, n);
	for (size_t i = 0; p->entries && i < n; i++)
		p->entries[i] = &p->r->entries.at[i];
	if (p->entries)
		qsort(p->entries, n, sizeof *p->entries, compare_entries);
}

/* The place of the first entry of it, or where that would stand. */
static size_t first_entry(const struct proposer *p, const struct hf_kube_object *o)
{
	size_t low = 0, high = p->r->entries.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->entries[middle]->object->order < o->order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* To the workloads behind a service. */
static void need_service(struct proposer *p, uint32_t client, const struct hf_kube_object *service)
{
	for (size_t i = first_entry(p, service); i < p->r->entries.n && p->entries[i]->object == service; i++)
		add_ranges(p,
			   (struct need){ .client = client,
					  .server = p->entries[i]->workload,
					  .why = hf_arena_fmt(p->a, "service %.*s", HF_SV_FMT(service->name)) },
			   p->entries[i]->conns);
}

/* By name: wherever it is on the internet, since no policy can name it. By address: that one. */
static void need_host(struct proposer *p, uint32_t client, const struct hf_reach_host *host)
{
	struct hf_address address;
	struct need n = { .client = client,
			  .server_kind = NEED_BLOCK,
			  .block = anywhere,
			  .public_alone = true,
			  .protocol = 6,
			  .first = host->port,
			  .last = host->port,
			  .why = host->name };

	if (hf_address_of(host->name, &address)) {
		n.block = hf_cidr_around(&address, address.family == 4 ? 32 : 128);
		n.public_alone = false;
	}
	propose_add(p, n);
}

static void needs_of(struct proposer *p, uint32_t client)
{
	const struct hf_reach_workload *w = &p->r->workloads.at[client];
	struct hf_reach_names names = reach_names(p->r, w);
	hf_sv own = hf_value_get_text(w->object->spec, HF_SV("serviceName"));

	for (size_t i = 0; i < names.services.n; i++)
		need_service(p, client, names.services.at[i]);
	/* The members of a StatefulSet find each other by its service. */
	const struct hf_kube_object *headless =
		own.len ? hf_kube_find(p->r->set, w->object->cluster, HF_KUBE_SERVICE, w->namespace, own) : NULL;
	if (headless)
		need_service(p, client, headless);
	for (size_t i = 0; i < names.hosts.n; i++)
		need_host(p, client, &names.hosts.at[i]);
	if (names.cut)
		propose_note(p, "%.*s: it names more than is looked through: what it needs may be missing",
			     HF_SV_FMT(w->name));
	for (size_t i = 0; i < names.absent.n; i++)
		propose_note(p, "%.*s: it names %.*s, and no Service here is called so: what it needs of it is closed",
			     HF_SV_FMT(w->name), HF_SV_FMT(names.absent.at[i]));
	if (names.unreadable)
		propose_note(p,
			     "%.*s: a part of its environment is in secrets or ConfigMaps that are not read: what it "
			     "needs may be missing",
			     HF_SV_FMT(w->name));
}

void propose_needs_of_manifests(struct proposer *p)
{
	const struct hf_reach *r = p->r;

	sort_entries(p);
	for (size_t i = 0; i < r->workloads.n && p->entries; i++)
		needs_of(p, (uint32_t)i);
	for (size_t i = 0; i < r->entries.n; i++) {
		const struct hf_reach_entry *e = &r->entries.at[i];
		if (!e->outside)
			continue;
		add_ranges(p,
			   (struct need){ .client_kind = e->service ? NEED_ANY_POD : NEED_BLOCK,
					  .block = anywhere,
					  .server = e->workload,
					  .why = hf_arena_fmt(p->a, "%.*s %.*s", HF_SV_FMT(e->object->kind_name),
							      HF_SV_FMT(e->object->name)) },
			   e->conns);
	}
}

/* "NAMESPACE/KIND/NAME" of flows is "NAMESPACE/NAME[KIND]" here. */
static bool workload_of(struct proposer *p, hf_sv id, uint32_t *ret)
{
	hf_sv namespace, rest, kind, name;

	if (!hf_sv_cut(id, '/', &namespace, &rest) || !hf_sv_cut(rest, '/', &kind, &name))
		return false;
	hf_sv full = hf_arena_fmt(p->a, "%.*s/%.*s[%.*s]", HF_SV_FMT(namespace), HF_SV_FMT(name), HF_SV_FMT(kind));
	struct hf_map_entry *e = hf_map_find(&p->r->workload_index, full);
	if (e)
		*ret = (uint32_t)((uintptr_t)e->value - 1);
	return e != NULL;
}

struct flow_end {
	bool workload;
	uint32_t index;
	HF_VEC(struct hf_cidr) blocks;
};

/* False where the end is nobody that a policy could name. */
static bool flow_end(struct proposer *p, const struct hf_value *v, struct flow_end *ret)
{
	hf_sv id = hf_value_get_text(v, HF_SV("workload"));

	*ret = (struct flow_end){ .workload = id.len > 0 };
	if (id.len) {
		if (workload_of(p, id, &ret->index))
			return true;
		propose_note(p, "flows of %.*s: it is not among the manifests", HF_SV_FMT(id));
		return false;
	}
	bool all = hf_value_get(v, HF_SV("more")) != NULL;
	hf_value_elements(hf_value_get(v, HF_SV("addresses")), e)
	{
		struct hf_address a;
		hf_sv text = hf_value_get_text(e, HF_SV("address"));
		if (!hf_address_of(text, &a) || a.family != 4) {
			propose_note(p, "flows with %.*s: no IPv4 address", HF_SV_FMT(text));
			continue;
		}
		struct hf_cidr *slot = hf_vec_push(p->a, &ret->blocks);
		if (slot)
			*slot = hf_cidr_around(&a, 32);
	}
	if (all) {
		struct hf_cidr *slot = hf_vec_push(p->a, &ret->blocks);
		if (slot)
			*slot = anywhere;
	}
	return ret->blocks.n > 0;
}

static void add_flow(struct proposer *p, const struct hf_value *v)
{
	hf_sv protocol = hf_value_get_text(v, HF_SV("protocol"));
	int64_t first, last;
	struct flow_end client, server;
	struct need n = { .why = HF_SV("a recorded flow") };

	n.protocol = hf_sv_eq(protocol, HF_SV("tcp"))    ? 6
		     : hf_sv_eq(protocol, HF_SV("udp"))  ? 17
		     : hf_sv_eq(protocol, HF_SV("sctp")) ? 132
							 : 0;
	if (!n.protocol || !hf_value_int(hf_value_get(v, HF_SV("port")), &first) || first < 1 || first > UINT16_MAX) {
		propose_note(p, "a flow of protocol %.*s: no policy can name it", HF_SV_FMT(protocol));
		return;
	}
	if (!hf_value_int(hf_value_get(v, HF_SV("port_last")), &last) || last < first || last > UINT16_MAX)
		last = first;
	n.first = (uint16_t)first;
	n.last = (uint16_t)last;
	if (!flow_end(p, hf_value_get(v, HF_SV("client")), &client) ||
	    !flow_end(p, hf_value_get(v, HF_SV("server")), &server) || (!client.workload && !server.workload))
		return;
	n.client = client.index;
	n.server = server.index;
	n.client_kind = client.workload ? NEED_WORKLOAD : NEED_BLOCK;
	n.server_kind = server.workload ? NEED_WORKLOAD : NEED_BLOCK;
	if (client.workload && server.workload)
		propose_add(p, n);
	for (size_t i = 0; i < client.blocks.n || i < server.blocks.n; i++) {
		n.block = client.workload ? server.blocks.at[i] : client.blocks.at[i];
		propose_add(p, n);
	}
}

int propose_needs_of_flows(struct proposer *p, const struct hf_value *flows, struct hf_err *err)
{
	const struct hf_value *list = hf_value_get(flows, HF_SV("flows"));

	if (!hf_sv_eq(hf_value_get_text(flows, HF_SV("schema")), HF_SV("holdfast/flows/1")) ||
	    !hf_value_is(list, HF_VALUE_ARRAY))
		return hf_fail(err, HF_E_FORMAT,
			       "no holdfast/flows/1: 'holdfast runtime flows --format json' writes it");
	hf_value_elements(list, e) add_flow(p, e);
	return HF_OK;
}
