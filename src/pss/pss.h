/* Pod Security Standards: which controls of a level, as a version of Kubernetes has it, a pod does not meet.
 *
 * The decision is that of the API server's own admission (k8s.io/pod-security-admission 0.34), control by control: which values are
 * allowed since when, what the pod's settings mean for its containers, which control takes the place of which. Nothing is defaulted
 * first: hostNetwork does not make ports into hostPorts here.
 * A value that is not of its field's type, which the API server would refuse, fails each control that reads it.
 * Source: "Pod Security Standards" of kubernetes.io; the policy package of k8s.io/pod-security-admission v0.34.1. */
#pragma once
#include "kube/pods.h"

enum hf_pss_level { HF_PSS_PRIVILEGED, HF_PSS_BASELINE, HF_PSS_RESTRICTED };

/* The newest minor version that changed a control: later ones, and latest, decide as it does. */
#define HF_PSS_NEWEST 34
#define HF_PSS_LATEST UINT64_MAX

struct hf_pss_policy {
	enum hf_pss_level level;
	uint64_t minor; /* of 1.x; HF_PSS_LATEST */
	/* As the feature gate UserNamespacesPodSecurityStandards: a pod with hostUsers: false may run as root and show all of /proc. */
	bool user_namespaces;
};

/* "baseline", "restricted:v1.29", "restricted:1.29", "privileged:latest": true; all else false, and nothing written. */
bool hf_pss_policy_of(hf_sv text, struct hf_pss_policy *ret);
/* The two halves alone; a version as the labels of namespaces have it ("latest", "v1.29"). */
bool hf_pss_level_of(hf_sv text, enum hf_pss_level *ret);
bool hf_pss_version_of(hf_sv text, uint64_t *ret_minor);
const char *hf_pss_level_name(enum hf_pss_level);
/* "v1.29", "latest". */
hf_sv hf_pss_version_text(uint64_t minor, char out[24]);

struct hf_pss_eval;
struct hf_pss_at;
struct hf_pss_control {
	const char *id; /* upstream's */
	enum hf_pss_level level;
	uint8_t since; /* the first minor version that has it */
	uint8_t overridden_from; /* of baseline: from this minor version on restricted has another control in its place; HF_PSS_NEVER */
	uint8_t windows_from; /* from this minor version on pods for Windows need not meet it; HF_PSS_NEVER */
	bool user_namespaces; /* one that hf_pss_policy.user_namespaces relaxes */
	const char *what;     /* is forbidden or missing, for people: one phrase */
	const char *fix;      /* the change that would pass */
	/* Either may be NULL: what is asked of the pod, and then of each container. */
	void (*pod)(struct hf_pss_eval *);
	void (*container)(struct hf_pss_eval *, const struct hf_pss_at *);
};
#define HF_PSS_NEVER UINT8_MAX

#define HF_PSS_CONTROL(row) extern const struct hf_pss_control hf_pss_##row;
#include "pss/controls.def"
#undef HF_PSS_CONTROL

enum {
#define HF_PSS_CONTROL(row) HF_PSS_INDEX_##row,
#include "pss/controls.def"
#undef HF_PSS_CONTROL
	HF_PSS_CONTROLS
};
extern const struct hf_pss_control *const hf_pss_controls[HF_PSS_CONTROLS]; /* in the order of the table */

enum hf_pss_why { HF_PSS_FORBIDDEN, HF_PSS_MISSING, HF_PSS_UNREADABLE };

struct hf_pss_field {
	enum hf_pss_why why;
	hf_sv path;                   /* in the object: spec.template.spec.containers[0].securityContext.privileged */
	hf_sv container;              /* its name; empty: none, or it has no name */
	const struct hf_value *value; /* what stands there; NULL: nothing */
	const struct hf_value *near;  /* that, or the innermost around it that is there: for its line */
};

struct hf_pss_finding {
	const struct hf_pss_control *control;
	const struct hf_pss_field *fields; /* at least one, in the order of the object's parts that the control reads */
	size_t n, left_off;                /* at most HF_PSS_FIELDS_MAX, and how many more there are */
};
enum { HF_PSS_FIELDS_MAX = 256 };

/* The controls that the pod fails: bit i is hf_pss_controls[i]. 0: it is allowed. Time is linear in the pod; no memory is asked for
 * where it passes. */
uint32_t hf_pss_failed(const struct hf_kube_pod *, const struct hf_pss_policy *);
/* The same of all pods of an object, with the reasons, in the order of the table; *ret stays NULL where the pod each passes. Returns how many; check the arena. */
size_t hf_pss_evaluate(const struct hf_kube_pod *, size_t pods_n, const struct hf_pss_policy *, struct hf_arena *,
		       const struct hf_pss_finding **ret);
