#include "sensor/perf_record.h"

#include <stdio.h>

#include "base/cursor.h"

enum {
	HEADER = 8,
	SAMPLE_ID = 16, /* pid, tid, time */
	MISC_MMAP_BUILD_ID = 1 << 14,
	KSYMBOL_BPF = 1,
	KSYMBOL_UNREGISTER = 1 << 0,
	BPF_LOAD = 1,
	BPF_UNLOAD = 2,
};

static void decode_mmap(struct hf_cur *c, uint16_t misc, struct hf_perf_mmap *m)
{
	m->pid = hf_cur_u32le(c);
	m->tid = hf_cur_u32le(c);
	m->address = hf_cur_u64le(c);
	m->length = hf_cur_u64le(c);
	hf_cur_u64le(c); /* offset in the file */
	if (misc & MISC_MMAP_BUILD_ID) {
		uint8_t n = hf_cur_u8(c);
		hf_cur_take(c, 3);
		hf_sv id = hf_cur_take(c, HF_BUILD_ID_MAX);
		m->build_id_n = n < HF_BUILD_ID_MAX ? n : HF_BUILD_ID_MAX;
		if (id.ptr)
			memcpy(m->build_id, id.ptr, m->build_id_n);
	} else {
		m->has_inode = true;
		m->major = hf_cur_u32le(c);
		m->minor = hf_cur_u32le(c);
		m->inode = hf_cur_u64le(c);
		m->generation = hf_cur_u64le(c);
	}
	m->protection = hf_cur_u32le(c);
	hf_cur_u32le(c); /* flags */
	m->path = hf_cur_cstr(c);
}

static void decode_namespaces(struct hf_cur *c, struct hf_perf_record *r)
{
	r->namespaces.pid = hf_cur_u32le(c);
	r->namespaces.tid = hf_cur_u32le(c);
	uint64_t n = hf_cur_u64le(c);
	for (uint64_t i = 0; i < n && i < HF_NAMESPACES; i++) {
		hf_cur_u64le(c); /* device: that of nsfs, the same for all */
		r->namespaces.inode[i] = hf_cur_u64le(c);
	}
}

static void decode_ksymbol(struct hf_cur *c, struct hf_perf_record *r)
{
	hf_cur_u64le(c); /* address */
	hf_cur_u32le(c); /* length */
	r->ksymbol.is_bpf = hf_cur_u16le(c) == KSYMBOL_BPF;
	r->ksymbol.unregister = hf_cur_u16le(c) & KSYMBOL_UNREGISTER;
	r->ksymbol.name = hf_cur_cstr(c);
}

/* False: neither a load nor an unload. */
static bool decode_bpf(struct hf_cur *c, struct hf_perf_record *r)
{
	uint16_t what = hf_cur_u16le(c);

	hf_cur_u16le(c); /* flags */
	r->bpf.unload = what == BPF_UNLOAD;
	r->bpf.id = hf_cur_u32le(c);
	hf_sv tag = hf_cur_take(c, HF_BPF_TAG);
	if (tag.ptr)
		memcpy(r->bpf.tag, tag.ptr, HF_BPF_TAG);
	return what == BPF_LOAD || what == BPF_UNLOAD;
}

int hf_perf_decode(hf_sv record, struct hf_perf_record *ret, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(record);
	struct hf_perf_record r = { .type = hf_cur_u32le(&c) };
	uint16_t misc = hf_cur_u16le(&c), size = hf_cur_u16le(&c);
	int known = 0;

	if (c.failed || size != record.len || size < HEADER + SAMPLE_ID)
		return hf_fail(err, HF_E_FORMAT, "perf record of %zu bytes does not hold what its header says",
			       record.len);
	c.all.len -= SAMPLE_ID; /* no field reaches into what stands at the end of every record */
	switch (r.type) {
	case HF_PERF_MMAP2:
		decode_mmap(&c, misc, &r.mmap);
		break;
	case HF_PERF_LOST:
		hf_cur_u64le(&c); /* of which event */
		r.lost = hf_cur_u64le(&c);
		break;
	case HF_PERF_NAMESPACES:
		decode_namespaces(&c, &r);
		break;
	case HF_PERF_KSYMBOL:
		decode_ksymbol(&c, &r);
		break;
	case HF_PERF_BPF:
		known = decode_bpf(&c, &r) ? 0 : 1;
		break;
	case HF_PERF_CGROUP:
		r.cgroup.id = hf_cur_u64le(&c);
		r.cgroup.path = hf_cur_cstr(&c);
		break;
	default:
		known = 1;
	}
	if (c.failed)
		return hf_fail(err, HF_E_FORMAT, "perf record of type %u ends too early", r.type);
	struct hf_cur end = hf_cur_of(hf_sv_skip(record, record.len - SAMPLE_ID));
	r.current_pid = hf_cur_u32le(&end);
	r.current_tid = hf_cur_u32le(&end);
	r.time_ns = hf_cur_u64le(&end);
	*ret = r;
	return known;
}

enum hf_perf_mapping_kind hf_perf_mapping_of(hf_sv *path, bool *ret_deleted)
{
	static const hf_sv deleted = HF_SV_INIT(" (deleted)");

	*ret_deleted = false;
	if (hf_sv_eq(*path, HF_SV("//toolong")) || hf_sv_eq(*path, HF_SV("//enomem")))
		return HF_MAPPING_NO_PATH;
	/* "//anon", "[vdso]", "[heap]", "[stack]", "[uprobes]" and what else has a name and no file */
	if (path->len == 0 || path->ptr[0] != '/' || hf_sv_starts(*path, HF_SV("//")))
		return HF_MAPPING_NONE;
	if (hf_sv_ends(*path, deleted)) {
		*ret_deleted = true;
		*path = hf_sv_first(*path, path->len - deleted.len);
	}
	if (hf_sv_eq(*path, HF_SV("/dev/zero")) && *ret_deleted) /* shared anonymous memory */
		return HF_MAPPING_NONE;
	if (*ret_deleted && (hf_sv_starts(*path, HF_SV("/memfd:")) || hf_sv_starts(*path, HF_SV("/SYSV"))))
		return HF_MAPPING_MEMORY;
	return HF_MAPPING_FILE;
}

bool hf_perf_bpf_name(hf_sv ksymbol, const uint8_t tag[HF_BPF_TAG], hf_sv *ret_name)
{
	char prefix[sizeof "bpf_prog_" + 2 * HF_BPF_TAG] = "bpf_prog_";

	for (size_t i = 0; i < HF_BPF_TAG; i++)
		snprintf(prefix + 9 + 2 * i, 3, "%02x", tag[i]);
	if (!hf_sv_starts(ksymbol, hf_sv_of(prefix)))
		return false;
	hf_sv rest = hf_sv_skip(ksymbol, strlen(prefix));
	if (rest.len && rest.ptr[0] != '_')
		return false;
	*ret_name = hf_sv_skip(rest, 1);
	return true;
}
