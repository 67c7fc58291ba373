/* Granted against used: an API server's audit log held against the roles. Pure.
 *
 * A use is a request that was allowed, counted once for all that are alike: who, verb, resource, namespace. It counts for each right that
 * would have allowed it alone, but not for rights of who has it from the API server's own bindings as well.
 * Source: audit.k8s.io/v1 Event (API reference of 1.34), as JSON lines or as an EventList. */
#pragma once
#include "rbac/authorizer.h"

struct hf_rbac_use {
	struct hf_rbac_user user;
	struct hf_rbac_request request; /* without the object's name */
	uint64_t count;
};

/* What one rule of one binding was used for. */
struct hf_rbac_rule_use {
	const struct hf_rbac_binding *binding;
	const struct hf_rbac_rule *rule;
	const hf_sv *verbs; /* that were used, each once */
	size_t verbs_n;
	uint64_t count; /* 0: never */
};

/* A use that a subject needs its own rights for. */
struct hf_rbac_need {
	const struct hf_rbac_use *use;
	const struct hf_rbac_rule *named; /* all that allows it is restricted to names: one of those rules; else NULL */
};

/* A subject whose rights were held against the log. */
struct hf_rbac_subject_use {
	const struct hf_rbac_subject *subject;
	const struct hf_rbac_rule_use *rules; /* all that it was given, in the order of its bindings */
	size_t rules_n;
	const struct hf_rbac_need *needs;
	size_t needs_n;
	uint64_t count;
};

struct hf_rbac_audit {
	const struct hf_rbac_subject_use *subjects; /* those with rights of their own, in the order of the model */
	size_t subjects_n;
	uint64_t events, denied, unreadable;
	uint64_t unreadable_byte; /* where the first is that could not be read */
};

/* NULL on the arena's cap. @builtin: the API server's own bindings too. */
const struct hf_rbac_audit *hf_rbac_audit(const struct hf_rbac_model *, hf_sv log, bool builtin, struct hf_arena *);

/* Rules that allow the uses in a namespace ("": those that are for no one namespace) and no more than was
 * granted, as few as that takes. */
struct hf_rbac_narrow_rule {
	hf_sv group;            /* empty with urls, and for the core group */
	const hf_sv *resources; /* or paths */
	size_t resources_n;
	const hf_sv *verbs;
	size_t verbs_n;
	struct hf_rbac_list names; /* resourceNames: those of the rule that was used; empty: any */
	bool urls;
};
const struct hf_rbac_narrow_rule *hf_rbac_narrow(const struct hf_rbac_subject_use *, hf_sv namespace, struct hf_arena *,
						 size_t *ret_n);
