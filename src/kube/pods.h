/* What makes pods: the pod itself and every kind with pod templates, decoded to what the analyses share.
 * Source: the API reference of 1.34, PodSpec, PodTemplateSpec and the kinds that hold one. */
#pragma once
#include "kube/templates.h"

enum hf_container_role { HF_CONTAINER_INIT, HF_CONTAINER_REGULAR, HF_CONTAINER_EPHEMERAL };

struct hf_kube_container {
	enum hf_container_role role;
	hf_sv name, image;                       /* empty where not written */
	const struct hf_value *value;            /* the Container */
	const struct hf_value *security_context; /* NULL: none */
	bool restarts_always;                    /* an init container that is a sidecar */
};

struct hf_kube_pod {
	const struct hf_kube_object *object;
	struct hf_kube_path path;        /* where the template stands in it; empty for a Pod, which is one */
	const struct hf_value *metadata; /* of the template; of the object where it is a Pod. NULL: none */
	const struct hf_value *spec;     /* PodSpec; an empty object where there is none */
	const struct hf_value *security_context;
	const hf_sv *labels, *annotations; /* pairs, of the template */
	size_t labels_n, annotations_n;
	hf_sv service_account;                      /* "default" where none is written */
	const struct hf_kube_container *containers; /* init, then regular, then ephemeral, each in their order */
	size_t containers_n;
	bool host_network;
	bool windows;  /* spec.os.name */
	bool finished; /* a Pod whose status.phase is Succeeded or Failed */
};

/* The pods of all objects that make some, in the order of the input, one a template; also of custom kinds that kinds.def
 * knows the templates of; others that seem to hold one are noted by the loader. Made once a set. Objects that were replaced are
 * there too. */
const struct hf_kube_pod *hf_kube_pods(const struct hf_kube_objects *, struct hf_arena *, size_t *ret_n);
/* True where this object makes pods. */
bool hf_kube_makes_pods(const struct hf_kube_object *);
/* How many of @pods, from the first on, are of the first one's object: @n > 0. */
size_t hf_kube_pods_of_one(const struct hf_kube_pod *pods, size_t n);
/* The object that stands at the top of the owners (metadata.ownerReferences with controller: true) as far as they are in the set: a
 * Pod's ReplicaSet's Deployment. An object of the owner's name with another uid is not the owner. The object itself where it has none, or where they own each other. Of an owner that is not in the set the name and kind are still
 * known: they are written to *ret_kind and *ret_name (borrowed), which are never empty for named objects. */
const struct hf_kube_object *hf_kube_top_owner(const struct hf_kube_objects *, const struct hf_kube_object *,
					       hf_sv *ret_kind, hf_sv *ret_name);
/* True where its owner in the set makes just this, so that whoever judges the owner has judged it: what is judged in its PodSpec, its labels
 * and annotations are those of the owner's template, but for what the API server and the controllers add to each pod (defaults.h has the former). Also true of what
 * an owner keeps of former revisions at no replicas, where the uids of both say so. Anybody may write an owner into a Pod: the
 * reference alone proves nothing. */
bool hf_kube_is_made_by_owner(const struct hf_kube_objects *, const struct hf_kube_object *);
/* True where each pod of the first would be judged as one of the second is. */
bool hf_kube_is_same_pod(const struct hf_kube_object *, const struct hf_kube_object *);
