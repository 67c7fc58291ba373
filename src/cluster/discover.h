/* What a cluster serves: aggregated discovery (apidiscovery.k8s.io/v2, v2beta1), or the documents of each group where the server
 * is older. */
#pragma once
#include "base/arena.h"
#include "cluster/client.h"

struct hf_cluster_resource {
	hf_sv group, version;
	hf_sv name; /* "pods", "pods/exec" */
	hf_sv kind;
	const hf_sv *verbs; /* "list", "watch" … */
	size_t verbs_n;
	bool namespaced;
	bool preferred; /* of the versions that have this resource, the one that the server names first */
};

struct hf_cluster_missing {
	hf_sv group, version; /* version: empty where it is the whole group */
	hf_sv reason;
};

struct hf_cluster_resources {
	struct hf_cluster_resource *resources; /* in the order of the server */
	size_t n;
	struct hf_cluster_missing *missing; /* groups that did not answer: an aggregated server that is down */
	size_t missing_n;
};

/* All strings are in @a. HF_PARTIAL: ret->missing says what is not known. HF_E_FORMAT, HF_E_LIMIT; others as hf_cluster_call. */
hf_nodiscard int hf_cluster_discover(struct hf_cluster *c, struct hf_arena *a, struct hf_cluster_resources *ret,
				     struct hf_err *err);
/* The preferred version of it; NULL where it is not served. */
const struct hf_cluster_resource *hf_cluster_resource_find(const struct hf_cluster_resources *, hf_sv group,
							   hf_sv name);
bool hf_cluster_resource_can(const struct hf_cluster_resource *, hf_sv verb);
