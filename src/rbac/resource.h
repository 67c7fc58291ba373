/* Words of a command line to requests: what `kubectl auth can-i` takes. Pure. */
#pragma once
#include "rbac/authorizer.h"

enum hf_rbac_scope { HF_RBAC_SCOPE_UNKNOWN, HF_RBAC_SCOPE_NAMESPACE, HF_RBAC_SCOPE_CLUSTER };

struct hf_rbac_resource {
	const char *group, *plural, *singular, *short_names;
	bool namespaced;
};
extern const struct hf_rbac_resource hf_rbac_resources[];
extern const size_t hf_rbac_resources_n;

/* Fills in group, resource, subresource, name and url of @ret from
 *     RESOURCE[.VERSION][.GROUP][/SUBRESOURCE or /NAME], RESOURCE/SUBRESOURCE.GROUP, *, or a path that begins with /
 * where RESOURCE is a plural, a kind or a short name, also of a custom resource definition in the set. What stands behind the slash
 * is a subresource where it is one that Kubernetes has, or "*"; else a name (*ret_name_taken). A resource that nobody knows is taken
 * as it is, in the core group if none is written: then HF_RBAC_SCOPE_UNKNOWN. */
enum hf_rbac_scope hf_rbac_parse_resource(const struct hf_kube_objects *, hf_sv word, struct hf_arena *,
					  struct hf_rbac_request *ret, bool *ret_name_taken);
