/* What a cluster is told of a webhook, and of rules that it can hold itself. Pure.
 * Source: admissionregistration.k8s.io/v1 of Kubernetes 1.34; "Dynamic Admission Control" and "Validating Admission Policy" of
 * kubernetes.io; the language of rules is CEL. */
#pragma once
#include "admission/settings.h"
#include "base/buffer.h"

struct hf_admission_webhook {
	hf_sv name; /* of the configuration; the webhook is NAME.admission.holdfast */
	hf_sv url;  /* "https://HOST:PORT/validate"; empty: a service */
	hf_sv service_namespace, service_name;
	unsigned service_port; /* 0: 443 */
	hf_sv authority;       /* PEM of one certificate or several */
	unsigned timeout_s;    /* 0: 5 */
	/* Resources of kinds that holdfast does not know: "widgets.example.com", "widgets" of the core group. */
	const hf_sv *resources;
	size_t resources_n;
};

/* The ValidatingWebhookConfiguration as JSON: what makes pods, with the subresources that change one, and the kinds that policies ask
 * about; all but kube-system, the webhook's own namespace and those that are ignored by their whole name.
 * HF_E_FORMAT: a policy asks about a kind that is not known and not among the resources; HF_E_LIMIT. */
hf_nodiscard int hf_admission_configuration(const struct hf_admission_settings *, const struct hf_policies *,
					    const struct hf_admission_webhook *, struct hf_buf *out, struct hf_err *);

/* ValidatingAdmissionPolicies and their bindings, a stream of YAML documents, for what CEL can hold of the settings; what it cannot is a comment,
 * with the reason. @name: what their names begin with. HF_E_LIMIT. */
hf_nodiscard int hf_admission_cel(const struct hf_admission_settings *, const struct hf_policies *, hf_sv name,
				  struct hf_buf *out, struct hf_err *);
