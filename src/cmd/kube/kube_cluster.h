/* Targets "cluster:" and "cluster:CONTEXT" of the kube commands: all objects of the kinds that holdfast knows, out of a live cluster. */
#pragma once
#include "base/arena.h"
#include "cluster/kubeconfig.h"

/* Asks for secrets as rows without what is in them. */
#define KUBE_CLUSTER_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"

/* "cluster:" or "cluster:NAME"; *@ret_context is NULL where none is named. */
bool kube_cluster_target(const char *target, const char **ret_context);

/* Where @context (NULL: the current one) of @kubeconfig (NULL: as the environment says) leads. */
hf_nodiscard int kube_cluster_select(const char *kubeconfig, const char *context, struct hf_arena *,
				     struct hf_kubeconfig_target *ret, struct hf_err *err);

struct kube_cluster_sink {
	/* All objects of one resource: a memory file of JSON lists, one behind the other, and its name "CONTEXT: pods". A negative code ends it all. */
	int (*resource)(void *ctx, int fd, hf_sv name, hf_sv context, struct hf_err *err);
	/* What could not be had: forbidden, failed. */
	void (*missing)(void *ctx, hf_sv name, const char *why);
	void *ctx;
};

/* @kubeconfig: --kubeconfig, or NULL; @context: NULL: the current one. HF_PARTIAL where something was missing. Negative where nothing can be had: no such
 * context, no credentials, no connection.
 * Of secrets, metadata and type are asked for, and never what is in them. */
hf_nodiscard int kube_cluster_read(const char *kubeconfig, const char *context, const struct kube_cluster_sink *sink,
				   struct hf_err *err);
