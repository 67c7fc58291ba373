/* What the checks of workloads ask of PodSpecs, beside check.h. */
#pragma once
#include "check/check.h"

/* A whole number of the security context, container before pod. False where none is set. */
bool hf_check_security_number(const struct hf_check_run *, const char *field, const struct hf_value **ret_at,
			      int64_t *ret);
/* The volume of the pod at hand by its name, the first of them; NULL: none. */
const struct hf_value *hf_check_volume(struct hf_check_run *, hf_sv name);
/* A pair of a map of strings as hf_kube_string_map gives it; empty where there is none. */
hf_sv hf_check_pair(const hf_sv *pairs, size_t n, hf_sv key);
/* A container that only prepares or helps to debug: what is asked of services does not fit it. */
bool hf_check_runs_once(const struct hf_check_run *);
/* The object is in one of the namespaces that Kubernetes itself lives in. */
bool hf_check_is_system(const struct hf_kube_object *);

/* A part of the control plane itself, by its namespace and the labels that kubeadm gives. */
bool hf_check_is_control_plane(const struct hf_kube_pod *);

/* A part of Kubernetes, or one on every node (a DaemonSet: collectors of logs, drivers of storage): what such a pod takes of its node is
 * what it is for, and no patch takes it away. */
bool hf_check_serves_node(const struct hf_check_run *);

/* A limit for a container as JSON that is not below what it requests; @otherwise where it requests none, NULL where that is not to be
 * written as JSON. */
const char *hf_check_limit_for(const struct hf_check_run *, const char *resource, const char *otherwise);

/* An image's reference as runtimes read it: [registry/]repository[:tag][@digest]. Views into the image. */
struct hf_check_image {
	hf_sv registry; /* empty where none is written: docker.io is meant */
	hf_sv repository, tag, digest;
};
struct hf_check_image hf_check_image_of(hf_sv image);
