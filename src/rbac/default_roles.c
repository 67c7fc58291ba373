#include "rbac/builder.h"

/* What tools/embed-files.sh writes. */
struct embedded {
	const char *name, *begin, *end;
};
extern const struct embedded hf_rbac_embedded[];

const struct hf_kube_objects *rbac_default_objects(struct hf_arena *a)
{
	struct hf_kube_source *source = hf_arena_new(a, struct hf_kube_source);
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	const struct hf_kube_objects *set = NULL;
	struct hf_err err = { 0 };

	if (source) {
		*source = (struct hf_kube_source){
			.name = HF_SV("built in"),
			.text = { hf_rbac_embedded->begin, (size_t)(hf_rbac_embedded->end - hf_rbac_embedded->begin) },
		};
		if (hf_kube_load(l, source, &err) >= 0)
			set = hf_kube_loaded(l);
	}
	hf_kube_loader_free(l);
	return set;
}
