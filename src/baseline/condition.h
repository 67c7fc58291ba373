/* Conditions over the fields of an event, as rules and exceptions write them:
 *
 *     process.name in $shells and process.stdin is socket and not process.ancestors any named (sshd, login)
 *
 * The language is described in docs/rules.md. A condition is typed and checked when it is compiled, into a flat program whose
 * evaluation is linear in its length and in the event's; it holds no pointer into the text's storage but through the arena.
 *
 * Truth has three values (Kleene): a test of a field that the event does not have is "cannot tell", and so is its negation;
 * only `exists` tells presence from absence. "Cannot tell" neither alerts nor excepts. `a unless b` holds where a does and b is not
 * known to: an exclusion that cannot be told does not silence a rule (in an excepting condition it is `a and not b`).
 *
 * A value that the sensor cut (process.executable.truncated, file.truncated, process.arguments_truncated) never speaks in favour
 * of what allows: under an odd number of negations in an alerting condition a test of it is false, and in an excepting one
 * every test of it is "cannot tell". A list that was cut and holds no match so far is "cannot tell" elsewhere. */
#pragma once
#include "base/buffer.h"
#include "base/map.h"
#include "model/event.h"

enum hf_truth { HF_TRUTH_FALSE = 0, HF_TRUTH_UNKNOWN, HF_TRUTH_TRUE };

enum hf_condition_use {
	HF_CONDITION_ALERTS,  /* true means: say so */
	HF_CONDITION_EXCEPTS, /* true means: be silent */
};

/* What a condition may name. Values: of `lists` struct hf_condition_list, of `macros` struct hf_condition_macro; keys of macros end
 * with a NUL. Either map may be NULL. What they hold is borrowed for as long as the condition is used. */
struct hf_condition_list {
	const hf_sv *at;
	size_t n;
	bool used; /* set when a condition names it */
};
struct hf_condition_macro {
	hf_sv text;
	bool used;
};
struct hf_condition_names {
	const struct hf_map *lists, *macros;
};

struct hf_condition;

/* HF_E_FORMAT with "line 1, column 5: …" of @text, and the nearest known name where one is misspelt; HF_E_LIMIT. All of *@ret lives in
 * @a, into which @text is copied. */
int hf_condition_compile(hf_sv text, const struct hf_condition_names *names, enum hf_condition_use use,
			 struct hf_arena *a, const struct hf_condition **ret, struct hf_err *err);

enum hf_truth hf_condition_evaluate(const struct hf_condition *c, const struct hf_event *e);
/* Whether that is HF_TRUTH_TRUE, in half the time. */
bool hf_condition_holds(const struct hf_condition *c, const struct hf_event *e);
/* The same; where it is true, appends the tests that made it so, as "field=value, field=value". */
enum hf_truth hf_condition_explain(const struct hf_condition *c, const struct hf_event *e, struct hf_buf *reason);

/* Whether any test looks at @field. */
bool hf_condition_reads(const struct hf_condition *c, enum hf_event_field field);
/* Whether the condition can hold by tests of presence and by negations alone: it then speaks of nearly every event. */
bool hf_condition_is_vague(const struct hf_condition *c);

enum hf_watch_shape {
	HF_WATCH_PATH,  /* the path itself */
	HF_WATCH_BELOW, /* every path that begins with it */
	HF_WATCH_GLOB,  /* base/glob.h */
	HF_WATCH_NAME,  /* every path that ends with it */
};
/* The paths that the tests of @field, not negated, name. */
void hf_condition_paths(const struct hf_condition *c, enum hf_event_field field,
			void (*take)(void *ctx, enum hf_watch_shape shape, hf_sv path), void *ctx);
/* Whether a test of @field that is not negated takes @value, or none looks at @field at all. */
bool hf_condition_admits(const struct hf_condition *c, enum hf_event_field field, hf_sv value);

/* The nearest field of events; NULL where none is near. */
const char *hf_nearest_field(hf_sv word);
