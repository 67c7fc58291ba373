#include "sensor/fanotify_record.h"

#include <linux/fanotify.h>

#include "base/cursor.h"

enum {
	INFO_HEADER = 4,
	HANDLE_FRONT = 16, /* fsid, then length and type of the handle, four bytes each */
};

static bool decode_object(struct hf_cur *c, bool named, struct hf_fanotify_object *ret)
{
	size_t at = c->at;

	hf_cur_u64le(c); /* fsid */
	uint32_t n = hf_cur_u32le(c);
	hf_cur_u32le(c); /* type of the handle */
	hf_cur_take(c, n);
	if (c->failed)
		return false;
	*ret = (struct hf_fanotify_object){ .handle = hf_sv_slice(c->all, at, HANDLE_FRONT + (size_t)n) };
	if (named)
		ret->name = hf_cur_cstr(c);
	return !c->failed;
}

static bool decode_info(hf_sv info, uint8_t type, struct hf_fanotify_event *e)
{
	struct hf_cur c = hf_cur_of(info);

	hf_cur_take(&c, INFO_HEADER);
	switch (type) {
	case FAN_EVENT_INFO_TYPE_FID:
		return decode_object(&c, false, &e->file);
	case FAN_EVENT_INFO_TYPE_DFID:
		return decode_object(&c, false, &e->entry);
	case FAN_EVENT_INFO_TYPE_DFID_NAME:
		return decode_object(&c, true, &e->entry);
	case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
		return decode_object(&c, true, &e->old_entry);
	case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
		return decode_object(&c, true, &e->new_entry);
	default:
		return true;
	}
}

int hf_fanotify_next(hf_sv *rest, struct hf_fanotify_event *ret, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(*rest);
	struct hf_fanotify_event e = { 0 };

	if (!rest->len)
		return 0;
	uint32_t size = hf_cur_u32le(&c);
	uint8_t version = hf_cur_u8(&c);
	hf_cur_u8(&c);
	uint16_t front = hf_cur_u16le(&c);
	e.mask = hf_cur_u64le(&c);
	e.fd = (int32_t)hf_cur_u32le(&c);
	e.pid = (int32_t)hf_cur_u32le(&c);
	if (c.failed || version != FANOTIFY_METADATA_VERSION || front < c.at || size < front || size > rest->len) {
		size_t n = rest->len;
		*rest = (hf_sv){ 0 };
		return hf_fail(err, HF_E_FORMAT, "fanotify event of version %u in %zu bytes", version, n);
	}
	hf_sv infos = hf_sv_slice(*rest, front, size - front);
	*rest = hf_sv_skip(*rest, size);
	while (infos.len) {
		struct hf_cur head = hf_cur_of(infos);
		uint8_t type = hf_cur_u8(&head);
		hf_cur_u8(&head);
		uint16_t n = hf_cur_u16le(&head);
		if (head.failed || n < INFO_HEADER || n > infos.len || !decode_info(hf_sv_first(infos, n), type, &e)) {
			*rest = (hf_sv){ 0 };
			return hf_fail(err, HF_E_FORMAT, "fanotify information of type %u", type);
		}
		infos = hf_sv_skip(infos, n);
	}
	*ret = e;
	return 1;
}
