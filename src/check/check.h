/* Checks of Kubernetes objects: a question each, with a verdict of four values for everything that it is asked about, and what it rests
 * on. Pure.
 *
 * - pass: asked, and well. fail: not well, with the place. not applicable: the question makes no sense here (a Windows pod's seccomp).
 *   not assessable: the data that it needs is not in the input (control plane flags from manifests alone), which is told, and is no pass.
 * - A group is src/check/chk_<group>.c and a line in checks.def; a check is a row of its group's table, with cases of its own:
 *   tests/cases/check/<id>/{pass,fail}-*.yaml, without which the test of the cases fails.
 * - References are ids of other catalogues, by which people know the question; texts are our own. */
#pragma once
#include "kube/pods.h"
#include "model/report.h"

enum hf_check_status {
	HF_CHECK_PASS,
	HF_CHECK_FAIL,
	HF_CHECK_NOT_APPLICABLE,
	HF_CHECK_NOT_ASSESSABLE,
	HF_CHECK_STATUSES
};
const char *hf_check_status_name(enum hf_check_status); /* "pass", "fail", "not_applicable", "not_assessable" */

/* What a check is asked about, one call each. */
enum hf_check_subject {
	HF_CHECK_CONTAINER, /* run->pod, run->container: init, regular and ephemeral ones */
	HF_CHECK_POD,       /* run->pod: everything that makes pods, but what an owner in the set makes just so */
	HF_CHECK_OBJECT,    /* run->object: of the check's kinds */
	HF_CHECK_CLUSTER,   /* once: run->set, with the objects of all kinds */
};

enum { HF_CHECK_KINDS_MAX = 8 };

struct hf_check_run;
struct hf_check {
	const char *id;   /* "HF-K8S-101"; never used for another question once published */
	const char *name; /* "privileged-container" */
	const char *title;
	enum hf_severity severity;
	enum hf_check_subject subject;
	enum hf_kube_kind kinds[HF_CHECK_KINDS_MAX]; /* of HF_CHECK_OBJECT; ends with 0 */
	const char *why;                             /* what it lets happen: a sentence or two */
	const char *fix;                             /* what to do, in general */
	/* Blank-separated ids with their catalogue in front: "CIS-5.2.2 NSA-pod-security MITRE-T1611 KSV-0017 C-0057 CKV_K8S_16". */
	const char *references;
	/* Says hf_check_fail and so on; a call that says nothing is a pass. */
	void (*evaluate)(struct hf_check_run *);
};

struct hf_check_group {
	const char *name; /* "workload" */
	const struct hf_check *checks;
	size_t checks_n;
};

#define HF_CHECK_GROUP(row) extern const struct hf_check_group hf_check_group_##row;
#include "check/checks.def"
#undef HF_CHECK_GROUP
extern const struct hf_check_group *const hf_check_groups[]; /* NULL-ended */
/* The one of this id or name, or all that bear this id of another catalogue, in any of its spellings ("KSV-0017", "KSV017",
 * "AVD-KSV-0017"). NULL-ended, the caller frees it; NULL: none. */
const struct hf_check **hf_check_find(hf_sv word);

/* One change of an object as RFC 6902 has it. */
struct hf_check_patch {
	const char *op; /* "add" (also where the member is there: it replaces) or "remove" */
	hf_sv pointer; /* from the object's root: "/spec/template/spec/containers/0/securityContext/privileged"; "-": behind a list's last */
	hf_sv json; /* the value; empty for remove */
	bool safe;  /* cannot stop a workload that needs nothing unusual: `--fix` may do it unasked */
};

struct hf_check_result {
	const struct hf_check *check;
	enum hf_check_status status;
	const struct hf_kube_object *object; /* NULL: the cluster as a whole */
	hf_sv cluster;
	hf_sv container;           /* its name; empty where it is about none */
	const struct hf_value *at; /* the value to blame; NULL: the object */
	hf_sv message;             /* fail: what is wrong here; not assessable: what is missing */
	const struct hf_check_patch *patches;
	size_t patches_n;
};

/* A failure whose patches take nothing away that a workload usually needs, and whose object is of a file: `kube check --fix` mends it. */
bool hf_check_is_safe(const struct hf_check_result *);

/* What an organisation may say of its own; zeroed: nothing. */
struct hf_check_settings {
	const hf_sv *registries; /* allowed prefixes of images */
	size_t registries_n;
};

/* What checks of one theme share: made by the first of them that asks, for each cluster. */
enum hf_check_shared {
	HF_CHECK_SHARED_COMPONENTS, /* check/component.h */
	HF_CHECK_SHARED_RIGHTS,
	HF_CHECK_SHARED_POLICIES,
	HF_CHECK_SHARED_MESH,
	HF_CHECK_SHARED_MODELS
};

/* A check's view of the world, handed to evaluate(). */
struct hf_check_run {
	const struct hf_kube_objects *set; /* of one cluster, or of all files */
	const struct hf_kube_objects *all; /* of all clusters */
	hf_sv cluster;                     /* empty for files */
	const struct hf_kube_pod
		*pods; /* all of the set, without what an owner in the set makes just so (hf_kube_is_made_by_owner) */
	size_t pods_n;
	const struct hf_check_settings *settings;
	struct hf_arena *arena;
	bool live; /* the set was read from a cluster: what is not in it is not there */
	const struct hf_check *check;
	const struct hf_kube_object *object; /* of all subjects but the cluster */
	const struct hf_kube_pod *pod;
	const struct hf_kube_container *container;
	void *memo; /* a check's own index of the set: NULL at its first call for each cluster */
	void *shared[HF_CHECK_SHARED_MODELS]; /* NULL until it is made */
	const struct hf_kube_pod *volumes_of; /* whose many volumes are indexed: hf_check_volume */
	struct hf_map volumes;
	struct hf_check_answers *answers;
	bool answered;
};

/* Adds a result for what is asked about. @at is the value to blame, NULL: the subject itself. hf_check_fail may be said more than once
 * in a call. The pointer that it returns (never NULL, good until the next answer) takes patches. */
struct hf_check_result *hf_check_fail(struct hf_check_run *, const struct hf_value *at, const char *fmt, ...)
	hf_printf(3, 4);
void hf_check_not_applicable(struct hf_check_run *);
void hf_check_not_assessable(struct hf_check_run *, const char *fmt, ...) hf_printf(2, 3);
/* For checks of the cluster: the next answers are about this object. NULL: about the cluster again. */
void hf_check_about(struct hf_check_run *, const struct hf_kube_object *);
/* A change that would make the failure just said go away: @path is a pointer below the container, the PodSpec or the object, by the
 * check's subject ("/securityContext/privileged"); missing objects on the way are made. @json NULL: remove. */
void hf_check_patch(struct hf_check_run *, struct hf_check_result *, const char *path, const char *json, bool safe);

/* What checks ask often. */
/* A setting of the container's securityContext, else of the pod's; NULL where neither has it. */
const struct hf_value *hf_check_security_setting(const struct hf_check_run *, const char *field);

struct hf_check_counts {
	size_t of[HF_CHECK_STATUSES];
};

/* Millions of results are no array that grows, since an arena would keep each array that became too small. */
enum { HF_CHECK_BLOCK = 64 };

struct hf_check_report {
	/* hf_check_result_at: fail and not assessable; by cluster, then the check's place in its table, then input */
	struct hf_check_result *const *blocks;
	size_t results_n;
	const struct hf_check *const *checks; /* those that ran, in the order of the tables */
	const struct hf_check_counts *counts; /* of each of them */
	size_t checks_n;
};

static inline const struct hf_check_result *hf_check_result_at(const struct hf_check_report *r, size_t i)
{
	return &r->blocks[i / HF_CHECK_BLOCK][i % HF_CHECK_BLOCK];
}

/* Asks all checks (or those @wanted, NULL-ended) about each cluster of the set. Lives in the arena. */
const struct hf_check_report *hf_check_all(const struct hf_kube_objects *, const struct hf_check *const *wanted,
					   const struct hf_check_settings *, struct hf_arena *);
