#include "trace/trace.h"

#include "base/base64.h"
#include "trace/nesting.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* A high bit for some byte that is zero; bytes above the first such one may be flagged wrongly, which only costs time. */
static inline uint64_t has_zero(uint64_t v)
{
	return (v - ONES) & ~v & HIGHS;
}

/* True where all of it may stand in a JSON string as it is: eight bytes at a time, since this is where the time goes. */
static bool is_plain(hf_sv s)
{
	size_t at = 0;

	for (; s.len - at >= 8; at += 8) {
		uint64_t v;
		memcpy(&v, s.ptr + at, 8);
		uint64_t odd = v | ((v - 0x20 * ONES) & ~v) | has_zero(v ^ '"' * ONES) | has_zero(v ^ '\\' * ONES) |
			       has_zero(v ^ 0x7f * ONES);
		if (odd & HIGHS)
			return false;
	}
	for (; at < s.len; at++) {
		unsigned char c = (unsigned char)s.ptr[at];
		if ((unsigned char)(c - 0x20) > 0x5e || c == '"' || c == '\\')
			return false;
	}
	return true;
}

/* False where the bytes are not UTF-8, so that what was written does not tell all. */
static bool add_string(struct hf_buf *out, hf_sv s)
{
	char *p = is_plain(s) ? hf_buf_room(out, s.len + 2) : NULL;

	if (p) {
		*p++ = '"';
		if (s.len)
			memcpy(p, s.ptr, s.len);
		p[s.len] = '"';
		out->len += s.len + 2;
		return true;
	}
	struct hf_json_writer w = { .out = out, .compact = true };
	hf_jw_string(&w, s);
	return hf_sv_is_utf8(s);
}

static void add_uint(struct hf_buf *out, uint64_t v)
{
	char text[20];
	size_t at = sizeof text;

	do
		text[--at] = (char)('0' + v % 10);
	while (v /= 10);
	hf_buf_add(out, (hf_sv){ text + at, sizeof text - at });
}

static void add_int(struct hf_buf *out, int64_t v)
{
	if (v < 0)
		hf_buf_add_char(out, '-');
	add_uint(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void add_base64(struct hf_buf *out, hf_sv s)
{
	hf_buf_add_char(out, '"');
	hf_base64_add(out, s);
	hf_buf_add_char(out, '"');
}

/* ,"NAME_base64": beside the field called @name. */
static void add_base64_key(struct hf_buf *out, hf_sv name)
{
	hf_buf_add(out, HF_SV(",\""));
	hf_buf_add(out, name);
	hf_buf_add(out, HF_SV("_base64\":"));
}

static void add_named_string(struct hf_buf *out, hf_sv name, hf_sv s)
{
	if (add_string(out, s))
		return;
	add_base64_key(out, name);
	add_base64(out, s);
}

/* The list of bytes beside a list of strings has null for each that is text. */
static void add_named_list(struct hf_buf *out, hf_sv name, const hf_sv *list, size_t n)
{
	bool all = true;

	hf_buf_add_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			hf_buf_add_char(out, ',');
		all &= add_string(out, list[i]);
	}
	hf_buf_add_char(out, ']');
	if (all)
		return;
	add_base64_key(out, name);
	for (size_t i = 0; i < n; i++) {
		hf_buf_add_char(out, i ? ',' : '[');
		if (hf_sv_is_utf8(list[i]))
			hf_buf_add(out, HF_SV("null"));
		else
			add_base64(out, list[i]);
	}
	hf_buf_add_char(out, ']');
}

/* Beside a map stands a list of all its keys and values in turn, since keys that were replaced may be the same. */
static void add_named_map(struct hf_buf *out, hf_sv name, const hf_sv *pairs, size_t n)
{
	bool all = true;

	hf_buf_add_char(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			hf_buf_add_char(out, ',');
		all &= add_string(out, pairs[2 * i]);
		hf_buf_add_char(out, ':');
		all &= add_string(out, pairs[2 * i + 1]);
	}
	hf_buf_add_char(out, '}');
	if (all)
		return;
	add_base64_key(out, name);
	for (size_t i = 0; i < 2 * n; i++) {
		hf_buf_add_char(out, i ? ',' : '[');
		add_base64(out, pairs[i]);
	}
	hf_buf_add_char(out, ']');
}

static void add_ancestor(struct hf_buf *out, const struct hf_ancestor *p)
{
	const char *before = "{";

	if (p->pid) {
		hf_buf_add(out, HF_SV("{\"pid\":"));
		add_uint(out, p->pid);
		before = ",";
	}
	if (p->execution) {
		hf_buf_add(out, hf_sv_of(before));
		hf_buf_add(out, HF_SV("\"execution\":"));
		add_uint(out, p->execution);
		before = ",";
	}
	if (p->path.ptr) {
		hf_buf_add(out, hf_sv_of(before));
		hf_buf_add(out, HF_SV("\"path\":"));
		add_named_string(out, HF_SV("path"), p->path);
		before = ",";
	}
	if (p->arguments) {
		hf_buf_add(out, hf_sv_of(before));
		hf_buf_add(out, HF_SV("\"arguments\":"));
		add_named_list(out, HF_SV("arguments"), p->arguments, p->arguments_n);
		before = ",";
	}
	hf_buf_add(out, *before == '{' ? HF_SV("{}") : HF_SV("}"));
}

static void add_value(struct hf_buf *out, hf_sv name, const struct hf_value *v)
{
	switch (v->type) {
	case HF_VALUE_STRING:
		add_named_string(out, name, v->string);
		break;
	case HF_VALUE_UINT:
		add_uint(out, v->uint);
		break;
	case HF_VALUE_INT:
		add_int(out, v->integer);
		break;
	case HF_VALUE_BOOL:
		hf_buf_add(out, v->boolean ? HF_SV("true") : HF_SV("false"));
		break;
	case HF_VALUE_LIST:
		add_named_list(out, name, v->list, v->n);
		break;
	case HF_VALUE_MAP:
		add_named_map(out, name, v->list, v->n);
		break;
	case HF_VALUE_TREE:
		hf_buf_add_char(out, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				hf_buf_add_char(out, ',');
			add_ancestor(out, &v->tree[i]);
		}
		hf_buf_add_char(out, ']');
		break;
	case HF_VALUE_NONE:
	default:
		hf_buf_add(out, HF_SV("null"));
	}
}

/* "c": of a.b.c: the name alone, for the one that stands beside it. */
static hf_sv last_name(const char *dotted)
{
	const char *dot = strrchr(dotted, '.');

	return hf_sv_of(dot ? dot + 1 : dotted);
}

void hf_trace_write(struct hf_buf *out, const struct hf_event *e)
{
	static const char closing[] = "}}}}";
	const struct hf_nesting *nesting = hf_nesting_get();
	struct hf_value schema = { HF_VALUE_STRING, .string = HF_SV_INIT("holdfast/event/1") };
	struct hf_value kind = { HF_VALUE_STRING, .string = hf_sv_of(hf_event_kind_name(e->kind)) };
	size_t open = 0, shared = 0;

	hf_buf_add_char(out, '{');
	for (size_t f = 0; f < HF_EVENT_FIELDS; f++) {
		const struct hf_value *v = f == HF_FIELD_SCHEMA ? &schema : f == HF_FIELD_KIND ? &kind : &e->values[f];

		if (nesting->fields[f].shared < shared)
			shared = nesting->fields[f].shared;
		if (v->type == HF_VALUE_NONE)
			continue;
		hf_buf_add(out, (hf_sv){ closing, open - shared });
		if (f) /* SCHEMA is the first, and always written */
			hf_buf_add_char(out, ',');
		hf_buf_add(out, nesting->fields[f].open[shared]);
		add_value(out, last_name(hf_event_fields[f].name), v);
		open = shared = nesting->fields[f].depth;
	}
	hf_buf_add(out, (hf_sv){ closing, open });
	hf_buf_add(out, HF_SV("}\n"));
}
