/* What an admission webhook decides by: a YAML file (docs/admission.md). */
#pragma once
#include "policy/policy.h"
#include "pss/pss.h"

struct hf_admission_settings {
	/* Pod Security Standards; privileged asks nothing. */
	struct hf_pss_policy enforce, warn, audit;
	bool from_labels; /* the labels of a namespace change these, as with the API server's own admission */
	const hf_sv *exempt_namespaces, *exempt_users,
		*exempt_runtime_classes; /* names, '*' for any run of characters */
	size_t exempt_namespaces_n, exempt_users_n, exempt_runtime_classes_n;
	/* Images. */
	const hf_sv *registries; /* allowed prefixes; none: all */
	size_t registries_n;
	const hf_sv *denied_images; /* patterns with '*' */
	size_t denied_images_n;
	bool require_digest;
	enum hf_policy_action images_action;
	/* Namespaces that nothing is asked about: those of the cluster itself, where a webhook could keep it from starting. */
	const hf_sv *ignored_namespaces;
	size_t ignored_namespaces_n;
	bool fail_open; /* where the webhook itself cannot come to an answer (time, a killed worker) */
};

/* Reads @text over @ret, which the caller has zeroed: what is not written stays. Texts live in @text and the arena. HF_E_FORMAT names the
 * line and the key. */
int hf_admission_settings_read(hf_sv text, struct hf_arena *, struct hf_admission_settings *ret, struct hf_err *);
