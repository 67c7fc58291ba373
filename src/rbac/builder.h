/* What the parts of hf_rbac_build share: the model in the making. */
#pragma once
#include "rbac/authorizer.h"

struct rbac_builder {
	struct hf_arena *arena;
	struct hf_rbac_model *model;
	const struct hf_kube_objects *objects, *defaults; /* defaults: NULL where none are known */
	HF_VEC(struct hf_rbac_role *) roles;
	HF_VEC(struct hf_rbac_binding *) bindings;
	HF_VEC(struct hf_rbac_subject *) subjects;
	HF_VEC(struct hf_kube_note) notes;
	struct hf_map role_by_name; /* "NAMESPACE/NAME" */
};

/* @where: in the object; NULL: the object as a whole. @text lives as long as the model. */
void rbac_note(struct rbac_builder *, enum hf_kube_note_kind, const struct hf_kube_object *,
	       const struct hf_value *where, hf_sv text);
/* Fills in the rules of aggregated roles, once all roles are there. */
void rbac_aggregate(struct rbac_builder *);
/* The roles and bindings that each API server makes by itself; NULL on the arena's cap. */
const struct hf_kube_objects *rbac_default_objects(struct hf_arena *);
