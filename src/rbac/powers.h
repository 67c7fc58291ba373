/* What rights are worth: each subject's rights held against the table of risks (risks.def), and what they lead to. Pure.
 *
 * A power is one right of one subject in one scope. What it leads to is followed until nothing more is gained: who creates pods in a
 * namespace has the accounts of the namespace, and what those have. */
#pragma once
#include "model/report.h"
#include "rbac/authorizer.h"

enum hf_rbac_risk {
	HF_RBAC_NONE = 0,
#define HF_RBAC_RISK(number, name, ...) HF_RBAC_##name,
#include "rbac/risks.def"
#undef HF_RBAC_RISK
	HF_RBAC_RISKS
};

enum hf_rbac_gain {
	HF_RBAC_GAIN_NOTHING,    /* that is followed further */
	HF_RBAC_GAIN_EVERYTHING, /* in its scope */
	HF_RBAC_GAIN_CLUSTER,    /* everything, also where its scope is one namespace */
	HF_RBAC_GAIN_PODS,     /* the accounts of its scope, and the node where no level of Pod Security is enforced */
	HF_RBAC_GAIN_ACCOUNTS, /* the accounts of its scope */
	HF_RBAC_GAIN_RUNNING,  /* those of them that pods run as */
	HF_RBAC_GAIN_TOKENS,   /* those of them that have a token in a secret */
	HF_RBAC_GAINS
};

enum hf_rbac_reach { HF_RBAC_REACH_ANY, HF_RBAC_REACH_CLUSTER };
enum hf_rbac_names { HF_RBAC_NAMES_NONE, HF_RBAC_NAMES_ALL, HF_RBAC_NAMES_CHOSEN };

struct hf_rbac_risk_row {
	unsigned number; /* HF-RBAC-NNN */
	const char *name;
	enum hf_severity cluster_severity, namespace_severity;
	enum hf_rbac_reach reach;
	enum hf_rbac_names names;
	enum hf_rbac_gain gain;
	enum hf_rbac_risk needs;
	const char *verbs, *resources;
	const char *title, *why, *fix, *references;
};
extern const struct hf_rbac_risk_row hf_rbac_risks[HF_RBAC_RISKS];

struct hf_rbac_power {
	enum hf_rbac_risk risk;
	const struct hf_rbac_subject *subject;
	const struct hf_rbac_binding *binding;
	const struct hf_rbac_rule *rule;
	hf_sv scope;      /* a namespace; empty: the whole cluster */
	bool restricted;  /* to the names of the rule */
	bool useless;     /* without another right that the subject has not: not told, and it leads nowhere */
	const char *what; /* of HF_RBAC_OPERATORS: whose operator; else NULL */
};

/* How a subject comes to be cluster-admin. */
struct hf_rbac_way {
	unsigned steps;                     /* 0: it does not; 1: by a right of its own */
	const struct hf_rbac_power *power;  /* the first step; NULL: it is a member of the group @next */
	const struct hf_rbac_subject *next; /* whom it becomes by that; NULL: there */
	bool by_node;                       /* the power's pods take the node, and with it what runs there */
};

struct hf_rbac_powers {
	const struct hf_rbac_model *model;
	/* By subject->number: its powers, those of the cluster first, by scope, then as in the table. One a risk and scope. */
	const struct hf_rbac_power *const *powers;
	const size_t *powers_n;
	const struct hf_rbac_way *ways; /* by subject->number */
	/* By subject->number: the pods that run as the account, without finished ones. */
	const struct hf_kube_pod *const *const *pods;
	const size_t *pods_n;
	const bool *has_token_secret;
	const bool *named; /* by an object of a kind that is not looked into, as the account of what it makes */
	bool pods_known;   /* there are pods of this cluster in the set */
};

/* NULL on the arena's cap. */
const struct hf_rbac_powers *hf_rbac_powers(const struct hf_rbac_model *, struct hf_arena *);
/* The power of that risk that holds in the namespace (or for the whole cluster), NULL: none. */
const struct hf_rbac_power *hf_rbac_has(const struct hf_rbac_powers *, const struct hf_rbac_subject *,
					enum hf_rbac_risk, hf_sv scope);
/* Is a level of Pod Security that keeps pods off the node enforced there? A namespace that is not in the set: not known. */
enum hf_rbac_level { HF_RBAC_LEVEL_UNKNOWN, HF_RBAC_LEVEL_OPEN, HF_RBAC_LEVEL_KEPT };
enum hf_rbac_level hf_rbac_level_of(const struct hf_rbac_model *, hf_sv namespace);
/* The account whose token the secret holds; empty: none, or no secret (NULL). */
hf_sv hf_rbac_token_account(const struct hf_kube_object *secret);
/* No pod of the input runs as the account, and nothing else in it hints at a user: not where the input holds no pods, for what is there unasked
 * (default), and for the accounts of the API server's own controllers. */
bool hf_rbac_is_unused(const struct hf_rbac_powers *, const struct hf_rbac_subject *);
