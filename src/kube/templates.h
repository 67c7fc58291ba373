/* Where in an object the templates of its pods stand. */
#pragma once
#include "kube/object.h"

/* A way down from an object's root: a member, or without a key's pointer an element. */
struct hf_kube_step {
	hf_sv key;
	size_t index;
};
struct hf_kube_path {
	const struct hf_kube_step *steps;
	size_t n;
};
enum { HF_KUBE_PATH_MAX = 10 };

struct hf_kube_template {
	struct hf_kube_path path;
	const struct hf_value *value; /* a PodTemplateSpec; NULL: none, or something on the way is of a wrong type */
};

/* The templates of what makes pods, in the order of the object; at least one, which has no value where there are none. NULL where the
 * object makes no pods, and on the arena's cap. */
const struct hf_kube_template *hf_kube_templates(const struct hf_kube_object *, struct hf_arena *, size_t *ret_n);
/* "/spec/tasks/0/template" (RFC 6901). */
hf_sv hf_kube_path_pointer(struct hf_kube_path, struct hf_arena *);
