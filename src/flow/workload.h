/* Which workload a container belongs to, by what its events say of it. */
#pragma once
#include "base/arena.h"
#include "flow/graph.h"
#include "model/event.h"

struct hf_workload_name {
	enum hf_workload_kind kind;
	hf_sv id, namespace, name, owner_kind; /* in @a or borrowed from the event */
};

/* Pods: the owner, read off the pod's name and the labels that its controllers set (kubernetes.io, "Well-Known Labels,
 * Annotations and Taints"): pod-template-hash, controller-revision-hash, statefulset.kubernetes.io/pod-name, job-name.
 * Containers: Compose's or Swarm's service where labels say it, else the name without a replica's number at its end, with the
 * image where the name says nothing. */
struct hf_workload_name hf_workload_name(const struct hf_event *, struct hf_arena *a);
/* True for labels that differ between the pods of one workload, or that engines and images add to the pod's own: no selector may
 * use them. */
bool hf_label_is_volatile(hf_sv key);
/* The value of a label in @n pairs sorted by key; the empty view where it is not there. */
hf_sv hf_label(const hf_sv *pairs, size_t n, hf_sv key);
