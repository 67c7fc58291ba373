/* What the controls read a pod with, and how they tell what they found. Of pss/ alone.
 *
 * A control walks down from e->spec, e->metadata or its container by hf_pss_member and hf_pss_element. What is not there reads as
 * nothing, on all levels below too. What is there but of a wrong type is told for the control at hand by the walk itself, and then
 * reads as nothing with `wrong` set: a control that misses something asks for that first. */
#pragma once
#include "pss/pss.h"

/* A place in the object. It points to the place around it, which has to outlive it. */
struct hf_pss_at {
	const struct hf_pss_at *up;
	hf_sv key; /* of a member; without a pointer: an element, or the root */
	size_t index;
	const struct hf_value *value; /* NULL: not there, or null */
	bool wrong;                   /* it, or what it would stand in, is not of its type */
};

struct hf_pss_eval {
	const struct hf_kube_pod *pod;
	unsigned minor; /* at most HF_PSS_NEWEST */
	const struct hf_pss_at *spec, *metadata;
	struct hf_pss_at pod_security; /* spec.securityContext; by hf_pss_pod_security */
	bool covered; /* free for the control: the pod's setting stands in for containers without one */
	/* Of the walk. */
	const struct hf_pss_control *control;
	const struct hf_pss_at *container; /* at hand; NULL: the pod as a whole */
	bool failed;
	struct hf_arena *arena; /* NULL: the reasons are not wanted */
	struct hf_pss_field *fields;
	size_t n, left_off;
};

struct hf_pss_at hf_pss_member(struct hf_pss_eval *, const struct hf_pss_at *up, hf_sv key, enum hf_value_type);
/* Element @i of an array; null reads as nothing. */
struct hf_pss_at hf_pss_element(struct hf_pss_eval *, const struct hf_pss_at *array, size_t i, enum hf_value_type);
static inline size_t hf_pss_count(const struct hf_pss_at *array)
{
	return hf_value_count(array->value, HF_VALUE_ARRAY);
}
/* A whole number. False where there is none. */
bool hf_pss_int(struct hf_pss_eval *, const struct hf_pss_at *up, hf_sv key, struct hf_pss_at *ret_at, int64_t *ret);
/* spec.securityContext; its being of a wrong type is told to the control at hand. */
const struct hf_pss_at *hf_pss_pod_security(struct hf_pss_eval *);
/* metadata.annotations of the pod, in the same way; and one of them, null being empty. False where it is no string. */
struct hf_pss_at hf_pss_annotations(struct hf_pss_eval *);
bool hf_pss_annotation_text(struct hf_pss_eval *, const struct hf_pss_at *annotations, const struct hf_member *,
			    struct hf_pss_at *ret_at);
/* The text of a string; empty for nothing. */
static inline hf_sv hf_pss_text(const struct hf_pss_at *at)
{
	return hf_value_text(at->value);
}
bool hf_pss_one_of(hf_sv s, const hf_sv *list, size_t n);

/* The pod fails the control at hand, because of what stands at this place, or does not stand there. */
void hf_pss_forbid(struct hf_pss_eval *, const struct hf_pss_at *);
void hf_pss_miss(struct hf_pss_eval *, const struct hf_pss_at *);

/* For controls that allow seccomp's and AppArmor's two confining types alone: @profile is the object with a member "type". */
bool hf_pss_confines(struct hf_pss_eval *, const struct hf_pss_at *profile);
