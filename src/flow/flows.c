#include "flow/flows.h"

#include <stdlib.h>

#include "base/limits.h"
#include "flow/flows_internal.h"

enum { EPHEMERAL_FIRST = 32768 }; /* Linux: net.ipv4.ip_local_port_range */

struct hf_flows *hf_flows_new(void)
{
	struct hf_flows *f = hf_calloc(1, sizeof *f);

	f->arena = HF_ARENA(HF_FLOWS_ARENA_MAX);
	f->graph = HF_ARENA(HF_FLOWS_ARENA_MAX);
	f->names = hf_flow_names_new();
	f->instances = f->by_name = f->workloads = f->owners = f->flows = f->ports = f->texts = f->losses =
		HF_MAP(&f->arena);
	return f;
}

void hf_flows_free(struct hf_flows *f)
{
	if (!f)
		return;
	hf_arena_done(&f->arena);
	hf_arena_done(&f->graph);
	hf_flow_names_free(f->names);
	free(f);
}

/* The same text has the same pointer, and is kept once. */
static hf_sv intern(struct hf_flows *f, hf_sv text)
{
	struct hf_map_entry *e = hf_map_find(&f->texts, text);

	if (!e && text.len)
		e = hf_map_put(&f->texts, hf_arena_dup(&f->arena, text));
	return e ? e->key : (hf_sv){ 0 };
}

static struct gathered_workload *workload_of(struct hf_flows *f, const struct hf_workload_name *name)
{
	struct hf_map_entry *e = hf_map_find(&f->workloads, name->id);
	struct gathered_workload *w;

	if (e)
		return e->value;
	w = hf_arena_new(&f->arena, struct gathered_workload);
	if (!w)
		return NULL;
	w->name = *name;
	w->name.id = intern(f, name->id);
	w->name.name = intern(f, name->name);
	w->name.namespace = intern(f, name->namespace);
	w->name.owner_kind = intern(f, name->owner_kind);
	w->peer_names = HF_MAP(&f->arena);
	e = hf_map_put(&f->workloads, w->name.id);
	if (!e)
		return NULL;
	e->value = w;
	return w;
}

/* A container that is known by name alone so far: its peer's sensor event named it. */
static struct gathered_workload *workload_by_name(struct hf_flows *f, hf_sv container)
{
	struct hf_map_entry *e = hf_map_find(&f->by_name, container);
	struct hf_workload_name name = { .kind = HF_WORKLOAD_CONTAINER, .id = container, .name = container };

	if (e)
		return hf_gathered_real(e->value);
	if (f->by_name.n >= HF_FLOWS_CONTAINERS_MAX)
		return NULL;
	e = hf_map_put(&f->by_name, intern(f, container));
	if (!e)
		return NULL;
	e->value = workload_of(f, &name);
	return e->value;
}

static void bind_instance(struct hf_flows *f, struct gathered_instance *i, const struct hf_event *e)
{
	struct hf_arena scratch hf_cleanup(hf_arena_done) = HF_ARENA(HF_KIB(64));
	struct hf_workload_name name = hf_workload_name(e, &scratch);
	struct gathered_workload *w = workload_of(f, &name), *old = hf_gathered_real(i->workload);
	const struct hf_value *labels = &e->values[HF_FIELD_CONTAINER_LABELS];
	hf_sv container = hf_event_string(e, HF_FIELD_CONTAINER_NAME),
	      pod = hf_event_string(e, HF_FIELD_CONTAINER_POD_NAME);

	if (!w)
		return;
	w = hf_gathered_real(w);
	if (old && old != w)
		old->moved_to = w;
	i->workload = w;
	i->name = intern(f, pod.len ? pod : container);
	i->unresolved = hf_sv_eq(hf_event_string(e, HF_FIELD_CONTAINER_IDENTITY), HF_SV("unresolved"));
	i->bound = !i->unresolved;
	w->unresolved = i->unresolved ? intern(f, hf_event_string(e, HF_FIELD_CONTAINER_UNRESOLVED)) : (hf_sv){ 0 };
	if (i->unresolved && !w->unresolved.len)
		w->unresolved = HF_SV("no reason given");
	if (hf_event_has(e, HF_FIELD_CONTAINER_IMAGE_NAME))
		w->image = intern(f, hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME));
	if (labels->type == HF_VALUE_MAP && labels->n <= 1024) {
		hf_sv *copy = hf_arena_array(&f->arena, hf_sv, 2 * (size_t)labels->n);

		for (size_t k = 0; copy && k < 2 * (size_t)labels->n; k++)
			copy[k] = intern(f, labels->list[k]);
		i->labels = copy;
		i->labels_n = copy ? labels->n : 0;
	}
	struct hf_map_entry *named = container.len ? hf_map_find(&f->by_name, container) : NULL;

	if (named) {
		struct gathered_workload *stood = hf_gathered_real(named->value);

		/* What was known by this name alone; a second container of that name comes after the first is gone. */
		if (stood != w && hf_sv_eq(stood->name.id, container) && !stood->image.len)
			stood->moved_to = w;
		named->value = w;
	} else if (container.len && f->by_name.n < HF_FLOWS_CONTAINERS_MAX) {
		named = hf_map_put(&f->by_name, intern(f, container));
		if (named)
			named->value = w;
	}
}

static bool says_more(const struct gathered_instance *i, const struct hf_event *e)
{
	if (!i->workload)
		return true;
	return !i->bound && hf_event_has(e, HF_FIELD_CONTAINER_NAME) &&
	       !hf_sv_eq(hf_event_string(e, HF_FIELD_CONTAINER_IDENTITY), HF_SV("unresolved"));
}

static struct gathered_instance *instance_of(struct hf_flows *f, const struct hf_event *e)
{
	hf_sv id = hf_event_string(e, HF_FIELD_CONTAINER_ID);
	const struct hf_value *spaces = &e->values[HF_FIELD_CONTAINER_HOST_NAMESPACES];
	bool host;

	if (!id.len)
		id = hf_event_string(e, HF_FIELD_CONTAINER_NAME);
	host = !id.len;
	struct hf_map_entry *at = hf_map_find(&f->instances, id);

	if (!at) {
		if (f->instances.n >= HF_FLOWS_CONTAINERS_MAX)
			return NULL;
		at = hf_map_put(&f->instances, host ? HF_SV("") : intern(f, id));
		struct gathered_instance *made = at ? hf_arena_new(&f->arena, struct gathered_instance) : NULL;

		if (!made)
			return NULL;
		made->id = at->key;
		at->value = made;
	}
	struct gathered_instance *i = at->value;

	if (!i)
		return NULL;
	if (says_more(i, e))
		bind_instance(f, i, e);
	for (uint32_t k = 0; spaces->type == HF_VALUE_LIST && k < spaces->n; k++)
		i->host_network |= hf_sv_eq(spaces->list[k], HF_SV("network"));
	i->host_network |= host;
	return i->workload ? i : NULL;
}

static hf_sv bytes_of(const struct hf_address *a)
{
	return (hf_sv){ (const char *)a, sizeof *a };
}

static struct gathered_instance *owner_of(const struct hf_flows *f, const struct hf_address *a)
{
	struct hf_map_entry *e = hf_map_find(&f->owners, bytes_of(a));

	return e ? e->value : NULL;
}

static void own(struct hf_flows *f, struct gathered_instance *i, const struct hf_address *a, bool engine_says_so)
{
	enum hf_address_scope scope = hf_address_scope(a);
	struct hf_map_entry *e = hf_map_find(&f->owners, bytes_of(a));
	size_t k = 0;

	if (scope != HF_ADDRESS_PRIVATE && scope != HF_ADDRESS_PUBLIC)
		return;
	/* With the host's network the address is the host's; the host itself may have it. */
	if (i->id.len && (i->host_network || (i->unresolved && !engine_says_so)))
		return;
	if (e) {
		struct gathered_instance *old = e->value;

		if (old != i && !old->gone && !engine_says_so)
			return;
	} else {
		if (f->owners.n >= HF_FLOWS_ADDRESSES_MAX)
			return;
		e = hf_map_put(&f->owners, hf_arena_dup(&f->arena, bytes_of(a)));
		if (!e)
			return;
	}
	e->value = i;
	while (k < i->addresses_n && hf_address_cmp(&i->addresses[k], a))
		k++;
	if (k == i->addresses_n && k < HF_FLOW_INSTANCE_ADDRESSES_MAX)
		i->addresses[i->addresses_n++] = *a;
}

static uint8_t protocol_of(hf_sv text)
{
	uint64_t number;

	if (hf_sv_eq(text, HF_SV("tcp")))
		return HF_FLOW_TCP;
	if (hf_sv_eq(text, HF_SV("udp")))
		return HF_FLOW_UDP;
	if (hf_sv_eq(text, HF_SV("sctp")))
		return HF_FLOW_SCTP;
	return hf_sv_to_u64(text, &number) && number < 256 ? (uint8_t)number : 0;
}

static hf_sv process_of(struct hf_flows *f, const struct hf_event *e)
{
	hf_sv path = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);

	return intern(f, path.len ? path : hf_event_string(e, HF_FIELD_PROCESS_NAME));
}

/* The entry of a workload's open ports that holds @port, made where @make; NULL where there is none. */
static struct hf_port_open *port_of(struct hf_flows *f, struct gathered_workload *w, uint8_t protocol, uint16_t port,
				    bool make)
{
	size_t of_protocol = 0;

	for (size_t i = 0; i < w->ports.n; i++) {
		struct hf_port_open *p = &w->ports.at[i];

		if (p->protocol == protocol && p->port <= port && port <= p->port_last)
			return p;
		of_protocol += p->protocol == protocol;
	}
	struct hf_port_open *p = make && w->ports.n < 4 * HF_FLOW_PORTS_MAX ? hf_vec_push(&f->arena, &w->ports) : NULL;

	if (!p)
		return NULL;
	p->protocol = protocol;
	p->port = p->port_last = port;
	if (of_protocol >= HF_FLOW_PORTS_MAX) {
		p->port = HF_FLOW_PORT_ANY_FIRST;
		p->port_last = HF_FLOW_PORT_ANY_LAST;
	}
	return p;
}

static void listens(struct hf_flows *f, struct gathered_instance *i, const struct hf_event *e)
{
	struct hf_address local = { 0 };
	uint8_t protocol = protocol_of(hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL));
	uint64_t port = hf_event_uint(e, HF_FIELD_NETWORK_LOCAL_PORT);
	bool known = hf_address_of(hf_event_string(e, HF_FIELD_NETWORK_LOCAL_ADDRESS), &local);
	bool loopback = known && hf_address_scope(&local) == HF_ADDRESS_LOOPBACK;

	if (!protocol || !port || port > UINT16_MAX) {
		f->unusable++;
		return;
	}
	/* A datagram socket on a port that the kernel chose is a client's. */
	if (protocol == HF_FLOW_UDP && port >= EPHEMERAL_FIRST)
		return;
	if (known)
		own(f, i, &local, false);
	struct gathered_workload *w = hf_gathered_real(i->workload);
	struct hf_port_open *p = port_of(f, w, protocol, (uint16_t)port, false);

	if (p) {
		p->loopback &= loopback;
	} else {
		p = port_of(f, w, protocol, (uint16_t)port, true);
		if (!p)
			return;
		p->loopback = loopback;
	}
	if (!p->process.len)
		p->process = process_of(f, e);
}

static void note_time(char first[FLOW_TIME_MAX], char last[FLOW_TIME_MAX], hf_sv time)
{
	if (!time.len || time.len >= FLOW_TIME_MAX)
		return;
	if (!first[0] || hf_sv_cmp(time, hf_sv_of(first)) < 0) {
		memcpy(first, time.ptr, time.len);
		first[time.len] = 0;
	}
	if (!last[0] || hf_sv_cmp(time, hf_sv_of(last)) > 0) {
		memcpy(last, time.ptr, time.len);
		last[time.len] = 0;
	}
}

/* One event between two ends. */
struct contact {
	const struct hf_event *event;
	struct gathered_instance *self;
	struct hf_address remote;
	struct gathered_instance *peer; /* who has the address; NULL: not known */
	uint8_t protocol;
	uint16_t port; /* of the server */
	bool served;   /* self is the server */
};

static struct gathered_end outside(struct hf_flows *f, const struct contact *c)
{
	struct gathered_end end = { .kind = HF_PEER_OUTSIDE };
	struct gathered_workload *self = hf_gathered_real(c->self->workload);
	hf_sv name = hf_event_string(c->event, HF_FIELD_NETWORK_REMOTE_NAME);

	if (c->served)
		return end;
	if (!name.len)
		name = hf_flow_names_find(f->names, c->self, &c->remote);
	if (!name.len || (!hf_map_find(&self->peer_names, name) && self->peer_names.n >= HF_FLOW_PEER_NAMES_MAX))
		return end;
	name = intern(f, name);
	if (!name.len || !hf_map_put(&self->peer_names, name))
		return end;
	end.kind = HF_PEER_NAME;
	end.name = name;
	return end;
}

static struct gathered_end remote_end(struct hf_flows *f, const struct contact *c)
{
	struct gathered_end end = { .kind = HF_PEER_WORKLOAD };
	hf_sv container = hf_event_string(c->event, HF_FIELD_NETWORK_REMOTE_CONTAINER);

	if (c->peer)
		end.workload = hf_gathered_real(c->peer->workload);
	else if (container.len)
		end.workload = workload_by_name(f, container);
	return end.workload ? end : outside(f, c);
}

/* Whether one more port between two ends may have a flow of its own. */
static bool port_fits(struct hf_flows *f, struct gathered_end client, struct gathered_end server, uint8_t protocol)
{
	struct hf_map_entry *e;
	const void *key[5] = { client.workload, server.workload, client.name.ptr, server.name.ptr,
			       (const void *)(uintptr_t)((unsigned)protocol << 8 | (unsigned)client.kind << 4 |
							 (unsigned)server.kind) };

	e = hf_map_find(&f->ports, (hf_sv){ (const char *)key, sizeof key });
	if (!e)
		e = hf_map_put(&f->ports, hf_arena_dup(&f->arena, (hf_sv){ (const char *)key, sizeof key }));
	if (!e || (uintptr_t)e->value >= HF_FLOW_PORTS_MAX)
		return false;
	e->value = (void *)((uintptr_t)e->value + 1);
	return true;
}

static struct gathered_flow *flow_of(struct hf_flows *f, struct gathered_end client, struct gathered_end server,
				     uint8_t protocol, uint16_t port)
{
	struct gathered_flow *flow = hf_gathered_find(&f->flows, client, server, protocol, port, port);

	if (flow)
		return flow;
	if (f->flows.n >= HF_FLOWS_MAX)
		return NULL;
	if (port_fits(f, client, server, protocol))
		return hf_gathered_flow(&f->flows, &f->arena, client, server, protocol, port, port);
	return hf_gathered_flow(&f->flows, &f->arena, client, server, protocol, HF_FLOW_PORT_ANY_FIRST,
				HF_FLOW_PORT_ANY_LAST);
}

static void count(struct hf_flows *f, const struct contact *c)
{
	struct gathered_end self = { .kind = HF_PEER_WORKLOAD, .workload = hf_gathered_real(c->self->workload) };
	struct gathered_end remote = remote_end(f, c);
	struct gathered_flow *flow =
		flow_of(f, c->served ? remote : self, c->served ? self : remote, c->protocol, c->port);
	struct hf_port_open *open = c->served ? port_of(f, self.workload, c->protocol, c->port, true) : NULL;

	if (open)
		open->accepted++;
	if (!flow) {
		f->not_kept++;
		return;
	}
	if (c->event->kind == HF_EVENT_ACCEPT)
		flow->accepts++;
	else if (c->event->kind == HF_EVENT_CONNECT)
		flow->connects++;
	else
		flow->sends++;
	note_time(flow->first, flow->last, hf_event_string(c->event, HF_FIELD_TIME));
	hf_sv *process = c->served ? &flow->server_process : &flow->client_process;

	if (!process->len)
		*process = process_of(f, c->event);
	if (open && !open->process.len)
		open->process = *process;
	if (remote.kind != HF_PEER_WORKLOAD)
		hf_gathered_address(&f->arena, flow, &c->remote, 1);
}

/* Whether the end that sent a datagram is the one that serves. */
static bool serves(struct hf_flows *f, const struct contact *c, uint64_t local_port, uint64_t remote_port)
{
	if (!local_port || local_port > UINT16_MAX)
		return false;
	if (port_of(f, hf_gathered_real(c->self->workload), c->protocol, (uint16_t)local_port, false))
		return !c->peer ||
		       !port_of(f, hf_gathered_real(c->peer->workload), c->protocol, (uint16_t)remote_port, false);
	return local_port < EPHEMERAL_FIRST && remote_port >= EPHEMERAL_FIRST;
}

static void meets(struct hf_flows *f, struct gathered_instance *i, const struct hf_event *e)
{
	struct contact c = { .event = e,
			     .self = i,
			     .protocol = protocol_of(hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL)) };
	struct gathered_workload *w = hf_gathered_real(i->workload);
	uint64_t local_port = hf_event_uint(e, HF_FIELD_NETWORK_LOCAL_PORT);
	uint64_t remote_port = hf_event_uint(e, HF_FIELD_NETWORK_REMOTE_PORT);
	struct hf_address local;

	if (e->kind == HF_EVENT_DNS && !c.protocol)
		c.protocol = HF_FLOW_UDP;
	if (!c.protocol || !hf_address_of(hf_event_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS), &c.remote)) {
		f->unusable++;
		return;
	}
	enum hf_address_scope scope = hf_address_scope(&c.remote);

	if (e->kind != HF_EVENT_ACCEPT && remote_port == 53) {
		w->dns = true;
		w->local_resolver |= scope == HF_ADDRESS_LOOPBACK;
	}
	if (hf_address_of(hf_event_string(e, HF_FIELD_NETWORK_LOCAL_ADDRESS), &local))
		own(f, i, &local, false);
	c.peer = owner_of(f, &c.remote);
	if (scope == HF_ADDRESS_LOOPBACK || scope == HF_ADDRESS_UNSPECIFIED || c.peer == i) {
		struct hf_port_open *open = e->kind == HF_EVENT_ACCEPT && local_port && local_port <= UINT16_MAX
						    ? port_of(f, w, c.protocol, (uint16_t)local_port, false)
						    : NULL;
		if (open)
			open->accepted++;
		f->internal++;
		return;
	}
	c.served = e->kind == HF_EVENT_ACCEPT;
	if (e->kind == HF_EVENT_SEND)
		c.served = serves(f, &c, local_port, remote_port);
	uint64_t port = c.served ? local_port : remote_port;

	if (!port || port > UINT16_MAX) {
		f->unusable++;
		return;
	}
	c.port = (uint16_t)port;
	count(f, &c);
}

static void answers(struct hf_flows *f, struct gathered_instance *i, const struct hf_event *e)
{
	const struct hf_value *list = &e->values[HF_FIELD_DNS_ADDRESSES];
	struct hf_address a;

	hf_gathered_real(i->workload)->dns = true;
	for (uint32_t k = 0; list->type == HF_VALUE_LIST && k < list->n; k++)
		if (hf_address_of(list->list[k], &a))
			hf_flow_names_put(f->names, i, &a, hf_event_string(e, HF_FIELD_DNS_NAME));
	if (hf_event_has(e, HF_FIELD_NETWORK_REMOTE_ADDRESS) && hf_event_uint(e, HF_FIELD_NETWORK_REMOTE_PORT) == 53)
		meets(f, i, e);
}

/* Losses are totals since the sensor started: the last one of each kind and container counts. */
static void loses(struct hf_flows *f, const struct hf_event *e)
{
	struct hf_arena scratch hf_cleanup(hf_arena_done) = HF_ARENA(HF_KIB(64));
	hf_sv key = hf_arena_fmt(&scratch, "%.*s/%.*s", HF_SV_FMT(hf_event_string(e, HF_FIELD_LOSS_KIND)),
				 HF_SV_FMT(hf_event_string(e, HF_FIELD_CONTAINER_ID)));
	struct hf_map_entry *at = hf_map_find(&f->losses, key);
	uint64_t *n;

	if (!at && f->losses.n < HF_FLOWS_CONTAINERS_MAX)
		at = hf_map_put(&f->losses, hf_arena_dup(&f->arena, key));
	if (!at)
		return;
	if (!at->value)
		at->value = hf_arena_new(&f->arena, uint64_t);
	n = at->value;
	if (n)
		*n = hf_event_uint(e, HF_FIELD_LOSS_DROPPED);
}

static bool concerns(enum hf_event_kind kind)
{
	return kind == HF_EVENT_LISTEN || kind == HF_EVENT_ACCEPT || kind == HF_EVENT_CONNECT ||
	       kind == HF_EVENT_SEND || kind == HF_EVENT_DNS;
}

int hf_flows_take(struct hf_flows *f, const struct hf_event *e, struct hf_err *err)
{
	struct gathered_instance *i;
	struct hf_address a;

	if (e->kind == HF_EVENT_LOSS)
		loses(f, e);
	if (!concerns(e->kind) && e->kind != HF_EVENT_CONTAINER_START && e->kind != HF_EVENT_CONTAINER_STOP)
		return HF_OK;
	if (hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		return HF_OK;
	f->events += concerns(e->kind);
	i = instance_of(f, e);
	if (!i) {
		f->not_kept += concerns(e->kind);
	} else {
		note_time(f->first, f->last, hf_event_string(e, HF_FIELD_TIME));
		if (e->kind == HF_EVENT_CONTAINER_START || e->kind == HF_EVENT_CONTAINER_STOP)
			i->gone = e->kind == HF_EVENT_CONTAINER_STOP;
		/* Its last events may come after another one got the address. */
		if (!i->gone && hf_address_of(hf_event_string(e, HF_FIELD_CONTAINER_ADDRESS), &a))
			own(f, i, &a, true);
		if (e->kind == HF_EVENT_LISTEN)
			listens(f, i, e);
		else if (e->kind == HF_EVENT_DNS)
			answers(f, i, e);
		else if (concerns(e->kind))
			meets(f, i, e);
	}
	return f->arena.over ? hf_fail(err, HF_E_LIMIT, "flows take more than %llu MiB",
				       (unsigned long long)(HF_FLOWS_ARENA_MAX >> 20))
			     : HF_OK;
}
