/* Granted against used: an API server's audit log held against the roles. Pure.
 *
 * A use (rbac/audit_log.h) counts for each right that would have allowed it alone, but not for rights of who has it from the API server's
 * own bindings as well. */
#pragma once
#include "rbac/audit_log.h"

/* What one rule of one binding was used for. */
struct hf_rbac_rule_use {
	const struct hf_rbac_binding *binding;
	const struct hf_rbac_rule *rule;
	const hf_sv *verbs; /* that were used, each once */
	size_t verbs_n;
	uint64_t count; /* 0: never */
	hf_sv last;     /* when for the last time; empty: not known */
};

/* A use that a subject needs its own rights for. */
struct hf_rbac_need {
	const struct hf_rbac_use *use;
	const struct hf_rbac_subject *subject;
	bool named; /* all that allows it is restricted to names */
};

struct hf_rbac_needs {
	const struct hf_rbac_need *at;
	size_t n;
};

/* A subject whose rights were held against the log. */
struct hf_rbac_subject_use {
	const struct hf_rbac_subject *subject;
	const struct hf_rbac_rule_use *rules; /* all that it was given, in the order of its bindings */
	size_t rules_n;
	struct hf_rbac_needs needs;
	uint64_t count;
};

struct hf_rbac_audit {
	const struct hf_rbac_model *model;
	const struct hf_rbac_log *log;
	const struct hf_rbac_subject_use *subjects; /* those with rights of their own, in the order of the model */
	size_t subjects_n;
	const struct hf_rbac_needs
		*bindings;    /* by binding->number: what of it is needed, by whom; @named: as to this binding */
	uint64_t unexplained; /* requests that were allowed, and that nothing in the model allows */
	const struct hf_rbac_use *first_unexplained;
};

/* NULL on the arena's cap. @builtin: the API server's own bindings too. */
const struct hf_rbac_audit *hf_rbac_audit(const struct hf_rbac_model *, hf_sv log, bool builtin, struct hf_arena *);
/* The first use that @before allows and @after does not; NULL: none. */
const struct hf_rbac_use *hf_rbac_replay(const struct hf_rbac_log *, const struct hf_rbac_model *before,
					 const struct hf_rbac_model *after);

/* Rules that allow the needs and no more than was granted, as few as that takes. */
struct hf_rbac_narrow_rule {
	hf_sv group;            /* empty with urls, and for the core group */
	const hf_sv *resources; /* or paths */
	size_t resources_n;
	const hf_sv *verbs;
	size_t verbs_n;
	struct hf_rbac_list
		names; /* resourceNames that were used, where they are few and none looks generated; empty: any */
	bool urls;
};
/* @namespace: the needs in that one alone ("": those that are for no one namespace); NULL: all of them. */
const struct hf_rbac_narrow_rule *hf_rbac_narrow(struct hf_rbac_needs, const hf_sv *namespace, struct hf_arena *,
						 size_t *ret_n);
