/* The documents of discovery: APIGroupDiscoveryList (apidiscovery.k8s.io/v2, v2beta1), and APIVersions, APIGroupList, APIResourceList
 * (meta/v1) of older servers. Pure. Gathered one after the other. */
#pragma once
#include "cluster/discover.h"

struct hf_discovery {
	struct hf_arena *arena; /* all strings are copied here */
	HF_VEC(struct hf_cluster_resource) resources;
	HF_VEC(struct hf_cluster_missing) missing;
	/* Versions that are still to be asked for one by one, in the server's order, the preferred one of a group first. */
	HF_VEC(struct hf_cluster_what) versions;
};

/* Answer to /api or /apis, of any of the kinds. HF_E_FORMAT, HF_E_LIMIT. */
hf_nodiscard int hf_discovery_add(struct hf_discovery *d, hf_sv json, struct hf_err *err);
/* Answer to /apis/GROUP/VERSION. */
hf_nodiscard int hf_discovery_add_version(struct hf_discovery *d, hf_sv group, hf_sv version, hf_sv json,
					  struct hf_err *err);
void hf_discovery_missing(struct hf_discovery *d, hf_sv group, hf_sv version, hf_sv reason);
/* Says which are preferred and hands over. */
void hf_discovery_end(struct hf_discovery *d, struct hf_cluster_resources *ret);
