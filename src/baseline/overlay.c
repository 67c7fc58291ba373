#include "baseline/overlay.h"

#include "base/limits.h"

enum { ORIGIN_MAGIC = 0xfb, ORIGIN_HEAD = 21, FLAG_BIG_ENDIAN = 1, FLAG_ANY_ENDIAN = 2 };

struct list {
	HF_VEC(hf_sv) v;
};

struct line {
	hf_sv point, type, options;
	uint32_t major, minor;
};

static bool is_octal(hf_sv s, size_t at)
{
	for (size_t i = 1; i <= 3; i++)
		if (at + i >= s.len || s.ptr[at + i] < '0' || s.ptr[at + i] > '7')
			return false;
	return s.ptr[at] == '\\' && s.ptr[at + 1] <= '3';
}

/* \ooo stands for a byte; other backslashes are themselves. */
static hf_sv without_octal(struct hf_arena *a, hf_sv s)
{
	if (!memchr(s.ptr, '\\', s.len))
		return s;
	char *out = hf_arena_alloc(a, s.len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; out && i < s.len; i++) {
		if (!is_octal(s, i)) {
			out[n++] = s.ptr[i];
			continue;
		}
		out[n++] = (char)((s.ptr[i + 1] - '0') << 6 | (s.ptr[i + 2] - '0') << 3 | (s.ptr[i + 3] - '0'));
		i += 3;
	}
	return out ? (hf_sv){ out, n } : (hf_sv){ 0 };
}

static bool device_of(hf_sv text, struct line *l)
{
	hf_sv major, minor;
	uint64_t a, b;

	if (!hf_sv_cut(text, ':', &major, &minor) || !hf_sv_to_u64(major, &a) || !hf_sv_to_u64(minor, &b) ||
	    a > UINT32_MAX || b > UINT32_MAX)
		return false;
	l->major = (uint32_t)a;
	l->minor = (uint32_t)b;
	return true;
}

/* 36 35 98:0 /root /point rw,noatime master:1 - type source options */
static bool line_of(hf_sv text, struct line *l)
{
	hf_sv field = { 0 };
	size_t i = 0;

	*l = (struct line){ 0 };
	for (hf_sv rest = text; hf_sv_next(&rest, ' ', &field); i++) {
		if (i == 2 && !device_of(field, l))
			return false;
		if (i == 4)
			l->point = field;
		if (i < 6 || !hf_sv_eq(field, HF_SV("-")))
			continue;
		return hf_sv_next(&rest, ' ', &l->type) && hf_sv_next(&rest, ' ', &field) &&
		       hf_sv_next(&rest, ' ', &l->options);
	}
	return false;
}

static void add_lower(struct hf_arena *a, struct list *lowers, hf_sv path)
{
	if (!path.len)
		return;
	hf_sv *slot = lowers->v.n < HF_LAYERS_MAX ? hf_vec_push(a, &lowers->v) : NULL;

	if (slot)
		*slot = path;
	else
		a->over = true;
}

/* The folders of a lowerdir: ':' between them, a backslash takes the next byte as it is. */
static void add_lowers(struct hf_arena *a, struct list *l, struct hf_overlay *o, hf_sv value)
{
	char *out = hf_arena_alloc(a, value.len + 1, 1);
	bool data = false;
	size_t i = 0;

	while (out && i <= value.len) {
		size_t n = 0;
		for (; i < value.len && value.ptr[i] != ':'; i++) {
			if (value.ptr[i] == '\\' && i + 1 < value.len)
				i++;
			out[n++] = value.ptr[i];
		}
		i++;
		if (!n) {
			data = true;
			continue;
		}
		if (data) {
			o->data_n++;
			continue;
		}
		add_lower(a, l, (hf_sv){ out, n });
		out += n;
	}
}

static hf_sv without_backslashes(struct hf_arena *a, hf_sv s)
{
	char *out = memchr(s.ptr, '\\', s.len) ? hf_arena_alloc(a, s.len + 1, 1) : NULL;
	size_t n = 0;

	if (!out)
		return s;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		out[n++] = s.ptr[i];
	}
	return (hf_sv){ out, n };
}

static void read_option(struct hf_arena *a, hf_sv option, struct list *lowers, struct hf_overlay *o)
{
	hf_sv key, value;

	if (hf_sv_eq(option, HF_SV("userxattr")))
		o->userxattr = true;
	if (!hf_sv_cut(option, '=', &key, &value))
		return;
	value = without_octal(a, value);
	if (hf_sv_eq(key, HF_SV("lowerdir")))
		add_lowers(a, lowers, o, value);
	else if (hf_sv_eq(key, HF_SV("lowerdir+")))
		add_lower(a, lowers, value);
	else if (hf_sv_eq(key, HF_SV("datadir+")))
		o->data_n++;
	else if (hf_sv_eq(key, HF_SV("upperdir")))
		o->upper = without_backslashes(a, value);
	else if (hf_sv_eq(key, HF_SV("workdir")))
		o->work = without_backslashes(a, value);
}

int hf_overlay_of_mountinfo(hf_sv mountinfo, struct hf_arena *a, struct hf_overlay *ret, struct hf_err *err)
{
	struct line l, root = { 0 };
	struct list lowers = { 0 };
	hf_sv text, option;

	*ret = (struct hf_overlay){ 0 };
	for (hf_sv rest = mountinfo; rest.ptr && hf_sv_next(&rest, '\n', &text);)
		if (line_of(text, &l) && hf_sv_eq(l.point, HF_SV("/")))
			root = l;
	if (!root.type.ptr)
		return hf_fail(err, HF_E_MISSING, "no root in its mount table");
	if (!hf_sv_eq(root.type, HF_SV("overlay")))
		return hf_fail(err, HF_E_UNSUPPORTED, "its root is %.*s, not overlay", HF_SV_FMT(root.type));
	for (hf_sv rest = root.options; hf_sv_next(&rest, ',', &option);)
		read_option(a, option, &lowers, ret);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "an overlay of more than %d folders", HF_LAYERS_MAX);
	if (!lowers.v.n)
		return hf_fail(err, HF_E_FORMAT, "an overlay without lower folders");
	ret->lowers = lowers.v.at;
	ret->lowers_n = lowers.v.n;
	ret->major = root.major;
	ret->minor = root.minor;
	return HF_OK;
}

static bool holds(hf_sv point, hf_sv path)
{
	if (hf_sv_eq(point, HF_SV("/")))
		return true;
	return hf_sv_starts(path, point) && (path.len == point.len || path.ptr[point.len] == '/');
}

bool hf_mount_of_path(hf_sv mountinfo, hf_sv path, struct hf_arena *a, struct hf_mount *ret)
{
	bool found = false;
	struct line l;
	hf_sv text;

	*ret = (struct hf_mount){ 0 };
	for (hf_sv rest = mountinfo; rest.ptr && hf_sv_next(&rest, '\n', &text);) {
		if (!line_of(text, &l))
			continue;
		hf_sv point = without_octal(a, l.point);
		if (!point.len || !holds(point, path) || (found && point.len < ret->point.len))
			continue;
		*ret = (struct hf_mount){ .point = point, .type = l.type, .major = l.major, .minor = l.minor };
		found = true;
	}
	return found;
}

bool hf_mount_of_id(hf_sv mountinfo, uint64_t id, struct hf_mount *ret)
{
	struct line l;
	uint64_t its;
	hf_sv text;

	for (hf_sv rest = mountinfo; rest.ptr && hf_sv_next(&rest, '\n', &text);) {
		hf_sv fields = text, first;
		if (!line_of(text, &l) || !hf_sv_next(&fields, ' ', &first) || !hf_sv_to_u64(first, &its) || its != id)
			continue;
		*ret = (struct hf_mount){ .point = l.point, .type = l.type, .major = l.major, .minor = l.minor };
		return true;
	}
	return false;
}

size_t hf_mounts_of_device(hf_sv mountinfo, uint32_t major, uint32_t minor, struct hf_arena *a, hf_sv *out, size_t max)
{
	struct line l;
	size_t n = 0;
	hf_sv text;

	for (hf_sv rest = mountinfo; n < max && rest.ptr && hf_sv_next(&rest, '\n', &text);)
		if (line_of(text, &l) && l.major == major && l.minor == minor)
			out[n++] = without_octal(a, l.point);
	return n;
}

bool hf_overlay_origin(hf_sv mark, struct hf_overlay_origin *ret)
{
	const unsigned char *b = (const unsigned char *)mark.ptr;
	bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	if (mark.len <= ORIGIN_HEAD || b[0] != 0 || b[1] != ORIGIN_MAGIC || b[2] != mark.len)
		return false;
	if (!(b[3] & FLAG_ANY_ENDIAN) && !!(b[3] & FLAG_BIG_ENDIAN) != big)
		return false;
	*ret = (struct hf_overlay_origin){ .type = b[4], .handle = hf_sv_skip(mark, ORIGIN_HEAD) };
	return true;
}
