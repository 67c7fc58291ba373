/* Who may do what: the model of roles and bindings, and the answer that the RBAC authorizer of the API server gives. Pure.
 *
 * An answer is the one that a SubjectAccessReview gets where RBAC is the only authorizer: rights add up, nothing is denied by a rule.
 * Rights that other authorizers give (nodes, webhooks) are not known here. Members of the group system:masters may do everything.
 * Source: the API reference of 1.34 (rbac.authorization.k8s.io/v1, authorization.k8s.io/v1); "Using RBAC Authorization" of kubernetes.io. */
#pragma once
#include "kube/pods.h"

struct hf_rbac_role;
struct hf_rbac_subject;

struct hf_rbac_list {
	const hf_sv *at;
	size_t n;
};

struct hf_rbac_rule {
	struct hf_rbac_list verbs, groups, resources, names, urls;
	const struct hf_value *value; /* where it is written */
	const struct hf_rbac_role
		*role;   /* that it is written in: of an aggregated role's rule one of those that it gathers */
	uint32_t index;  /* in that role, from 0 */
	uint32_t number; /* among all rules of the model */
};

struct hf_rbac_role {
	const struct hf_kube_object *object;
	hf_sv namespace, name; /* namespace: empty for a ClusterRole */
	const struct hf_rbac_rule *const *rules;
	size_t rules_n;
	bool aggregated; /* its rules were gathered here, by aggregationRule */
	bool builtin;    /* of the defaults that were added, or of their name */
	uint32_t number;
};

struct hf_rbac_binding {
	const struct hf_kube_object *object;
	hf_sv namespace, name;           /* namespace: empty for a ClusterRoleBinding */
	hf_sv role_kind, role_name;      /* as written */
	const struct hf_rbac_role *role; /* NULL: it is not in the set */
	const struct hf_rbac_subject *const *subjects;
	size_t subjects_n;
	bool builtin; /* says what the default binding of its name says */
	uint32_t number;
};

enum hf_rbac_subject_kind { HF_RBAC_USER, HF_RBAC_GROUP, HF_RBAC_ACCOUNT };

/* Who is named in bindings, each service account of the set or of its pods, and the groups that the API server itself gives. */
struct hf_rbac_subject {
	enum hf_rbac_subject_kind kind;
	hf_sv name; /* as the authorizer sees it: system:serviceaccount:NAMESPACE:NAME for an account, however it was written */
	hf_sv namespace, account;            /* of an account */
	const struct hf_kube_object *object; /* the ServiceAccount; NULL: it is not in the set */
	const struct hf_rbac_binding *const
		*bindings; /* those of the whole cluster first, else in the order of the input */
	size_t bindings_n;
	uint32_t number;
};

enum hf_rbac_defaults {
	HF_RBAC_DEFAULTS_AUTO, /* added where the set holds none of them: manifests */
	HF_RBAC_DEFAULTS_WITH,
	HF_RBAC_DEFAULTS_WITHOUT,
	HF_RBAC_DEFAULTS_UNKNOWN, /* nor does anything of the set count as one of them */
};

struct hf_rbac_model {
	const struct hf_kube_objects *objects;
	hf_sv cluster;
	const struct hf_rbac_role *const *roles; /* those of the set in its order, then defaults; as the next two */
	size_t roles_n;
	const struct hf_rbac_binding *const *bindings;
	size_t bindings_n;
	const struct hf_rbac_subject *const *subjects; /* in the order in which they are first named */
	size_t subjects_n;
	size_t rules_n;
	const struct hf_kube_note *notes; /* what was not understood in roles and bindings */
	size_t notes_n;
	const struct hf_kube_pod *pods; /* of all clusters of the set */
	size_t pods_n;
	bool defaults_added;
	struct hf_map by_name; /* hf_rbac_find_subject */
};

/* The model of the objects of one cluster (its context; empty for files). Lives in the arena, as long as the set. NULL on the cap.
 * Rules of an aggregated ClusterRole: those that its selectors gather, as the controller of a cluster would fill them in; but what is
 * written where the object came from a cluster (it has a uid or a resourceVersion), since there the controller has been. */
const struct hf_rbac_model *hf_rbac_build(const struct hf_kube_objects *, hf_sv cluster, enum hf_rbac_defaults,
					  struct hf_arena *);
/* The user's or account's, or the group's, entry. NULL: no binding names it. */
const struct hf_rbac_subject *hf_rbac_find_subject(const struct hf_rbac_model *, bool group, hf_sv name);

struct hf_rbac_user {
	hf_sv name; /* may be empty: groups alone */
	const hf_sv *groups;
	size_t groups_n;
};

/* With the groups that the API server adds for who impersonates (`kubectl --as`): system:authenticated, or system:unauthenticated for
 * system:anonymous; for a service account whose groups are not given, system:serviceaccounts and that of its namespace. */
struct hf_rbac_user hf_rbac_user_of(hf_sv name, const hf_sv *groups, size_t groups_n, struct hf_arena *);
/* system:serviceaccount:NAMESPACE:NAME taken apart. False for all else. */
bool hf_rbac_is_account(hf_sv user, hf_sv *ret_namespace, hf_sv *ret_name);

struct hf_rbac_request {
	hf_sv verb;
	hf_sv group, resource, subresource; /* "" is the core group, and no subresource */
	hf_sv name;                         /* "" where the request has none */
	hf_sv namespace;                    /* "": all namespaces at once, or a kind without */
	hf_sv url;                          /* not empty: a request for this path, and only verb counts besides */
};

/* What allows a request. */
struct hf_rbac_grant {
	const struct hf_rbac_subject *subject;
	const struct hf_rbac_binding *binding; /* NULL: the group system:masters, by the API server itself */
	const struct hf_rbac_rule *rule;       /* NULL as well */
};

/* The rule by itself, whoever holds it and wherever it is bound. */
bool hf_rbac_rule_allows(const struct hf_rbac_rule *, const struct hf_rbac_request *);
/* @ret may be NULL. Grants for the whole cluster are looked for first. */
bool hf_rbac_can(const struct hf_rbac_model *, const struct hf_rbac_user *, const struct hf_rbac_request *,
		 struct hf_rbac_grant *ret);
/* Each subject that is allowed, once, in the order of the model's bindings; system:masters last where no binding said it before. */
const struct hf_rbac_grant *hf_rbac_who_can(const struct hf_rbac_model *, const struct hf_rbac_request *,
					    struct hf_arena *, size_t *ret_n);
