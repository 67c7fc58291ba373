#include "harden/usage.h"

#include "baseline/profile.h"

enum { LISTED_MAX = 8 };

void hf_usage_init(struct hf_usage *u, struct hf_arena *a)
{
	*u = (struct hf_usage){ .arena = a };
	struct hf_names *const sets[] = {
		&u->containers, &u->images,        &u->image_digests, &u->workloads, &u->executables,
		&u->libraries,  &u->files_written, &u->files_read,    &u->syscalls,  &u->capability_syscalls,
		&u->ports,      &u->peers,         &u->users,         &u->namespaces
	};
	for (size_t i = 0; i < HF_ARRAY_SIZE(sets); i++)
		*sets[i] = HF_NAMES(a);
}

static bool is_wanted(const struct hf_usage *u, const struct hf_event *e)
{
	hf_sv id = hf_event_string(e, HF_FIELD_CONTAINER_ID);

	if (!id.len)
		return false;
	return !u->wanted.len || hf_sv_eq(u->wanted, id) ||
	       hf_sv_eq(u->wanted, hf_event_string(e, HF_FIELD_CONTAINER_NAME)) ||
	       (u->wanted.len >= 12 && hf_sv_starts(id, u->wanted));
}

static void take_capability(struct hf_usage *u, const struct hf_event *e)
{
	hf_sv name = hf_event_string(e, HF_FIELD_CAPABILITY_NAME);
	uint64_t bit = hf_capability_of(name);

	/* What was refused the workload lived without. */
	if (!hf_event_bool(e, HF_FIELD_CAPABILITY_ALLOWED))
		return;
	if (!bit) {
		u->lost |= 1u << HF_EVENT_CAPABILITY;
		return;
	}
	u->capabilities |= bit;
	hf_names_add(&u->capability_syscalls, hf_arena_fmt(u->arena, "%.*s %.*s", HF_SV_FMT(name),
							   HF_SV_FMT(hf_event_string(e, HF_FIELD_CAPABILITY_SYSCALL))));
}

static void take_file(struct hf_usage *u, const struct hf_event *e)
{
	hf_sv path = hf_event_string(e, HF_FIELD_FILE_PATH), old = hf_event_string(e, HF_FIELD_FILE_PATH_OLD);

	if (hf_event_bool(e, HF_FIELD_FILE_TRUNCATED) || !path.len || path.ptr[0] != '/') {
		u->truncated++;
		u->lost |= 1u << HF_EVENT_FILE;
		return;
	}
	if (hf_sv_eq(hf_event_string(e, HF_FIELD_FILE_OPERATION), HF_SV("open"))) {
		hf_names_add(&u->files_read, path);
		return;
	}
	hf_names_add(&u->files_written, path);
	hf_names_add(&u->files_written, old);
}

static void take_listen(struct hf_usage *u, const struct hf_event *e)
{
	hf_sv protocol = hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL);

	hf_names_add(&u->ports, hf_arena_fmt(u->arena, "%llu/%.*s",
					     (unsigned long long)hf_event_uint(e, HF_FIELD_NETWORK_LOCAL_PORT),
					     HF_SV_FMT(protocol)));
}

static void take_peer(struct hf_usage *u, const struct hf_event *e)
{
	hf_sv name = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_NAME),
	      address = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS),
	      protocol = hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL);
	bool is_v6 = hf_sv_index(address, ':') != SIZE_MAX;

	hf_names_add(&u->peers, hf_arena_fmt(u->arena, "%.*s%s%s%.*s%s:%llu/%.*s", HF_SV_FMT(name), name.len ? " " : "",
					     is_v6 ? "[" : "", HF_SV_FMT(address), is_v6 ? "]" : "",
					     (unsigned long long)hf_event_uint(e, HF_FIELD_NETWORK_REMOTE_PORT),
					     HF_SV_FMT(protocol)));
}

static void take_list(struct hf_names *set, const struct hf_event *e, enum hf_event_field field)
{
	const struct hf_value *v = &e->values[field];

	for (uint32_t i = 0; v->type == HF_VALUE_LIST && i < v->n; i++)
		hf_names_add(set, v->list[i]);
}

/* Loss is told by container and kind; a loss without a container may be of any. */
static void take_loss(struct hf_usage *u, const struct hf_event *e)
{
	enum hf_event_kind kind;

	if (!hf_event_kind_of(hf_event_string(e, HF_FIELD_LOSS_KIND), &kind))
		return;
	u->known |= 1u << kind;
	if (hf_event_uint(e, HF_FIELD_LOSS_DROPPED))
		u->lost |= 1u << kind;
}

static void take_time(struct hf_usage *u, const struct hf_event *e)
{
	uint64_t at = hf_event_uint(e, HF_FIELD_MONOTONIC_NS);

	if (hf_event_bool(e, HF_FIELD_CONTAINER_STARTED_BEFORE))
		u->running_before = true;
	else if (e->kind == HF_EVENT_CONTAINER_START)
		u->from_start = true;
	if (!at)
		return;
	u->first_ns = u->first_ns && u->first_ns < at ? u->first_ns : at;
	u->last_ns = u->last_ns > at ? u->last_ns : at;
}

static void take_exec(struct hf_usage *u, const struct hf_event *e)
{
	hf_names_add(&u->executables, hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH));
	hf_sv script = hf_event_string(e, HF_FIELD_PROCESS_SCRIPT);
	if (hf_sv_starts(script, HF_SV("/")))
		hf_names_add(&u->executables, script);
	u->setuid |= hf_event_bool(e, HF_FIELD_PROCESS_EXE_SETUID);
}

static void take_kind(struct hf_usage *u, const struct hf_event *e)
{
	switch (e->kind) {
	case HF_EVENT_EXEC:
		take_exec(u, e);
		break;
	case HF_EVENT_MAP:
		hf_names_add(&u->libraries, hf_event_string(e, HF_FIELD_MAP_PATH));
		break;
	case HF_EVENT_CAPABILITY:
		take_capability(u, e);
		break;
	case HF_EVENT_FILE:
		take_file(u, e);
		break;
	case HF_EVENT_LISTEN:
		take_listen(u, e);
		break;
	case HF_EVENT_CONNECT:
	case HF_EVENT_SEND:
		take_peer(u, e);
		break;
	case HF_EVENT_SYSCALLS:
		take_list(&u->syscalls, e, HF_FIELD_SYSCALLS_NAMES);
		break;
	case HF_EVENT_NAMESPACE:
		take_list(&u->namespaces, e, HF_FIELD_NAMESPACE_TYPES);
		break;
	case HF_EVENT_ALERT:
		u->alerts++;
		break;
	case HF_EVENT_FORK:
	case HF_EVENT_EXIT:
	case HF_EVENT_CONTAINER_START:
	case HF_EVENT_CONTAINER_STOP:
	case HF_EVENT_ACCEPT:
	case HF_EVENT_DNS:
	case HF_EVENT_IO_URING:
	case HF_EVENT_BPF:
	case HF_EVENT_MODULE:
	case HF_EVENT_PTRACE:
	case HF_EVENT_SIGNAL:
	case HF_EVENT_LOSS:
	case HF_EVENT_HEALTH:
	case HF_EVENT_DENIAL:
	case HF_EVENT_KINDS:
		break;
	}
}

/* Replicas have one image and one owner; a container of which neither is known is one by itself. */
static void add_workload(struct hf_usage *u, const struct hf_event *e)
{
	hf_sv name = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME),
	      digest = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST);
	hf_sv owner = hf_profile_owner(e, u->arena), image = name.len ? name : digest;

	if (!image.len && !owner.len)
		image = hf_event_string(e, HF_FIELD_CONTAINER_ID);
	hf_names_add(&u->workloads,
		     owner.len ? hf_arena_fmt(u->arena, "%.*s of %.*s", HF_SV_FMT(image), HF_SV_FMT(owner)) : image);
}

int hf_usage_take(void *usage, const struct hf_event *e, struct hf_err *err)
{
	struct hf_usage *u = usage;
	hf_sv id = hf_event_string(e, HF_FIELD_CONTAINER_ID);

	if (e->kind == HF_EVENT_LOSS && (!id.len || is_wanted(u, e))) {
		take_loss(u, e);
		return HF_OK;
	}
	if (!is_wanted(u, e)) {
		u->other_events += id.len > 0;
		return HF_OK;
	}
	/* What the runtime does is no use, but shows that the kind was recorded. */
	u->known |= 1u << e->kind;
	if (hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		return HF_OK;
	if (hf_event_bool(e, HF_FIELD_PROCESS_ENTERED) && !u->entered) {
		u->entered_events++;
		return HF_OK;
	}
	u->events++;
	take_time(u, e);
	hf_names_add(&u->containers, id);
	hf_names_add(&u->images, hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME));
	add_workload(u, e);
	hf_names_add(&u->image_digests, hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST));
	if (hf_event_has(e, HF_FIELD_PROCESS_UID))
		hf_names_add(&u->users, hf_arena_fmt(u->arena, "%llu",
						     (unsigned long long)hf_event_uint(e, HF_FIELD_PROCESS_UID)));
	take_kind(u, e);
	return u->arena->over ? hf_fail(err, HF_E_LIMIT, "what was used does not fit into %zu bytes", u->arena->cap)
			      : HF_OK;
}

static int list_workloads(struct hf_usage *u, struct hf_err *err)
{
	const hf_sv *all = hf_names_list(&u->workloads);
	size_t n = hf_names_count(&u->workloads);
	hf_sv text = { 0 };

	for (size_t i = 0; i < n && i < LISTED_MAX; i++)
		text = hf_arena_fmt(u->arena, "%.*s%s%.*s", HF_SV_FMT(text), i ? ", " : "", HF_SV_FMT(all[i]));
	return hf_fail(err, HF_E_USAGE,
		       "%zu containers of %zu workloads, which have not one hardening: choose one with --container. "
		       "They are %.*s%s",
		       hf_names_count(&u->containers), n, HF_SV_FMT(text), n > LISTED_MAX ? ", …" : "");
}

int hf_usage_check(struct hf_usage *u, struct hf_err *err)
{
	if (!u->events && u->wanted.len)
		return hf_fail(err, HF_E_MISSING, "no event of container %.*s (%zu of other containers)",
			       HF_SV_FMT(u->wanted), u->other_events);
	if (!u->events)
		return hf_fail(err, HF_E_MISSING, "no event of a container");
	if (hf_names_count(&u->image_digests) > 1 || (!u->wanted.len && hf_names_count(&u->workloads) > 1))
		return list_workloads(u, err);
	return HF_OK;
}
