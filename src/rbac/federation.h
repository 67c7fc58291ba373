/* Several clusters: what one of them holds of another, who may take it, and what that is worth there. Pure.
 *
 * Credentials are found by their labels, types and names, and by objects that name them (federation.def): the values of secrets are not
 * in the set. Which cluster of the set is meant is told by its address, else by its name. */
#pragma once
#include "rbac/findings.h"

enum hf_rbac_as { HF_RBAC_AS_UNKNOWN, HF_RBAC_AS_MASTERS, HF_RBAC_AS_ACCOUNT };

struct hf_rbac_credential {
	const struct hf_kube_object *secret; /* NULL: only its name is in the set */
	const struct hf_kube_object *by;     /* the object that names it; NULL: none */
	hf_sv namespace, name;               /* of the secret */
	const char *program;                 /* that uses it */
	enum hf_rbac_as as;
	hf_sv as_namespace, as_account;
	hf_sv server;  /* empty: not known */
	hf_sv cluster; /* of the set; empty: it is not in it, or which one is not known */
};

/* Those that are held in @cluster. */
const struct hf_rbac_credential *hf_rbac_credentials(const struct hf_kube_objects *all, hf_sv cluster,
						     struct hf_arena *, size_t *ret_n);

/* What a credential gives there, as the steps behind its theft, each with its place. */
struct hf_rbac_worth {
	bool known;         /* that cluster, and whom it acts as, are in the set */
	bool everything;    /* it is, or can become, cluster-admin there */
	const hf_sv *steps; /* the last says what is not assessable where that is so */
	size_t steps_n;
	hf_sv text; /* all in one clause */
};

/* @powers: a map of the caller's, cluster -> struct hf_rbac_powers, so that each is made once. NULL on the arena's cap. */
const struct hf_rbac_worth *hf_rbac_worth_of(const struct hf_kube_objects *all, const struct hf_rbac_credential *,
					     struct hf_map *powers, struct hf_arena *);
/* The grant by which a subject comes by the secret: it reads it, or makes pods that mount it (*ret_power). Its binding NULL: it does not. */
struct hf_rbac_grant hf_rbac_takes(const struct hf_rbac_powers *, const struct hf_rbac_subject *,
				   const struct hf_rbac_credential *, const struct hf_rbac_power **ret_power);
/* Programs of a cluster that are meant to read all of it. */
bool hf_rbac_is_system(const struct hf_rbac_subject *);
