#include "format/rpmhdr.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"

enum {
	INTRO = 8,
	ENTRY = 16,
	DATA_MAX = 256 << 20,
	TAG_IMAGE = 61,
	TAG_SIGNATURES = 62,
	TAG_IMMUTABLE = 63,
	TAG_FIRST = 100, /* tags below it are regions and reserved */
};

struct entry {
	uint32_t tag, type, offset, count;
};

static struct entry read_entry(struct hf_cur *c)
{
	struct entry e = { .tag = hf_cur_u32be(c) };

	e.type = hf_cur_u32be(c);
	e.offset = hf_cur_u32be(c);
	e.count = hf_cur_u32be(c);
	return e;
}

static bool is_region(uint32_t tag)
{
	return tag >= TAG_IMAGE && tag <= TAG_IMMUTABLE;
}

/* How many entries, itself included, the region that @e opens covers. */
static const char *region_size(const struct entry *e, hf_sv data, uint32_t entries, uint32_t *ret)
{
	struct hf_cur c = hf_cur_of(data);

	*ret = entries;
	if (e->type != HF_RPM_BIN || e->count != ENTRY)
		return "a region tag of another form";
	if (!e->offset)
		return NULL;
	hf_cur_seek(&c, e->offset);
	struct entry trailer = read_entry(&c);
	uint32_t size = -trailer.offset;
	if (c.failed || trailer.type != HF_RPM_BIN || trailer.count != ENTRY || !is_region(trailer.tag))
		return "a region without its trailer";
	if (!size || size % ENTRY || size / ENTRY > entries)
		return "a region larger than its header";
	*ret = size / ENTRY;
	return NULL;
}

static const char *check_entry(const struct entry *e, hf_sv data, struct hf_rpmhdr_value *ret)
{
	static const uint8_t sizes[HF_RPM_TYPES] = { 0, 1, 1, 2, 4, 8, 0, 1, 0, 0 };

	if (e->tag < TAG_FIRST)
		return "a reserved tag";
	if (e->type >= HF_RPM_TYPES)
		return "a value of an unknown type";
	uint64_t n = (uint64_t)e->count * sizes[e->type];
	if (!e->count || e->count > data.len || e->offset > data.len || n > data.len - e->offset)
		return "a value outside of its header";
	if (sizes[e->type] && e->offset % sizes[e->type])
		return "a value at an odd place";
	ret->type = (enum hf_rpm_type)e->type;
	if (e->type == HF_RPM_STRING && e->count != 1)
		return "a single string with a count";
	ret->count = e->count;
	ret->data = sizes[e->type] ? hf_sv_slice(data, e->offset, n) : hf_sv_skip(data, e->offset);
	return NULL;
}

int hf_rpmhdr_read(hf_sv blob, struct hf_rpmhdr_value *values, size_t n, const char **ret_why)
{
	struct hf_cur c = hf_cur_of(blob);
	uint32_t entries = hf_cur_u32be(&c), data_n = hf_cur_u32be(&c), region = 0;
	const char *first = NULL, *why;

	for (size_t k = 0; k < n; k++)
		values[k] = (struct hf_rpmhdr_value){ .tag = values[k].tag };
	*ret_why = "a header whose sizes do not agree";
	if (c.failed || !entries || entries > HF_RPM_TAGS_MAX || data_n > DATA_MAX ||
	    INTRO + (uint64_t)entries * ENTRY + data_n != blob.len)
		return HF_E_FORMAT;
	hf_sv data = hf_sv_skip(blob, INTRO + (size_t)entries * ENTRY);
	for (uint32_t i = 0; i < entries; i++) {
		struct entry e = read_entry(&c);
		struct hf_rpmhdr_value found = { .tag = e.tag };
		if (i == 0 && is_region(e.tag)) {
			first = region_size(&e, data, entries, &region);
			continue;
		}
		why = check_entry(&e, data, &found);
		if (why && !first)
			first = why;
		if (why)
			continue;
		bool is_dribble = region && i >= region;
		for (size_t k = 0; k < n; k++)
			if (values[k].tag == e.tag && (!values[k].count || is_dribble))
				values[k] = found;
	}
	*ret_why = first;
	return first ? HF_PARTIAL : HF_OK;
}

bool hf_rpmhdr_is_strings(const struct hf_rpmhdr_value *v)
{
	return v->count && (v->type == HF_RPM_STRING || v->type == HF_RPM_STRING_ARRAY || v->type == HF_RPM_I18NSTRING);
}

hf_sv hf_rpmhdr_string(const struct hf_rpmhdr_value *v)
{
	struct hf_cur c = hf_cur_of(v->data);

	return hf_rpmhdr_is_strings(v) ? hf_cur_cstr(&c) : (hf_sv){ 0 };
}

bool hf_rpmhdr_u32(const struct hf_rpmhdr_value *v, uint32_t i, uint32_t *ret)
{
	struct hf_cur c = hf_cur_of(v->data);

	if (!v->count || v->type != HF_RPM_INT32)
		return false;
	hf_cur_seek(&c, (uint64_t)i * 4);
	*ret = hf_cur_u32be(&c);
	return !c.failed;
}
