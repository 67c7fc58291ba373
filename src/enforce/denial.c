#include "enforce/denial.h"

#include "enforce/policy.h"
#include "enforce/rung.h"
#include "sensor/procfs.h"

static hf_sv name_of(const char name[16], struct hf_arena *a)
{
	return hf_arena_dup(a, (hf_sv){ name, strnlen(name, 16) });
}

static void process_fields(const struct hf_record *h, struct hf_arena *a, struct hf_event *e)
{
	hf_event_set_uint(e, HF_FIELD_PROCESS_PID, h->pid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_TID, h->tid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_PID_IN_CONTAINER, h->pid_in_container);
	hf_event_set_uint(e, HF_FIELD_PROCESS_START_NS, h->start_ns);
	hf_event_set_string(e, HF_FIELD_PROCESS_NAME, name_of(h->name, a));
	hf_event_set_uint(e, HF_FIELD_PROCESS_UID, h->uid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_GID, h->gid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_CAPABILITIES, h->capabilities);
	hf_event_set_uint(e, HF_FIELD_PROCESS_PARENT_PID, h->parent_pid);
	hf_event_set_string(e, HF_FIELD_PROCESS_PARENT_NAME, name_of(h->parent_name, a));
}

static hf_sv protocol_name(uint8_t protocol, struct hf_arena *a)
{
	return protocol == 6 ? HF_SV("tcp") : protocol == 17 ? HF_SV("udp") : hf_arena_fmt(a, "%u", protocol);
}

static void peer_fields(const struct hf_record_denial *r, struct hf_arena *a, struct hf_event *e)
{
	char text[46];
	hf_sv protocol = protocol_name(r->protocol, a), address;

	address = hf_arena_dup(a, hf_socket_address_text(r->address, 16, text));
	hf_event_set_string(e, HF_FIELD_NETWORK_PROTOCOL, protocol);
	hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS, address);
	hf_event_set_uint(e, HF_FIELD_NETWORK_REMOTE_PORT, r->port);
	hf_event_set_string(e, HF_FIELD_DENIAL_OBJECT,
			    hf_arena_fmt(a, "%.*s/%u %.*s", HF_SV_FMT(protocol), r->port, HF_SV_FMT(address)));
}

int denial_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_record_denial *ret, struct hf_err *err)
{
	struct hf_record_denial r;

	if (record.len < sizeof r)
		return hf_fail(err, HF_E_FORMAT, "record of a denial ends too early");
	memcpy(&r, record.ptr, sizeof r);
	*ret = r;
	const struct hf_rung *rung = hf_rung_by(r.by);
	hf_sv path = hf_sv_slice(record, sizeof r, r.path_length);
	if (r.rule >= HF_DENIES || !rung || path.len != r.path_length)
		return hf_fail(err, HF_E_FORMAT, "record of a denial that is none");
	e->kind = HF_EVENT_DENIAL;
	process_fields(&r.head, a, e);
	hf_event_set_string(e, HF_FIELD_DENIAL_RULE, hf_sv_of(hf_deny_name(r.rule)));
	hf_event_set_string(e, HF_FIELD_DENIAL_RUNG, hf_sv_of(rung->name));
	hf_event_set_string(e, HF_FIELD_DENIAL_RESIDUAL, hf_sv_of(rung->residual));
	hf_event_set_bool(e, HF_FIELD_DENIAL_DRY_RUN, r.flags & HF_DENIAL_DRY);
	if (r.rule == HF_DENY_IMDS || r.rule == HF_DENY_PEERS) {
		peer_fields(&r, a, e);
	} else if (r.rule == HF_DENY_DEVICES) {
		hf_event_set_string(
			e, HF_FIELD_DENIAL_OBJECT,
			hf_arena_fmt(a, "%s %u:%u", r.device >> 16 == 1 ? "block" : "character", r.major, r.minor));
	} else if (r.rule == HF_DENY_FILELESS && path.len <= 1) {
		hf_event_set_string(e, HF_FIELD_DENIAL_OBJECT, HF_SV("a program without a file"));
	} else {
		hf_event_set_string(e, HF_FIELD_DENIAL_OBJECT, path);
		hf_event_set_string(e, r.rule == HF_DENY_FILES ? HF_FIELD_FILE_PATH : HF_FIELD_PROCESS_EXE_PATH, path);
		if (r.flags & HF_DENIAL_TRUNCATED)
			hf_event_set_bool(
				e, r.rule == HF_DENY_FILES ? HF_FIELD_FILE_TRUNCATED : HF_FIELD_PROCESS_EXE_TRUNCATED,
				true);
	}
	return 0;
}
