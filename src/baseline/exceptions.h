/* Exceptions as objects: what an alert is not told for, by whom, why and until when. YAML, docs/rules.md:
 *
 *     exceptions:
 *       - id: backup-shell
 *         owner: storage team
 *         why: the nightly backup pipes through sh
 *         expires: 2026-12-31
 *         rules: [shell-of-database]
 *         match: |
 *           container.image.name = db:9 and process.arguments any startswith "backup "
 *
 * All six keys are needed. `match` is a condition (baseline/condition.h) that must be known to be true of the event; `rules` are the
 * ids that it may hide, without wildcards. Counts are of this process. One thread. */
#pragma once
#include "baseline/rules.h"

struct hf_exception {
	hf_sv id, owner, why, expires, match_text; /* expires: YYYY-MM-DD, the last day on which it counts, UTC */
	const hf_sv *rules;
	size_t rules_n;
	const struct hf_condition *match;
	hf_sv file;
	uint32_t line;
	uint64_t hits, last_hit_ns; /* alerts that it hid; monotonic_ns of the last one, 0: none */
};

enum hf_exception_state {
	HF_EXCEPTION_ACTIVE,  /* has hidden something */
	HF_EXCEPTION_UNUSED,  /* could, and has not so far */
	HF_EXCEPTION_EXPIRED, /* its day is over: hides nothing */
	HF_EXCEPTION_DEAD,    /* names no rule that is there: hides nothing */
};
const char *hf_exception_state_name(enum hf_exception_state state);

struct hf_exceptions;

/* @rules is borrowed: its lists and macros may be named, its ids are checked. HF_PARTIAL where an exception was left out (notes). */
int hf_exceptions_load(const struct hf_rules_source *sources, size_t n, const struct hf_rules *rules,
		       struct hf_rules_notes notes, struct hf_exceptions **ret, struct hf_err *err);
void hf_exceptions_free(struct hf_exceptions *);
const struct hf_exception *hf_exceptions_list(const struct hf_exceptions *, size_t *ret_n);
/* @today: "YYYY-MM-DD", UTC. */
enum hf_exception_state hf_exception_state(const struct hf_exceptions *, const struct hf_exception *, hf_sv today);
/* The day from which on expiry is judged; until it is set nothing counts as expired. */
void hf_exceptions_today(struct hf_exceptions *, hf_sv today);
hf_sv hf_exceptions_day(const struct hf_exceptions *); /* that was set; empty where none was */

/* A sink for alerts: those that an exception hides are counted, and handed to @hidden (may have take NULL) with alert.exception set; all
 * others go to @shown. */
struct hf_event_sink hf_exceptions_sink(struct hf_exceptions *, struct hf_event_sink shown,
					struct hf_event_sink hidden);

/* What one exception would have hidden, by replaying alerts that were recorded (events of kind ALERT from hf_rules_evaluate). */
struct hf_would_hide {
	uint64_t alerts, critical;
	size_t rules_n; /* different rules among them, at most 16 are named */
	hf_sv rules[16];
};
void hf_exception_replay(const struct hf_exception *, const struct hf_event *alert, struct hf_would_hide *total);
/* Why the exception is too broad for its own good, appended to @ret; false where it is not. It is where it hid alerts of several
 * rules, or alerts of severity critical while it names more than the one rule. */
bool hf_would_hide_warns(const struct hf_exception *, const struct hf_would_hide *total, struct hf_buf *ret);

/* The narrowest exception that hides alerts like @alert: an entry of the file's list, for the fields that its rule suggests, the
 * image and the executable. @owner,
 * @why and @expires may be empty: then they are to be filled in. HF_E_MISSING where the rule is not known; HF_E_UNSUPPORTED
 * where the event lacks all suggested fields, or one that it has was truncated. */
int hf_exception_suggest(const struct hf_rules *, const struct hf_event *alert, hf_sv owner, hf_sv why, hf_sv expires,
			 struct hf_buf *out, struct hf_err *err);
