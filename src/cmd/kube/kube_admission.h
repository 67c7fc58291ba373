/* What the words of `holdfast kube admission` share. */
#pragma once
#include "admission/settings.h"
#include "base/buffer.h"

struct kube_admission {
	struct hf_arena arena;
	const char *settings_path, *listen, *certificates, *certificate_file, *key_file, *decisions;
	const char *kubeconfig, *context, *url, *service, *ca, *configuration, *namespaces;
	unsigned workers, deadline_ms, timeout_s, decisions_mib;
	bool require_jail, print, install;
	HF_VEC(hf_sv) names;
	HF_VEC(hf_sv) resources;
	const char **policy_paths, **operands;
	size_t policy_paths_n, operands_n, left_out;
	struct hf_admission_settings settings;
	struct hf_policies policies;
};

/* Reads settings and policies. */
int kube_admission_load(struct kube_admission *, struct hf_err *);
int kube_admission_read_text(struct kube_admission *, const char *path, hf_sv *ret, struct hf_err *);

/* A usage message and 2 where --url, --service and --ca contradict each other; else 0, with the names of the certificate that follow. */
int kube_admission_check_webhook(struct kube_admission *, const char *word);
/* Tells the cluster of the webhook, with whom to trust (empty: --ca's file). */
int kube_admission_publish(void *kube_admission, hf_sv authority, struct hf_err *);
int kube_admission_install(struct kube_admission *, struct hf_err *);
int kube_admission_uninstall(struct kube_admission *, struct hf_err *);
int kube_admission_policies(struct kube_admission *, struct hf_err *);
