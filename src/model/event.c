#include "model/event.h"

#include <stdlib.h>

const struct hf_event_field_info hf_event_fields[HF_EVENT_FIELDS] = {
#define HF_EVENT_FIELD(name, text, type, doc) { text, HF_VALUE_##type, doc },
#include "model/event_fields.def"
#undef HF_EVENT_FIELD
};

static const char *const kind_names[HF_EVENT_KINDS] = {
#define HF_EVENT_KIND(name, text, doc) text,
#include "model/event_kinds.def"
#undef HF_EVENT_KIND
};

const char *hf_event_kind_name(enum hf_event_kind kind)
{
	return (unsigned)kind < HF_EVENT_KINDS ? kind_names[kind] : "unknown";
}

bool hf_event_kind_of(hf_sv name, enum hf_event_kind *ret_kind)
{
	for (unsigned i = 0; i < HF_EVENT_KINDS; i++)
		if (hf_sv_eq(name, hf_sv_of(kind_names[i]))) {
			*ret_kind = i;
			return true;
		}
	return false;
}

bool hf_event_field_of(hf_sv dotted_name, enum hf_event_field *ret_field)
{
	for (unsigned i = 0; i < HF_EVENT_FIELDS; i++)
		if (hf_sv_eq(dotted_name, hf_sv_of(hf_event_fields[i].name))) {
			*ret_field = i;
			return true;
		}
	return false;
}

static struct hf_value *slot(struct hf_event *e, enum hf_event_field f, enum hf_value_type type)
{
	if ((unsigned)f >= HF_EVENT_FIELDS || hf_event_fields[f].type != type)
		abort();
	e->values[f].type = type;
	e->values[f].n = 0;
	return &e->values[f];
}

void hf_event_set_string(struct hf_event *e, enum hf_event_field f, hf_sv s)
{
	slot(e, f, HF_VALUE_STRING)->string = s;
	if (!s.ptr)
		e->values[f].type = HF_VALUE_NONE;
}

void hf_event_set_uint(struct hf_event *e, enum hf_event_field f, uint64_t v)
{
	slot(e, f, HF_VALUE_UINT)->uint = v;
}

void hf_event_set_int(struct hf_event *e, enum hf_event_field f, int64_t v)
{
	slot(e, f, HF_VALUE_INT)->integer = v;
}

void hf_event_set_bool(struct hf_event *e, enum hf_event_field f, bool v)
{
	slot(e, f, HF_VALUE_BOOL)->boolean = v;
}

static void many(struct hf_event *e, enum hf_event_field f, enum hf_value_type type, const void *at, size_t n)
{
	struct hf_value *v = slot(e, f, type);

	v->list = at;
	v->n = (uint32_t)n;
	if (!at)
		v->type = HF_VALUE_NONE;
}

void hf_event_set_list(struct hf_event *e, enum hf_event_field f, const hf_sv *list, size_t n)
{
	many(e, f, HF_VALUE_LIST, list, n);
}

void hf_event_set_map(struct hf_event *e, enum hf_event_field f, const hf_sv *pairs, size_t n)
{
	many(e, f, HF_VALUE_MAP, pairs, n);
}

void hf_event_set_tree(struct hf_event *e, enum hf_event_field f, const struct hf_ancestor *tree, size_t n)
{
	many(e, f, HF_VALUE_TREE, tree, n);
}

static const hf_sv *copy_views(struct hf_arena *a, const hf_sv *list, size_t n)
{
	hf_sv *copy = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = hf_arena_dup(a, list[i]);
	return copy;
}

static const struct hf_ancestor *copy_tree(struct hf_arena *a, const struct hf_ancestor *tree, size_t n)
{
	struct hf_ancestor *copy = hf_arena_array(a, struct hf_ancestor, n);

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = tree[i];
		copy[i].path = hf_arena_dup(a, tree[i].path);
		copy[i].arguments = copy_views(a, tree[i].arguments, tree[i].arguments_n);
	}
	return copy;
}

struct hf_event *hf_event_copy(struct hf_arena *a, const struct hf_event *e)
{
	struct hf_event *copy = hf_arena_new(a, struct hf_event);

	if (!copy)
		return NULL;
	*copy = *e;
	for (size_t f = 0; f < HF_EVENT_FIELDS; f++) {
		struct hf_value *v = &copy->values[f];

		if (v->type == HF_VALUE_STRING)
			v->string = hf_arena_dup(a, v->string);
		else if (v->type == HF_VALUE_LIST)
			v->list = copy_views(a, v->list, v->n);
		else if (v->type == HF_VALUE_MAP)
			v->list = copy_views(a, v->list, 2 * (size_t)v->n);
		else if (v->type == HF_VALUE_TREE)
			v->tree = copy_tree(a, v->tree, v->n);
	}
	return a->over ? NULL : copy;
}
