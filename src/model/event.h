/* hf_event: what was seen once, as a row of typed values. The sensor fills it, rules and profiles read it, sinks write it, a
 * recorded trace gives it back: all of them by the tables event_kinds.def and event_fields.def, so a field is added in one place.
 *
 * A value that was not set is absent: not known, which is never "none". Strings are borrowed: they live as long as what they were
 * cut from (the sensor's record, an arena), at least until the function that got the event returns; hf_event_copy keeps one. */
#pragma once
#include "base/arena.h"

enum hf_event_kind {
#define HF_EVENT_KIND(name, text, doc) HF_EVENT_##name,
#include "model/event_kinds.def"
#undef HF_EVENT_KIND
	HF_EVENT_KINDS
};

enum hf_event_field {
#define HF_EVENT_FIELD(name, text, type, doc) HF_FIELD_##name,
#include "model/event_fields.def"
#undef HF_EVENT_FIELD
	HF_EVENT_FIELDS
};

enum hf_value_type {
	HF_VALUE_NONE = 0,
	HF_VALUE_STRING,
	HF_VALUE_UINT,
	HF_VALUE_INT,
	HF_VALUE_BOOL,
	HF_VALUE_LIST,
	HF_VALUE_MAP,
	HF_VALUE_TREE
};

/* An execution above the process of an event. */
struct hf_ancestor {
	uint64_t pid, execution; /* 0: not known */
	hf_sv path;
	const hf_sv *arguments;
	size_t arguments_n;
};

struct hf_value {
	uint32_t type; /* enum hf_value_type; NONE: absent */
	uint32_t n;    /* elements of a list or tree; pairs of a map */
	union {
		hf_sv string;
		uint64_t uint;
		int64_t integer;
		bool boolean;
		const hf_sv *list; /* n elements; a map: 2n, key and value in turn, sorted by key */
		const struct hf_ancestor *tree;
	};
};

struct hf_event {
	enum hf_event_kind kind;
	struct hf_value values[HF_EVENT_FIELDS]; /* KIND, SCHEMA and ID need not be set to be written */
};

struct hf_event_field_info {
	const char *name; /* dotted */
	enum hf_value_type type;
	const char *doc;
};

extern const struct hf_event_field_info hf_event_fields[HF_EVENT_FIELDS];
const char *hf_event_kind_name(enum hf_event_kind kind);
/* False where there is no such name. */
bool hf_event_kind_of(hf_sv name, enum hf_event_kind *ret_kind);
bool hf_event_field_of(hf_sv dotted_name, enum hf_event_field *ret_field);

static inline bool hf_event_has(const struct hf_event *e, enum hf_event_field f)
{
	return e->values[f].type != HF_VALUE_NONE;
}

/* The value, or the type's zero where it is absent or of another type: ask hf_event_has where that matters. */
static inline hf_sv hf_event_string(const struct hf_event *e, enum hf_event_field f)
{
	return e->values[f].type == HF_VALUE_STRING ? e->values[f].string : (hf_sv){ 0 };
}
static inline uint64_t hf_event_uint(const struct hf_event *e, enum hf_event_field f)
{
	return e->values[f].type == HF_VALUE_UINT ? e->values[f].uint : 0;
}
static inline int64_t hf_event_int(const struct hf_event *e, enum hf_event_field f)
{
	return e->values[f].type == HF_VALUE_INT ? e->values[f].integer : 0;
}
static inline bool hf_event_bool(const struct hf_event *e, enum hf_event_field f)
{
	return e->values[f].type == HF_VALUE_BOOL && e->values[f].boolean;
}

/* Setters. The field must be of that type in the table (a broken invariant aborts). A string, list or map without a pointer and
 * without bytes leaves the field absent. */
void hf_event_set_string(struct hf_event *e, enum hf_event_field f, hf_sv s);
void hf_event_set_uint(struct hf_event *e, enum hf_event_field f, uint64_t v);
void hf_event_set_int(struct hf_event *e, enum hf_event_field f, int64_t v);
void hf_event_set_bool(struct hf_event *e, enum hf_event_field f, bool v);
void hf_event_set_list(struct hf_event *e, enum hf_event_field f, const hf_sv *list, size_t n);
void hf_event_set_map(struct hf_event *e, enum hf_event_field f, const hf_sv *pairs,
		      size_t n); /* n pairs, sorted by key */
void hf_event_set_tree(struct hf_event *e, enum hf_event_field f, const struct hf_ancestor *tree, size_t n);

/* A deep copy in @a; NULL on the arena's cap. */
struct hf_event *hf_event_copy(struct hf_arena *a, const struct hf_event *e);

/* Whoever takes events. 0 goes on; a negative code with *err set ends the stream. The event is borrowed for the call. */
struct hf_event_sink {
	int (*take)(void *ctx, const struct hf_event *e, struct hf_err *err);
	void *ctx;
};
