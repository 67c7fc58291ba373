#include "sensor/object_record.h"

#include "bpf/object.h"
#include "sensor/dns.h"
#include "sensor/names.h"
#include "sensor/procfs.h"

bool hf_object_is(uint32_t kind)
{
	switch (kind) {
	case HF_OBJECT_CAPABILITY:
	case HF_OBJECT_LISTEN:
	case HF_OBJECT_ACCEPT:
	case HF_OBJECT_CONNECT:
	case HF_OBJECT_SEND:
	case HF_OBJECT_DNS:
	case HF_OBJECT_NAMESPACE:
	case HF_OBJECT_IO_URING:
	case HF_OBJECT_MODULE:
	case HF_OBJECT_SIGNAL:
	case HF_OBJECT_SYSCALLS:
		return true;
	default:
		return false;
	}
}

static int too_short(struct hf_err *err, uint32_t kind)
{
	return hf_fail(err, HF_E_FORMAT, "record of kind %u ends too early", kind);
}

static hf_sv address_of(const uint8_t *address, uint8_t family, struct hf_arena *a)
{
	char text[46];

	return hf_arena_dup(a, hf_socket_address_text(address, family == 6 ? 16 : 4, text));
}

static int socket_event(hf_sv record, uint32_t kind, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_socket r;

	if (record.len < sizeof r)
		return too_short(err, kind);
	memcpy(&r, record.ptr, sizeof r);
	if (r.family != 4 && r.family != 6)
		return hf_fail(err, HF_E_FORMAT, "socket of address family %u", r.family);
	hf_event_set_string(e, HF_FIELD_NETWORK_PROTOCOL, hf_protocol_name(r.protocol, a));
	if (kind == HF_OBJECT_LISTEN || kind == HF_OBJECT_ACCEPT) {
		hf_event_set_string(e, HF_FIELD_NETWORK_LOCAL_ADDRESS, address_of(r.local, r.family, a));
		hf_event_set_uint(e, HF_FIELD_NETWORK_LOCAL_PORT, r.local_port);
	}
	if (kind != HF_OBJECT_LISTEN) {
		hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS, address_of(r.remote, r.family, a));
		hf_event_set_uint(e, HF_FIELD_NETWORK_REMOTE_PORT, r.remote_port);
	}
	return 0;
}

static int dns_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_dns r;
	struct hf_dns d;

	if (record.len < sizeof r)
		return too_short(err, HF_OBJECT_DNS);
	memcpy(&r, record.ptr, sizeof r);
	if (r.length > record.len - sizeof r || (r.family != 4 && r.family != 6))
		return too_short(err, HF_OBJECT_DNS);
	int code = hf_dns_parse(hf_sv_slice(record, sizeof r, r.length), a, &d, err);
	if (code < 0)
		return code;
	hf_sv *addresses = hf_arena_array(a, hf_sv, d.addresses_n);
	if (!addresses)
		return hf_fail(err, HF_E_LIMIT, "DNS answer");
	memcpy(addresses, d.addresses, d.addresses_n * sizeof *addresses);
	hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS, address_of(r.server, r.family, a));
	hf_event_set_string(e, HF_FIELD_DNS_NAME, d.name);
	hf_event_set_string(e, HF_FIELD_DNS_TYPE, d.type);
	if (d.response) {
		hf_event_set_string(e, HF_FIELD_DNS_RESPONSE, d.code);
		hf_event_set_list(e, HF_FIELD_DNS_ADDRESSES, addresses, d.addresses_n);
	}
	return code;
}

static hf_sv call_name(const struct hf_record *head, uint32_t number, struct hf_arena *a)
{
	return head->flags & HF_RECORD_COMPAT ? hf_syscall_name_compat(number, a) : hf_syscall_name(number, a);
}

static int number_event(hf_sv record, uint32_t kind, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_number r;

	if (record.len < sizeof r)
		return too_short(err, kind);
	memcpy(&r, record.ptr, sizeof r);
	if (kind == HF_OBJECT_CAPABILITY) {
		hf_event_set_string(e, HF_FIELD_CAPABILITY_NAME, hf_capability_name(r.number, a));
		hf_event_set_bool(e, HF_FIELD_CAPABILITY_ALLOWED, r.result == 0);
		if (r.syscall != UINT32_MAX) /* a fault: no system call */
			hf_event_set_string(e, HF_FIELD_CAPABILITY_SYSCALL, call_name(&r.head, r.syscall, a));
	} else if (kind == HF_OBJECT_IO_URING) {
		hf_event_set_string(e, HF_FIELD_IO_URING_OPERATION,
				    r.number == HF_URING_SETUP ? HF_SV("setup") : hf_io_uring_name(r.number, a));
	} else {
		hf_event_set_uint(e, HF_FIELD_SIGNAL_NUMBER, r.number);
		hf_event_set_uint(e, HF_FIELD_TARGET_PID, r.target_pid);
	}
	return 0;
}

static int module_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_module r;

	if (record.len < sizeof r)
		return too_short(err, HF_OBJECT_MODULE);
	memcpy(&r, record.ptr, sizeof r);
	hf_event_set_string(e, HF_FIELD_MODULE_NAME,
			    hf_arena_dup(a, (hf_sv){ r.module, strnlen(r.module, sizeof r.module) }));
	return 0;
}

static int syscalls_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_syscalls r;
	HF_VEC(hf_sv) names = { 0 };

	if (record.len < sizeof r)
		return too_short(err, HF_OBJECT_SYSCALLS);
	memcpy(&r, record.ptr, sizeof r);
	for (uint32_t i = 0; i < HF_SYSCALLS_MAX; i++) {
		if (!(r.bits[i / 64] >> i % 64 & 1))
			continue;
		hf_sv *name = hf_vec_push(a, &names);
		if (name)
			*name = call_name(&r.head, i, a);
	}
	if (!a->over)
		hf_event_set_list(e, HF_FIELD_SYSCALLS_NAMES, names.at, names.n);
	return 0;
}

static int namespace_event(hf_sv record, const struct hf_namespace_set *host, struct hf_arena *a, struct hf_event *e,
			   struct hf_err *err)
{
	struct hf_record_namespaces r;
	struct hf_namespace_set before, now;
	hf_sv *types = hf_arena_array(a, hf_sv, HF_NAMESPACES), *same = hf_arena_array(a, hf_sv, HF_NAMESPACES);

	if (record.len < sizeof r)
		return too_short(err, HF_OBJECT_NAMESPACE);
	if (!types || !same)
		return hf_fail(err, HF_E_LIMIT, "namespaces");
	memcpy(&r, record.ptr, sizeof r);
	memcpy(before.inode, r.before, sizeof r.before);
	memcpy(now.inode, r.now, sizeof r.now);
	uint32_t changed = hf_namespaces_changed(&before, &now);
	hf_event_set_list(e, HF_FIELD_NAMESPACE_TYPES, types, hf_namespace_names(changed, types));
	if (host)
		hf_event_set_list(e, HF_FIELD_NAMESPACE_HOST, same,
				  hf_namespace_names(changed & hf_namespaces_same(&now, host), same));
	return 0;
}

int hf_object_event(hf_sv record, const struct hf_namespace_set *host, struct hf_arena *a, struct hf_event *e,
		    struct hf_err *err)
{
	struct hf_record head;
	int code;

	if (record.len < sizeof head)
		return too_short(err, 0);
	memcpy(&head, record.ptr, sizeof head);
	if (head.size > record.len || head.size < sizeof head || !hf_object_is(head.kind))
		return hf_fail(err, HF_E_FORMAT, "record of %zu bytes and kind %u does not hold what its front says",
			       record.len, head.kind);
	record = hf_sv_first(record, head.size);
	e->kind = (enum hf_event_kind)head.kind;
	switch (head.kind) {
	case HF_OBJECT_DNS:
		code = dns_event(record, a, e, err);
		break;
	case HF_OBJECT_NAMESPACE:
		code = namespace_event(record, host, a, e, err);
		break;
	case HF_OBJECT_MODULE:
		code = module_event(record, a, e, err);
		break;
	case HF_OBJECT_SYSCALLS:
		code = syscalls_event(record, a, e, err);
		break;
	case HF_OBJECT_CAPABILITY:
	case HF_OBJECT_IO_URING:
	case HF_OBJECT_SIGNAL:
		code = number_event(record, head.kind, a, e, err);
		break;
	default:
		code = socket_event(record, head.kind, a, e, err);
	}
	return a->over ? hf_fail(err, HF_E_LIMIT, "record of kind %u", head.kind) : code;
}

_Static_assert((int)HF_OBJECT_CAPABILITY == (int)HF_EVENT_CAPABILITY && (int)HF_OBJECT_LISTEN == (int)HF_EVENT_LISTEN &&
		       (int)HF_OBJECT_ACCEPT == (int)HF_EVENT_ACCEPT &&
		       (int)HF_OBJECT_CONNECT == (int)HF_EVENT_CONNECT && (int)HF_OBJECT_SEND == (int)HF_EVENT_SEND &&
		       (int)HF_OBJECT_DNS == (int)HF_EVENT_DNS && (int)HF_OBJECT_NAMESPACE == (int)HF_EVENT_NAMESPACE &&
		       (int)HF_OBJECT_IO_URING == (int)HF_EVENT_IO_URING &&
		       (int)HF_OBJECT_MODULE == (int)HF_EVENT_MODULE && (int)HF_OBJECT_SIGNAL == (int)HF_EVENT_SIGNAL &&
		       (int)HF_OBJECT_SYSCALLS == (int)HF_EVENT_SYSCALLS,
	       "the kernel's side counts kinds as the table of events does");
_Static_assert((int)HF_SPACES == (int)HF_NAMESPACES, "as many namespaces on both sides");
