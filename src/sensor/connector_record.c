#include "sensor/connector_record.h"

#include "base/cursor.h"

enum {
	NETLINK_FRONT = 16,
	NETLINK_DONE = 3, /* the type of the connector's messages */
	CONNECTOR_INDEX = 1,
	CONNECTOR_VALUE = 1,
};

/* False: a kind that is not read. */
static bool decode_event(struct hf_cur *c, struct hf_connector_event *e)
{
	switch (e->what) {
	case HF_CONNECTOR_ACK:
		e->error = hf_cur_u32le(c);
		return true;
	case HF_CONNECTOR_FORK:
		e->other_tid = hf_cur_u32le(c);
		e->other_pid = hf_cur_u32le(c);
		e->tid = hf_cur_u32le(c);
		e->pid = hf_cur_u32le(c);
		return true;
	case HF_CONNECTOR_EXEC:
		e->tid = hf_cur_u32le(c);
		e->pid = hf_cur_u32le(c);
		return true;
	case HF_CONNECTOR_UID:
	case HF_CONNECTOR_GID:
		e->tid = hf_cur_u32le(c);
		e->pid = hf_cur_u32le(c);
		e->real_id = hf_cur_u32le(c);
		e->effective_id = hf_cur_u32le(c);
		return true;
	case HF_CONNECTOR_PTRACE:
		e->tid = hf_cur_u32le(c);
		e->pid = hf_cur_u32le(c);
		e->other_tid = hf_cur_u32le(c);
		e->other_pid = hf_cur_u32le(c);
		return true;
	case HF_CONNECTOR_EXIT:
		e->tid = hf_cur_u32le(c);
		e->pid = hf_cur_u32le(c);
		e->status = hf_cur_u32le(c);
		hf_cur_u32le(c); /* signal that the parent gets */
		return true;
	default:
		return false;
	}
}

int hf_connector_next(hf_sv *rest, struct hf_connector_event *ret, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(*rest);
	struct hf_connector_event e = { 0 };

	if (!rest->len)
		return 0;
	uint32_t size = hf_cur_u32le(&c);
	uint16_t type = hf_cur_u16le(&c);
	hf_cur_take(&c, NETLINK_FRONT - 6);
	if (c.failed || size < NETLINK_FRONT || size > rest->len) {
		size_t n = rest->len;
		*rest = (hf_sv){ 0 };
		return hf_fail(err, HF_E_FORMAT, "netlink message of %u bytes in %zu", size, n);
	}
	c.all = hf_sv_first(c.all, size);
	*rest = hf_sv_skip(*rest, (size + 3u) & ~(size_t)3);
	if (type != NETLINK_DONE)
		return 2;
	uint32_t index = hf_cur_u32le(&c), value = hf_cur_u32le(&c);
	hf_cur_take(&c, 8); /* sequence, answer to */
	uint16_t length = hf_cur_u16le(&c);
	hf_cur_u16le(&c);
	if (!c.failed && (index != CONNECTOR_INDEX || value != CONNECTOR_VALUE))
		return 2;
	struct hf_cur data = hf_cur_of(hf_cur_take(&c, length));
	e.what = hf_cur_u32le(&data);
	hf_cur_u32le(&data); /* CPU */
	e.time_ns = hf_cur_u64le(&data);
	bool known = decode_event(&data, &e);
	if (c.failed || data.failed) {
		*rest = (hf_sv){ 0 };
		return hf_fail(err, HF_E_FORMAT, "process event ends too early");
	}
	*ret = e;
	return known ? 1 : 2;
}
