/* Fields that Kubernetes knows, by kind and version: what is written otherwise is told, since the API server would drop or refuse it.
 *
 * Fields below status are the server's own and are not looked into, nor are custom resources. Of an API version that the server of
 * 1.34 no longer has, the fields are those of its successor, and only pod templates in it are held against them: what it had itself
 * is not known here. Source: the OpenAPI document of Kubernetes 1.34 (tools/make_kube_fields.py). */
#pragma once
#include "kube/object.h"

/* Tells @found of each unknown field (UNKNOWN_FIELD), and of each value of a wrong type (WRONG_TYPE), in the object. @what lives for
 * the call. */
void hf_kube_schema_check(const struct hf_kube_object *,
			  void (*found)(void *ctx, enum hf_kube_note_kind, uint32_t offset, hf_sv what), void *ctx);
/* True where Kubernetes has such a kind in any version, or another program that writes no objects into a cluster (kustomize, kubeadm,
 * the kubelet's and the API server's configuration). */
bool hf_kube_schema_knows(hf_sv api_version, hf_sv kind);
/* The number of the type of an object's root (types.inc); false where there is none. */
bool hf_kube_schema_type(const struct hf_kube_object *, uint16_t *ret);
/* The number of the type of the object that a member holds, or of those in its list. False where it holds neither. */
bool hf_kube_schema_member(uint16_t type, hf_sv member, uint16_t *ret);
