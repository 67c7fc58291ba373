/* Detections as a table: rules read from YAML (data/rules, docs/rules.md), compiled, and asked about each event.
 *
 * Rules are independent: every rule that matches is reported, in the order of the files. Only the rules of the event's kind are
 * evaluated. After hf_rules_load nothing changes any more: any thread may evaluate. */
#pragma once
#include "baseline/condition.h"

enum hf_alert_severity { HF_ALERT_LOW, HF_ALERT_MEDIUM, HF_ALERT_HIGH, HF_ALERT_CRITICAL };

const char *hf_alert_severity_name(enum hf_alert_severity);
bool hf_alert_severity_of(hf_sv name, enum hf_alert_severity *ret);

struct hf_rule {
	hf_sv id, title, description, next; /* next: what to do when it alerts */
	hf_sv family;                       /* alerts of one family and cause are grouped; the id where none is given */
	enum hf_alert_severity severity;
	bool enabled, builtin;
	const hf_sv *tags;
	size_t tags_n;
	uint64_t kinds; /* 1 << enum hf_event_kind */
	hf_sv condition_text;
	const struct hf_condition *condition;
	const enum hf_event_field *exception_fields; /* that an exception of it is best made of */
	size_t exception_fields_n;
	hf_sv file;
	uint32_t line;
};

/* A file whose open, write, … a rule wants to hear of. */
struct hf_watched_path {
	enum hf_watch_shape shape;
	hf_sv path;
	uint32_t operations; /* HF_WATCH_… */
};
enum {
	HF_WATCH_OPEN = 1u << 0,
	HF_WATCH_WRITE = 1u << 1,
	HF_WATCH_CREATE = 1u << 2,
	HF_WATCH_RENAME = 1u << 3,
	HF_WATCH_DELETE = 1u << 4,
	HF_WATCH_ATTRIBUTES = 1u << 5,
};

struct hf_rules {
	struct hf_arena arena, texts; /* texts: of files that were read */
	const struct hf_rule *at;
	size_t n;
	struct {
		const struct hf_rule *const *at; /* enabled ones */
		size_t n;
	} by_kind[HF_EVENT_KINDS];
	const struct hf_watched_path *watched;
	size_t watched_n;
	struct hf_map lists, macros; /* struct hf_condition_list, struct hf_condition_macro */
};

/* One file of rules. Text and name must live as long as the rules. */
struct hf_rules_source {
	hf_sv name, text;
	bool builtin;
};

enum hf_rules_note_kind {
	HF_NOTE_ERROR,    /* a rule, list or macro is left out for it */
	HF_NOTE_SHADOWED, /* a later one of the same name replaces an earlier one */
	HF_NOTE_LINT,     /* is taken, and deserves a look */
};
struct hf_rules_notes {
	/* @text names what it is about. @line 0: the file as a whole. */
	void (*note)(void *ctx, enum hf_rules_note_kind kind, hf_sv file, uint32_t line, hf_sv text);
	void *ctx;
};

/* HF_PARTIAL where anything was left out: notes.note (may be NULL) was told of each. Lists and macros of all files are known to
 * all rules. *@ret is given in both cases; hf_rules_free. HF_E_LIMIT. */
int hf_rules_load(const struct hf_rules_source *sources, size_t n, struct hf_rules_notes notes, struct hf_rules **ret,
		  struct hf_err *err);
/* The built-in rules and those of @folder (its files *.yaml, by name; NULL: none). Else as hf_rules_load; HF_E_IO, HF_E_MISSING. */
int hf_rules_load_folder(const char *folder, struct hf_rules_notes notes, struct hf_rules **ret, struct hf_err *err);
void hf_rules_free(struct hf_rules *);

/* Tells what is taken and yet looks wrong: tests of fields that the rule's kinds do not have, conditions that speak of nearly
 * everything, names that nobody uses, rules without advice. The number of notes. */
size_t hf_rules_lint(const struct hf_rules *, struct hf_rules_notes notes);
const struct hf_rule *hf_rules_find(const struct hf_rules *, hf_sv id);

/* Hands an event of kind ALERT to @alerts for each rule that matches @e: the fields of @e, and alert.rule, .title, .severity,
 * .reason, .tags, .event, .event_kind. 0, or what the sink returned. */
int hf_rules_evaluate(const struct hf_rules *, const struct hf_event *e, const struct hf_event_sink *alerts,
		      struct hf_err *err);

/* The files that the rules want to be told of, each once, in the order of the rules. */
const struct hf_watched_path *hf_rules_watched_paths(const struct hf_rules *, size_t *ret_n);
