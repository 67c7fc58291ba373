/* The webhook's view of the cluster's namespaces: watched by a thread, and asked for by name where a review is quicker than the watch. */
#pragma once
#include "admission/pool.h"
#include "cmd/kube/kube_admission.h"

struct kube_namespaces;

/* Finds the cluster. NULL with *err where there is none, or it cannot be found. */
struct kube_namespaces *kube_namespaces_open(const struct kube_admission *, struct hf_err *err);
/* From now on the pool is told, until kube_namespaces_close. */
void kube_namespaces_start(struct kube_namespaces *, struct hf_admission_pool *);
/* For hf_admission_pool_options.find_namespace. */
void kube_namespaces_find(void *kube_namespaces, hf_sv name);
void kube_namespaces_close(struct kube_namespaces *);
