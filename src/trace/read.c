#include "base/base64.h"
#include "format/json.h"
#include "trace/nesting.h"
#include "trace/trace.h"

struct reader {
	struct hf_json json;
	struct hf_arena *arena;
	const struct hf_nesting *nesting;
	struct hf_event *event;
	bool has_kind;
	size_t unknown;
	struct hf_err *err;
};

static int wrong(struct reader *r, hf_sv name, const char *wanted)
{
	if (r->arena->over)
		return hf_fail(r->err, HF_E_LIMIT, "the event needs more than %zu bytes", r->arena->cap);
	return hf_fail(r->err, HF_E_FORMAT, "'%.*s' is not %s", HF_SV_FMT(name), wanted);
}

static int broken(struct reader *r)
{
	if (r->arena->over)
		return hf_fail(r->err, HF_E_LIMIT, "the event needs more than %zu bytes", r->arena->cap);
	return hf_fail(r->err, HF_E_FORMAT, "byte %zu: %s", r->json.at, r->json.why);
}

static bool is_null(struct reader *r)
{
	if (hf_json_peek(&r->json) != HF_JSON_NULL)
		return false;
	hf_json_skip(&r->json);
	return true;
}

static int read_string(struct reader *r, hf_sv name, hf_sv *ret)
{
	if (hf_json_peek(&r->json) != HF_JSON_STRING)
		return wrong(r, name, "a string");
	*ret = hf_json_string(&r->json);
	return r->json.why ? broken(r) : 0;
}

static int read_uint(struct reader *r, hf_sv name, uint64_t *ret)
{
	if (hf_json_peek(&r->json) != HF_JSON_NUMBER || !hf_sv_to_u64(hf_json_text(&r->json), ret))
		return wrong(r, name, "a whole number of 64 bits");
	return 0;
}

static int read_int(struct reader *r, hf_sv name, int64_t *ret)
{
	hf_sv text = hf_json_peek(&r->json) == HF_JSON_NUMBER ? hf_json_text(&r->json) : (hf_sv){ 0 };
	bool negative = hf_sv_starts(text, HF_SV("-"));
	uint64_t v;

	if (!hf_sv_to_u64(hf_sv_skip(text, negative), &v) || v > (uint64_t)INT64_MAX + negative)
		return wrong(r, name, "a signed whole number of 64 bits");
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

typedef HF_VEC(hf_sv) views;

static int read_list(struct reader *r, hf_sv name, const hf_sv **ret, size_t *ret_n)
{
	views list = { 0 };

	if (hf_json_peek(&r->json) != HF_JSON_ARRAY)
		return wrong(r, name, "a list of strings");
	hf_json_elements(&r->json) {
		hf_sv *slot = hf_vec_push(r->arena, &list);
		if (!slot)
			return wrong(r, name, "");
		int code = read_string(r, name, slot);
		if (code < 0)
			return code;
	}
	if (r->json.why)
		return broken(r);
	*ret = list.at ? list.at : hf_arena_array(r->arena, hf_sv, 0);
	*ret_n = list.n;
	return r->arena->over ? wrong(r, name, "") : 0;
}

/* Puts the bytes behind NAME_base64 in the place of the replaced text: @list has n views, null leaves one as it is. */
static int read_list_bytes(struct reader *r, hf_sv name, const hf_sv *list, size_t n, const hf_sv **ret)
{
	hf_sv *copy = hf_arena_array(r->arena, hf_sv, n), text = { 0 };
	size_t i = 0;

	if (!copy || hf_json_peek(&r->json) != HF_JSON_ARRAY)
		return wrong(r, name, "a list of Base64");
	hf_json_elements(&r->json) {
		if (i == n)
			return wrong(r, name, "as long as the list beside it");
		copy[i] = list[i];
		if (!is_null(r)) {
			int code = read_string(r, name, &text);
			if (code < 0)
				return code;
			copy[i] = hf_base64_decode(r->arena, text);
			if (!copy[i].ptr)
				return wrong(r, name, "Base64");
		}
		i++;
	}
	if (r->json.why)
		return broken(r);
	if (i != n)
		return wrong(r, name, "as long as the list beside it");
	*ret = copy;
	return 0;
}

static int read_map(struct reader *r, hf_sv name, struct hf_value *v)
{
	views pairs = { 0 };
	hf_sv key;

	if (hf_json_peek(&r->json) != HF_JSON_OBJECT)
		return wrong(r, name, "an object of strings");
	hf_json_members(&r->json, &key) {
		hf_sv *slot = hf_vec_push(r->arena, &pairs);
		if (!slot)
			return wrong(r, name, "");
		*slot = key;
		slot = hf_vec_push(r->arena, &pairs);
		if (!slot)
			return wrong(r, name, "");
		int code = read_string(r, name, slot);
		if (code < 0)
			return code;
	}
	if (r->json.why)
		return broken(r);
	v->list = pairs.at ? pairs.at : hf_arena_array(r->arena, hf_sv, 0);
	v->n = (uint32_t)(pairs.n / 2);
	return r->arena->over ? wrong(r, name, "") : 0;
}

static int read_ancestor(struct reader *r, struct hf_ancestor *p)
{
	hf_sv key, text = { 0 };
	int code = 0;

	if (hf_json_peek(&r->json) != HF_JSON_OBJECT)
		return wrong(r, HF_SV("process.ancestors"), "a list of objects");
	hf_json_members(&r->json, &key) {
		if (hf_sv_eq(key, HF_SV("pid"))) {
			code = read_uint(r, key, &p->pid);
		} else if (hf_sv_eq(key, HF_SV("execution"))) {
			code = read_uint(r, key, &p->execution);
		} else if (hf_sv_eq(key, HF_SV("path"))) {
			code = read_string(r, key, &p->path);
		} else if (hf_sv_eq(key, HF_SV("arguments"))) {
			code = read_list(r, key, &p->arguments, &p->arguments_n);
		} else if (hf_sv_eq(key, HF_SV("path_base64"))) {
			code = read_string(r, key, &text);
			p->path = code < 0 ? p->path : hf_base64_decode(r->arena, text);
			if (!code && !p->path.ptr)
				return wrong(r, key, "Base64");
		} else if (hf_sv_eq(key, HF_SV("arguments_base64"))) {
			code = read_list_bytes(r, key, p->arguments, p->arguments_n, &p->arguments);
		} else {
			r->unknown++;
			hf_json_skip(&r->json);
		}
		if (code < 0)
			return code;
	}
	return r->json.why ? broken(r) : 0;
}

static int read_tree(struct reader *r, hf_sv name, struct hf_value *v)
{
	HF_VEC(struct hf_ancestor) tree = { 0 };

	if (hf_json_peek(&r->json) != HF_JSON_ARRAY)
		return wrong(r, name, "a list of objects");
	hf_json_elements(&r->json) {
		struct hf_ancestor *p = hf_vec_push(r->arena, &tree);
		int code = p ? read_ancestor(r, p) : wrong(r, name, "");
		if (code < 0)
			return code;
	}
	if (r->json.why)
		return broken(r);
	v->tree = tree.at ? tree.at : hf_arena_array(r->arena, struct hf_ancestor, 0);
	v->n = (uint32_t)tree.n;
	return r->arena->over ? wrong(r, name, "") : 0;
}

static int read_value(struct reader *r, size_t f)
{
	const struct hf_event_field_info *info = &hf_event_fields[f];
	hf_sv name = hf_sv_of(info->name);
	struct hf_value v = { .type = info->type };
	size_t n = 0;
	int code = 0;

	if (is_null(r))
		return 0;
	switch (info->type) {
	case HF_VALUE_STRING:
		code = read_string(r, name, &v.string);
		break;
	case HF_VALUE_UINT:
		code = read_uint(r, name, &v.uint);
		break;
	case HF_VALUE_INT:
		code = read_int(r, name, &v.integer);
		break;
	case HF_VALUE_BOOL:
		if (hf_json_peek(&r->json) != HF_JSON_BOOL)
			return wrong(r, name, "true or false");
		v.boolean = hf_json_bool(&r->json, false);
		break;
	case HF_VALUE_LIST:
		code = read_list(r, name, &v.list, &n);
		v.n = (uint32_t)n;
		break;
	case HF_VALUE_MAP:
		code = read_map(r, name, &v);
		break;
	case HF_VALUE_TREE:
		code = read_tree(r, name, &v);
		break;
	case HF_VALUE_NONE:
	default:
		return wrong(r, name, "a field that can be read");
	}
	if (r->json.why)
		return broken(r);
	if (code >= 0)
		r->event->values[f] = v;
	return code;
}

/* NAME_base64 of field @f, which stands behind it. */
static int read_bytes(struct reader *r, size_t f, hf_sv key)
{
	struct hf_value *v = &r->event->values[f];
	hf_sv text = { 0 };
	int code;

	if (v->type == HF_VALUE_LIST || v->type == HF_VALUE_MAP)
		return read_list_bytes(r, key, v->list, v->type == HF_VALUE_MAP ? 2 * (size_t)v->n : v->n, &v->list);
	code = read_string(r, key, &text);
	if (code < 0)
		return code;
	v->string = hf_base64_decode(r->arena, text);
	v->type = v->string.ptr ? HF_VALUE_STRING : HF_VALUE_NONE;
	return v->string.ptr ? 0 : wrong(r, key, "Base64");
}

static int read_kind(struct reader *r)
{
	hf_sv text = { 0 };
	int code = read_string(r, HF_SV("kind"), &text);

	if (code < 0)
		return code;
	r->has_kind = hf_event_kind_of(text, &r->event->kind);
	return r->has_kind ? 0 : hf_fail(r->err, HF_E_FORMAT, "'%.*s' is no kind of event", HF_SV_FMT(text));
}

static int read_schema(struct reader *r)
{
	hf_sv text = { 0 };
	int code = read_string(r, HF_SV("schema"), &text);

	if (code < 0 || hf_sv_eq(text, HF_SV("holdfast/event/1")))
		return code;
	return hf_fail(r->err, HF_E_FORMAT, "'%.*s' is not the schema holdfast/event/1", HF_SV_FMT(text));
}

/* The child called @key, sought from *@hint on: fields come in the order of the table. 0: none. */
static int16_t child_of(const struct hf_nesting *n, int16_t parent, int16_t *hint, hf_sv key)
{
	int16_t first = n->nodes[parent].first, start = *hint ? *hint : first, at = start;

	do {
		if (hf_sv_eq(n->nodes[at].name, key)) {
			*hint = n->nodes[at].next;
			return at;
		}
		at = n->nodes[at].next ? n->nodes[at].next : first;
	} while (at != start);
	return 0;
}

static bool has_bytes_beside(int f, const struct hf_event *e)
{
	enum hf_value_type type = f < 0 ? HF_VALUE_NONE : hf_event_fields[f].type;

	if (f == HF_FIELD_KIND || f == HF_FIELD_SCHEMA)
		return false;
	return type == HF_VALUE_STRING ||
	       ((type == HF_VALUE_LIST || type == HF_VALUE_MAP) && e->values[f].type == type);
}

/* The members of one object; goes down only where the table does. */
static int read_object(struct reader *r, int16_t parent)
{
	int16_t hint = 0;
	hf_sv key;
	int code = 0;

	hf_json_members(&r->json, &key) {
		int16_t at = child_of(r->nesting, parent, &hint, key), field = r->nesting->nodes[at].field;
		if (at && field == HF_FIELD_KIND)
			code = read_kind(r);
		else if (at && field == HF_FIELD_SCHEMA)
			code = read_schema(r);
		else if (at && field >= 0)
			code = read_value(r, (size_t)field);
		else if (at && hf_json_peek(&r->json) != HF_JSON_OBJECT)
			code = is_null(r) ? 0 : wrong(r, key, "an object");
		else if (at)
			code = read_object(r, at);
		else if (hf_sv_ends(key, HF_SV("_base64")) &&
			 (at = child_of(r->nesting, parent, &hint, hf_sv_first(key, key.len - 7))) &&
			 has_bytes_beside(r->nesting->nodes[at].field, r->event))
			code = read_bytes(r, (size_t)r->nesting->nodes[at].field, key);
		else {
			r->unknown++;
			hf_json_skip(&r->json);
		}
		if (code < 0)
			return code;
	}
	return r->json.why ? broken(r) : 0;
}

int hf_trace_read(hf_sv line, struct hf_arena *a, struct hf_event *ret_event, size_t *ret_unknown, struct hf_err *err)
{
	struct reader r = {
		.json = hf_json_of(line, a), .arena = a, .nesting = hf_nesting_get(), .event = ret_event, .err = err
	};
	int code;

	*ret_event = (struct hf_event){ 0 };
	if (hf_json_peek(&r.json) != HF_JSON_OBJECT)
		return hf_fail(err, HF_E_FORMAT, "no JSON object");
	code = read_object(&r, 0);
	if (code < 0)
		return code;
	if (!hf_json_end(&r.json))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", r.json.at,
			       r.json.why ? r.json.why : "more than one value");
	if (!r.has_kind)
		return hf_fail(err, HF_E_FORMAT, "the event has no kind");
	if (ret_unknown)
		*ret_unknown = r.unknown;
	return 0;
}
