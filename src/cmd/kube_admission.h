/* What the words of `holdfast kube admission` share. */
#pragma once
#include "admission/settings.h"

struct kube_admission {
	struct hf_arena arena;
	const char *settings_path, *listen, *certificates, *certificate_file, *key_file, *decisions;
	unsigned workers, deadline_ms;
	bool require_jail;
	HF_VEC(hf_sv) names;
	const char **policy_paths, **operands;
	size_t policy_paths_n, operands_n, left_out;
	struct hf_admission_settings settings;
	struct hf_policies policies;
};

/* Reads settings and policies. */
int kube_admission_load(struct kube_admission *, struct hf_err *);
