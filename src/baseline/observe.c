#include "baseline/observe.h"

#include "baseline/shape.h"

typedef HF_VEC(struct hf_observation) observation_list;

static struct hf_observation *add(observation_list *list, struct hf_arena *a, enum hf_profile_part part, hf_sv object)
{
	struct hf_observation *o = object.len ? hf_vec_push(a, list) : NULL;

	if (o) {
		o->part = part;
		o->object = object;
		o->unknowable = hf_profile_object_wrong(part, object) != NULL;
	}
	return o;
}

static bool is_of_image(hf_sv drift)
{
	return hf_sv_eq(drift, HF_SV("image")) || hf_sv_eq(drift, HF_SV("metadata_only"));
}

static void see_exec(const struct hf_event *e, struct hf_arena *a, observation_list *list)
{
	const struct hf_value *arguments = &e->values[HF_FIELD_PROCESS_ARGUMENTS];
	hf_sv path = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH),
	      script = hf_event_string(e, HF_FIELD_PROCESS_SCRIPT);
	struct hf_observation *o = add(list, a, HF_PROFILE_EXECUTABLES, hf_shape_literal(path, a));

	if (o) {
		o->details[0] = hf_event_string(e, HF_FIELD_PROCESS_EXE_DIGEST);
		o->unknowable |= hf_event_bool(e, HF_FIELD_PROCESS_EXE_TRUNCATED) ||
				 hf_event_bool(e, HF_FIELD_PROCESS_EXE_MEMORY) ||
				 hf_event_bool(e, HF_FIELD_PROCESS_EXE_DELETED);
		o->in_image = is_of_image(hf_event_string(e, HF_FIELD_PROCESS_EXE_DRIFT));
		o->arguments_cut =
			hf_event_bool(e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED) || arguments->type != HF_VALUE_LIST;
		o->arguments = arguments->type == HF_VALUE_LIST ? arguments->list : NULL;
		o->arguments_n = o->arguments ? arguments->n : 0;
	}
	add(list, a, HF_PROFILE_SCRIPTS, hf_shape_literal(script, a));
	if (hf_event_has(e, HF_FIELD_PROCESS_UID))
		add(list, a, HF_PROFILE_USERS,
		    hf_arena_fmt(a, "%llu", (unsigned long long)hf_event_uint(e, HF_FIELD_PROCESS_UID)));
}

static void see_map(const struct hf_event *e, struct hf_arena *a, observation_list *list)
{
	hf_sv build_id = hf_event_string(e, HF_FIELD_MAP_BUILD_ID);
	struct hf_observation *o =
		add(list, a, HF_PROFILE_LIBRARIES, hf_shape_literal(hf_event_string(e, HF_FIELD_MAP_PATH), a));

	if (!o)
		return;
	o->details[0] = hf_event_string(e, HF_FIELD_MAP_DIGEST);
	if (build_id.len)
		o->details[1] = hf_arena_concat(a, HF_SV("build-id:"), build_id);
	o->in_image = is_of_image(hf_event_string(e, HF_FIELD_MAP_DRIFT));
}

static void see_file(const struct hf_event *e, struct hf_arena *a, observation_list *list)
{
	hf_sv operation = hf_event_string(e, HF_FIELD_FILE_OPERATION);
	const enum hf_event_field paths[] = { HF_FIELD_FILE_PATH, HF_FIELD_FILE_PATH_OLD };

	if (hf_sv_eq(operation, HF_SV("open")))
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++) {
		struct hf_observation *o =
			add(list, a, HF_PROFILE_FILES, hf_shape_path(hf_event_string(e, paths[i]), a));
		if (!o)
			continue;
		o->details[0] = operation;
		o->unknowable |= hf_event_bool(e, HF_FIELD_FILE_TRUNCATED);
	}
}

static hf_sv peer(hf_sv protocol, uint64_t port, const char *kind, hf_sv value, struct hf_arena *a)
{
	return hf_arena_fmt(a, "%.*s/%llu %s:%.*s", HF_SV_FMT(protocol), (unsigned long long)port, kind,
			    HF_SV_FMT(value));
}

static void see_peer(const struct hf_event *e, struct hf_arena *a, observation_list *list)
{
	hf_sv protocol = hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL);
	hf_sv address = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS);
	hf_sv name = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_NAME);
	hf_sv container = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_CONTAINER);
	uint64_t port = hf_event_uint(e, HF_FIELD_NETWORK_REMOTE_PORT);
	struct hf_observation *o;

	if (name.len)
		add(list, a, HF_PROFILE_PEERS, peer(protocol, port, "name", hf_shape_literal(name, a), a));
	else if (container.len)
		add(list, a, HF_PROFILE_PEERS, peer(protocol, port, "container", hf_shape_literal(container, a), a));
	else if (address.len) {
		hf_sv kept = hf_sv_starts(address, HF_SV("127.")) ? HF_SV("127.0.0.0/8") : address;
		o = add(list, a, HF_PROFILE_PEERS, peer(protocol, port, "address", kept, a));
		if (o)
			o->address = address;
	}
}

/* Look-ups of addresses have a name for each address: what counts is that they are made. */
static hf_sv dns_name(hf_sv name, struct hf_arena *a)
{
	if (hf_sv_ends(name, HF_SV(".in-addr.arpa")))
		return HF_SV("{any}.in-addr.arpa");
	if (hf_sv_ends(name, HF_SV(".ip6.arpa")))
		return HF_SV("{any}.ip6.arpa");
	return hf_shape_literal(name, a);
}

static void see_list(const struct hf_event *e, enum hf_event_field field, enum hf_profile_part part, struct hf_arena *a,
		     observation_list *list)
{
	const struct hf_value *v = &e->values[field];

	for (size_t i = 0; v->type == HF_VALUE_LIST && i < v->n; i++)
		add(list, a, part, hf_shape_literal(v->list[i], a));
}

uint32_t hf_observe_parts(enum hf_event_kind kind)
{
	switch (kind) {
	case HF_EVENT_EXEC:
		return 1u << HF_PROFILE_EXECUTABLES | 1u << HF_PROFILE_SCRIPTS | 1u << HF_PROFILE_USERS;
	case HF_EVENT_MAP:
		return 1u << HF_PROFILE_LIBRARIES;
	case HF_EVENT_FILE:
		return 1u << HF_PROFILE_FILES;
	case HF_EVENT_LISTEN:
		return 1u << HF_PROFILE_LISTEN;
	case HF_EVENT_CONNECT:
	case HF_EVENT_SEND:
		return 1u << HF_PROFILE_PEERS;
	case HF_EVENT_DNS:
		return 1u << HF_PROFILE_DNS;
	case HF_EVENT_CAPABILITY:
		return 1u << HF_PROFILE_CAPABILITIES;
	case HF_EVENT_NAMESPACE:
		return 1u << HF_PROFILE_NAMESPACES;
	case HF_EVENT_IO_URING:
		return 1u << HF_PROFILE_IO_URING;
	case HF_EVENT_SYSCALLS:
		return 1u << HF_PROFILE_SYSTEM_CALLS;
	case HF_EVENT_FORK:
	case HF_EVENT_EXIT:
	case HF_EVENT_CONTAINER_START:
	case HF_EVENT_CONTAINER_STOP:
	case HF_EVENT_ACCEPT:
	case HF_EVENT_BPF:
	case HF_EVENT_MODULE:
	case HF_EVENT_PTRACE:
	case HF_EVENT_SIGNAL:
	case HF_EVENT_LOSS:
	case HF_EVENT_HEALTH:
	case HF_EVENT_ALERT:
	case HF_EVENT_DENIAL:
	case HF_EVENT_KINDS:
		return 0;
	}
	return 0;
}

struct hf_observations hf_observe(const struct hf_event *e, struct hf_arena *a)
{
	observation_list list = { 0 };
	struct hf_observation *o;
	uint32_t parts = hf_observe_parts(e->kind);

	if (!parts || hf_event_bool(e, HF_FIELD_PROCESS_SETUP) || !hf_event_has(e, HF_FIELD_CONTAINER_ID))
		return (struct hf_observations){ 0 };
	if (parts & 1u << HF_PROFILE_EXECUTABLES)
		see_exec(e, a, &list);
	else if (parts & 1u << HF_PROFILE_LIBRARIES)
		see_map(e, a, &list);
	else if (parts & 1u << HF_PROFILE_FILES)
		see_file(e, a, &list);
	else if (parts & 1u << HF_PROFILE_LISTEN)
		add(&list, a, HF_PROFILE_LISTEN,
		    hf_profile_port(hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL),
				    hf_event_uint(e, HF_FIELD_NETWORK_LOCAL_PORT), a));
	else if (parts & 1u << HF_PROFILE_PEERS)
		see_peer(e, a, &list);
	else if (parts & 1u << HF_PROFILE_DNS)
		add(&list, a, HF_PROFILE_DNS, dns_name(hf_event_string(e, HF_FIELD_DNS_NAME), a));
	else if (parts & 1u << HF_PROFILE_CAPABILITIES) {
		o = add(&list, a, HF_PROFILE_CAPABILITIES, hf_event_string(e, HF_FIELD_CAPABILITY_NAME));
		if (o)
			o->details[0] = hf_event_string(e, HF_FIELD_CAPABILITY_SYSCALL);
	} else if (parts & 1u << HF_PROFILE_NAMESPACES)
		see_list(e, HF_FIELD_NAMESPACE_TYPES, HF_PROFILE_NAMESPACES, a, &list);
	else if (parts & 1u << HF_PROFILE_IO_URING)
		add(&list, a, HF_PROFILE_IO_URING,
		    hf_shape_literal(hf_event_string(e, HF_FIELD_IO_URING_OPERATION), a));
	else if (parts & 1u << HF_PROFILE_SYSTEM_CALLS)
		see_list(e, HF_FIELD_SYSCALLS_NAMES, HF_PROFILE_SYSTEM_CALLS, a, &list);
	return (struct hf_observations){ list.at, list.n };
}
