/* Events on their way out, judged: each goes on as it is, and behind it the alerts of the rules that match it and of its workload's profile, without those that an
 * exception hides, grouped by cause and within the workload's budget (baseline/alerts.h). */
#pragma once
#include "baseline/profiles.h"
#include "baseline/rules.h"

struct hf_judge;

struct hf_judge_options {
	const char *rules_folder; /* beside the built-in rules; NULL: none */
	const char *exceptions;   /* a file; NULL: none */
	const char *profiles;     /* a folder of runtime learn; NULL: none */
	/* As hf_profiles_options has it. */
	const struct hf_profile *(*other_profile)(void *ctx, const struct hf_event *e, bool *ret_later);
	void *other_ctx;
	void (*broken_profile)(void *ctx, const char *path, const struct hf_err *why); /* may be NULL; notes.ctx */
	uint32_t shown_per_day; /* groups of alerts a workload; 0: five */
	bool all;               /* every alert by itself, without groups and budget */
	struct hf_rules_notes notes;
	struct hf_event_sink to;
};

/* HF_PARTIAL where a rule or an exception was left out (notes); *ret is given then too. HF_E_IO, HF_E_MISSING, HF_E_FORMAT. */
hf_nodiscard int hf_judge_open(const struct hf_judge_options *options, struct hf_judge **ret, struct hf_err *err);
struct hf_event_sink hf_judge_sink(struct hf_judge *j);
/* Holds an event that was handed on already against its profile alone. 0, or what the sink returned. */
int hf_judge_again(struct hf_judge *j, const struct hf_event *e, struct hf_err *err);
/* About once a minute: groups that are over are summed up, exceptions expire. @today: "YYYY-MM-DD", UTC. 0, or what the sink returned. */
int hf_judge_tick(struct hf_judge *j, uint64_t monotonic_ns, hf_sv today, struct hf_err *err);
/* What was counted and not told yet, as at the end. */
int hf_judge_flush(struct hf_judge *j, struct hf_err *err);
/* NULL is fine. */
void hf_judge_close(struct hf_judge *j);
/* For what else wants to know them: paths to watch, texts of rules. */
const struct hf_rules *hf_judge_rules(const struct hf_judge *j);
/* The profile of the event's workload in the folder; NULL where there is none. Lives until the next call. */
const struct hf_profile *hf_judge_profile(struct hf_judge *j, const struct hf_event *e);
