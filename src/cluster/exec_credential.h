/* What an exec plugin is told and what it answers: ExecCredential of client.authentication.k8s.io, v1 and v1beta1
 * (docs/formats/kubeconfig.md). Pure. */
#pragma once
#include "base/buffer.h"
#include "cluster/kubeconfig.h"

struct hf_exec_credential {
	hf_sv token, certificate, key; /* PEM; a token, or a certificate with its key, or both */
	int64_t expires_s;             /* since 1970; INT64_MAX where it is not said */
};

/* The value of KUBERNETES_EXEC_INFO. @ca: PEM of the cluster's authority, empty: none. */
void hf_exec_info_write(const struct hf_kubeconfig_exec *exec, const struct hf_kubeconfig_cluster *cluster, hf_sv ca,
			bool interactive, struct hf_buf *out);
/* The plugin's answer, which must have @exec's apiVersion. Strings live in the text or in @a. HF_E_FORMAT with a message without any
 * of its values; HF_E_LIMIT. */
hf_nodiscard int hf_exec_credential_parse(hf_sv json, const struct hf_kubeconfig_exec *exec, struct hf_arena *a,
					  struct hf_exec_credential *ret, struct hf_err *err);
