/* One AdmissionReview: read, judged, answered. Pure, but for libjq's heap: the server around it is admission/server.h.
 * Source: admission.k8s.io/v1, "Dynamic Admission Control" of kubernetes.io. */
#pragma once
#include "admission/settings.h"

/* What an index of images knows of one: a later input. Returns a sentence that says why it may not run, or the empty view. */
struct hf_admission_images {
	void *ctx; /* NULL function: nothing is known of images */
	hf_sv (*objection)(void *ctx, hf_sv image, struct hf_arena *);
};

struct hf_admission; /* settings and compiled policies; one thread at a time */
/* Settings and policies must live as long. HF_E_FORMAT where a program cannot be compiled, or a check is not known. */
int hf_admission_new(const struct hf_admission_settings *, const struct hf_policies *, struct hf_admission_images,
		     struct hf_admission **ret, struct hf_err *);
void hf_admission_free(struct hf_admission *);
/* From now on shows there which policy is asked. */
void hf_admission_watch(struct hf_admission *, struct hf_policy_board *);
/* Policies that the next reviews do without, by their place in the list: each gives no verdict, and its on_error says what that means. They
 * were asked before, and did not end. */
void hf_admission_leave_out(struct hf_admission *, const uint32_t *policies, size_t n);

/* The namespaces that there are, from now on (admission/namespaces.h). Until the first call none is known, and $namespace is null. */
int hf_admission_set_namespaces(struct hf_admission *, hf_sv objects, struct hf_err *);
/* True where a rule looks at the namespace of an object: whoever asks is to follow them. */
bool hf_admission_wants_namespaces(const struct hf_admission_settings *, const struct hf_policies *);

struct hf_admission_reason {
	hf_sv rule; /* "pod-security", "image-registry", "image-digest", "image-denied", "image-index", or a policy's id */
	hf_sv message;
	enum hf_policy_action action;
	bool unknown; /* the rule gave no verdict; action is then what its on_error says */
};

struct hf_admission_decision {
	hf_sv uid;     /* as all views here: of the review's text or the arena */
	hf_sv version; /* of the review: "admission.k8s.io/v1" */
	hf_sv operation, kind, namespace, name, user, subresource;
	bool dry_run;
	bool allowed;
	bool cached;            /* the same object was let in before without a word: no rule was asked again */
	bool namespace_unknown; /* a rule wanted the namespace, which is not among those that there are: it gave no verdict */
	bool judged;            /* false: of no kind, operation or namespace that is judged */
	const struct hf_admission_reason *reasons; /* in the order of rules */
	size_t reasons_n;
};

/* HF_OK with *ret; HF_E_FORMAT where the text is no AdmissionReview with a request and a uid (there is nobody to answer: HTTP 400);
 * HF_E_LIMIT. An object that is broken in itself is a decision: denied. */
int hf_admission_review(struct hf_admission *, hf_sv text, struct hf_arena *, struct hf_admission_decision *ret,
			struct hf_err *);
/* The answer as an AdmissionReview of the same version: warnings for warn (at most 120 bytes of a message, as the API server cuts
 * them), status 403 with all reasons for deny, audit annotations for audit. */
void hf_admission_answer(const struct hf_admission_decision *, struct hf_buf *out);
/* The decision as a JSON object on one line, to be kept: holdfast/admission/1. */
void hf_admission_record(const struct hf_admission_decision *, struct hf_buf *out);
