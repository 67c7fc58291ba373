/* What an API server of 1.34 would store of an object: the defaults that it fills in (defaults.def). Pure; nothing is made until it is
 * asked for, and the set is left as it is.
 *
 * An object of an API version that 1.34 no longer has gets the defaults of its successor, which for extensions/v1beta1 and apps/v1beta1
 * are not those that it had. Custom resources and configurations of programs have no defaults here.
 * Source: the defaults.go of each group in Kubernetes 1.34; tests/kube/t_defaults.py holds them against a server. */
#pragma once
#include "kube/object.h"

/* The object's tree with all defaults, new members behind those that are written; what was written is shared and keeps its offsets,
 * what was filled in has offset 0. The object's own root where nothing is known of its kind. NULL on the arena's cap. */
const struct hf_value *hf_kube_stored(const struct hf_kube_object *, struct hf_arena *);
/* The same for the PodTemplateSpec of what makes pods (the Pod itself), also of custom kinds: as the pod that is made of it is stored where
 * @as_pod, else as the template is. NULL where there is none. */
const struct hf_value *hf_kube_stored_template(const struct hf_value *template, bool as_pod, struct hf_arena *);
