/* Fields that Kubernetes knows, by kind and version: what is written otherwise is told, since the API server would drop it.
 * Source: the OpenAPI document of Kubernetes 1.34. */
#pragma once
#include "kube/object.h"

/* Tells @found of each unknown field (and kind), and of each value of a wrong type, in the object. Custom resources are not looked into. */
void hf_kube_schema_check(const struct hf_kube_object *,
			  void (*found)(void *ctx, enum hf_kube_note_kind, uint32_t offset, hf_sv what), void *ctx);
