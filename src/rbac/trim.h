/* What an audit log leaves of the roles and bindings: each role with what all of its holders used, each binding with who used it. Pure.
 *
 * Left as they are: what the API server makes, what another object owns, and roles that others gather. Who is bound to such a role gets
 * one of its own. A ClusterRoleBinding whose rights were used in few namespaces becomes a RoleBinding in each. What is new has names that
 * nothing else has, each: two roles of one name would be one, with the rights of one of them for the holders of both. */
#pragma once
#include "rbac/audit.h"

struct hf_rbac_trim_role {
	const struct hf_rbac_role *role;
	const struct hf_rbac_narrow_rule *rules;
	size_t rules_n;
	size_t holders; /* bindings to it */
};

/* A role that takes the place of one that is left as it is. */
struct hf_rbac_own_role {
	hf_sv namespace; /* empty: a ClusterRole */
	const struct hf_rbac_narrow_rule *rules;
	size_t rules_n;
};

struct hf_rbac_trim_binding {
	const struct hf_rbac_binding *binding;
	const bool *keeps; /* by element of its `subjects` */
	size_t elements, kept;
	const hf_sv *namespaces; /* of the RoleBindings that take its place; none: it stays where it is */
	size_t namespaces_n;
	hf_sv name;                         /* of those; where it stays, its own unless it gets roles below */
	hf_sv own_name;                     /* of the roles below; empty: its role stays */
	const struct hf_rbac_own_role *own; /* one a namespace, or one */
	size_t own_n;
};

struct hf_rbac_left {
	const struct hf_kube_object *object;
	hf_sv why;
};

struct hf_rbac_trim {
	const struct hf_rbac_trim_role *roles;
	size_t roles_n;
	const struct hf_rbac_trim_binding *bindings;
	size_t bindings_n;
	const struct hf_rbac_left *left;
	size_t left_n;
	/* Pairs of a verb and a resource, by binding and as they are written: a star is one. */
	uint64_t granted, used;
};

/* NULL on the arena's cap. */
const struct hf_rbac_trim *hf_rbac_trim(const struct hf_rbac_audit *, struct hf_arena *);
